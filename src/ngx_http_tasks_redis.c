
/*
 * The connection of a worker to Redis and the operations on it.
 *
 * Operations wait in one queue until the connection is ready and then move, in
 * order, to another until their replies have come.  A reply belongs to the
 * first operation of that queue and to no other: an operation that timed out
 * or whose request has gone keeps its place, and its reply is dropped there.
 */


#include <ngx_http_tasks_op.h>
#include <ngx_http_tasks_reply.h>


/* milliseconds of the first and the longest backoff, before jitter */
#define NGX_HTTP_TASKS_BACKOFF_MIN  25
#define NGX_HTTP_TASKS_BACKOFF_MAX  400

/* a connection that lasted so long, in ms, is replaced without a backoff */
#define NGX_HTTP_TASKS_REDIS_SOUND  1000

/*
 * bytes of a read, and of the pieces that hiredis gets of them: it moves what
 * is left of what it has behind each reply that it has parsed
 */
#define NGX_HTTP_TASKS_READ_SIZE    65536
#define NGX_HTTP_TASKS_FEED_SIZE    4096


static void ngx_http_tasks_redis_connect(ngx_http_tasks_redis_t *redis);
static void ngx_http_tasks_redis_write_handler(ngx_event_t *wev);
static void ngx_http_tasks_redis_read_handler(ngx_event_t *rev);
static ngx_int_t ngx_http_tasks_redis_connected(ngx_http_tasks_redis_t *redis);
static void ngx_http_tasks_redis_flush_handler(ngx_event_t *ev);
static void ngx_http_tasks_redis_break(ngx_http_tasks_redis_t *redis,
    ngx_err_t err);
static void ngx_http_tasks_redis_retry_handler(ngx_event_t *ev);
static void ngx_http_tasks_redis_watch(ngx_http_tasks_redis_t *redis);
static void ngx_http_tasks_redis_stalled(ngx_http_tasks_redis_t *redis);
static ngx_int_t ngx_http_tasks_redis_read(ngx_http_tasks_redis_t *redis);
static ngx_int_t ngx_http_tasks_redis_take_in(ngx_http_tasks_redis_t *redis,
    u_char *buf, size_t len);
static void ngx_http_tasks_redis_quit(ngx_http_tasks_redis_t *redis);


ngx_int_t
ngx_http_tasks_redis_init(ngx_http_tasks_redis_t *redis,
    ngx_http_tasks_redis_conf_t *conf, ngx_http_tasks_store_counts_t *counts,
    ngx_cycle_t *cycle)
{
    ngx_memzero(redis, sizeof(ngx_http_tasks_redis_t));

    redis->conf = conf;
    redis->counts = counts;
    redis->log = cycle->log;

    redis->quiet = *cycle->log;
    redis->quiet.log_level = NGX_LOG_ALERT;

    ngx_http_tasks_status_connection(redis,
                                     NGX_HTTP_TASKS_CONNECTION_CONNECTING);

    ngx_queue_init(&redis->waiting);
    ngx_queue_init(&redis->sent);
    redis->last_out = &redis->out;

    redis->flush.handler = ngx_http_tasks_redis_flush_handler;
    redis->flush.data = redis;
    redis->flush.log = cycle->log;

    redis->retry.handler = ngx_http_tasks_redis_retry_handler;
    redis->retry.data = redis;
    redis->retry.log = cycle->log;
    redis->retry.cancelable = 1;

    /* not posted: a worker looks at posted events only after its first event */
    ngx_add_timer(&redis->retry, 1);

    return NGX_OK;
}


static void
ngx_http_tasks_redis_connect(ngx_http_tasks_redis_t *redis)
{
    ngx_int_t               rc;
    ngx_addr_t             *addr;
    ngx_connection_t       *c;
    ngx_peer_connection_t  *peer;

    addr = &redis->conf->addrs[redis->addr];
    peer = &redis->peer;

    ngx_memzero(peer, sizeof(ngx_peer_connection_t));

    peer->sockaddr = addr->sockaddr;
    peer->socklen = addr->socklen;
    peer->name = &addr->name;
    peer->get = ngx_event_get_peer;
    peer->log = &redis->quiet;
    peer->log_error = NGX_ERROR_INFO;

    ngx_set_errno(0);                      /* not all that fails sets it */

    rc = ngx_event_connect_peer(peer);

    if (rc == NGX_ERROR || rc == NGX_BUSY || rc == NGX_DECLINED) {
        peer->connection = NULL;
        ngx_http_tasks_redis_fail(redis, "cannot connect", ngx_socket_errno);
        return;
    }

    c = peer->connection;
    c->data = redis;
    c->idle = 1;                          /* be told when the worker quits */
    c->read->handler = ngx_http_tasks_redis_read_handler;
    c->write->handler = ngx_http_tasks_redis_write_handler;
    c->read->cancelable = 1;
    c->write->cancelable = 1;

    redis->state = NGX_HTTP_TASKS_REDIS_CONNECTING;

    ngx_add_timer(c->write, redis->conf->connect_timeout);

    if (rc == NGX_OK) {
        ngx_http_tasks_redis_greet(redis);
    }
}


