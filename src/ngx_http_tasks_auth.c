
/*
 * Who a request comes from.  Its token is verified when it is first asked for,
 * be it by a variable in front of the content handler; a credential must be
 * looked up, and is known from the content handler on.
 */


#include <ngx_http_tasks_auth.h>


static ngx_http_tasks_identity_t *ngx_http_tasks_identity_find(
    ngx_http_request_t *r, ngx_http_tasks_auth_conf_t *conf);
static void ngx_http_tasks_identity_cleanup(void *data);
static ngx_int_t ngx_http_tasks_auth_token(
    ngx_http_tasks_identity_t *identity);
static ngx_int_t ngx_http_tasks_auth_source(ngx_http_request_t *r,
    ngx_array_t *sources, ngx_str_t *value);
static ngx_uint_t ngx_http_tasks_auth_bearer(ngx_http_request_t *r,
    ngx_str_t *token);


ngx_http_tasks_identity_t *
ngx_http_tasks_auth_identity(ngx_http_request_t *r,
    ngx_http_tasks_auth_conf_t *conf)
{
    ngx_pool_cleanup_t         *cln;
    ngx_http_tasks_identity_t  *identity;

    identity = ngx_http_tasks_identity_find(r, conf);

    if (identity) {
        return identity;
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_tasks_identity_t));
    if (cln == NULL) {
        return NULL;
    }

    identity = cln->data;
    ngx_memzero(identity, sizeof(ngx_http_tasks_identity_t));

    identity->request = r;
    identity->conf = conf;
    cln->handler = ngx_http_tasks_identity_cleanup;

    if (conf->rules.keys && ngx_http_tasks_auth_token(identity) != NGX_OK) {
        return NULL;
    }

    return identity;
}


/* Subrequests have the pool of their request, locations their own rules. */

static ngx_http_tasks_identity_t *
ngx_http_tasks_identity_find(ngx_http_request_t *r,
    ngx_http_tasks_auth_conf_t *conf)
{
    ngx_pool_cleanup_t         *cln;
    ngx_http_tasks_identity_t  *identity;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler == ngx_http_tasks_identity_cleanup) {
            identity = cln->data;

            if (identity->request == r && identity->conf == conf) {
                return identity;
            }
        }
    }

    return NULL;
}


static void
ngx_http_tasks_identity_cleanup(void *data)
{
    ngx_http_tasks_identity_t  *identity = data;

    if (identity->claims) {
        ngx_http_tasks_token_free(identity->claims);
        identity->claims = NULL;
    }
}


static ngx_int_t
ngx_http_tasks_auth_token(ngx_http_tasks_identity_t *identity)
{
    ngx_str_t                    token;
    ngx_http_request_t          *r;
    ngx_http_tasks_auth_conf_t  *conf;

    r = identity->request;
    conf = identity->conf;

    if (conf->tokens == NULL) {
        (void) ngx_http_tasks_auth_bearer(r, &token);

    } else if (ngx_http_tasks_auth_source(r, conf->tokens, &token) != NGX_OK) {
        return NGX_ERROR;
    }

    if (token.len == 0) {
        identity->error = NGX_HTTP_TASKS_NO_TOKEN;
        return NGX_OK;
    }

    identity->present = 1;
    identity->error = ngx_http_tasks_token_verify(&conf->rules, r->pool,
                                                  &token, &identity->claims,
                                                  &identity->claim);
    return NGX_OK;
}


/* The first of the sources that is not empty; "value" is empty if none is. */

