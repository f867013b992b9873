
/*
 * An API definition as it was compiled: read-only at run time.
 */


#ifndef _NGX_HTTP_TASKS_DEFINITION_H_INCLUDED_
#define _NGX_HTTP_TASKS_DEFINITION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_tasks_status.h>
#include <ngx_http_tasks_template.h>


/*
 * Entries of a list that is held in memory, at most; what would be longer is
 * "too_large" where it cannot be streamed.
 */
#define NGX_HTTP_TASKS_MAX_LIMIT    10000

/* Positions of several indexes that are read to get at a rank, at most. */
#define NGX_HTTP_TASKS_MAX_MERGE    100000

/* Entries of a list that are read at a time; more of them are streamed. */
#define NGX_HTTP_TASKS_MAX_CHUNK    512

/* Each field with "filter" doubles the indexes of a task. */
#define NGX_HTTP_TASKS_MAX_FILTERS  5

/* Indexes that a list is put together from, at most. */
#define NGX_HTTP_TASKS_MAX_INDEXES  64

/* Of an offset; beyond it is no list. */
#define NGX_HTTP_TASKS_MAX_OFFSET   ((int64_t) 1 << 52)

/* Bytes of a position: an escaped order key of 512 bytes and an id. */
#define NGX_HTTP_TASKS_MAX_POSITION  4096

/* Bytes of a scope; a longer one is no scope. */
#define NGX_HTTP_TASKS_MAX_SCOPE    255


typedef struct ngx_http_tasks_collection_s  ngx_http_tasks_collection_t;


typedef enum {
    NGX_HTTP_TASKS_TYPE_STRING = 0,
    NGX_HTTP_TASKS_TYPE_INTEGER,
    NGX_HTTP_TASKS_TYPE_NUMBER,
    NGX_HTTP_TASKS_TYPE_BOOLEAN,
    NGX_HTTP_TASKS_TYPE_DATETIME,
    NGX_HTTP_TASKS_TYPE_OBJECT,
    NGX_HTTP_TASKS_TYPE_ARRAY,
    NGX_HTTP_TASKS_TYPE_ANY,
    NGX_HTTP_TASKS_TYPE_UUID,            /* of parameters only */
    NGX_HTTP_TASKS_TYPES
} ngx_http_tasks_type_e;


/*
 * Error classes, in the order of ngx_http_tasks_classes.  Those that a
 * definition adds follow, from NGX_HTTP_TASKS_ERRORS on.
 */
typedef enum {
    NGX_HTTP_TASKS_NO_ERROR = 0,
    NGX_HTTP_TASKS_BAD_PARAMETER,
    NGX_HTTP_TASKS_BAD_CURSOR,
    NGX_HTTP_TASKS_UNAUTHORIZED,
    NGX_HTTP_TASKS_NO_TOKEN,             /* kinds of unauthorized */
    NGX_HTTP_TASKS_BAD_TOKEN,
    NGX_HTTP_TASKS_EXPIRED_TOKEN,
    NGX_HTTP_TASKS_EARLY_TOKEN,
    NGX_HTTP_TASKS_BAD_CREDENTIAL,
    NGX_HTTP_TASKS_EXPIRED_CREDENTIAL,
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
    NGX_HTTP_TASKS_RULE_MAX_ITEMS,
    NGX_HTTP_TASKS_RULES
} ngx_http_tasks_rule_e;


typedef struct {
    ngx_str_t                 name;
    ngx_str_t                 value;
} ngx_http_tasks_header_t;


/* JSON text of a literal, and the same plain if it is a string. */
typedef struct {
    ngx_str_t                 json;      /* data is NULL: absent */
    ngx_str_t                 plain;     /* data is NULL: no string */
} ngx_http_tasks_literal_t;


/* A response of a class of errors. */
typedef struct {
    ngx_uint_t                status;    /* of HTTP */
    ngx_str_t                 content_type;
    ngx_http_tasks_literal_t  code;
    ngx_http_tasks_template_t  message;  /* plain text */
    ngx_http_tasks_template_t  body;
    ngx_array_t              *headers;   /* ngx_http_tasks_header_t, or NULL */
} ngx_http_tasks_error_t;


/* What to say when a parameter fails a rule. */
typedef struct {
    ngx_http_tasks_error_e    error;
    ngx_http_tasks_template_t  message;  /* empty: that of the error */
    ngx_http_tasks_literal_t  code;      /* absent: that of the error */
} ngx_http_tasks_complaint_t;


