
/*
 * One task: its fields are read by HMGET and joined as they are.
 */


#include <ngx_http_tasks_exchange.h>


static void ngx_http_tasks_get_handler(ngx_http_tasks_op_t *op);
static void ngx_http_tasks_get_id(ngx_http_tasks_exchange_t *x,
    ngx_http_tasks_writer_t *w);


ngx_http_tasks_error_e
ngx_http_tasks_get(ngx_http_tasks_exchange_t *x)
{
    if (ngx_http_tasks_op_fill(x->op, 1) != NGX_OK) {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    ngx_http_tasks_get_command(x);

    return ngx_http_tasks_exchange_start(x, ngx_http_tasks_get_handler);
}


static void
ngx_http_tasks_get_handler(ngx_http_tasks_op_t *op)
{
    ngx_http_tasks_error_e      error;
    ngx_http_tasks_exchange_t  *x;

    x = op->data;

    error = ngx_http_tasks_store_error(x->store, op);

    if (error == NGX_HTTP_TASKS_ERRORS) {
        error = ngx_http_tasks_get_reply(x, &op->replies[0]);
    }

    x->done(x, error);
}


void
ngx_http_tasks_get_command(ngx_http_tasks_exchange_t *x)
{
    ngx_str_t                 rest;
    ngx_uint_t                i;
    ngx_http_tasks_op_t      *op;
    ngx_http_tasks_field_t  **field;

    op = x->op;
    field = x->request.definition->details.elts;

    rest.len = sizeof(":task:") - 1 + x->request.id.len;
    rest.data = ngx_pnalloc(op->pool, rest.len);

    if (rest.data == NULL) {
        op->out.failed = 1;
        return;
    }

    ngx_memcpy(ngx_cpymem(rest.data, ":task:", sizeof(":task:") - 1),
               x->request.id.data, x->request.id.len);

    ngx_http_tasks_op_command(op, 3 + x->request.definition->details.nelts,
                              1 + x->request.definition->details.nelts, 0);
    ngx_http_tasks_op_literal(op, "HMGET");
    ngx_http_tasks_op_key(op, &x->base, &rest);

    /* every task has a revision: what has none is not there */
    ngx_http_tasks_op_literal(op, "_rev");

    for (i = 0; i < x->request.definition->details.nelts; i++) {
        ngx_http_tasks_op_str(op, &field[i]->name);
    }
}


ngx_http_tasks_error_e
ngx_http_tasks_get_reply(ngx_http_tasks_exchange_t *x,
    ngx_http_tasks_reply_t *reply)
{
    ngx_str_t                *value;
    ngx_uint_t                i, n;
    ngx_http_tasks_field_t  **field;
    ngx_http_tasks_reply_t   *elt;
    ngx_http_tasks_writer_t  *w;

    n = x->request.definition->details.nelts;

    if (reply->type != NGX_HTTP_TASKS_REPLY_ARRAY
        || reply->u.array.nelts != n + 1)
    {
        return ngx_http_tasks_exchange_distrust(x);
    }

    elt = reply->u.array.elts;

    for (i = 0; i < n + 1; i++) {
        if (elt[i].type != NGX_HTTP_TASKS_REPLY_STRING
            && elt[i].type != NGX_HTTP_TASKS_REPLY_NIL)
        {
            return ngx_http_tasks_exchange_distrust(x);
        }
    }

    if (elt[0].type == NGX_HTTP_TASKS_REPLY_NIL) {
        return NGX_HTTP_TASKS_NOT_FOUND;
    }

    w = &x->task;
    field = x->request.definition->details.elts;

    ngx_http_tasks_writer_init(w, x->op->pool, 2048);
    ngx_http_tasks_write_byte(w, '{');
    ngx_http_tasks_get_id(x, w);

    for (i = 0; i < n; i++) {
        value = (elt[i + 1].type == NGX_HTTP_TASKS_REPLY_STRING)
                ? &elt[i + 1].u.str : &field[i]->absent;

        if (value->data) {
            ngx_http_tasks_write_byte(w, ',');
            ngx_http_tasks_write_str(w, &field[i]->key);
            ngx_http_tasks_write_str(w, value);
        }
    }

    ngx_http_tasks_write_byte(w, '}');

    return w->failed ? NGX_HTTP_TASKS_INTERNAL : NGX_HTTP_TASKS_ERRORS;
}


static void
ngx_http_tasks_get_id(ngx_http_tasks_exchange_t *x, ngx_http_tasks_writer_t *w)
{
    ngx_http_tasks_write_str(w, &x->request.definition->id_key);

    if (x->request.definition->id.type == NGX_HTTP_TASKS_TYPE_INTEGER) {
        ngx_http_tasks_write_str(w, &x->request.id);
        return;
    }

    ngx_http_tasks_write_byte(w, '"');
    ngx_http_tasks_write_escaped(w, &x->request.id);
    ngx_http_tasks_write_byte(w, '"');
}