static void
ngx_http_tasks_redis_write_handler(ngx_event_t *wev)
{
    ngx_connection_t        *c;
    ngx_http_tasks_redis_t  *redis;

    c = wev->data;
    redis = c->data;

    if (wev->timedout) {
        ngx_http_tasks_redis_fail(redis, "cannot connect", NGX_ETIMEDOUT);
        return;
    }

    if (redis->state == NGX_HTTP_TASKS_REDIS_CONNECTING) {

        if (ngx_http_tasks_redis_connected(redis) == NGX_OK) {
            ngx_http_tasks_redis_greet(redis);
        }

        return;
    }

    ngx_http_tasks_redis_flush(redis);
}


static ngx_int_t
ngx_http_tasks_redis_connected(ngx_http_tasks_redis_t *redis)
{
    int                err;
    socklen_t          len;
    ngx_connection_t  *c;

    c = redis->peer.connection;
    err = 0;
    len = sizeof(int);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, (void *) &err, &len) == -1) {
        err = ngx_socket_errno;
    }

    if (err) {
        ngx_http_tasks_redis_fail(redis, "cannot connect", err);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* Writing. */

static void
ngx_http_tasks_redis_flush_handler(ngx_event_t *ev)
{
    ngx_http_tasks_redis_t  *redis;

    redis = ev->data;

    if (redis->broken) {
        ngx_http_tasks_redis_fail(redis, "lost", redis->error);

    } else if (ngx_exiting && redis->live == 0) {
        ngx_http_tasks_redis_quit(redis);

    } else if (redis->state != NGX_HTTP_TASKS_REDIS_CLOSED) {
        ngx_http_tasks_redis_flush(redis);

    } else if (!redis->retry.timer_set) {
        ngx_http_tasks_redis_connect(redis);
    }
}


static void
ngx_http_tasks_redis_take(ngx_http_tasks_redis_t *redis,
    ngx_http_tasks_op_t *op)
{
    *redis->last_out = op->out.head;
    redis->last_out = &op->out.tail->next;

    op->sent = 1;
    ngx_queue_insert_tail(&redis->sent, &op->queue);
}


void
ngx_http_tasks_redis_flush(ngx_http_tasks_redis_t *redis)
{
    ngx_queue_t          *q;
    ngx_connection_t     *c;
    ngx_http_tasks_op_t  *op;

    c = redis->peer.connection;

    if (redis->broken) {
        return;
    }

    if (redis->state == NGX_HTTP_TASKS_REDIS_HANDSHAKE) {
        op = redis->handshake;

        if (op->out.failed) {
            ngx_http_tasks_redis_break(redis, NGX_ENOMEM);
            return;
        }

        if (!op->sent && op->handler) {
            redis->pending++;
            redis->counts->pending++;
            ngx_http_tasks_redis_take(redis, op);
        }

    } else if (redis->state == NGX_HTTP_TASKS_REDIS_READY) {

        while (!ngx_queue_empty(&redis->waiting)) {
            q = ngx_queue_head(&redis->waiting);
            ngx_queue_remove(q);

            op = ngx_queue_data(q, ngx_http_tasks_op_t, queue);
            op->waiting = 0;
            ngx_http_tasks_redis_take(redis, op);
        }

        redis->batch = 0;

    } else {
        return;
    }

    if (redis->state == NGX_HTTP_TASKS_REDIS_READY) {
        ngx_http_tasks_redis_watch(redis);
    }

    if (redis->out == NULL || !c->write->ready) {
        return;
    }

    redis->out = c->send_chain(c, redis->out, 0);

    if (redis->out == NGX_CHAIN_ERROR) {
        redis->out = NULL;
        ngx_http_tasks_redis_break(redis, ngx_socket_errno);
        return;
    }

    if (redis->out == NULL) {
        redis->last_out = &redis->out;
    }

    if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
        ngx_http_tasks_redis_break(redis, 0);
    }
}


/* Fails the connection, later: whoever writes must not be called back. */

static void
ngx_http_tasks_redis_break(ngx_http_tasks_redis_t *redis, ngx_err_t err)
{
    redis->broken = 1;
    redis->error = err;

    ngx_post_event(&redis->flush, &ngx_posted_events);
}


/* Reading. */

