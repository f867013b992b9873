
/*
 * hiredis parses the stream; the functions here build what it finds, straight
 * in the pool of the operation that the reply is for.  They hold every bound:
 * elements of an array, bytes of an operation, bytes that wait in the reader.
 * What is not as it must be ends the connection, as positions in the stream
 * are all that ties a reply to a request.
 */


#include <ngx_http_tasks_reply.h>
#include <hiredis/hiredis.h>


#if (HIREDIS_MAJOR > 0)
typedef size_t  ngx_http_tasks_reply_count_t;
#else
typedef int     ngx_http_tasks_reply_count_t;
#endif


/* bytes of a line or a length that may wait in front of a reply's data */
#define NGX_HTTP_TASKS_REPLY_LINE  65536


static void *ngx_http_tasks_reply_string(const redisReadTask *task, char *str,
    size_t len);
static void *ngx_http_tasks_reply_array(const redisReadTask *task,
    ngx_http_tasks_reply_count_t n);
static void *ngx_http_tasks_reply_integer(const redisReadTask *task,
    long long n);
static void *ngx_http_tasks_reply_nil(const redisReadTask *task);
static void ngx_http_tasks_reply_free(void *reply);
#if (HIREDIS_MAJOR > 0)
static void *ngx_http_tasks_reply_double(const redisReadTask *task,
    double value, char *str, size_t len);
static void *ngx_http_tasks_reply_bool(const redisReadTask *task, int value);
#endif
static void *ngx_http_tasks_reply_unasked(const redisReadTask *task);
static void ngx_http_tasks_reply_printable(ngx_str_t *text);


static redisReplyObjectFunctions  ngx_http_tasks_reply_functions = {
    .createString = ngx_http_tasks_reply_string,
    .createArray = ngx_http_tasks_reply_array,
    .createInteger = ngx_http_tasks_reply_integer,
    .createNil = ngx_http_tasks_reply_nil,
#if (HIREDIS_MAJOR > 0)
    .createDouble = ngx_http_tasks_reply_double,
    .createBool = ngx_http_tasks_reply_bool,
#endif
    .freeObject = ngx_http_tasks_reply_free
};


/* stands for what nobody waits for any more */
static ngx_http_tasks_reply_t  ngx_http_tasks_reply_dropped;


struct redisReader *
ngx_http_tasks_reply_reader(ngx_http_tasks_redis_t *redis)
{
    redisReader  *reader;

    reader = redisReaderCreateWithFunctions(&ngx_http_tasks_reply_functions);

    if (reader != NULL) {
        reader->privdata = redis;
        /* bytes of an empty buffer that it keeps rather than frees */
        reader->maxbuf = 1024 * 1024;
    }

    return reader;
}


void
ngx_http_tasks_reply_reader_free(struct redisReader *reader)
{
    redisReaderFree(reader);
}


