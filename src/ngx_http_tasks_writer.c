
/*
 * The one place where bytes are put together: commands to Redis, rows on their
 * way to the client and JSON bodies.  Nothing is estimated beforehand; a chain
 * of buffers grows as it is written.  Escaping and the UTF-8 check are here
 * and nowhere else.
 */


#include <ngx_http_tasks_writer.h>


#define NGX_HTTP_TASKS_WRITER_MAX_CHUNK  65536


static ngx_buf_t *ngx_http_tasks_writer_rest(ngx_http_tasks_writer_t *w,
    size_t size);
static void ngx_http_tasks_writer_link(ngx_http_tasks_writer_t *w,
    ngx_chain_t *head, ngx_chain_t *tail);


void
ngx_http_tasks_writer_init(ngx_http_tasks_writer_t *w, ngx_pool_t *pool,
    size_t chunk)
{
    ngx_memzero(w, sizeof(ngx_http_tasks_writer_t));

    w->pool = pool;
    w->chunk = chunk;
}


u_char
ngx_http_tasks_writer_last(const ngx_http_tasks_writer_t *w)
{
    ngx_buf_t  *b;

    if (w->size == 0) {
        return 0;
    }

    b = w->tail->buf;

    return b->last > b->pos ? b->last[-1] : 0;
}


void
ngx_http_tasks_write(ngx_http_tasks_writer_t *w, const void *data, size_t len)
{
    u_char  *p;

    if (len == 0) {
        return;
    }

    p = ngx_http_tasks_writer_room(w, len);

    if (p) {
        ngx_http_tasks_writer_took(w, ngx_cpymem(p, data, len));
    }
}


void
ngx_http_tasks_write_byte(ngx_http_tasks_writer_t *w, u_char c)
{
    ngx_http_tasks_write(w, &c, 1);
}


void
ngx_http_tasks_write_integer(ngx_http_tasks_writer_t *w, int64_t n)
{
    u_char  buf[NGX_INT64_LEN], *last;

    last = ngx_sprintf(buf, "%L", n);
    ngx_http_tasks_write(w, buf, last - buf);
}


void
ngx_http_tasks_write_escaped(ngx_http_tasks_writer_t *w, const ngx_str_t *text)
{
    u_char        buf[6];
    size_t        len;
    const u_char  *p, *start, *end;

    end = text->data + text->len;

    for (start = p = text->data; p < end; p += len, start = p) {

        while (p < end && *p >= ' ' && *p != '"' && *p != '\\'
               && (len = ngx_http_tasks_utf8_length(p, end)) != 0)
        {
            p += len;
        }

        ngx_http_tasks_write(w, start, p - start);

        if (p == end) {
            break;
        }

        len = 1;

        if (*p == '"' || *p == '\\') {
            buf[0] = '\\';
            buf[1] = *p;
            ngx_http_tasks_write(w, buf, 2);

        } else if (*p < ' ') {
            ngx_sprintf(buf, "\\u%04xi", (ngx_uint_t) *p);
            ngx_http_tasks_write(w, buf, 6);

        } else {
            ngx_http_tasks_write_literal(w, "\xEF\xBF\xBD");
        }
    }
}


void
ngx_http_tasks_write_chain(ngx_http_tasks_writer_t *w,
    ngx_http_tasks_writer_t *from)
{
    size_t        left;
    ngx_str_t     text;
    ngx_chain_t  *cl;

    if (from->failed) {
        w->failed = 1;
    }

    if (w->failed || from->head == NULL) {
        return;
    }

    if (!from->linked) {
        from->linked = 1;
        ngx_http_tasks_writer_link(w, from->head, from->tail);
        w->size += from->size;
        return;
    }

    /* links are in one chain only; what follows there is not of "from" */

    left = from->size;

    for (cl = from->head; left; cl = cl->next) {
        text.data = cl->buf->pos;
        text.len = cl->buf->last - cl->buf->pos;

        ngx_http_tasks_write_memory(w, &text);
        left -= text.len;
    }
}


void
ngx_http_tasks_write_memory(ngx_http_tasks_writer_t *w, const ngx_str_t *text)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    if (w->failed || text->len == 0) {
        return;
    }

    b = ngx_calloc_buf(w->pool);
    cl = ngx_alloc_chain_link(w->pool);

    if (b == NULL || cl == NULL) {
        w->failed = 1;
        return;
    }

    b->pos = text->data;
    b->last = text->data + text->len;
    b->start = b->pos;
    b->end = b->last;
    b->memory = 1;

    cl->buf = b;
    cl->next = NULL;

    ngx_http_tasks_writer_link(w, cl, cl);

    w->size += text->len;
}


