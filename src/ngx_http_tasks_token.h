
/*
 * JSON Web Tokens (RFC 7519), and what one must fulfil.
 */


#ifndef _NGX_HTTP_TASKS_TOKEN_H_INCLUDED_
#define _NGX_HTTP_TASKS_TOKEN_H_INCLUDED_


#include <ngx_http_tasks_token_key.h>


/* A claim that must be there. */
typedef struct {
    ngx_str_t                 name;
    ngx_array_t               values;    /* ngx_str_t, one of which it must be;
                                            empty: any */
} ngx_http_tasks_claim_t;


/* Read-only at run time. */
typedef struct {
    ngx_array_t              *keys;      /* ngx_http_tasks_key_t */
    ngx_array_t              *claims;    /* ngx_http_tasks_claim_t, or NULL */
    ngx_str_t                 issuer;    /* empty: any, as the next */
    ngx_str_t                 audience;
    time_t                    leeway;    /* of exp, nbf and iat, s */
} ngx_http_tasks_token_rules_t;


struct json_t;


/*
 * Verifies a token: its signature, its times and what "rules" want.  If it is
 * good, returns NGX_HTTP_TASKS_NO_ERROR, and "claims" is a jansson object that
 * the caller is to release by ngx_http_tasks_token_free().  Otherwise returns
 * the class, with "claim" the name of a claim that is at fault, or NULL.
 */
ngx_http_tasks_error_e ngx_http_tasks_token_verify(
    const ngx_http_tasks_token_rules_t *rules, ngx_pool_t *pool,
    const ngx_str_t *token, struct json_t **claims, const char **claim);
void ngx_http_tasks_token_free(struct json_t *claims);

/*
 * The text of a claim, in "pool": a string as it is, anything else as JSON.
 * "names" are those of objects in objects, "depth" of them.  NGX_DECLINED:
 * there is none, or it is null; NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_tasks_token_claim(const struct json_t *claims,
    const ngx_str_t *names, ngx_uint_t depth, ngx_pool_t *pool,
    ngx_str_t *text);


#endif /* _NGX_HTTP_TASKS_TOKEN_H_INCLUDED_ */
