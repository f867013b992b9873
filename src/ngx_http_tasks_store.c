
/*
 * Stores: which collections one serves, loading their function libraries when
 * a connection is made, and what Redis's error replies mean to a client.
 */


#include <ngx_http_tasks_store.h>


static ngx_int_t ngx_http_tasks_store_loaded(ngx_http_tasks_op_t *op,
    ngx_http_tasks_store_t *store);


/* What Redis says when it cannot serve now; what else it says is a fault. */
static const char  *ngx_http_tasks_store_unavailable[] = {
    "LOADING", "BUSY", "READONLY", "OOM", "MASTERDOWN", "MISCONF",
    "NOREPLICAS", "CLUSTERDOWN", "TRYAGAIN", "MOVED", "ASK", "NOAUTH",
    "NOPERM", "WRONGPASS", "ERR max number of clients", "UNKILLABLE",
    "ERR Function not found", NULL
};


ngx_int_t
ngx_http_tasks_store_serve(ngx_http_tasks_store_t *store,
    ngx_http_tasks_definition_t *definition)
{
    ngx_uint_t                     i, j;
    ngx_http_tasks_collection_t  **collection, **served;

    collection = definition->collections.elts;

    for (i = 0; i < definition->collections.nelts; i++) {

        served = store->collections.elts;

        for (j = 0; j < store->collections.nelts; j++) {

            if (served[j] == collection[i]) {
                return NGX_OK;             /* and so are all of them */
            }

            if (ngx_http_tasks_equal(&served[j]->name, &collection[i]->name)) {
                return NGX_DECLINED;
            }
        }

        served = ngx_array_push(&store->collections);
        if (served == NULL) {
            return NGX_ERROR;
        }

        *served = collection[i];
    }

    store->redis.greetings = store->collections.nelts;

    return NGX_OK;
}


void
ngx_http_tasks_store_close(ngx_http_tasks_store_t *store)
{
    ngx_uint_t  i;

    for (i = 0; store->clients && i < store->connections; i++) {
        ngx_http_tasks_redis_close(&store->clients[i]);
    }
}


ngx_int_t
ngx_http_tasks_store_init(ngx_http_tasks_store_t *store, ngx_cycle_t *cycle)
{
    ngx_uint_t  i;

    store->clients = ngx_pcalloc(cycle->pool, store->connections
                                          * sizeof(ngx_http_tasks_redis_t));
    if (store->clients == NULL) {
        return NGX_ERROR;
    }

    if (store->counts == NULL) {
        store->counts = ngx_pcalloc(cycle->pool,
                                    sizeof(ngx_http_tasks_store_counts_t));
        if (store->counts == NULL) {
            return NGX_ERROR;
        }
    }

    for (i = 0; i < store->connections; i++) {
        ngx_http_tasks_redis_init(&store->clients[i], &store->redis,
                                  store->counts, cycle);
    }

    return NGX_OK;
}


ngx_http_tasks_op_t *
ngx_http_tasks_store_op(ngx_http_tasks_store_t *store)
{
    ngx_http_tasks_redis_t  *client;

    client = &store->clients[store->next];
    store->next = (store->next + 1) % store->connections;

    return ngx_http_tasks_op_create(client, NGX_HTTP_TASKS_OP_SIZE);
}


void
ngx_http_tasks_store_load(ngx_http_tasks_op_t *op,
    ngx_http_tasks_collection_t *collection)
{
    ngx_http_tasks_op_command(op, 4, 0, 0);
    ngx_http_tasks_op_literal(op, "FUNCTION");
    ngx_http_tasks_op_literal(op, "LOAD");
    ngx_http_tasks_op_literal(op, "REPLACE");
    ngx_http_tasks_op_str(op, &collection->library);
}


/*
 * Each new connection asks for the versions of the libraries: a Redis that
 * was restarted, emptied or replaced gets them again before it is used.  Not
 * of a worker that quits: the next one may have another definition.
 */
