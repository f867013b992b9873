
/*
 * The life of the module: its directives' table, configurations and their
 * merging, what is checked when all was read, and the start of a worker.
 */


#include <ngx_http_tasks_directive.h>


/* bytes of the pages that a worker keeps of a store, by default */
#define NGX_HTTP_TASKS_CACHE_SIZE  (8 * 1024 * 1024)


static void *ngx_http_tasks_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_tasks_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_tasks_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static ngx_int_t ngx_http_tasks_check(ngx_conf_t *cf);
static ngx_uint_t ngx_http_tasks_merge_handler(ngx_http_core_loc_conf_t *clcf,
    ngx_http_tasks_loc_conf_t *prev, ngx_http_tasks_loc_conf_t *conf);
static char *ngx_http_tasks_set_library(ngx_conf_t *cf,
    ngx_http_tasks_loc_conf_t *tlcf);
static char *ngx_http_tasks_set_prefix(ngx_conf_t *cf,
    ngx_http_tasks_loc_conf_t *tlcf);
static ngx_int_t ngx_http_tasks_init_process(ngx_cycle_t *cycle);
static void ngx_http_tasks_exit_process(ngx_cycle_t *cycle);


static ngx_command_t  ngx_http_tasks_commands[] = {

    { ngx_string("tasks_store"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_tasks_store,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tasks_api"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_tasks_api,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tasks_pass"),
      NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF|NGX_HTTP_LMT_CONF|NGX_CONF_TAKE1,
      ngx_http_tasks_pass,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tasks_scope"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_tasks_loc_conf_t, scope),
      NULL },

    { ngx_string("tasks_fallback"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_tasks_set_fallback,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tasks_intercept_errors"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_tasks_loc_conf_t, intercept_errors),
      NULL },

    { ngx_string("tasks_cache"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_tasks_set_cache,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tasks_auth"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_tasks_set_auth,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_tasks_loc_conf_t, auth),
      NULL },

    { ngx_string("tasks_jwt_key"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE23,
      ngx_http_tasks_set_jwt_key,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_tasks_loc_conf_t, auth),
      NULL },

    { ngx_string("tasks_jwt_token"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_tasks_set_sources,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_tasks_loc_conf_t, auth.tokens),
      NULL },

    { ngx_string("tasks_jwt_issuer"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_tasks_loc_conf_t, auth.rules.issuer),
      NULL },

    { ngx_string("tasks_jwt_audience"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_tasks_loc_conf_t, auth.rules.audience),
      NULL },

    { ngx_string("tasks_jwt_leeway"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_sec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_tasks_loc_conf_t, auth.rules.leeway),
      NULL },

    { ngx_string("tasks_jwt_claim"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_tasks_set_jwt_claim,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_tasks_loc_conf_t, auth),
      NULL },

    { ngx_string("tasks_jwt_set"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_tasks_set_jwt_variable,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tasks_credential"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_tasks_set_sources,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_tasks_loc_conf_t, auth.credentials),
      NULL },

    { ngx_string("tasks_require"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_tasks_set_require,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_tasks_loc_conf_t, auth),
      NULL },

    { ngx_string("tasks_library"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_http_tasks_library,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tasks_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_http_tasks_set_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tasks_openapi"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_http_tasks_set_openapi,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_tasks_module_ctx = {
    ngx_http_tasks_add_variables,          /* preconfiguration */
    ngx_http_tasks_check,                  /* postconfiguration */

    ngx_http_tasks_create_main_conf,       /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_tasks_create_loc_conf,        /* create location configuration */
    ngx_http_tasks_merge_loc_conf          /* merge location configuration */
};


ngx_module_t  ngx_http_tasks_module = {
    NGX_MODULE_V1,
    &ngx_http_tasks_module_ctx,            /* module context */
    ngx_http_tasks_commands,               /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_tasks_init_process,           /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_tasks_exit_process,           /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_http_tasks_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_tasks_main_conf_t  *tmcf;

    tmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_tasks_main_conf_t));
    if (tmcf == NULL) {
        return NULL;
    }

    tmcf->cache = NGX_CONF_UNSET_SIZE;

    if (ngx_array_init(&tmcf->stores, cf->pool, 2, sizeof(void *)) != NGX_OK
        || ngx_array_init(&tmcf->definitions, cf->pool, 4, sizeof(void *))
           != NGX_OK
        || ngx_array_init(&tmcf->variables, cf->pool, 4,
                          sizeof(ngx_http_tasks_used_variable_t))
           != NGX_OK)
    {
        return NULL;
    }

    return tmcf;
}


static void *
ngx_http_tasks_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_tasks_loc_conf_t  *tlcf;

    tlcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_tasks_loc_conf_t));
    if (tlcf == NULL) {
        return NULL;
    }

    tlcf->scope = NGX_CONF_UNSET_PTR;
    tlcf->fallback_unavailable = NGX_CONF_UNSET;
    tlcf->intercept_errors = NGX_CONF_UNSET;
    tlcf->cache = NGX_CONF_UNSET;

    ngx_http_tasks_auth_init(&tlcf->auth);

    return tlcf;
}


