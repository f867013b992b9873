
/*
 * Private to the Redis client: what its files ask of each other.
 */


#ifndef _NGX_HTTP_TASKS_OP_H_INCLUDED_
#define _NGX_HTTP_TASKS_OP_H_INCLUDED_


#include <ngx_http_tasks_redis.h>


/* States of a connection. */
enum {
    NGX_HTTP_TASKS_REDIS_CLOSED = 0,     /* to be connected, or backing off */
    NGX_HTTP_TASKS_REDIS_CONNECTING,
    NGX_HTTP_TASKS_REDIS_HANDSHAKE,
    NGX_HTTP_TASKS_REDIS_READY
};


/* Starts the handshake of a connection that was made. */
void ngx_http_tasks_redis_greet(ngx_http_tasks_redis_t *redis);

/*
 * Ends the connection.  Reads that were in flight go on another one, once;
 * what must not be sent twice fails.  If there was no sound connection, all
 * fails that waits, and the next attempt is made after a backoff.
 */
void ngx_http_tasks_redis_fail(ngx_http_tasks_redis_t *redis,
    const char *what, ngx_err_t err);

/* Writes what waits.  Calls no handler: a failure is dealt with later. */
void ngx_http_tasks_redis_flush(ngx_http_tasks_redis_t *redis);

/* The one way in which an operation completes.  It may be gone afterwards. */
void ngx_http_tasks_op_finish(ngx_http_tasks_op_t *op,
    ngx_http_tasks_op_e status);

/* Takes it out of the queue that it is in. */
void ngx_http_tasks_op_unlink(ngx_http_tasks_op_t *op);

/* Makes the commands ready to be sent anew, the replies to be taken anew. */
void ngx_http_tasks_op_rewind(ngx_http_tasks_op_t *op);

/* Whether all of its commands have left. */
ngx_uint_t ngx_http_tasks_op_written(ngx_http_tasks_op_t *op);


#endif /* _NGX_HTTP_TASKS_OP_H_INCLUDED_ */
