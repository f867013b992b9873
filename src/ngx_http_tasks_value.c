
/*
 * Values that response templates name, for a request.
 */


#include <ngx_http_tasks_handler.h>


static ngx_int_t ngx_http_tasks_value_list(ngx_http_tasks_ctx_t *ctx,
    ngx_uint_t index, ngx_http_tasks_value_t *value);
static ngx_int_t ngx_http_tasks_value_task(ngx_http_tasks_ctx_t *ctx,
    ngx_uint_t index, ngx_http_tasks_value_t *value);
static ngx_int_t ngx_http_tasks_value_error(ngx_http_tasks_ctx_t *ctx,
    ngx_uint_t index, ngx_http_tasks_value_t *value);
static void ngx_http_tasks_value_write_tasks(void *data,
    ngx_http_tasks_writer_t *w);
static void ngx_http_tasks_value_write_task(void *data,
    ngx_http_tasks_writer_t *w);
static ngx_int_t ngx_http_tasks_value_more(ngx_http_tasks_ctx_t *ctx,
    ngx_uint_t index, ngx_http_tasks_value_t *value);
static ngx_int_t ngx_http_tasks_value_id(ngx_http_tasks_ctx_t *ctx,
    ngx_str_t *id, ngx_http_tasks_value_t *value);
static ngx_int_t ngx_http_tasks_value_status(ngx_http_tasks_ctx_t *ctx,
    ngx_uint_t index, ngx_http_tasks_value_t *value);
static ngx_int_t ngx_http_tasks_value_message(ngx_http_tasks_ctx_t *ctx,
    ngx_http_tasks_value_t *value);
static ngx_int_t ngx_http_tasks_value_integer(ngx_http_request_t *r, int64_t n,
    ngx_http_tasks_value_t *value);
static ngx_int_t ngx_http_tasks_value_now(ngx_http_request_t *r,
    ngx_uint_t index, ngx_http_tasks_value_t *value);
static ngx_int_t ngx_http_tasks_value_variable(ngx_http_request_t *r,
    ngx_uint_t index, ngx_http_tasks_value_t *value);
static ngx_int_t ngx_http_tasks_value_literal(
    const ngx_http_tasks_literal_t *literal, ngx_http_tasks_value_t *value);
static ngx_int_t ngx_http_tasks_value_json(const ngx_str_t *json,
    ngx_http_tasks_value_t *value);
static ngx_int_t ngx_http_tasks_value_text(const ngx_str_t *text,
    ngx_http_tasks_value_t *value);


ngx_int_t
ngx_http_tasks_value(void *data, ngx_uint_t index,
    ngx_http_tasks_value_t *value)
{
    ngx_http_tasks_ctx_t  *ctx = data;

    ngx_time_t  *tp;

    if (index >= NGX_HTTP_TASKS_VALUE_FIELD) {
        return ngx_http_tasks_value_json(
                           ngx_http_tasks_get_field(&ctx->exchange, index
                                                - NGX_HTTP_TASKS_VALUE_FIELD),
                           value);
    }

    if (index >= NGX_HTTP_TASKS_VALUES) {
        return ngx_http_tasks_value_variable(ctx->request,
                                             index - NGX_HTTP_TASKS_VALUES,
                                             value);
    }

    switch (index) {

    case NGX_HTTP_TASKS_VALUE_TASKS:
    case NGX_HTTP_TASKS_VALUE_TOTAL:
    case NGX_HTTP_TASKS_VALUE_PAGE:
    case NGX_HTTP_TASKS_VALUE_PAGES:
    case NGX_HTTP_TASKS_VALUE_LIMIT:
    case NGX_HTTP_TASKS_VALUE_OFFSET:
    case NGX_HTTP_TASKS_VALUE_COUNT:
        return ngx_http_tasks_value_list(ctx, index, value);

    case NGX_HTTP_TASKS_VALUE_HAS_MORE:
    case NGX_HTTP_TASKS_VALUE_NEXT_CURSOR:
    case NGX_HTTP_TASKS_VALUE_NEXT_PAGE:
    case NGX_HTTP_TASKS_VALUE_NEXT_OFFSET:
    case NGX_HTTP_TASKS_VALUE_FIRST_ID:
    case NGX_HTTP_TASKS_VALUE_LAST_ID:
        return ngx_http_tasks_value_more(ctx, index, value);

    case NGX_HTTP_TASKS_VALUE_TASK:
    case NGX_HTTP_TASKS_VALUE_ID:
    case NGX_HTTP_TASKS_VALUE_STATE:
        return ngx_http_tasks_value_task(ctx, index, value);

    case NGX_HTTP_TASKS_VALUE_NOW:
    case NGX_HTTP_TASKS_VALUE_NOW_SECONDS:
    case NGX_HTTP_TASKS_VALUE_NOW_NAIVE:
        return ngx_http_tasks_value_now(ctx->request, index, value);

    case NGX_HTTP_TASKS_VALUE_NOW_UNIX:
        return ngx_http_tasks_value_integer(ctx->request, ngx_time(), value);

    case NGX_HTTP_TASKS_VALUE_NOW_UNIX_MS:
        tp = ngx_timeofday();

        return ngx_http_tasks_value_integer(ctx->request,
                                   (int64_t) tp->sec * 1000 + tp->msec, value);

    case NGX_HTTP_TASKS_VALUE_STATUS:
    case NGX_HTTP_TASKS_VALUE_REASON:
        return ngx_http_tasks_value_status(ctx, index, value);

    case NGX_HTTP_TASKS_VALUE_CORRELATION_ID:
        if (ngx_http_tasks_correlation_id(ctx, &value->str) != NGX_OK) {
            return NGX_ERROR;
        }

        value->kind = NGX_HTTP_TASKS_TEXT;
        return NGX_OK;

    default:
        return ngx_http_tasks_value_error(ctx, index, value);
    }
}


