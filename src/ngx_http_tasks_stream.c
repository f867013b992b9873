
/*
 * A list that goes out in chunks.  The next chunk is asked of Redis when the
 * client has taken the last one, whose memory is released then: a list of any
 * length takes the memory of one chunk, however slow the client.
 *
 * Each chunk is a snapshot.  Once bytes are out a failure ends the response
 * in front of its end: the connection is closed, so that nobody takes it for
 * a whole one.
 */


#include <ngx_http_tasks_handler.h>


static ngx_int_t ngx_http_tasks_stream_part(ngx_http_tasks_ctx_t *ctx,
    ngx_uint_t begin);
static ngx_int_t ngx_http_tasks_stream_write(ngx_http_tasks_ctx_t *ctx,
    ngx_uint_t begin, ngx_uint_t end, ngx_http_tasks_writer_t *w);
static ngx_int_t ngx_http_tasks_stream_next(ngx_http_tasks_ctx_t *ctx);
static ngx_int_t ngx_http_tasks_stream_forget(ngx_http_tasks_ctx_t *ctx);
static void ngx_http_tasks_stream_handler(ngx_http_request_t *r);
static void ngx_http_tasks_stream_done(ngx_http_tasks_exchange_t *x,
    ngx_http_tasks_error_e error);
static ngx_int_t ngx_http_tasks_stream_cut(ngx_http_tasks_ctx_t *ctx);


ngx_int_t
ngx_http_tasks_stream(ngx_http_tasks_ctx_t *ctx, ngx_uint_t status,
    ngx_str_t *content_type)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    static ngx_str_t     lines = ngx_string("application/x-ndjson");

    r = ctx->request;

    rc = ngx_http_tasks_send_header(r, status,
                                    ctx->exchange.lines ? &lines
                                                        : content_type, -1);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    ctx->exchange.done = ngx_http_tasks_stream_done;

    return ngx_http_tasks_stream_part(ctx, 1);
}


/*
 * Sends what was read.  Returns NGX_BUSY, or what the request is to be
 * finalized with.
 */
static ngx_int_t
ngx_http_tasks_stream_part(ngx_http_tasks_ctx_t *ctx, ngx_uint_t begin)
{
    ngx_uint_t                end;
    ngx_http_request_t       *r;
    ngx_http_tasks_writer_t   w;

    r = ctx->request;
    end = !ngx_http_tasks_list_goes_on(&ctx->exchange);

    /* small parts live as long as the chunk, so that they are no burden */

    ngx_http_tasks_writer_init(&w, ctx->exchange.read.op
                                   ? ctx->exchange.read.op->pool : r->pool,
                               256);

    if (ngx_http_tasks_stream_write(ctx, begin, end, &w) != NGX_OK
        || w.failed)
    {
        return ngx_http_tasks_stream_cut(ctx);
    }

    ctx->answered = end;                   /* all of it, or not yet */

    if (w.head == NULL) {
        return ngx_http_send_special(r, NGX_HTTP_LAST);
    }

    w.tail->buf->last_in_chain = 1;
    w.tail->buf->last_buf = end;
    w.tail->buf->flush = !end;             /* or a filter might hold it */

    if (end) {
        return ngx_http_output_filter(r, w.head);
    }

    ctx->busy = w.head;

    if (ngx_http_output_filter(r, w.head) == NGX_ERROR) {
        return NGX_ERROR;
    }

    return ngx_http_tasks_stream_next(ctx);
}


