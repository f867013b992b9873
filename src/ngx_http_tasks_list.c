
/*
 * A page of a list: members of an index by ZRANGE, then their rows by HMGET,
 * joined as they are.  Where filters have several values, there are several
 * indexes; no task is in two of them, and their members are merged.
 *
 * The revisions of the indexes are read before and after; if one moved in
 * between, the page is read again, and indexes that move too fast for that are
 * read by a function, atomically.
 */


#include <ngx_http_tasks_list.h>


/* reads of a page before the function is called, and if it cannot be called */
#define NGX_HTTP_TASKS_LIST_TRIES      3
#define NGX_HTTP_TASKS_LIST_MAX_TRIES  200


static int64_t ngx_http_tasks_list_offset(ngx_http_tasks_request_t *request);
static ngx_int_t ngx_http_tasks_list_prepare(ngx_http_tasks_exchange_t *x);
static ngx_http_tasks_error_e ngx_http_tasks_list_cursor(
    ngx_http_tasks_exchange_t *x);
static void ngx_http_tasks_list_cursor_handler(ngx_http_tasks_op_t *op);
static ngx_http_tasks_error_e ngx_http_tasks_list_cursor_reply(
    ngx_http_tasks_exchange_t *x);
static void ngx_http_tasks_list_index_handler(ngx_http_tasks_op_t *op);
static ngx_http_tasks_error_e ngx_http_tasks_list_members(
    ngx_http_tasks_exchange_t *x);
static ngx_http_tasks_error_e ngx_http_tasks_list_merge(
    ngx_http_tasks_exchange_t *x);
static ngx_uint_t ngx_http_tasks_list_before(ngx_http_tasks_exchange_t *x,
    const ngx_str_t *one, const ngx_str_t *two);
static ngx_http_tasks_error_e ngx_http_tasks_list_rows(
    ngx_http_tasks_exchange_t *x);
static void ngx_http_tasks_list_rows_handler(ngx_http_tasks_op_t *op);
static ngx_int_t ngx_http_tasks_list_unmoved(ngx_http_tasks_exchange_t *x,
    ngx_http_tasks_reply_t *reply);
static ngx_http_tasks_error_e ngx_http_tasks_list_joined(
    ngx_http_tasks_exchange_t *x);
static void ngx_http_tasks_list_key(ngx_http_tasks_exchange_t *x,
    const char *name, const ngx_str_t *suffix);
static void ngx_http_tasks_list_revisions(ngx_http_tasks_exchange_t *x);
static void ngx_http_tasks_list_range(ngx_http_tasks_exchange_t *x,
    const ngx_str_t *suffix);


