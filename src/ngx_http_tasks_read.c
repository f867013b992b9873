
/*
 * Reads a page of a list: members of an index by ZRANGE, then their rows by
 * HMGET, joined as they are.  Where filters have several values, there are
 * several indexes; no task is in two of them, and their members are merged.
 *
 * The revisions of the indexes are read before and after; if one moved in
 * between, the page is read again, and indexes that move too fast for that are
 * read by a function, atomically.
 */


#include <ngx_http_tasks_read.h>
#include <ngx_md5.h>


/* reads of a page before the function is called, and if it cannot be called */
#define NGX_HTTP_TASKS_READ_TRIES      3
#define NGX_HTTP_TASKS_READ_MAX_TRIES  200


static void ngx_http_tasks_read_index_handler(ngx_http_tasks_op_t *op);
static ngx_http_tasks_error_e ngx_http_tasks_read_members(
    ngx_http_tasks_read_t *read);
static ngx_http_tasks_error_e ngx_http_tasks_read_merge(
    ngx_http_tasks_read_t *read);
static ngx_uint_t ngx_http_tasks_read_before(ngx_http_tasks_read_t *read,
    const ngx_str_t *one, const ngx_str_t *two);
static ngx_http_tasks_error_e ngx_http_tasks_read_rows(
    ngx_http_tasks_read_t *read);
static void ngx_http_tasks_read_rows_handler(ngx_http_tasks_op_t *op);
static ngx_http_tasks_error_e ngx_http_tasks_read_joined(
    ngx_http_tasks_read_t *read);
static ngx_http_tasks_index_t *ngx_http_tasks_read_contradiction(
    ngx_http_tasks_read_t *read);
static void ngx_http_tasks_read_key(ngx_http_tasks_read_t *read,
    const char *name, const ngx_str_t *suffix);
static void ngx_http_tasks_read_range(ngx_http_tasks_read_t *read,
    const ngx_str_t *suffix);


/* The first step: revisions, members, and how many there are. */

