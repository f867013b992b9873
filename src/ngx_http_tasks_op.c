
/*
 * Operations: filling, starting and ending them.
 *
 * Commands are encoded here rather than by redisFormatCommandArgv(): that one
 * wants its arguments in arrays, allocates the command and calls sprintf() for
 * each argument, of which a list has 50.
 */


#include <ngx_http_tasks_op.h>


/* bytes around an argument: its length and two line ends */
#define NGX_HTTP_TASKS_REDIS_FRAME  (1 + NGX_SIZE_T_LEN + 2 + 2)


/*
 * bytes of commands that are worth a write of their own: 8 lists or 30 gets;
 * less of them wakes Redis too often, more has it wait
 */
#define NGX_HTTP_TASKS_OP_BATCH     6144


static u_char *ngx_http_tasks_op_length(u_char *p, u_char type, size_t n);
static void ngx_http_tasks_op_retire(ngx_http_tasks_op_t *op);
static void ngx_http_tasks_op_timeout(ngx_event_t *ev);


ngx_http_tasks_op_t *
ngx_http_tasks_op_create(ngx_http_tasks_redis_t *redis, size_t size)
{
    ngx_pool_t           *pool;
    ngx_http_tasks_op_t  *op;

    pool = ngx_create_pool(size, redis->log);
    if (pool == NULL) {
        return NULL;
    }

    op = ngx_pcalloc(pool, sizeof(ngx_http_tasks_op_t));
    if (op == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    op->pool = pool;
    op->redis = redis;

    op->timer.handler = ngx_http_tasks_op_timeout;
    op->timer.data = op;
    op->timer.log = redis->log;

    return op;
}


ngx_int_t
ngx_http_tasks_op_renew(ngx_http_tasks_op_t **op)
{
    ngx_http_tasks_op_t  *fresh;

    fresh = ngx_http_tasks_op_create((*op)->redis, NGX_HTTP_TASKS_OP_SIZE);
    if (fresh == NULL) {
        return NGX_ERROR;
    }

    fresh->deadline = (*op)->deadline;
    fresh->once = (*op)->once;

    ngx_http_tasks_op_release(*op);
    *op = fresh;

    return NGX_OK;
}


ngx_int_t
ngx_http_tasks_op_fill(ngx_http_tasks_op_t *op, ngx_uint_t n)
{
    if (n > op->max_commands) {
        op->due = ngx_palloc(op->pool, n * sizeof(ngx_http_tasks_due_t));
        op->replies = ngx_palloc(op->pool,
                                 n * sizeof(ngx_http_tasks_reply_t));

        if (op->due == NULL || op->replies == NULL) {
            return NGX_ERROR;
        }

        op->max_commands = n;
    }

    ngx_memzero(op->replies, n * sizeof(ngx_http_tasks_reply_t));
    ngx_http_tasks_writer_init(&op->out, op->pool, 1024);

    op->ncommands = 0;
    op->nreplies = 0;
    op->received = 0;
    op->resent = 0;

    return NGX_OK;
}


void
ngx_http_tasks_op_command(ngx_http_tasks_op_t *op, ngx_uint_t argc,
    ngx_uint_t max, ngx_uint_t join)
{
    u_char  *p;

    if (op->ncommands == op->max_commands) {
        ngx_log_error(NGX_LOG_ALERT, op->redis->log, 0,
                      "tasks store \"%V\": a fault of the module: more than "
                      "%ui commands in an operation; the request fails",
                      &op->redis->conf->name, op->max_commands);
        op->out.failed = 1;
        return;
    }

    op->due[op->ncommands].max = max;
    op->due[op->ncommands].join = join;
    op->ncommands++;

    p = ngx_http_tasks_writer_room(&op->out, NGX_HTTP_TASKS_REDIS_FRAME);

    if (p) {
        ngx_http_tasks_writer_took(&op->out,
                                   ngx_http_tasks_op_length(p, '*', argc));
    }
}


/* A list has 50 of these: one piece of room each, written in one go. */

void
ngx_http_tasks_op_arg(ngx_http_tasks_op_t *op, const u_char *data, size_t len)
{
    u_char  *p;

    p = ngx_http_tasks_writer_room(&op->out,
                                   len + NGX_HTTP_TASKS_REDIS_FRAME);

    if (p) {
        p = ngx_http_tasks_op_length(p, '$', len);
        p = ngx_cpymem(p, data, len);
        *p++ = CR;
        *p++ = LF;
        ngx_http_tasks_writer_took(&op->out, p);
    }
}


void
ngx_http_tasks_op_key(ngx_http_tasks_op_t *op, const ngx_str_t *base,
    const ngx_str_t *rest)
{
    u_char  *p;

    p = ngx_http_tasks_writer_room(&op->out, base->len + rest->len
                                             + NGX_HTTP_TASKS_REDIS_FRAME);

    if (p) {
        p = ngx_http_tasks_op_length(p, '$', base->len + rest->len);
        p = ngx_cpymem(p, base->data, base->len);
        p = ngx_cpymem(p, rest->data, rest->len);
        *p++ = CR;
        *p++ = LF;
        ngx_http_tasks_writer_took(&op->out, p);
    }
}


void
ngx_http_tasks_op_integer(ngx_http_tasks_op_t *op, int64_t n)
{
    u_char  buf[NGX_INT64_LEN], *last;

    last = ngx_sprintf(buf, "%L", n);
    ngx_http_tasks_op_arg(op, buf, last - buf);
}


static u_char *
ngx_http_tasks_op_length(u_char *p, u_char type, size_t n)
{
    u_char  digits[NGX_SIZE_T_LEN], *d;

    *p++ = type;

    if (n < 10) {
        *p++ = (u_char) ('0' + n);         /* most ids and names are short */

    } else {
        d = digits + NGX_SIZE_T_LEN;

        do {
            *--d = (u_char) ('0' + n % 10);
            n /= 10;
        } while (n);

        p = ngx_cpymem(p, d, digits + NGX_SIZE_T_LEN - d);
    }

    *p++ = CR;
    *p++ = LF;

    return p;
}


ngx_int_t
ngx_http_tasks_op_start(ngx_http_tasks_op_t *op, ngx_http_tasks_op_pt handler)
{
    ngx_msec_int_t           left;
    ngx_http_tasks_redis_t  *redis;

    redis = op->redis;

    if (op->out.failed || op->ncommands == 0) {
        return NGX_ERROR;
    }

    if (redis->state != NGX_HTTP_TASKS_REDIS_READY && redis->failures) {
        return NGX_DECLINED;
    }

    if (redis->pending >= redis->conf->max_pending) {

        if (!redis->full) {
            redis->full = 1;
            ngx_log_error(NGX_LOG_WARN, redis->log, 0,
                          "tasks store \"%V\": %ui operations are pending, "
                          "more are refused: is Redis slow, or are "
                          "max_pending and connections too low?",
                          &redis->conf->name, redis->pending);
        }

        return NGX_DECLINED;
    }

    if (redis->full && redis->pending < redis->conf->max_pending / 2) {
        redis->full = 0;                   /* to be told again */
    }

    if (op->deadline == 0) {
        op->deadline = ngx_current_msec + redis->conf->timeout;
    }

    left = (ngx_msec_int_t) (op->deadline - ngx_current_msec);
    ngx_add_timer(&op->timer, (ngx_msec_t) ngx_max(left, 1));

    op->handler = handler;
    op->waiting = 1;
    redis->live++;
    redis->pending++;
    redis->counts->pending++;
    ngx_queue_insert_tail(&redis->waiting, &op->queue);

    /*
     * What one turn of the event loop asks for leaves in one write, or in a
     * few if it is much: Redis is then at work while this turn goes on.  Left
     * for its end, both would take turns, each waiting for the other.
     */

    redis->batch += op->out.size;

    if (redis->batch >= NGX_HTTP_TASKS_OP_BATCH
        && redis->state == NGX_HTTP_TASKS_REDIS_READY)
    {
        ngx_http_tasks_redis_flush(redis);

    } else {
        ngx_post_event(&redis->flush, &ngx_posted_events);
    }

    return NGX_OK;
}


void
ngx_http_tasks_op_since(ngx_http_tasks_op_t *op, ngx_msec_t since)
{
    op->deadline = since + op->redis->conf->timeout;

    if (op->deadline == 0) {
        op->deadline = 1;                  /* 0 stands for none */
    }
}


/* Whoever waits for the operation waits no more. */

static void
ngx_http_tasks_op_retire(ngx_http_tasks_op_t *op)
{
    op->handler = NULL;

    if (op->timer.timer_set) {
        ngx_del_timer(&op->timer);
    }

    if (op != op->redis->handshake) {
        op->redis->live--;
    }

    if (ngx_exiting) {
        ngx_post_event(&op->redis->flush, &ngx_posted_events);
    }
}


void
ngx_http_tasks_op_release(ngx_http_tasks_op_t *op)
{
    op->released = 1;

    if (op->handler) {
        ngx_http_tasks_op_retire(op);
    }

    if (op->sent) {
        /* keeps its place, so that its replies are dropped there */
        return;
    }

    if (op->waiting) {
        ngx_http_tasks_op_unlink(op);
    }

    ngx_destroy_pool(op->pool);
}


void
ngx_http_tasks_op_distrust(ngx_http_tasks_op_t *op, const char *fault)
{
    op->redis->fault = fault;
}


/*
 * A sent operation keeps its place.  Others' replies are not given up for it:
 * a slow peer may still send them, and a stuck one is found out by its own
 * timer.
 */
static void
ngx_http_tasks_op_timeout(ngx_event_t *ev)
{
    ngx_http_tasks_op_t  *op;

    op = ev->data;
    op->redis->counts->timeouts++;

    if (op->waiting) {
        ngx_http_tasks_op_unlink(op);
    }

    ngx_http_tasks_op_finish(op, NGX_HTTP_TASKS_OP_TIMEOUT);
}


void
ngx_http_tasks_op_finish(ngx_http_tasks_op_t *op, ngx_http_tasks_op_e status)
{
    ngx_http_tasks_op_pt  handler;

    if (op->released) {
        ngx_destroy_pool(op->pool);
        return;
    }

    handler = op->handler;

    if (handler == NULL) {
        return;
    }

    op->status = status;
    ngx_http_tasks_op_retire(op);

    handler(op);
}


void
ngx_http_tasks_op_unlink(ngx_http_tasks_op_t *op)
{
    ngx_queue_remove(&op->queue);
    op->redis->pending--;
    op->redis->counts->pending--;
    op->waiting = 0;
    op->sent = 0;
}


void
ngx_http_tasks_op_rewind(ngx_http_tasks_op_t *op)
{
    ngx_chain_t  *cl;

    op->out.tail->next = NULL;

    for (cl = op->out.head; cl; cl = cl->next) {
        cl->buf->pos = cl->buf->start;
    }

    ngx_memzero(op->replies, op->ncommands * sizeof(ngx_http_tasks_reply_t));

    op->nreplies = 0;
    op->received = 0;
}


ngx_uint_t
ngx_http_tasks_op_written(ngx_http_tasks_op_t *op)
{
    return op->out.tail->buf->pos == op->out.tail->buf->last;
}
