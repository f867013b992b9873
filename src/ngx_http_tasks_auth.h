
/*
 * Who a request comes from: tokens, credentials, and what is required of them.
 */


#ifndef _NGX_HTTP_TASKS_AUTH_H_INCLUDED_
#define _NGX_HTTP_TASKS_AUTH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_tasks_exchange.h>
#include <ngx_http_tasks_token.h>


typedef enum {
    NGX_HTTP_TASKS_AUTH_JWT = 1,
    NGX_HTTP_TASKS_AUTH_CREDENTIAL
} ngx_http_tasks_auth_method_e;


/* What must not be empty, "0" or "false". */
typedef struct {
    ngx_http_complex_value_t      value;
    ngx_str_t                     class;     /* its name */
    ngx_http_tasks_error_e        error;     /* set when it is merged */
} ngx_http_tasks_require_t;


/* Of a location.  Arrays are NULL where nothing was said. */
typedef struct {
    ngx_array_t                  *methods;   /* ngx_uint_t, in order */
    ngx_array_t                  *tokens;    /* ngx_http_complex_value_t */
    ngx_array_t                  *credentials;   /* likewise */
    ngx_array_t                  *requires;  /* ngx_http_tasks_require_t */
    ngx_http_tasks_token_rules_t  rules;
} ngx_http_tasks_auth_conf_t;


/* A field of a credential, as Redis has it. */
typedef struct {
    ngx_str_t                     name;
    ngx_str_t                     value;     /* data is NULL: absent */
} ngx_http_tasks_credential_field_t;


/* What is known of who a request comes from. */
typedef struct {
    ngx_http_request_t           *request;
    ngx_http_tasks_auth_conf_t   *conf;      /* by which it was found out */
    ngx_uint_t                    present;   /* there was a token */
    ngx_http_tasks_error_e        error;     /* what is wrong with it */
    const char                   *claim;     /* that is at fault, or NULL */
    struct json_t                *claims;    /* NULL: no good token */
    ngx_array_t                   credential;    /* fields that are known */
} ngx_http_tasks_identity_t;


/* Directives; cmd->offset is that of the auth conf in "conf". */
char *ngx_http_tasks_set_auth(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_tasks_set_jwt_key(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_tasks_set_jwt_claim(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_tasks_set_jwt_variable(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_tasks_set_require(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* cmd->offset is that of an array of complex values. */
char *ngx_http_tasks_set_sources(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

ngx_int_t ngx_http_tasks_auth_add_variables(ngx_conf_t *cf);

void ngx_http_tasks_auth_init(ngx_http_tasks_auth_conf_t *conf);

/*
 * Merges; "definition" is that of a location that serves one, else NULL.
 * Messages say what is missing.
 */
char *ngx_http_tasks_auth_merge(ngx_conf_t *cf,
    ngx_http_tasks_auth_conf_t *prev, ngx_http_tasks_auth_conf_t *conf,
    ngx_http_tasks_definition_t *definition);

/*
 * What is known of the request by the rules of its location; its token is
 * verified then, but for the first time only.  NULL: no memory.
 */
ngx_http_tasks_identity_t *ngx_http_tasks_auth_identity(ngx_http_request_t *r,
    ngx_http_tasks_auth_conf_t *conf);

/*
 * Whether the request has what tasks_auth wants.  NGX_OK; NGX_DECLINED:
 * "error" is the class; NGX_AGAIN: "credential" is to be looked up; NGX_ERROR.
 */
ngx_int_t ngx_http_tasks_auth_check(ngx_http_request_t *r,
    ngx_http_tasks_identity_t *identity, ngx_str_t *credential,
    ngx_http_tasks_error_e *error);

/* The class of the first tasks_require that is not met. */
ngx_http_tasks_error_e ngx_http_tasks_auth_require(ngx_http_request_t *r,
    ngx_http_tasks_auth_conf_t *conf);

/* Of the location that the request is in; by the handler. */
ngx_http_tasks_auth_conf_t *ngx_http_tasks_get_auth(ngx_http_request_t *r);

/*
 * Fields of credentials that are asked for: "owner", "expires" and those that
 * the configuration names by variables; when all of it was read.  NGX_ERROR:
 * no memory.
 */
ngx_int_t ngx_http_tasks_credential_names(ngx_conf_t *cf, ngx_array_t *fields);

/* Getters of variables. */
ngx_int_t ngx_http_tasks_bearer_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
ngx_int_t ngx_http_tasks_jwt_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
ngx_int_t ngx_http_tasks_jwt_set_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
ngx_int_t ngx_http_tasks_credential_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);

/*
 * Looks up a credential on x->op, as actions do; x->done is called with what
 * is wrong with it.  The values go to "fields", which has their names, in
 * x->request.pool.
 */
ngx_http_tasks_error_e ngx_http_tasks_credential_lookup(
    ngx_http_tasks_exchange_t *x, const ngx_str_t *credential,
    ngx_array_t *fields);


#endif /* _NGX_HTTP_TASKS_AUTH_H_INCLUDED_ */
