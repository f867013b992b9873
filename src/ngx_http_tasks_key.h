
/*
 * Names of keys in Redis: nothing from outside reaches one unescaped.
 */


#ifndef _NGX_HTTP_TASKS_KEY_H_INCLUDED_
#define _NGX_HTTP_TASKS_KEY_H_INCLUDED_


#include <ngx_http_tasks_definition.h>


/*
 * "tasks:{NAME}", or with a scope "tasks:{NAME:SCOPE}", the scope escaped
 * outside A-Z a-z 0-9 . _ ~ -.  A NULL scope is none.  NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_tasks_key_base(ngx_pool_t *pool,
    ngx_http_tasks_definition_t *definition, const ngx_str_t *scope,
    ngx_str_t *base);

/*
 * The suffix of the index for these filter values, one for each filter of the
 * definition (data is NULL: any): "project_id=1&status=running", or "".
 */
ngx_int_t ngx_http_tasks_key_suffix(ngx_pool_t *pool,
    ngx_http_tasks_definition_t *definition, const ngx_str_t *filters,
    ngx_str_t *suffix);


#endif /* _NGX_HTTP_TASKS_KEY_H_INCLUDED_ */
