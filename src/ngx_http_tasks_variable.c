
/*
 * Variables: those that the module gives to logs and other directives, and
 * those of nginx that definitions name.
 */


#include <ngx_http_tasks_handler.h>
#include <openssl/rand.h>


static ngx_int_t ngx_http_tasks_api_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_tasks_route_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_tasks_id_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_tasks_outcome_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_tasks_time_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_tasks_error_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_tasks_cache_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_tasks_correlation_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_tasks_action_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


/* in the order of ngx_http_tasks_cache_e */
ngx_str_t  ngx_http_tasks_cache_names[NGX_HTTP_TASKS_CACHES] = {
    ngx_null_string,
    ngx_string("BYPASS"),
    ngx_string("MISS"),
    ngx_string("HIT"),
    ngx_string("SHARED"),
    ngx_string("NOT_MODIFIED")
};


static ngx_http_variable_t  ngx_http_tasks_vars[] = {

    { ngx_string("tasks_action"), NULL, ngx_http_tasks_action_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("tasks_api"), NULL, ngx_http_tasks_api_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("tasks_cache"), NULL, ngx_http_tasks_cache_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("tasks_correlation_id"), NULL,
      ngx_http_tasks_correlation_variable, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("tasks_error"), NULL, ngx_http_tasks_error_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("tasks_id"), NULL, ngx_http_tasks_id_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("tasks_outcome"), NULL, ngx_http_tasks_outcome_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("tasks_route"), NULL, ngx_http_tasks_route_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("tasks_store_time"), NULL, ngx_http_tasks_time_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_tasks_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_tasks_vars; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return ngx_http_tasks_auth_add_variables(cf);
}


static void
ngx_http_tasks_variable_set(ngx_http_variable_value_t *v, ngx_str_t *text)
{
    v->valid = (text != NULL);
    v->not_found = (text == NULL);
    v->no_cacheable = 0;

    if (text) {
        v->data = text->data;
        v->len = text->len;
    }
}


/* The name of the definition. */

static ngx_int_t
ngx_http_tasks_api_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_tasks_ctx_t  *ctx;

    (void) data;

    ctx = ngx_http_tasks_get_ctx(r);

    ngx_http_tasks_variable_set(v,
               ctx ? &ngx_http_tasks_main_collection(ctx->conf->definition)
                      ->name : NULL);

    return NGX_OK;
}


/* "GET /{id}" */

static ngx_int_t
ngx_http_tasks_route_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_tasks_ctx_t    *ctx;
    ngx_http_tasks_route_t  *route;

    (void) data;

    ctx = ngx_http_tasks_get_ctx(r);
    route = ctx ? ctx->exchange.request.route : NULL;

    ngx_http_tasks_variable_set(v, route ? &route->name : NULL);

    return NGX_OK;
}


/* The task that was asked for, once its id was found to be one. */

static ngx_int_t
ngx_http_tasks_id_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_tasks_ctx_t  *ctx;

    (void) data;

    ctx = ngx_http_tasks_get_ctx(r);

    ngx_http_tasks_variable_set(v, ctx && ctx->exchange.request.id.data
                                   ? &ctx->exchange.request.id : NULL);

    return NGX_OK;
}


static ngx_int_t
ngx_http_tasks_outcome_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t             *name;
    ngx_http_tasks_ctx_t  *ctx;

    (void) data;

    ctx = ngx_http_tasks_get_ctx(r);
    name = NULL;

    if (ctx && (ctx->answered || ctx->counted)) {
        name = ngx_http_tasks_outcome_name(ctx->conf->definition,
                                           ngx_http_tasks_outcome(ctx));
    }

    ngx_http_tasks_variable_set(v, name);

    return NGX_OK;
}


/* As $upstream_response_time: seconds with milliseconds. */

static ngx_int_t
ngx_http_tasks_time_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                *p;
    ngx_str_t              text;
    ngx_http_tasks_ctx_t  *ctx;

    (void) data;

    ctx = ngx_http_tasks_get_ctx(r);

    if (ctx == NULL || !ctx->has_waited) {
        ngx_http_tasks_variable_set(v, NULL);
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, NGX_TIME_T_LEN + 4);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text.data = p;
    text.len = ngx_sprintf(p, "%T.%03M", (time_t) ctx->waited / 1000,
                           ctx->waited % 1000) - p;

    ngx_http_tasks_variable_set(v, &text);

    return NGX_OK;
}


/* The class of errors that the request was answered with. */

static ngx_int_t
ngx_http_tasks_error_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_tasks_ctx_t  *ctx;

    (void) data;

    ctx = ngx_http_tasks_get_ctx(r);

    ngx_http_tasks_variable_set(v,
                       ctx && ctx->error != NGX_HTTP_TASKS_NO_ERROR
                       ? &ctx->conf->definition->classes[ctx->error] : NULL);

    return NGX_OK;
}


/* How a list or a task was come by. */

static ngx_int_t
ngx_http_tasks_cache_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_tasks_ctx_t  *ctx;

    (void) data;

    ctx = ngx_http_tasks_get_ctx(r);

    ngx_http_tasks_variable_set(v,
                   ctx && ctx->exchange.how != NGX_HTTP_TASKS_CACHE_NONE
                   ? &ngx_http_tasks_cache_names[ctx->exchange.how] : NULL);

    return NGX_OK;
}


/* The id that "$correlation_id" stands for in responses. */

