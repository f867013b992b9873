
/*
 * Stores: what tasks_store configures, and a worker's way to one.
 */


#ifndef _NGX_HTTP_TASKS_STORE_H_INCLUDED_
#define _NGX_HTTP_TASKS_STORE_H_INCLUDED_


#include <ngx_http_tasks_definition.h>
#include <ngx_http_tasks_redis.h>


typedef struct {
    ngx_http_tasks_redis_conf_t   redis;
    ngx_str_t                     file;          /* where it is first used */
    ngx_uint_t                    line;
    ngx_uint_t                    connections;   /* of a worker */
    ngx_uint_t                    load_functions;
    ngx_array_t                   collections;   /* pointers, of its APIs */

    /* of this worker */
    ngx_http_tasks_redis_t       *clients;
    ngx_uint_t                    next;          /* client for an operation */
    struct ngx_http_tasks_cache_s  *cache;       /* NULL: none is wanted */
    time_t                        complained;    /* about an error reply */
    ngx_http_tasks_store_counts_t  *counts;      /* in shared memory if they
                                                    are to be told */
} ngx_http_tasks_store_t;


/* A store that is not configured yet.  NULL: no memory. */
ngx_http_tasks_store_t *ngx_http_tasks_store_create(ngx_conf_t *cf,
    ngx_str_t *name);

/* Parses the block "tasks_store NAME { ... }" into "store". */
char *ngx_http_tasks_store_block(ngx_conf_t *cf,
    ngx_http_tasks_store_t *store);

/*
 * Notes that the store serves a definition's collections.  NGX_DECLINED: it
 * serves another one of the same name; NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_tasks_store_serve(ngx_http_tasks_store_t *store,
    ngx_http_tasks_definition_t *definition);

/* Closes the connections of a worker that exits, if it has any. */
void ngx_http_tasks_store_close(ngx_http_tasks_store_t *store);

/* Starts the connections of a worker. */
ngx_int_t ngx_http_tasks_store_init(ngx_http_tasks_store_t *store,
    ngx_cycle_t *cycle);

/*
 * redis.hello and redis.greeted, if functions are to be loaded; "data" is the
 * store.
 */
ngx_int_t ngx_http_tasks_store_hello(ngx_http_tasks_op_t *op, void *data);
ngx_int_t ngx_http_tasks_store_greeted(ngx_http_tasks_op_t *op,
    ngx_uint_t first, void *data);

/* An operation on the next connection.  NULL: no memory. */
ngx_http_tasks_op_t *ngx_http_tasks_store_op(ngx_http_tasks_store_t *store);

/* Adds the command that loads the functions of a collection. */
void ngx_http_tasks_store_load(ngx_http_tasks_op_t *op,
    ngx_http_tasks_collection_t *collection);

/*
 * Starts an operation.  NGX_HTTP_TASKS_NO_ERROR: its handler will be called;
 * else the class of the error.
 */
ngx_http_tasks_error_e ngx_http_tasks_store_start(ngx_http_tasks_op_t *op,
    ngx_http_tasks_op_pt handler);

/* Says that a reply cannot be Redis's; returns the class to answer. */
ngx_http_tasks_error_e ngx_http_tasks_store_distrust(ngx_http_tasks_op_t *op);

/*
 * The class of errors that a completed operation ended with, by its status or
 * by the first error among its replies (logged, and never shown to a client);
 * NGX_HTTP_TASKS_NO_ERROR if there is none.
 */
ngx_http_tasks_error_e ngx_http_tasks_store_error(
    ngx_http_tasks_store_t *store, ngx_http_tasks_op_t *op);


#endif /* _NGX_HTTP_TASKS_STORE_H_INCLUDED_ */
