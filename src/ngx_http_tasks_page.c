
/*
 * A page of a list whose indexes change faster than they can be read: a
 * function reads all of it atomically.
 */


#include <ngx_http_tasks_list.h>


static void ngx_http_tasks_list_page_handler(ngx_http_tasks_op_t *op);
static ngx_http_tasks_error_e ngx_http_tasks_list_page_reply(
    ngx_http_tasks_exchange_t *x, ngx_http_tasks_reply_t *reply);
static ngx_http_tasks_error_e ngx_http_tasks_list_page_rows(
    ngx_http_tasks_exchange_t *x, ngx_http_tasks_reply_t *row);


ngx_http_tasks_error_e
ngx_http_tasks_list_page(ngx_http_tasks_exchange_t *x)
{
    ngx_uint_t            i;
    ngx_http_tasks_op_t  *op;

    op = x->op;

    if (ngx_http_tasks_op_fill(op, 1) != NGX_OK) {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    ngx_http_tasks_op_command(op, 7 + x->nindexes,
                              2 * x->nindexes + 2 * x->fetched, 0);
    ngx_http_tasks_op_literal(op, "FCALL_RO");
    ngx_http_tasks_op_str(op, &x->request.route->collection->fn_page);
    ngx_http_tasks_op_literal(op, "1");
    ngx_http_tasks_op_str(op, &x->base);
    ngx_http_tasks_op_integer(op, x->offset);
    ngx_http_tasks_op_integer(op, x->fetched);
    ngx_http_tasks_op_str(op, &x->request.cursor);

    for (i = 0; i < x->nindexes; i++) {
        ngx_http_tasks_op_str(op, &x->indexes[i].suffix);
    }

    return ngx_http_tasks_exchange_start(x, ngx_http_tasks_list_page_handler);
}


static void
ngx_http_tasks_list_page_handler(ngx_http_tasks_op_t *op)
{
    ngx_http_tasks_error_e      error;
    ngx_http_tasks_exchange_t  *x;

    x = op->data;

    if (op->status == NGX_HTTP_TASKS_OP_OK
        && (ngx_http_tasks_reply_is_error(&op->replies[0], "NOPERM")
            || ngx_http_tasks_reply_is_error(&op->replies[0],
                                             "ERR Function not found")))
    {
        /* a user that may only read: some more plain reads */

        x->no_page = 1;
        error = ngx_http_tasks_list_index(x);

        if (error == NGX_HTTP_TASKS_NO_ERROR) {
            return;
        }

    } else {
        error = ngx_http_tasks_store_error(x->store, op);

        if (error == NGX_HTTP_TASKS_NO_ERROR) {
            error = ngx_http_tasks_list_page_reply(x, &op->replies[0]);
        }
    }

    x->done(x, error);
}


/* Revision and total of each index, then the positions, then their rows. */

static ngx_http_tasks_error_e
ngx_http_tasks_list_page_reply(ngx_http_tasks_exchange_t *x,
    ngx_http_tasks_reply_t *reply)
{
    ngx_uint_t               i;
    ngx_http_tasks_index_t  *index;
    ngx_http_tasks_reply_t  *elt;

    if (reply->type != NGX_HTTP_TASKS_REPLY_ARRAY
        || reply->u.array.nelts < 2 * x->nindexes
        || reply->u.array.nelts % 2)
    {
        return ngx_http_tasks_exchange_distrust(x);
    }

    elt = reply->u.array.elts;
    x->total = 0;

    for (i = 0; i < x->nindexes; i++, elt += 2) {
        index = &x->indexes[i];

        if (ngx_http_tasks_list_revision(&elt[0], &index->revision)
            != NGX_OK
            || elt[1].type != NGX_HTTP_TASKS_REPLY_INTEGER)
        {
            return ngx_http_tasks_exchange_distrust(x);
        }

        index->total = elt[1].u.integer;
        x->total += index->total;
    }

    x->members = elt;
    x->nmembers = reply->u.array.nelts / 2 - x->nindexes;

    return ngx_http_tasks_list_page_rows(x, elt + x->nmembers);
}


static ngx_http_tasks_error_e
ngx_http_tasks_list_page_rows(ngx_http_tasks_exchange_t *x,
    ngx_http_tasks_reply_t *row)
{
    ngx_uint_t               i;
    ngx_http_tasks_writer_t  rows;

    ngx_http_tasks_writer_init(&rows, x->op->pool, 8192);

    for (i = 0; i < x->nmembers; i++) {

        if (row[i].type != NGX_HTTP_TASKS_REPLY_STRING
            || x->members[i].type != NGX_HTTP_TASKS_REPLY_STRING)
        {
            return ngx_http_tasks_list_broken(x, NULL,
                                              "names tasks that have no row");
        }

        if (i == x->wanted) {
            break;
        }

        if (i) {
            ngx_http_tasks_write_byte(&rows, ',');
        }

        ngx_http_tasks_write_str(&rows, &row[i].u.str);
    }

    return ngx_http_tasks_list_finish(x, &rows);
}