static void
ngx_http_tasks_redis_read_handler(ngx_event_t *rev)
{
    ngx_int_t                rc;
    ngx_connection_t        *c;
    ngx_http_tasks_redis_t  *redis;

    c = rev->data;
    redis = c->data;

    if (c->close && redis->live == 0) {
        ngx_http_tasks_redis_quit(redis);
        return;
    }

    if (rev->timedout) {
        rev->timedout = 0;
        ngx_http_tasks_redis_stalled(redis);
        return;
    }

    if (redis->state == NGX_HTTP_TASKS_REDIS_CONNECTING) {
        /* the write handler finds out how the connecting went */
        return;
    }

    rc = ngx_http_tasks_redis_read(redis);

    if (rc == NGX_OK && redis->fault == NULL) {

        if (redis->state == NGX_HTTP_TASKS_REDIS_READY) {
            ngx_http_tasks_redis_watch(redis);
        }

        if (ngx_exiting) {
            ngx_post_event(&redis->flush, &ngx_posted_events);
        }

        return;
    }

    ngx_http_tasks_redis_fail(redis, redis->fault ? redis->fault : "lost",
                              rc == NGX_ERROR ? ngx_socket_errno : 0);
}


/*
 * While replies are due, some bytes must come within the timeout; else the
 * peer is stuck, or the way to it is.  This is the connection's own timer, as
 * those who wait for the replies may all have gone.
 */
static void
ngx_http_tasks_redis_watch(ngx_http_tasks_redis_t *redis)
{
    ngx_event_t  *rev;

    rev = redis->peer.connection->read;

    if (ngx_queue_empty(&redis->sent)) {

        if (rev->timer_set) {
            ngx_del_timer(rev);
        }

    } else if (!rev->timer_set) {
        redis->last_read = ngx_current_msec;
        ngx_add_timer(rev, redis->conf->timeout);
    }
}


/* The timer is not moved by each read: it looks when the last one was. */

static void
ngx_http_tasks_redis_stalled(ngx_http_tasks_redis_t *redis)
{
    ngx_msec_t  quiet;

    quiet = ngx_current_msec - redis->last_read;

    if (quiet < redis->conf->timeout) {
        ngx_add_timer(redis->peer.connection->read,
                      redis->conf->timeout - quiet);
        return;
    }

    ngx_http_tasks_redis_fail(redis, "does not answer", NGX_ETIMEDOUT);
}


/*
 * Reads what there is and completes operations.  NGX_OK: the connection goes
 * on unless redis->fault is set; NGX_DONE: its end; NGX_ERROR: errno tells.
 */
static ngx_int_t
ngx_http_tasks_redis_read(ngx_http_tasks_redis_t *redis)
{
    u_char            *p, *last;
    size_t             size;
    ssize_t            n;
    ngx_connection_t  *c;

    static u_char      buf[NGX_HTTP_TASKS_READ_SIZE];

    c = redis->peer.connection;

    do {
        n = c->recv(c, buf, NGX_HTTP_TASKS_READ_SIZE);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n == NGX_ERROR || n == 0) {
            return n ? NGX_ERROR : NGX_DONE;
        }

        redis->last_read = ngx_current_msec;

        for (p = buf, last = buf + n; p < last; p += size) {
            size = ngx_min(last - p, NGX_HTTP_TASKS_FEED_SIZE);

            if (ngx_http_tasks_redis_take_in(redis, p, size) != NGX_OK) {
                return NGX_OK;
            }
        }

    } while (c->read->ready);

    return ngx_handle_read_event(c->read, 0) == NGX_OK ? NGX_OK : NGX_ERROR;
}


/* NGX_ERROR: redis->fault tells. */

static ngx_int_t
ngx_http_tasks_redis_take_in(ngx_http_tasks_redis_t *redis, u_char *buf,
    size_t len)
{
    ngx_int_t             rc;
    ngx_http_tasks_op_t  *op;

    if (ngx_http_tasks_reply_feed(redis, buf, len) != NGX_OK) {
        return NGX_ERROR;
    }

    while ((rc = ngx_http_tasks_reply_next(redis)) == NGX_OK) {
        op = ngx_http_tasks_redis_current(redis);

        if (op->nreplies < op->ncommands) {
            continue;
        }

        if (!ngx_http_tasks_op_written(op)) {
            redis->fault = "answered before it was asked";
            return NGX_ERROR;
        }

        ngx_http_tasks_op_unlink(op);
        ngx_http_tasks_op_finish(op, op->too_large
                                     ? NGX_HTTP_TASKS_OP_TOO_LARGE
                                     : NGX_HTTP_TASKS_OP_OK);

        if (redis->fault) {
            return NGX_ERROR;
        }
    }

    return rc == NGX_AGAIN ? NGX_OK : NGX_ERROR;
}


