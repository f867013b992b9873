
/*
 * Private to lists: what their files ask of each other.
 */


#ifndef _NGX_HTTP_TASKS_LIST_H_INCLUDED_
#define _NGX_HTTP_TASKS_LIST_H_INCLUDED_


#include <ngx_http_tasks_exchange.h>


/* Reads the page, again if it was read before. */
ngx_http_tasks_error_e ngx_http_tasks_list_index(ngx_http_tasks_exchange_t *x);

/* Reads it by the function. */
ngx_http_tasks_error_e ngx_http_tasks_list_page(ngx_http_tasks_exchange_t *x);

/* A revision, or nil; NGX_ERROR: it is neither. */
ngx_int_t ngx_http_tasks_list_revision(ngx_http_tasks_reply_t *reply,
    ngx_str_t *revision);

/*
 * Only a writer that goes past the functions, or Redis evicting keys, can
 * bring this about: an error is due, not a list that looks whole.  Of several
 * indexes it may be any if "suffix" is NULL.
 */
ngx_http_tasks_error_e ngx_http_tasks_list_broken(ngx_http_tasks_exchange_t *x,
    ngx_str_t *suffix, const char *what);

/* With the members known, and their rows (NULL: none) in order. */
ngx_http_tasks_error_e ngx_http_tasks_list_finish(ngx_http_tasks_exchange_t *x,
    ngx_http_tasks_writer_t *rows);


#endif /* _NGX_HTTP_TASKS_LIST_H_INCLUDED_ */
