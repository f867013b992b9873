
/*
 * The cache of a worker.  There is no time for which a page is good: each
 * request asks Redis for the revisions of its indexes, and a page of the same
 * revisions is the page.  What makes it fast is that requests ask together.
 *
 * An entry stands for one page of one list.  It reads one page, or checks the
 * one that it has, at a time; requests that come while its commands have not
 * left yet wait for this reading, others for the next one, which starts as
 * soon as this one ends.  So no answer is older than its request, and whatever
 * the number of clients, Redis sees one question at a time from each worker.
 */


#include <ngx_http_tasks_cache.h>


/* a page that is larger than such a part of the cache is not kept */
#define NGX_HTTP_TASKS_CACHE_PART  8


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


static void ngx_http_tasks_cache_destroy(void *data);
static void ngx_http_tasks_waiter_hurry(ngx_http_tasks_waiter_t *waiter);
static void ngx_http_tasks_waiter_timeout(ngx_event_t *ev);
static void ngx_http_tasks_waiter_end(ngx_http_tasks_waiter_t *waiter);
static ngx_int_t ngx_http_tasks_cache_key(ngx_pool_t *pool,
    const ngx_http_tasks_read_t *wanted, ngx_str_t *key);
static ngx_int_t ngx_http_tasks_cache_compare(ngx_rbtree_node_t *node,
    ngx_str_t *key, ngx_rbtree_key_t hash);
static void ngx_http_tasks_cache_insert(ngx_rbtree_node_t *temp,
    ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel);
static ngx_http_tasks_entry_t *ngx_http_tasks_cache_find(
    ngx_http_tasks_cache_t *cache, ngx_str_t *key, uint32_t hash);
static ngx_http_tasks_entry_t *ngx_http_tasks_entry_create(
    ngx_http_tasks_cache_t *cache, const ngx_http_tasks_read_t *wanted,
    ngx_str_t *key, uint32_t hash);
static ngx_int_t ngx_http_tasks_entry_copy(ngx_http_tasks_entry_t *entry,
    const ngx_http_tasks_read_t *wanted, ngx_str_t *key);
static ngx_http_tasks_error_e ngx_http_tasks_entry_start(
    ngx_http_tasks_entry_t *entry);
static void ngx_http_tasks_entry_check_handler(ngx_http_tasks_op_t *op);
static void ngx_http_tasks_entry_read(ngx_http_tasks_read_t *read,
    ngx_http_tasks_error_e error);
static void ngx_http_tasks_entry_end(ngx_http_tasks_entry_t *entry,
    ngx_http_tasks_page_t *page, ngx_http_tasks_error_e error,
    ngx_http_tasks_cache_e how);
static void ngx_http_tasks_entry_retry(ngx_http_tasks_entry_t *entry);
static void ngx_http_tasks_entry_wait(ngx_http_tasks_entry_t *entry,
    ngx_http_tasks_waiter_t *waiter);
static void ngx_http_tasks_entry_take(ngx_http_tasks_entry_t *entry,
    ngx_queue_t *queue);
static void ngx_http_tasks_entry_give(ngx_queue_t *queue,
    ngx_http_tasks_page_t *page, ngx_http_tasks_error_e error,
    ngx_http_tasks_cache_e how);
static void ngx_http_tasks_entry_uncheck(ngx_http_tasks_entry_t *entry);
static void ngx_http_tasks_entry_stop(ngx_http_tasks_entry_t *entry);
static void ngx_http_tasks_entry_keep(ngx_http_tasks_entry_t *entry,
    ngx_http_tasks_page_t *page);
static void ngx_http_tasks_entry_drop(ngx_http_tasks_entry_t *entry);
static void ngx_http_tasks_entry_tidy(ngx_http_tasks_entry_t *entry);
static void ngx_http_tasks_cache_shrink(ngx_http_tasks_cache_t *cache);
static size_t ngx_http_tasks_page_size(ngx_http_tasks_read_t *read);
static u_char *ngx_http_tasks_page_copy(u_char *p, const ngx_str_t *from,
    ngx_str_t *to);