static ngx_int_t
ngx_http_tasks_value_list(ngx_http_tasks_ctx_t *ctx, ngx_uint_t index,
    ngx_http_tasks_value_t *value)
{
    int64_t                     pages;
    ngx_http_tasks_request_t   *request;
    ngx_http_tasks_exchange_t  *x;

    x = &ctx->exchange;
    request = &x->request;

    switch (index) {

    case NGX_HTTP_TASKS_VALUE_TASKS:
        value->kind = NGX_HTTP_TASKS_WRITTEN;
        value->write = ngx_http_tasks_value_write_tasks;
        return NGX_OK;

    case NGX_HTTP_TASKS_VALUE_TOTAL:
        return ngx_http_tasks_value_integer(ctx->request, x->list.total,
                                            value);

    case NGX_HTTP_TASKS_VALUE_PAGE:
        return ngx_http_tasks_value_integer(ctx->request, request->page,
                                            value);

    case NGX_HTTP_TASKS_VALUE_PAGES:
        pages = request->limit > 0
                ? x->list.total / request->limit
                  + (x->list.total % request->limit != 0)
                : 1;

        /* an empty list has one, too */
        return ngx_http_tasks_value_integer(ctx->request, ngx_max(pages, 1),
                                            value);

    case NGX_HTTP_TASKS_VALUE_LIMIT:
        return request->limit < 0 ? NGX_OK
                 : ngx_http_tasks_value_integer(ctx->request, request->limit,
                                                value);

    case NGX_HTTP_TASKS_VALUE_OFFSET:
        return ngx_http_tasks_value_integer(ctx->request, x->list.offset,
                                            value);

    default: /* NGX_HTTP_TASKS_VALUE_COUNT */
        return ngx_http_tasks_value_integer(ctx->request, x->list.count,
                                            value);
    }
}


static void
ngx_http_tasks_value_write_tasks(void *data, ngx_http_tasks_writer_t *w)
{
    ngx_http_tasks_ctx_t  *ctx = data;

    ngx_http_tasks_write_byte(w, '[');
    ngx_http_tasks_list_rows(&ctx->exchange, w);
    ngx_http_tasks_write_byte(w, ']');
}


static void
ngx_http_tasks_value_write_task(void *data, ngx_http_tasks_writer_t *w)
{
    ngx_http_tasks_ctx_t  *ctx = data;

    ngx_http_tasks_get_task(&ctx->exchange, w);
}


/* What tells of this page's place in the list. */

