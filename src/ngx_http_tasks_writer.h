
/*
 * Bounded appends to a chain of buffers.
 */


#ifndef _NGX_HTTP_TASKS_WRITER_H_INCLUDED_
#define _NGX_HTTP_TASKS_WRITER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    ngx_pool_t               *pool;      /* of buffers and links */
    ngx_chain_t              *head;      /* what was written; NULL if nothing */
    ngx_chain_t              *tail;      /* last link of head */
    size_t                    size;      /* bytes written so far */
    size_t                    chunk;     /* bytes of the next buffer */
    u_char                   *rest;      /* of the last buffer of its own, if
                                            something was linked behind it */
    u_char                   *end;       /* of that rest */
    unsigned                  open:1;    /* tail's buffer may be appended to */
    unsigned                  linked:1;  /* its links are in another chain */
    unsigned                  failed:1;  /* an allocation failed */
} ngx_http_tasks_writer_t;


/*
 * Starts an empty chain whose first buffer has "chunk" bytes; each further one
 * has twice as many, up to 64K.
 */
void ngx_http_tasks_writer_init(ngx_http_tasks_writer_t *w, ngx_pool_t *pool,
    size_t chunk);

/* Room in a further buffer: for ngx_http_tasks_writer_room(). */
u_char *ngx_http_tasks_writer_grow(ngx_http_tasks_writer_t *w, size_t len);

/*
 * The appending functions return nothing: after a failed allocation they do
 * nothing and w->failed is set, which whoever takes the chain must check.
 */
void ngx_http_tasks_write(ngx_http_tasks_writer_t *w, const void *data,
    size_t len);

/*
 * Room for "len" bytes, not 0, in one piece, or NULL; what was used of it is
 * told to ngx_http_tasks_writer_took() with its end, before anything else is
 * written.  Inline, as a list's commands and rows are some 150 of these.
 */
static ngx_inline u_char *
ngx_http_tasks_writer_room(ngx_http_tasks_writer_t *w, size_t len)
{
    if (w->open && (size_t) (w->tail->buf->end - w->tail->buf->last) >= len) {
        return w->tail->buf->last;
    }

    return ngx_http_tasks_writer_grow(w, len);
}

static ngx_inline void
ngx_http_tasks_writer_took(ngx_http_tasks_writer_t *w, u_char *last)
{
    w->size += last - w->tail->buf->last;
    w->tail->buf->last = last;
}

/* The last byte that was written, 0 if there is none. */
u_char ngx_http_tasks_writer_last(const ngx_http_tasks_writer_t *w);

void ngx_http_tasks_write_byte(ngx_http_tasks_writer_t *w, u_char c);
void ngx_http_tasks_write_integer(ngx_http_tasks_writer_t *w, int64_t n);

/*
 * Appends the text of a JSON string, without the quotes: escapes what RFC 8259
 * wants escaped and replaces each byte of ill-formed UTF-8 by U+FFFD.
 */
void ngx_http_tasks_write_escaped(ngx_http_tasks_writer_t *w,
    const ngx_str_t *text);

/* Links memory that is not copied; it must stay as long as what "w" has. */
void ngx_http_tasks_write_memory(ngx_http_tasks_writer_t *w,
    const ngx_str_t *text);

/* Links the buffers of "from", which must stay as long as those of "w". */
void ngx_http_tasks_write_chain(ngx_http_tasks_writer_t *w,
    ngx_http_tasks_writer_t *from);

/* Bytes of the well-formed UTF-8 sequence at "p", 0 if it is ill-formed. */
size_t ngx_http_tasks_utf8_length(const u_char *p, const u_char *end);

/* Makes spaces of line ends, which in JSON are white space. */
void ngx_http_tasks_one_line(u_char *p, size_t len);

/* Whether "text" is a UUID; "canonical" (36 bytes) is it in lower case. */
ngx_uint_t ngx_http_tasks_is_uuid(const ngx_str_t *text, u_char *canonical);

/* Whether "text" is well-formed UTF-8 without control characters. */
ngx_uint_t ngx_http_tasks_is_text(const ngx_str_t *text);


#define ngx_http_tasks_equal(a, b)                                            \
    ((a)->len == (b)->len                                                     \
     && ((a)->len == 0 || ngx_memcmp((a)->data, (b)->data, (a)->len) == 0))
#define ngx_http_tasks_write_str(w, s)                                        \
    ngx_http_tasks_write(w, (s)->data, (s)->len)
#define ngx_http_tasks_write_literal(w, s)                                    \
    ngx_http_tasks_write(w, s, sizeof(s) - 1)


#endif /* _NGX_HTTP_TASKS_WRITER_H_INCLUDED_ */
