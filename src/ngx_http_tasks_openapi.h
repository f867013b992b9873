
/*
 * Private to what makes an OpenAPI document: the document while it is made,
 * and what its files ask of each other.
 */


#ifndef _NGX_HTTP_TASKS_OPENAPI_H_INCLUDED_
#define _NGX_HTTP_TASKS_OPENAPI_H_INCLUDED_


#include <ngx_http_tasks_compiler.h>


typedef struct {
    ngx_http_tasks_compiler_t     compiler;
    ngx_http_tasks_node_t         root;      /* of the definition's file */
    ngx_http_tasks_node_t         errors;    /* its "errors" */
    json_t                       *schemas;   /* those that were referred to */
    json_t                       *names;     /* of operations, as keys */
    ngx_http_tasks_route_t       *route;
    ngx_http_tasks_node_t         source;    /* the route's in the file */
    ngx_uint_t                   *codes;     /* by class: types of its $code;
                                                0: it is no answer here */
    unsigned                      failed:1;  /* no memory */
} ngx_http_tasks_openapi_t;


/*
 * These take over "value", which may be NULL: then, and if memory is short,
 * doc->failed is set.  What was put is returned, the object's still, or NULL.
 */
json_t *ngx_http_tasks_openapi_put(ngx_http_tasks_openapi_t *doc,
    json_t *object, const char *key, json_t *value);
void ngx_http_tasks_openapi_add(ngx_http_tasks_openapi_t *doc, json_t *array,
    json_t *value);

json_t *ngx_http_tasks_openapi_text(const ngx_str_t *text);

/* Writes "bad_parameter" as "BadParameter"; returns the end. */
u_char *ngx_http_tasks_openapi_camel(u_char *p, const u_char *name,
    size_t len);

/* The collection of the current route in the file. */
json_t *ngx_http_tasks_openapi_collection(ngx_http_tasks_openapi_t *doc);

/* Copies the "description" of something in the file, if it has one. */
void ngx_http_tasks_openapi_describe(ngx_http_tasks_openapi_t *doc,
    json_t *object, json_t *source);

/* {"type": NAME}, or a list of it and "null"; perhaps with a format. */
json_t *ngx_http_tasks_openapi_type(const char *name, const char *format,
    ngx_uint_t nullable);

/* Refers to one of doc->schemas. */
json_t *ngx_http_tasks_openapi_ref(ngx_http_tasks_openapi_t *doc,
    const char *name);

/* Refers to the schema of the collection's tasks, in lists or alone. */
json_t *ngx_http_tasks_openapi_task(ngx_http_tasks_openapi_t *doc,
    ngx_uint_t detail);

/* A field, as a view shows it, which leaves it out rather than "optional". */
json_t *ngx_http_tasks_openapi_field(ngx_http_tasks_openapi_t *doc,
    ngx_http_tasks_field_t *field, ngx_uint_t nullable);

/*
 * Adds "examples": values of a string that the definition names.  Writers are
 * not held to them.
 */
void ngx_http_tasks_openapi_examples(ngx_http_tasks_openapi_t *doc,
    json_t *schema, ngx_http_tasks_field_t *field);

/* The id in responses. */
json_t *ngx_http_tasks_openapi_id(ngx_http_tasks_openapi_t *doc,
    ngx_uint_t nullable);

/* What a template becomes; "class" is that of the error, or 0. */
json_t *ngx_http_tasks_openapi_template(ngx_http_tasks_openapi_t *doc,
    json_t *template, ngx_uint_t class);

/* The parameters of the current route; paths name them as "named" does. */
json_t *ngx_http_tasks_openapi_params(ngx_http_tasks_openapi_t *doc,
    ngx_http_tasks_route_t *named);

/* The responses of the current route. */
json_t *ngx_http_tasks_openapi_responses(ngx_http_tasks_openapi_t *doc);


/* Whether JSON text is "null"; whether a list, or NULL, has a text. */
#define ngx_http_tasks_openapi_is_null(text)                                  \
    ((text)->data && (text)->data[0] == 'n')
ngx_uint_t ngx_http_tasks_openapi_listed(ngx_array_t *list,
    const ngx_str_t *text);


#define NGX_HTTP_TASKS_OPENAPI_STRING   1    /* types of $code */
#define NGX_HTTP_TASKS_OPENAPI_INTEGER  2
#define NGX_HTTP_TASKS_OPENAPI_BOOLEAN  4
#define NGX_HTTP_TASKS_OPENAPI_NULL     8


#endif /* _NGX_HTTP_TASKS_OPENAPI_H_INCLUDED_ */