ngx_http_tasks_cache_t *
ngx_http_tasks_cache_create(ngx_pool_t *pool, size_t size)
{
    ngx_pool_cleanup_t      *cln;
    ngx_http_tasks_cache_t  *cache;

    cln = ngx_pool_cleanup_add(pool, sizeof(ngx_http_tasks_cache_t));
    if (cln == NULL) {
        return NULL;
    }

    cache = cln->data;
    cln->handler = ngx_http_tasks_cache_destroy;

    ngx_memzero(cache, sizeof(ngx_http_tasks_cache_t));

    ngx_rbtree_init(&cache->tree, &cache->sentinel,
                    ngx_http_tasks_cache_insert);
    ngx_queue_init(&cache->lru);

    cache->max = size;
    cache->log = pool->log;

    return cache;
}


/* A worker ends, and with it all that waited. */

static void
ngx_http_tasks_cache_destroy(void *data)
{
    ngx_http_tasks_cache_t  *cache = data;

    ngx_queue_t             *q;
    ngx_http_tasks_entry_t  *entry;

    while (!ngx_queue_empty(&cache->lru)) {
        q = ngx_queue_head(&cache->lru);
        ngx_queue_remove(q);

        entry = ngx_queue_data(q, ngx_http_tasks_entry_t, lru);

        ngx_http_tasks_entry_drop(entry);
        ngx_http_tasks_entry_uncheck(entry);
        ngx_destroy_pool(entry->pool);
    }
}


