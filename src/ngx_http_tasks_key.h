
/*
 * Names of keys in Redis: nothing from outside reaches one unescaped.
 */


#ifndef _NGX_HTTP_TASKS_KEY_H_INCLUDED_
#define _NGX_HTTP_TASKS_KEY_H_INCLUDED_


#include <ngx_http_tasks_request.h>


/*
 * "tasks:{NAME}", or with a scope "tasks:{NAME:SCOPE}", the scope escaped
 * outside A-Z a-z 0-9 . _ ~ -.  A NULL scope is none.  NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_tasks_key_base(ngx_pool_t *pool,
    ngx_http_tasks_collection_t *collection, const ngx_str_t *scope,
    ngx_str_t *base);

/* How many indexes a list of these filters is put together from. */
ngx_uint_t ngx_http_tasks_key_count(ngx_http_tasks_collection_t *collection,
    const ngx_http_tasks_values_t *filters);

/*
 * The suffix of the nth of them: "project_id=1&status=running", or "".
 * NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_tasks_key_suffix(ngx_pool_t *pool,
    ngx_http_tasks_collection_t *collection,
    const ngx_http_tasks_values_t *filters, ngx_uint_t n, ngx_str_t *suffix);


#endif /* _NGX_HTTP_TASKS_KEY_H_INCLUDED_ */
