
/*
 * One request on its way through the store: what the actions share.
 */


#ifndef _NGX_HTTP_TASKS_EXCHANGE_H_INCLUDED_
#define _NGX_HTTP_TASKS_EXCHANGE_H_INCLUDED_


#include <ngx_http_tasks_key.h>
#include <ngx_http_tasks_request.h>
#include <ngx_http_tasks_store.h>


typedef struct ngx_http_tasks_exchange_s  ngx_http_tasks_exchange_t;


/* Called once when an action has ended; NGX_HTTP_TASKS_ERRORS: with success. */
typedef void (*ngx_http_tasks_done_pt)(ngx_http_tasks_exchange_t *x,
    ngx_http_tasks_error_e error);


struct ngx_http_tasks_exchange_s {
    ngx_http_tasks_request_t   request;
    ngx_http_tasks_store_t    *store;
    ngx_http_tasks_op_t       *op;       /* NULL: none yet, or given up */
    ngx_http_tasks_done_pt     done;
    void                      *data;     /* of done */

    ngx_str_t                  base;     /* key */

    /* a list that is being read */
    ngx_str_t                  suffix;   /* of its index */
    ngx_uint_t                 tries;
    ngx_uint_t                 counted;  /* the total is asked for */
    ngx_uint_t                 no_page;  /* the function cannot be called */
    int64_t                    offset;   /* rank of the first row */
    ngx_uint_t                 wanted;   /* rows */
    ngx_uint_t                 fetched;  /* members to ask for */
    ngx_http_tasks_reply_t    *members;
    ngx_uint_t                 nmembers; /* of which "wanted" are shown */
    ngx_str_t                  revision; /* data is NULL: no such index */

    /* what a response may show; in the operation's pool */
    ngx_http_tasks_writer_t    tasks;
    ngx_http_tasks_writer_t    task;
    ngx_str_t                  state;    /* JSON text; data is NULL: none */
    ngx_str_t                  state_text;   /* the same, plain */
    ngx_str_t                  next_cursor;
    int64_t                    total;
};


/*
 * Each starts an action on x->op.  NGX_HTTP_TASKS_ERRORS: x->done will be
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

/* Adds the command that reads a task, and makes x->task from its reply. */
void ngx_http_tasks_get_command(ngx_http_tasks_exchange_t *x);
ngx_http_tasks_error_e ngx_http_tasks_get_reply(ngx_http_tasks_exchange_t *x,
    ngx_http_tasks_reply_t *reply);


#endif /* _NGX_HTTP_TASKS_EXCHANGE_H_INCLUDED_ */