static ngx_int_t
ngx_http_tasks_value_more(ngx_http_tasks_ctx_t *ctx, ngx_uint_t index,
    ngx_http_tasks_value_t *value)
{
    ngx_str_t                   text, *position;
    ngx_uint_t                  leads_on;
    ngx_http_tasks_exchange_t  *x;

    static ngx_str_t            yes = ngx_string("true"),
                                no = ngx_string("false");

    x = &ctx->exchange;

    /* from a page of no tasks, which a limit of 0 gives, none does */

    leads_on = (x->list.more && x->list.count);

    switch (index) {

    case NGX_HTTP_TASKS_VALUE_HAS_MORE:
        return ngx_http_tasks_value_json(x->list.more ? &yes : &no, value);

    case NGX_HTTP_TASKS_VALUE_NEXT_CURSOR:
        if (ngx_http_tasks_list_next(x, &text) != NGX_OK) {
            return NGX_ERROR;
        }

        return ngx_http_tasks_value_text(&text, value);

    case NGX_HTTP_TASKS_VALUE_NEXT_PAGE:
        return leads_on ? ngx_http_tasks_value_integer(ctx->request,
                                                x->request.page + 1, value)
                        : NGX_OK;

    case NGX_HTTP_TASKS_VALUE_NEXT_OFFSET:
        return leads_on ? ngx_http_tasks_value_integer(ctx->request,
                                         x->list.offset + x->list.count, value)
                        : NGX_OK;

    default: /* NGX_HTTP_TASKS_VALUE_FIRST_ID, NGX_HTTP_TASKS_VALUE_LAST_ID */
        if (x->list.count == 0) {
            return NGX_OK;
        }

        position = (index == NGX_HTTP_TASKS_VALUE_FIRST_ID) ? &x->list.first
                                                            : &x->list.last;

        if (ngx_http_tasks_position_id(position, &text) != NGX_OK) {
            return NGX_ERROR;
        }

        return ngx_http_tasks_value_id(ctx, &text, value);
    }
}


static ngx_int_t
ngx_http_tasks_value_id(ngx_http_tasks_ctx_t *ctx, ngx_str_t *id,
    ngx_http_tasks_value_t *value)
{
    return ctx->exchange.request.route->collection->id.type
           == NGX_HTTP_TASKS_TYPE_INTEGER
           ? ngx_http_tasks_value_json(id, value)
           : ngx_http_tasks_value_text(id, value);
}


static ngx_int_t
ngx_http_tasks_value_task(ngx_http_tasks_ctx_t *ctx, ngx_uint_t index,
    ngx_http_tasks_value_t *value)
{
    ngx_http_tasks_exchange_t  *x;

    x = &ctx->exchange;

    switch (index) {

    case NGX_HTTP_TASKS_VALUE_TASK:
        value->kind = NGX_HTTP_TASKS_WRITTEN;
        value->write = ngx_http_tasks_value_write_task;
        return NGX_OK;

    case NGX_HTTP_TASKS_VALUE_ID:
        /* an error may come before there is one, or even a route */

        return x->request.id.data
               ? ngx_http_tasks_value_id(ctx, &x->request.id, value) : NGX_OK;

    default: /* NGX_HTTP_TASKS_VALUE_STATE */
        if (x->state.data) {
            value->kind = NGX_HTTP_TASKS_JSON;
            value->str = x->state;
            value->plain = x->state_text;
        }

        return NGX_OK;
    }
}


static ngx_int_t
ngx_http_tasks_value_error(ngx_http_tasks_ctx_t *ctx, ngx_uint_t index,
    ngx_http_tasks_value_t *value)
{
    ngx_http_tasks_request_t    *request;
    ngx_http_tasks_complaint_t  *complaint;

    request = &ctx->exchange.request;
    complaint = request->complaint;

    switch (index) {

    case NGX_HTTP_TASKS_VALUE_MESSAGE:
        return ngx_http_tasks_value_message(ctx, value);

    case NGX_HTTP_TASKS_VALUE_CODE:
        return ngx_http_tasks_value_literal(
                           complaint && complaint->code.json.data
                           ? &complaint->code
                           : &ngx_http_tasks_get_error(ctx)->code, value);

    case NGX_HTTP_TASKS_VALUE_RULE:
        return complaint && request->param
               ? ngx_http_tasks_value_text(
                            &ngx_http_tasks_rule_names[request->rule], value)
               : NGX_OK;

    case NGX_HTTP_TASKS_VALUE_PARAMETER:
        return request->param ? ngx_http_tasks_value_text(
                                    &request->param->name, value)
                              : NGX_OK;

    case NGX_HTTP_TASKS_VALUE_LOCATION:
        return request->param ? ngx_http_tasks_value_text(
                                    &request->param->location, value)
                              : NGX_OK;

    case NGX_HTTP_TASKS_VALUE_CLAIM:
        if (ctx->identity && ctx->identity->claim) {
            value->kind = NGX_HTTP_TASKS_TEXT;
            value->str.data = (u_char *) ctx->identity->claim;
            value->str.len = ngx_strlen(ctx->identity->claim);
        }

        return NGX_OK;

    default: /* NGX_HTTP_TASKS_VALUE_VALUE */
        return ngx_http_tasks_value_text(&request->value, value);
    }
}


