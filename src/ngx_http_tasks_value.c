
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
static ngx_int_t ngx_http_tasks_value_message(ngx_http_tasks_ctx_t *ctx,
    ngx_http_tasks_value_t *value);
static ngx_int_t ngx_http_tasks_value_integer(ngx_http_request_t *r, int64_t n,
    ngx_http_tasks_value_t *value);
static ngx_int_t ngx_http_tasks_value_now(ngx_http_request_t *r,
    ngx_uint_t index, ngx_http_tasks_value_t *value);
static ngx_int_t ngx_http_tasks_value_variable(ngx_http_request_t *r,
    ngx_uint_t index, ngx_http_tasks_value_t *value);
static ngx_int_t ngx_http_tasks_value_text(const ngx_str_t *text,
    ngx_http_tasks_value_t *value);


ngx_int_t
ngx_http_tasks_value(void *data, ngx_uint_t index,
    ngx_http_tasks_value_t *value)
{
    ngx_http_tasks_ctx_t  *ctx = data;

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
    case NGX_HTTP_TASKS_VALUE_NEXT_CURSOR:
        return ngx_http_tasks_value_list(ctx, index, value);

    case NGX_HTTP_TASKS_VALUE_TASK:
    case NGX_HTTP_TASKS_VALUE_ID:
    case NGX_HTTP_TASKS_VALUE_STATE:
        return ngx_http_tasks_value_task(ctx, index, value);

    case NGX_HTTP_TASKS_VALUE_NOW:
    case NGX_HTTP_TASKS_VALUE_NOW_SECONDS:
    case NGX_HTTP_TASKS_VALUE_NOW_NAIVE:
        return ngx_http_tasks_value_now(ctx->request, index, value);

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
        value->kind = NGX_HTTP_TASKS_CHAIN;
        value->chain = &x->tasks;
        return NGX_OK;

    case NGX_HTTP_TASKS_VALUE_TOTAL:
        return ngx_http_tasks_value_integer(ctx->request, x->total, value);

    case NGX_HTTP_TASKS_VALUE_PAGE:
        return ngx_http_tasks_value_integer(ctx->request, request->page,
                                            value);

    case NGX_HTTP_TASKS_VALUE_PAGES:
        pages = request->limit > 0
                ? (x->total + request->limit - 1) / request->limit : 1;

        /* an empty list has one, too */
        return ngx_http_tasks_value_integer(ctx->request, ngx_max(pages, 1),
                                            value);

    case NGX_HTTP_TASKS_VALUE_LIMIT:
        return request->limit < 0 ? NGX_OK
                 : ngx_http_tasks_value_integer(ctx->request, request->limit,
                                                value);

    default: /* NGX_HTTP_TASKS_VALUE_NEXT_CURSOR */
        return ngx_http_tasks_value_text(&x->next_cursor, value);
    }
}


static ngx_int_t
ngx_http_tasks_value_task(ngx_http_tasks_ctx_t *ctx, ngx_uint_t index,
    ngx_http_tasks_value_t *value)
{
    ngx_http_tasks_exchange_t  *x;

    x = &ctx->exchange;

    switch (index) {

    case NGX_HTTP_TASKS_VALUE_TASK:
        value->kind = NGX_HTTP_TASKS_CHAIN;
        value->chain = &x->task;
        return NGX_OK;

    case NGX_HTTP_TASKS_VALUE_ID:
        (void) ngx_http_tasks_value_text(&x->request.id, value);

        if (x->request.id.data
            && x->request.definition->id.type == NGX_HTTP_TASKS_TYPE_INTEGER)
        {
            value->kind = NGX_HTTP_TASKS_JSON;
        }

        return NGX_OK;

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

    case NGX_HTTP_TASKS_VALUE_STATUS:
        return ngx_http_tasks_value_integer(ctx->request,
                            ctx->error == NGX_HTTP_TASKS_ERRORS
                            ? request->route->status
                            : ngx_http_tasks_get_error(ctx)->status, value);

    case NGX_HTTP_TASKS_VALUE_MESSAGE:
        return ngx_http_tasks_value_message(ctx, value);

    case NGX_HTTP_TASKS_VALUE_CODE:
        return complaint ? ngx_http_tasks_value_text(&complaint->code, value)
                         : NGX_OK;

    case NGX_HTTP_TASKS_VALUE_RULE:
        return complaint ? ngx_http_tasks_value_text(
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

    default: /* NGX_HTTP_TASKS_VALUE_VALUE */
        return ngx_http_tasks_value_text(&request->value, value);
    }
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


/* Alike to now() in ngx_http_tasks_library.lua. */

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

    vv = ngx_http_get_indexed_variable(r, index);

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


/* NULL data is an absent value. */

static ngx_int_t
ngx_http_tasks_value_text(const ngx_str_t *text, ngx_http_tasks_value_t *value)
{
    if (text->data) {
        value->kind = NGX_HTTP_TASKS_TEXT;
        value->str = *text;
    }

    return NGX_OK;
}
