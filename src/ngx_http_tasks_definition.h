
/*
 * An API definition as it was compiled: read-only at run time.
 */


#ifndef _NGX_HTTP_TASKS_DEFINITION_H_INCLUDED_
#define _NGX_HTTP_TASKS_DEFINITION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_tasks_template.h>


/* Entries of a list, at most; what would be longer is "too_large". */
#define NGX_HTTP_TASKS_MAX_LIMIT    10000

/* Each field with "filter" doubles the indexes of a task. */
#define NGX_HTTP_TASKS_MAX_FILTERS  5

/* Bytes of a scope; a longer one is no scope. */
#define NGX_HTTP_TASKS_MAX_SCOPE    255


typedef enum {
    NGX_HTTP_TASKS_TYPE_STRING = 0,
    NGX_HTTP_TASKS_TYPE_INTEGER,
    NGX_HTTP_TASKS_TYPE_NUMBER,
    NGX_HTTP_TASKS_TYPE_BOOLEAN,
    NGX_HTTP_TASKS_TYPE_DATETIME,
    NGX_HTTP_TASKS_TYPE_OBJECT,
    NGX_HTTP_TASKS_TYPE_ARRAY,
    NGX_HTTP_TASKS_TYPE_ANY,
    NGX_HTTP_TASKS_TYPES
} ngx_http_tasks_type_e;


/* Error classes, in the order of ngx_http_tasks_error_names. */
typedef enum {
    NGX_HTTP_TASKS_BAD_PARAMETER = 0,
    NGX_HTTP_TASKS_BAD_CURSOR,
    NGX_HTTP_TASKS_UNAUTHORIZED,
    NGX_HTTP_TASKS_FORBIDDEN,
    NGX_HTTP_TASKS_NOT_FOUND,            /* a task */
    NGX_HTTP_TASKS_NO_ROUTE,             /* a path of the API */
    NGX_HTTP_TASKS_BAD_METHOD,
    NGX_HTTP_TASKS_CANNOT_CANCEL,
    NGX_HTTP_TASKS_TOO_LARGE,
    NGX_HTTP_TASKS_UNAVAILABLE,
    NGX_HTTP_TASKS_TIMEOUT,
    NGX_HTTP_TASKS_INTERNAL,
    NGX_HTTP_TASKS_ERRORS
} ngx_http_tasks_error_e;


/* What a parameter can fail, in the order of ngx_http_tasks_rule_names. */
typedef enum {
    NGX_HTTP_TASKS_RULE_REQUIRED = 0,
    NGX_HTTP_TASKS_RULE_TYPE,
    NGX_HTTP_TASKS_RULE_MINIMUM,
    NGX_HTTP_TASKS_RULE_MAXIMUM,
    NGX_HTTP_TASKS_RULE_ENUM,
    NGX_HTTP_TASKS_RULE_PATTERN,
    NGX_HTTP_TASKS_RULE_MAX_LENGTH,
    NGX_HTTP_TASKS_RULE_REPEATED,
    NGX_HTTP_TASKS_RULES
} ngx_http_tasks_rule_e;


typedef struct {
    ngx_str_t                 name;
    ngx_str_t                 value;
} ngx_http_tasks_header_t;


/* A response of a class of errors. */
typedef struct {
    ngx_uint_t                status;    /* of HTTP */
    ngx_str_t                 content_type;
    ngx_http_tasks_template_t  message;  /* plain text */
    ngx_http_tasks_template_t  body;
    ngx_array_t              *headers;   /* ngx_http_tasks_header_t, or NULL */
} ngx_http_tasks_error_t;


/* What to say when a parameter fails a rule. */
typedef struct {
    ngx_http_tasks_error_e    error;
    ngx_http_tasks_template_t  message;  /* empty: that of the error */
    ngx_str_t                 code;      /* data is NULL: absent */
} ngx_http_tasks_complaint_t;


typedef struct {
    ngx_str_t                 name;
    ngx_str_t                 key;       /* the name as JSON and a colon */
    ngx_http_tasks_type_e     type;
    ngx_str_t                 absent;    /* JSON text shown when absent;
                                            data is NULL: left out */
    unsigned                  list:1;
    unsigned                  detail:1;
    unsigned                  filter:1;
    unsigned                  required:1;
} ngx_http_tasks_field_t;


typedef enum {
    NGX_HTTP_TASKS_ROLE_NONE = 0,        /* checked, not used */
    NGX_HTTP_TASKS_ROLE_ID,
    NGX_HTTP_TASKS_ROLE_FILTER,
    NGX_HTTP_TASKS_ROLE_LIMIT,
    NGX_HTTP_TASKS_ROLE_PAGE,
    NGX_HTTP_TASKS_ROLE_CURSOR
} ngx_http_tasks_role_e;


