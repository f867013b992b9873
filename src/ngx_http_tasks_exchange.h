
/*
 * One request on its way through the store: what the actions share.
 */


#ifndef _NGX_HTTP_TASKS_EXCHANGE_H_INCLUDED_
#define _NGX_HTTP_TASKS_EXCHANGE_H_INCLUDED_


#include <ngx_http_tasks_key.h>
#include <ngx_http_tasks_request.h>
#include <ngx_http_tasks_store.h>


typedef struct ngx_http_tasks_exchange_s  ngx_http_tasks_exchange_t;


/* Called once when an action has ended; NGX_HTTP_TASKS_NO_ERROR: with success. */
typedef void (*ngx_http_tasks_done_pt)(ngx_http_tasks_exchange_t *x,
    ngx_http_tasks_error_e error);


/* An index, as it was read. */
typedef struct {
    ngx_str_t                  suffix;
    ngx_str_t                  revision; /* data is NULL: no such index */
    ngx_http_tasks_reply_t    *members;  /* strings */
    ngx_uint_t                 nmembers;
    int64_t                    total;    /* of its members, if counted */
} ngx_http_tasks_index_t;


struct ngx_http_tasks_exchange_s {
    ngx_http_tasks_request_t   request;
    ngx_http_tasks_store_t    *store;
    ngx_http_tasks_op_t       *op;       /* NULL: none yet, or given up */
    ngx_http_tasks_done_pt     done;
    void                      *data;     /* of done */

    ngx_array_t               *credential;   /* where its fields go */
    ngx_str_t                  base;     /* key */

    /* a list that is being read */
    ngx_http_tasks_index_t    *indexes;  /* that it is put together from */
    ngx_uint_t                 nindexes;
    ngx_uint_t                 tries;
    ngx_uint_t                 counted;  /* totals are asked for */
    ngx_uint_t                 no_page;  /* the function cannot be called */
    int64_t                    offset;   /* rank of the first row */
    ngx_uint_t                 wanted;   /* rows */
    ngx_uint_t                 fetched;  /* members to ask for */
    ngx_uint_t                 whole;    /* all or nothing: no limit */
    ngx_http_tasks_reply_t    *members;  /* positions, in order */
    ngx_uint_t                 nmembers; /* of which "wanted" are shown */

    /* what a response may show; in the operation's pool */
    ngx_http_tasks_writer_t    tasks;
    ngx_http_tasks_reply_t    *fields;   /* of a task, as route->fetch */
    ngx_str_t                  state;    /* JSON text; data is NULL: none */
    ngx_str_t                  state_text;   /* the same, plain */
    int64_t                    total;
    ngx_uint_t                 more;     /* tasks follow this page */
};


/*
 * Each starts an action on x->op.  NGX_HTTP_TASKS_NO_ERROR: x->done will be
 * called, later; else the class of the error, and it will not.
 */
ngx_http_tasks_error_e ngx_http_tasks_list(ngx_http_tasks_exchange_t *x);
ngx_http_tasks_error_e ngx_http_tasks_get(ngx_http_tasks_exchange_t *x);
ngx_http_tasks_error_e ngx_http_tasks_cancel(ngx_http_tasks_exchange_t *x);

/* Starts x->op; its handler gets the exchange as op->data. */
ngx_http_tasks_error_e ngx_http_tasks_exchange_start(
    ngx_http_tasks_exchange_t *x, ngx_http_tasks_op_pt handler);

/* Says that a reply cannot be Redis's; returns the class to answer. */
ngx_http_tasks_error_e ngx_http_tasks_exchange_distrust(
    ngx_http_tasks_exchange_t *x);

/* Tasks of the page that was read. */
ngx_uint_t ngx_http_tasks_list_count(ngx_http_tasks_exchange_t *x);

/* The cursor of the next page; data is NULL: it is the last.  NGX_ERROR: no
 * memory. */
ngx_int_t ngx_http_tasks_list_next(ngx_http_tasks_exchange_t *x,
    ngx_str_t *cursor);

/* Adds the command that reads a task, and takes x->fields from its reply. */
void ngx_http_tasks_get_command(ngx_http_tasks_exchange_t *x);
ngx_http_tasks_error_e ngx_http_tasks_get_reply(ngx_http_tasks_exchange_t *x,
    ngx_http_tasks_reply_t *reply);

/* Text of a field that was read: stored, or its default; data is NULL: none. */
ngx_str_t *ngx_http_tasks_get_field(ngx_http_tasks_exchange_t *x,
    ngx_uint_t index);

/* Writes the task that was read as its detail shows it. */
void ngx_http_tasks_get_task(ngx_http_tasks_exchange_t *x,
    ngx_http_tasks_writer_t *w);



#endif /* _NGX_HTTP_TASKS_EXCHANGE_H_INCLUDED_ */
