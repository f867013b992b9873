
/*
 * Private to the definition compiler: a cursor on the JSON of a definition
 * that knows its path, and what the compiler's files ask of each other.
 */


#ifndef _NGX_HTTP_TASKS_COMPILER_H_INCLUDED_
#define _NGX_HTTP_TASKS_COMPILER_H_INCLUDED_


#include <ngx_http_tasks_request.h>
#include <jansson.h>


typedef struct {
    ngx_conf_t                   *cf;
    ngx_http_tasks_definition_t  *definition;
    ngx_http_tasks_variable_pt    variable;

    /* what is being compiled */
    ngx_http_tasks_collection_t  *collection;
    ngx_http_tasks_route_t       *route;         /* NULL: none */

    /* of every response, unless it has its own */
    ngx_str_t                     content_type;  /* data is NULL: none */
    ngx_array_t                  *headers;       /* or NULL */
} ngx_http_tasks_compiler_t;


typedef struct ngx_http_tasks_node_s  ngx_http_tasks_node_t;

struct ngx_http_tasks_node_s {
    ngx_http_tasks_compiler_t    *compiler;
    const ngx_http_tasks_node_t  *parent;    /* NULL: the whole file */
    const char                   *key;       /* in the parent; NULL: index */
    size_t                        index;
    json_t                       *json;
};


/* "FILE: PATH"; data is NULL if memory is short. */
ngx_str_t ngx_http_tasks_node_where(const ngx_http_tasks_node_t *node);

/* Logs "FILE: PATH: message"; returns NGX_ERROR. */
ngx_int_t ngx_http_tasks_node_error(const ngx_http_tasks_node_t *node,
    const char *format, ...);

/*
 * The getters return NGX_OK, NGX_DECLINED if the member is absent (the result
 * stays as it is), or NGX_ERROR when they have logged what is wrong.
 */
ngx_int_t ngx_http_tasks_node_member(const ngx_http_tasks_node_t *node,
    const char *key, ngx_http_tasks_node_t *member);
void ngx_http_tasks_node_element(const ngx_http_tasks_node_t *node,
    size_t index, ngx_http_tasks_node_t *element);
ngx_int_t ngx_http_tasks_node_string(const ngx_http_tasks_node_t *node,
    const char *key, ngx_str_t *result);
ngx_int_t ngx_http_tasks_node_integer(const ngx_http_tasks_node_t *node,
    const char *key, int64_t minimum, int64_t maximum, int64_t *result);
ngx_int_t ngx_http_tasks_node_flag(const ngx_http_tasks_node_t *node,
    const char *key, ngx_uint_t *result);
/* The index in "names", which an empty one ends. */
ngx_int_t ngx_http_tasks_node_choice(const ngx_http_tasks_node_t *node,
    const char *key, const ngx_str_t *names, ngx_uint_t *result);
/* Strings, integers and booleans, as ngx_str_t of their text. */
ngx_int_t ngx_http_tasks_node_list(const ngx_http_tasks_node_t *node,
    const char *key, ngx_array_t **result);

/* NGX_ERROR unless it is an object that has only these keys (NULL ends). */
ngx_int_t ngx_http_tasks_node_keys(const ngx_http_tasks_node_t *node,
    const char *const *keys);
ngx_int_t ngx_http_tasks_node_is_object(const ngx_http_tasks_node_t *node);

/* Whether a value is of a type. */
ngx_uint_t ngx_http_tasks_json_is(json_t *json, ngx_uint_t type);
/* A string, integer or boolean. */
ngx_int_t ngx_http_tasks_node_literal(const ngx_http_tasks_node_t *node,
    const char *key, ngx_http_tasks_literal_t *result);
/* Headers; NGX_DECLINED leaves "headers" as it is. */
ngx_int_t ngx_http_tasks_node_headers(const ngx_http_tasks_node_t *node,
    ngx_array_t **headers);
ngx_uint_t ngx_http_tasks_is_header_name(const char *name);
/* A string of one line, as a header must be. */
ngx_int_t ngx_http_tasks_node_line(const ngx_http_tasks_node_t *node,
    const char *key, ngx_str_t *result);

/* Copies to the configuration's pool.  data is NULL if memory is short. */
ngx_str_t ngx_http_tasks_compiler_text(ngx_http_tasks_compiler_t *compiler,
    const char *text, size_t len);
/* The compact JSON text of a value. */
ngx_str_t ngx_http_tasks_compiler_dump(ngx_http_tasks_compiler_t *compiler,
    json_t *json);
