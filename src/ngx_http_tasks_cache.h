
/*
 * Pages of lists that a worker keeps, and requests that share their reading.
 */


#ifndef _NGX_HTTP_TASKS_CACHE_H_INCLUDED_
#define _NGX_HTTP_TASKS_CACHE_H_INCLUDED_


#include <ngx_http_tasks_read.h>


typedef struct ngx_http_tasks_cache_s   ngx_http_tasks_cache_t;
typedef struct ngx_http_tasks_entry_s   ngx_http_tasks_entry_t;
typedef struct ngx_http_tasks_waiter_s  ngx_http_tasks_waiter_t;


/* How a request came to its page. */
typedef enum {
    NGX_HTTP_TASKS_CACHE_NONE = 0,
    NGX_HTTP_TASKS_CACHE_BYPASS,         /* read for this request alone */
    NGX_HTTP_TASKS_CACHE_MISS,           /* read, and kept */
    NGX_HTTP_TASKS_CACHE_HIT,            /* kept, and found to be unchanged */
    NGX_HTTP_TASKS_CACHE_SHARED,         /* by what another has asked */
    NGX_HTTP_TASKS_CACHE_NOT_MODIFIED    /* what the client has is right */
} ngx_http_tasks_cache_e;


/*
 * A page that was read: one piece of memory, never changed.  Whoever got it
 * releases it exactly once.
 */
typedef struct {
    ngx_uint_t                refs;
    size_t                    size;      /* of all of it, bytes */
    ngx_str_t                 rows;      /* joined by commas */
    ngx_str_t                 first;     /* positions of the first and the */
    ngx_str_t                 last;      /* last task; data is NULL: none */
    ngx_str_t                *revisions; /* of the indexes */
    ngx_str_t                 etag;      /* of the rows, without quotes */
    ngx_uint_t                count;     /* tasks */
    int64_t                   total;
    ngx_uint_t                more;      /* tasks follow this page */
} ngx_http_tasks_page_t;


/*
 * Called once, later, unless the waiter leaves before.  "page" is NULL if
 * there is an error; it is the waiter's to release.
 */
typedef void (*ngx_http_tasks_waiter_pt)(ngx_http_tasks_waiter_t *waiter,
    ngx_http_tasks_page_t *page, ngx_http_tasks_error_e error);


/* A request that waits for a page. */
struct ngx_http_tasks_waiter_s {
    ngx_queue_t               queue;
    ngx_http_tasks_entry_t   *entry;     /* NULL: it was read */
    ngx_uint_t                waits;     /* the handler will be called */
    ngx_http_tasks_waiter_pt  handler;
    void                     *data;      /* of the handler */
    ngx_msec_t                since;     /* it waits, as ngx_current_msec */
    ngx_event_t               timer;     /* only if its time is up before that
                                            of what is being read */
    ngx_http_tasks_cache_e    how;
};


/* Of a worker; keeps pages of "size" bytes altogether.  NULL: no memory. */
ngx_http_tasks_cache_t *ngx_http_tasks_cache_create(ngx_pool_t *pool,
    size_t size);

/*
 * Has the waiter wait for the page that "wanted" says (what is to be set by
 * whoever starts it; all of it is copied).  The page is no older than this
 * call: its revisions are asked for later.  NGX_HTTP_TASKS_NO_ERROR: the
 * handler will be called; else the class of the error.  "pool" is for what is
 * needed during the call.
 */
ngx_http_tasks_error_e ngx_http_tasks_cache_get(ngx_http_tasks_cache_t *cache,
    const ngx_http_tasks_read_t *wanted, ngx_pool_t *pool,
    ngx_http_tasks_waiter_t *waiter);

/* Ends the waiting; may be called at any time. */
void ngx_http_tasks_cache_leave(ngx_http_tasks_waiter_t *waiter);

/* A page from what was read.  NULL: no memory. */
ngx_http_tasks_page_t *ngx_http_tasks_page_create(
    ngx_http_tasks_read_t *read, ngx_log_t *log);
void ngx_http_tasks_page_release(ngx_http_tasks_page_t *page);


#endif /* _NGX_HTTP_TASKS_CACHE_H_INCLUDED_ */
