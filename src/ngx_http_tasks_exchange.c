
/*
 * What every action does with its operation.
 */


#include <ngx_http_tasks_exchange.h>


ngx_http_tasks_error_e
ngx_http_tasks_exchange_start(ngx_http_tasks_exchange_t *x,
    ngx_http_tasks_op_pt handler)
{
    x->op->data = x;

    switch (ngx_http_tasks_op_start(x->op, handler)) {

    case NGX_OK:
        return NGX_HTTP_TASKS_NO_ERROR;

    case NGX_DECLINED:
        return NGX_HTTP_TASKS_UNAVAILABLE;

    default:
        return NGX_HTTP_TASKS_INTERNAL;
    }
}


ngx_http_tasks_error_e
ngx_http_tasks_exchange_distrust(ngx_http_tasks_exchange_t *x)
{
    ngx_http_tasks_op_distrust(x->op, "gave a reply to another command");

    return NGX_HTTP_TASKS_UNAVAILABLE;
}
