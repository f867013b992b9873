
/*
 * JSON Web Tokens.  Everything in a token is hostile until its signature is
 * found good, and is then still held to its type.
 *
 * OpenSSL, which nginx has anyway, does the cryptography, and jansson the
 * JSON: no library that would choose an algorithm by itself stands between.
 */


#include <ngx_http_tasks_token.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>


/* bytes of a token; what nginx accepts as a header is not much longer */
#define NGX_HTTP_TASKS_MAX_TOKEN  8192

/* bytes of a claim's name, with a zero at the end */
#define NGX_HTTP_TASKS_MAX_CLAIM  256


typedef struct {
    ngx_str_t                 header;    /* encoded, as the next ones */
    ngx_str_t                 payload;
    ngx_str_t                 signature;
    ngx_str_t                 signed_text;   /* header "." payload */
} ngx_http_tasks_token_parts_t;


static ngx_int_t ngx_http_tasks_token_split(const ngx_str_t *token,
    ngx_http_tasks_token_parts_t *parts);
static ngx_int_t ngx_http_tasks_token_decode(ngx_pool_t *pool,
    ngx_str_t *part, ngx_str_t *bytes);
static json_t *ngx_http_tasks_token_object(ngx_pool_t *pool, ngx_str_t *part);
static ngx_int_t ngx_http_tasks_token_signed(
    const ngx_http_tasks_token_rules_t *rules, ngx_pool_t *pool,
    ngx_http_tasks_token_parts_t *parts);
static ngx_uint_t ngx_http_tasks_token_fits(const ngx_http_tasks_key_t *key,
    json_t *header, ngx_uint_t named);
static ngx_int_t ngx_http_tasks_token_hmac(const ngx_http_tasks_key_t *key,
    ngx_str_t *text, ngx_str_t *signature);
static ngx_int_t ngx_http_tasks_token_public(const ngx_http_tasks_key_t *key,
    ngx_str_t *text, ngx_str_t *signature);
static int ngx_http_tasks_token_der(ngx_str_t *signature, u_char *der);
static ngx_http_tasks_error_e ngx_http_tasks_token_check(
    const ngx_http_tasks_token_rules_t *rules, json_t *claims,
    const char **claim);
static ngx_http_tasks_error_e ngx_http_tasks_token_times(json_t *claims,
    double now, double leeway, const char **claim);
static ngx_uint_t ngx_http_tasks_token_audience(json_t *json,
    const ngx_str_t *audience);
static ngx_uint_t ngx_http_tasks_token_value_is(json_t *json,
    const ngx_str_t *text);
static ngx_uint_t ngx_http_tasks_token_is(json_t *json, const ngx_str_t *text);


ngx_http_tasks_error_e
ngx_http_tasks_token_verify(const ngx_http_tasks_token_rules_t *rules,
    ngx_pool_t *pool, const ngx_str_t *token, json_t **claims,
    const char **claim)
{
    ngx_http_tasks_error_e        error;
    ngx_http_tasks_token_parts_t  parts;

    *claim = NULL;

    if (ngx_http_tasks_token_split(token, &parts) != NGX_OK
        || ngx_http_tasks_token_signed(rules, pool, &parts) != NGX_OK)
    {
        return NGX_HTTP_TASKS_BAD_TOKEN;
    }

    *claims = ngx_http_tasks_token_object(pool, &parts.payload);

    if (*claims == NULL) {
        return NGX_HTTP_TASKS_BAD_TOKEN;
    }

    error = ngx_http_tasks_token_check(rules, *claims, claim);

    if (error != NGX_HTTP_TASKS_NO_ERROR) {
        json_decref(*claims);
        *claims = NULL;
    }

    return error;
}


void
ngx_http_tasks_token_free(json_t *claims)
{
    json_decref(claims);
}


/* Exactly three parts. */

static ngx_int_t
ngx_http_tasks_token_split(const ngx_str_t *token,
    ngx_http_tasks_token_parts_t *parts)
{
    u_char  *first, *second, *last;

    last = token->data + token->len;
    first = ngx_strlchr(token->data, last, '.');
    second = first ? ngx_strlchr(first + 1, last, '.') : NULL;

    if (token->len > NGX_HTTP_TASKS_MAX_TOKEN || second == NULL
        || ngx_strlchr(second + 1, last, '.'))
    {
        return NGX_ERROR;
    }

    parts->header.data = token->data;
    parts->header.len = first - token->data;
    parts->payload.data = first + 1;
    parts->payload.len = second - (first + 1);
    parts->signature.data = second + 1;
    parts->signature.len = last - (second + 1);
    parts->signed_text.data = token->data;
    parts->signed_text.len = second - token->data;

    return NGX_OK;
}


