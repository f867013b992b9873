
/*
 * The content handler: from a request of nginx to an action, and from what it
 * ended with to a response, or to the fallback.
 *
 * A request that waits holds a reference of its own (r->main->count) and a
 * cleanup that releases its operation, so that it may go away at any time.
 */


#include <ngx_http_tasks_handler.h>


static ngx_uint_t ngx_http_tasks_wants_lines(ngx_http_request_t *r);
static ngx_http_tasks_ctx_t *ngx_http_tasks_create_ctx(ngx_http_request_t *r);
static ngx_int_t ngx_http_tasks_route(ngx_http_tasks_ctx_t *ctx,
    ngx_str_t *allow);
static ngx_int_t ngx_http_tasks_fallback(ngx_http_tasks_ctx_t *ctx);
static ngx_http_tasks_error_e ngx_http_tasks_admit(ngx_http_tasks_ctx_t *ctx);
static ngx_http_tasks_error_e ngx_http_tasks_identify(
    ngx_http_tasks_ctx_t *ctx);
static ngx_int_t ngx_http_tasks_credential_fields(ngx_http_tasks_ctx_t *ctx);
static void ngx_http_tasks_identified(ngx_http_tasks_exchange_t *x,
    ngx_http_tasks_error_e error);
static ngx_http_tasks_error_e ngx_http_tasks_proceed(
    ngx_http_tasks_ctx_t *ctx);
static ngx_http_tasks_error_e ngx_http_tasks_scope(ngx_http_tasks_ctx_t *ctx);
static ngx_http_tasks_error_e ngx_http_tasks_begin(ngx_http_tasks_ctx_t *ctx);
static ngx_int_t ngx_http_tasks_watch(ngx_http_request_t *r);
static void ngx_http_tasks_cleanup(void *data);
static void ngx_http_tasks_done(ngx_http_tasks_exchange_t *x,
    ngx_http_tasks_error_e error);
static ngx_int_t ngx_http_tasks_end(ngx_http_tasks_ctx_t *ctx,
    ngx_http_tasks_error_e error);


ngx_int_t
ngx_http_tasks_handler(ngx_http_request_t *r)
{
    ngx_int_t                rc;
    ngx_str_t                allow;
    ngx_http_tasks_ctx_t    *ctx;
    ngx_http_tasks_error_e   error;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "http tasks handler \"%V\"", &r->uri);

    ctx = ngx_http_tasks_create_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_tasks_route(ctx, &allow);

    if (rc == NGX_ERROR) {
        ctx->error = NGX_HTTP_TASKS_INTERNAL;
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc == NGX_OK) {
        error = ngx_http_tasks_admit(ctx);

        if (error == NGX_HTTP_TASKS_NO_ERROR) {
            ngx_http_tasks_wait_begin(ctx);
            r->main->count++;
            return NGX_DONE;
        }

    } else if (rc == NGX_DECLINED) {
        error = NGX_HTTP_TASKS_NO_ROUTE;

    } else {
        error = NGX_HTTP_TASKS_BAD_METHOD;

        if (ctx->conf->fallback.len == 0
            && ngx_http_tasks_header(r, "Allow", &allow) != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    return ngx_http_tasks_end(ctx, error);
}


/* Whether a list is to be lines of JSON: if that alone is accepted. */

static ngx_uint_t
ngx_http_tasks_wants_lines(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    static ngx_str_t  type = ngx_string("application/x-ndjson");

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (header[i].key.len == 6
                && header[i].value.len == type.len
                && ngx_strncasecmp(header[i].key.data, (u_char *) "Accept", 6)
                   == 0
                && ngx_strncasecmp(header[i].value.data, type.data, type.len)
                   == 0)
            {
                return 1;
            }
        }
    }

    return 0;
}