ngx_int_t
ngx_http_tasks_store_hello(ngx_http_tasks_op_t *op, void *data)
{
    ngx_uint_t                     i;
    ngx_http_tasks_store_t        *store;
    ngx_http_tasks_collection_t  **served;

    store = data;
    served = store->collections.elts;

    for (i = 0; !ngx_exiting && i < store->collections.nelts; i++) {
        ngx_http_tasks_op_command(op, 3, 0, 0);
        ngx_http_tasks_op_literal(op, "FCALL_RO");
        ngx_http_tasks_op_str(op, &served[i]->fn_version);
        ngx_http_tasks_op_literal(op, "0");
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_tasks_store_greeted(ngx_http_tasks_op_t *op, ngx_uint_t first,
    void *data)
{
    ngx_uint_t                     i, missing;
    ngx_http_tasks_store_t        *store;
    ngx_http_tasks_reply_t        *reply;
    ngx_http_tasks_collection_t  **served, **load;

    store = data;

    if (ngx_exiting) {
        return NGX_OK;
    }

    if (first == 0) {
        return ngx_http_tasks_store_loaded(op, store);
    }

    served = store->collections.elts;
    missing = 0;

    load = ngx_palloc(op->pool, (store->collections.nelts + 1)
                                * sizeof(ngx_http_tasks_collection_t *));
    if (load == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < store->collections.nelts; i++) {
        reply = &op->replies[first + i];

        if (ngx_http_tasks_reply_is_error(reply, "LOADING")) {
            ngx_http_tasks_op_distrust(op, "is still loading its data");
            return NGX_ERROR;
        }

        if (ngx_http_tasks_reply_is_error(reply, "BUSY")) {
            ngx_http_tasks_op_distrust(op, "is busy with somebody's script");
            return NGX_ERROR;
        }

        if (reply->type != NGX_HTTP_TASKS_REPLY_STRING
            || reply->u.str.len != served[i]->version.len
            || ngx_strncmp(reply->u.str.data, served[i]->version.data,
                           reply->u.str.len)
               != 0)
        {
            load[missing++] = served[i];

            ngx_log_error(NGX_LOG_NOTICE, op->redis->log, 0,
                          "tasks store \"%V\": loading functions tasks_%V%s",
                          &store->redis.name, &served[i]->name,
                          reply->type == NGX_HTTP_TASKS_REPLY_STRING
                          ? " in place of those of another definition; said "
                            "again and again, two nginx have it differently"
                          : "");
        }
    }

    if (missing == 0) {
        return NGX_OK;
    }

    if (ngx_http_tasks_op_fill(op, missing) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < missing; i++) {
        ngx_http_tasks_store_load(op, load[i]);
    }

    return NGX_AGAIN;
}


/* Without functions lists and gets still work; a cancel says what is wrong. */

static ngx_int_t
ngx_http_tasks_store_loaded(ngx_http_tasks_op_t *op,
    ngx_http_tasks_store_t *store)
{
    ngx_uint_t               i;
    ngx_http_tasks_reply_t  *reply;

    for (i = 0; i < op->ncommands; i++) {
        reply = &op->replies[i];

        if (ngx_http_tasks_reply_is_error(reply, "LOADING")) {
            return NGX_ERROR;
        }

        if (reply->type == NGX_HTTP_TASKS_REPLY_ERROR) {
            ngx_log_error(NGX_LOG_WARN, op->redis->log, 0,
                          "tasks store \"%V\": %V does not take functions: "
                          "\"%V\"; load them by hand (see tasks_library)",
                          &store->redis.name, op->redis->peer.name,
                          &reply->u.str);
        }
    }

    return NGX_OK;
}


ngx_http_tasks_error_e
ngx_http_tasks_store_start(ngx_http_tasks_op_t *op,
    ngx_http_tasks_op_pt handler)
{
    switch (ngx_http_tasks_op_start(op, handler)) {

    case NGX_OK:
        return NGX_HTTP_TASKS_NO_ERROR;

    case NGX_DECLINED:
        return NGX_HTTP_TASKS_UNAVAILABLE;

    default:
        return NGX_HTTP_TASKS_INTERNAL;
    }
}


ngx_http_tasks_error_e
ngx_http_tasks_store_distrust(ngx_http_tasks_op_t *op)
{
    ngx_http_tasks_op_distrust(op, "gave a reply to another command");

    return NGX_HTTP_TASKS_UNAVAILABLE;
}


ngx_http_tasks_error_e
ngx_http_tasks_store_error(ngx_http_tasks_store_t *store,
    ngx_http_tasks_op_t *op)
{
    ngx_uint_t               i, j;
    ngx_http_tasks_reply_t  *reply;

    switch (op->status) {

    case NGX_HTTP_TASKS_OP_UNAVAILABLE:
        return NGX_HTTP_TASKS_UNAVAILABLE;

    case NGX_HTTP_TASKS_OP_TIMEOUT:
        return NGX_HTTP_TASKS_TIMEOUT;

    case NGX_HTTP_TASKS_OP_TOO_LARGE:
        return NGX_HTTP_TASKS_TOO_LARGE;

    default: /* NGX_HTTP_TASKS_OP_OK */
        break;
    }

    for (i = 0; i < op->ncommands; i++) {
        reply = &op->replies[i];

        if (reply->type != NGX_HTTP_TASKS_REPLY_ERROR) {
            continue;
        }

        /* under load the same is said again and again: once a second */

        if (store->complained != ngx_time()) {
            store->complained = ngx_time();

            ngx_log_error(NGX_LOG_ERR, op->redis->log, 0,
                          "tasks store \"%V\": %V answers \"%V\"%s",
                          &store->redis.name, op->redis->peer.name,
                          &reply->u.str,
                          ngx_http_tasks_reply_is_error(reply,
                                                   "ERR Function not found")
                          ? "; load the functions (see tasks_library)" : "");
        }

        for (j = 0; ngx_http_tasks_store_unavailable[j]; j++) {
            if (ngx_http_tasks_reply_is_error(reply,
                                         ngx_http_tasks_store_unavailable[j]))
            {
                return NGX_HTTP_TASKS_UNAVAILABLE;
            }
        }

        return NGX_HTTP_TASKS_INTERNAL;
    }

    return NGX_HTTP_TASKS_NO_ERROR;
}
