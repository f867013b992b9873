
/*
 * Entries of the cache, and the cache as they see it: what cache.c and entry.c
 * share, and no other file includes.
 */


#ifndef _NGX_HTTP_TASKS_ENTRY_H_INCLUDED_
#define _NGX_HTTP_TASKS_ENTRY_H_INCLUDED_


#include <ngx_http_tasks_cache.h>


struct ngx_http_tasks_entry_s {
    ngx_rbtree_node_t         node;      /* key: the hash of "key" */
    ngx_queue_t               lru;
    ngx_pool_t               *pool;      /* of the entry itself */
    ngx_http_tasks_cache_t   *cache;
    ngx_str_t                 key;
    size_t                    size;      /* bytes, without the page */

    ngx_http_tasks_page_t    *page;      /* NULL: none is kept */
    ngx_http_tasks_page_t    *checked;   /* whose revisions are asked for; it
                                            may not be kept any more */
    ngx_http_tasks_read_t     read;      /* read.op is NULL: nothing is read */
    ngx_queue_t               waiters;   /* for what is being read */
    ngx_queue_t               next;      /* for what is to be read then */
    ngx_msec_t                since;     /* the first of "next" waits */
    ngx_msec_t                began;     /* and that of "waiters" */
};


struct ngx_http_tasks_cache_s {
    ngx_rbtree_t              tree;
    ngx_rbtree_node_t         sentinel;
    ngx_queue_t               lru;       /* entries, last used ones first */
    size_t                    max;       /* bytes of entries with pages */
    size_t                    used;
    ngx_log_t                *log;
};


/*
 * An entry for "wanted", of which everything is copied, in the cache's table
 * and first in its order.  NULL: no memory.
 */
ngx_http_tasks_entry_t *ngx_http_tasks_entry_create(
    ngx_http_tasks_cache_t *cache, const ngx_http_tasks_read_t *wanted,
    ngx_str_t *key, uint32_t hash);

/* Has one wait for what is to be read next; starts nothing. */
void ngx_http_tasks_entry_wait(ngx_http_tasks_entry_t *entry,
    ngx_http_tasks_waiter_t *waiter);

/*
 * Reads for those that wait next: there is somebody, and nothing is being read.
 * NGX_HTTP_TASKS_NO_ERROR: they will be called, later; else the class of the
 * error: they wait on, and are the caller's to take, as the entry is to stop.
 */
ngx_http_tasks_error_e ngx_http_tasks_entry_start(
    ngx_http_tasks_entry_t *entry);

/* Ends what is being read, if it is; nobody is called. */
void ngx_http_tasks_entry_stop(ngx_http_tasks_entry_t *entry);

/* Forgets the page whose revisions are asked for. */
void ngx_http_tasks_entry_uncheck(ngx_http_tasks_entry_t *entry);

/* Forgets the page that is kept. */
void ngx_http_tasks_entry_drop(ngx_http_tasks_entry_t *entry);

/* Frees an entry that has nothing and reads nothing: it is not needed. */
void ngx_http_tasks_entry_tidy(ngx_http_tasks_entry_t *entry);


/* Drops the page that was not asked for the longest; its entry may be freed. */
void ngx_http_tasks_cache_shrink(ngx_http_tasks_cache_t *cache);

/* Takes a waiter out of the queue that it is in, and stops its timer. */
void ngx_http_tasks_waiter_end(ngx_http_tasks_waiter_t *waiter);


#endif /* _NGX_HTTP_TASKS_ENTRY_H_INCLUDED_ */
