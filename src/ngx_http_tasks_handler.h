
/*
 * The content handler, and the configuration of a location that it reads.
 */


#ifndef _NGX_HTTP_TASKS_HANDLER_H_INCLUDED_
#define _NGX_HTTP_TASKS_HANDLER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_tasks_auth.h>


/* A variable of nginx that a definition names. */
typedef struct {
    ngx_str_t                     name;
    ngx_str_t                     where;         /* file and path, for logs */
} ngx_http_tasks_used_variable_t;


typedef struct {
    ngx_array_t                   stores;        /* pointers */
    ngx_array_t                   definitions;   /* pointers, one a file */
    ngx_array_t                   variables;     /* used ones */
    ngx_array_t                   credential;    /* names of fields */
    size_t                        cache;         /* bytes, of a worker's */
} ngx_http_tasks_main_conf_t;


/* What "tasks_openapi" answers with. */
typedef struct {
    ngx_str_t                     base;      /* path in front of routes' paths */
    ngx_str_t                     text;
    ngx_str_t                     etag;
} ngx_http_tasks_document_t;


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
    ngx_flag_t                    cache;
    ngx_str_t                     library_key;   /* of the collection whose */
    ngx_http_tasks_collection_t  *library;       /* tasks_library answers */
    ngx_http_tasks_document_t     openapi;
    ngx_http_tasks_auth_conf_t    auth;
} ngx_http_tasks_loc_conf_t;


/* What a request came to, for variables. */
typedef struct {
    ngx_http_tasks_exchange_t     exchange;
    ngx_http_request_t           *request;
    ngx_http_tasks_loc_conf_t    *conf;
    ngx_http_tasks_identity_t    *identity;  /* NULL: not asked for */
    ngx_chain_t                  *busy;      /* of a chunk that is being sent */
    ngx_buf_t                    *flush;     /* sent between two of them */
    ngx_http_tasks_error_e        error;
    ngx_str_t                     correlation;   /* data is NULL: no id yet */
} ngx_http_tasks_ctx_t;


ngx_int_t ngx_http_tasks_handler(ngx_http_request_t *r);

/* NULL if the request was never the module's. */
ngx_http_tasks_ctx_t *ngx_http_tasks_get_ctx(ngx_http_request_t *r);

/* Adds the module's variables. */
ngx_int_t ngx_http_tasks_add_variables(ngx_conf_t *cf);

/* ngx_http_tasks_variable_pt. */
ngx_int_t ngx_http_tasks_use_variable(ngx_conf_t *cf, ngx_str_t *name,
    ngx_str_t *where);

/* Refuses what a definition names and nobody defines; when all was read. */
ngx_int_t ngx_http_tasks_check_variables(ngx_conf_t *cf);

ngx_http_tasks_error_t *ngx_http_tasks_get_error(ngx_http_tasks_ctx_t *ctx);

/* The id that relates logs to the response.  NGX_ERROR: no memory. */
ngx_int_t ngx_http_tasks_correlation_id(ngx_http_tasks_ctx_t *ctx,
    ngx_str_t *id);

/* ngx_http_tasks_value_pt; "data" is the context. */
ngx_int_t ngx_http_tasks_value(void *data, ngx_uint_t index,
    ngx_http_tasks_value_t *value);

/* Sends the response's header.  As ngx_http_send_header(); "size" is that of
 * the body, bytes, -1 if it is not known. */
ngx_int_t ngx_http_tasks_send_header(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *content_type, off_t size);

/*
 * Sends a list in chunks, the first of which was read.  NGX_BUSY: it will
 * finalize the request; else what that is to be finalized with.
 */
ngx_int_t ngx_http_tasks_stream(ngx_http_tasks_ctx_t *ctx,
    ngx_uint_t status, ngx_str_t *content_type);

/* Answers with the text of the function library. */
ngx_int_t ngx_http_tasks_library_handler(ngx_http_request_t *r);

/* "tasks_openapi": the directive, what it needs of the definition (NGX_ERROR:
 * no memory), the handler. */
char *ngx_http_tasks_set_openapi(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
ngx_int_t ngx_http_tasks_openapi_merge(ngx_conf_t *cf,
    ngx_http_tasks_loc_conf_t *tlcf);
ngx_int_t ngx_http_tasks_openapi_handler(ngx_http_request_t *r);


extern ngx_module_t  ngx_http_tasks_module;


#endif /* _NGX_HTTP_TASKS_HANDLER_H_INCLUDED_ */
