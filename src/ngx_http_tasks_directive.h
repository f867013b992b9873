
/*
 * Directives that do more than set a value, as nginx calls them.
 */


#ifndef _NGX_HTTP_TASKS_DIRECTIVE_H_INCLUDED_
#define _NGX_HTTP_TASKS_DIRECTIVE_H_INCLUDED_


#include <ngx_http_tasks_handler.h>


char *ngx_http_tasks_store(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_tasks_api(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_tasks_pass(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_tasks_set_fallback(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_tasks_set_cache(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_tasks_library(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* Has the handler answer in the location; else what is wrong. */
char *ngx_http_tasks_set_handler(ngx_conf_t *cf,
    ngx_http_tasks_loc_conf_t *tlcf, ngx_http_handler_pt handler);

/* Whether the location's name is no path that a URI may begin with. */
ngx_uint_t ngx_http_tasks_is_nameless(const ngx_http_core_loc_conf_t *clcf);


#endif /* _NGX_HTTP_TASKS_DIRECTIVE_H_INCLUDED_ */
