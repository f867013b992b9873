
/*
 * From bytes of a connection to the replies of its operations.
 */


#ifndef _NGX_HTTP_TASKS_REPLY_H_INCLUDED_
#define _NGX_HTTP_TASKS_REPLY_H_INCLUDED_


#include <ngx_http_tasks_redis.h>


/* NULL if memory is short; freed by ngx_http_tasks_reply_reader_free(). */
struct redisReader *ngx_http_tasks_reply_reader(ngx_http_tasks_redis_t *redis);
void ngx_http_tasks_reply_reader_free(struct redisReader *reader);

/*
 * Takes bytes in.  NGX_OK or NGX_ERROR (redis->fault says why): the connection
 * must be closed.
 */
ngx_int_t ngx_http_tasks_reply_feed(ngx_http_tasks_redis_t *redis, u_char *buf,
    size_t len);

/*
 * Completes the next reply of the first sent operation.  NGX_OK: it did;
 * NGX_AGAIN: more bytes are needed; NGX_ERROR as above.
 */
ngx_int_t ngx_http_tasks_reply_next(ngx_http_tasks_redis_t *redis);


#endif /* _NGX_HTTP_TASKS_REPLY_H_INCLUDED_ */
