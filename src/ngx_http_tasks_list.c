
/*
 * A page of a list: members of an index by ZRANGE, then their rows by HMGET,
 * joined as they are.  The index's revision is read before and after; if it
 * moved in between, the page is read again, and an index that moves too fast
 * for that is read by a function, atomically.
 */


#include <ngx_http_tasks_exchange.h>


/* reads of a page before the function is called, and if it cannot be called */
#define NGX_HTTP_TASKS_LIST_TRIES      3
#define NGX_HTTP_TASKS_LIST_MAX_TRIES  200


static ngx_http_tasks_error_e ngx_http_tasks_list_index(
    ngx_http_tasks_exchange_t *x);
static void ngx_http_tasks_list_index_handler(ngx_http_tasks_op_t *op);
static ngx_http_tasks_error_e ngx_http_tasks_list_members(
    ngx_http_tasks_exchange_t *x);
static ngx_http_tasks_error_e ngx_http_tasks_list_rows(
    ngx_http_tasks_exchange_t *x);
static void ngx_http_tasks_list_rows_handler(ngx_http_tasks_op_t *op);
static ngx_http_tasks_error_e ngx_http_tasks_list_joined(
    ngx_http_tasks_exchange_t *x);
static ngx_http_tasks_error_e ngx_http_tasks_list_page(
    ngx_http_tasks_exchange_t *x);
static void ngx_http_tasks_list_page_handler(ngx_http_tasks_op_t *op);
static ngx_http_tasks_error_e ngx_http_tasks_list_page_reply(
    ngx_http_tasks_exchange_t *x, ngx_http_tasks_reply_t *reply);
static ngx_http_tasks_error_e ngx_http_tasks_list_broken(
    ngx_http_tasks_exchange_t *x, const char *what);
static void ngx_http_tasks_list_key(ngx_http_tasks_exchange_t *x,
    const char *name);
static void ngx_http_tasks_list_revision(ngx_http_tasks_exchange_t *x);
static ngx_uint_t ngx_http_tasks_list_range_argc(
    ngx_http_tasks_exchange_t *x);
static void ngx_http_tasks_list_range(ngx_http_tasks_exchange_t *x);
static ngx_int_t ngx_http_tasks_list_take_revision(
    ngx_http_tasks_reply_t *reply, ngx_str_t *revision);
static ngx_uint_t ngx_http_tasks_list_clip(ngx_http_tasks_exchange_t *x);
static ngx_int_t ngx_http_tasks_list_id(ngx_http_tasks_reply_t *member,
    ngx_str_t *id);
static ngx_http_tasks_error_e ngx_http_tasks_list_finish(
    ngx_http_tasks_exchange_t *x, ngx_http_tasks_writer_t *rows);


