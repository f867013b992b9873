
/*
 * What a client sent for a parameter, against what the definition says of it.
 */


#ifndef _NGX_HTTP_TASKS_PARAM_H_INCLUDED_
#define _NGX_HTTP_TASKS_PARAM_H_INCLUDED_


#include <ngx_http_tasks_definition.h>


#define NGX_HTTP_TASKS_PARAM_BUF     36      /* bytes of a UUID */

#define NGX_HTTP_TASKS_VALUE_GOOD    NGX_HTTP_TASKS_RULES
#define NGX_HTTP_TASKS_VALUE_NONE    (NGX_HTTP_TASKS_RULES + 1)


/* What was sent for a parameter, decoded. */
typedef struct ngx_http_tasks_raw_s  ngx_http_tasks_raw_t;

struct ngx_http_tasks_raw_s {
    ngx_str_t                 text;
    ngx_http_tasks_raw_t     *next;
};


/*
 * Checks all that was sent for a parameter; "raw" is NULL if nothing was.
 * "checked" is zeroed before; its rule says what came of it.  NGX_ERROR: no
 * memory.
 */
ngx_int_t ngx_http_tasks_param_values(ngx_pool_t *pool,
    ngx_http_tasks_param_t *param, ngx_http_tasks_raw_t *raw,
    ngx_http_tasks_checked_t *checked);

/*
 * What is wrong with the text of a parameter: a rule, or one of the two above.
 * "value" is then its canonical text, perhaps in "buf".
 */
ngx_uint_t ngx_http_tasks_param_check(ngx_http_tasks_param_t *param,
    ngx_str_t *raw, u_char *buf, ngx_str_t *value, int64_t *number);


#endif /* _NGX_HTTP_TASKS_PARAM_H_INCLUDED_ */