ngx_int_t
ngx_http_tasks_reply_feed(ngx_http_tasks_redis_t *redis, u_char *buf,
    size_t len)
{
    redisReader  *reader;

    reader = redis->reader;

    if (reader->len - reader->pos + len
        > redis->conf->max_reply + NGX_HTTP_TASKS_REPLY_LINE)
    {
        if (!ngx_queue_empty(&redis->sent)) {
            ngx_http_tasks_redis_current(redis)->too_large = 1;
        }

        redis->fault = "sent a value longer than max_reply";
        return NGX_ERROR;
    }

    if (redisReaderFeed(reader, (char *) buf, len) != REDIS_OK) {
        redis->fault = "could not be read: no memory";
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_tasks_reply_next(ngx_http_tasks_redis_t *redis)
{
    void         *reply;
    redisReader  *reader;

    reader = redis->reader;

    if (ngx_queue_empty(&redis->sent)) {

        if (reader->pos != reader->len) {
            redis->fault = "sent what was not asked for";
            return NGX_ERROR;
        }

        return NGX_AGAIN;
    }

    if (redisReaderGetReply(reader, &reply) != REDIS_OK) {

        if (redis->fault == NULL) {
            redis->fault = "does not speak the Redis protocol";
        }

        return NGX_ERROR;
    }

    if (reply == NULL) {
        return NGX_AGAIN;
    }

    ngx_http_tasks_redis_current(redis)->nreplies++;

    return NGX_OK;
}


/*
 * The reply that "task" is: the place of a command's reply or of an element of
 * it, or &ngx_http_tasks_reply_dropped if it is to be parsed and forgotten.
 */
static ngx_http_tasks_reply_t *
ngx_http_tasks_reply_place(const redisReadTask *task, ngx_http_tasks_op_t **op)
{
    ngx_http_tasks_redis_t  *redis;
    ngx_http_tasks_reply_t  *parent;

    redis = task->privdata;
    *op = ngx_http_tasks_redis_current(redis);

    if ((*op)->handler == NULL || (*op)->too_large) {
        return &ngx_http_tasks_reply_dropped;
    }

    if (task->parent == NULL) {
        return &(*op)->replies[(*op)->nreplies];
    }

    parent = task->parent->obj;

    switch (parent->type) {

    case NGX_HTTP_TASKS_REPLY_ARRAY:
        return &parent->u.array.elts[task->idx];

    case NGX_HTTP_TASKS_REPLY_JOINED:
        return parent;

    default:
        return &ngx_http_tasks_reply_dropped;
    }
}


static void *
ngx_http_tasks_reply_string(const redisReadTask *task, char *str, size_t len)
{
    u_char                   *p;
    ngx_http_tasks_op_t      *op;
    ngx_http_tasks_redis_t   *redis;
    ngx_http_tasks_reply_t   *reply;
    ngx_http_tasks_joined_t  *joined;

    redis = task->privdata;

    if (task->type != REDIS_REPLY_STRING && task->type != REDIS_REPLY_STATUS
        && task->type != REDIS_REPLY_ERROR)
    {
        return ngx_http_tasks_reply_unasked(task);
    }

    /* hiredis skips the two bytes after a bulk string without a look */

    if (str[len] != '\r' || str[len + 1] != '\n') {
        redis->fault = "sent a string of another length than it said";
        return NULL;
    }

    reply = ngx_http_tasks_reply_place(task, &op);

    if (reply == &ngx_http_tasks_reply_dropped) {
        return reply;
    }

    op->received += len;

    if (op->received > redis->conf->max_reply) {
        op->too_large = 1;
        return &ngx_http_tasks_reply_dropped;
    }

    if (reply->type == NGX_HTTP_TASKS_REPLY_JOINED && task->parent) {

        if (task->type != REDIS_REPLY_STRING) {
            redis->fault = "sent something else where a row was due";
            return NULL;
        }

        joined = reply->u.joined;

        p = ngx_http_tasks_writer_room(&joined->writer, len + 1);
        if (p == NULL) {
            return NULL;
        }

        if (joined->strings++) {
            *p++ = joined->separator;
        }

        ngx_memcpy(p, str, len);

        if (joined->separator == LF) {
            ngx_http_tasks_one_line(p, len);
        }

        ngx_http_tasks_writer_took(&joined->writer, p + len);

        return reply;
    }

    switch (task->type) {

    case REDIS_REPLY_STATUS:
        reply->type = NGX_HTTP_TASKS_REPLY_STATUS;
        break;

    case REDIS_REPLY_ERROR:
        reply->type = NGX_HTTP_TASKS_REPLY_ERROR;
        break;

    default:
        reply->type = NGX_HTTP_TASKS_REPLY_STRING;
        break;
    }

    reply->u.str.len = len;
    reply->u.str.data = ngx_pnalloc(op->pool, len + 1);

    if (reply->u.str.data == NULL) {
        return NULL;
    }

    ngx_memcpy(reply->u.str.data, str, len);

    if (reply->type == NGX_HTTP_TASKS_REPLY_ERROR) {
        ngx_http_tasks_reply_printable(&reply->u.str);
    }

    return reply;
}


/* An error goes to the log: as one line, with nothing in it for terminals. */

static void
ngx_http_tasks_reply_printable(ngx_str_t *text)
{
    size_t  i;

    for (i = 0; i < text->len; i++) {
        if (text->data[i] < 0x20 || text->data[i] == 0x7f) {
            text->data[i] = ' ';
        }
    }
}


static void *
ngx_http_tasks_reply_array(const redisReadTask *task,
    ngx_http_tasks_reply_count_t n)
{
    ngx_http_tasks_op_t      *op;
    ngx_http_tasks_due_t     *due;
    ngx_http_tasks_redis_t   *redis;
    ngx_http_tasks_reply_t   *reply;
    ngx_http_tasks_joined_t  *joined;

    redis = task->privdata;

    if (task->type != REDIS_REPLY_ARRAY) {
        return ngx_http_tasks_reply_unasked(task);
    }

    reply = ngx_http_tasks_reply_place(task, &op);

    if (op->nreplies >= op->ncommands || task->parent != NULL
        || (ngx_uint_t) n > op->due[op->nreplies].max)
    {
        redis->fault = "sent an array larger or deeper than was asked for";
        return NULL;
    }

    if (reply == &ngx_http_tasks_reply_dropped) {
        return reply;
    }

    due = &op->due[op->nreplies];

    if (due->join) {
        joined = ngx_palloc(op->pool, sizeof(ngx_http_tasks_joined_t));
        if (joined == NULL) {
            return NULL;
        }

        joined->separator = (u_char) due->join;
        joined->strings = 0;
        joined->nils = 0;
        ngx_http_tasks_writer_init(&joined->writer, op->pool, 8192);

        reply->type = NGX_HTTP_TASKS_REPLY_JOINED;
        reply->u.joined = joined;

        return reply;
    }

    reply->type = NGX_HTTP_TASKS_REPLY_ARRAY;
    reply->u.array.nelts = n;
    reply->u.array.elts = ngx_pcalloc(op->pool,
                                   (n + 1) * sizeof(ngx_http_tasks_reply_t));

    return reply->u.array.elts ? reply : NULL;
}


static void *
ngx_http_tasks_reply_integer(const redisReadTask *task, long long n)
{
    ngx_http_tasks_op_t     *op;
    ngx_http_tasks_redis_t  *redis;
    ngx_http_tasks_reply_t  *reply;

    redis = task->privdata;

    reply = ngx_http_tasks_reply_place(task, &op);

    if (reply == &ngx_http_tasks_reply_dropped) {
        return reply;
    }

    if (reply->type == NGX_HTTP_TASKS_REPLY_JOINED && task->parent) {
        redis->fault = "sent something else where a row was due";
        return NULL;
    }

    reply->type = NGX_HTTP_TASKS_REPLY_INTEGER;
    reply->u.integer = n;

    return reply;
}


static void *
ngx_http_tasks_reply_nil(const redisReadTask *task)
{
    ngx_http_tasks_op_t     *op;
    ngx_http_tasks_reply_t  *reply;

    reply = ngx_http_tasks_reply_place(task, &op);

    if (reply == &ngx_http_tasks_reply_dropped) {
        return reply;
    }

    if (reply->type == NGX_HTTP_TASKS_REPLY_JOINED && task->parent) {
        reply->u.joined->nils++;
        return reply;
    }

    reply->type = NGX_HTTP_TASKS_REPLY_NIL;

    return reply;
}


#if (HIREDIS_MAJOR > 0)

static void *
ngx_http_tasks_reply_double(const redisReadTask *task, double value, char *str,
    size_t len)
{
    (void) value;
    (void) str;
    (void) len;

    return ngx_http_tasks_reply_unasked(task);
}


static void *
ngx_http_tasks_reply_bool(const redisReadTask *task, int value)
{
    (void) value;

    return ngx_http_tasks_reply_unasked(task);
}

#endif


/*
 * A type of RESP3, which nobody has asked for.  hiredis 1.x knows them, and
 * leaves out what there is no function for, as if nil had been sent.
 */
static void *
ngx_http_tasks_reply_unasked(const redisReadTask *task)
{
    ngx_http_tasks_redis_t  *redis;

    redis = task->privdata;
    redis->fault = "sent a type of another protocol than was asked for";

    return NULL;
}


static void
ngx_http_tasks_reply_free(void *reply)
{
    /* all of it is in the operation's pool */
    (void) reply;
}


ngx_uint_t
ngx_http_tasks_reply_is_error(const ngx_http_tasks_reply_t *reply,
    const char *prefix)
{
    size_t  len;

    len = ngx_strlen(prefix);

    return reply->type == NGX_HTTP_TASKS_REPLY_ERROR
           && reply->u.str.len >= len
           && ngx_strncmp(reply->u.str.data, prefix, len) == 0;
}