/* A member's name as JSON with its colon. */
ngx_str_t ngx_http_tasks_compiler_key(ngx_http_tasks_compiler_t *compiler,
    ngx_str_t *name);


/* Sets of values that a template may name, bits of ngx_http_tasks_value_e. */
extern const uint64_t  ngx_http_tasks_error_values;
extern const uint64_t  ngx_http_tasks_action_values[NGX_HTTP_TASKS_ACTIONS];

/* "allowed" is such a set; nginx's variables always are. */
ngx_int_t ngx_http_tasks_compile_body(const ngx_http_tasks_node_t *node,
    uint64_t allowed, ngx_http_tasks_template_t *template);
ngx_int_t ngx_http_tasks_compile_text(const ngx_http_tasks_node_t *node,
    const char *text, uint64_t allowed, ngx_http_tasks_template_t *template);

/* in the order of ngx_http_tasks_value_e */
extern ngx_str_t  ngx_http_tasks_value_names[];

/*
 * If a name is at "p" ("$name", "$task.field", "${name}", perhaps with "?"
 * behind), returns what follows it, else NULL.
 */
const char *ngx_http_tasks_template_name(const char *p, ngx_str_t *name,
    ngx_uint_t *optional);

/* "content_type" and "headers" of the whole definition. */
ngx_int_t ngx_http_tasks_compile_defaults(const ngx_http_tasks_node_t *root);

/* Names of the classes, those that "errors" adds included. */
ngx_int_t ngx_http_tasks_compile_classes(const ngx_http_tasks_node_t *errors);

/*
 * An error for each class from the "errors" of the definition and, unless
 * NULL, of a route.  NULL: a message was logged.
 */
ngx_http_tasks_error_t **ngx_http_tasks_compile_errors(
    const ngx_http_tasks_node_t *errors, const ngx_http_tasks_node_t *special);

/*
 * Where the response of a class is: "body" or "text" of one of the levels that
 * "level" then names.  NGX_DECLINED: nowhere.
 */
ngx_int_t ngx_http_tasks_error_source(const ngx_http_tasks_node_t *errors,
    const ngx_http_tasks_node_t *special, ngx_uint_t class, json_t **source,
    ngx_uint_t *plain, const char **level);

/*
 * "errors" is that of the definition: it may have messages for rules.  The
 * parameter's name and location are set by the caller.
 */
ngx_int_t ngx_http_tasks_compile_param(const ngx_http_tasks_node_t *node,
    const ngx_http_tasks_node_t *errors, ngx_http_tasks_param_t *param);
/* The parameter's "choices", "encoding" and "form". */
ngx_int_t ngx_http_tasks_compile_choices(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_param_t *param);
ngx_int_t ngx_http_tasks_compile_cursor(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_param_t *param);
/* The array at "node", of different values of a field. */
ngx_int_t ngx_http_tasks_compiler_values(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_field_t *field, ngx_array_t **values);
ngx_int_t ngx_http_tasks_compiler_filter(const ngx_http_tasks_node_t *node,
    ngx_str_t *name, ngx_uint_t *index);

/* Notes the parameter's role in "roles", a set of them. */
ngx_int_t ngx_http_tasks_compile_role(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_route_t *route, ngx_http_tasks_param_t *param,
    ngx_uint_t *roles);

ngx_int_t ngx_http_tasks_compile_path(const ngx_http_tasks_node_t *node,
    const ngx_http_tasks_node_t *errors, ngx_http_tasks_route_t *route,
    ngx_uint_t *roles);
ngx_int_t ngx_http_tasks_compile_routes(const ngx_http_tasks_node_t *node,
    const ngx_http_tasks_node_t *errors);

/* Adds a collection, and makes it the compiler's current one. */
ngx_int_t ngx_http_tasks_compile_collection(const ngx_http_tasks_node_t *node,
    const ngx_http_tasks_node_t *errors);

/* Needs the fields and the state to be compiled. */
ngx_int_t ngx_http_tasks_compile_cancel(const ngx_http_tasks_node_t *node);

/* NULL: there is no such field. */
ngx_http_tasks_field_t *ngx_http_tasks_collection_field(
    ngx_http_tasks_collection_t *collection, ngx_str_t *name);

/* Has the route read a field of its task. */
ngx_int_t ngx_http_tasks_route_fetch(ngx_http_tasks_compiler_t *compiler,
    ngx_uint_t field);

/* Makes collection->library and ->version. */
ngx_int_t ngx_http_tasks_library_generate(ngx_conf_t *cf,
    ngx_http_tasks_collection_t *collection);


#endif /* _NGX_HTTP_TASKS_COMPILER_H_INCLUDED_ */