typedef struct {
    ngx_str_t                 name;
    ngx_str_t                 key;       /* the name as JSON and a colon */
    ngx_http_tasks_type_e     type;
    ngx_str_t                 absent;    /* JSON text shown when absent;
                                            data is NULL: left out */
    ngx_array_t              *absent_if; /* ngx_str_t, JSON text that stands
                                            for no value, or NULL */
    ngx_str_t                 format;    /* for OpenAPI; data is NULL: none */
    unsigned                  list:1;
    unsigned                  detail:1;
    unsigned                  filter:1;
    unsigned                  required:1;
} ngx_http_tasks_field_t;


typedef enum {
    NGX_HTTP_TASKS_ROLE_NONE = 0,        /* checked, not used */
    NGX_HTTP_TASKS_ROLE_LIMIT,
    NGX_HTTP_TASKS_ROLE_PAGE,
    NGX_HTTP_TASKS_ROLE_OFFSET,
    NGX_HTTP_TASKS_ROLE_CURSOR,
    NGX_HTTP_TASKS_ROLE_END,             /* of those that "role" names */
    NGX_HTTP_TASKS_ROLE_ID,
    NGX_HTTP_TASKS_ROLE_FILTER,
    NGX_HTTP_TASKS_ROLE_CHOICE
} ngx_http_tasks_role_e;


typedef enum {
    NGX_HTTP_TASKS_SINGLE = 0,
    NGX_HTTP_TASKS_COMMA,                /* ?status=a,b */
    NGX_HTTP_TASKS_REPEATED              /* ?status=a&status=b */
} ngx_http_tasks_multiple_e;


/* What a value of a parameter stands for. */
typedef struct {
    ngx_str_t                 value;
    ngx_array_t             **filters;   /* ngx_str_t, for each filter field;
                                            NULL: any */
    int64_t                   limit;     /* -1: that of the request */
} ngx_http_tasks_choice_t;


/* How a cursor is made of the last task's position, or of its id. */
typedef struct {
    enum {
        NGX_HTTP_TASKS_BASE64URL = 0,    /* without padding */
        NGX_HTTP_TASKS_BASE64,           /* with padding */
        NGX_HTTP_TASKS_PLAIN
    }                         encoding;
    ngx_str_t                 before;    /* what surrounds it */
    ngx_str_t                 after;
    unsigned                  by_id:1;   /* else by position */
} ngx_http_tasks_cursor_t;


/* Different canonical values that a filter may have; none: any. */
typedef struct {
    ngx_str_t                    *elts;
    ngx_uint_t                    nelts;
} ngx_http_tasks_values_t;


/* What a parameter came to. */
typedef struct {
    ngx_uint_t                rule;      /* as ngx_http_tasks_param_check() */
    ngx_http_tasks_values_t   values;    /* if good */
    int64_t                   number;    /* of an integer */
    ngx_str_t                 raw;       /* in which the rule was broken */
} ngx_http_tasks_checked_t;


typedef struct {
    ngx_str_t                 name;
    ngx_str_t                 location;  /* "query" or "path" */
    ngx_http_tasks_type_e     type;      /* string, integer or boolean */
    ngx_http_tasks_role_e     role;
    ngx_uint_t                filter;    /* index in collection->filters */
    ngx_http_tasks_multiple_e  multiple;
    ngx_uint_t                max_items; /* different values, if multiple */
    ngx_array_t              *choices;   /* ngx_http_tasks_choice_t, or NULL */
    ngx_http_tasks_cursor_t   cursor;
    int64_t                   minimum;   /* of an integer */
    int64_t                   maximum;
    size_t                    max_length;    /* of a string, bytes */
    ngx_str_t                 initial;   /* default; data is NULL: none */
    ngx_http_tasks_checked_t  preset;    /* what the default comes to */
    ngx_array_t              *values;    /* enum: ngx_str_t, or NULL */
    ngx_array_t              *absent_if; /* ngx_str_t, or NULL */
    ngx_regex_t              *pattern;   /* or NULL */
    unsigned                  required:1;
    ngx_http_tasks_complaint_t  *complaints;  /* by rule */
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
    NGX_HTTP_TASKS_ACTION_NONE,          /* left to tasks_fallback */
    NGX_HTTP_TASKS_ACTIONS
} ngx_http_tasks_action_e;


