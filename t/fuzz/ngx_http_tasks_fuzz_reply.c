
/*
 * Bytes from Redis.  An input is a byte for the operations that are due, one
 * for the size of the pieces in which the rest, the stream, comes.  hiredis by
 * itself reads the same stream: what the module took must be what it says.
 */


#include <ngx_http_tasks_handler.h>
#include <ngx_http_tasks_reply.h>
#include <ngx_http_tasks_op.h>
#include <ngx_http_tasks_fuzz.h>
#include <hiredis/hiredis.h>
#include <jansson.h>


#define NGX_HTTP_TASKS_FUZZ_MAX_REPLY  1024
#define NGX_HTTP_TASKS_FUZZ_OPS        4


static ngx_int_t ngx_http_tasks_fuzz_reply_init(ngx_conf_t *cf,
    ngx_str_t *args, ngx_uint_t nargs);
static void ngx_http_tasks_fuzz_reply_run(const u_char *data, size_t size);
static ngx_http_tasks_op_t *ngx_http_tasks_fuzz_op(
    ngx_http_tasks_redis_t *redis, ngx_uint_t kind);
static ngx_int_t ngx_http_tasks_fuzz_reply_take(ngx_http_tasks_redis_t *redis);
static void ngx_http_tasks_fuzz_reply_compare(ngx_http_tasks_op_t *op,
    redisReader *other);
static void ngx_http_tasks_fuzz_reply_equal(ngx_http_tasks_reply_t *reply,
    redisReply *expected);
static void ngx_http_tasks_fuzz_reply_joined(
    ngx_http_tasks_joined_t *joined, redisReply *expected);
static ngx_uint_t ngx_http_tasks_fuzz_is_json(u_char *text, size_t len,
    size_t *n);
static void ngx_http_tasks_fuzz_op_handler(ngx_http_tasks_op_t *op);


ngx_http_tasks_fuzz_unit_t  ngx_http_tasks_fuzz_reply = {
    "reply",
    ngx_http_tasks_fuzz_reply_init,
    ngx_http_tasks_fuzz_reply_run
};


static ngx_http_tasks_redis_conf_t  ngx_http_tasks_fuzz_conf;


static ngx_int_t
ngx_http_tasks_fuzz_reply_init(ngx_conf_t *cf, ngx_str_t *args,
    ngx_uint_t nargs)
{
    (void) cf;
    (void) args;
    (void) nargs;

    ngx_http_tasks_fuzz_conf.max_reply = NGX_HTTP_TASKS_FUZZ_MAX_REPLY;

    return NGX_OK;
}


static void
ngx_http_tasks_fuzz_reply_run(const u_char *data, size_t size)
{
    u_char                  *piece;
    size_t                   len, step;
    ngx_int_t                rc;
    ngx_uint_t               i;
    redisReader             *other;
    ngx_http_tasks_op_t     *op[NGX_HTTP_TASKS_FUZZ_OPS];
    ngx_http_tasks_redis_t   redis;

    if (size < 2) {
        return;
    }

    ngx_memzero(&redis, sizeof(ngx_http_tasks_redis_t));

    redis.conf = &ngx_http_tasks_fuzz_conf;
    redis.log = ngx_cycle->log;
    redis.reader = ngx_http_tasks_reply_reader(&redis);
    ngx_queue_init(&redis.sent);

    for (i = 0; i < NGX_HTTP_TASKS_FUZZ_OPS; i++) {
        op[i] = ngx_http_tasks_fuzz_op(&redis, (data[0] >> (2 * i)) & 3);
        ngx_queue_insert_tail(&redis.sent, &op[i]->queue);
    }

    step = data[1] ? data[1] : size;
    data += 2;
    size -= 2;

    other = redisReaderCreate();
    redisReaderFeed(other, (char *) data, size);

    rc = NGX_OK;

    for ( /* void */ ; size && rc != NGX_ERROR; size -= len, data += len) {

        len = ngx_min(step, size);
        piece = malloc(len);
        ngx_memcpy(piece, data, len);

        rc = ngx_http_tasks_reply_feed(&redis, piece, len);
        free(piece);

        if (rc == NGX_OK) {
            rc = ngx_http_tasks_fuzz_reply_take(&redis);
        }
    }

    /* "no memory" has no fault of its own, and is none here */

    ngx_http_tasks_fuzz_check((rc == NGX_ERROR) == (redis.fault != NULL));

    for (i = 0; i < NGX_HTTP_TASKS_FUZZ_OPS; i++) {
        ngx_http_tasks_fuzz_reply_compare(op[i], other);
        ngx_destroy_pool(op[i]->pool);
    }

    ngx_http_tasks_reply_reader_free(redis.reader);
    redisReaderFree(other);
}


