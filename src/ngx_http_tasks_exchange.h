
/*
 * One request on its way through the store: what the actions share.
 */


#ifndef _NGX_HTTP_TASKS_EXCHANGE_H_INCLUDED_
#define _NGX_HTTP_TASKS_EXCHANGE_H_INCLUDED_


#include <ngx_http_tasks_cache.h>


typedef struct ngx_http_tasks_exchange_s  ngx_http_tasks_exchange_t;


/* Called once when an action has ended; NGX_HTTP_TASKS_NO_ERROR: well. */
typedef void (*ngx_http_tasks_done_pt)(ngx_http_tasks_exchange_t *x,
    ngx_http_tasks_error_e error);


/* What is told of a page. */
typedef struct {
    int64_t                    offset;   /* rank of its first task, if not by
                                            cursor */
    ngx_uint_t                 count;    /* its tasks */
    int64_t                    total;    /* if the route tells it */
    ngx_uint_t                 more;     /* tasks follow */
    ngx_str_t                  first;    /* positions, if there are tasks */
    ngx_str_t                  last;
} ngx_http_tasks_told_t;


struct ngx_http_tasks_exchange_s {
    ngx_http_tasks_request_t   request;
    ngx_http_tasks_store_t    *store;
    ngx_http_tasks_op_t       *op;       /* NULL: none yet, or given up */
    ngx_http_tasks_done_pt     done;
    void                      *data;     /* of done */

    ngx_msec_t                 since;    /* it waits, as ngx_current_msec */
    ngx_str_t                  known;    /* the etag that the client has; data
                                            is NULL: none of ours */
    ngx_array_t               *credential;   /* where its fields go */
    ngx_str_t                  base;     /* key */

    /* a list: what is read, alone or by others, and what it came to */
    ngx_uint_t                 cached;   /* it may be shared and kept */
    ngx_uint_t                 lines;    /* NDJSON is wanted */
    ngx_uint_t                 streams;  /* it may be sent in chunks */
    int64_t                    left;     /* tasks to be read; -1: all */
    u_char                    *place;    /* position that a chunk follows; NULL:
                                            this is the first one */
    ngx_http_tasks_read_t      read;
    ngx_http_tasks_waiter_t    waiter;
    ngx_http_tasks_page_t     *page;     /* NULL: none, or in "read" */
    ngx_http_tasks_told_t      list;
    ngx_http_tasks_cache_e     how;
    ngx_str_t                  etag;     /* of what was read, without quotes;
                                            data is NULL: none */

    /* a task; in the operation's pool */
    ngx_uint_t                 tries;    /* of a cancel */
    ngx_http_tasks_reply_t    *fields;   /* as route->fetch */
    ngx_str_t                  state;    /* JSON text; data is NULL: none */
    ngx_str_t                  state_text;   /* the same, plain */
};


/*
 * Each starts an action.  NGX_HTTP_TASKS_NO_ERROR: x->done will be
 * called, later; else the class of the error, and it will not.
 */
ngx_http_tasks_error_e ngx_http_tasks_list(ngx_http_tasks_exchange_t *x);
ngx_http_tasks_error_e ngx_http_tasks_get(ngx_http_tasks_exchange_t *x);
ngx_http_tasks_error_e ngx_http_tasks_cancel(ngx_http_tasks_exchange_t *x);

/* Makes x->op, unless there is one, ready for "n" commands. */
ngx_int_t ngx_http_tasks_exchange_op(ngx_http_tasks_exchange_t *x,
    ngx_uint_t n);

/* Adds an argument to a command: the base key, "middle" and "last". */
void ngx_http_tasks_exchange_key(ngx_http_tasks_exchange_t *x,
    const ngx_str_t *middle, const ngx_str_t *last);

/* Gives up what is waited for, and releases what was read. */
void ngx_http_tasks_exchange_end(ngx_http_tasks_exchange_t *x);

/* Starts x->op; its handler gets the exchange as op->data. */
ngx_http_tasks_error_e ngx_http_tasks_exchange_start(
    ngx_http_tasks_exchange_t *x, ngx_http_tasks_op_pt handler);

/* Says that a reply cannot be Redis's; returns the class to answer. */
ngx_http_tasks_error_e ngx_http_tasks_exchange_distrust(
    ngx_http_tasks_exchange_t *x);

/* Whether more chunks of the list are to be read and sent. */
ngx_uint_t ngx_http_tasks_list_goes_on(ngx_http_tasks_exchange_t *x);

/*
 * Reads the next chunk, as an action; what was read before is gone then.
 */
ngx_http_tasks_error_e ngx_http_tasks_list_chunk(ngx_http_tasks_exchange_t *x);

/* Writes the tasks that were read, with their separators between. */
void ngx_http_tasks_list_rows(ngx_http_tasks_exchange_t *x,
    ngx_http_tasks_writer_t *w);

/* The cursor of the next page; data is NULL: it is the last.  NGX_ERROR: no
 * memory. */
ngx_int_t ngx_http_tasks_list_next(ngx_http_tasks_exchange_t *x,
    ngx_str_t *cursor);

/*
 * Adds the names of the fields that the response shows, one more than there
 * are in route->fetch, and takes x->fields from their "n" values.
 */
void ngx_http_tasks_get_fields(ngx_http_tasks_exchange_t *x);
ngx_http_tasks_error_e ngx_http_tasks_get_reply(ngx_http_tasks_exchange_t *x,
    ngx_http_tasks_reply_t *elt, ngx_uint_t n);

/* Text of a field that was read: stored, or its default; data is NULL: none. */
ngx_str_t *ngx_http_tasks_get_field(ngx_http_tasks_exchange_t *x,
    ngx_uint_t index);

/* Writes the task that was read as its detail shows it. */
void ngx_http_tasks_get_task(ngx_http_tasks_exchange_t *x,
    ngx_http_tasks_writer_t *w);



#endif /* _NGX_HTTP_TASKS_EXCHANGE_H_INCLUDED_ */
