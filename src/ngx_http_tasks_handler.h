
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
    ngx_http_tasks_status_t      *status;        /* NULL: nobody asks */
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
    ngx_uint_t                    nameless;  /* its location is no path */
    ngx_http_handler_pt           handler;   /* of this module, if there is */
    ngx_http_tasks_store_t       *store;
    ngx_http_complex_value_t     *scope;     /* NULL: the API has none */
    ngx_str_t                     fallback;  /* a named location, or empty */
    ngx_flag_t                    fallback_unavailable;
    ngx_flag_t                    intercept_errors;
    ngx_flag_t                    cache;
    ngx_str_t                     library_key;   /* of the collection whose */
    ngx_http_tasks_collection_t  *library;       /* tasks_library answers */
    ngx_uint_t                    prometheus;    /* what tasks_status speaks */
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
    ngx_int_t                     discarded; /* the body, of a cancel */
    ngx_http_tasks_error_e        error;
    ngx_str_t                     correlation;   /* data is NULL: no id yet */

    /* for logs and counts */
    ngx_msec_t                    asked;     /* of the store, if it waits */
    ngx_msec_t                    waited;    /* for the store, ms altogether */
    unsigned                      waits:1;
    unsigned                      has_waited:1;
    unsigned                      answered:1;    /* all of it */
    unsigned                      left:1;        /* to the fallback */
    unsigned                      counted:1;     /* it has ended */
} ngx_http_tasks_ctx_t;


ngx_int_t ngx_http_tasks_handler(ngx_http_request_t *r);

/* Whether the request is still here to be answered. */
ngx_uint_t ngx_http_tasks_is_current(ngx_http_tasks_ctx_t *ctx);

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

/*
 * Answers what ctx->error says, or what was done.  Returns what nginx is to
 * finalize the request with.
 */
ngx_int_t ngx_http_tasks_respond(ngx_http_tasks_ctx_t *ctx);

/* Takes from If-None-Match what an ETag of the route's must equal. */
void ngx_http_tasks_know(ngx_http_tasks_ctx_t *ctx);

/* "name" and "value" must stay as long as the request. */
ngx_int_t ngx_http_tasks_header(ngx_http_request_t *r, const char *name,
    const ngx_str_t *value);

/* Sends a whole response.  As ngx_http_output_filter(). */
ngx_int_t ngx_http_tasks_send(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *content_type, ngx_http_tasks_writer_t *body);

/* Adds the header ETag; "value" has its quotes and outlives the request. */
ngx_int_t ngx_http_tasks_add_etag(ngx_http_request_t *r,
    const ngx_str_t *value);

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

/* Answers with what was counted. */
ngx_int_t ngx_http_tasks_status_handler(ngx_http_request_t *r);

/* The directive tasks_status. */
char *ngx_http_tasks_set_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* Makes the zone, if there is a tasks_status; when all was read. */
ngx_int_t ngx_http_tasks_status_zone(ngx_conf_t *cf);

/* A worker begins to count, before its stores are set up, and ends. */
ngx_int_t ngx_http_tasks_status_start(ngx_cycle_t *cycle,
    ngx_http_tasks_main_conf_t *tmcf);
void ngx_http_tasks_status_stop(ngx_cycle_t *cycle);

/* Counts a request that has ended; once, however often it is called. */
void ngx_http_tasks_status_count(ngx_http_tasks_ctx_t *ctx);

/*
 * A slot with all slots' counts added up, its pid being the number of workers.
 * NULL: no memory.
 */
ngx_http_tasks_slot_t *ngx_http_tasks_status_sum(
    ngx_http_tasks_main_conf_t *tmcf, ngx_pool_t *pool);

/* Bytes of an API's counts, and how many outcomes it tells apart. */
size_t ngx_http_tasks_status_api_size(ngx_http_tasks_definition_t *definition);
ngx_uint_t ngx_http_tasks_status_outcomes(
    ngx_http_tasks_definition_t *definition);

/* What became of the request, as far as it is known: "aborted" until then. */
ngx_uint_t ngx_http_tasks_outcome(ngx_http_tasks_ctx_t *ctx);
ngx_str_t *ngx_http_tasks_outcome_name(
    ngx_http_tasks_definition_t *definition, ngx_uint_t outcome);

/* Measure the time for which the request waits for the store. */
void ngx_http_tasks_wait_begin(ngx_http_tasks_ctx_t *ctx);
void ngx_http_tasks_wait_end(ngx_http_tasks_ctx_t *ctx);

/* "tasks_openapi": the directive, what it needs of the definition (NGX_ERROR:
 * no memory), the handler. */
char *ngx_http_tasks_set_openapi(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
ngx_int_t ngx_http_tasks_openapi_merge(ngx_conf_t *cf,
    ngx_http_tasks_loc_conf_t *tlcf);
ngx_int_t ngx_http_tasks_openapi_handler(ngx_http_request_t *r);


/* By ngx_http_tasks_cache_e. */
extern ngx_str_t     ngx_http_tasks_cache_names[];

extern ngx_module_t  ngx_http_tasks_module;


#endif /* _NGX_HTTP_TASKS_HANDLER_H_INCLUDED_ */
