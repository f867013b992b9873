
/*
 * Variables: those that the module gives to logs and other directives, and
 * those of nginx that definitions name.
 */


#include <ngx_http_tasks_handler.h>


static ngx_int_t ngx_http_tasks_error_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_tasks_action_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


static ngx_http_variable_t  ngx_http_tasks_vars[] = {

    { ngx_string("tasks_action"), NULL, ngx_http_tasks_action_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("tasks_error"), NULL, ngx_http_tasks_error_variable, 0,
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

    return NGX_OK;
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


/* The class of errors that the request was answered with. */

static ngx_int_t
ngx_http_tasks_error_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_tasks_ctx_t  *ctx;

    (void) data;

    ctx = ngx_http_tasks_get_ctx(r);

    ngx_http_tasks_variable_set(v,
                       ctx && ctx->error != NGX_HTTP_TASKS_ERRORS
                       ? &ngx_http_tasks_error_names[ctx->error] : NULL);

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