/* The status of HTTP, as a number or in its words (RFC 9110). */

static ngx_int_t
ngx_http_tasks_value_status(ngx_http_tasks_ctx_t *ctx, ngx_uint_t index,
    ngx_http_tasks_value_t *value)
{
    ngx_uint_t  i, first, status;

    static struct {
        ngx_uint_t  status;
        ngx_str_t   words;
    } reasons[] = {
        { 200, ngx_string("OK") },
        { 201, ngx_string("Created") },
        { 202, ngx_string("Accepted") },
        { 203, ngx_string("Non-Authoritative Information") },
        { 204, ngx_string("No Content") },
        { 205, ngx_string("Reset Content") },
        { 206, ngx_string("Partial Content") },
        { 207, ngx_string("Multi-Status") },
        { 300, ngx_string("Multiple Choices") },
        { 400, ngx_string("Bad Request") },
        { 401, ngx_string("Unauthorized") },
        { 402, ngx_string("Payment Required") },
        { 403, ngx_string("Forbidden") },
        { 404, ngx_string("Not Found") },
        { 405, ngx_string("Method Not Allowed") },
        { 406, ngx_string("Not Acceptable") },
        { 407, ngx_string("Proxy Authentication Required") },
        { 408, ngx_string("Request Timeout") },
        { 409, ngx_string("Conflict") },
        { 410, ngx_string("Gone") },
        { 411, ngx_string("Length Required") },
        { 412, ngx_string("Precondition Failed") },
        { 413, ngx_string("Content Too Large") },
        { 414, ngx_string("URI Too Long") },
        { 415, ngx_string("Unsupported Media Type") },
        { 416, ngx_string("Range Not Satisfiable") },
        { 417, ngx_string("Expectation Failed") },
        { 421, ngx_string("Misdirected Request") },
        { 422, ngx_string("Unprocessable Entity") },
        { 423, ngx_string("Locked") },
        { 424, ngx_string("Failed Dependency") },
        { 426, ngx_string("Upgrade Required") },
        { 428, ngx_string("Precondition Required") },
        { 429, ngx_string("Too Many Requests") },
        { 431, ngx_string("Request Header Fields Too Large") },
        { 451, ngx_string("Unavailable For Legal Reasons") },
        { 500, ngx_string("Internal Server Error") },
        { 501, ngx_string("Not Implemented") },
        { 502, ngx_string("Bad Gateway") },
        { 503, ngx_string("Service Unavailable") },
        { 504, ngx_string("Gateway Timeout") },
        { 507, ngx_string("Insufficient Storage") },
        { 0, ngx_null_string }
    };

    status = (ctx->error == NGX_HTTP_TASKS_NO_ERROR)
             ? ctx->exchange.request.route->status
             : ngx_http_tasks_get_error(ctx)->status;

    if (index == NGX_HTTP_TASKS_VALUE_STATUS) {
        return ngx_http_tasks_value_integer(ctx->request, status, value);
    }

    /* one that is not there is as the first of its hundred (RFC 9110, 15) */

    first = 0;

    for (i = 0; reasons[i].status && reasons[i].status != status; i++) {
        if (reasons[i].status == status / 100 * 100) {
            first = i;
        }
    }

    if (reasons[i].status == 0) {
        i = first;
    }

    return ngx_http_tasks_value_text(&reasons[i].words, value);
}