ngx_http_tasks_error_e
ngx_http_tasks_cache_get(ngx_http_tasks_cache_t *cache,
    const ngx_http_tasks_read_t *wanted, ngx_pool_t *pool,
    ngx_http_tasks_waiter_t *waiter)
{
    uint32_t                 hash;
    ngx_str_t                key;
    ngx_http_tasks_error_e   error;
    ngx_http_tasks_entry_t  *entry;

    if (ngx_http_tasks_cache_key(pool, wanted, &key) != NGX_OK) {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    hash = ngx_murmur_hash2(key.data, key.len);
    entry = ngx_http_tasks_cache_find(cache, &key, hash);

    if (entry) {
        ngx_queue_remove(&entry->lru);
        ngx_queue_insert_head(&cache->lru, &entry->lru);

    } else {
        entry = ngx_http_tasks_entry_create(cache, wanted, &key, hash);
        if (entry == NULL) {
            return NGX_HTTP_TASKS_INTERNAL;
        }
    }

    waiter->entry = entry;
    waiter->waits = 1;
    waiter->how = NGX_HTTP_TASKS_CACHE_SHARED;

    /* all that is being read is still to be asked for, and in its time */

    if (entry->read.op && entry->read.op->waiting && entry->read.first
        && (ngx_msec_int_t) (waiter->since - entry->began) >= 0)
    {
        ngx_queue_insert_tail(&entry->waiters, &waiter->queue);
        return NGX_HTTP_TASKS_NO_ERROR;
    }

    if (ngx_queue_empty(&entry->next)) {
        waiter->how = NGX_HTTP_TASKS_CACHE_NONE;   /* that of the reading */
    }

    ngx_http_tasks_entry_wait(entry, waiter);

    if (entry->read.op) {
        ngx_http_tasks_waiter_hurry(waiter);
        return NGX_HTTP_TASKS_NO_ERROR;
    }

    error = ngx_http_tasks_entry_start(entry);

    if (error != NGX_HTTP_TASKS_NO_ERROR) {
        /* nobody else waits: nothing was being read */
        ngx_http_tasks_cache_leave(waiter);
    }

    return error;
}


void
ngx_http_tasks_cache_leave(ngx_http_tasks_waiter_t *waiter)
{
    ngx_http_tasks_entry_t  *entry;

    if (!waiter->waits) {
        return;
    }

    ngx_http_tasks_waiter_end(waiter);

    entry = waiter->entry;

    /* what nobody waits for is not read on, unless others wait behind it */

    if (entry && ngx_queue_empty(&entry->waiters) && ngx_queue_empty(&entry->next)) {
        ngx_http_tasks_entry_stop(entry);
        ngx_http_tasks_entry_tidy(entry);
    }
}


/*
 * What is being read has a timer, which is enough for all that came later.
 * A request that had to do something else before it came has one of its own.
 */
static void
ngx_http_tasks_waiter_hurry(ngx_http_tasks_waiter_t *waiter)
{
    ngx_msec_int_t           left;
    ngx_http_tasks_entry_t  *entry;

    entry = waiter->entry;

    if ((ngx_msec_int_t) (waiter->since - entry->began) >= 0) {
        return;
    }

    left = (ngx_msec_int_t) (waiter->since + entry->read.store->redis.timeout
                             - ngx_current_msec);

    waiter->timer.handler = ngx_http_tasks_waiter_timeout;
    waiter->timer.data = waiter;
    waiter->timer.log = entry->cache->log;

    ngx_add_timer(&waiter->timer, (ngx_msec_t) ngx_max(left, 1));
}


static void
ngx_http_tasks_waiter_timeout(ngx_event_t *ev)
{
    ngx_http_tasks_waiter_t  *waiter;

    waiter = ev->data;

    ngx_http_tasks_cache_leave(waiter);
    waiter->handler(waiter, NULL, NGX_HTTP_TASKS_TIMEOUT);
}


static void
ngx_http_tasks_waiter_end(ngx_http_tasks_waiter_t *waiter)
{
    waiter->waits = 0;
    ngx_queue_remove(&waiter->queue);

    if (waiter->timer.timer_set) {
        ngx_del_timer(&waiter->timer);
    }
}


/* All that makes two pages different; lengths keep the parts apart. */

static ngx_int_t
ngx_http_tasks_cache_key(ngx_pool_t *pool, const ngx_http_tasks_read_t *wanted,
    ngx_str_t *key)
{
    u_char      *p;
    size_t       len;
    ngx_uint_t   i, numbers[7];

    numbers[0] = (ngx_uint_t) wanted->collection;
    numbers[1] = (ngx_uint_t) wanted->offset;
    numbers[2] = wanted->wanted;
    numbers[3] = wanted->fetched;
    numbers[4] = wanted->whole << 1 | wanted->counted;
    numbers[5] = wanted->base.len;
    numbers[6] = wanted->cursor.len;

    len = sizeof(numbers) + wanted->base.len + wanted->cursor.len;

    for (i = 0; i < wanted->nindexes; i++) {
        len += wanted->indexes[i].suffix.len + 1;
    }

    p = ngx_pnalloc(pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    key->data = p;
    key->len = len;

    p = ngx_cpymem(p, numbers, sizeof(numbers));
    p = ngx_cpymem(p, wanted->base.data, wanted->base.len);

    if (wanted->cursor.len) {
        p = ngx_cpymem(p, wanted->cursor.data, wanted->cursor.len);
    }

    for (i = 0; i < wanted->nindexes; i++) {
        p = ngx_cpymem(p, wanted->indexes[i].suffix.data,
                       wanted->indexes[i].suffix.len);
        *p++ = '\0';                       /* is in no suffix */
    }

    return NGX_OK;
}


/* Where a key is from a node: below 0 on its left, above 0 on its right. */

static ngx_int_t
ngx_http_tasks_cache_compare(ngx_rbtree_node_t *node, ngx_str_t *key,
    ngx_rbtree_key_t hash)
{
    ngx_http_tasks_entry_t  *entry;

    if (hash != node->key) {
        return hash < node->key ? -1 : 1;
    }

    entry = ngx_rbtree_data(node, ngx_http_tasks_entry_t, node);

    return ngx_memn2cmp(key->data, entry->key.data, key->len, entry->key.len);
}


static void
ngx_http_tasks_cache_insert(ngx_rbtree_node_t *temp, ngx_rbtree_node_t *node,
    ngx_rbtree_node_t *sentinel)
{
    ngx_rbtree_node_t       **p;
    ngx_http_tasks_entry_t   *entry;

    entry = ngx_rbtree_data(node, ngx_http_tasks_entry_t, node);

    for ( ;; ) {
        p = (ngx_http_tasks_cache_compare(temp, &entry->key, node->key) < 0)
            ? &temp->left : &temp->right;

        if (*p == sentinel) {
            break;
        }

        temp = *p;
    }

    *p = node;
    node->parent = temp;
    node->left = sentinel;
    node->right = sentinel;
    ngx_rbt_red(node);
}


static ngx_http_tasks_entry_t *
ngx_http_tasks_cache_find(ngx_http_tasks_cache_t *cache, ngx_str_t *key,
    uint32_t hash)
{
    ngx_int_t           rc;
    ngx_rbtree_node_t  *node;

    node = cache->tree.root;

    while (node != &cache->sentinel) {
        rc = ngx_http_tasks_cache_compare(node, key, hash);

        if (rc == 0) {
            return ngx_rbtree_data(node, ngx_http_tasks_entry_t, node);
        }

        node = (rc < 0) ? node->left : node->right;
    }

    return NULL;
}


static ngx_http_tasks_entry_t *
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

static ngx_http_tasks_error_e
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


/* Has one wait for what is to be read next. */

static void
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


static void
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


static void
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
    entry->read.store->counts->entries++;
    entry->read.store->counts->bytes += entry->size + page->size;

    while (cache->used > cache->max) {
        ngx_http_tasks_cache_shrink(cache);
    }
}


static void
ngx_http_tasks_entry_drop(ngx_http_tasks_entry_t *entry)
{
    if (entry->page) {
        entry->cache->used -= entry->size + entry->page->size;
        entry->read.store->counts->entries--;
        entry->read.store->counts->bytes -= entry->size + entry->page->size;
        ngx_http_tasks_page_release(entry->page);
        entry->page = NULL;
    }
}


/* Drops the page that was not asked for the longest. */

static void
ngx_http_tasks_cache_shrink(ngx_http_tasks_cache_t *cache)
{
    ngx_queue_t             *q;
    ngx_http_tasks_entry_t  *entry;

    for (q = ngx_queue_last(&cache->lru);
         q != ngx_queue_sentinel(&cache->lru);
         q = ngx_queue_prev(q))
    {
        entry = ngx_queue_data(q, ngx_http_tasks_entry_t, lru);

        if (entry->page) {
            ngx_http_tasks_entry_drop(entry);
            ngx_http_tasks_entry_tidy(entry);
            return;
        }
    }
}


/* An entry that has nothing and reads nothing is not needed. */

static void
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


ngx_http_tasks_page_t *
ngx_http_tasks_page_create(ngx_http_tasks_read_t *read, ngx_log_t *log)
{
    u_char                 *p;
    size_t                  size;
    ngx_uint_t              i;
    ngx_chain_t            *cl;
    ngx_http_tasks_page_t  *page;

    size = ngx_http_tasks_page_size(read);

    p = ngx_alloc(size, log);
    if (p == NULL) {
        return NULL;
    }

    page = (ngx_http_tasks_page_t *) p;
    p += sizeof(ngx_http_tasks_page_t);

    ngx_memzero(page, sizeof(ngx_http_tasks_page_t));

    page->refs = 1;
    page->size = size;
    page->count = read->nmembers;
    page->total = read->total;
    page->more = read->more;

    page->revisions = (ngx_str_t *) p;
    p += read->nindexes * sizeof(ngx_str_t);

    for (i = 0; i < read->nindexes; i++) {
        p = ngx_http_tasks_page_copy(p, &read->indexes[i].revision,
                                     &page->revisions[i]);
    }

    if (read->nmembers) {
        p = ngx_http_tasks_page_copy(p, &read->members[0].u.str, &page->first);
        p = ngx_http_tasks_page_copy(p,
                                  &read->members[read->nmembers - 1].u.str,
                                  &page->last);
    }

    page->rows.data = p;

    for (cl = read->rows ? read->rows->head : NULL; cl; cl = cl->next) {
        p = ngx_cpymem(p, cl->buf->pos, cl->buf->last - cl->buf->pos);
    }

    page->rows.len = p - page->rows.data;

    page->etag.data = p;
    page->etag.len = 32;
    ngx_http_tasks_read_etag(read, p);

    return page;
}


static size_t
ngx_http_tasks_page_size(ngx_http_tasks_read_t *read)
{
    size_t      size;
    ngx_uint_t  i;

    size = sizeof(ngx_http_tasks_page_t) + read->nindexes * sizeof(ngx_str_t)
           + (read->rows ? read->rows->size : 0) + 32;

    for (i = 0; i < read->nindexes; i++) {
        size += read->indexes[i].revision.len;
    }

    if (read->nmembers) {
        size += read->members[0].u.str.len
                + read->members[read->nmembers - 1].u.str.len;
    }

    return size;
}


static u_char *
ngx_http_tasks_page_copy(u_char *p, const ngx_str_t *from, ngx_str_t *to)
{
    if (from->data == NULL) {
        ngx_str_null(to);
        return p;
    }

    to->data = p;
    to->len = from->len;

    return ngx_cpymem(p, from->data, from->len);
}


void
ngx_http_tasks_page_release(ngx_http_tasks_page_t *page)
{
    if (--page->refs == 0) {
        ngx_free(page);
    }
}