typedef struct {
    ngx_str_t                 name;
    ngx_str_t                 location;  /* "query" or "path" */
    ngx_http_tasks_type_e     type;      /* string, integer or boolean */
    ngx_http_tasks_role_e     role;
    ngx_uint_t                filter;    /* index in definition->filters */
    int64_t                   minimum;   /* of an integer */
    int64_t                   maximum;
    size_t                    max_length;    /* of a string, bytes */
    ngx_str_t                 initial;   /* default; data is NULL: none */
    ngx_array_t              *values;    /* enum: ngx_str_t, or NULL */
    ngx_array_t              *absent_if; /* ngx_str_t, or NULL */
    ngx_regex_t              *pattern;   /* or NULL */
    unsigned                  required:1;
    ngx_http_tasks_complaint_t  complaints[NGX_HTTP_TASKS_RULES];
} ngx_http_tasks_param_t;


/* A part of a path: literal text, or a parameter. */
typedef struct {
    ngx_str_t                 text;
    ngx_http_tasks_param_t   *param;     /* NULL: literal */
} ngx_http_tasks_segment_t;


typedef enum {
    NGX_HTTP_TASKS_ACTION_LIST = 0,
    NGX_HTTP_TASKS_ACTION_GET,
    NGX_HTTP_TASKS_ACTION_CANCEL,
    NGX_HTTP_TASKS_ACTIONS
} ngx_http_tasks_action_e;


typedef struct {
    ngx_http_tasks_action_e   action;
    ngx_str_t                 method;
    ngx_array_t               segments;  /* ngx_http_tasks_segment_t */
    ngx_uint_t                literals;  /* segments that are literal */
    ngx_array_t               query;     /* ngx_http_tasks_param_t */
    ngx_uint_t                status;
    ngx_str_t                 content_type;
    ngx_http_tasks_template_t  response;
    unsigned                  empty:1;   /* no body at all */
    unsigned                  total:1;   /* the response tells a total */
    ngx_http_tasks_error_t   *errors[NGX_HTTP_TASKS_ERRORS];
} ngx_http_tasks_route_t;


typedef enum {
    NGX_HTTP_TASKS_REPEATED_FIRST = 0,
    NGX_HTTP_TASKS_REPEATED_LAST,
    NGX_HTTP_TASKS_REPEATED_ERROR
} ngx_http_tasks_repeated_e;


/* A field that a cancel sets. */
typedef struct {
    ngx_http_tasks_field_t   *field;
    ngx_str_t                 value;     /* JSON text; data is NULL: cleared */
    ngx_str_t                 zone;      /* of the current time, if "now" */
    ngx_uint_t                digits;    /* of its fraction of a second */
    unsigned                  now:1;
} ngx_http_tasks_set_t;


/* The cancel rule, for the function library; arrays of ngx_str_t but "set". */
typedef struct {
    ngx_array_t              *from;      /* NULL: every state but "except" */
    ngx_array_t              *except;
    ngx_array_t              *unchanged;
    ngx_array_t              *set;       /* ngx_http_tasks_set_t */
} ngx_http_tasks_cancel_rule_t;


typedef struct {
    ngx_str_t                 file;      /* full name, for messages */
    ngx_str_t                 name;
    ngx_http_tasks_param_t    id;
    ngx_str_t                 id_key;    /* its name as JSON and a colon */

    ngx_array_t               fields;    /* ngx_http_tasks_field_t */
    ngx_array_t               filters;   /* ngx_http_tasks_field_t * */
    ngx_array_t               details;   /* ngx_http_tasks_field_t * */
    ngx_http_tasks_field_t   *order;
    unsigned                  descending:1;
    ngx_http_tasks_field_t   *state;     /* NULL: none */
    ngx_http_tasks_cancel_rule_t  *cancel;   /* NULL: no cancel */
    size_t                    max_value; /* bytes of a stored value */
    ngx_http_tasks_repeated_e  repeated;

    ngx_array_t               routes;    /* ngx_http_tasks_route_t */
    ngx_http_tasks_error_t   *errors[NGX_HTTP_TASKS_ERRORS];

    ngx_str_t                 library;   /* text for FUNCTION LOAD */
    ngx_str_t                 version;   /* what NAME_version returns */
    ngx_str_t                 fn_version;    /* names of functions */
    ngx_str_t                 fn_cancel;
    ngx_str_t                 fn_page;
} ngx_http_tasks_definition_t;


/*
 * Gives an nginx variable its index, from NGX_HTTP_TASKS_VALUES on.  The name
 * and "where", which is for messages, must stay.  NGX_ERROR: no memory.
 */
typedef ngx_int_t (*ngx_http_tasks_variable_pt)(ngx_conf_t *cf,
    ngx_str_t *name, ngx_str_t *where);


/*
 * Compiles a definition file (full name).  NULL: a message was logged that
 * says where it is wrong and why.
 */
ngx_http_tasks_definition_t *ngx_http_tasks_definition_compile(ngx_conf_t *cf,
    ngx_str_t *file, ngx_http_tasks_variable_pt variable);


extern ngx_str_t  ngx_http_tasks_action_names[];
extern ngx_str_t  ngx_http_tasks_error_names[];
extern ngx_str_t  ngx_http_tasks_rule_names[];
extern ngx_str_t  ngx_http_tasks_type_names[];


#endif /* _NGX_HTTP_TASKS_DEFINITION_H_INCLUDED_ */
