
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


#define NGX_HTTP_TASKS_BIT(name)                                              \
    ((uint32_t) 1 << NGX_HTTP_TASKS_VALUE_##name)

/* Sets of values that a template may name, bits of ngx_http_tasks_value_e. */
extern const uint32_t  ngx_http_tasks_error_values;
extern const uint32_t  ngx_http_tasks_action_values[NGX_HTTP_TASKS_ACTIONS];

/* "allowed" is such a set; nginx's variables always are. */
ngx_int_t ngx_http_tasks_compile_body(const ngx_http_tasks_node_t *node,
    uint32_t allowed, ngx_http_tasks_template_t *template);
ngx_int_t ngx_http_tasks_compile_text(const ngx_http_tasks_node_t *node,
    const char *text, uint32_t allowed, ngx_http_tasks_template_t *template);

/*
 * The error of a class from the "errors" of the definition and, unless NULL,
 * of a route.
 */
ngx_http_tasks_error_t *ngx_http_tasks_compile_error(
    const ngx_http_tasks_node_t *errors, const ngx_http_tasks_node_t *special,
    ngx_uint_t error);
ngx_int_t ngx_http_tasks_compile_error_keys(
    const ngx_http_tasks_node_t *errors, ngx_uint_t rules);

/*
 * "errors" is that of the definition: it may have messages for rules.  The
 * parameter's name and location are set by the caller.
 */
ngx_int_t ngx_http_tasks_compile_param(const ngx_http_tasks_node_t *node,
    const ngx_http_tasks_node_t *errors, ngx_http_tasks_param_t *param);
ngx_int_t ngx_http_tasks_compile_routes(const ngx_http_tasks_node_t *node,
    const ngx_http_tasks_node_t *errors);

/* Needs the fields and the state to be compiled. */
ngx_int_t ngx_http_tasks_compile_cancel(const ngx_http_tasks_node_t *root);

ngx_http_tasks_field_t *ngx_http_tasks_definition_field(
    ngx_http_tasks_definition_t *definition, ngx_str_t *name);

/* Makes definition->library and ->version. */
ngx_int_t ngx_http_tasks_library_generate(ngx_conf_t *cf,
    ngx_http_tasks_definition_t *definition);


#endif /* _NGX_HTTP_TASKS_COMPILER_H_INCLUDED_ */