static ngx_int_t
ngx_http_tasks_stream_write(ngx_http_tasks_ctx_t *ctx, ngx_uint_t begin,
    ngx_uint_t end, ngx_http_tasks_writer_t *w)
{
    ngx_uint_t                  rows;
    ngx_http_tasks_route_t     *route;
    ngx_http_tasks_exchange_t  *x;

    x = &ctx->exchange;
    route = x->request.route;
    rows = (x->page ? x->page->count : x->read.nmembers);

    if (x->lines) {
        ngx_http_tasks_list_rows(x, w);

        if (rows) {
            ngx_http_tasks_write_byte(w, LF);
        }

        return NGX_OK;
    }

    if (begin) {
        if (ngx_http_tasks_template_run_parts(&route->response, 0,
                                              route->split, w,
                                              ngx_http_tasks_value, ctx)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        ngx_http_tasks_write_byte(w, '[');

    } else if (rows) {
        ngx_http_tasks_write_byte(w, ',');
    }

    ngx_http_tasks_list_rows(x, w);

    if (!end) {
        return NGX_OK;
    }

    ngx_http_tasks_write_byte(w, ']');

    return ngx_http_tasks_template_run_parts(&route->response,
                                             route->split + 1,
                                             route->response.parts.nelts, w,
                                             ngx_http_tasks_value, ctx);
}


/* Waits for the client, then for Redis. */

static ngx_int_t
ngx_http_tasks_stream_next(ngx_http_tasks_ctx_t *ctx)
{
    ngx_event_t               *wev;
    ngx_chain_t               *cl;
    ngx_http_request_t        *r;
    ngx_http_core_loc_conf_t  *clcf;

    r = ctx->request;
    wev = r->connection->write;

    for (cl = ctx->busy; cl; cl = cl->next) {
        if (ngx_buf_size(cl->buf) != 0) {
            break;
        }
    }

    ctx->busy = cl;

    if (cl) {
        clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

        r->write_event_handler = ngx_http_tasks_stream_handler;

        if (!wev->delayed) {
            ngx_add_timer(wev, clcf->send_timeout);
        }

        return ngx_handle_write_event(wev, clcf->send_lowat) == NGX_OK
               ? NGX_BUSY : NGX_ERROR;
    }

    if (wev->timer_set && !wev->delayed) {
        ngx_del_timer(wev);
    }

    if (ngx_http_tasks_stream_forget(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    r->write_event_handler = ngx_http_request_empty_handler;

    ngx_http_tasks_wait_begin(ctx);
    ctx->error = ngx_http_tasks_list_chunk(&ctx->exchange);

    return ctx->error == NGX_HTTP_TASKS_NO_ERROR
           ? NGX_BUSY : ngx_http_tasks_stream_cut(ctx);
}


/*
 * Filters keep links to buffers that were sent until the next ones come by.
 * The memory of these goes before that: an empty one has them forgotten.
 */
static ngx_int_t
ngx_http_tasks_stream_forget(ngx_http_tasks_ctx_t *ctx)
{
    ngx_chain_t  out;

    if (ctx->flush == NULL) {
        ctx->flush = ngx_calloc_buf(ctx->request->pool);
        if (ctx->flush == NULL) {
            return NGX_ERROR;
        }

        ctx->flush->flush = 1;
    }

    out.buf = ctx->flush;
    out.next = NULL;

    return ngx_http_output_filter(ctx->request, &out) == NGX_ERROR ? NGX_ERROR
                                                                   : NGX_OK;
}


static void
ngx_http_tasks_stream_handler(ngx_http_request_t *r)
{
    ngx_int_t              rc;
    ngx_event_t           *wev;
    ngx_http_tasks_ctx_t  *ctx;

    wev = r->connection->write;
    ctx = ngx_http_tasks_get_ctx(r);

    if (wev->timedout) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, NGX_ETIMEDOUT,
                      "client timed out");
        r->connection->timedout = 1;
        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    rc = wev->delayed ? NGX_OK : ngx_http_output_filter(r, NULL);

    if (rc != NGX_ERROR) {
        rc = ngx_http_tasks_stream_next(ctx);
    }

    if (rc != NGX_BUSY) {
        ngx_http_finalize_request(r, rc);
    }
}


/* A further chunk was read. */

static void
ngx_http_tasks_stream_done(ngx_http_tasks_exchange_t *x,
    ngx_http_tasks_error_e error)
{
    ngx_int_t              rc;
    ngx_connection_t      *c;
    ngx_http_request_t    *r;
    ngx_http_tasks_ctx_t  *ctx;

    ctx = x->data;
    r = ctx->request;
    c = r->connection;

    if (!ngx_http_tasks_is_current(ctx)) {
        return;
    }

    ngx_http_set_log_request(c->log, r);
    ngx_http_tasks_wait_end(ctx);

    if (error == NGX_HTTP_TASKS_NO_ERROR) {
        rc = ngx_http_tasks_stream_part(ctx, 0);

    } else {
        ctx->error = error;
        rc = ngx_http_tasks_stream_cut(ctx);
    }

    if (rc != NGX_BUSY) {
        ngx_http_finalize_request(r, rc);
    }

    ngx_http_run_posted_requests(c);
}


/*
 * Ends a response that cannot go on.  Lines that end where the connection is
 * closed look whole in HTTP/1.0, which knows no other end: it is reset.
 */
static ngx_int_t
ngx_http_tasks_stream_cut(ngx_http_tasks_ctx_t *ctx)
{
    struct linger        linger;
    ngx_http_request_t  *r;

    r = ctx->request;

    if (ctx->error == NGX_HTTP_TASKS_NO_ERROR) {
        ctx->error = NGX_HTTP_TASKS_INTERNAL;          /* no memory */
    }

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "tasks: a list is cut, its next chunk ended in \"%V\"",
                  &ctx->conf->definition->classes[ctx->error]);

    if (r->http_version < NGX_HTTP_VERSION_11) {
        linger.l_onoff = 1;
        linger.l_linger = 0;

        (void) setsockopt(r->connection->fd, SOL_SOCKET, SO_LINGER,
                          (const void *) &linger, sizeof(struct linger));

#if (NGX_SSL)
        if (r->connection->ssl) {
            /* that would be an end, too */
            r->connection->ssl->no_wait_shutdown = 1;
            r->connection->ssl->no_send_shutdown = 1;
        }
#endif
    }

    return NGX_ERROR;
}
