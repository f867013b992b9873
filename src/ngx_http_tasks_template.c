
/*
 * Holds and writes response templates.  The definition compiler makes them;
 * nothing is looked up by name when a response is written.
 */


#include <ngx_http_tasks_template.h>


static void ngx_http_tasks_template_value(ngx_http_tasks_writer_t *w,
    const ngx_http_tasks_value_t *value, void *data);
static void ngx_http_tasks_template_inside(ngx_http_tasks_writer_t *w,
    const ngx_http_tasks_value_t *value, ngx_uint_t plain);


ngx_int_t
ngx_http_tasks_template_init(ngx_http_tasks_template_t *template,
    ngx_pool_t *pool)
{
    template->uses = 0;

    return ngx_array_init(&template->parts, pool, 4,
                          sizeof(ngx_http_tasks_part_t));
}


ngx_int_t
ngx_http_tasks_template_literal(ngx_http_tasks_template_t *template,
    const void *data, size_t len)
{
    u_char                 *p;
    ngx_str_t               text;
    ngx_http_tasks_part_t  *last;

    last = template->parts.elts;
    last += template->parts.nelts;

    if (template->parts.nelts
        && last[-1].kind == NGX_HTTP_TASKS_PART_LITERAL)
    {
        last--;

        p = ngx_pnalloc(template->parts.pool, last->text.len + len);
        if (p == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(ngx_cpymem(p, last->text.data, last->text.len), data, len);

        last->text.data = p;
        last->text.len += len;

        return NGX_OK;
    }

    text.len = len;
    text.data = ngx_pnalloc(template->parts.pool, len + 1);
    if (text.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(text.data, data, len);

    return ngx_http_tasks_template_part(template, NGX_HTTP_TASKS_PART_LITERAL,
                                        0, &text);
}


ngx_int_t
ngx_http_tasks_template_part(ngx_http_tasks_template_t *template,
    ngx_http_tasks_part_e kind, ngx_uint_t value, const ngx_str_t *text)
{
    ngx_http_tasks_part_t  *part;

    part = ngx_array_push(&template->parts);
    if (part == NULL) {
        return NGX_ERROR;
    }

    part->kind = kind;
    part->value = value;
    part->text.len = text ? text->len : 0;
    part->text.data = text ? text->data : NULL;

    if (kind != NGX_HTTP_TASKS_PART_LITERAL
        && kind != NGX_HTTP_TASKS_PART_SEPARATOR
        && value < NGX_HTTP_TASKS_VALUES)
    {
        template->uses |= (uint64_t) 1 << value;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_tasks_template_run(const ngx_http_tasks_template_t *template,
    ngx_http_tasks_writer_t *w, ngx_http_tasks_value_pt get, void *data)
{
    return ngx_http_tasks_template_run_parts(template, 0,
                                             template->parts.nelts, w, get,
                                             data);
}


ngx_int_t
ngx_http_tasks_template_run_parts(const ngx_http_tasks_template_t *template,
    ngx_uint_t first, ngx_uint_t last, ngx_http_tasks_writer_t *w,
    ngx_http_tasks_value_pt get, void *data)
{
    ngx_uint_t                    i;
    ngx_http_tasks_value_t        value;
    const ngx_http_tasks_part_t  *part;

    part = template->parts.elts;

    for (i = first; i < last; i++) {

        if (part[i].kind == NGX_HTTP_TASKS_PART_LITERAL) {
            ngx_http_tasks_write_str(w, &part[i].text);
            continue;
        }

        if (part[i].kind == NGX_HTTP_TASKS_PART_SEPARATOR) {
            if (ngx_http_tasks_writer_last(w) != '{') {
                ngx_http_tasks_write_byte(w, ',');
            }

            continue;
        }

        ngx_memzero(&value, sizeof(ngx_http_tasks_value_t));

        if (get(data, part[i].value, &value) != NGX_OK) {
            return NGX_ERROR;
        }

        switch (part[i].kind) {

        case NGX_HTTP_TASKS_PART_MEMBER:
            if (value.kind == NGX_HTTP_TASKS_ABSENT) {
                break;
            }

            if (ngx_http_tasks_writer_last(w) != '{') {
                ngx_http_tasks_write_byte(w, ',');
            }

            ngx_http_tasks_write_str(w, &part[i].text);
            ngx_http_tasks_template_value(w, &value, data);
            break;

        case NGX_HTTP_TASKS_PART_INSIDE:
            ngx_http_tasks_template_inside(w, &value, 0);
            break;

        case NGX_HTTP_TASKS_PART_PLAIN:
            ngx_http_tasks_template_inside(w, &value, 1);
            break;

        default: /* NGX_HTTP_TASKS_PART_VALUE */
            ngx_http_tasks_template_value(w, &value, data);
            break;
        }
    }

    return NGX_OK;
}


static void
ngx_http_tasks_template_value(ngx_http_tasks_writer_t *w,
    const ngx_http_tasks_value_t *value, void *data)
{
    switch (value->kind) {

    case NGX_HTTP_TASKS_JSON:
        ngx_http_tasks_write_str(w, &value->str);
        break;

    case NGX_HTTP_TASKS_TEXT:
        ngx_http_tasks_write_byte(w, '"');
        ngx_http_tasks_write_escaped(w, &value->str);
        ngx_http_tasks_write_byte(w, '"');
        break;

    case NGX_HTTP_TASKS_WRITTEN:
        value->write(data, w);
        break;

    default: /* NGX_HTTP_TASKS_ABSENT */
        ngx_http_tasks_write_literal(w, "null");
        break;
    }
}


/* A value as a part of a longer text. */

static void
ngx_http_tasks_template_inside(ngx_http_tasks_writer_t *w,
    const ngx_http_tasks_value_t *value, ngx_uint_t plain)
{
    const ngx_str_t  *text;

    if (value->kind != NGX_HTTP_TASKS_JSON
        && value->kind != NGX_HTTP_TASKS_TEXT)
    {
        return;
    }

    text = value->plain.data ? &value->plain : &value->str;

    if (plain) {
        ngx_http_tasks_write_str(w, text);

    } else {
        ngx_http_tasks_write_escaped(w, text);
    }
}