static ngx_http_tasks_ctx_t *
ngx_http_tasks_create_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t         *mark;
    ngx_http_cleanup_t         *cln;
    ngx_http_tasks_ctx_t       *ctx;
    ngx_http_tasks_loc_conf_t  *tlcf;

    tlcf = ngx_http_get_module_loc_conf(r, ngx_http_tasks_module);

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_tasks_ctx_t));
    cln = ngx_http_cleanup_add(r, 0);
    mark = ngx_pool_cleanup_add(r->pool, 0);

    if (ctx == NULL || cln == NULL || mark == NULL) {
        return NULL;
    }

    ctx->request = r;
    ctx->conf = tlcf;
    ctx->exchange.store = tlcf->store;
    ctx->exchange.since = ngx_current_msec;
    ctx->exchange.cached = (tlcf->cache && tlcf->store->cache);
    ctx->exchange.streams = (r == r->main);
    ctx->exchange.lines = (r == r->main && ngx_http_tasks_wants_lines(r));
    ctx->exchange.done = ngx_http_tasks_done;
    ctx->exchange.data = ctx;
    ctx->exchange.request.pool = r->pool;
    ctx->exchange.request.definition = tlcf->definition;

    ngx_http_set_ctx(r, ctx, ngx_http_tasks_module);

    /* the one as soon as the request ends, the other to be found by get_ctx */

    cln->handler = ngx_http_tasks_cleanup;
    cln->data = ctx;

    mark->handler = ngx_http_tasks_cleanup;
    mark->data = ctx;

    return ctx;
}


/* As ngx_http_tasks_request_route(). */

static ngx_int_t
ngx_http_tasks_route(ngx_http_tasks_ctx_t *ctx, ngx_str_t *allow)
{
    ngx_str_t            path, *prefix;
    ngx_http_request_t  *r;

    r = ctx->request;
    prefix = &ctx->conf->prefix;

    if (r->uri.len < prefix->len
        || ngx_strncmp(r->uri.data, prefix->data, prefix->len) != 0)
    {
        return NGX_DECLINED;
    }

    path.data = r->uri.data + prefix->len;
    path.len = r->uri.len - prefix->len;

    if (ctx->conf->slash && path.len == 1) {
        path.len = 0;                      /* "location /t/": as "/t" */
    }

    return ngx_http_tasks_request_route(&ctx->exchange.request,
                                        &r->method_name, &path, allow);
}


/* The body was not touched: whoever takes over gets it whole. */

static ngx_int_t
ngx_http_tasks_fallback(ngx_http_tasks_ctx_t *ctx)
{
    ngx_http_request_t  *r;

    r = ctx->request;

    ctx->left = 1;
    ngx_http_tasks_cleanup(ctx);           /* its operation */

    r->read_event_handler = ngx_http_block_reading;

    return ngx_http_named_location(r, &ctx->conf->fallback);
}


/*
 * Who asks is looked at before what is asked: who may not see a task learns
 * nothing of it.  Each step returns the class of the error, or
 * NGX_HTTP_TASKS_NO_ERROR if it has started what will end the request.
 */
