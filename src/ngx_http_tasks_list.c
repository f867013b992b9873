
/*
 * The list action: which page a request is for, by which way it is read, and
 * what its response tells of it.
 */


#include <ngx_http_tasks_exchange.h>


static int64_t ngx_http_tasks_list_offset(ngx_http_tasks_request_t *request);
static ngx_int_t ngx_http_tasks_list_prepare(ngx_http_tasks_exchange_t *x);
static ngx_http_tasks_error_e ngx_http_tasks_list_cursor(
    ngx_http_tasks_exchange_t *x);
static void ngx_http_tasks_list_cursor_handler(ngx_http_tasks_op_t *op);
static ngx_http_tasks_error_e ngx_http_tasks_list_cursor_reply(
    ngx_http_tasks_exchange_t *x);
static ngx_http_tasks_error_e ngx_http_tasks_list_read(
    ngx_http_tasks_exchange_t *x);
static void ngx_http_tasks_list_shared(ngx_http_tasks_waiter_t *waiter,
    ngx_http_tasks_page_t *page, ngx_http_tasks_error_e error);
static void ngx_http_tasks_list_alone(ngx_http_tasks_read_t *read,
    ngx_http_tasks_error_e error);
static void ngx_http_tasks_list_read_chunk(ngx_http_tasks_read_t *read,
    ngx_http_tasks_error_e error);
static ngx_http_tasks_error_e ngx_http_tasks_list_check(
    ngx_http_tasks_exchange_t *x);
static void ngx_http_tasks_list_check_handler(ngx_http_tasks_op_t *op);
static void ngx_http_tasks_list_took(ngx_http_tasks_exchange_t *x,
    ngx_uint_t n);
static ngx_int_t ngx_http_tasks_list_etag(ngx_http_tasks_exchange_t *x);