typedef struct {
    ngx_http_tasks_action_e   action;
    ngx_uint_t                index;     /* in the file */
    ngx_http_tasks_collection_t  *collection;
    ngx_str_t                 method;
    ngx_array_t               segments;  /* ngx_http_tasks_segment_t */
    ngx_uint_t                literals;  /* segments that are literal */
    ngx_array_t               query;     /* ngx_http_tasks_param_t */
    ngx_uint_t                status;
    ngx_str_t                 content_type;
    ngx_array_t              *headers;   /* ngx_http_tasks_header_t, or NULL */
    ngx_http_tasks_template_t  response;
    ngx_int_t                 split;     /* part of the response that is the
                                            tasks; -1: it cannot be streamed */
    ngx_http_tasks_param_t   *cursor;    /* NULL: none */
    ngx_array_t               fetch;     /* ngx_http_tasks_field_t *, of a task
                                            that the response shows */
    ngx_int_t                *slots;     /* place in fetch of each field of the
                                            collection, or -1 */
    unsigned                  empty:1;   /* no body at all */
    unsigned                  total:1;   /* the response tells a total */
    unsigned                  more:1;    /* it tells whether more follows */
    u_char                    fingerprint[10];   /* the file's and its number */
    ngx_str_t                 name;      /* "GET /{id}", for logs and counts */
    ngx_http_tasks_error_t  **errors;    /* by class */
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
    ngx_uint_t                epoch;     /* or units of a second; 0: neither */
    unsigned                  now:1;
} ngx_http_tasks_set_t;


/* Values of a field that a cancel is for. */
typedef struct {
    ngx_http_tasks_field_t   *field;
    ngx_array_t              *values;    /* ngx_str_t */
} ngx_http_tasks_where_t;


/* The cancel rule, for the function library; states are ngx_str_t. */
typedef struct {
    ngx_array_t              *from;      /* NULL: every state but "except" */
    ngx_array_t              *except;
    ngx_array_t              *unchanged;
    ngx_array_t              *where;     /* ngx_http_tasks_where_t, or NULL */
    ngx_array_t              *set;       /* ngx_http_tasks_set_t */
} ngx_http_tasks_cancel_rule_t;


/* Tasks of one kind: what is known of them, and their functions in Redis. */
struct ngx_http_tasks_collection_s {
    ngx_str_t                 key;       /* in "collections"; empty: the main
                                            one */
    ngx_str_t                 name;      /* in Redis */
    ngx_http_tasks_param_t    id;
    ngx_str_t                 id_key;    /* its name as JSON and a colon */

    ngx_array_t               fields;    /* ngx_http_tasks_field_t */
    ngx_array_t               filters;   /* ngx_http_tasks_field_t * */
    ngx_array_t               details;   /* ngx_http_tasks_field_t * */
    ngx_http_tasks_field_t   *order;     /* NULL: the id */
    unsigned                  descending:1;
    unsigned                  id_cursors:1;  /* a route has cursors by id */
    ngx_http_tasks_field_t   *state;     /* NULL: none */
    ngx_http_tasks_cancel_rule_t  *cancel;   /* NULL: no cancel */
    size_t                    max_value; /* bytes of a stored value */

    ngx_str_t                 library;   /* text for FUNCTION LOAD */
    ngx_str_t                 version;   /* what NAME_version returns */
    ngx_str_t                 fn_version;    /* names of functions */
    ngx_str_t                 fn_cancel;
    ngx_str_t                 fn_page;
};


typedef struct {
    ngx_str_t                 file;      /* full name, for messages */
    void                     *source;    /* json_t of it, while nginx reads its
                                            configuration */
    ngx_array_t               collections;   /* pointers; the main one first */
    ngx_array_t               routes;    /* ngx_http_tasks_route_t */
    ngx_http_tasks_repeated_e  repeated;
    u_char                    fingerprint[8];    /* of the file, hex digits */
    ngx_str_t                 correlation;   /* lower-case name of the header,
                                                or empty */
    ngx_str_t                *classes;   /* names, by class; an empty one ends,
                                            but for NGX_HTTP_TASKS_NO_ERROR */
    ngx_uint_t                nclasses;
    ngx_http_tasks_error_t  **errors;    /* by class */

    /* of this worker */
    ngx_http_tasks_api_counts_t  *counts;    /* NULL: nobody asks */
} ngx_http_tasks_definition_t;


#define ngx_http_tasks_main_collection(definition)                            \
    (((ngx_http_tasks_collection_t **) (definition)->collections.elts)[0])


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


/*
 * Makes the OpenAPI document of the routes, served below "base" (a path), in
 * the configuration's pool; while nginx reads its configuration.  NGX_ERROR:
 * no memory.
 */
ngx_int_t ngx_http_tasks_openapi_generate(ngx_conf_t *cf,
    ngx_http_tasks_definition_t *definition, const ngx_str_t *base,
    ngx_str_t *text);


extern ngx_str_t  ngx_http_tasks_action_names[];
extern ngx_str_t  ngx_http_tasks_rule_names[];
extern ngx_str_t  ngx_http_tasks_type_names[];
extern ngx_str_t  ngx_http_tasks_role_names[];


#endif /* _NGX_HTTP_TASKS_DEFINITION_H_INCLUDED_ */