/* The kinds: what get and cancel, list, and NDJSON wait for; nobody waits. */

static ngx_http_tasks_op_t *
ngx_http_tasks_fuzz_op(ngx_http_tasks_redis_t *redis, ngx_uint_t kind)
{
    ngx_http_tasks_op_t  *op;

    op = ngx_http_tasks_op_create(redis, NGX_HTTP_TASKS_OP_SIZE);

    ngx_http_tasks_fuzz_check(op != NULL);
    ngx_http_tasks_fuzz_separate(op->pool);
    ngx_http_tasks_fuzz_check(ngx_http_tasks_op_fill(op, 3) == NGX_OK);

    op->handler = kind == 3 ? NULL : ngx_http_tasks_fuzz_op_handler;

    switch (kind) {

    case 0:
        ngx_http_tasks_op_command(op, 1, 6, 0);
        ngx_http_tasks_op_command(op, 1, 0, 0);
        break;

    case 2:
        ngx_http_tasks_op_command(op, 1, 2, 0);
        ngx_http_tasks_op_command(op, 1, 16, LF);
        ngx_http_tasks_op_command(op, 1, 1, 0);
        break;

    default:
        ngx_http_tasks_op_command(op, 1, 2, 0);
        ngx_http_tasks_op_command(op, 1, 16, ',');
        ngx_http_tasks_op_command(op, 1, 1, 0);
    }

    return op;
}


/* As the client does when bytes have come. */

static ngx_int_t
ngx_http_tasks_fuzz_reply_take(ngx_http_tasks_redis_t *redis)
{
    ngx_int_t             rc;
    ngx_http_tasks_op_t  *op;

    while ((rc = ngx_http_tasks_reply_next(redis)) == NGX_OK) {

        op = ngx_http_tasks_redis_current(redis);
        ngx_http_tasks_fuzz_check(op->nreplies <= op->ncommands);

        if (op->nreplies == op->ncommands) {
            ngx_queue_remove(&op->queue);
        }
    }

    return rc;
}


static void
ngx_http_tasks_fuzz_op_handler(ngx_http_tasks_op_t *op)
{
    (void) op;
}


/* Of an operation without a handler, or too large, replies were dropped. */

static void
ngx_http_tasks_fuzz_reply_compare(ngx_http_tasks_op_t *op, redisReader *other)
{
    void                    *expected;
    ngx_uint_t               i;
    ngx_http_tasks_reply_t  *reply;

    for (i = 0; i < op->nreplies; i++) {

        ngx_http_tasks_fuzz_check(redisReaderGetReply(other, &expected)
                                  == REDIS_OK && expected != NULL);

        reply = &op->replies[i];

        if (op->handler && !op->too_large) {

            if (reply->type == NGX_HTTP_TASKS_REPLY_JOINED) {
                ngx_http_tasks_fuzz_reply_joined(reply->u.joined, expected);
            } else {
                ngx_http_tasks_fuzz_reply_equal(reply, expected);
            }
        }

        freeReplyObject(expected);
    }

    ngx_http_tasks_fuzz_check(op->too_large
                         || op->received <= NGX_HTTP_TASKS_FUZZ_MAX_REPLY);
}