static char *
ngx_http_tasks_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_tasks_loc_conf_t *prev = parent;
    ngx_http_tasks_loc_conf_t *conf = child;

    char                      *rv;
    ngx_uint_t                 goes_on;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (conf->definition == NULL) {
        conf->definition = prev->definition;
        conf->prefix = prev->prefix;
        conf->slash = prev->slash;
    }

    ngx_conf_merge_ptr_value(conf->scope, prev->scope, NULL);
    ngx_conf_merge_str_value(conf->fallback, prev->fallback, "");
    ngx_conf_merge_value(conf->fallback_unavailable,
                         prev->fallback_unavailable, 0);
    ngx_conf_merge_value(conf->intercept_errors, prev->intercept_errors, 0);
    ngx_conf_merge_value(conf->cache, prev->cache, 1);

    goes_on = ngx_http_tasks_merge_handler(clcf, prev, conf);

    rv = ngx_http_tasks_auth_merge(cf, &prev->auth, &conf->auth,
                                   conf->handler == ngx_http_tasks_handler
                                   ? conf->definition : NULL);

    if (rv != NGX_CONF_OK || conf->handler == NULL
        || conf->handler == ngx_http_tasks_status_handler)
    {
        return rv;
    }

    if (conf->definition == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no \"tasks_api\" for location \"%V\"",
                           &clcf->name);
        return NGX_CONF_ERROR;
    }

    if (conf->handler == ngx_http_tasks_handler) {
        return ngx_http_tasks_set_prefix(cf, conf);
    }

    if (goes_on) {
        return NGX_CONF_OK;
    }

    if (conf->handler == ngx_http_tasks_library_handler) {
        return ngx_http_tasks_set_library(cf, conf);
    }

    return ngx_http_tasks_openapi_merge(cf, conf) == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* Whether it is that of the location around an "if" or "limit_except". */

static ngx_uint_t
ngx_http_tasks_merge_handler(ngx_http_core_loc_conf_t *clcf,
    ngx_http_tasks_loc_conf_t *prev, ngx_http_tasks_loc_conf_t *conf)
{
    conf->nameless = clcf->noname ? prev->nameless
                                  : ngx_http_tasks_is_nameless(clcf);

    /* another module's directive may have come behind */

    if (conf->handler != clcf->handler) {
        conf->handler = NULL;
    }

    if (!clcf->noname || clcf->handler || prev->handler == NULL) {
        return 0;
    }

    clcf->handler = prev->handler;

    conf->handler = prev->handler;
    conf->store = prev->store;
    conf->library = prev->library;
    conf->openapi = prev->openapi;
    conf->prometheus = prev->prometheus;

    return 1;
}


/* "tasks_library", or "tasks_library KEY" of one of its "collections". */

