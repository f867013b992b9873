
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


#include <ngx_http_tasks_entry.h>


static void ngx_http_tasks_cache_destroy(void *data);
static void ngx_http_tasks_waiter_hurry(ngx_http_tasks_waiter_t *waiter);
static void ngx_http_tasks_waiter_timeout(ngx_event_t *ev);
static ngx_int_t ngx_http_tasks_cache_key(ngx_pool_t *pool,
    const ngx_http_tasks_read_t *wanted, ngx_str_t *key);
static ngx_int_t ngx_http_tasks_cache_compare(ngx_rbtree_node_t *node,
    ngx_str_t *key, ngx_rbtree_key_t hash);
static void ngx_http_tasks_cache_insert(ngx_rbtree_node_t *temp,
    ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel);
static ngx_http_tasks_entry_t *ngx_http_tasks_cache_find(
    ngx_http_tasks_cache_t *cache, ngx_str_t *key, uint32_t hash);
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

    if (entry && ngx_queue_empty(&entry->waiters)
        && ngx_queue_empty(&entry->next))
    {
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


void
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


void
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
