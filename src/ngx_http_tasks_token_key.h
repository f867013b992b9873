
/*
 * Keys that tokens are verified with.
 */


#ifndef _NGX_HTTP_TASKS_TOKEN_KEY_H_INCLUDED_
#define _NGX_HTTP_TASKS_TOKEN_KEY_H_INCLUDED_


#include <ngx_http_tasks_definition.h>


struct evp_md_st;


/* An algorithm that signs tokens. */
struct ngx_http_tasks_alg_s {
    ngx_str_t                 name;
    int                       type;      /* EVP_PKEY_...; 0: HMAC */
    const struct evp_md_st *(*digest)(void); /* NULL: it has its own */
};


/* A key is for one algorithm: what a token's header says does not choose it. */
typedef struct {
    const struct ngx_http_tasks_alg_s  *alg;
    ngx_str_t                 kid;       /* data is NULL: of any token */
    ngx_str_t                 secret;    /* of HMAC */
    void                     *pkey;      /* EVP_PKEY of the other ones */
} ngx_http_tasks_key_t;


/*
 * Reads a key for the algorithm of that name from a file (full name).
 * NGX_ERROR: a message was logged.  The key lives as long as cf->pool.
 */
ngx_int_t ngx_http_tasks_token_key(ngx_conf_t *cf, ngx_str_t *alg,
    ngx_str_t *file, ngx_http_tasks_key_t *key);


#endif /* _NGX_HTTP_TASKS_TOKEN_KEY_H_INCLUDED_ */