static ngx_http_tasks_error_e
ngx_http_tasks_admit(ngx_http_tasks_ctx_t *ctx)
{
    if (ngx_http_tasks_watch(ctx->request) != NGX_OK) {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    return ctx->conf->auth.methods ? ngx_http_tasks_identify(ctx)
                                   : ngx_http_tasks_proceed(ctx);
}


static ngx_http_tasks_error_e
ngx_http_tasks_identify(ngx_http_tasks_ctx_t *ctx)
{
    ngx_str_t                credential;
    ngx_http_request_t      *r;
    ngx_http_tasks_error_e   error;

    r = ctx->request;

    ctx->identity = ngx_http_tasks_auth_identity(r, &ctx->conf->auth);
    if (ctx->identity == NULL) {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    switch (ngx_http_tasks_auth_check(r, ctx->identity, &credential, &error)) {

    case NGX_OK:
        return ngx_http_tasks_proceed(ctx);

    case NGX_AGAIN:
        if (ngx_http_tasks_credential_fields(ctx) != NGX_OK) {
            return NGX_HTTP_TASKS_INTERNAL;
        }

        ctx->exchange.done = ngx_http_tasks_identified;
        return ngx_http_tasks_credential_lookup(&ctx->exchange, &credential,
                                                &ctx->identity->credential);

    case NGX_DECLINED:
        return error;

    default:
        return NGX_HTTP_TASKS_INTERNAL;
    }
}


/* Names that the configuration has, with room for values. */

static ngx_int_t
ngx_http_tasks_credential_fields(ngx_http_tasks_ctx_t *ctx)
{
    ngx_array_t                 *known, *fields;
    ngx_http_tasks_main_conf_t  *tmcf;

    tmcf = ngx_http_get_module_main_conf(ctx->request, ngx_http_tasks_module);
    known = &tmcf->credential;
    fields = &ctx->identity->credential;

    if (ngx_array_init(fields, ctx->request->pool, known->nelts, known->size)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    fields->nelts = known->nelts;
    ngx_memcpy(fields->elts, known->elts, known->nelts * known->size);

    return NGX_OK;
}


static void
ngx_http_tasks_identified(ngx_http_tasks_exchange_t *x,
    ngx_http_tasks_error_e error)
{
    x->done = ngx_http_tasks_done;

    ngx_http_tasks_op_release(x->op);
    x->op = NULL;

    if (error == NGX_HTTP_TASKS_NO_ERROR
        && ngx_http_tasks_is_current(x->data))
    {
        error = ngx_http_tasks_proceed(x->data);
    }

    if (error != NGX_HTTP_TASKS_NO_ERROR) {
        x->done(x, error);
    }
}


static ngx_http_tasks_error_e
ngx_http_tasks_proceed(ngx_http_tasks_ctx_t *ctx)
{
    ngx_http_request_t      *r;
    ngx_http_tasks_error_e   error;

    r = ctx->request;

    error = ngx_http_tasks_auth_require(r, &ctx->conf->auth);

    if (error == NGX_HTTP_TASKS_NO_ERROR) {
        error = ngx_http_tasks_scope(ctx);
    }

    if (error != NGX_HTTP_TASKS_NO_ERROR) {
        return error;
    }

    switch (ngx_http_tasks_request_check(&ctx->exchange.request, &r->args,
                                         &error))
    {

    case NGX_OK:
        return ngx_http_tasks_begin(ctx);

    case NGX_DECLINED:
        return error;

    default:
        return NGX_HTTP_TASKS_INTERNAL;
    }
}


static ngx_http_tasks_error_e
ngx_http_tasks_scope(ngx_http_tasks_ctx_t *ctx)
{
    ngx_str_t                   scope;
    ngx_http_request_t         *r;
    ngx_http_tasks_exchange_t  *x;

    r = ctx->request;
    x = &ctx->exchange;

    if (ctx->conf->scope) {

        if (ngx_http_complex_value(r, ctx->conf->scope, &scope) != NGX_OK) {
            return NGX_HTTP_TASKS_INTERNAL;
        }

        if (scope.len == 0 || scope.len > NGX_HTTP_TASKS_MAX_SCOPE) {
            return NGX_HTTP_TASKS_UNAUTHORIZED;
        }
    }

    return ngx_http_tasks_key_base(r->pool, x->request.route->collection,
                                   ctx->conf->scope ? &scope : NULL, &x->base)
           == NGX_OK ? NGX_HTTP_TASKS_NO_ERROR : NGX_HTTP_TASKS_INTERNAL;
}


/*
 * A client that goes away is noticed, unless it has sent a body: that is left
 * alone until the response is sent.
 */
static ngx_int_t
ngx_http_tasks_watch(ngx_http_request_t *r)
{
    if (r != r->main || r->headers_in.content_length_n > 0
        || r->headers_in.chunked)
    {
        return NGX_OK;
    }

    r->read_event_handler = ngx_http_test_reading;

    if (r->connection->read->ready) {
        /* perhaps its end came along with the request */
        ngx_post_event(r->connection->read, &ngx_posted_events);
        return NGX_OK;
    }

    return ngx_handle_read_event(r->connection->read, 0);
}


static ngx_http_tasks_error_e
ngx_http_tasks_begin(ngx_http_tasks_ctx_t *ctx)
{
    ngx_http_tasks_exchange_t  *x;

    x = &ctx->exchange;

    if (x->request.route->action != NGX_HTTP_TASKS_ACTION_LIST) {
        x->lines = 0;
    }

    ngx_http_tasks_know(ctx);

    switch (x->request.route->action) {

    case NGX_HTTP_TASKS_ACTION_LIST:
        return ngx_http_tasks_list(x);

    case NGX_HTTP_TASKS_ACTION_GET:
        return ngx_http_tasks_get(x);

    default: /* NGX_HTTP_TASKS_ACTION_CANCEL */

        /* a malformed body is told before anything is done, not after */

        ctx->discarded = ngx_http_discard_request_body(ctx->request);

        return (ctx->discarded == NGX_OK) ? ngx_http_tasks_cancel(x)
                                          : NGX_HTTP_TASKS_INTERNAL;
    }
}


/*
 * The context as long as there is the request's memory: nginx clears contexts
 * when it goes on to another location, and logs are written after that, when
 * the request's own cleanups are gone, too.
 */
ngx_http_tasks_ctx_t *
ngx_http_tasks_get_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t    *cln;
    ngx_http_tasks_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_tasks_module);

    for (cln = r->pool->cleanup; cln && ctx == NULL; cln = cln->next) {

        if (cln->handler == ngx_http_tasks_cleanup) {
            ctx = cln->data;
            ctx = (ctx->request == r) ? ctx : NULL;
        }
    }

    return ctx;
}


static void
ngx_http_tasks_cleanup(void *data)
{
    ngx_http_tasks_ctx_t  *ctx = data;

    ngx_http_tasks_status_count(ctx);
    ngx_http_tasks_exchange_end(&ctx->exchange);
}


/*
 * With "post_action", nginx goes on with a request whose client has gone, and
 * its context is cleared: what was waited for is nobody's any more.
 */
ngx_uint_t
ngx_http_tasks_is_current(ngx_http_tasks_ctx_t *ctx)
{
    return ngx_http_get_module_ctx(ctx->request, ngx_http_tasks_module) == ctx;
}


static void
ngx_http_tasks_done(ngx_http_tasks_exchange_t *x, ngx_http_tasks_error_e error)
{
    ngx_int_t              rc;
    ngx_connection_t      *c;
    ngx_http_request_t    *r;
    ngx_http_tasks_ctx_t  *ctx;

    ctx = x->data;
    r = ctx->request;
    c = r->connection;

    if (!ngx_http_tasks_is_current(ctx)) {
        return;
    }

    ngx_http_set_log_request(c->log, r);

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, c->log, 0,
                   "http tasks done \"%V\": %ui", &r->uri, error);

    ngx_http_tasks_wait_end(ctx);

    rc = ngx_http_tasks_end(ctx, error);

    if (rc != NGX_BUSY) {
        ngx_http_finalize_request(r, rc);
    }

    ngx_http_run_posted_requests(c);
}


