
/*
 * The Redis client of a worker: one pipelined connection, asynchronous.
 */


#ifndef _NGX_HTTP_TASKS_REDIS_H_INCLUDED_
#define _NGX_HTTP_TASKS_REDIS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>
#include <ngx_http_tasks_status.h>
#include <ngx_http_tasks_writer.h>


typedef struct ngx_http_tasks_redis_s  ngx_http_tasks_redis_t;
typedef struct ngx_http_tasks_op_s     ngx_http_tasks_op_t;
typedef struct ngx_http_tasks_reply_s  ngx_http_tasks_reply_t;


typedef enum {
    NGX_HTTP_TASKS_REPLY_NIL = 0,
    NGX_HTTP_TASKS_REPLY_INTEGER,
    NGX_HTTP_TASKS_REPLY_STRING,      /* bulk string */
    NGX_HTTP_TASKS_REPLY_STATUS,
    NGX_HTTP_TASKS_REPLY_ERROR,
    NGX_HTTP_TASKS_REPLY_ARRAY,
    NGX_HTTP_TASKS_REPLY_JOINED
} ngx_http_tasks_reply_e;


/* An array of strings, put straight into buffers. */
typedef struct {
    ngx_http_tasks_writer_t   writer;
    u_char                    separator; /* between two of them */
    ngx_uint_t                strings;
    ngx_uint_t                nils;
} ngx_http_tasks_joined_t;


struct ngx_http_tasks_reply_s {
    ngx_http_tasks_reply_e        type;
    union {
        int64_t                   integer;
        ngx_str_t                 str;       /* also status and error */
        struct {
            ngx_uint_t            nelts;
            ngx_http_tasks_reply_t  *elts;   /* no arrays among them */
        } array;
        ngx_http_tasks_joined_t  *joined;
    } u;
};


/* What is due as the reply to one command. */
typedef struct {
    ngx_uint_t                max;       /* elements of an array, at most */
    ngx_uint_t                join;      /* separator of a joined array of
                                            strings; 0: it is no such array */
} ngx_http_tasks_due_t;


typedef enum {
    NGX_HTTP_TASKS_OP_OK = 0,
    NGX_HTTP_TASKS_OP_UNAVAILABLE,       /* no connection, or it broke */
    NGX_HTTP_TASKS_OP_TIMEOUT,           /* the deadline has passed */
    NGX_HTTP_TASKS_OP_TOO_LARGE          /* replies over max_reply */
} ngx_http_tasks_op_e;


typedef void (*ngx_http_tasks_op_pt)(ngx_http_tasks_op_t *op);


/*
 * An operation: commands that are sent together and whose replies come
 * together.  It may be filled and started again from its handler; the deadline
 * goes on from the first start.
 *
 * Created by a request, which releases it exactly once, at any time; memory of
 * the replies stays until then.  A started operation calls its handler exactly
 * once, never before start returns, and not at all once it is released.
 */
struct ngx_http_tasks_op_s {
    ngx_queue_t               queue;     /* in redis->waiting or ->sent */
    ngx_pool_t               *pool;
    ngx_http_tasks_redis_t   *redis;

    ngx_http_tasks_op_pt      handler;   /* NULL unless it is to be called */
    void                     *data;      /* of the handler */
    ngx_http_tasks_op_e       status;    /* valid when the handler is called */

    ngx_http_tasks_writer_t   out;       /* commands */
    ngx_uint_t                ncommands;
    ngx_uint_t                max_commands;
    ngx_http_tasks_due_t     *due;       /* of each command */
    ngx_http_tasks_reply_t   *replies;   /* of each command */
    ngx_uint_t                nreplies;  /* complete ones */
    size_t                    received;  /* bytes of reply strings */

    ngx_event_t               timer;
    ngx_msec_t                deadline;  /* 0 before the first start */

    unsigned                  once:1;    /* must never be sent twice */
    unsigned                  resent:1;
    unsigned                  waiting:1; /* in redis->waiting */
    unsigned                  sent:1;    /* in redis->sent */
    unsigned                  released:1;
    unsigned                  too_large:1;
};


/* Configuration of a connection; read-only at run time. */
typedef struct {
    ngx_str_t                 name;      /* of the store, for logs */
    ngx_str_t                 user;
    ngx_str_t                 password;
    ngx_int_t                 database;
    ngx_addr_t               *addrs;     /* tried in turn */
    ngx_uint_t                naddrs;
    ngx_msec_t                connect_timeout;   /* and of the handshake */
    ngx_msec_t                timeout;           /* of an operation */
    size_t                    max_reply; /* bytes of replies an operation */
    ngx_uint_t                max_pending;       /* operations */

    /*
     * Called for a new connection.  hello() adds commands to the handshake;
     * greeted() looks at the replies from "first" on and returns NGX_OK (the
     * connection is ready), NGX_AGAIN (it has filled the operation anew) or
     * NGX_ERROR (the store is not usable).
     */
    ngx_int_t               (*hello)(ngx_http_tasks_op_t *op, void *data);
    ngx_int_t               (*greeted)(ngx_http_tasks_op_t *op,
                                       ngx_uint_t first, void *data);
    ngx_uint_t                greetings;     /* commands of a hello, at most */
    void                     *data;
} ngx_http_tasks_redis_conf_t;


