
/*
 * A page of a list whose indexes change faster than they can be read: a
 * function reads all of it atomically.
 */


#include <ngx_http_tasks_read.h>


static void ngx_http_tasks_page_handler(ngx_http_tasks_op_t *op);
static ngx_http_tasks_error_e ngx_http_tasks_page_reply(
    ngx_http_tasks_read_t *read, ngx_http_tasks_reply_t *reply);
static ngx_http_tasks_error_e ngx_http_tasks_page_rows(
    ngx_http_tasks_read_t *read, ngx_http_tasks_reply_t *row);


ngx_http_tasks_error_e
ngx_http_tasks_read_page(ngx_http_tasks_read_t *read)
{
    ngx_uint_t            i;
    ngx_http_tasks_op_t  *op;

    static ngx_str_t      start = ngx_string("");

    op = read->op;

    if (ngx_http_tasks_op_fill(op, 1) != NGX_OK) {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    ngx_http_tasks_op_command(op, 7 + read->nindexes,
                              2 * read->nindexes + 2 * read->fetched, 0);
    ngx_http_tasks_op_literal(op, "FCALL_RO");
    ngx_http_tasks_op_str(op, &read->collection->fn_page);
    ngx_http_tasks_op_literal(op, "1");
    ngx_http_tasks_op_str(op, &read->base);
    ngx_http_tasks_op_integer(op, read->offset);
    ngx_http_tasks_op_integer(op, read->fetched);
    ngx_http_tasks_op_str(op, read->cursor.data ? &read->cursor : &start);

    for (i = 0; i < read->nindexes; i++) {
        ngx_http_tasks_op_str(op, &read->indexes[i].suffix);
    }

    return ngx_http_tasks_read_send(read, ngx_http_tasks_page_handler);
}


static void
ngx_http_tasks_page_handler(ngx_http_tasks_op_t *op)
{
    ngx_http_tasks_error_e      error;
    ngx_http_tasks_read_t  *read;

    read = op->data;

    if (op->status == NGX_HTTP_TASKS_OP_OK
        && (ngx_http_tasks_reply_is_error(&op->replies[0], "NOPERM")
            || ngx_http_tasks_reply_is_error(&op->replies[0],
                                             "ERR Function not found")))
    {
        /* a user that may only read: some more plain reads */

        read->no_page = 1;
        error = ngx_http_tasks_read_index(read);

        if (error == NGX_HTTP_TASKS_NO_ERROR) {
            return;
        }

    } else {
        error = ngx_http_tasks_store_error(read->store, op);

        if (error == NGX_HTTP_TASKS_NO_ERROR) {
            error = ngx_http_tasks_page_reply(read, &op->replies[0]);
        }
    }

    read->done(read, error);
}


/* Revision and total of each index, then the positions, then their rows. */

static ngx_http_tasks_error_e
ngx_http_tasks_page_reply(ngx_http_tasks_read_t *read,
    ngx_http_tasks_reply_t *reply)
{
    ngx_uint_t               i;
    ngx_http_tasks_index_t  *index;
    ngx_http_tasks_reply_t  *elt;

    if (reply->type != NGX_HTTP_TASKS_REPLY_ARRAY
        || reply->u.array.nelts < 2 * read->nindexes
        || reply->u.array.nelts % 2)
    {
        return ngx_http_tasks_read_distrust(read);
    }

    elt = reply->u.array.elts;
    read->total = 0;

    for (i = 0; i < read->nindexes; i++, elt += 2) {
        index = &read->indexes[i];

        if (ngx_http_tasks_read_revision(&elt[0], &index->revision)
            != NGX_OK
            || elt[1].type != NGX_HTTP_TASKS_REPLY_INTEGER)
        {
            return ngx_http_tasks_read_distrust(read);
        }

        index->nmembers = 0;             /* they are not told apart */
        index->total = elt[1].u.integer;
        read->total += index->total;
    }

    read->members = elt;
    read->nmembers = reply->u.array.nelts / 2 - read->nindexes;

    return ngx_http_tasks_page_rows(read, elt + read->nmembers);
}


static ngx_http_tasks_error_e
ngx_http_tasks_page_rows(ngx_http_tasks_read_t *read,
    ngx_http_tasks_reply_t *row)
{
    ngx_uint_t                i;
    ngx_http_tasks_writer_t  *rows;

    rows = ngx_palloc(read->op->pool, sizeof(ngx_http_tasks_writer_t));
    if (rows == NULL) {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    ngx_http_tasks_writer_init(rows, read->op->pool, 8192);

    for (i = 0; i < read->nmembers; i++) {

        if (row[i].type != NGX_HTTP_TASKS_REPLY_STRING
            || read->members[i].type != NGX_HTTP_TASKS_REPLY_STRING)
        {
            return ngx_http_tasks_read_broken(read, NULL,
                                              "names tasks that have no row");
        }

        if (i == read->wanted) {
            break;
        }

        if (i) {
            ngx_http_tasks_write_byte(rows, (u_char) read->separator);
        }

        if (read->separator == LF) {
            ngx_http_tasks_one_line(row[i].u.str.data, row[i].u.str.len);
        }

        ngx_http_tasks_write_str(rows, &row[i].u.str);
    }

    return rows->failed ? NGX_HTTP_TASKS_INTERNAL
                        : ngx_http_tasks_read_finish(read, rows);
}