void
ngx_http_tasks_redis_close(ngx_http_tasks_redis_t *redis)
{
    redis->state = NGX_HTTP_TASKS_REDIS_CLOSED;
    redis->fault = NULL;
    redis->broken = 0;
    redis->out = NULL;
    redis->last_out = &redis->out;

    if (redis->handshake) {
        if (redis->handshake->sent) {
            ngx_http_tasks_op_unlink(redis->handshake);
        }

        ngx_http_tasks_op_release(redis->handshake);
        redis->handshake = NULL;
    }

    if (redis->reader) {
        ngx_http_tasks_reply_reader_free(redis->reader);
        redis->reader = NULL;
    }

    if (redis->peer.connection) {
        ngx_close_connection(redis->peer.connection);
        redis->peer.connection = NULL;
    }
}


/* A worker that quits waits for no reply that nobody else waits for. */

static void
ngx_http_tasks_redis_quit(ngx_http_tasks_redis_t *redis)
{
    ngx_http_tasks_op_t  *op;

    ngx_http_tasks_redis_close(redis);
    ngx_http_tasks_status_connection(redis, NGX_HTTP_TASKS_CONNECTION_NONE);

    while (!ngx_queue_empty(&redis->sent)) {
        op = ngx_http_tasks_redis_current(redis);
        ngx_http_tasks_op_unlink(op);
        ngx_http_tasks_op_finish(op, NGX_HTTP_TASKS_OP_UNAVAILABLE);
    }
}


void
ngx_http_tasks_redis_fail(ngx_http_tasks_redis_t *redis, const char *what,
    ngx_err_t err)
{
    ngx_msec_t            delay;
    ngx_uint_t            level, ready, sound;
    ngx_queue_t           failed, *q;
    ngx_http_tasks_op_t  *op;

    ready = (redis->state == NGX_HTTP_TASKS_REDIS_READY);
    sound = (ready && ngx_current_msec - redis->ready_at
                      > NGX_HTTP_TASKS_REDIS_SOUND);

    /* what greets well but then breaks may do so often: told once a second */

    if (redis->failures == 0) {
        level = (ready && redis->lost_at == ngx_time()) ? NGX_LOG_INFO
                                                        : NGX_LOG_ERR;

        ngx_log_error(level, redis->log, err,
                      "tasks store \"%V\": %V: %s%s", &redis->conf->name,
                      redis->peer.name, what,
                      ready ? "; connecting again"
                            : "; requests are refused until it is back");
    }

    if (ready) {
        redis->lost_at = ngx_time();
    }

    ngx_http_tasks_redis_close(redis);

    ngx_queue_init(&failed);

    while (!ngx_queue_empty(&redis->sent)) {
        q = ngx_queue_last(&redis->sent);
        ngx_queue_remove(q);

        op = ngx_queue_data(q, ngx_http_tasks_op_t, queue);
        op->sent = 0;
        op->waiting = 1;

        if (op->handler && !op->once && !op->resent && !op->too_large) {
            op->resent = 1;
            ngx_http_tasks_op_rewind(op);
            ngx_queue_insert_head(&redis->waiting, q);

        } else {
            ngx_queue_insert_head(&failed, q);
        }
    }

    ngx_http_tasks_status_connection(redis, ready
                                     ? NGX_HTTP_TASKS_CONNECTION_CONNECTING
                                     : NGX_HTTP_TASKS_CONNECTION_DOWN);

    if (!ready) {
        redis->failures++;
        redis->counts->failures++;
        redis->addr = (redis->addr + 1) % redis->conf->naddrs;

        while (!ngx_queue_empty(&redis->waiting)) {
            q = ngx_queue_head(&redis->waiting);
            ngx_queue_remove(q);
            ngx_queue_insert_tail(&failed, q);
        }
    }

    if (sound) {
        ngx_post_event(&redis->flush, &ngx_posted_events);

    } else {
        delay = NGX_HTTP_TASKS_BACKOFF_MIN << ngx_min(redis->failures, 8);
        delay = ngx_min(delay, NGX_HTTP_TASKS_BACKOFF_MAX);
        ngx_add_timer(&redis->retry, delay / 2 + ngx_random() % delay);
    }

    /*
     * Handlers last: they may start operations, and release others of these,
     * which stay marked as waiting so that they are taken out here as well.
     */

    while (!ngx_queue_empty(&failed)) {
        op = ngx_queue_data(ngx_queue_head(&failed), ngx_http_tasks_op_t,
                            queue);
        ngx_http_tasks_op_unlink(op);
        ngx_http_tasks_op_finish(op, op->too_large
                                     ? NGX_HTTP_TASKS_OP_TOO_LARGE
                                     : NGX_HTTP_TASKS_OP_UNAVAILABLE);
    }
}


static void
ngx_http_tasks_redis_retry_handler(ngx_event_t *ev)
{
    ngx_http_tasks_redis_connect(ev->data);
}
