
/*
 * The response: which one an action's end calls for, its headers, ETag and
 * 304, and the sending of it.  Lists that go out in chunks are in
 * ngx_http_tasks_stream.c.
 */


#include <ngx_http_tasks_handler.h>


/*
 * An ETag is W/"STATE FINGERPRINT": what was read, and what the route
 * makes of it.  Weak, as a response may also tell the time, or the like.
 */

#define NGX_HTTP_TASKS_ETAG_AROUND  (sizeof("W/\"0123456789\"") - 1)


static ngx_int_t ngx_http_tasks_vary(ngx_http_request_t *r);
static ngx_int_t ngx_http_tasks_etag(ngx_http_tasks_ctx_t *ctx);
static ngx_int_t ngx_http_tasks_headers(ngx_http_request_t *r,
    ngx_array_t *headers, ngx_uint_t retry);


ngx_int_t
ngx_http_tasks_respond(ngx_http_tasks_ctx_t *ctx)
{
    ngx_str_t                   content_type;
    ngx_uint_t                  status;
    ngx_array_t                *headers;
    ngx_http_request_t         *r;
    ngx_http_tasks_error_t     *e;
    ngx_http_tasks_route_t     *route;
    ngx_http_tasks_writer_t     body;
    ngx_http_tasks_template_t  *template;

    r = ctx->request;
    route = ctx->exchange.request.route;

    if (ctx->error == NGX_HTTP_TASKS_NO_ERROR) {
        status = route->status;
        content_type = route->content_type;
        template = &route->response;
        headers = route->headers;

    } else {
        e = ngx_http_tasks_get_error(ctx);

        status = e->status;
        content_type = e->content_type;
        template = &e->body;
        headers = e->headers;

        /* with some nginx answers nothing at all */

        if (ctx->conf->intercept_errors
            && status >= NGX_HTTP_SPECIAL_RESPONSE
            && status != NGX_HTTP_REQUEST_TIME_OUT
            && status != NGX_HTTP_CLOSE
            && status != NGX_HTTP_CLIENT_CLOSED_REQUEST)
        {
            return status;
        }
    }

    if (ctx->error != NGX_HTTP_TASKS_NO_ERROR
        || route->action == NGX_HTTP_TASKS_ACTION_CANCEL)
    {
        r->disable_not_modified = 1;       /* by nginx, for "*" */

    } else if (ctx->exchange.etag.data && status == NGX_HTTP_OK
               && !ctx->exchange.lines)
    {
        if (ngx_http_tasks_etag(ctx) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        if (ngx_http_tasks_equal(&ctx->exchange.etag, &ctx->exchange.known)) {
            ctx->exchange.how = NGX_HTTP_TASKS_CACHE_NOT_MODIFIED;
            status = NGX_HTTP_NOT_MODIFIED;
        }
    }

    if (ngx_http_tasks_headers(r, headers,
                               ctx->error == NGX_HTTP_TASKS_UNAVAILABLE
                               || ctx->error == NGX_HTTP_TASKS_TIMEOUT)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ctx->error == NGX_HTTP_TASKS_NO_ERROR
        && route->action == NGX_HTTP_TASKS_ACTION_LIST
        && ngx_http_tasks_vary(r) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_tasks_writer_init(&body, r->pool, 512);

    if (status == NGX_HTTP_NOT_MODIFIED) {
        return ngx_http_tasks_send(r, status, &content_type, &body);
    }

    if (ctx->error == NGX_HTTP_TASKS_NO_ERROR
        && (ctx->exchange.lines
            || ngx_http_tasks_list_goes_on(&ctx->exchange)))
    {
        return ngx_http_tasks_stream(ctx, status, &content_type);
    }

    if (ngx_http_tasks_template_run(template, &body, ngx_http_tasks_value, ctx)
        != NGX_OK
        || body.failed)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_tasks_send(r, status, &content_type, &body);
}


/*
 * JSON or lines.  With "gzip_vary", nginx sends a line of its own, in front;
 * but of several lines its caches know the last one only.
 */
static ngx_int_t
ngx_http_tasks_vary(ngx_http_request_t *r)
{
#if (NGX_HTTP_GZIP)
    ngx_http_core_loc_conf_t  *clcf;
#endif

    static ngx_str_t           accept = ngx_string("Accept"),
                               both = ngx_string("Accept, Accept-Encoding");

#if (NGX_HTTP_GZIP)
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (clcf->gzip_vary) {
        return ngx_http_tasks_header(r, "Vary", &both);
    }
#endif

    return ngx_http_tasks_header(r, "Vary", &accept);
}


static ngx_int_t
ngx_http_tasks_etag(ngx_http_tasks_ctx_t *ctx)
{
    u_char              *p;
    ngx_str_t            etag, *state;
    ngx_http_request_t  *r;

    r = ctx->request;
    state = &ctx->exchange.etag;

    p = ngx_pnalloc(r->pool, state->len + NGX_HTTP_TASKS_ETAG_AROUND);
    if (p == NULL) {
        return NGX_ERROR;
    }

    etag.data = p;

    p = ngx_cpymem(p, "W/\"", 3);
    p = ngx_cpymem(p, state->data, state->len);
    p = ngx_cpymem(p, ctx->exchange.request.route->fingerprint, 10);
    *p++ = '"';

    etag.len = p - etag.data;

    return ngx_http_tasks_add_etag(r, &etag);
}


ngx_int_t
ngx_http_tasks_add_etag(ngx_http_request_t *r, const ngx_str_t *value)
{
    ngx_table_elt_t  *etag;

    etag = ngx_list_push(&r->headers_out.headers);
    if (etag == NULL) {
        return NGX_ERROR;
    }

    etag->hash = 1;
    ngx_str_set(&etag->key, "ETag");
    etag->value = *value;
    etag->lowcase_key = NULL;
#if (nginx_version >= 1023000)
    etag->next = NULL;
#endif

    r->headers_out.etag = etag;

    return NGX_OK;
}


/* What of an ETag in If-None-Match is to be equal; more of them see nginx. */

void
ngx_http_tasks_know(ngx_http_tasks_ctx_t *ctx)
{
    ngx_str_t        *value, *known;
    ngx_table_elt_t  *header;

    header = ctx->request->headers_in.if_none_match;
    known = &ctx->exchange.known;

    if (header == NULL || ctx->request != ctx->request->main
        || ctx->exchange.lines
        || ctx->exchange.request.route->action == NGX_HTTP_TASKS_ACTION_CANCEL
        || ctx->exchange.request.route->status != NGX_HTTP_OK)
    {
        return;
    }

    value = &header->value;

    if (value->len > NGX_HTTP_TASKS_ETAG_AROUND
        && ngx_strncmp(value->data, "W/\"", 3) == 0
        && value->data[value->len - 1] == '"'
        && ngx_memcmp(value->data + value->len - 11,
                      ctx->exchange.request.route->fingerprint, 10)
           == 0)
    {
        known->data = value->data + 3;
        known->len = value->len - NGX_HTTP_TASKS_ETAG_AROUND;
    }
}


/* What to say to ctx->error on this route, or where there is none. */

ngx_http_tasks_error_t *
ngx_http_tasks_get_error(ngx_http_tasks_ctx_t *ctx)
{
    ngx_http_tasks_route_t  *route;

    route = ctx->exchange.request.route;

    return route ? route->errors[ctx->error]
                 : ctx->conf->definition->errors[ctx->error];
}


/* The definition's headers, and with "retry" Retry-After if it has none. */

static ngx_int_t
ngx_http_tasks_headers(ngx_http_request_t *r, ngx_array_t *headers,
    ngx_uint_t retry)
{
    ngx_uint_t                i;
    ngx_http_tasks_header_t  *header;

    static ngx_str_t          second = ngx_string("1");

    header = headers ? headers->elts : NULL;

    for (i = 0; header && i < headers->nelts; i++) {

        if (ngx_http_tasks_header(r, (char *) header[i].name.data,
                                  &header[i].value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (ngx_strcasecmp(header[i].name.data, (u_char *) "Retry-After")
            == 0)
        {
            retry = 0;
        }
    }

    return retry ? ngx_http_tasks_header(r, "Retry-After", &second) : NGX_OK;
}


ngx_int_t
ngx_http_tasks_header(ngx_http_request_t *r, const char *name,
    const ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
    h->key.len = ngx_strlen(name);
    h->key.data = (u_char *) name;
    h->value = *value;
    h->lowcase_key = NULL;
#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

    /* auth_request looks for it there */

    if (ngx_strcasecmp((u_char *) name, (u_char *) "WWW-Authenticate") == 0) {
        r->headers_out.www_authenticate = h;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_tasks_send(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *content_type, ngx_http_tasks_writer_t *body)
{
    ngx_int_t  rc;

    rc = ngx_http_tasks_send_header(r, status, content_type, body->size);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    body->tail->buf->last_buf = (r == r->main) ? 1 : 0;
    body->tail->buf->last_in_chain = 1;

    return ngx_http_output_filter(r, body->head);
}


ngx_int_t
ngx_http_tasks_send_header(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *content_type, off_t size)
{
    u_char           *last, *parameters;
    ngx_int_t         rc;

    static ngx_str_t  nosniff = ngx_string("nosniff");

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_tasks_header(r, "X-Content-Type-Options", &nosniff)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = status;
    r->headers_out.content_length_n = size;

    if (size) {
        last = content_type->data + content_type->len;
        parameters = ngx_strlchr(content_type->data, last, ';');

        r->headers_out.content_type = *content_type;
        r->headers_out.content_type_len = (parameters ? parameters : last)
                                          - content_type->data;
        r->headers_out.content_type_lowcase = NULL;

    } else {
        r->header_only = 1;
    }

    if (status == NGX_HTTP_NOT_MODIFIED) {
        r->headers_out.content_length_n = -1;
    }

    return ngx_http_send_header(r);
}
