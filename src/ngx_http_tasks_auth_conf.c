
/*
 * Directives and variables of authentication.
 */


#include <ngx_http_tasks_auth.h>


static ngx_http_variable_t  ngx_http_tasks_auth_vars[] = {

    { ngx_string("tasks_bearer"), NULL, ngx_http_tasks_bearer_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("tasks_jwt_"), NULL, ngx_http_tasks_jwt_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

    { ngx_string("tasks_credential_"), NULL,
      ngx_http_tasks_credential_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_tasks_auth_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_tasks_auth_vars; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_tasks_credential_add(ngx_array_t *fields, u_char *data, size_t len)
{
    ngx_str_t                           name;
    ngx_uint_t                          i;
    ngx_http_tasks_credential_field_t  *field;

    name.data = data;
    name.len = len;
    field = fields->elts;

    for (i = 0; i < fields->nelts; i++) {
        if (ngx_http_tasks_equal(&field[i].name, &name)) {
            return NGX_OK;
        }
    }

    field = ngx_array_push(fields);
    if (field == NULL) {
        return NGX_ERROR;
    }

    field->name = name;
    ngx_str_null(&field->value);

    return NGX_OK;
}


ngx_int_t
ngx_http_tasks_credential_names(ngx_conf_t *cf, ngx_array_t *fields)
{
    ngx_uint_t                  i;
    ngx_http_variable_t        *v;
    ngx_http_core_main_conf_t  *cmcf;

    static ngx_str_t  prefix = ngx_string("tasks_credential_");

    if (ngx_array_init(fields, cf->pool, 4,
                       sizeof(ngx_http_tasks_credential_field_t))
        != NGX_OK
        || ngx_http_tasks_credential_add(fields, (u_char *) "owner", 5)
           != NGX_OK
        || ngx_http_tasks_credential_add(fields, (u_char *) "expires", 7)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    v = cmcf->variables.elts;

    for (i = 0; i < cmcf->variables.nelts; i++) {

        if (v[i].name.len > prefix.len
            && ngx_strncmp(v[i].name.data, prefix.data, prefix.len) == 0
            && ngx_http_tasks_credential_add(fields,
                                             v[i].name.data + prefix.len,
                                             v[i].name.len - prefix.len)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


void
ngx_http_tasks_auth_init(ngx_http_tasks_auth_conf_t *conf)
{
    conf->rules.leeway = NGX_CONF_UNSET;
}


/* An array that is there, or made now.  NULL: no memory. */

static ngx_array_t *
ngx_http_tasks_auth_array(ngx_conf_t *cf, ngx_array_t **array, size_t size)
{
    if (*array == NULL) {
        *array = ngx_array_create(cf->pool, 2, size);
    }

    return *array;
}


/* tasks_auth off, or the methods in the order in which they are tried. */

char *
ngx_http_tasks_set_auth(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                   *value;
    ngx_uint_t                   i, *method;
    ngx_http_tasks_auth_conf_t  *auth;

    auth = (ngx_http_tasks_auth_conf_t *) ((char *) conf + cmd->offset);

    if (auth->methods) {
        return "is duplicate";
    }

    auth->methods = ngx_array_create(cf->pool, 2, sizeof(ngx_uint_t));
    if (auth->methods == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        return NGX_CONF_OK;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        method = ngx_array_push(auth->methods);
        if (method == NULL) {
            return NGX_CONF_ERROR;
        }

        if (ngx_strcmp(value[i].data, "jwt") == 0) {
            *method = NGX_HTTP_TASKS_AUTH_JWT;

        } else if (ngx_strcmp(value[i].data, "credential") == 0) {
            *method = NGX_HTTP_TASKS_AUTH_CREDENTIAL;

        } else {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "unknown method \"%V\", it may be jwt, "
                               "credential, or off alone", &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    method = auth->methods->elts;

    return auth->methods->nelts == 2 && method[0] == method[1]
           ? "has a method twice" : NGX_CONF_OK;
}


char *
ngx_http_tasks_set_jwt_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                   *value, file;
    ngx_http_tasks_key_t        *key;
    ngx_http_tasks_auth_conf_t  *auth;

    auth = (ngx_http_tasks_auth_conf_t *) ((char *) conf + cmd->offset);
    value = cf->args->elts;
    file = value[2];

    if (ngx_http_tasks_auth_array(cf, &auth->rules.keys,
                                  sizeof(ngx_http_tasks_key_t))
        == NULL
        || ngx_conf_full_name(cf->cycle, &file, 1) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    key = ngx_array_push(auth->rules.keys);
    if (key == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(key, sizeof(ngx_http_tasks_key_t));

    if (cf->args->nelts == 4) {

        if (ngx_strncmp(value[3].data, "kid=", 4) != 0 || value[3].len == 4) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\", it may be "
                               "\"kid=ID\"", &value[3]);
            return NGX_CONF_ERROR;
        }

        key->kid.data = value[3].data + 4;
        key->kid.len = value[3].len - 4;
    }

    return ngx_http_tasks_token_key(cf, &value[1], &file, key) == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
ngx_http_tasks_set_jwt_claim(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                   *value, *wanted;
    ngx_uint_t                   i;
    ngx_http_tasks_claim_t      *claim;
    ngx_http_tasks_auth_conf_t  *auth;

    auth = (ngx_http_tasks_auth_conf_t *) ((char *) conf + cmd->offset);
    value = cf->args->elts;

    if (ngx_http_tasks_auth_array(cf, &auth->rules.claims,
                                  sizeof(ngx_http_tasks_claim_t))
        == NULL)
    {
        return NGX_CONF_ERROR;
    }

    claim = ngx_array_push(auth->rules.claims);

    if (claim == NULL
        || ngx_array_init(&claim->values, cf->pool, 2, sizeof(ngx_str_t))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    claim->name = value[1];

    for (i = 2; i < cf->args->nelts; i++) {
        wanted = ngx_array_push(&claim->values);
        if (wanted == NULL) {
            return NGX_CONF_ERROR;
        }

        *wanted = value[i];
    }

    return NGX_CONF_OK;
}


/* tasks_jwt_set $variable NAME ...: of claims whose names no variable has. */

char *
ngx_http_tasks_set_jwt_variable(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_str_t            *value, *name;
    ngx_uint_t            i;
    ngx_array_t          *names;
    ngx_http_variable_t  *var;

    (void) cmd;
    (void) conf;

    value = cf->args->elts;

    if (value[1].len < 2 || value[1].data[0] != '$') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid variable name \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    value[1].data++;
    value[1].len--;

    names = ngx_array_create(cf->pool, 2, sizeof(ngx_str_t));
    var = ngx_http_add_variable(cf, &value[1], NGX_HTTP_VAR_NOCACHEABLE);

    if (names == NULL || var == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {
        name = ngx_array_push(names);
        if (name == NULL) {
            return NGX_CONF_ERROR;
        }

        *name = value[i];
    }

    var->get_handler = ngx_http_tasks_jwt_set_variable;
    var->data = (uintptr_t) names;

    return NGX_CONF_OK;
}


static char *
ngx_http_tasks_auth_value(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_complex_value_t *value)
{
    ngx_http_compile_complex_value_t  ccv;

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = text;
    ccv.complex_value = value;

    return ngx_http_compile_complex_value(&ccv) == NGX_OK ? NGX_CONF_OK
                                                          : NGX_CONF_ERROR;
}


char *
ngx_http_tasks_set_require(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                   *value;
    ngx_http_tasks_require_t    *require;
    ngx_http_tasks_auth_conf_t  *auth;

    auth = (ngx_http_tasks_auth_conf_t *) ((char *) conf + cmd->offset);
    value = cf->args->elts;

    if (ngx_http_tasks_auth_array(cf, &auth->requires,
                                  sizeof(ngx_http_tasks_require_t))
        == NULL)
    {
        return NGX_CONF_ERROR;
    }

    require = ngx_array_push(auth->requires);
    if (require == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_str_set(&require->class, "forbidden");

    if (cf->args->nelts == 3) {

        if (ngx_strncmp(value[2].data, "error=", 6) != 0 || value[2].len == 6)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\", it may be "
                               "\"error=CLASS\"", &value[2]);
            return NGX_CONF_ERROR;
        }

        require->class.data = value[2].data + 6;
        require->class.len = value[2].len - 6;
    }

    return ngx_http_tasks_auth_value(cf, &value[1], &require->value);
}


char *
ngx_http_tasks_set_sources(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                  *value;
    ngx_uint_t                  i;
    ngx_array_t               **sources;
    ngx_http_complex_value_t   *source;

    sources = (ngx_array_t **) ((char *) conf + cmd->offset);

    if (*sources) {
        return "is duplicate";
    }

    *sources = ngx_array_create(cf->pool, cf->args->nelts,
                                sizeof(ngx_http_complex_value_t));
    if (*sources == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        source = ngx_array_push(*sources);

        if (source == NULL
            || ngx_http_tasks_auth_value(cf, &value[i], source)
               != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* Classes are known by the definition, so each location has its own copy. */

static char *
ngx_http_tasks_auth_merge_requires(ngx_conf_t *cf,
    ngx_http_tasks_auth_conf_t *conf, ngx_http_tasks_definition_t *definition)
{
    ngx_uint_t                 i, j;
    ngx_array_t               *copy;
    ngx_http_tasks_require_t  *require;

    copy = ngx_array_create(cf->pool, conf->requires->nelts,
                            sizeof(ngx_http_tasks_require_t));
    if (copy == NULL) {
        return NGX_CONF_ERROR;
    }

    require = ngx_array_push_n(copy, conf->requires->nelts);
    ngx_memcpy(require, conf->requires->elts,
               conf->requires->nelts * sizeof(ngx_http_tasks_require_t));

    for (i = 0; i < copy->nelts; i++) {

        for (j = 1; j < definition->nclasses; j++) {
            if (ngx_http_tasks_equal(&require[i].class,
                                     &definition->classes[j]))
            {
                break;
            }
        }

        if (j == definition->nclasses) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"tasks_require\": \"%V\" has no class of "
                               "errors \"%V\"", &definition->file,
                               &require[i].class);
            return NGX_CONF_ERROR;
        }

        require[i].error = j;
    }

    conf->requires = copy;

    return NGX_CONF_OK;
}


char *
ngx_http_tasks_auth_merge(ngx_conf_t *cf, ngx_http_tasks_auth_conf_t *prev,
    ngx_http_tasks_auth_conf_t *conf, ngx_http_tasks_definition_t *definition)
{
    ngx_uint_t   i, *method;
    const char  *missing;

    if (conf->methods == NULL) {
        conf->methods = prev->methods;
    }

    if (conf->tokens == NULL) {
        conf->tokens = prev->tokens;
    }

    if (conf->credentials == NULL) {
        conf->credentials = prev->credentials;
    }

    if (conf->requires == NULL) {
        conf->requires = prev->requires;
    }

    if (conf->rules.keys == NULL) {
        conf->rules.keys = prev->rules.keys;
    }

    if (conf->rules.claims == NULL) {
        conf->rules.claims = prev->rules.claims;
    }

    ngx_conf_merge_str_value(conf->rules.issuer, prev->rules.issuer, "");
    ngx_conf_merge_str_value(conf->rules.audience, prev->rules.audience, "");
    ngx_conf_merge_sec_value(conf->rules.leeway, prev->rules.leeway, 0);

    if (definition == NULL) {
        return NGX_CONF_OK;
    }

    method = conf->methods ? conf->methods->elts : NULL;

    for (i = 0; method && i < conf->methods->nelts; i++) {

        missing = NULL;

        if (method[i] == NGX_HTTP_TASKS_AUTH_JWT && conf->rules.keys == NULL) {
            missing = "tasks_jwt_key";
        }

        if (method[i] == NGX_HTTP_TASKS_AUTH_CREDENTIAL
            && conf->credentials == NULL)
        {
            missing = "tasks_credential";
        }

        if (missing) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"tasks_auth\" wants \"%s\"", missing);
            return NGX_CONF_ERROR;
        }
    }

    /* "tasks_auth off" */

    if (conf->methods && conf->methods->nelts == 0) {
        conf->methods = NULL;
    }

    return conf->requires
           ? ngx_http_tasks_auth_merge_requires(cf, conf, definition)
           : NGX_CONF_OK;
}
