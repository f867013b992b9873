
/*
 * From a URI, a query and a method to a checked request.
 */


#ifndef _NGX_HTTP_TASKS_REQUEST_H_INCLUDED_
#define _NGX_HTTP_TASKS_REQUEST_H_INCLUDED_


#include <ngx_http_tasks_param.h>


#define NGX_HTTP_TASKS_MAX_SEGMENTS  16


typedef struct {
    ngx_pool_t                   *pool;
    ngx_http_tasks_definition_t  *definition;
    ngx_http_tasks_route_t       *route;     /* NULL: none was found */
    ngx_str_t                     segments[NGX_HTTP_TASKS_MAX_SEGMENTS];

    ngx_str_t                     id;        /* canonical; data is NULL: none */
    ngx_http_tasks_values_t      *filters;   /* of each filter field */
    ngx_uint_t                    given;     /* bits of filters that were sent */
    ngx_http_tasks_choice_t      *choice;    /* that says the limit, or NULL */
    int64_t                       limit;     /* -1: none */
    int64_t                       page;      /* from 1 */
    int64_t                       offset;    /* of the first task */
    ngx_str_t                     cursor;    /* position; data is NULL: none */
    ngx_str_t                     cursor_id; /* of the task whose position it
                                                is; data is NULL: none */

    /* what is wrong with it */
    ngx_http_tasks_param_t       *param;
    ngx_http_tasks_complaint_t   *complaint; /* NULL: its cursor */
    ngx_http_tasks_rule_e         rule;      /* unless complaint is NULL */
    ngx_str_t                     value;     /* as it came, decoded */
} ngx_http_tasks_request_t;


/*
 * Finds the route for a method and a path, the part of the decoded URI behind
 * the location's prefix.  NGX_OK; NGX_DECLINED: there is no such path;
 * NGX_ABORT: not for this method, "allow" says for which; NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_tasks_request_route(ngx_http_tasks_request_t *request,
    const ngx_str_t *method, const ngx_str_t *path, ngx_str_t *allow);

/*
 * Checks parameters of the path and of the query ("args", encoded).  NGX_OK;
 * NGX_DECLINED: "error" is the class, and request->param what is wrong;
 * NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_tasks_request_check(ngx_http_tasks_request_t *request,
    const ngx_str_t *args, ngx_http_tasks_error_e *error);

/*
 * The cursor of what comes after a task, from its position.  NGX_ERROR: no
 * memory.
 */
ngx_int_t ngx_http_tasks_cursor_make(ngx_pool_t *pool,
    const ngx_http_tasks_cursor_t *form, const ngx_str_t *position,
    ngx_str_t *cursor);

/*
 * Takes a cursor apart, to request->cursor or ->cursor_id.  NGX_DECLINED: it
 * is none of this collection's; NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_tasks_cursor_parse(ngx_http_tasks_request_t *request,
    const ngx_http_tasks_cursor_t *form, ngx_str_t *cursor);

/* The id in a position: what follows the first colon.  NGX_ERROR: none. */
ngx_int_t ngx_http_tasks_position_id(const ngx_str_t *position,
    ngx_str_t *id);


#endif /* _NGX_HTTP_TASKS_REQUEST_H_INCLUDED_ */
