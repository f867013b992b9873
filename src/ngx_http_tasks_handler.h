
/*
 * The content handler, and the configuration of a location that it reads.
 */


#ifndef _NGX_HTTP_TASKS_HANDLER_H_INCLUDED_
#define _NGX_HTTP_TASKS_HANDLER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_tasks_exchange.h>


typedef struct {
    ngx_http_tasks_definition_t  *definition;
    ngx_str_t                     prefix;    /* of the URI, in front of paths;
                                                data is NULL: not known */
    ngx_uint_t                    slash;     /* it was written with one */
    ngx_http_tasks_store_t       *store;
    ngx_http_complex_value_t     *scope;     /* NULL: the API has none */
    ngx_str_t                     fallback;  /* a named location, or empty */
    ngx_flag_t                    fallback_unavailable;
    ngx_flag_t                    intercept_errors;
} ngx_http_tasks_loc_conf_t;


/* What a request came to, for variables. */
typedef struct {
    ngx_http_tasks_exchange_t     exchange;
    ngx_http_request_t           *request;
    ngx_http_tasks_loc_conf_t    *conf;
    ngx_http_tasks_error_e        error;     /* NGX_HTTP_TASKS_ERRORS: none */
} ngx_http_tasks_ctx_t;


ngx_int_t ngx_http_tasks_handler(ngx_http_request_t *r);

/* NULL if the request was never the module's. */
ngx_http_tasks_ctx_t *ngx_http_tasks_get_ctx(ngx_http_request_t *r);

ngx_http_tasks_error_t *ngx_http_tasks_get_error(ngx_http_tasks_ctx_t *ctx);

/* ngx_http_tasks_value_pt; "data" is the context. */
ngx_int_t ngx_http_tasks_value(void *data, ngx_uint_t index,
    ngx_http_tasks_value_t *value);

/* Answers with the text of the function library. */
ngx_int_t ngx_http_tasks_library_handler(ngx_http_request_t *r);


extern ngx_module_t  ngx_http_tasks_module;


#endif /* _NGX_HTTP_TASKS_HANDLER_H_INCLUDED_ */
