
/*
 * Opaque credentials: Redis has a hash for each one, under the SHA-256 of its
 * text, so that who can read Redis has no credential.  It is read anew for each
 * request: a revocation counts from the next one on.
 */


#include <ngx_http_tasks_auth.h>
#include <openssl/evp.h>


/* bytes of the fields that are asked for, at most */
#define NGX_HTTP_TASKS_CREDENTIAL_SIZE  16384


static void ngx_http_tasks_credential_handler(ngx_http_tasks_op_t *op);
static ngx_http_tasks_error_e ngx_http_tasks_credential_reply(
    ngx_http_tasks_exchange_t *x);
static ngx_http_tasks_error_e ngx_http_tasks_credential_take(
    ngx_http_tasks_exchange_t *x, ngx_http_tasks_reply_t *elt);
static ngx_http_tasks_error_e ngx_http_tasks_credential_expiry(
    ngx_array_t *fields);


/*
 * Only what variables name is asked for, by one command: others may keep there
 * what they like, and what is being removed is there or not.
 */

ngx_http_tasks_error_e
ngx_http_tasks_credential_lookup(ngx_http_tasks_exchange_t *x,
    const ngx_str_t *credential, ngx_array_t *fields)
{
    u_char                              digest[32], hex[64];
    ngx_str_t                           rest;
    ngx_uint_t                          i;
    unsigned int                        len;
    ngx_http_tasks_op_t                *op;
    ngx_http_tasks_credential_field_t  *field;

    static ngx_str_t  prefix = ngx_string("tasks:credential:");

    x->credential = fields;

    if (EVP_Digest(credential->data, credential->len, digest, &len,
                   EVP_sha256(), NULL)
        != 1
        || ngx_http_tasks_exchange_op(x, 1) != NGX_OK)
    {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    op = x->op;
    field = fields->elts;

    rest.data = hex;
    rest.len = ngx_hex_dump(hex, digest, 32) - hex;

    ngx_http_tasks_op_command(op, 2 + fields->nelts, fields->nelts, 0);
    ngx_http_tasks_op_literal(op, "HMGET");
    ngx_http_tasks_op_key(op, &prefix, &rest);

    for (i = 0; i < fields->nelts; i++) {
        ngx_http_tasks_op_str(op, &field[i].name);
    }

    return ngx_http_tasks_exchange_start(x, ngx_http_tasks_credential_handler);
}


static void
ngx_http_tasks_credential_handler(ngx_http_tasks_op_t *op)
{
    ngx_http_tasks_error_e      error;
    ngx_http_tasks_exchange_t  *x;

    x = op->data;

    error = ngx_http_tasks_store_error(x->store, op);

    if (error == NGX_HTTP_TASKS_NO_ERROR) {
        error = ngx_http_tasks_credential_reply(x);
    }

    x->done(x, error);
}


static ngx_http_tasks_error_e
ngx_http_tasks_credential_reply(ngx_http_tasks_exchange_t *x)
{
    ngx_uint_t                          i;
    ngx_http_tasks_reply_t             *reply;
    ngx_http_tasks_error_e              error;
    ngx_http_tasks_credential_field_t  *field;

    reply = x->op->replies;

    if (reply->type != NGX_HTTP_TASKS_REPLY_ARRAY
        || reply->u.array.nelts != x->credential->nelts)
    {
        return ngx_http_tasks_exchange_distrust(x);
    }

    error = ngx_http_tasks_credential_take(x, reply->u.array.elts);

    if (error == NGX_HTTP_TASKS_NO_ERROR) {
        error = ngx_http_tasks_credential_expiry(x->credential);
    }

    if (error != NGX_HTTP_TASKS_NO_ERROR) {
        /* what is not accepted tells nothing */
        field = x->credential->elts;

        for (i = 0; i < x->credential->nelts; i++) {
            ngx_str_null(&field[i].value);
        }
    }

    return error;
}


/*
 * Copied, as the operation goes when the request goes on.  One that has none
 * of the fields that are asked for is not there.
 */
static ngx_http_tasks_error_e
ngx_http_tasks_credential_take(ngx_http_tasks_exchange_t *x,
    ngx_http_tasks_reply_t *elt)
{
    size_t                              size;
    ngx_uint_t                          i, found;
    ngx_http_tasks_credential_field_t  *field;

    size = 0;
    found = 0;
    field = x->credential->elts;

    for (i = 0; i < x->credential->nelts; i++) {

        if (elt[i].type == NGX_HTTP_TASKS_REPLY_NIL) {
            continue;
        }

        if (elt[i].type != NGX_HTTP_TASKS_REPLY_STRING) {
            return ngx_http_tasks_exchange_distrust(x);
        }

        found = 1;
        size += elt[i].u.str.len;

        if (size > NGX_HTTP_TASKS_CREDENTIAL_SIZE) {
            ngx_log_error(NGX_LOG_ERR, x->op->redis->log, 0,
                          "tasks store \"%V\": the fields of a credential "
                          "have more than %d bytes together, \"%V\" is the "
                          "last one that was looked at",
                          &x->store->redis.name,
                          NGX_HTTP_TASKS_CREDENTIAL_SIZE, &field[i].name);
            return NGX_HTTP_TASKS_INTERNAL;
        }

        field[i].value.len = elt[i].u.str.len;
        field[i].value.data = ngx_pstrdup(x->request.pool, &elt[i].u.str);

        if (field[i].value.data == NULL) {
            return NGX_HTTP_TASKS_INTERNAL;
        }
    }

    return found ? NGX_HTTP_TASKS_NO_ERROR : NGX_HTTP_TASKS_BAD_CREDENTIAL;
}


/* "expires" is in seconds since the epoch; what is no number has expired. */

static ngx_http_tasks_error_e
ngx_http_tasks_credential_expiry(ngx_array_t *fields)
{
    time_t                              expires;
    ngx_uint_t                          i;
    ngx_http_tasks_credential_field_t  *field;

    static ngx_str_t  name = ngx_string("expires");

    field = fields->elts;

    for (i = 0; i < fields->nelts; i++) {

        if (field[i].value.data == NULL
            || !ngx_http_tasks_equal(&field[i].name, &name))
        {
            continue;
        }

        expires = ngx_atotm(field[i].value.data, field[i].value.len);

        if (expires == (time_t) NGX_ERROR || expires <= ngx_time()) {
            return NGX_HTTP_TASKS_EXPIRED_CREDENTIAL;
        }
    }

    return NGX_HTTP_TASKS_NO_ERROR;
}