ngx_http_tasks_error_e
ngx_http_tasks_read_index(ngx_http_tasks_read_t *read)
{
    ngx_uint_t            i;
    ngx_http_tasks_op_t  *op;

    /* what former tries have read is of no use any more */

    if (read->tries && ngx_http_tasks_op_renew(&read->op) != NGX_OK) {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    if (read->tries == NGX_HTTP_TASKS_READ_MAX_TRIES) {
        return NGX_HTTP_TASKS_UNAVAILABLE;
    }

    if (read->tries++ >= NGX_HTTP_TASKS_READ_TRIES && !read->no_page) {
        return ngx_http_tasks_read_page(read);
    }

    op = read->op;
    read->first = 1;

    if (ngx_http_tasks_op_fill(op, 1 + 2 * read->nindexes) != NGX_OK) {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    ngx_http_tasks_read_revisions(read);

    for (i = 0; i < read->nindexes; i++) {
        ngx_http_tasks_read_range(read, &read->indexes[i].suffix);
    }

    for (i = 0; read->counted && i < read->nindexes; i++) {
        ngx_http_tasks_op_command(op, 2, 0, 0);
        ngx_http_tasks_op_literal(op, "ZCARD");
        ngx_http_tasks_read_key(read, "index", &read->indexes[i].suffix);
    }

    return ngx_http_tasks_read_send(read, ngx_http_tasks_read_index_handler);
}


static void
ngx_http_tasks_read_index_handler(ngx_http_tasks_op_t *op)
{
    ngx_http_tasks_error_e      error;
    ngx_http_tasks_read_t  *read;

    read = op->data;

    error = ngx_http_tasks_store_error(read->store, op);

    if (error == NGX_HTTP_TASKS_NO_ERROR) {
        error = ngx_http_tasks_read_members(read);
    }

    if (error == NGX_HTTP_TASKS_NO_ERROR) {
        error = ngx_http_tasks_read_merge(read);
    }

    if (error == NGX_HTTP_TASKS_NO_ERROR) {
        error = ngx_http_tasks_read_rows(read);
    }

    if (error != NGX_HTTP_TASKS_NO_ERROR) {
        read->done(read, error);
    }
}


static ngx_http_tasks_error_e
ngx_http_tasks_read_members(ngx_http_tasks_read_t *read)
{
    ngx_uint_t               i, j;
    ngx_http_tasks_index_t  *index;
    ngx_http_tasks_reply_t  *revision, *members, *total;

    revision = read->op->replies;
    members = revision + 1;
    total = members + read->nindexes;

    if (ngx_http_tasks_read_take(read, revision) != NGX_OK) {
        return ngx_http_tasks_read_distrust(read);
    }

    read->total = 0;

    for (i = 0; i < read->nindexes; i++) {
        index = &read->indexes[i];

        if (members[i].type != NGX_HTTP_TASKS_REPLY_ARRAY
            || (read->counted
                && total[i].type != NGX_HTTP_TASKS_REPLY_INTEGER))
        {
            return ngx_http_tasks_read_distrust(read);
        }

        index->members = members[i].u.array.elts;
        index->nmembers = members[i].u.array.nelts;

        for (j = 0; j < index->nmembers; j++) {
            if (index->members[j].type != NGX_HTTP_TASKS_REPLY_STRING) {
                return ngx_http_tasks_read_distrust(read);
            }
        }

        index->total = read->counted ? total[i].u.integer
                                  : (int64_t) index->nmembers;
        read->total += index->total;
    }

    return NGX_HTTP_TASKS_NO_ERROR;
}


ngx_int_t
ngx_http_tasks_read_take(ngx_http_tasks_read_t *read,
    ngx_http_tasks_reply_t *reply)
{
    ngx_uint_t  i;

    if (reply->type != NGX_HTTP_TASKS_REPLY_ARRAY
        || reply->u.array.nelts != read->nindexes)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < read->nindexes; i++) {
        if (ngx_http_tasks_read_revision(&reply->u.array.elts[i],
                                         &read->indexes[i].revision)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* Of several indexes, as they sort alike: the least of their first ones. */

static ngx_http_tasks_error_e
ngx_http_tasks_read_merge(ngx_http_tasks_read_t *read)
{
    int64_t                  skip;
    ngx_uint_t               i, next[NGX_HTTP_TASKS_MAX_INDEXES];
    ngx_http_tasks_index_t  *index, *first;
    ngx_http_tasks_reply_t  *member;

    if (read->nindexes == 1) {
        read->members = read->indexes->members;
        read->nmembers = read->indexes->nmembers;
        return NGX_HTTP_TASKS_NO_ERROR;
    }

    read->nmembers = 0;
    read->members = ngx_palloc(read->op->pool, (read->fetched + 1)
                                         * sizeof(ngx_http_tasks_reply_t));
    if (read->members == NULL) {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    ngx_memzero(next, sizeof(next));

    for (skip = read->offset; read->nmembers < read->fetched; skip--) {

        first = NULL;
        member = NULL;

        for (i = 0; i < read->nindexes; i++) {
            index = &read->indexes[i];

            if (next[i] < index->nmembers
                && (first == NULL
                    || ngx_http_tasks_read_before(read,
                                             &index->members[next[i]].u.str,
                                             &member->u.str)))
            {
                first = index;
                member = &index->members[next[i]];
            }
        }

        if (first == NULL) {
            break;
        }

        next[first - read->indexes]++;

        if (skip <= 0) {
            read->members[read->nmembers++] = *member;
        }
    }

    return NGX_HTTP_TASKS_NO_ERROR;
}


/* Whether a list has one position before the other: by their bytes. */

static ngx_uint_t
ngx_http_tasks_read_before(ngx_http_tasks_read_t *read, const ngx_str_t *one,
    const ngx_str_t *two)
{
    ngx_int_t  rc;

    rc = ngx_memn2cmp(one->data, two->data, one->len, two->len);

    return read->collection->descending ? rc > 0 : rc < 0;
}


/* The second step: rows, and the revisions once more. */

static ngx_http_tasks_error_e
ngx_http_tasks_read_rows(ngx_http_tasks_read_t *read)
{
    ngx_str_t             id;
    ngx_uint_t            i, n;
    ngx_http_tasks_op_t  *op;

    static ngx_str_t      all = ngx_string("");

    op = read->op;
    read->first = 0;
    n = ngx_min(read->nmembers, read->wanted);

    if (ngx_http_tasks_op_fill(op, 2) != NGX_OK) {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    if (n) {
        ngx_http_tasks_op_command(op, 2 + n, n, read->separator);
        ngx_http_tasks_op_literal(op, "HMGET");
        ngx_http_tasks_read_key(read, "rows", &all);

        for (i = 0; i < n; i++) {
            if (ngx_http_tasks_position_id(&read->members[i].u.str, &id)
                != NGX_OK)
            {
                return ngx_http_tasks_read_broken(read, NULL,
                                                  "holds no position");
            }

            ngx_http_tasks_op_str(op, &id);
        }
    }

    ngx_http_tasks_read_revisions(read);

    return ngx_http_tasks_read_send(read, ngx_http_tasks_read_rows_handler);
}


static void
ngx_http_tasks_read_rows_handler(ngx_http_tasks_op_t *op)
{
    ngx_int_t                   rc;
    ngx_http_tasks_error_e      error;
    ngx_http_tasks_read_t  *read;

    read = op->data;

    error = ngx_http_tasks_store_error(read->store, op);

    if (error == NGX_HTTP_TASKS_NO_ERROR) {
        rc = ngx_http_tasks_read_unmoved(read, &op->replies[op->ncommands - 1]);

        /* an index that was empty both times may not have been in between */

        if (rc == NGX_OK && read->tries <= NGX_HTTP_TASKS_READ_TRIES
            && ngx_http_tasks_read_contradiction(read))
        {
            rc = NGX_DECLINED;
        }

        if (rc == NGX_DECLINED) {
            error = ngx_http_tasks_read_index(read);

            if (error == NGX_HTTP_TASKS_NO_ERROR) {
                return;
            }

        } else {
            error = (rc == NGX_OK) ? ngx_http_tasks_read_joined(read)
                                   : ngx_http_tasks_read_distrust(read);
        }
    }

    read->done(read, error);
}


ngx_int_t
ngx_http_tasks_read_unmoved(ngx_http_tasks_read_t *read,
    ngx_http_tasks_reply_t *reply)
{
    ngx_str_t   revision;
    ngx_uint_t  i;

    if (reply->type != NGX_HTTP_TASKS_REPLY_ARRAY
        || reply->u.array.nelts != read->nindexes)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < read->nindexes; i++) {

        if (ngx_http_tasks_read_revision(&reply->u.array.elts[i],
                                              &revision)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (!ngx_http_tasks_equal(&revision, &read->indexes[i].revision)) {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


static ngx_http_tasks_error_e
ngx_http_tasks_read_joined(ngx_http_tasks_read_t *read)
{
    ngx_uint_t                n;
    ngx_http_tasks_reply_t   *reply;

    n = ngx_min(read->nmembers, read->wanted);

    if (n == 0) {
        return ngx_http_tasks_read_finish(read, NULL);
    }

    reply = &read->op->replies[0];

    if (reply->type != NGX_HTTP_TASKS_REPLY_JOINED
        || reply->u.joined->strings + reply->u.joined->nils != n)
    {
        return ngx_http_tasks_read_distrust(read);
    }

    if (reply->u.joined->nils) {
        return ngx_http_tasks_read_broken(read, NULL,
                                          "names tasks that have no row");
    }

    return ngx_http_tasks_read_finish(read, &reply->u.joined->writer);
}


ngx_http_tasks_error_e
ngx_http_tasks_read_broken(ngx_http_tasks_read_t *read, ngx_str_t *suffix,
    const char *what)
{
    if (suffix == NULL) {
        suffix = &read->indexes[0].suffix;
    }

    ngx_log_error(NGX_LOG_ERR, read->op->redis->log, 0,
                  "tasks store \"%V\": index \"%V\" of %V %s; was it written "
                  "without the functions, or does Redis evict keys?",
                  &read->store->redis.name, suffix, &read->base, what);

    return NGX_HTTP_TASKS_INTERNAL;
}


/* ":NAME", or ":NAME:SUFFIX" where there is a suffix. */

static void
ngx_http_tasks_read_key(ngx_http_tasks_read_t *read, const char *name,
    const ngx_str_t *suffix)
{
    u_char     *p;
    ngx_str_t   rest;

    rest.data = ngx_pnalloc(read->op->pool, ngx_strlen(name) + 2 + suffix->len);

    if (rest.data == NULL) {
        read->op->out.failed = 1;
        return;
    }

    p = rest.data;
    *p++ = ':';
    p = ngx_cpymem(p, name, ngx_strlen(name));

    if (suffix->len) {
        *p++ = ':';
        p = ngx_cpymem(p, suffix->data, suffix->len);
    }

    rest.len = p - rest.data;

    ngx_http_tasks_op_key(read->op, &read->base, &rest);
}


void
ngx_http_tasks_read_revisions(ngx_http_tasks_read_t *read)
{
    ngx_uint_t        i;

    static ngx_str_t  all = ngx_string("");

    ngx_http_tasks_op_command(read->op, 2 + read->nindexes, read->nindexes, 0);
    ngx_http_tasks_op_literal(read->op, "HMGET");
    ngx_http_tasks_read_key(read, "revs", &all);

    for (i = 0; i < read->nindexes; i++) {
        ngx_http_tasks_op_str(read->op, &read->indexes[i].suffix);
    }
}


/* Members of an index: what follows a position, or else by their rank. */

static void
ngx_http_tasks_read_range(ngx_http_tasks_read_t *read,
    const ngx_str_t *suffix)
{
    int64_t               start, n;
    ngx_uint_t            descending;
    ngx_http_tasks_op_t  *op;

    static ngx_str_t      after = ngx_string("(");

    op = read->op;
    descending = read->collection->descending;

    start = (read->nindexes == 1) ? read->offset : 0;
    n = read->fetched + read->offset - start;

    ngx_http_tasks_op_command(op, (read->cursor.data ? 8 : 4)
                                  + descending,
                              n, 0);
    ngx_http_tasks_op_literal(op, "ZRANGE");
    ngx_http_tasks_read_key(read, "index", suffix);

    if (read->cursor.data) {
        ngx_http_tasks_op_key(op, &after, &read->cursor);
        ngx_http_tasks_op_arg(op, (u_char *) (descending ? "-" : "+"), 1);
        ngx_http_tasks_op_literal(op, "BYLEX");

    } else if (read->fetched) {
        ngx_http_tasks_op_integer(op, start);
        ngx_http_tasks_op_integer(op, start + n - 1);

    } else {
        /* no row at all: a range from 0 to -1 would be every one */
        ngx_http_tasks_op_literal(op, "1");
        ngx_http_tasks_op_literal(op, "0");
    }

    if (descending) {
        ngx_http_tasks_op_literal(op, "REV");
    }

    if (read->cursor.data) {
        ngx_http_tasks_op_literal(op, "LIMIT");
        ngx_http_tasks_op_literal(op, "0");
        ngx_http_tasks_op_integer(op, read->fetched);
    }
}


ngx_int_t
ngx_http_tasks_read_revision(ngx_http_tasks_reply_t *reply,
    ngx_str_t *revision)
{
    switch (reply->type) {

    case NGX_HTTP_TASKS_REPLY_STRING:
        *revision = reply->u.str;
        return NGX_OK;

    case NGX_HTTP_TASKS_REPLY_NIL:
        ngx_str_null(revision);
        return NGX_OK;

    default:
        return NGX_ERROR;
    }
}


/* An index has a revision exactly while it has members. */

static ngx_http_tasks_index_t *
ngx_http_tasks_read_contradiction(ngx_http_tasks_read_t *read)
{
    ngx_uint_t               i;
    ngx_http_tasks_index_t  *index;

    for (i = 0; i < read->nindexes; i++) {
        index = &read->indexes[i];

        if (index->revision.data ? index->total == 0
                                 : index->total || index->nmembers)
        {
            return index;
        }
    }

    return NULL;
}


ngx_http_tasks_error_e
ngx_http_tasks_read_finish(ngx_http_tasks_read_t *read,
    ngx_http_tasks_writer_t *rows)
{
    ngx_http_tasks_index_t  *index;

    index = ngx_http_tasks_read_contradiction(read);

    if (index) {
        return ngx_http_tasks_read_broken(read, &index->suffix,
                                      "and its revision do not go together");
    }

    read->more = read->wanted ? read->nmembers > read->wanted
                              : read->total > read->offset;

    if (read->more && read->whole) {
        return NGX_HTTP_TASKS_TOO_LARGE;
    }

    read->nmembers = ngx_min(read->nmembers, read->wanted);
    read->rows = rows;

    return NGX_HTTP_TASKS_NO_ERROR;
}


ngx_http_tasks_error_e
ngx_http_tasks_read_send(ngx_http_tasks_read_t *read,
    ngx_http_tasks_op_pt handler)
{
    read->op->data = read;

    return ngx_http_tasks_store_start(read->op, handler);
}


ngx_http_tasks_error_e
ngx_http_tasks_read_distrust(ngx_http_tasks_read_t *read)
{
    return ngx_http_tasks_store_distrust(read->op);
}


void
ngx_http_tasks_read_etag(const ngx_http_tasks_read_t *read, u_char *etag)
{
    u_char                        digest[16];
    int64_t                       numbers[3];
    ngx_md5_t                     md5;
    ngx_uint_t                    i;
    const ngx_http_tasks_index_t  *index;

    numbers[0] = read->offset;
    numbers[1] = read->wanted;
    numbers[2] = read->cursor.len;

    ngx_md5_init(&md5);
    ngx_md5_update(&md5, read->base.data, read->base.len);
    ngx_md5_update(&md5, numbers, sizeof(numbers));
    ngx_md5_update(&md5, read->cursor.data, read->cursor.len);

    for (i = 0; i < read->nindexes; i++) {
        index = &read->indexes[i];
        ngx_md5_update(&md5, index->suffix.data, index->suffix.len);
        ngx_md5_update(&md5, ":", 1);
        ngx_md5_update(&md5, index->revision.data, index->revision.len);
    }

    ngx_md5_final(digest, &md5);
    ngx_hex_dump(etag, digest, 16);
}