ngx_http_tasks_error_e
ngx_http_tasks_list(ngx_http_tasks_exchange_t *x)
{
    ngx_uint_t                 more;
    ngx_http_tasks_request_t  *request;

    request = &x->request;

    if (ngx_http_tasks_list_prepare(x) != NGX_OK) {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    /* one member more tells whether there is a next page, or too much */

    x->whole = (request->limit < 0
                || request->limit > NGX_HTTP_TASKS_MAX_LIMIT);

    more = x->whole || request->route->more;

    x->wanted = x->whole ? NGX_HTTP_TASKS_MAX_LIMIT
                         : (ngx_uint_t) request->limit;
    x->fetched = x->wanted + (more && x->wanted ? 1 : 0);
    x->offset = ngx_http_tasks_list_offset(request);

    /*
     * Ranks in each of several indexes say nothing: all is read up to there.
     * Where that is too much, only whether there is anything.
     */

    if (x->nindexes > 1 && x->offset > NGX_HTTP_TASKS_MAX_LIMIT) {
        x->whole = 1;
        x->wanted = 0;
        x->fetched = 0;
    }

    /* where no row need be there, only the total tells a lost index */

    x->counted = request->route->total || request->cursor.data
                 || request->cursor_id.data || x->offset || x->fetched == 0;

    return request->cursor_id.data ? ngx_http_tasks_list_cursor(x)
                                   : ngx_http_tasks_list_index(x);
}


/* The rank of the first task, by its number or that of its page. */

static int64_t
ngx_http_tasks_list_offset(ngx_http_tasks_request_t *request)
{
    int64_t  size, before;

    size = (request->limit < 0) ? NGX_HTTP_TASKS_MAX_LIMIT : request->limit;
    before = request->page - 1;

    if (before && size > NGX_HTTP_TASKS_MAX_OFFSET / before) {
        return NGX_HTTP_TASKS_MAX_OFFSET;
    }

    return request->offset + before * size;
}


static ngx_int_t
ngx_http_tasks_list_prepare(ngx_http_tasks_exchange_t *x)
{
    ngx_uint_t                 i;
    ngx_http_tasks_request_t  *request;

    request = &x->request;

    x->nindexes = ngx_http_tasks_key_count(request->route->collection,
                                           request->filters);

    x->indexes = ngx_pcalloc(request->pool, x->nindexes
                                          * sizeof(ngx_http_tasks_index_t));
    if (x->indexes == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < x->nindexes; i++) {
        if (ngx_http_tasks_key_suffix(request->pool,
                                      request->route->collection,
                                      request->filters, i,
                                      &x->indexes[i].suffix)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * A cursor that is an id: where the task is, or for a while where it was
 * when it was removed.
 */

static ngx_http_tasks_error_e
ngx_http_tasks_list_cursor(ngx_http_tasks_exchange_t *x)
{
    ngx_str_t            *id;
    ngx_http_tasks_op_t  *op;

    op = x->op;
    id = &x->request.cursor_id;

    if (ngx_http_tasks_op_fill(op, 2) != NGX_OK) {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    ngx_http_tasks_op_command(op, 3, 0, 0);
    ngx_http_tasks_op_literal(op, "HGET");
    ngx_http_tasks_list_key(x, "task", id);
    ngx_http_tasks_op_literal(op, "_pos");

    ngx_http_tasks_op_command(op, 2, 0, 0);
    ngx_http_tasks_op_literal(op, "GET");
    ngx_http_tasks_list_key(x, "gone", id);

    return ngx_http_tasks_exchange_start(x,
                                         ngx_http_tasks_list_cursor_handler);
}


static void
ngx_http_tasks_list_cursor_handler(ngx_http_tasks_op_t *op)
{
    ngx_http_tasks_error_e      error;
    ngx_http_tasks_exchange_t  *x;

    x = op->data;

    error = ngx_http_tasks_store_error(x->store, op);

    if (error == NGX_HTTP_TASKS_NO_ERROR) {
        error = ngx_http_tasks_list_cursor_reply(x);
    }

    if (error == NGX_HTTP_TASKS_NO_ERROR) {
        error = ngx_http_tasks_list_index(x);
    }

    if (error != NGX_HTTP_TASKS_NO_ERROR) {
        x->done(x, error);
    }
}


static ngx_http_tasks_error_e
ngx_http_tasks_list_cursor_reply(ngx_http_tasks_exchange_t *x)
{
    ngx_uint_t                 i;
    ngx_http_tasks_reply_t    *reply;
    ngx_http_tasks_request_t  *request;

    reply = x->op->replies;
    request = &x->request;

    for (i = 0; i < 2; i++) {

        if (reply[i].type == NGX_HTTP_TASKS_REPLY_STRING) {
            /* the operation's memory goes when the page is read again */
            request->cursor.len = reply[i].u.str.len;
            request->cursor.data = ngx_pstrdup(request->pool,
                                               &reply[i].u.str);

            return request->cursor.data ? NGX_HTTP_TASKS_NO_ERROR
                                        : NGX_HTTP_TASKS_INTERNAL;
        }

        if (reply[i].type != NGX_HTTP_TASKS_REPLY_NIL) {
            return ngx_http_tasks_exchange_distrust(x);
        }
    }

    request->param = request->route->cursor;
    request->value = request->cursor_id;

    return NGX_HTTP_TASKS_BAD_CURSOR;
}


/* The first step: revisions, members, and how many there are. */

ngx_http_tasks_error_e
ngx_http_tasks_list_index(ngx_http_tasks_exchange_t *x)
{
    ngx_uint_t            i;
    ngx_http_tasks_op_t  *op;

    /* what former tries have read is of no use any more */

    if (x->tries && ngx_http_tasks_op_renew(&x->op) != NGX_OK) {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    if (x->tries == NGX_HTTP_TASKS_LIST_MAX_TRIES) {
        return NGX_HTTP_TASKS_UNAVAILABLE;
    }

    if (x->tries++ >= NGX_HTTP_TASKS_LIST_TRIES && !x->no_page) {
        return ngx_http_tasks_list_page(x);
    }

    op = x->op;

    if (ngx_http_tasks_op_fill(op, 1 + 2 * x->nindexes) != NGX_OK) {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    ngx_http_tasks_list_revisions(x);

    for (i = 0; i < x->nindexes; i++) {
        ngx_http_tasks_list_range(x, &x->indexes[i].suffix);
    }

    for (i = 0; x->counted && i < x->nindexes; i++) {
        ngx_http_tasks_op_command(op, 2, 0, 0);
        ngx_http_tasks_op_literal(op, "ZCARD");
        ngx_http_tasks_list_key(x, "index", &x->indexes[i].suffix);
    }

    return ngx_http_tasks_exchange_start(x, ngx_http_tasks_list_index_handler);
}


static void
ngx_http_tasks_list_index_handler(ngx_http_tasks_op_t *op)
{
    ngx_http_tasks_error_e      error;
    ngx_http_tasks_exchange_t  *x;

    x = op->data;

    error = ngx_http_tasks_store_error(x->store, op);

    if (error == NGX_HTTP_TASKS_NO_ERROR) {
        error = ngx_http_tasks_list_members(x);
    }

    if (error == NGX_HTTP_TASKS_NO_ERROR) {
        error = ngx_http_tasks_list_merge(x);
    }

    if (error == NGX_HTTP_TASKS_NO_ERROR) {
        error = ngx_http_tasks_list_rows(x);
    }

    if (error != NGX_HTTP_TASKS_NO_ERROR) {
        x->done(x, error);
    }
}


static ngx_http_tasks_error_e
ngx_http_tasks_list_members(ngx_http_tasks_exchange_t *x)
{
    ngx_uint_t               i, j;
    ngx_http_tasks_index_t  *index;
    ngx_http_tasks_reply_t  *revision, *members, *total;

    revision = x->op->replies;
    members = revision + 1;
    total = members + x->nindexes;

    if (revision->type != NGX_HTTP_TASKS_REPLY_ARRAY
        || revision->u.array.nelts != x->nindexes)
    {
        return ngx_http_tasks_exchange_distrust(x);
    }

    x->total = 0;

    for (i = 0; i < x->nindexes; i++) {
        index = &x->indexes[i];

        if (ngx_http_tasks_list_revision(&revision->u.array.elts[i],
                                              &index->revision)
            != NGX_OK
            || members[i].type != NGX_HTTP_TASKS_REPLY_ARRAY
            || (x->counted && total[i].type != NGX_HTTP_TASKS_REPLY_INTEGER))
        {
            return ngx_http_tasks_exchange_distrust(x);
        }

        index->members = members[i].u.array.elts;
        index->nmembers = members[i].u.array.nelts;

        for (j = 0; j < index->nmembers; j++) {
            if (index->members[j].type != NGX_HTTP_TASKS_REPLY_STRING) {
                return ngx_http_tasks_exchange_distrust(x);
            }
        }

        index->total = x->counted ? total[i].u.integer
                                  : (int64_t) index->nmembers;
        x->total += index->total;
    }

    return NGX_HTTP_TASKS_NO_ERROR;
}


/* Of several indexes, as they sort alike: the least of their first ones. */

static ngx_http_tasks_error_e
ngx_http_tasks_list_merge(ngx_http_tasks_exchange_t *x)
{
    int64_t                  skip;
    ngx_uint_t               i, next[NGX_HTTP_TASKS_MAX_INDEXES];
    ngx_http_tasks_index_t  *index, *first;
    ngx_http_tasks_reply_t  *member;

    if (x->nindexes == 1) {
        x->members = x->indexes->members;
        x->nmembers = x->indexes->nmembers;
        return NGX_HTTP_TASKS_NO_ERROR;
    }

    x->nmembers = 0;
    x->members = ngx_palloc(x->op->pool, (x->fetched + 1)
                                         * sizeof(ngx_http_tasks_reply_t));
    if (x->members == NULL) {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    ngx_memzero(next, sizeof(next));

    for (skip = x->offset; x->nmembers < x->fetched; skip--) {

        first = NULL;
        member = NULL;

        for (i = 0; i < x->nindexes; i++) {
            index = &x->indexes[i];

            if (next[i] < index->nmembers
                && (first == NULL
                    || ngx_http_tasks_list_before(x,
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

        next[first - x->indexes]++;

        if (skip <= 0) {
            x->members[x->nmembers++] = *member;
        }
    }

    return NGX_HTTP_TASKS_NO_ERROR;
}


/* Whether a list has one position before the other: by their bytes. */

static ngx_uint_t
ngx_http_tasks_list_before(ngx_http_tasks_exchange_t *x, const ngx_str_t *one,
    const ngx_str_t *two)
{
    ngx_int_t  rc;

    rc = ngx_memn2cmp(one->data, two->data, one->len, two->len);

    return x->request.route->collection->descending ? rc > 0 : rc < 0;
}


/* The second step: rows, and the revisions once more. */

static ngx_http_tasks_error_e
ngx_http_tasks_list_rows(ngx_http_tasks_exchange_t *x)
{
    ngx_str_t             id;
    ngx_uint_t            i, n;
    ngx_http_tasks_op_t  *op;

    static ngx_str_t      all = ngx_string("");

    op = x->op;
    n = ngx_http_tasks_list_count(x);

    if (ngx_http_tasks_op_fill(op, 2) != NGX_OK) {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    if (n) {
        ngx_http_tasks_op_command(op, 2 + n, n, 1);
        ngx_http_tasks_op_literal(op, "HMGET");
        ngx_http_tasks_list_key(x, "rows", &all);

        for (i = 0; i < n; i++) {
            if (ngx_http_tasks_position_id(&x->members[i].u.str, &id)
                != NGX_OK)
            {
                return ngx_http_tasks_list_broken(x, NULL,
                                                  "holds no position");
            }

            ngx_http_tasks_op_str(op, &id);
        }
    }

    ngx_http_tasks_list_revisions(x);

    return ngx_http_tasks_exchange_start(x, ngx_http_tasks_list_rows_handler);
}


static void
ngx_http_tasks_list_rows_handler(ngx_http_tasks_op_t *op)
{
    ngx_int_t                   rc;
    ngx_http_tasks_error_e      error;
    ngx_http_tasks_exchange_t  *x;

    x = op->data;

    error = ngx_http_tasks_store_error(x->store, op);

    if (error == NGX_HTTP_TASKS_NO_ERROR) {
        rc = ngx_http_tasks_list_unmoved(x, &op->replies[op->ncommands - 1]);

        if (rc == NGX_DECLINED) {
            error = ngx_http_tasks_list_index(x);

            if (error == NGX_HTTP_TASKS_NO_ERROR) {
                return;
            }

        } else {
            error = (rc == NGX_OK) ? ngx_http_tasks_list_joined(x)
                                   : ngx_http_tasks_exchange_distrust(x);
        }
    }

    x->done(x, error);
}


/* Whether revisions are what they were.  NGX_DECLINED: one is not. */

static ngx_int_t
ngx_http_tasks_list_unmoved(ngx_http_tasks_exchange_t *x,
    ngx_http_tasks_reply_t *reply)
{
    ngx_str_t   revision;
    ngx_uint_t  i;

    if (reply->type != NGX_HTTP_TASKS_REPLY_ARRAY
        || reply->u.array.nelts != x->nindexes)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < x->nindexes; i++) {

        if (ngx_http_tasks_list_revision(&reply->u.array.elts[i],
                                              &revision)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (!ngx_http_tasks_equal(&revision, &x->indexes[i].revision)) {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


static ngx_http_tasks_error_e
ngx_http_tasks_list_joined(ngx_http_tasks_exchange_t *x)
{
    ngx_uint_t                n;
    ngx_http_tasks_reply_t   *reply;

    n = ngx_http_tasks_list_count(x);

    if (n == 0) {
        return ngx_http_tasks_list_finish(x, NULL);
    }

    reply = &x->op->replies[0];

    if (reply->type != NGX_HTTP_TASKS_REPLY_JOINED
        || reply->u.joined->strings + reply->u.joined->nils != n)
    {
        return ngx_http_tasks_exchange_distrust(x);
    }

    if (reply->u.joined->nils) {
        return ngx_http_tasks_list_broken(x, NULL,
                                          "names tasks that have no row");
    }

    return ngx_http_tasks_list_finish(x, &reply->u.joined->writer);
}


ngx_http_tasks_error_e
ngx_http_tasks_list_broken(ngx_http_tasks_exchange_t *x, ngx_str_t *suffix,
    const char *what)
{
    if (suffix == NULL) {
        suffix = &x->indexes[0].suffix;
    }

    ngx_log_error(NGX_LOG_ERR, x->op->redis->log, 0,
                  "tasks store \"%V\": index \"%V\" of %V %s; was it written "
                  "without the functions, or does Redis evict keys?",
                  &x->store->redis.name, suffix, &x->base, what);

    return NGX_HTTP_TASKS_INTERNAL;
}


/* ":NAME", or ":NAME:SUFFIX" where there is a suffix. */

static void
ngx_http_tasks_list_key(ngx_http_tasks_exchange_t *x, const char *name,
    const ngx_str_t *suffix)
{
    u_char     *p;
    ngx_str_t   rest;

    rest.data = ngx_pnalloc(x->op->pool, ngx_strlen(name) + 2 + suffix->len);

    if (rest.data == NULL) {
        x->op->out.failed = 1;
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

    ngx_http_tasks_op_key(x->op, &x->base, &rest);
}


static void
ngx_http_tasks_list_revisions(ngx_http_tasks_exchange_t *x)
{
    ngx_uint_t        i;

    static ngx_str_t  all = ngx_string("");

    ngx_http_tasks_op_command(x->op, 2 + x->nindexes, x->nindexes, 0);
    ngx_http_tasks_op_literal(x->op, "HMGET");
    ngx_http_tasks_list_key(x, "revs", &all);

    for (i = 0; i < x->nindexes; i++) {
        ngx_http_tasks_op_str(x->op, &x->indexes[i].suffix);
    }
}


/* Members of an index: what follows a position, or else by their rank. */

static void
ngx_http_tasks_list_range(ngx_http_tasks_exchange_t *x,
    const ngx_str_t *suffix)
{
    int64_t               start, n;
    ngx_uint_t            descending;
    ngx_http_tasks_op_t  *op;

    static ngx_str_t      after = ngx_string("(");

    op = x->op;
    descending = x->request.route->collection->descending;

    start = (x->nindexes == 1) ? x->offset : 0;
    n = x->fetched + x->offset - start;

    ngx_http_tasks_op_command(op, (x->request.cursor.data ? 8 : 4)
                                  + descending,
                              n, 0);
    ngx_http_tasks_op_literal(op, "ZRANGE");
    ngx_http_tasks_list_key(x, "index", suffix);

    if (x->request.cursor.data) {
        ngx_http_tasks_op_key(op, &after, &x->request.cursor);
        ngx_http_tasks_op_arg(op, (u_char *) (descending ? "-" : "+"), 1);
        ngx_http_tasks_op_literal(op, "BYLEX");

    } else if (x->fetched) {
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

    if (x->request.cursor.data) {
        ngx_http_tasks_op_literal(op, "LIMIT");
        ngx_http_tasks_op_literal(op, "0");
        ngx_http_tasks_op_integer(op, x->fetched);
    }
}


ngx_int_t
ngx_http_tasks_list_revision(ngx_http_tasks_reply_t *reply,
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


/* Rows to show. */

ngx_uint_t
ngx_http_tasks_list_count(ngx_http_tasks_exchange_t *x)
{
    return ngx_min(x->nmembers, x->wanted);
}


ngx_http_tasks_error_e
ngx_http_tasks_list_finish(ngx_http_tasks_exchange_t *x,
    ngx_http_tasks_writer_t *rows)
{
    ngx_uint_t                i;
    ngx_http_tasks_index_t   *index;
    ngx_http_tasks_writer_t  *w;

    /* an index has a revision exactly while it has members */

    for (i = 0; i < x->nindexes; i++) {
        index = &x->indexes[i];

        if ((index->total != 0) != (index->revision.data != NULL)) {
            return ngx_http_tasks_list_broken(x, &index->suffix,
                                      "and its revision do not go together");
        }
    }

    x->more = x->wanted ? x->nmembers > x->wanted : x->total > x->offset;

    if (x->more && x->whole) {
        return NGX_HTTP_TASKS_TOO_LARGE;
    }

    w = &x->tasks;

    ngx_http_tasks_writer_init(w, x->op->pool, 256);
    ngx_http_tasks_write_byte(w, '[');

    if (rows) {
        ngx_http_tasks_write_chain(w, rows);
    }

    ngx_http_tasks_write_byte(w, ']');

    return w->failed ? NGX_HTTP_TASKS_INTERNAL : NGX_HTTP_TASKS_NO_ERROR;
}


ngx_int_t
ngx_http_tasks_list_next(ngx_http_tasks_exchange_t *x, ngx_str_t *cursor)
{
    ngx_http_tasks_param_t          *param;

    static ngx_http_tasks_cursor_t   form = {
        NGX_HTTP_TASKS_BASE64URL, ngx_string(""), ngx_string(""), 0
    };

    if (!x->more || x->wanted == 0) {
        ngx_str_null(cursor);
        return NGX_OK;
    }

    param = x->request.route->cursor;

    return ngx_http_tasks_cursor_make(x->op->pool,
                                      param ? &param->cursor : &form,
                                      &x->members[x->wanted - 1].u.str,
                                      cursor);
}