static ngx_int_t
ngx_http_tasks_auth_source(ngx_http_request_t *r, ngx_array_t *sources,
    ngx_str_t *value)
{
    ngx_uint_t                 i;
    ngx_http_complex_value_t  *source;

    ngx_str_set(value, "");
    source = sources->elts;

    for (i = 0; i < sources->nelts && value->len == 0; i++) {
        if (ngx_http_complex_value(r, &source[i], value) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* What "Authorization: Bearer" has, the scheme in any case (RFC 9110). */

static ngx_uint_t
ngx_http_tasks_auth_bearer(ngx_http_request_t *r, ngx_str_t *token)
{
    u_char     *p, *last;
    ngx_str_t  *header;

    ngx_str_set(token, "");

    if (r->headers_in.authorization == NULL) {
        return 0;
    }

    header = &r->headers_in.authorization->value;

    if (header->len <= 7
        || ngx_strncasecmp(header->data, (u_char *) "Bearer ", 7) != 0)
    {
        return 0;
    }

    p = header->data + 7;
    last = header->data + header->len;

    while (p < last && *p == ' ') {
        p++;
    }

    token->data = p;
    token->len = last - p;

    return token->len != 0;
}


ngx_int_t
ngx_http_tasks_auth_check(ngx_http_request_t *r,
    ngx_http_tasks_identity_t *identity, ngx_str_t *credential,
    ngx_http_tasks_error_e *error)
{
    ngx_uint_t                   i, *method;
    ngx_http_tasks_auth_conf_t  *conf;

    conf = identity->conf;

    if (conf->methods == NULL) {
        return NGX_OK;
    }

    method = conf->methods->elts;

    /* the first one that the request uses decides */

    for (i = 0; i < conf->methods->nelts; i++) {

        if (method[i] == NGX_HTTP_TASKS_AUTH_JWT) {

            if (identity->present) {
                *error = identity->error;
                return *error == NGX_HTTP_TASKS_NO_ERROR ? NGX_OK
                                                         : NGX_DECLINED;
            }

            continue;
        }

        if (ngx_http_tasks_auth_source(r, conf->credentials, credential)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (credential->len) {
            return NGX_AGAIN;
        }
    }

    *error = NGX_HTTP_TASKS_NO_TOKEN;

    return NGX_DECLINED;
}


ngx_http_tasks_error_e
ngx_http_tasks_auth_require(ngx_http_request_t *r,
    ngx_http_tasks_auth_conf_t *conf)
{
    ngx_str_t                  value;
    ngx_uint_t                 i;
    ngx_http_tasks_require_t  *require;

    static ngx_str_t           zero = ngx_string("0"),
                               no = ngx_string("false");

    require = conf->requires ? conf->requires->elts : NULL;

    for (i = 0; require && i < conf->requires->nelts; i++) {

        if (ngx_http_complex_value(r, &require[i].value, &value) != NGX_OK) {
            return NGX_HTTP_TASKS_INTERNAL;
        }

        if (value.len == 0 || ngx_http_tasks_equal(&value, &zero)
            || ngx_http_tasks_equal(&value, &no))
        {
            return require[i].error;
        }
    }

    return NGX_HTTP_TASKS_NO_ERROR;
}


/*
 * Variables.  What holds control characters or ill-formed UTF-8 is no value:
 * variables go to headers, and line ends would end them.
 */

static void
ngx_http_tasks_auth_set(ngx_http_variable_value_t *v, ngx_str_t *text)
{
    if (text && !ngx_http_tasks_is_text(text)) {
        text = NULL;
    }

    v->valid = (text != NULL);
    v->not_found = (text == NULL);
    v->no_cacheable = 1;

    if (text) {
        v->data = text->data;
        v->len = text->len;
    }
}


static ngx_int_t
ngx_http_tasks_auth_claim(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, ngx_str_t *names, ngx_uint_t depth)
{
    ngx_int_t                   rc;
    ngx_str_t                   text;
    ngx_http_tasks_identity_t  *identity;

    identity = ngx_http_tasks_auth_identity(r, ngx_http_tasks_get_auth(r));

    if (identity == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_http_tasks_token_claim(identity->claims, names, depth, r->pool,
                                    &text);
    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    ngx_http_tasks_auth_set(v, rc == NGX_OK ? &text : NULL);

    return NGX_OK;
}


/* $tasks_jwt_NAME: nginx gives the whole name as "data". */

ngx_int_t
ngx_http_tasks_jwt_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t  name;

    name = *(ngx_str_t *) data;
    name.data += sizeof("tasks_jwt_") - 1;
    name.len -= sizeof("tasks_jwt_") - 1;

    return ngx_http_tasks_auth_claim(r, v, &name, 1);
}


/* Of tasks_jwt_set: names of objects in objects. */

ngx_int_t
ngx_http_tasks_jwt_set_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_array_t  *names;

    names = (ngx_array_t *) data;

    return ngx_http_tasks_auth_claim(r, v, names->elts, names->nelts);
}


ngx_int_t
ngx_http_tasks_credential_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                           name, *text;
    ngx_uint_t                          i;
    ngx_http_tasks_identity_t          *identity;
    ngx_http_tasks_credential_field_t  *field;

    name = *(ngx_str_t *) data;
    name.data += sizeof("tasks_credential_") - 1;
    name.len -= sizeof("tasks_credential_") - 1;

    text = NULL;
    identity = ngx_http_tasks_identity_find(r, ngx_http_tasks_get_auth(r));
    field = identity ? identity->credential.elts : NULL;

    for (i = 0; field && i < identity->credential.nelts; i++) {
        if (field[i].value.data && ngx_http_tasks_equal(&field[i].name, &name))
        {
            text = &field[i].value;
        }
    }

    ngx_http_tasks_auth_set(v, text);

    return NGX_OK;
}


ngx_int_t
ngx_http_tasks_bearer_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t  token;

    (void) data;

    ngx_http_tasks_auth_set(v, ngx_http_tasks_auth_bearer(r, &token) ? &token
                                                                     : NULL);

    return NGX_OK;
}