static void
ngx_http_tasks_fuzz_reply_equal(ngx_http_tasks_reply_t *reply,
    redisReply *expected)
{
    signed char  c;
    ngx_uint_t   i;

    static int  types[] = {
        REDIS_REPLY_NIL, REDIS_REPLY_INTEGER, REDIS_REPLY_STRING,
        REDIS_REPLY_STATUS, REDIS_REPLY_ERROR, REDIS_REPLY_ARRAY
    };

    ngx_http_tasks_fuzz_check(reply->type < NGX_HTTP_TASKS_REPLY_JOINED
                              && types[reply->type] == expected->type);

    switch (reply->type) {

    case NGX_HTTP_TASKS_REPLY_NIL:
        break;

    case NGX_HTTP_TASKS_REPLY_INTEGER:
        ngx_http_tasks_fuzz_check(reply->u.integer == expected->integer);
        break;

    case NGX_HTTP_TASKS_REPLY_ARRAY:
        ngx_http_tasks_fuzz_check(reply->u.array.nelts == expected->elements);

        for (i = 0; i < reply->u.array.nelts; i++) {
            ngx_http_tasks_fuzz_reply_equal(&reply->u.array.elts[i],
                                            expected->element[i]);
        }

        break;

    case NGX_HTTP_TASKS_REPLY_ERROR:
        for (i = 0; i < (ngx_uint_t) expected->len; i++) {
            c = expected->str[i];
            expected->str[i] = ((c >= 0 && c < ' ') || c == 0x7f) ? ' ' : c;
        }

        /* fall through */

    default:
        ngx_http_tasks_fuzz_check(reply->u.str.len == (size_t) expected->len
                                  && ngx_memcmp(reply->u.str.data,
                                                expected->str, expected->len)
                                     == 0);
    }
}


/* Rows that are JSON make a list that is JSON, of as many of them. */

static void
ngx_http_tasks_fuzz_reply_joined(ngx_http_tasks_joined_t *joined,
    redisReply *expected)
{
    u_char       *p, *row, *q;
    size_t        i, n, strings;
    ngx_uint_t    valid;
    ngx_chain_t  *cl;

    /* the strings, a separator each, and brackets */
    static u_char  buf[NGX_HTTP_TASKS_FUZZ_MAX_REPLY + 64];

    p = buf;
    *p++ = '[';

    for (cl = joined->writer.head; cl; cl = cl->next) {
        p = ngx_cpymem(p, cl->buf->pos, cl->buf->last - cl->buf->pos);
    }

    ngx_http_tasks_fuzz_check((size_t) (p - buf - 1) == joined->writer.size);
    ngx_http_tasks_fuzz_check(expected->type == REDIS_REPLY_ARRAY);
    ngx_http_tasks_fuzz_check(joined->strings + joined->nils
                              == expected->elements);

    row = buf + 1;
    strings = 0;
    valid = 1;

    for (i = 0; i < expected->elements; i++) {

        if (expected->element[i]->type == REDIS_REPLY_NIL) {
            continue;
        }

        ngx_http_tasks_fuzz_check(strings++ == 0
                                  || *row++ == joined->separator);

        n = expected->element[i]->len;
        q = (u_char *) expected->element[i]->str;

        valid &= ngx_http_tasks_fuzz_is_json(q, n, NULL);

        if (joined->separator == LF) {
            ngx_http_tasks_one_line(q, n);
            ngx_http_tasks_fuzz_check(memchr(q, LF, n) == NULL);
        }

        ngx_http_tasks_fuzz_check(row + n <= p && ngx_memcmp(row, q, n) == 0);

        row += n;
    }

    ngx_http_tasks_fuzz_check(row == p && strings == joined->strings);

    if (valid && joined->separator == ',') {
        *p++ = ']';
        ngx_http_tasks_fuzz_check(ngx_http_tasks_fuzz_is_json(buf, p - buf,
                                                              &n)
                                  && n == strings);
    }
}


/* "n" gets the number of elements of an array. */

static ngx_uint_t
ngx_http_tasks_fuzz_is_json(u_char *text, size_t len, size_t *n)
{
    json_t  *json;

    json = json_loadb((char *) text, len, n ? 0 : JSON_DECODE_ANY, NULL);

    if (json == NULL) {
        return 0;
    }

    if (n) {
        *n = json_array_size(json);
    }

    json_decref(json);

    return 1;
}