/* nginx's decoder lets padding and stray last bits pass; a token has none. */

static ngx_int_t
ngx_http_tasks_token_decode(ngx_pool_t *pool, ngx_str_t *part,
    ngx_str_t *bytes)
{
    ngx_str_t  again;

    bytes->data = ngx_pnalloc(pool, ngx_base64_decoded_length(part->len) + 1);
    again.data = ngx_pnalloc(pool, part->len + 4);

    if (bytes->data == NULL || again.data == NULL
        || ngx_decode_base64url(bytes, part) != NGX_OK
        || ngx_base64_encoded_length(bytes->len) > part->len + 3)
    {
        return NGX_ERROR;
    }

    ngx_encode_base64url(&again, bytes);

    return ngx_http_tasks_equal(&again, part) ? NGX_OK : NGX_ERROR;
}


static json_t *
ngx_http_tasks_token_object(ngx_pool_t *pool, ngx_str_t *part)
{
    json_t     *json;
    ngx_str_t   text;

    if (ngx_http_tasks_token_decode(pool, part, &text) != NGX_OK) {
        return NULL;
    }

    json = json_loadb((char *) text.data, text.len, JSON_REJECT_DUPLICATES,
                      NULL);

    if (json && !json_is_object(json)) {
        json_decref(json);
        return NULL;
    }

    return json;
}


/* Whether one of the keys that fit the header has signed it. */

static ngx_int_t
ngx_http_tasks_token_signed(const ngx_http_tasks_token_rules_t *rules,
    ngx_pool_t *pool, ngx_http_tasks_token_parts_t *parts)
{
    json_t                *header;
    ngx_int_t              rc;
    ngx_str_t              signature;
    ngx_uint_t             i, named;
    ngx_http_tasks_key_t  *key;

    header = ngx_http_tasks_token_object(pool, &parts->header);

    if (header == NULL) {
        return NGX_ERROR;
    }

    rc = NGX_ERROR;
    key = rules->keys->elts;
    named = 0;

    for (i = 0; i < rules->keys->nelts; i++) {
        named |= (key[i].kid.data != NULL);
    }

    /* an extension that is critical is one that is not known here */

    if (json_object_get(header, "crit") == NULL
        && ngx_http_tasks_token_decode(pool, &parts->signature, &signature)
           == NGX_OK)
    {
        for (i = 0; i < rules->keys->nelts && rc != NGX_OK; i++) {

            if (!ngx_http_tasks_token_fits(&key[i], header, named)) {
                continue;
            }

            rc = key[i].pkey
                 ? ngx_http_tasks_token_public(&key[i], &parts->signed_text,
                                               &signature)
                 : ngx_http_tasks_token_hmac(&key[i], &parts->signed_text,
                                             &signature);
        }
    }

    json_decref(header);

    return rc;
}


/*
 * The algorithm must be the key's.  A key with an id is for tokens that say
 * it; one without is for any, unless a token says an id and there are keys
 * that have one.
 */
static ngx_uint_t
ngx_http_tasks_token_fits(const ngx_http_tasks_key_t *key, json_t *header,
    ngx_uint_t named)
{
    json_t  *kid;

    if (!ngx_http_tasks_token_is(json_object_get(header, "alg"),
                                 &key->alg->name))
    {
        return 0;
    }

    kid = json_object_get(header, "kid");

    if (key->kid.data) {
        return ngx_http_tasks_token_is(kid, &key->kid);
    }

    return kid == NULL || (json_is_string(kid) && !named);
}


