
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
    ngx_http_tasks_collection_t *collection, const ngx_str_t *scope,
    ngx_str_t *base)
{
    u_char  *p;
    size_t   len;

    len = sizeof("tasks:{:}") - 1 + collection->name.len
          + (scope ? 3 * scope->len : 0);

    p = ngx_pnalloc(pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    base->data = p;

    p = ngx_cpymem(p, "tasks:{", sizeof("tasks:{") - 1);
    p = ngx_cpymem(p, collection->name.data, collection->name.len);

    if (scope) {
        *p++ = ':';
        p = ngx_http_tasks_key_escape(p, scope, ngx_http_tasks_key_scope_safe);
    }

    *p++ = '}';

    base->len = p - base->data;

    return NGX_OK;
}


ngx_uint_t
ngx_http_tasks_key_count(ngx_http_tasks_collection_t *collection,
    const ngx_http_tasks_values_t *filters)
{
    ngx_uint_t  i, n;

    n = 1;

    for (i = 0; i < collection->filters.nelts; i++) {
        if (filters[i].nelts) {
            n *= filters[i].nelts;
        }
    }

    return n;
}


ngx_int_t
ngx_http_tasks_key_suffix(ngx_pool_t *pool,
    ngx_http_tasks_collection_t *collection,
    const ngx_http_tasks_values_t *filters, ngx_uint_t n, ngx_str_t *suffix)
{
    u_char                   *p;
    size_t                    len;
    ngx_str_t                *value[NGX_HTTP_TASKS_MAX_FILTERS];
    ngx_uint_t                i;
    ngx_http_tasks_field_t  **field;

    field = collection->filters.elts;
    len = 0;

    /* n counts the combinations as digits do, one of each filter's values */

    for (i = 0; i < collection->filters.nelts; i++) {

        value[i] = NULL;

        if (filters[i].nelts) {
            value[i] = &filters[i].elts[n % filters[i].nelts];
            n /= filters[i].nelts;
            len += field[i]->name.len + 3 * value[i]->len + 2;
        }
    }

    p = ngx_pnalloc(pool, len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    suffix->data = p;

    for (i = 0; i < collection->filters.nelts; i++) {

        if (value[i] == NULL) {
            continue;
        }

        if (p != suffix->data) {
            *p++ = '&';
        }

        p = ngx_cpymem(p, field[i]->name.data, field[i]->name.len);
        *p++ = '=';
        p = ngx_http_tasks_key_escape(p, value[i],
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
