
/*
 * Directives of stores, APIs and locations.  Those of who may ask are in
 * ngx_http_tasks_auth_conf.c; a store's own lines in ngx_http_tasks_store_conf.c.
 */


#include <ngx_http_tasks_directive.h>


static ngx_http_tasks_store_t *ngx_http_tasks_get_store(ngx_conf_t *cf,
    ngx_str_t *name);


/* The store of that name, which may be configured further down. */

static ngx_http_tasks_store_t *
ngx_http_tasks_get_store(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_uint_t                   i;
    ngx_http_tasks_store_t     **store;
    ngx_http_tasks_main_conf_t  *tmcf;

    tmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_tasks_module);
    store = tmcf->stores.elts;

    for (i = 0; i < tmcf->stores.nelts; i++) {
        if (store[i]->redis.name.len == name->len
            && ngx_strncmp(store[i]->redis.name.data, name->data, name->len)
               == 0)
        {
            return store[i];
        }
    }

    store = ngx_array_push(&tmcf->stores);
    if (store == NULL) {
        return NULL;
    }

    *store = ngx_http_tasks_store_create(cf, name);

    return *store;
}


char *
ngx_http_tasks_store(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t               *value;
    ngx_http_tasks_store_t  *store;

    (void) cmd;
    (void) conf;

    value = cf->args->elts;

    store = ngx_http_tasks_get_store(cf, &value[1]);
    if (store == NULL) {
        return NGX_CONF_ERROR;
    }

    if (store->redis.naddrs) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "tasks_store \"%V\" is duplicate", &value[1]);
        return NGX_CONF_ERROR;
    }

    return ngx_http_tasks_store_block(cf, store);
}


char *
ngx_http_tasks_api(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_tasks_loc_conf_t  *tlcf = conf;

    ngx_str_t                     *value, file;
    ngx_uint_t                     i;
    ngx_http_core_loc_conf_t      *clcf;
    ngx_http_tasks_main_conf_t    *tmcf;
    ngx_http_tasks_definition_t  **definition;

    (void) cmd;

    if (tlcf->definition) {
        return "is duplicate";
    }

    value = cf->args->elts;
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if ((cf->cmd_type & NGX_HTTP_LOC_CONF) && !ngx_http_tasks_is_nameless(clcf))
    {
        tlcf->prefix = clcf->name;
    }

    if (cf->args->nelts == 3) {

        if (ngx_strncmp(value[2].data, "prefix=", 7) != 0
            || (value[2].len > 7 && value[2].data[7] != '/'))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\", it may be "
                               "\"prefix=/PATH\"", &value[2]);
            return NGX_CONF_ERROR;
        }

        tlcf->prefix.data = value[2].data + 7;
        tlcf->prefix.len = value[2].len - 7;
    }

    file = value[1];

    if (ngx_conf_full_name(cf->cycle, &file, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    tmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_tasks_module);
    definition = tmcf->definitions.elts;

    for (i = 0; i < tmcf->definitions.nelts; i++) {
        if (definition[i]->file.len == file.len
            && ngx_strncmp(definition[i]->file.data, file.data, file.len) == 0)
        {
            tlcf->definition = definition[i];
            return NGX_CONF_OK;
        }
    }

    tlcf->definition = ngx_http_tasks_definition_compile(cf, &file,
                                             ngx_http_tasks_use_variable);
    if (tlcf->definition == NULL) {
        return NGX_CONF_ERROR;
    }

    definition = ngx_array_push(&tmcf->definitions);
    if (definition == NULL) {
        return NGX_CONF_ERROR;
    }

    *definition = tlcf->definition;

    return NGX_CONF_OK;
}


ngx_uint_t
ngx_http_tasks_is_nameless(const ngx_http_core_loc_conf_t *clcf)
{
#if (NGX_PCRE)
    if (clcf->regex) {
        return 1;
    }
#endif

    return clcf->named;
}


char *
ngx_http_tasks_pass(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_tasks_loc_conf_t  *tlcf = conf;

    ngx_str_t  *value;

    (void) cmd;

    value = cf->args->elts;

    tlcf->store = ngx_http_tasks_get_store(cf, &value[1]);
    if (tlcf->store == NULL) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_tasks_set_handler(cf, tlcf, ngx_http_tasks_handler);
}


char *
ngx_http_tasks_set_handler(ngx_conf_t *cf, ngx_http_tasks_loc_conf_t *tlcf,
    ngx_http_handler_pt handler)
{
    ngx_http_core_loc_conf_t  *clcf;

    if (tlcf->handler) {
        return (tlcf->handler == handler)
               ? "is duplicate"
               : "is beside another directive that answers requests";
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    tlcf->handler = handler;
    clcf->handler = handler;

    return NGX_CONF_OK;
}


char *
ngx_http_tasks_set_fallback(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_tasks_loc_conf_t  *tlcf = conf;

    ngx_str_t  *value;

    (void) cmd;

    if (tlcf->fallback.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len < 2 || value[1].data[0] != '@') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is not a named location, as \"@app\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    tlcf->fallback = value[1];
    tlcf->fallback_unavailable = 0;

    if (cf->args->nelts == 3) {

        if (ngx_strcmp(value[2].data, "unavailable") != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\", it may be "
                               "\"unavailable\"", &value[2]);
            return NGX_CONF_ERROR;
        }

        tlcf->fallback_unavailable = 1;
    }

    return NGX_CONF_OK;
}


/* "off" or "on" anywhere, a size of a worker's cache at the top. */

char *
ngx_http_tasks_set_cache(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_tasks_loc_conf_t  *tlcf = conf;

    ngx_str_t                   *value;
    ngx_http_tasks_main_conf_t  *tmcf;

    (void) cmd;

    if (tlcf->cache != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        tlcf->cache = 0;
        return NGX_CONF_OK;
    }

    tlcf->cache = 1;

    if (ngx_strcmp(value[1].data, "on") == 0) {
        return NGX_CONF_OK;
    }

    tmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_tasks_module);
    tmcf->cache = ngx_parse_size(&value[1]);

    if (tmcf->cache == (size_t) NGX_ERROR || tmcf->cache < 64 * 1024
        || cf->cmd_type != NGX_HTTP_MAIN_CONF)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" may be on, off, or in \"http\" a size of "
                           "64k or more", &value[1]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_tasks_library(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_tasks_loc_conf_t  *tlcf = conf;

    ngx_str_t  *value;

    (void) cmd;

    value = cf->args->elts;

    if (cf->args->nelts == 2) {
        tlcf->library_key = value[1];
    }

    return ngx_http_tasks_set_handler(cf, tlcf,
                                      ngx_http_tasks_library_handler);
}