static ngx_int_t
ngx_http_tasks_token_hmac(const ngx_http_tasks_key_t *key, ngx_str_t *text,
    ngx_str_t *signature)
{
    u_char        digest[EVP_MAX_MD_SIZE];
    unsigned int  len;

    if (HMAC(key->alg->digest(), key->secret.data, (int) key->secret.len,
             text->data, text->len, digest, &len)
        == NULL)
    {
        return NGX_ERROR;
    }

    return signature->len == len
           && CRYPTO_memcmp(signature->data, digest, len) == 0
           ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_tasks_token_public(const ngx_http_tasks_key_t *key, ngx_str_t *text,
    ngx_str_t *signature)
{
    int           len, rc;
    u_char        der[72], *sig;
    EVP_MD_CTX   *ctx;

    sig = signature->data;
    len = (int) signature->len;

    if (key->alg->type == EVP_PKEY_EC) {
        len = ngx_http_tasks_token_der(signature, der);
        sig = der;
    }

    ctx = EVP_MD_CTX_new();

    if (ctx == NULL || len <= 0) {
        EVP_MD_CTX_free(ctx);
        return NGX_ERROR;
    }

    rc = EVP_DigestVerifyInit(ctx, NULL,
                              key->alg->digest ? key->alg->digest() : NULL,
                              NULL, key->pkey);
    if (rc == 1) {
        rc = EVP_DigestVerify(ctx, sig, len, text->data, text->len);
    }

    EVP_MD_CTX_free(ctx);
    ERR_clear_error();

    return rc == 1 ? NGX_OK : NGX_ERROR;
}


/* A token has the two numbers of P-256 side by side, OpenSSL wants DER. */

static int
ngx_http_tasks_token_der(ngx_str_t *signature, u_char *der)
{
    int         len;
    BIGNUM     *r, *s;
    ECDSA_SIG  *sig;

    if (signature->len != 64) {
        return 0;
    }

    r = BN_bin2bn(signature->data, 32, NULL);
    s = BN_bin2bn(signature->data + 32, 32, NULL);
    sig = ECDSA_SIG_new();

    if (r == NULL || s == NULL || sig == NULL
        || ECDSA_SIG_set0(sig, r, s) != 1)
    {
        BN_free(r);
        BN_free(s);
        ECDSA_SIG_free(sig);
        return 0;
    }

    len = i2d_ECDSA_SIG(sig, &der);        /* 72 bytes at most */

    ECDSA_SIG_free(sig);

    return len;
}


/* What is known of claims has its type, or the token is no good. */

static ngx_http_tasks_error_e
ngx_http_tasks_token_check(const ngx_http_tasks_token_rules_t *rules,
    json_t *claims, const char **claim)
{
    json_t                  *json;
    ngx_str_t                text, *value;
    ngx_uint_t               i, j;
    const char              *name;
    ngx_http_tasks_claim_t  *wanted;

    static const char       *strings[] = { "sub", "iss", "jti", NULL };

    /* variables go to headers and decide: what they cannot hold is no token */

    json_object_foreach(claims, name, json) {
        text.data = (u_char *) json_string_value(json);
        text.len = json_string_length(json);

        if (json_is_string(json) && !ngx_http_tasks_is_text(&text)) {
            return NGX_HTTP_TASKS_BAD_TOKEN;
        }
    }

    for (i = 0; strings[i]; i++) {
        json = json_object_get(claims, strings[i]);

        if (json && !json_is_string(json)) {
            *claim = strings[i];
            return NGX_HTTP_TASKS_BAD_TOKEN;
        }
    }

    *claim = "iss";

    if (rules->issuer.len
        && !ngx_http_tasks_token_is(json_object_get(claims, "iss"),
                                    &rules->issuer))
    {
        return NGX_HTTP_TASKS_BAD_TOKEN;
    }

    /* a token for others is none for us, whoever we are (RFC 7519, 4.1.3) */

    *claim = "aud";
    json = json_object_get(claims, "aud");

    if ((json || rules->audience.len)
        && (rules->audience.len == 0
            || !ngx_http_tasks_token_audience(json, &rules->audience)))
    {
        return NGX_HTTP_TASKS_BAD_TOKEN;
    }

    wanted = rules->claims ? rules->claims->elts : NULL;

    for (i = 0; wanted && i < rules->claims->nelts; i++) {
        *claim = (char *) wanted[i].name.data;
        json = json_object_get(claims, *claim);
        value = wanted[i].values.elts;

        for (j = 0; j < wanted[i].values.nelts; j++) {
            if (ngx_http_tasks_token_value_is(json, &value[j])) {
                break;
            }
        }

        if (json == NULL || json_is_null(json)
            || (j && j == wanted[i].values.nelts))
        {
            return NGX_HTTP_TASKS_BAD_TOKEN;
        }
    }

    return ngx_http_tasks_token_times(claims, (double) ngx_time(),
                                      (double) rules->leeway, claim);
}


/* A token without an end could not be taken back: "exp" must be there. */

static ngx_http_tasks_error_e
ngx_http_tasks_token_times(json_t *claims, double now, double leeway,
    const char **claim)
{
    json_t      *exp, *json;
    ngx_uint_t   i;

    static const char  *begins[] = { "nbf", "iat", NULL };

    *claim = "exp";
    exp = json_object_get(claims, "exp");

    if (!json_is_number(exp)) {
        return NGX_HTTP_TASKS_BAD_TOKEN;
    }

    for (i = 0; begins[i]; i++) {
        json = json_object_get(claims, begins[i]);

        if (json == NULL) {
            continue;
        }

        *claim = begins[i];

        if (!json_is_number(json)) {
            return NGX_HTTP_TASKS_BAD_TOKEN;
        }

        if (json_number_value(json) > now + leeway) {
            return NGX_HTTP_TASKS_EARLY_TOKEN;
        }
    }

    if (json_number_value(exp) <= now - leeway) {
        *claim = "exp";
        return NGX_HTTP_TASKS_EXPIRED_TOKEN;
    }

    *claim = NULL;

    return NGX_HTTP_TASKS_NO_ERROR;
}


/* A string, or an array of strings one of which it must be. */

static ngx_uint_t
ngx_http_tasks_token_audience(json_t *json, const ngx_str_t *audience)
{
    size_t      i;
    ngx_uint_t  found;

    if (!json_is_array(json)) {
        return ngx_http_tasks_token_is(json, audience);
    }

    found = 0;

    for (i = 0; i < json_array_size(json); i++) {

        if (!json_is_string(json_array_get(json, i))) {
            return 0;
        }

        found |= ngx_http_tasks_token_is(json_array_get(json, i), audience);
    }

    return found;
}


/* A string as it is, a boolean or an integer as JSON has it. */

static ngx_uint_t
ngx_http_tasks_token_value_is(json_t *json, const ngx_str_t *text)
{
    u_char     buf[NGX_INT64_LEN];
    ngx_str_t  value;

    if (json_is_boolean(json)) {
        value.data = (u_char *) (json_is_true(json) ? "true" : "false");
        value.len = ngx_strlen(value.data);

    } else if (json_is_integer(json)) {
        value.data = buf;
        value.len = ngx_sprintf(buf, "%L", (int64_t) json_integer_value(json))
                    - buf;

    } else {
        return ngx_http_tasks_token_is(json, text);
    }

    return ngx_http_tasks_equal(&value, text);
}


static ngx_uint_t
ngx_http_tasks_token_is(json_t *json, const ngx_str_t *text)
{
    return json_is_string(json) && json_string_length(json) == text->len
           && ngx_strncmp(json_string_value(json), text->data, text->len)
              == 0;
}


ngx_int_t
ngx_http_tasks_token_claim(const json_t *claims, const ngx_str_t *names,
    ngx_uint_t depth, ngx_pool_t *pool, ngx_str_t *text)
{
    char        *dump, name[NGX_HTTP_TASKS_MAX_CLAIM];
    ngx_uint_t   i;

    for (i = 0; i < depth && claims; i++) {

        if (names[i].len >= sizeof(name)) {
            return NGX_DECLINED;
        }

        *ngx_cpymem(name, names[i].data, names[i].len) = '\0';

        claims = json_object_get(claims, name);
    }

    if (claims == NULL || json_is_null(claims)) {
        return NGX_DECLINED;
    }

    if (json_is_string(claims)) {
        text->len = json_string_length(claims);
        text->data = ngx_pnalloc(pool, text->len + 1);

        if (text->data) {
            ngx_memcpy(text->data, json_string_value(claims), text->len);
        }

        return text->data ? NGX_OK : NGX_ERROR;
    }

    dump = json_dumps(claims, JSON_ENCODE_ANY|JSON_COMPACT
                              |JSON_REAL_PRECISION(15));
    if (dump == NULL) {
        return NGX_ERROR;
    }

    text->len = ngx_strlen(dump);
    text->data = ngx_pnalloc(pool, text->len + 1);

    if (text->data) {
        ngx_memcpy(text->data, dump, text->len);
    }

    free(dump);

    return text->data ? NGX_OK : NGX_ERROR;
}
