
/*
 * Response templates: compiled once into runs of bytes and places for values.
 */


#ifndef _NGX_HTTP_TASKS_TEMPLATE_H_INCLUDED_
#define _NGX_HTTP_TASKS_TEMPLATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_tasks_writer.h>


/*
 * Values that a template may name.  What is not among them is a variable of
 * nginx, whose index follows NGX_HTTP_TASKS_VALUES, or a field of a task.
 */
typedef enum {
    NGX_HTTP_TASKS_VALUE_TASKS = 0,
    NGX_HTTP_TASKS_VALUE_TASK,
    NGX_HTTP_TASKS_VALUE_TOTAL,
    NGX_HTTP_TASKS_VALUE_PAGE,
    NGX_HTTP_TASKS_VALUE_PAGES,
    NGX_HTTP_TASKS_VALUE_LIMIT,
    NGX_HTTP_TASKS_VALUE_OFFSET,
    NGX_HTTP_TASKS_VALUE_COUNT,
    NGX_HTTP_TASKS_VALUE_HAS_MORE,
    NGX_HTTP_TASKS_VALUE_NEXT_CURSOR,
    NGX_HTTP_TASKS_VALUE_NEXT_PAGE,
    NGX_HTTP_TASKS_VALUE_NEXT_OFFSET,
    NGX_HTTP_TASKS_VALUE_FIRST_ID,
    NGX_HTTP_TASKS_VALUE_LAST_ID,
    NGX_HTTP_TASKS_VALUE_ID,
    NGX_HTTP_TASKS_VALUE_STATE,
    NGX_HTTP_TASKS_VALUE_STATUS,
    NGX_HTTP_TASKS_VALUE_REASON,
    NGX_HTTP_TASKS_VALUE_MESSAGE,
    NGX_HTTP_TASKS_VALUE_CODE,
    NGX_HTTP_TASKS_VALUE_RULE,
    NGX_HTTP_TASKS_VALUE_PARAMETER,
    NGX_HTTP_TASKS_VALUE_LOCATION,
    NGX_HTTP_TASKS_VALUE_VALUE,
    NGX_HTTP_TASKS_VALUE_CLAIM,
    NGX_HTTP_TASKS_VALUE_CORRELATION_ID,
    NGX_HTTP_TASKS_VALUE_NOW,
    NGX_HTTP_TASKS_VALUE_NOW_SECONDS,
    NGX_HTTP_TASKS_VALUE_NOW_NAIVE,
    NGX_HTTP_TASKS_VALUE_NOW_UNIX,
    NGX_HTTP_TASKS_VALUE_NOW_UNIX_MS,
    NGX_HTTP_TASKS_VALUES
} ngx_http_tasks_value_e;


/* The value of a field: its index in the collection follows this. */
#define NGX_HTTP_TASKS_VALUE_FIELD   0x1000000


typedef enum {
    NGX_HTTP_TASKS_ABSENT = 0,           /* null, or its member is left out */
    NGX_HTTP_TASKS_JSON,                 /* JSON text, goes out as it is */
    NGX_HTTP_TASKS_TEXT,                 /* becomes a JSON string */
    NGX_HTTP_TASKS_WRITTEN               /* JSON text that "write" writes */
} ngx_http_tasks_kind_e;


typedef struct {
    ngx_http_tasks_kind_e     kind;
    ngx_str_t                 str;
    ngx_str_t                 plain;     /* of JSON that is a string: its text;
                                            data is NULL: str is no string */
    void                    (*write)(void *data, ngx_http_tasks_writer_t *w);
} ngx_http_tasks_value_t;


/* Gives the value with an index of ngx_http_tasks_value_e.  NGX_ERROR: no
 * memory. */
typedef ngx_int_t (*ngx_http_tasks_value_pt)(void *data, ngx_uint_t index,
    ngx_http_tasks_value_t *value);


typedef enum {
    NGX_HTTP_TASKS_PART_LITERAL = 0,     /* text */
    NGX_HTTP_TASKS_PART_VALUE,           /* a value as JSON */
    NGX_HTTP_TASKS_PART_INSIDE,          /* a value inside a JSON string */
    NGX_HTTP_TASKS_PART_PLAIN,           /* a value in plain text */
    NGX_HTTP_TASKS_PART_MEMBER,          /* text (name and colon) and value,
                                            or nothing if it is absent */
    NGX_HTTP_TASKS_PART_SEPARATOR        /* comma, unless first in an object */
} ngx_http_tasks_part_e;


typedef struct {
    ngx_http_tasks_part_e     kind;
    ngx_uint_t                value;     /* index */
    ngx_str_t                 text;
} ngx_http_tasks_part_t;


typedef struct {
    ngx_array_t               parts;     /* ngx_http_tasks_part_t */
    uint64_t                  uses;      /* bits of ngx_http_tasks_value_e */
} ngx_http_tasks_template_t;


#define NGX_HTTP_TASKS_BIT(name)                                              \
    ((uint64_t) 1 << NGX_HTTP_TASKS_VALUE_##name)


/* While compiling.  Literals are copied, neighbours become one. */
ngx_int_t ngx_http_tasks_template_init(ngx_http_tasks_template_t *template,
    ngx_pool_t *pool);
ngx_int_t ngx_http_tasks_template_literal(ngx_http_tasks_template_t *template,
    const void *data, size_t len);
ngx_int_t ngx_http_tasks_template_part(ngx_http_tasks_template_t *template,
    ngx_http_tasks_part_e kind, ngx_uint_t value, const ngx_str_t *text);

/*
 * Writes the template, or its parts from "first" on and before "last".
 * NGX_ERROR: no memory; w->failed still to be checked.
 */
ngx_int_t ngx_http_tasks_template_run(
    const ngx_http_tasks_template_t *template, ngx_http_tasks_writer_t *w,
    ngx_http_tasks_value_pt get, void *data);
ngx_int_t ngx_http_tasks_template_run_parts(
    const ngx_http_tasks_template_t *template, ngx_uint_t first,
    ngx_uint_t last, ngx_http_tasks_writer_t *w, ngx_http_tasks_value_pt get,
    void *data);


#endif /* _NGX_HTTP_TASKS_TEMPLATE_H_INCLUDED_ */
