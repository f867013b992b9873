
/*
 * An entry of the cache: one page of one list, of which it keeps what was read
 * last, and those that wait for it.  What it keeps is asked for its revisions
 * before it is given to anyone; only if they have moved is it read anew.  The
 * cache makes entries and starts them; they start themselves again as long as
 * somebody waits, and free themselves when nothing is left.
 *
 * Whoever waits may do anything when it is called: an entry is not touched any
 * more once it has begun to give a page away.
 */


#include <ngx_http_tasks_entry.h>


/* a page that is larger than such a part of the cache is not kept */
#define NGX_HTTP_TASKS_CACHE_PART  8


static ngx_int_t ngx_http_tasks_entry_copy(ngx_http_tasks_entry_t *entry,
    const ngx_http_tasks_read_t *wanted, ngx_str_t *key);
static void ngx_http_tasks_entry_check_handler(ngx_http_tasks_op_t *op);
static void ngx_http_tasks_entry_read(ngx_http_tasks_read_t *read,
    ngx_http_tasks_error_e error);
static void ngx_http_tasks_entry_end(ngx_http_tasks_entry_t *entry,
    ngx_http_tasks_page_t *page, ngx_http_tasks_error_e error,
    ngx_http_tasks_cache_e how);
static void ngx_http_tasks_entry_retry(ngx_http_tasks_entry_t *entry);
static void ngx_http_tasks_entry_take(ngx_http_tasks_entry_t *entry,
    ngx_queue_t *queue);
static void ngx_http_tasks_entry_give(ngx_queue_t *queue,
    ngx_http_tasks_page_t *page, ngx_http_tasks_error_e error,
    ngx_http_tasks_cache_e how);
static void ngx_http_tasks_entry_keep(ngx_http_tasks_entry_t *entry,
    ngx_http_tasks_page_t *page);


