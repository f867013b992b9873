
/*
 * What is counted for tasks_status: the memory of it, of one worker.
 *
 * Each worker has a slot of shared memory, to which it alone writes, with
 * plain stores; whoever tells the counts adds all slots up.  Gauges say what
 * is so now, and count while their process lives; counters stay when it ends.
 */


#ifndef _NGX_HTTP_TASKS_STATUS_H_INCLUDED_
#define _NGX_HTTP_TASKS_STATUS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* bounds of times that are told apart; above the last one is one more */
#define NGX_HTTP_TASKS_BOUNDS    12

/* in the order of ngx_http_tasks_cache_e */
#define NGX_HTTP_TASKS_CACHES    6


/*
 * What became of a request: NGX_HTTP_TASKS_NO_ERROR, a class of errors, or the
 * definition's nclasses and one of these.
 */
typedef enum {
    NGX_HTTP_TASKS_OUTCOME_NOT_MODIFIED = 0,
    NGX_HTTP_TASKS_OUTCOME_FALLBACK,
    NGX_HTTP_TASKS_OUTCOME_ABORTED,      /* nobody waits for it any more */
    NGX_HTTP_TASKS_OUTCOMES
} ngx_http_tasks_outcome_e;


/* What a connection is counted as. */
typedef enum {
    NGX_HTTP_TASKS_CONNECTION_NONE = 0,
    NGX_HTTP_TASKS_CONNECTION_READY,
    NGX_HTTP_TASKS_CONNECTION_CONNECTING,
    NGX_HTTP_TASKS_CONNECTION_DOWN,      /* requests are refused */
    NGX_HTTP_TASKS_CONNECTIONS
} ngx_http_tasks_connection_e;


/* Of a store; 64-bit words only, as slots are added up by the word. */
typedef struct {
    /* gauges */
    uint64_t                  connections[NGX_HTTP_TASKS_CONNECTIONS];
    uint64_t                  pending;   /* operations */
    uint64_t                  entries;   /* pages in the cache */
    uint64_t                  bytes;     /* of these */

    /* counters */
    uint64_t                  reconnects;
    uint64_t                  failures;  /* attempts to connect */
    uint64_t                  timeouts;  /* operations */
} ngx_http_tasks_store_counts_t;

#define NGX_HTTP_TASKS_STORE_GAUGES                                           \
    (offsetof(ngx_http_tasks_store_counts_t, reconnects) / sizeof(uint64_t))


/* Of an API; counters, words only.  Those of its outcomes follow. */
typedef struct {
    uint64_t                  waited;    /* ms, of all requests together */
    uint64_t                  bounds[NGX_HTTP_TASKS_BOUNDS + 1];
    uint64_t                  caches[NGX_HTTP_TASKS_CACHES];   /* lists */
} ngx_http_tasks_api_counts_t;

/* Outcomes of a route, which is 0 for none, or else its place from 1 on. */
#define ngx_http_tasks_api_outcomes(counts, route, noutcomes)                 \
    ((uint64_t *) ((counts) + 1) + (route) * (noutcomes))


/* What a slot begins with; the counts of stores, then of APIs, follow. */
typedef struct {
    uint64_t                  pid;       /* 0: nobody's, its gauges are void */
    uint64_t                  unused[7];
} ngx_http_tasks_slot_t;


/* The zone, as the configuration makes it. */
typedef struct {
    u_char                    layout[16];    /* digest of what is counted */
    ngx_uint_t                nslots;
    size_t                    size;      /* of a slot, bytes */
    u_char                   *slots;     /* in shared memory */
    ngx_http_tasks_slot_t    *slot;      /* of this worker; NULL: none */
} ngx_http_tasks_status_t;


/* Counts a connection as something else than it was. */
#define ngx_http_tasks_status_connection(redis, state)                        \
    (redis)->counts->connections[(redis)->counted]--;                         \
    (redis)->counts->connections[state]++;                                    \
    (redis)->counted = state


extern const ngx_msec_t  ngx_http_tasks_status_bounds[];

/* By ngx_http_tasks_outcome_e, then "ok" and an empty one; no classes. */
extern ngx_str_t         ngx_http_tasks_outcome_names[];


#endif /* _NGX_HTTP_TASKS_STATUS_H_INCLUDED_ */
