
/*
 * Cancelling a task: one call of a Redis function, which decides and changes
 * atomically, and if the response shows the task, returns its fields.  It is
 * never sent twice, except after Redis has said that it does not know the
 * function, and so has changed nothing.
 */


#include <ngx_http_tasks_exchange.h>


static void ngx_http_tasks_cancel_handler(ngx_http_tasks_op_t *op);
static ngx_http_tasks_error_e ngx_http_tasks_cancel_reply(
    ngx_http_tasks_exchange_t *x, ngx_http_tasks_reply_t *reply);


ngx_http_tasks_error_e
ngx_http_tasks_cancel(ngx_http_tasks_exchange_t *x)
{
    ngx_uint_t                    n;
    ngx_http_tasks_op_t          *op;
    ngx_http_tasks_collection_t  *collection;

    if (ngx_http_tasks_exchange_op(x, 2) != NGX_OK) {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    op = x->op;
    op->once = 1;
    collection = x->request.route->collection;

    if (x->tries) {
        ngx_http_tasks_store_load(op, collection);
    }

    n = x->request.route->fetch.nelts;
    n += (n != 0);

    ngx_http_tasks_op_command(op, 5 + n, 3 + n, 0);
    ngx_http_tasks_op_literal(op, "FCALL");
    ngx_http_tasks_op_str(op, &collection->fn_cancel);
    ngx_http_tasks_op_literal(op, "1");
    ngx_http_tasks_op_str(op, &x->base);
    ngx_http_tasks_op_str(op, &x->request.id);

    if (n) {
        ngx_http_tasks_get_fields(x);
    }

    return ngx_http_tasks_exchange_start(x, ngx_http_tasks_cancel_handler);
}


static void
ngx_http_tasks_cancel_handler(ngx_http_tasks_op_t *op)
{
    ngx_http_tasks_error_e      error;
    ngx_http_tasks_exchange_t  *x;

    x = op->data;

    if (op->status == NGX_HTTP_TASKS_OP_OK && x->tries == 0
        && x->store->load_functions && !ngx_exiting
        && ngx_http_tasks_reply_is_error(&op->replies[0],
                                         "ERR Function not found"))
    {
        x->tries = 1;
        error = ngx_http_tasks_cancel(x);

        if (error == NGX_HTTP_TASKS_NO_ERROR) {
            return;
        }

    } else {
        error = ngx_http_tasks_store_error(x->store, op);

        if (error == NGX_HTTP_TASKS_NO_ERROR) {
            error = ngx_http_tasks_cancel_reply(x, &op->replies[x->tries]);
        }
    }

    x->done(x, error);
}


/*
 * What became of it, then the task's state before, as JSON and as text, and
 * the fields that were asked for.
 */

static ngx_http_tasks_error_e
ngx_http_tasks_cancel_reply(ngx_http_tasks_exchange_t *x,
    ngx_http_tasks_reply_t *reply)
{
    ngx_uint_t               i;
    ngx_http_tasks_reply_t  *elt;

    static struct {
        ngx_str_t               name;
        ngx_http_tasks_error_e  error;
    } outcomes[] = {
        { ngx_string("cancelled"), NGX_HTTP_TASKS_NO_ERROR },
        { ngx_string("unchanged"), NGX_HTTP_TASKS_NO_ERROR },
        { ngx_string("refused"), NGX_HTTP_TASKS_CANNOT_CANCEL },
        { ngx_string("missing"), NGX_HTTP_TASKS_NOT_FOUND },
        { ngx_null_string, 0 }
    };

    if (reply->type != NGX_HTTP_TASKS_REPLY_ARRAY
        || reply->u.array.nelts == 0
        || reply->u.array.elts[0].type != NGX_HTTP_TASKS_REPLY_STRING)
    {
        return ngx_http_tasks_exchange_distrust(x);
    }

    elt = reply->u.array.elts;

    if (reply->u.array.nelts >= 3
        && elt[1].type == NGX_HTTP_TASKS_REPLY_STRING
        && elt[2].type == NGX_HTTP_TASKS_REPLY_STRING)
    {
        x->state = elt[1].u.str;
        x->state_text = elt[2].u.str;
    }

    for (i = 0; outcomes[i].name.len; i++) {
        if (ngx_http_tasks_equal(&elt[0].u.str, &outcomes[i].name)) {
            break;
        }
    }

    if (outcomes[i].name.len == 0) {
        return ngx_http_tasks_exchange_distrust(x);
    }

    if (outcomes[i].error != NGX_HTTP_TASKS_NO_ERROR
        || x->request.route->fetch.nelts == 0)
    {
        return outcomes[i].error;
    }

    if (reply->u.array.nelts == 3) {
        ngx_log_error(NGX_LOG_ERR, x->op->redis->log, 0,
                      "tasks store \"%V\": functions tasks_%V return no "
                      "fields: they are of another version, load them again "
                      "(see tasks_library)", &x->store->redis.name,
                      &x->request.route->collection->name);

        return NGX_HTTP_TASKS_INTERNAL;
    }

    return ngx_http_tasks_get_reply(x, elt + 3, reply->u.array.nelts - 3);
}