ngx_http_tasks_error_e
ngx_http_tasks_list(ngx_http_tasks_exchange_t *x)
{
    ngx_uint_t                 more;
    ngx_http_tasks_request_t  *request;

    request = &x->request;

    if (ngx_http_tasks_key_suffix(request->pool, request->definition,
                                  request->filters, &x->suffix)
        != NGX_OK)
    {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    /* one member more tells whether there is a next page, or too much */

    more = (request->limit < 0)
           || ngx_http_tasks_template_uses(&request->route->response,
                                           NGX_HTTP_TASKS_VALUE_NEXT_CURSOR);

    x->wanted = (request->limit < 0) ? NGX_HTTP_TASKS_MAX_LIMIT
                                     : (ngx_uint_t) request->limit;
    x->fetched = x->wanted + (more && x->wanted ? 1 : 0);
    x->offset = (request->page - 1) * (int64_t) x->wanted;

    /* where no row need be there, only the total tells a lost index */

    x->counted = request->route->total || request->cursor.data || x->offset
                 || x->fetched == 0;

    return ngx_http_tasks_list_index(x);
}


/* The first step: revision, members, and how many there are. */

static ngx_http_tasks_error_e
ngx_http_tasks_list_index(ngx_http_tasks_exchange_t *x)
{
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

    if (ngx_http_tasks_op_fill(op, 3) != NGX_OK) {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    ngx_http_tasks_list_revision(x);

    ngx_http_tasks_op_command(op, 2 + ngx_http_tasks_list_range_argc(x),
                              x->fetched, 0);
    ngx_http_tasks_op_literal(op, "ZRANGE");
    ngx_http_tasks_list_key(x, "index");
    ngx_http_tasks_list_range(x);

    if (x->counted) {
        ngx_http_tasks_op_command(op, 2, 0, 0);
        ngx_http_tasks_op_literal(op, "ZCARD");
        ngx_http_tasks_list_key(x, "index");
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

    if (error == NGX_HTTP_TASKS_ERRORS) {
        error = ngx_http_tasks_list_members(x);
    }

    if (error != NGX_HTTP_TASKS_ERRORS) {
        x->done(x, error);
        return;
    }

    error = ngx_http_tasks_list_rows(x);

    if (error != NGX_HTTP_TASKS_ERRORS) {
        x->done(x, error);
    }
}


static ngx_http_tasks_error_e
ngx_http_tasks_list_members(ngx_http_tasks_exchange_t *x)
{
    ngx_uint_t               i;
    ngx_http_tasks_reply_t  *reply;

    reply = x->op->replies;

    if (ngx_http_tasks_list_take_revision(&reply[0], &x->revision) != NGX_OK
        || reply[1].type != NGX_HTTP_TASKS_REPLY_ARRAY
        || (x->counted && reply[2].type != NGX_HTTP_TASKS_REPLY_INTEGER))
    {
        return ngx_http_tasks_exchange_distrust(x);
    }

    x->members = reply[1].u.array.elts;
    x->nmembers = reply[1].u.array.nelts;

    for (i = 0; i < x->nmembers; i++) {
        if (x->members[i].type != NGX_HTTP_TASKS_REPLY_STRING) {
            return ngx_http_tasks_exchange_distrust(x);
        }
    }

    x->total = x->counted ? reply[2].u.integer : (int64_t) x->nmembers;

    return NGX_HTTP_TASKS_ERRORS;
}


/* The second step: rows, and the revision once more. */

static ngx_http_tasks_error_e
ngx_http_tasks_list_rows(ngx_http_tasks_exchange_t *x)
{
    ngx_str_t             id;
    ngx_uint_t            i, n;
    ngx_http_tasks_op_t  *op;

    op = x->op;
    n = ngx_http_tasks_list_clip(x);

    if (ngx_http_tasks_op_fill(op, 2) != NGX_OK) {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    if (n) {
        ngx_http_tasks_op_command(op, 2 + n, n, 1);
        ngx_http_tasks_op_literal(op, "HMGET");
        ngx_http_tasks_list_key(x, "rows");

        for (i = 0; i < n; i++) {
            if (ngx_http_tasks_list_id(&x->members[i], &id) != NGX_OK) {
                return ngx_http_tasks_list_broken(x, "holds no position");
            }

            ngx_http_tasks_op_str(op, &id);
        }
    }

    ngx_http_tasks_list_revision(x);

    return ngx_http_tasks_exchange_start(x, ngx_http_tasks_list_rows_handler);
}


static void
ngx_http_tasks_list_rows_handler(ngx_http_tasks_op_t *op)
{
    ngx_str_t                   revision;
    ngx_http_tasks_error_e      error;
    ngx_http_tasks_exchange_t  *x;

    x = op->data;
    ngx_str_null(&revision);

    error = ngx_http_tasks_store_error(x->store, op);

    if (error == NGX_HTTP_TASKS_ERRORS
        && ngx_http_tasks_list_take_revision(&op->replies[op->ncommands - 1],
                                             &revision)
           != NGX_OK)
    {
        error = ngx_http_tasks_exchange_distrust(x);
    }

    if (error != NGX_HTTP_TASKS_ERRORS) {
        x->done(x, error);
        return;
    }

    if (revision.len != x->revision.len
        || (revision.len && ngx_memcmp(revision.data, x->revision.data,
                                       revision.len) != 0))
    {
        error = ngx_http_tasks_list_index(x);

        if (error != NGX_HTTP_TASKS_ERRORS) {
            x->done(x, error);
        }

        return;
    }

    x->done(x, ngx_http_tasks_list_joined(x));
}


static ngx_http_tasks_error_e
ngx_http_tasks_list_joined(ngx_http_tasks_exchange_t *x)
{
    ngx_uint_t                n;
    ngx_http_tasks_reply_t   *reply;

    n = ngx_http_tasks_list_clip(x);

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
        return ngx_http_tasks_list_broken(x, "names tasks that have no row");
    }

    return ngx_http_tasks_list_finish(x, &reply->u.joined->writer);
}


/* Instead of both steps: everything at once, from a function. */

static ngx_http_tasks_error_e
ngx_http_tasks_list_page(ngx_http_tasks_exchange_t *x)
{
    ngx_http_tasks_op_t  *op;

    op = x->op;

    if (ngx_http_tasks_op_fill(op, 1) != NGX_OK) {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    ngx_http_tasks_op_command(op, 5 + ngx_http_tasks_list_range_argc(x),
                              2 + 2 * x->fetched, 0);
    ngx_http_tasks_op_literal(op, "FCALL_RO");
    ngx_http_tasks_op_str(op, &x->request.definition->fn_page);
    ngx_http_tasks_op_literal(op, "1");
    ngx_http_tasks_op_str(op, &x->base);
    ngx_http_tasks_op_str(op, &x->suffix);
    ngx_http_tasks_list_range(x);

    return ngx_http_tasks_exchange_start(x, ngx_http_tasks_list_page_handler);
}


static void
ngx_http_tasks_list_page_handler(ngx_http_tasks_op_t *op)
{
    ngx_http_tasks_error_e      error;
    ngx_http_tasks_exchange_t  *x;

    x = op->data;

    if (op->status == NGX_HTTP_TASKS_OP_OK
        && (ngx_http_tasks_reply_is_error(&op->replies[0], "NOPERM")
            || ngx_http_tasks_reply_is_error(&op->replies[0],
                                             "ERR Function not found")))
    {
        /* a user that may only read: some more plain reads */

        x->no_page = 1;
        error = ngx_http_tasks_list_index(x);

        if (error == NGX_HTTP_TASKS_ERRORS) {
            return;
        }

    } else {
        error = ngx_http_tasks_store_error(x->store, op);

        if (error == NGX_HTTP_TASKS_ERRORS) {
            error = ngx_http_tasks_list_page_reply(x, &op->replies[0]);
        }
    }

    x->done(x, error);
}


static ngx_http_tasks_error_e
ngx_http_tasks_list_page_reply(ngx_http_tasks_exchange_t *x,
    ngx_http_tasks_reply_t *reply)
{
    ngx_uint_t                i, n;
    ngx_http_tasks_reply_t   *elt;
    ngx_http_tasks_writer_t   rows;

    if (reply->type != NGX_HTTP_TASKS_REPLY_ARRAY
        || reply->u.array.nelts < 2 || reply->u.array.nelts % 2)
    {
        return ngx_http_tasks_exchange_distrust(x);
    }

    elt = reply->u.array.elts;

    if (ngx_http_tasks_list_take_revision(&elt[0], &x->revision) != NGX_OK) {
        return ngx_http_tasks_exchange_distrust(x);
    }

    x->members = elt + 2;
    x->nmembers = (reply->u.array.nelts - 2) / 2;
    n = ngx_http_tasks_list_clip(x);

    if (elt[1].type != NGX_HTTP_TASKS_REPLY_STRING) {
        return ngx_http_tasks_exchange_distrust(x);
    }

    x->total = ngx_atoi(elt[1].u.str.data, elt[1].u.str.len);

    ngx_http_tasks_writer_init(&rows, x->op->pool, 8192);

    elt += 2 + x->nmembers;

    for (i = 0; i < n; i++) {

        if (elt[i].type != NGX_HTTP_TASKS_REPLY_STRING
            || x->members[i].type != NGX_HTTP_TASKS_REPLY_STRING)
        {
            return ngx_http_tasks_list_broken(x,
                                              "names tasks that have no row");
        }

        if (i) {
            ngx_http_tasks_write_byte(&rows, ',');
        }

        ngx_http_tasks_write_str(&rows, &elt[i].u.str);
    }

    return ngx_http_tasks_list_finish(x, &rows);
}


/*
 * Only a writer that goes past the functions, or Redis evicting keys, can
 * bring this about: an error is due, not a list that looks whole.
 */
static ngx_http_tasks_error_e
ngx_http_tasks_list_broken(ngx_http_tasks_exchange_t *x, const char *what)
{
    ngx_log_error(NGX_LOG_ERR, x->op->redis->log, 0,
                  "tasks store \"%V\": index \"%V\" of %V %s; was it written "
                  "without the functions, or does Redis evict keys?",
                  &x->store->redis.name, &x->suffix, &x->base, what);

    return NGX_HTTP_TASKS_INTERNAL;
}


static void
ngx_http_tasks_list_key(ngx_http_tasks_exchange_t *x, const char *name)
{
    u_char     *p;
    ngx_str_t   rest;

    rest.data = ngx_pnalloc(x->op->pool, ngx_strlen(name) + 2 + x->suffix.len);

    if (rest.data == NULL) {
        x->op->out.failed = 1;
        return;
    }

    p = rest.data;
    *p++ = ':';
    p = ngx_cpymem(p, name, ngx_strlen(name));

    if (name[0] == 'i' && x->suffix.len) {
        *p++ = ':';
        p = ngx_cpymem(p, x->suffix.data, x->suffix.len);
    }

    rest.len = p - rest.data;

    ngx_http_tasks_op_key(x->op, &x->base, &rest);
}


static void
ngx_http_tasks_list_revision(ngx_http_tasks_exchange_t *x)
{
    ngx_http_tasks_op_command(x->op, 3, 0, 0);
    ngx_http_tasks_op_literal(x->op, "HGET");
    ngx_http_tasks_list_key(x, "revs");
    ngx_http_tasks_op_str(x->op, &x->suffix);
}


/* The arguments of ZRANGE behind the key: by position, or else by rank. */

static ngx_uint_t
ngx_http_tasks_list_range_argc(ngx_http_tasks_exchange_t *x)
{
    return (x->request.cursor.data ? 6 : 2)
           + x->request.definition->descending;
}


static void
ngx_http_tasks_list_range(ngx_http_tasks_exchange_t *x)
{
    ngx_uint_t            descending;
    ngx_http_tasks_op_t  *op;

    static ngx_str_t      after = ngx_string("(");

    op = x->op;
    descending = x->request.definition->descending;

    if (x->request.cursor.data) {
        ngx_http_tasks_op_key(op, &after, &x->request.cursor);
        ngx_http_tasks_op_arg(op, (u_char *) (descending ? "-" : "+"), 1);
        ngx_http_tasks_op_literal(op, "BYLEX");

    } else if (x->fetched) {
        ngx_http_tasks_op_integer(op, x->offset);
        ngx_http_tasks_op_integer(op, x->offset + x->fetched - 1);

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


static ngx_int_t
ngx_http_tasks_list_take_revision(ngx_http_tasks_reply_t *reply,
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

static ngx_uint_t
ngx_http_tasks_list_clip(ngx_http_tasks_exchange_t *x)
{
    return ngx_min(x->nmembers, x->wanted);
}


/* The id is what follows the first colon of a position. */

static ngx_int_t
ngx_http_tasks_list_id(ngx_http_tasks_reply_t *member, ngx_str_t *id)
{
    u_char  *colon, *last;

    last = member->u.str.data + member->u.str.len;
    colon = ngx_strlchr(member->u.str.data, last, ':');

    if (colon == NULL) {
        return NGX_ERROR;
    }

    id->data = colon + 1;
    id->len = last - id->data;

    return NGX_OK;
}


static ngx_http_tasks_error_e
ngx_http_tasks_list_finish(ngx_http_tasks_exchange_t *x,
    ngx_http_tasks_writer_t *rows)
{
    ngx_http_tasks_writer_t  *w;

    /* an index has a revision exactly while it has members */

    if ((x->total != 0) != (x->revision.data != NULL)) {
        return ngx_http_tasks_list_broken(x,
                                "and its revision do not go together");
    }

    if (x->nmembers > x->wanted) {

        if (x->request.limit < 0) {
            return NGX_HTTP_TASKS_TOO_LARGE;
        }

        if (ngx_http_tasks_request_cursor(x->op->pool,
                                          &x->members[x->wanted - 1].u.str,
                                          &x->next_cursor)
            != NGX_OK)
        {
            return NGX_HTTP_TASKS_INTERNAL;
        }
    }

    w = &x->tasks;

    ngx_http_tasks_writer_init(w, x->op->pool, 256);
    ngx_http_tasks_write_byte(w, '[');

    if (rows) {
        ngx_http_tasks_write_chain(w, rows);
    }

    ngx_http_tasks_write_byte(w, ']');

    return w->failed ? NGX_HTTP_TASKS_INTERNAL : NGX_HTTP_TASKS_ERRORS;
}
