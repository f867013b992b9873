
/*
 * What every action does with its operation.
 */


#include <ngx_http_tasks_exchange.h>


ngx_int_t
ngx_http_tasks_exchange_op(ngx_http_tasks_exchange_t *x, ngx_uint_t n)
{
    if (x->op == NULL) {
        x->op = ngx_http_tasks_store_op(x->store);
        if (x->op == NULL) {
            return NGX_ERROR;
        }

        ngx_http_tasks_op_since(x->op, x->since);
    }

    return ngx_http_tasks_op_fill(x->op, n);
}


void
ngx_http_tasks_exchange_key(ngx_http_tasks_exchange_t *x,
    const ngx_str_t *middle, const ngx_str_t *last)
{
    ngx_str_t  rest;

    rest.len = middle->len + last->len;
    rest.data = ngx_pnalloc(x->op->pool, rest.len);

    if (rest.data == NULL) {
        x->op->out.failed = 1;
        return;
    }

    ngx_memcpy(ngx_cpymem(rest.data, middle->data, middle->len), last->data,
               last->len);

    ngx_http_tasks_op_key(x->op, &x->base, &rest);
}


ngx_http_tasks_error_e
ngx_http_tasks_exchange_start(ngx_http_tasks_exchange_t *x,
    ngx_http_tasks_op_pt handler)
{
    x->op->data = x;

    return ngx_http_tasks_store_start(x->op, handler);
}


ngx_http_tasks_error_e
ngx_http_tasks_exchange_distrust(ngx_http_tasks_exchange_t *x)
{
    return ngx_http_tasks_store_distrust(x->op);
}


void
ngx_http_tasks_exchange_end(ngx_http_tasks_exchange_t *x)
{
    ngx_http_tasks_cache_leave(&x->waiter);

    if (x->page) {
        ngx_http_tasks_page_release(x->page);
        x->page = NULL;
    }

    if (x->read.op) {
        ngx_http_tasks_op_release(x->read.op);
        x->read.op = NULL;
    }

    if (x->op) {
        ngx_http_tasks_op_release(x->op);
        x->op = NULL;
    }
}