struct ngx_http_tasks_redis_s {
    ngx_http_tasks_redis_conf_t  *conf;
    ngx_uint_t                state;
    ngx_uint_t                failures;  /* attempts since last ready */
    ngx_uint_t                addr;      /* index of the address in use */
    ngx_peer_connection_t     peer;
    struct redisReader       *reader;

    ngx_queue_t               waiting;   /* operations, not yet written */
    ngx_queue_t               sent;      /* in the order of their replies */
    ngx_uint_t                pending;   /* operations in both */
    ngx_uint_t                live;      /* those that requests wait for */
    ngx_http_tasks_op_t      *handshake;
    ngx_uint_t                selected;  /* AUTH and SELECT were answered */

    ngx_chain_t              *out;       /* bytes to write, of "sent" */
    ngx_chain_t             **last_out;

    ngx_event_t               flush;     /* posted: end of the loop's turn */
    size_t                    batch;     /* bytes added since the last one */
    ngx_err_t                 error;     /* that broke it */
    unsigned                  broken:1;  /* to be failed by the flush event */
    unsigned                  full:1;    /* max_pending was reached, and told */
    ngx_event_t               retry;     /* backoff */
    ngx_msec_t                ready_at;
    time_t                    lost_at;   /* when it was ready, the last time */
    ngx_msec_t                last_read; /* or since when replies are due */
    ngx_log_t                *log;
    ngx_log_t                 quiet;     /* nginx's own words at each attempt */
    const char               *fault;     /* why the peer is not to be trusted */

    ngx_http_tasks_store_counts_t  *counts;  /* of the store, in this worker */
    ngx_http_tasks_connection_e  counted;    /* what this one is there */
};


/* Sets up a client that connects at once.  Called once a worker and store. */
ngx_int_t ngx_http_tasks_redis_init(ngx_http_tasks_redis_t *redis,
    ngx_http_tasks_redis_conf_t *conf, ngx_http_tasks_store_counts_t *counts,
    ngx_cycle_t *cycle);


/* Closes the connection, if there is one; operations stay as they are. */
void ngx_http_tasks_redis_close(ngx_http_tasks_redis_t *redis);


/* NULL if memory is short.  "size" is that of the operation's pool, bytes. */
ngx_http_tasks_op_t *ngx_http_tasks_op_create(ngx_http_tasks_redis_t *redis,
    size_t size);

#define NGX_HTTP_TASKS_OP_SIZE  4096     /* of one for a request */

/* Makes room for up to "n" commands and forgets former ones. */
ngx_int_t ngx_http_tasks_op_fill(ngx_http_tasks_op_t *op, ngx_uint_t n);

/*
 * Starts a command of "argc" arguments, each of which one call of arg or key
 * must follow.  "max" bounds the elements of its reply; with "join", a
 * separator, the reply is a joined array.  Where that is a line end, strings
 * have none: theirs, which are white space of JSON, become spaces.
 */
void ngx_http_tasks_op_command(ngx_http_tasks_op_t *op, ngx_uint_t argc,
    ngx_uint_t max, ngx_uint_t join);
void ngx_http_tasks_op_arg(ngx_http_tasks_op_t *op, const u_char *data,
    size_t len);
/* The argument is the two strings together. */
void ngx_http_tasks_op_key(ngx_http_tasks_op_t *op, const ngx_str_t *base,
    const ngx_str_t *rest);
void ngx_http_tasks_op_integer(ngx_http_tasks_op_t *op, int64_t n);

/*
 * NGX_OK: "handler" will be called.  NGX_DECLINED: the store is known to be
 * down or too much is pending; NGX_ERROR: memory was short when commands were
 * added.  It is not called then.
 */
ngx_int_t ngx_http_tasks_op_start(ngx_http_tasks_op_t *op,
    ngx_http_tasks_op_pt handler);

/* Has the deadline count from a time in the past, ngx_current_msec then. */
void ngx_http_tasks_op_since(ngx_http_tasks_op_t *op, ngx_msec_t since);

void ngx_http_tasks_op_release(ngx_http_tasks_op_t *op);

/*
 * Releases an operation for a new one with its deadline, whose memory is yet
 * to be used.  NGX_ERROR: no memory; it is still the old one.
 */
ngx_int_t ngx_http_tasks_op_renew(ngx_http_tasks_op_t **op);

/*
 * For a handler that got a reply of a kind that Redis would not give: nothing
 * that this connection still has to say can be trusted, so it is closed when
 * the handler returns.  "fault" is a constant for the log.
 */
void ngx_http_tasks_op_distrust(ngx_http_tasks_op_t *op, const char *fault);

/* Whether a reply is an error whose text starts with "prefix". */
ngx_uint_t ngx_http_tasks_reply_is_error(const ngx_http_tasks_reply_t *reply,
    const char *prefix);


/* The operation that the next reply is for; "sent" must not be empty. */
#define ngx_http_tasks_redis_current(redis)                                   \
    ((ngx_http_tasks_op_t *)                                                  \
     ngx_queue_data(ngx_queue_head(&(redis)->sent), ngx_http_tasks_op_t,      \
                    queue))

#define ngx_http_tasks_op_literal(op, s)                                      \
    ngx_http_tasks_op_arg(op, (const u_char *) s, sizeof(s) - 1)
#define ngx_http_tasks_op_str(op, s)                                          \
    ngx_http_tasks_op_arg(op, (s)->data, (s)->len)


#endif /* _NGX_HTTP_TASKS_REDIS_H_INCLUDED_ */
