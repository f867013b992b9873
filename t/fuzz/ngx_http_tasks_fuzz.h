
/*
 * What the fuzz targets share.  They run inside the distribution's nginx: the
 * module and they are one shared object, and the directive tasks_fuzz starts
 * libFuzzer while nginx reads its configuration, so that every function that
 * is not the module's is nginx's own.
 */


#ifndef _NGX_HTTP_TASKS_FUZZ_H_INCLUDED_
#define _NGX_HTTP_TASKS_FUZZ_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    const char   *name;

    /* Called once; NGX_ERROR: a message was logged. */
    ngx_int_t   (*init)(ngx_conf_t *cf, ngx_str_t *args, ngx_uint_t nargs);

    /* Takes one input; what it allocates must be gone when it returns. */
    void        (*run)(const u_char *data, size_t size);
} ngx_http_tasks_fuzz_unit_t;


extern ngx_http_tasks_fuzz_unit_t  ngx_http_tasks_fuzz_reply;
extern ngx_http_tasks_fuzz_unit_t  ngx_http_tasks_fuzz_request;
extern ngx_http_tasks_fuzz_unit_t  ngx_http_tasks_fuzz_token;
extern ngx_http_tasks_fuzz_unit_t  ngx_http_tasks_fuzz_definition;


/* A pool, each allocation of which is one of its own for the sanitizer. */
ngx_pool_t *ngx_http_tasks_fuzz_pool(void);

/* Has a pool do that from now on. */
#define ngx_http_tasks_fuzz_separate(pool)  ((pool)->max = 0)

/*
 * The bytes in one of two places, with a page behind them that cannot be read:
 * nginx's own functions are not built for the sanitizer.  They stay there until
 * the next call for that place.
 */
ngx_str_t ngx_http_tasks_fuzz_copy(ngx_uint_t place, const u_char *data,
    size_t len);

/* A finding, unless the condition is true. */
#define ngx_http_tasks_fuzz_check(condition)                                  \
    if (!(condition)) ngx_http_tasks_fuzz_found(#condition, __FILE__, __LINE__)

void ngx_http_tasks_fuzz_found(const char *condition, const char *file,
    int line);


#endif /* _NGX_HTTP_TASKS_FUZZ_H_INCLUDED_ */
