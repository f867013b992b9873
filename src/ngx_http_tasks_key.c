
/*
 * Builds names of keys as ngx_http_tasks_library.lua does; the two must agree.
 */


#include <ngx_http_tasks_key.h>


typedef ngx_uint_t (*ngx_http_tasks_key_safe_pt)(u_char c);


static u_char *ngx_http_tasks_key_escape(u_char *p, const ngx_str_t *text,
    ngx_http_tasks_key_safe_pt safe);
static ngx_uint_t ngx_http_tasks_key_scope_safe(u_char c);
static ngx_uint_t ngx_http_tasks_key_value_safe(u_char c);


ngx_int_t
ngx_http_tasks_key_base(ngx_pool_t *pool,
    ngx_http_tasks_definition_t *definition, const ngx_str_t *scope,
    ngx_str_t *base)
{
    u_char  *p;
    size_t   len;

    len = sizeof("tasks:{:}") - 1 + definition->name.len
          + (scope ? 3 * scope->len : 0);

    p = ngx_pnalloc(pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    base->data = p;

    p = ngx_cpymem(p, "tasks:{", sizeof("tasks:{") - 1);
    p = ngx_cpymem(p, definition->name.data, definition->name.len);

    if (scope) {
        *p++ = ':';
        p = ngx_http_tasks_key_escape(p, scope, ngx_http_tasks_key_scope_safe);
    }

    *p++ = '}';

    base->len = p - base->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_tasks_key_suffix(ngx_pool_t *pool,
    ngx_http_tasks_definition_t *definition, const ngx_str_t *filters,
    ngx_str_t *suffix)
{
    u_char                   *p;
    size_t                    len;
    ngx_uint_t                i, n;
    ngx_http_tasks_field_t  **field;

    field = definition->filters.elts;
    n = definition->filters.nelts;
    len = 0;

    for (i = 0; i < n; i++) {
        if (filters[i].data) {
            len += field[i]->name.len + 3 * filters[i].len + 2;
        }
    }

    p = ngx_pnalloc(pool, len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    suffix->data = p;

    for (i = 0; i < n; i++) {

        if (filters[i].data == NULL) {
            continue;
        }

        if (p != suffix->data) {
            *p++ = '&';
        }

        p = ngx_cpymem(p, field[i]->name.data, field[i]->name.len);
        *p++ = '=';
        p = ngx_http_tasks_key_escape(p, &filters[i],
                                      ngx_http_tasks_key_value_safe);
    }

    suffix->len = p - suffix->data;

    return NGX_OK;
}


static u_char *
ngx_http_tasks_key_escape(u_char *p, const ngx_str_t *text,
    ngx_http_tasks_key_safe_pt safe)
{
    size_t               i;
    u_char               c;
    static const u_char  hex[] = "0123456789ABCDEF";

    for (i = 0; i < text->len; i++) {
        c = text->data[i];

        if (safe(c)) {
            *p++ = c;

        } else {
            *p++ = '%';
            *p++ = hex[c >> 4];
            *p++ = hex[c & 0xf];
        }
    }

    return p;
}


static ngx_uint_t
ngx_http_tasks_key_scope_safe(u_char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
           || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '~'
           || c == '-';
}


static ngx_uint_t
ngx_http_tasks_key_value_safe(u_char c)
{
    return c >= ' ' && c <= '~' && c != '%' && c != '&' && c != '='
           && c != ':';
}
