
/*
 * Tokens.  The directive's arguments are pairs of an algorithm and the file of
 * a key; the first one must be HS256.  An input is a byte that says which
 * rules hold and what the rest is: the token, or its payload, or header, line
 * end and payload, which are then encoded and signed here, so that they get
 * past the signature.
 */


#include <ngx_http_tasks_handler.h>
#include <ngx_http_tasks_token.h>
#include <ngx_http_tasks_fuzz.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>


static ngx_int_t ngx_http_tasks_fuzz_token_init(ngx_conf_t *cf,
    ngx_str_t *args, ngx_uint_t nargs);
static void ngx_http_tasks_fuzz_token_run(const u_char *data, size_t size);
static ngx_str_t ngx_http_tasks_fuzz_token_sign(ngx_pool_t *pool,
    ngx_str_t *header, ngx_str_t *payload);
static void ngx_http_tasks_fuzz_token_good(ngx_pool_t *pool, json_t *claims);


ngx_http_tasks_fuzz_unit_t  ngx_http_tasks_fuzz_token = {
    "token",
    ngx_http_tasks_fuzz_token_init,
    ngx_http_tasks_fuzz_token_run
};


static ngx_http_tasks_token_rules_t  ngx_http_tasks_fuzz_rules;


static ngx_int_t
ngx_http_tasks_fuzz_token_init(ngx_conf_t *cf, ngx_str_t *args,
    ngx_uint_t nargs)
{
    ngx_str_t                     *value;
    ngx_uint_t                     i;
    ngx_http_tasks_key_t          *key;
    ngx_http_tasks_claim_t        *claim;
    ngx_http_tasks_token_rules_t  *rules;

    rules = &ngx_http_tasks_fuzz_rules;

    rules->keys = ngx_array_create(cf->pool, 4, sizeof(ngx_http_tasks_key_t));
    rules->claims = ngx_array_create(cf->pool, 1,
                                     sizeof(ngx_http_tasks_claim_t));
    claim = ngx_array_push(rules->claims);

    ngx_str_set(&claim->name, "c");

    if (ngx_array_init(&claim->values, cf->pool, 2, sizeof(ngx_str_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    value = ngx_array_push_n(&claim->values, 2);

    ngx_str_set(&value[0], "v");
    ngx_str_set(&value[1], "1");

    for (i = 0; i + 1 < nargs; i += 2) {
        key = ngx_array_push(rules->keys);
        ngx_memzero(key, sizeof(ngx_http_tasks_key_t));

        if (ngx_http_tasks_token_key(cf, &args[i], &args[i + 1], key)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return rules->keys->nelts ? NGX_OK : NGX_ERROR;
}


static void
ngx_http_tasks_fuzz_token_run(const u_char *data, size_t size)
{
    json_t                        *claims;
    ngx_str_t                      token, header, payload;
    ngx_pool_t                    *pool;
    const char                    *claim;
    const u_char                  *line;
    ngx_http_tasks_error_e         error;
    ngx_http_tasks_token_rules_t   rules;

    if (size < 1) {
        return;
    }

    pool = ngx_http_tasks_fuzz_pool();
    rules = ngx_http_tasks_fuzz_rules;

    if (data[0] & 4) {
        ngx_str_set(&rules.issuer, "i");
        ngx_str_set(&rules.audience, "a");
    }

    if (data[0] & 8) {
        rules.leeway = 60;
    }

    if ((data[0] & 16) == 0) {
        rules.claims = NULL;
    }

    ngx_str_set(&header, "{\"alg\":\"HS256\"}");
    payload.data = (u_char *) data + 1;
    payload.len = size - 1;

    switch (data[0] & 3) {

    case 0:
        token = ngx_http_tasks_fuzz_copy(0, data + 1, size - 1);
        break;

    case 1:
        line = memchr(data + 1, '\n', size - 1);

        if (line) {
            header.data = (u_char *) data + 1;
            header.len = line - (data + 1);
            payload.data = (u_char *) line + 1;
            payload.len = data + size - (line + 1);
        }

        /* fall through */

    default:
        token = ngx_http_tasks_fuzz_token_sign(pool, &header, &payload);
    }

    claims = NULL;
    error = ngx_http_tasks_token_verify(&rules, pool, &token, &claims, &claim);

    ngx_http_tasks_fuzz_check((error == NGX_HTTP_TASKS_NO_ERROR)
                              == (claims != NULL));

    if (claims) {
        ngx_http_tasks_fuzz_check(claim == NULL);
        ngx_http_tasks_fuzz_token_good(pool, claims);
        ngx_http_tasks_token_free(claims);

    } else {
        ngx_http_tasks_fuzz_check(error == NGX_HTTP_TASKS_BAD_TOKEN
                                  || (claim != NULL
                                   && (error == NGX_HTTP_TASKS_EXPIRED_TOKEN
                                    || error == NGX_HTTP_TASKS_EARLY_TOKEN)));
    }

    ngx_destroy_pool(pool);
}


static ngx_str_t
ngx_http_tasks_fuzz_token_sign(ngx_pool_t *pool, ngx_str_t *header,
    ngx_str_t *payload)
{
    u_char                 digest[EVP_MAX_MD_SIZE], *p;
    ngx_str_t              text, part, signature;
    unsigned int           len;
    ngx_http_tasks_key_t  *key;

    key = ngx_http_tasks_fuzz_rules.keys->elts;

    p = ngx_pnalloc(pool, ngx_base64_encoded_length(header->len)
                          + ngx_base64_encoded_length(payload->len)
                          + ngx_base64_encoded_length(EVP_MAX_MD_SIZE) + 2);
    ngx_http_tasks_fuzz_check(p != NULL);

    text.data = p;
    part.data = p;
    ngx_encode_base64url(&part, header);

    part.data += part.len;
    *part.data++ = '.';
    ngx_encode_base64url(&part, payload);

    part.data += part.len;
    text.len = part.data - text.data;

    HMAC(EVP_sha256(), key->secret.data, (int) key->secret.len,
         text.data, text.len, digest, &len);

    signature.data = digest;
    signature.len = len;

    *part.data++ = '.';
    ngx_encode_base64url(&part, &signature);
    text.len = part.data + part.len - text.data;

    return ngx_http_tasks_fuzz_copy(0, text.data, text.len);
}


/* What whoever uses the claims may rely on. */

static void
ngx_http_tasks_fuzz_token_good(ngx_pool_t *pool, json_t *claims)
{
    size_t       i;
    json_t      *exp, *nbf;
    ngx_int_t    rc;
    ngx_str_t    text;
    ngx_uint_t   n;

    static ngx_str_t  names[] = {
        ngx_string("sub"), ngx_string("a"), ngx_string("b"),
        ngx_string("exp"), ngx_string("")
    };

    exp = json_object_get(claims, "exp");
    nbf = json_object_get(claims, "nbf");

    ngx_http_tasks_fuzz_check(json_is_number(exp)
                         && json_number_value(exp) > (double) ngx_time() - 61);
    ngx_http_tasks_fuzz_check(nbf == NULL
                         || (json_is_number(nbf)
                             && json_number_value(nbf)
                                <= (double) ngx_time() + 60));

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        for (n = 1; i + n <= sizeof(names) / sizeof(names[0]); n++) {
            rc = ngx_http_tasks_token_claim(claims, &names[i], n, pool, &text);

            ngx_http_tasks_fuzz_check(rc == NGX_OK || rc == NGX_DECLINED);
            ngx_http_tasks_fuzz_check(rc == NGX_DECLINED
                                      || memchr(text.data, 0, text.len)
                                         == NULL);
        }
    }
}