/* What a parameter's rule says, or else what the class of errors says. */

static ngx_int_t
ngx_http_tasks_value_message(ngx_http_tasks_ctx_t *ctx,
    ngx_http_tasks_value_t *value)
{
    u_char                     *p;
    ngx_chain_t                *cl;
    ngx_http_tasks_writer_t     w;
    ngx_http_tasks_request_t   *request;
    ngx_http_tasks_template_t  *message;

    request = &ctx->exchange.request;

    message = &ngx_http_tasks_get_error(ctx)->message;

    if (request->complaint && request->complaint->message.parts.nelts) {
        message = &request->complaint->message;
    }

    ngx_http_tasks_writer_init(&w, ctx->request->pool, 256);

    if (ngx_http_tasks_template_run(message, &w, ngx_http_tasks_value, ctx)
        != NGX_OK
        || w.failed)
    {
        return NGX_ERROR;
    }

    p = ngx_pnalloc(ctx->request->pool, w.size + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value->kind = NGX_HTTP_TASKS_TEXT;
    value->str.data = p;
    value->str.len = w.size;

    for (cl = w.head; cl; cl = cl->next) {
        p = ngx_cpymem(p, cl->buf->pos, cl->buf->last - cl->buf->pos);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_tasks_value_integer(ngx_http_request_t *r, int64_t n,
    ngx_http_tasks_value_t *value)
{
    value->str.data = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (value->str.data == NULL) {
        return NGX_ERROR;
    }

    value->str.len = ngx_sprintf(value->str.data, "%L", n) - value->str.data;
    value->kind = NGX_HTTP_TASKS_JSON;

    return NGX_OK;
}


/* Alike to now() in ngx_http_tasks_values.lua. */

static ngx_int_t
ngx_http_tasks_value_now(ngx_http_request_t *r, ngx_uint_t index,
    ngx_http_tasks_value_t *value)
{
    u_char      *p;
    ngx_tm_t     tm;
    ngx_time_t  *tp;

    tp = ngx_timeofday();
    ngx_gmtime(tp->sec, &tm);

    p = ngx_pnalloc(r->pool, sizeof("1970-01-01T00:00:00.000Z"));
    if (p == NULL) {
        return NGX_ERROR;
    }

    value->kind = NGX_HTTP_TASKS_TEXT;
    value->str.data = p;

    p = ngx_sprintf(p, "%4d-%02d-%02dT%02d:%02d:%02d", tm.ngx_tm_year,
                    tm.ngx_tm_mon, tm.ngx_tm_mday, tm.ngx_tm_hour,
                    tm.ngx_tm_min, tm.ngx_tm_sec);

    if (index == NGX_HTTP_TASKS_VALUE_NOW) {
        p = ngx_sprintf(p, ".%03M", tp->msec);
    }

    if (index != NGX_HTTP_TASKS_VALUE_NOW_NAIVE) {
        *p++ = 'Z';
    }

    value->str.len = p - value->str.data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_tasks_value_variable(ngx_http_request_t *r, ngx_uint_t index,
    ngx_http_tasks_value_t *value)
{
    ngx_str_t                   text;
    ngx_http_variable_value_t  *vv;

    vv = ngx_http_get_flushed_variable(r, index);

    if (vv == NULL) {
        return NGX_ERROR;
    }

    if (vv->not_found) {
        return NGX_OK;
    }

    text.data = vv->data;
    text.len = vv->len;

    return ngx_http_tasks_value_text(&text, value);
}


static ngx_int_t
ngx_http_tasks_value_literal(const ngx_http_tasks_literal_t *literal,
    ngx_http_tasks_value_t *value)
{
    value->plain = literal->plain;

    return ngx_http_tasks_value_json(&literal->json, value);
}


/* NULL data is an absent value. */

static ngx_int_t
ngx_http_tasks_value_json(const ngx_str_t *json, ngx_http_tasks_value_t *value)
{
    if (json->data) {
        value->kind = NGX_HTTP_TASKS_JSON;
        value->str = *json;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_tasks_value_text(const ngx_str_t *text, ngx_http_tasks_value_t *value)
{
    if (text->data) {
        value->kind = NGX_HTTP_TASKS_TEXT;
        value->str = *text;
    }

    return NGX_OK;
}