/*
 * Answers, or leaves that to the fallback.  Returns what nginx is to finalize
 * the request with.
 */
static ngx_int_t
ngx_http_tasks_end(ngx_http_tasks_ctx_t *ctx, ngx_http_tasks_error_e error)
{
    ngx_int_t  rc;

    if (ctx->discarded != NGX_OK) {
        return ctx->discarded;
    }

    if (ctx->conf->fallback.len && (error == NGX_HTTP_TASKS_NO_ROUTE
                                    || error == NGX_HTTP_TASKS_BAD_METHOD))
    {
        return ngx_http_tasks_fallback(ctx);
    }

    ctx->error = error;

    if (ctx->conf->fallback_unavailable
        && (error == NGX_HTTP_TASKS_UNAVAILABLE
            || error == NGX_HTTP_TASKS_TIMEOUT)
        && ctx->exchange.request.route->action != NGX_HTTP_TASKS_ACTION_CANCEL)
    {
        return ngx_http_tasks_fallback(ctx);
    }

    ctx->answered = 1;

    rc = ngx_http_tasks_respond(ctx);

    if (rc == NGX_HTTP_INTERNAL_SERVER_ERROR
        && error == NGX_HTTP_TASKS_NO_ERROR)
    {
        ctx->error = NGX_HTTP_TASKS_INTERNAL;
    }

    return rc;
}


ngx_int_t
ngx_http_tasks_library_handler(ngx_http_request_t *r)
{
    ngx_str_t                   content_type;
    ngx_http_tasks_writer_t     body;
    ngx_http_tasks_loc_conf_t  *tlcf;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    tlcf = ngx_http_get_module_loc_conf(r, ngx_http_tasks_module);

    ngx_http_tasks_writer_init(&body, r->pool, tlcf->library->library.len);
    ngx_http_tasks_write_str(&body, &tlcf->library->library);

    if (body.failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&content_type, "text/plain");

    return ngx_http_tasks_send(r, NGX_HTTP_OK, &content_type, &body);
}