u_char *
ngx_http_tasks_writer_grow(ngx_http_tasks_writer_t *w, size_t len)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    if (w->failed) {
        return NULL;
    }

    b = ngx_http_tasks_writer_rest(w, len);
    cl = ngx_alloc_chain_link(w->pool);

    if (b == NULL || cl == NULL) {
        w->failed = 1;
        return NULL;
    }

    cl->buf = b;
    cl->next = NULL;

    ngx_http_tasks_writer_link(w, cl, cl);

    w->open = 1;

    return b->last;
}


/* A buffer of the room that is left before what was linked, or a new one. */

static ngx_buf_t *
ngx_http_tasks_writer_rest(ngx_http_tasks_writer_t *w, size_t size)
{
    ngx_buf_t  *b;

    if ((size_t) (w->end - w->rest) < size) {
        size = ngx_max(size, w->chunk);
        w->chunk = ngx_min(w->chunk * 2, NGX_HTTP_TASKS_WRITER_MAX_CHUNK);

        return ngx_create_temp_buf(w->pool, size);
    }

    b = ngx_calloc_buf(w->pool);

    if (b) {
        b->start = w->rest;
        b->pos = w->rest;
        b->last = w->rest;
        b->end = w->end;
        b->temporary = 1;

        w->rest = w->end;
    }

    return b;
}


static void
ngx_http_tasks_writer_link(ngx_http_tasks_writer_t *w, ngx_chain_t *head,
    ngx_chain_t *tail)
{
    ngx_buf_t  *b;

    if (w->open) {
        b = w->tail->buf;

        w->rest = b->last;
        w->end = b->end;
        w->open = 0;

        b->end = b->last;
    }

    if (w->head == NULL) {
        w->head = head;

    } else {
        w->tail->next = head;
    }

    w->tail = tail;
}


size_t
ngx_http_tasks_utf8_length(const u_char *p, const u_char *end)
{
    size_t  i, len;
    u_char  low, high;

    low = 0x80;
    high = 0xbf;

    if (p[0] < 0x80) {
        return 1;

    } else if (p[0] < 0xc2) {
        return 0;

    } else if (p[0] < 0xe0) {
        len = 2;

    } else if (p[0] < 0xf0) {
        len = 3;
        low = (p[0] == 0xe0) ? 0xa0 : 0x80;      /* overlong */
        high = (p[0] == 0xed) ? 0x9f : 0xbf;     /* surrogates */

    } else if (p[0] < 0xf5) {
        len = 4;
        low = (p[0] == 0xf0) ? 0x90 : 0x80;      /* overlong */
        high = (p[0] == 0xf4) ? 0x8f : 0xbf;     /* above U+10FFFF */

    } else {
        return 0;
    }

    if ((size_t) (end - p) < len || p[1] < low || p[1] > high) {
        return 0;
    }

    for (i = 2; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }

    return len;
}


ngx_uint_t
ngx_http_tasks_is_text(const ngx_str_t *text)
{
    size_t        len;
    const u_char  *p, *end;

    end = text->data + text->len;

    for (p = text->data; p < end; p += len) {
        len = ngx_http_tasks_utf8_length(p, end);

        if (len == 0 || *p < ' ' || *p == 0x7f) {
            return 0;
        }
    }

    return 1;
}


ngx_uint_t
ngx_http_tasks_is_uuid(const ngx_str_t *text, u_char *canonical)
{
    u_char      c;
    ngx_uint_t  i;

    if (text->len != 36) {
        return 0;
    }

    for (i = 0; i < 36; i++) {
        c = ngx_tolower(text->data[i]);

        if (i == 8 || i == 13 || i == 18 || i == 23) {

            if (c != '-') {
                return 0;
            }

        } else if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) {
            return 0;
        }

        canonical[i] = c;
    }

    return 1;
}


void
ngx_http_tasks_one_line(u_char *p, size_t len)
{
    u_char  *last;

    for (last = p + len; p < last; p++) {
        if (*p == LF || *p == CR) {
            *p = ' ';
        }
    }
}