ngx_http_tasks_entry_t *
ngx_http_tasks_entry_create(ngx_http_tasks_cache_t *cache,
    const ngx_http_tasks_read_t *wanted, ngx_str_t *key, uint32_t hash)
{
    size_t                   size;
    ngx_pool_t              *pool;
    ngx_http_tasks_entry_t  *entry;

    size = sizeof(ngx_http_tasks_entry_t) + 2 * key->len
           + wanted->nindexes * sizeof(ngx_http_tasks_index_t) + 512;

    pool = ngx_create_pool(size, cache->log);
    if (pool == NULL) {
        return NULL;
    }

    entry = ngx_pcalloc(pool, sizeof(ngx_http_tasks_entry_t));
    if (entry == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    entry->pool = pool;
    entry->cache = cache;
    entry->size = size;

    if (ngx_http_tasks_entry_copy(entry, wanted, key) != NGX_OK) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    ngx_queue_init(&entry->waiters);
    ngx_queue_init(&entry->next);
    ngx_queue_insert_head(&cache->lru, &entry->lru);

    entry->node.key = hash;
    ngx_rbtree_insert(&cache->tree, &entry->node);

    return entry;
}


static ngx_int_t
ngx_http_tasks_entry_copy(ngx_http_tasks_entry_t *entry,
    const ngx_http_tasks_read_t *wanted, ngx_str_t *key)
{
    ngx_str_t              *suffix;
    ngx_uint_t              i;
    ngx_http_tasks_read_t  *read;

    read = &entry->read;
    *read = *wanted;

    read->op = NULL;
    read->done = ngx_http_tasks_entry_read;
    read->data = entry;

    read->indexes = ngx_pcalloc(entry->pool, wanted->nindexes
                                           * sizeof(ngx_http_tasks_index_t));
    entry->key.data = ngx_pstrdup(entry->pool, key);
    read->base.data = ngx_pstrdup(entry->pool, (ngx_str_t *) &wanted->base);

    if (read->indexes == NULL || entry->key.data == NULL
        || read->base.data == NULL)
    {
        return NGX_ERROR;
    }

    entry->key.len = key->len;

    if (wanted->cursor.data) {
        read->cursor.data = ngx_pstrdup(entry->pool,
                                        (ngx_str_t *) &wanted->cursor);
        if (read->cursor.data == NULL) {
            return NGX_ERROR;
        }
    }

    for (i = 0; i < wanted->nindexes; i++) {
        suffix = &read->indexes[i].suffix;

        suffix->len = wanted->indexes[i].suffix.len;
        suffix->data = ngx_pstrdup(entry->pool, &wanted->indexes[i].suffix);

        if (suffix->data == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* Reads for those that wait next; a page that is kept is checked only. */

ngx_http_tasks_error_e
ngx_http_tasks_entry_start(ngx_http_tasks_entry_t *entry)
{
    ngx_uint_t              i;
    ngx_http_tasks_read_t  *read;

    read = &entry->read;

    ngx_queue_add(&entry->waiters, &entry->next);
    ngx_queue_init(&entry->next);          /* there was somebody */

    read->tries = 0;
    read->no_page = 0;
    read->op = ngx_http_tasks_store_op(read->store);

    if (read->op == NULL) {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    entry->began = entry->since;
    ngx_http_tasks_op_since(read->op, entry->began);

    if (entry->page == NULL) {
        return ngx_http_tasks_read_index(read);
    }

    if (ngx_http_tasks_op_fill(read->op, 1) != NGX_OK) {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    entry->checked = entry->page;
    entry->checked->refs++;

    for (i = 0; i < read->nindexes; i++) {
        read->indexes[i].revision = entry->checked->revisions[i];
    }

    read->first = 1;
    ngx_http_tasks_read_revisions(read);

    return ngx_http_tasks_read_send(read, ngx_http_tasks_entry_check_handler);
}


static void
ngx_http_tasks_entry_check_handler(ngx_http_tasks_op_t *op)
{
    ngx_http_tasks_read_t   *read;
    ngx_http_tasks_error_e   error;
    ngx_http_tasks_entry_t  *entry;

    read = op->data;
    entry = read->data;

    error = ngx_http_tasks_store_error(read->store, op);

    if (error == NGX_HTTP_TASKS_NO_ERROR) {

        switch (ngx_http_tasks_read_unmoved(read, &op->replies[0])) {

        case NGX_OK:
            ngx_http_tasks_entry_end(entry, entry->checked, error,
                                     NGX_HTTP_TASKS_CACHE_HIT);
            return;

        case NGX_DECLINED:
            ngx_http_tasks_entry_drop(entry);
            ngx_http_tasks_entry_uncheck(entry);
            error = ngx_http_tasks_read_index(read);

            if (error == NGX_HTTP_TASKS_NO_ERROR) {
                return;
            }

            break;

        default:
            error = ngx_http_tasks_read_distrust(read);
        }
    }

    ngx_http_tasks_entry_end(entry, NULL, error, NGX_HTTP_TASKS_CACHE_NONE);
}


static void
ngx_http_tasks_entry_read(ngx_http_tasks_read_t *read,
    ngx_http_tasks_error_e error)
{
    ngx_http_tasks_page_t   *page;
    ngx_http_tasks_entry_t  *entry;

    entry = read->data;
    page = NULL;

    if (error == NGX_HTTP_TASKS_NO_ERROR) {
        page = ngx_http_tasks_page_create(read, entry->cache->log);

        if (page) {
            ngx_http_tasks_entry_keep(entry, page);

        } else {
            error = NGX_HTTP_TASKS_INTERNAL;
        }
    }

    ngx_http_tasks_entry_end(entry, page, error, NGX_HTTP_TASKS_CACHE_MISS);

    if (page) {
        ngx_http_tasks_page_release(page);
    }
}


/*
 * Gives those that waited what they waited for.  The next reading is started
 * before, so that Redis is at work meanwhile.  They may do anything: neither
 * do they know the entry any more nor is it touched once they are called.
 */
static void
ngx_http_tasks_entry_end(ngx_http_tasks_entry_t *entry,
    ngx_http_tasks_page_t *page, ngx_http_tasks_error_e error,
    ngx_http_tasks_cache_e how)
{
    ngx_queue_t             served, failed;
    ngx_http_tasks_error_e  next;

    if (page) {
        page->refs++;                      /* while it is given away */
    }

    ngx_http_tasks_entry_stop(entry);

    if (error == NGX_HTTP_TASKS_TIMEOUT) {
        ngx_http_tasks_entry_retry(entry);
    }

    ngx_http_tasks_entry_take(entry, &served);
    ngx_queue_init(&failed);

    next = ngx_queue_empty(&entry->next) ? NGX_HTTP_TASKS_NO_ERROR
                                         : ngx_http_tasks_entry_start(entry);

    if (next != NGX_HTTP_TASKS_NO_ERROR) {
        ngx_http_tasks_entry_stop(entry);
        ngx_http_tasks_entry_take(entry, &failed);
    }

    ngx_http_tasks_entry_tidy(entry);

    ngx_http_tasks_entry_give(&served, page, error, how);
    ngx_http_tasks_entry_give(&failed, NULL, next, how);

    if (page) {
        ngx_http_tasks_page_release(page);
    }
}


/* The time of one that waits is not up because that of the first one is. */

static void
ngx_http_tasks_entry_retry(ngx_http_tasks_entry_t *entry)
{
    ngx_msec_t                timeout;
    ngx_queue_t              *q, *next;
    ngx_http_tasks_waiter_t  *waiter;

    timeout = entry->read.store->redis.timeout;

    for (q = ngx_queue_head(&entry->waiters);
         q != ngx_queue_sentinel(&entry->waiters);
         q = next)
    {
        next = ngx_queue_next(q);
        waiter = ngx_queue_data(q, ngx_http_tasks_waiter_t, queue);

        if ((ngx_msec_int_t) (waiter->since + timeout - ngx_current_msec)
            > 0)
        {
            ngx_queue_remove(q);
            ngx_http_tasks_entry_wait(entry, waiter);
        }
    }
}


void
ngx_http_tasks_entry_wait(ngx_http_tasks_entry_t *entry,
    ngx_http_tasks_waiter_t *waiter)
{
    if (ngx_queue_empty(&entry->next)
        || (ngx_msec_int_t) (waiter->since - entry->since) < 0)
    {
        entry->since = waiter->since;
    }

    ngx_queue_insert_tail(&entry->next, &waiter->queue);
}


/* Moves those that wait for what was read to another queue. */

static void
ngx_http_tasks_entry_take(ngx_http_tasks_entry_t *entry, ngx_queue_t *queue)
{
    ngx_queue_t              *q;
    ngx_http_tasks_waiter_t  *waiter;

    ngx_queue_init(queue);

    while (!ngx_queue_empty(&entry->waiters)) {
        q = ngx_queue_head(&entry->waiters);
        ngx_queue_remove(q);
        ngx_queue_insert_tail(queue, q);

        waiter = ngx_queue_data(q, ngx_http_tasks_waiter_t, queue);
        waiter->entry = NULL;
    }
}


static void
ngx_http_tasks_entry_give(ngx_queue_t *queue, ngx_http_tasks_page_t *page,
    ngx_http_tasks_error_e error, ngx_http_tasks_cache_e how)
{
    ngx_http_tasks_waiter_t  *waiter;

    while (!ngx_queue_empty(queue)) {
        waiter = ngx_queue_data(ngx_queue_head(queue),
                                ngx_http_tasks_waiter_t, queue);

        ngx_http_tasks_waiter_end(waiter);

        if (waiter->how == NGX_HTTP_TASKS_CACHE_NONE) {
            waiter->how = how;
        }

        if (page) {
            page->refs++;
        }

        waiter->handler(waiter, page, error);
    }
}


void
ngx_http_tasks_entry_uncheck(ngx_http_tasks_entry_t *entry)
{
    ngx_uint_t  i;

    if (entry->checked == NULL) {
        return;
    }

    for (i = 0; i < entry->read.nindexes; i++) {
        ngx_str_null(&entry->read.indexes[i].revision);
    }

    ngx_http_tasks_page_release(entry->checked);
    entry->checked = NULL;
}


void
ngx_http_tasks_entry_stop(ngx_http_tasks_entry_t *entry)
{
    ngx_http_tasks_entry_uncheck(entry);

    if (entry->read.op) {
        ngx_http_tasks_op_release(entry->read.op);
        entry->read.op = NULL;
    }
}


/* Keeps a page in place of a former one, unless it is too large for that. */

static void
ngx_http_tasks_entry_keep(ngx_http_tasks_entry_t *entry,
    ngx_http_tasks_page_t *page)
{
    ngx_http_tasks_cache_t  *cache;

    cache = entry->cache;

    ngx_http_tasks_entry_drop(entry);

    if (entry->size + page->size > cache->max / NGX_HTTP_TASKS_CACHE_PART) {
        return;
    }

    page->refs++;
    entry->page = page;
    cache->used += entry->size + page->size;

    while (cache->used > cache->max) {
        ngx_http_tasks_cache_shrink(cache);
    }
}


void
ngx_http_tasks_entry_drop(ngx_http_tasks_entry_t *entry)
{
    if (entry->page) {
        entry->cache->used -= entry->size + entry->page->size;
        ngx_http_tasks_page_release(entry->page);
        entry->page = NULL;
    }
}


/* An entry that has nothing and reads nothing is not needed. */

void
ngx_http_tasks_entry_tidy(ngx_http_tasks_entry_t *entry)
{
    if (entry->page == NULL && entry->read.op == NULL
        && ngx_queue_empty(&entry->waiters) && ngx_queue_empty(&entry->next))
    {
        ngx_rbtree_delete(&entry->cache->tree, &entry->node);
        ngx_queue_remove(&entry->lru);
        ngx_destroy_pool(entry->pool);
    }
}
