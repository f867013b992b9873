
/*
 * The handshake of a connection to Redis: what must be answered before any
 * request's command is sent.  AUTH and SELECT first, as a command that went
 * to another database, or as another user, would give wrong data; then what
 * the store wants to ask.
 */


#include <ngx_http_tasks_op.h>
#include <ngx_http_tasks_reply.h>


static ngx_int_t ngx_http_tasks_redis_keepalive(ngx_connection_t *c);
static void ngx_http_tasks_redis_greeted(ngx_http_tasks_op_t *op);
static ngx_int_t ngx_http_tasks_redis_selected(ngx_http_tasks_redis_t *redis,
    ngx_http_tasks_op_t *op, ngx_uint_t n);


void
ngx_http_tasks_redis_greet(ngx_http_tasks_redis_t *redis)
{
    ngx_http_tasks_op_t          *op;
    ngx_http_tasks_redis_conf_t  *conf;

    conf = redis->conf;

    if (redis->peer.sockaddr->sa_family != AF_UNIX
        && (ngx_tcp_nodelay(redis->peer.connection) != NGX_OK
            || ngx_http_tasks_redis_keepalive(redis->peer.connection)
               != NGX_OK))
    {
        ngx_http_tasks_redis_fail(redis, "cannot connect", ngx_socket_errno);
        return;
    }

    redis->reader = ngx_http_tasks_reply_reader(redis);
    op = ngx_http_tasks_op_create(redis, 1024);

    if (redis->reader == NULL || op == NULL
        || ngx_http_tasks_op_fill(op, 2 + conf->greetings) != NGX_OK)
    {
        if (op) {
            ngx_http_tasks_op_release(op);
        }

        ngx_http_tasks_redis_fail(redis, "cannot connect", NGX_ENOMEM);
        return;
    }

    op->handler = ngx_http_tasks_redis_greeted;
    redis->selected = 0;

    if (conf->password.len) {
        ngx_http_tasks_op_command(op, conf->user.len ? 3 : 2, 0, 0);
        ngx_http_tasks_op_literal(op, "AUTH");

        if (conf->user.len) {
            ngx_http_tasks_op_str(op, &conf->user);
        }

        ngx_http_tasks_op_str(op, &conf->password);
    }

    /* also without need: a server that refuses commands is found out here */
    ngx_http_tasks_op_command(op, 2, 0, 0);
    ngx_http_tasks_op_literal(op, "SELECT");
    ngx_http_tasks_op_integer(op, conf->database);

    if (conf->hello && conf->hello(op, conf->data) != NGX_OK) {
        op->out.failed = 1;
    }

    redis->handshake = op;
    redis->state = NGX_HTTP_TASKS_REDIS_HANDSHAKE;

    ngx_http_tasks_redis_flush(redis);
}


/* An idle connection that a firewall forgets is found out before it is used. */

static ngx_int_t
ngx_http_tasks_redis_keepalive(ngx_connection_t *c)
{
    ngx_uint_t  i;

    static const struct {
        int  level;
        int  option;
        int  value;
    } options[] = {
        { SOL_SOCKET, SO_KEEPALIVE, 1 },
#if (NGX_HAVE_KEEPALIVE_TUNABLE)
        { IPPROTO_TCP, TCP_KEEPIDLE, 30 },         /* seconds */
        { IPPROTO_TCP, TCP_KEEPINTVL, 5 },         /* seconds */
        { IPPROTO_TCP, TCP_KEEPCNT, 3 },
#endif
    };

    for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (setsockopt(c->fd, options[i].level, options[i].option,
                       (const void *) &options[i].value, sizeof(int))
            == -1)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void
ngx_http_tasks_redis_greeted(ngx_http_tasks_op_t *op)
{
    ngx_int_t                     rc;
    ngx_uint_t                    first;
    ngx_http_tasks_redis_t       *redis;
    ngx_http_tasks_redis_conf_t  *conf;

    redis = op->redis;
    conf = redis->conf;

    if (op->status != NGX_HTTP_TASKS_OP_OK) {
        /* the connection is being closed and releases the operation */
        return;
    }

    first = redis->selected ? 0 : (conf->password.len ? 2 : 1);
    redis->selected = 1;

    if (ngx_http_tasks_redis_selected(redis, op, first) != NGX_OK) {
        return;
    }

    rc = conf->greeted ? conf->greeted(op, first, conf->data) : NGX_OK;

    if (rc == NGX_AGAIN) {
        op->handler = ngx_http_tasks_redis_greeted;   /* once more */
        ngx_post_event(&redis->flush, &ngx_posted_events);
        return;
    }

    if (rc != NGX_OK) {
        if (redis->fault == NULL) {
            redis->fault = "is not usable yet";
        }

        return;
    }

    ngx_http_tasks_op_release(op);
    redis->handshake = NULL;

    if (redis->failures) {
        ngx_log_error(NGX_LOG_NOTICE, redis->log, 0,
                      "tasks store \"%V\": connected to %V after %ui failures",
                      &conf->name, redis->peer.name, redis->failures);
    }

    ngx_del_timer(redis->peer.connection->write);

    ngx_http_tasks_status_connection(redis, NGX_HTTP_TASKS_CONNECTION_READY);
    redis->counts->reconnects += (redis->ready_at != 0);

    redis->failures = 0;
    redis->ready_at = ngx_current_msec;
    redis->state = NGX_HTTP_TASKS_REDIS_READY;

    ngx_post_event(&redis->flush, &ngx_posted_events);
}


/* The replies to AUTH, if there was one, and SELECT, "n" together. */

static ngx_int_t
ngx_http_tasks_redis_selected(ngx_http_tasks_redis_t *redis,
    ngx_http_tasks_op_t *op, ngx_uint_t n)
{
    ngx_uint_t               i;
    ngx_http_tasks_reply_t  *reply;

    for (i = 0; i < n; i++) {
        reply = &op->replies[i];

        if (reply->type == NGX_HTTP_TASKS_REPLY_STATUS) {
            continue;
        }

        if (reply->type != NGX_HTTP_TASKS_REPLY_ERROR) {
            redis->fault = "does not answer as Redis does";
            return NGX_ERROR;
        }

        /* a user that may only read needs no SELECT for database 0 */

        if (i == n - 1 && redis->conf->database == 0
            && ngx_http_tasks_reply_is_error(reply, "NOPERM"))
        {
            continue;
        }

        if (redis->failures == 0) {
            ngx_log_error(NGX_LOG_ERR, redis->log, 0,
                          "tasks store \"%V\": %V refuses %s: \"%V\"; "
                          "see %s of the store",
                          &redis->conf->name, redis->peer.name,
                          (i < n - 1) ? "AUTH" : "SELECT", &reply->u.str,
                          (i < n - 1
                           || ngx_http_tasks_reply_is_error(reply, "NOAUTH"))
                          ? "user and password_file" : "database");
        }

        redis->fault = "refuses the connection";
        return NGX_ERROR;
    }

    return NGX_OK;
}