ngx_http_tasks_error_e
ngx_http_tasks_list(ngx_http_tasks_exchange_t *x)
{
    ngx_uint_t                 more;
    ngx_http_tasks_read_t     *read;
    ngx_http_tasks_request_t  *request;

    request = &x->request;
    read = &x->read;

    if (ngx_http_tasks_list_prepare(x) != NGX_OK) {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    /* one member more tells whether there is a next page, or too much */

    x->left = request->limit;
    x->streams = x->lines || (x->streams && request->route->split >= 0);

    if (x->streams && (x->left < 0 || x->left > NGX_HTTP_TASKS_MAX_CHUNK)) {
        read->wanted = NGX_HTTP_TASKS_MAX_CHUNK;
        more = 1;

    } else {
        x->streams = 0;
        read->whole = (x->left < 0 || x->left > NGX_HTTP_TASKS_MAX_LIMIT);
        read->wanted = read->whole ? NGX_HTTP_TASKS_MAX_LIMIT
                                   : (ngx_uint_t) x->left;
        more = read->whole || request->route->more;
    }

    read->separator = x->lines ? LF : ',';
    x->cached = x->cached && !x->lines;
    read->fetched = read->wanted + (more && read->wanted ? 1 : 0);
    read->offset = ngx_http_tasks_list_offset(request);
    x->list.offset = read->offset;

    /*
     * Ranks in each of several indexes say nothing: all is read up to there.
     * Where that is too much, only whether there is anything.
     */

    if (read->nindexes > 1
        && read->offset > ngx_min(NGX_HTTP_TASKS_MAX_LIMIT,
                                  NGX_HTTP_TASKS_MAX_MERGE
                                  / (int64_t) read->nindexes))
    {
        read->whole = 1;
        read->wanted = 0;
        read->fetched = 0;
    }

    /* where no row need be there, only the total tells a lost index */

    read->counted = request->route->total || request->cursor.data
                    || request->cursor_id.data || read->offset
                    || read->fetched == 0;

    return request->cursor_id.data ? ngx_http_tasks_list_cursor(x)
                                   : ngx_http_tasks_list_read(x);
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
    ngx_http_tasks_read_t     *read;
    ngx_http_tasks_request_t  *request;

    request = &x->request;
    read = &x->read;

    read->store = x->store;
    read->collection = request->route->collection;
    read->base = x->base;

    read->nindexes = ngx_http_tasks_key_count(read->collection,
                                              request->filters);

    read->indexes = ngx_pcalloc(request->pool, read->nindexes
                                           * sizeof(ngx_http_tasks_index_t));
    if (read->indexes == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < read->nindexes; i++) {
        if (ngx_http_tasks_key_suffix(request->pool, read->collection,
                                      request->filters, i,
                                      &read->indexes[i].suffix)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * A cursor that is an id: where the task is, or for a while where it was when
 * it was removed.
 */

static ngx_http_tasks_error_e
ngx_http_tasks_list_cursor(ngx_http_tasks_exchange_t *x)
{
    ngx_http_tasks_op_t  *op;

    static ngx_str_t      task = ngx_string(":task:"),
                          gone = ngx_string(":gone:");

    if (ngx_http_tasks_exchange_op(x, 2) != NGX_OK) {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    op = x->op;

    ngx_http_tasks_op_command(op, 3, 0, 0);
    ngx_http_tasks_op_literal(op, "HGET");
    ngx_http_tasks_exchange_key(x, &task, &x->request.cursor_id);
    ngx_http_tasks_op_literal(op, "_pos");

    ngx_http_tasks_op_command(op, 2, 0, 0);
    ngx_http_tasks_op_literal(op, "GET");
    ngx_http_tasks_exchange_key(x, &gone, &x->request.cursor_id);

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
        error = ngx_http_tasks_list_read(x);
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
            request->cursor = reply[i].u.str;
            return NGX_HTTP_TASKS_NO_ERROR;
        }

        if (reply[i].type != NGX_HTTP_TASKS_REPLY_NIL) {
            return ngx_http_tasks_exchange_distrust(x);
        }
    }

    request->param = request->route->cursor;
    request->value = request->cursor_id;

    return NGX_HTTP_TASKS_BAD_CURSOR;
}


/* With others that want the same page, or alone. */

static ngx_http_tasks_error_e
ngx_http_tasks_list_read(ngx_http_tasks_exchange_t *x)
{
    x->read.cursor = x->request.cursor;

    if (x->cached) {
        x->waiter.handler = ngx_http_tasks_list_shared;
        x->waiter.data = x;
        x->waiter.since = x->since;

        return ngx_http_tasks_cache_get(x->store->cache, &x->read,
                                        x->request.pool, &x->waiter);
    }

    x->read.op = ngx_http_tasks_store_op(x->store);
    if (x->read.op == NULL) {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    x->read.done = ngx_http_tasks_list_alone;
    x->read.data = x;
    x->how = NGX_HTTP_TASKS_CACHE_BYPASS;

    ngx_http_tasks_op_since(x->read.op, x->since);

    return x->known.data ? ngx_http_tasks_list_check(x)
                         : ngx_http_tasks_read_index(&x->read);
}


/* Whether what the client has is still right tell the revisions alone. */

static ngx_http_tasks_error_e
ngx_http_tasks_list_check(ngx_http_tasks_exchange_t *x)
{
    if (ngx_http_tasks_op_fill(x->read.op, 1) != NGX_OK) {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    ngx_http_tasks_read_revisions(&x->read);

    return ngx_http_tasks_read_send(&x->read,
                                    ngx_http_tasks_list_check_handler);
}


static void
ngx_http_tasks_list_check_handler(ngx_http_tasks_op_t *op)
{
    ngx_http_tasks_read_t      *read;
    ngx_http_tasks_error_e      error;
    ngx_http_tasks_exchange_t  *x;

    read = op->data;
    x = read->data;

    error = ngx_http_tasks_store_error(x->store, op);

    if (error == NGX_HTTP_TASKS_NO_ERROR) {

        if (ngx_http_tasks_read_take(read, &op->replies[0]) != NGX_OK) {
            error = ngx_http_tasks_read_distrust(read);

        } else if (ngx_http_tasks_list_etag(x) != NGX_OK) {
            error = NGX_HTTP_TASKS_INTERNAL;

        } else if (!ngx_http_tasks_equal(&x->etag, &x->known)) {
            error = ngx_http_tasks_read_index(read);

            if (error == NGX_HTTP_TASKS_NO_ERROR) {
                return;
            }
        }
    }

    x->done(x, error);
}


static void
ngx_http_tasks_list_shared(ngx_http_tasks_waiter_t *waiter,
    ngx_http_tasks_page_t *page, ngx_http_tasks_error_e error)
{
    ngx_http_tasks_exchange_t  *x;

    x = waiter->data;
    x->page = page;
    x->how = waiter->how;

    if (page) {
        x->list.count = page->count;
        x->list.total = page->total;
        x->list.more = page->more;
        x->list.first = page->first;
        x->list.last = page->last;

        ngx_http_tasks_list_took(x, page->count);

        if (!ngx_http_tasks_list_goes_on(x)) {
            x->etag = page->etag;
        }
    }

    x->done(x, error);
}


static void
ngx_http_tasks_list_alone(ngx_http_tasks_read_t *read,
    ngx_http_tasks_error_e error)
{
    ngx_http_tasks_exchange_t  *x;

    x = read->data;

    if (error == NGX_HTTP_TASKS_NO_ERROR) {
        x->list.count = read->nmembers;
        x->list.total = read->total;
        x->list.more = read->more;

        ngx_http_tasks_list_took(x, read->nmembers);

        if (read->nmembers) {
            x->list.first = read->members[0].u.str;
            x->list.last = read->members[read->nmembers - 1].u.str;
        }

        if (!ngx_http_tasks_list_goes_on(x)
            && ngx_http_tasks_list_etag(x) != NGX_OK)
        {
            error = NGX_HTTP_TASKS_INTERNAL;
        }
    }

    x->done(x, error);
}


static void
ngx_http_tasks_list_took(ngx_http_tasks_exchange_t *x, ngx_uint_t n)
{
    if (x->left > 0) {
        x->left -= n;
    }
}


/* Such a list changes while it is sent: nothing tells its state. */

ngx_uint_t
ngx_http_tasks_list_goes_on(ngx_http_tasks_exchange_t *x)
{
    return x->streams && x->list.more && x->left != 0;
}


ngx_http_tasks_error_e
ngx_http_tasks_list_chunk(ngx_http_tasks_exchange_t *x)
{
    ngx_http_tasks_read_t  *read;

    read = &x->read;

    /* where it goes on must outlive what it was read with */

    if (x->place == NULL) {
        x->place = ngx_palloc(x->request.pool, NGX_HTTP_TASKS_MAX_POSITION);
        x->list.first.data = ngx_pstrdup(x->request.pool, &x->list.first);

        if (x->list.first.data == NULL) {
            return NGX_HTTP_TASKS_INTERNAL;
        }
    }

    if (x->place == NULL || x->list.last.len > NGX_HTTP_TASKS_MAX_POSITION) {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    ngx_memcpy(x->place, x->list.last.data, x->list.last.len);

    read->cursor.data = x->place;
    read->cursor.len = x->list.last.len;
    x->list.last.data = x->place;

    ngx_http_tasks_exchange_end(x);

    read->op = ngx_http_tasks_store_op(x->store);
    if (read->op == NULL) {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    read->data = x;
    read->tries = 0;
    read->offset = 0;
    read->counted = 1;
    read->wanted = (x->left < 0) ? NGX_HTTP_TASKS_MAX_CHUNK
                   : (ngx_uint_t) ngx_min(x->left, NGX_HTTP_TASKS_MAX_CHUNK);
    read->fetched = read->wanted + 1;
    read->done = ngx_http_tasks_list_read_chunk;

    return ngx_http_tasks_read_index(read);
}


static void
ngx_http_tasks_list_read_chunk(ngx_http_tasks_read_t *read,
    ngx_http_tasks_error_e error)
{
    ngx_http_tasks_exchange_t  *x;

    x = read->data;

    if (error == NGX_HTTP_TASKS_NO_ERROR) {
        x->list.count += read->nmembers;
        x->list.more = read->more;

        ngx_http_tasks_list_took(x, read->nmembers);

        if (read->nmembers) {
            x->list.last = read->members[read->nmembers - 1].u.str;
        }
    }

    x->done(x, error);
}


static ngx_int_t
ngx_http_tasks_list_etag(ngx_http_tasks_exchange_t *x)
{
    x->etag.len = 32;
    x->etag.data = ngx_pnalloc(x->request.pool, 32);

    if (x->etag.data == NULL) {
        return NGX_ERROR;
    }

    ngx_http_tasks_read_etag(&x->read, x->etag.data);

    return NGX_OK;
}


void
ngx_http_tasks_list_rows(ngx_http_tasks_exchange_t *x,
    ngx_http_tasks_writer_t *w)
{
    if (x->page) {
        ngx_http_tasks_write_memory(w, &x->page->rows);

    } else if (x->read.rows) {
        ngx_http_tasks_write_chain(w, x->read.rows);
    }
}


ngx_int_t
ngx_http_tasks_list_next(ngx_http_tasks_exchange_t *x, ngx_str_t *cursor)
{
    ngx_http_tasks_param_t          *param;

    static ngx_http_tasks_cursor_t   form = {
        NGX_HTTP_TASKS_BASE64URL, ngx_string(""), ngx_string(""), 0
    };

    if (!x->list.more || x->list.count == 0) {
        ngx_str_null(cursor);
        return NGX_OK;
    }

    param = x->request.route->cursor;

    return ngx_http_tasks_cursor_make(x->request.pool,
                                      param ? &param->cursor : &form,
                                      &x->list.last, cursor);
}