static char *
ngx_http_tasks_set_library(ngx_conf_t *cf, ngx_http_tasks_loc_conf_t *tlcf)
{
    ngx_uint_t                     i;
    ngx_http_tasks_collection_t  **collection;

    collection = tlcf->definition->collections.elts;

    for (i = 0; i < tlcf->definition->collections.nelts; i++) {
        if (ngx_http_tasks_equal(&collection[i]->key, &tlcf->library_key)) {
            tlcf->library = collection[i];
            return NGX_CONF_OK;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"tasks_library\": \"%V\" has no collection \"%V\"",
                       &tlcf->definition->file, &tlcf->library_key);

    return NGX_CONF_ERROR;
}


/*
 * Paths of a definition are what follows the name of the location that names
 * the definition, or else of the outermost one that passes to it.
 */

static char *
ngx_http_tasks_set_prefix(ngx_conf_t *cf, ngx_http_tasks_loc_conf_t *tlcf)
{
    ngx_int_t                  rc;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (tlcf->prefix.data == NULL) {

        if (tlcf->nameless) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                     "\"tasks_api\" wants \"prefix=\" in location \"%V\": "
                     "it has a name, or is given by a regular expression",
                     &clcf->name);
            return NGX_CONF_ERROR;
        }

        tlcf->prefix = clcf->name;
    }

    if (tlcf->prefix.len && tlcf->prefix.data[tlcf->prefix.len - 1] == '/') {
        tlcf->prefix.len--;
        tlcf->slash = 1;
    }

    rc = ngx_http_tasks_store_serve(tlcf->store, tlcf->definition);

    if (rc == NGX_DECLINED) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\": tasks_store \"%V\" serves another "
                           "definition of the name \"%V\"",
                           &tlcf->definition->file,
                           &tlcf->store->redis.name,
                           &ngx_http_tasks_main_collection(tlcf->definition)
                            ->name);
    }

    return rc == NGX_OK ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* What can only be told when all of the configuration was read. */

static ngx_int_t
ngx_http_tasks_check(ngx_conf_t *cf)
{
    ngx_uint_t                   i;
    ngx_http_tasks_store_t     **store;
    ngx_http_tasks_main_conf_t  *tmcf;

    tmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_tasks_module);
    store = tmcf->stores.elts;

    for (i = 0; i < tmcf->stores.nelts; i++) {

        if (store[i]->redis.naddrs == 0) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "there is no tasks_store \"%V\" in %V:%ui",
                          &store[i]->redis.name, &store[i]->file,
                          store[i]->line);
            return NGX_ERROR;
        }
    }

    if (ngx_http_tasks_check_variables(cf) != NGX_OK
        || ngx_http_tasks_credential_names(cf, &tmcf->credential) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_tasks_status_zone(cf);
}


static ngx_int_t
ngx_http_tasks_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                    i;
    ngx_http_tasks_store_t      **stores;
    ngx_http_tasks_main_conf_t   *tmcf;

    /* the processes of the proxy cache come by here, too */

    if (ngx_process != NGX_PROCESS_WORKER
        && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    tmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_tasks_module);

    if (tmcf == NULL) {
        return NGX_OK;                     /* no http {} */
    }

    if (ngx_http_tasks_status_start(cycle, tmcf) != NGX_OK) {
        return NGX_ERROR;
    }

    stores = tmcf->stores.elts;

    for (i = 0; i < tmcf->stores.nelts; i++) {

        if (stores[i]->collections.nelts == 0) {
            continue;
        }

        stores[i]->cache = ngx_http_tasks_cache_create(cycle->pool,
                                    tmcf->cache == NGX_CONF_UNSET_SIZE
                                    ? NGX_HTTP_TASKS_CACHE_SIZE
                                    : tmcf->cache);

        if (stores[i]->cache == NULL
            || ngx_http_tasks_store_init(stores[i], cycle) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void
ngx_http_tasks_exit_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                    i;
    ngx_http_tasks_store_t      **stores;
    ngx_http_tasks_main_conf_t   *tmcf;

    tmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_tasks_module);

    if (tmcf == NULL) {
        return;                            /* no http {} */
    }

    stores = tmcf->stores.elts;

    for (i = 0; i < tmcf->stores.nelts; i++) {
        ngx_http_tasks_store_close(stores[i]);
    }

    ngx_http_tasks_status_stop(cycle);
}