static ngx_int_t
ngx_http_tasks_correlation_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t              id;
    ngx_http_tasks_ctx_t  *ctx;

    (void) data;

    ctx = ngx_http_tasks_get_ctx(r);

    if (ctx && ngx_http_tasks_correlation_id(ctx, &id) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_tasks_variable_set(v, ctx ? &id : NULL);

    return NGX_OK;
}


/*
 * What the client sent, if it is a UUID, or else a random one (RFC 9562,
 * version 4); the same for all of the request.
 */
ngx_int_t
ngx_http_tasks_correlation_id(ngx_http_tasks_ctx_t *ctx, ngx_str_t *id)
{
    u_char           *p, random[16];
    ngx_uint_t        i;
    ngx_str_t        *name;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    if (ctx->correlation.data) {
        *id = ctx->correlation;
        return NGX_OK;
    }

    p = ngx_pnalloc(ctx->request->pool, 36);
    if (p == NULL) {
        return NGX_ERROR;
    }

    id->data = p;
    id->len = 36;

    name = &ctx->conf->definition->correlation;
    part = name->len ? &ctx->request->headers_in.headers.part : NULL;

    for ( /* void */ ; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (header[i].key.len == name->len
                && ngx_strncasecmp(header[i].key.data, name->data, name->len)
                   == 0
                && ngx_http_tasks_is_uuid(&header[i].value, p))
            {
                ctx->correlation = *id;
                return NGX_OK;
            }
        }
    }

    if (RAND_bytes(random, sizeof(random)) != 1) {
        return NGX_ERROR;
    }

    random[6] = (u_char) (0x40 | (random[6] & 0x0f));
    random[8] = (u_char) (0x80 | (random[8] & 0x3f));

    for (i = 0; i < sizeof(random); i++) {

        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *p++ = '-';
        }

        p = ngx_hex_dump(p, &random[i], 1);
    }

    ctx->correlation = *id;

    return NGX_OK;
}


/* "list", "get" or "cancel". */

static ngx_int_t
ngx_http_tasks_action_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_tasks_ctx_t    *ctx;
    ngx_http_tasks_route_t  *route;

    (void) data;

    ctx = ngx_http_tasks_get_ctx(r);
    route = ctx ? ctx->exchange.request.route : NULL;

    ngx_http_tasks_variable_set(v, route
                       ? &ngx_http_tasks_action_names[route->action] : NULL);

    return NGX_OK;
}


ngx_http_tasks_auth_conf_t *
ngx_http_tasks_get_auth(ngx_http_request_t *r)
{
    ngx_http_tasks_ctx_t       *ctx;
    ngx_http_tasks_loc_conf_t  *tlcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_tasks_module);
    tlcf = ngx_http_get_module_loc_conf(r, ngx_http_tasks_module);

    if (ctx == NULL) {
        ctx = ngx_http_tasks_get_ctx(r);

        /* a location with rules of its own does not go by those of another */

        if (ctx && (tlcf->auth.rules.keys || tlcf->auth.credentials)
            && (tlcf->auth.rules.keys != ctx->conf->auth.rules.keys
                || tlcf->auth.credentials != ctx->conf->auth.credentials))
        {
            ctx = NULL;
        }
    }

    if (ctx) {
        return &ctx->conf->auth;
    }

    return &tlcf->auth;
}


ngx_int_t
ngx_http_tasks_use_variable(ngx_conf_t *cf, ngx_str_t *name, ngx_str_t *where)
{
    ngx_int_t                        index;
    ngx_http_tasks_main_conf_t      *tmcf;
    ngx_http_tasks_used_variable_t  *used;

    tmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_tasks_module);

    used = ngx_array_push(&tmcf->variables);
    if (used == NULL) {
        return NGX_ERROR;
    }

    used->name = *name;
    used->where = *where;

    index = ngx_http_get_variable_index(cf, name);

    return index == NGX_ERROR ? NGX_ERROR : NGX_HTTP_TASKS_VALUES + index;
}


/*
 * nginx complains of an unknown variable by its name alone; whoever mistyped
 * it in a definition wants to know where.
 */
ngx_int_t
ngx_http_tasks_check_variables(ngx_conf_t *cf)
{
    ngx_str_t                       *name;
    ngx_uint_t                       i, j;
    ngx_hash_key_t                  *key;
    ngx_http_variable_t             *prefix;
    ngx_http_core_main_conf_t       *cmcf;
    ngx_http_tasks_main_conf_t      *tmcf;
    ngx_http_tasks_used_variable_t  *used;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    tmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_tasks_module);

    key = cmcf->variables_keys->keys.elts;
    prefix = cmcf->prefix_variables.elts;
    used = tmcf->variables.elts;

    for (i = 0; i < tmcf->variables.nelts; i++) {
        name = &used[i].name;

        for (j = 0; j < cmcf->variables_keys->keys.nelts; j++) {
            if (name->len == key[j].key.len
                && ngx_strncasecmp(name->data, key[j].key.data, name->len)
                   == 0)
            {
                break;
            }
        }

        if (j < cmcf->variables_keys->keys.nelts) {
            continue;
        }

        for (j = 0; j < cmcf->prefix_variables.nelts; j++) {
            if (name->len >= prefix[j].name.len
                && ngx_strncasecmp(name->data, prefix[j].name.data,
                                   prefix[j].name.len)
                   == 0)
            {
                break;
            }
        }

        if (j == cmcf->prefix_variables.nelts) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "%V: \"$%V\" is neither a value of the module nor "
                          "a variable of nginx", &used[i].where, name);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
