
/*
 * Counting for tasks_status: the zone, a worker's slot in it, and the one
 * place where a request is counted, when it ends.
 *
 * The master gives each process a place in its table (ngx_process_slot), the
 * lowest that is free, and gives it away again only when it has seen that
 * process end.  A worker's slot is that of its place: it needs no lock, and
 * takes over what a killed worker has left.
 */


#include <ngx_http_tasks_directive.h>
#include <ngx_md5.h>


/* generations of workers that are counted at a time: reloads overlap */
#define NGX_HTTP_TASKS_GENERATIONS   4

/* other processes that the master has: the proxy cache's */
#define NGX_HTTP_TASKS_OTHERS        4

/* bytes that slots are apart, so that no two share a cache line or a pair */
#define NGX_HTTP_TASKS_SLOT_ALIGN    128


static void ngx_http_tasks_status_size(ngx_http_tasks_main_conf_t *tmcf);
static void ngx_http_tasks_status_layout(ngx_http_tasks_main_conf_t *tmcf);
static size_t ngx_http_tasks_status_zone_size(ngx_cycle_t *old,
    ngx_str_t *name, ngx_http_tasks_status_t *status);
static ngx_int_t ngx_http_tasks_status_init_zone(ngx_shm_zone_t *zone,
    void *data);
static ngx_int_t ngx_http_tasks_status_take(ngx_http_tasks_status_t *status,
    ngx_cycle_t *cycle);
static void ngx_http_tasks_status_add(ngx_http_tasks_main_conf_t *tmcf,
    u_char *slot, u_char *sum);


/* milliseconds */
const ngx_msec_t  ngx_http_tasks_status_bounds[NGX_HTTP_TASKS_BOUNDS] = {
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000
};

ngx_str_t  ngx_http_tasks_outcome_names[] = {
    ngx_string("not_modified"),
    ngx_string("fallback"),
    ngx_string("aborted"),
    ngx_string("ok"),
    ngx_null_string
};


char *
ngx_http_tasks_set_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_tasks_loc_conf_t  *tlcf = conf;

    ngx_str_t                   *value;
    ngx_http_tasks_main_conf_t  *tmcf;

    (void) cmd;

    tmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_tasks_module);
    value = cf->args->elts;

    if (cf->args->nelts == 2) {

        if (ngx_strcmp(value[1].data, "prometheus") == 0) {
            tlcf->prometheus = 1;

        } else if (ngx_strcmp(value[1].data, "json") != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\", it may be \"json\" "
                               "or \"prometheus\"", &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    if (tmcf->status == NULL) {
        tmcf->status = ngx_pcalloc(cf->pool, sizeof(ngx_http_tasks_status_t));
        if (tmcf->status == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    return ngx_http_tasks_set_handler(cf, tlcf, ngx_http_tasks_status_handler);
}


ngx_int_t
ngx_http_tasks_status_zone(ngx_conf_t *cf)
{
    ngx_int_t                    workers;
    ngx_core_conf_t             *ccf;
    ngx_shm_zone_t              *zone;
    ngx_http_tasks_status_t     *status;
    ngx_http_tasks_main_conf_t  *tmcf;

    static ngx_str_t             name = ngx_string("tasks_status");

    tmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_tasks_module);
    status = tmcf->status;

    if (status == NULL) {
        return NGX_OK;
    }

    ccf = (ngx_core_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                           ngx_core_module);
    workers = ccf->worker_processes;

    if (workers == NGX_CONF_UNSET) {
        workers = ngx_max(ngx_ncpu, 1);    /* it may come below http {} */
    }

    status->nslots = workers * NGX_HTTP_TASKS_GENERATIONS
                     + NGX_HTTP_TASKS_OTHERS;

    ngx_http_tasks_status_size(tmcf);
    ngx_http_tasks_status_layout(tmcf);

    zone = ngx_shared_memory_add(cf, &name,
                  ngx_http_tasks_status_zone_size(cf->cycle->old_cycle, &name,
                                                  status),
                  &ngx_http_tasks_module);
    if (zone == NULL) {
        return NGX_ERROR;
    }

    zone->init = ngx_http_tasks_status_init_zone;
    zone->data = status;

    return NGX_OK;
}


ngx_uint_t
ngx_http_tasks_status_outcomes(ngx_http_tasks_definition_t *definition)
{
    return definition->nclasses + NGX_HTTP_TASKS_OUTCOMES;
}


size_t
ngx_http_tasks_status_api_size(ngx_http_tasks_definition_t *definition)
{
    return sizeof(ngx_http_tasks_api_counts_t)
           + (definition->routes.nelts + 1) * sizeof(uint64_t)
             * ngx_http_tasks_status_outcomes(definition);
}


static void
ngx_http_tasks_status_size(ngx_http_tasks_main_conf_t *tmcf)
{
    size_t                         size;
    ngx_uint_t                     i;
    ngx_http_tasks_definition_t  **definition;

    size = sizeof(ngx_http_tasks_slot_t)
           + tmcf->stores.nelts * sizeof(ngx_http_tasks_store_counts_t);

    definition = tmcf->definitions.elts;

    for (i = 0; i < tmcf->definitions.nelts; i++) {
        size += ngx_http_tasks_status_api_size(definition[i]);
    }

    tmcf->status->size = ngx_align(size, NGX_HTTP_TASKS_SLOT_ALIGN);
}


/* A digest of the names of all that is counted, in their order. */

static void
ngx_http_tasks_status_layout(ngx_http_tasks_main_conf_t *tmcf)
{
    ngx_md5_t                      md5;
    ngx_uint_t                     i, j;
    ngx_http_tasks_route_t        *route;
    ngx_http_tasks_store_t       **store;
    ngx_http_tasks_definition_t  **definition;

#define ngx_http_tasks_status_digest(name)                                    \
    ngx_md5_update(&md5, (name)->data, (name)->len);                          \
    ngx_md5_update(&md5, "", 1)

    ngx_md5_init(&md5);
    ngx_md5_update(&md5, &tmcf->status->nslots, sizeof(ngx_uint_t));

    store = tmcf->stores.elts;

    for (i = 0; i < tmcf->stores.nelts; i++) {
        ngx_http_tasks_status_digest(&store[i]->redis.name);
    }

    definition = tmcf->definitions.elts;

    for (i = 0; i < tmcf->definitions.nelts; i++) {
        ngx_md5_update(&md5, "", 1);
        ngx_http_tasks_status_digest(&ngx_http_tasks_main_collection(
                                          definition[i])->name);

        route = definition[i]->routes.elts;

        for (j = 0; j < definition[i]->routes.nelts; j++) {
            ngx_http_tasks_status_digest(&route[j].name);
        }

        for (j = 0; j < definition[i]->nclasses; j++) {
            ngx_http_tasks_status_digest(&definition[i]->classes[j]);
        }
    }

    ngx_md5_final(tmcf->status->layout, &md5);
}


/*
 * Over a reload nginx keeps a zone if its size is the same, and else makes a
 * new one.  Old workers go on to count as they have learned it: a zone of
 * another layout must have another size than theirs.
 */
static size_t
ngx_http_tasks_status_zone_size(ngx_cycle_t *old, ngx_str_t *name,
    ngx_http_tasks_status_t *status)
{
    size_t                    size;
    ngx_uint_t                i;
    ngx_list_part_t          *part;
    ngx_shm_zone_t           *zone;
    ngx_http_tasks_status_t  *former;

    /* with room for the slab allocator, which nginx puts into each zone */

    size = status->nslots * status->size;
    size = ngx_align(size + size / 64 + 8 * ngx_pagesize, ngx_pagesize);

    for (part = &old->shared_memory.part; part; part = part->next) {
        zone = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (zone[i].tag != &ngx_http_tasks_module
                || !ngx_http_tasks_equal(&zone[i].shm.name, name))
            {
                continue;
            }

            former = zone[i].data;

            if (ngx_memcmp(former->layout, status->layout,
                           sizeof(status->layout))
                == 0)
            {
                return zone[i].shm.size;
            }

            return zone[i].shm.size == size ? size + ngx_pagesize : size;
        }
    }

    return size;
}


/* "data" is what the same zone was for before a reload, or NULL. */

static ngx_int_t
ngx_http_tasks_status_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_http_tasks_status_t  *former = data;

    ngx_slab_pool_t          *pool;
    ngx_http_tasks_status_t  *status;

    status = zone->data;

    if (former) {
        status->slots = former->slots;
        return NGX_OK;
    }

    pool = (ngx_slab_pool_t *) zone->shm.addr;

    status->slots = ngx_slab_calloc(pool, status->nslots * status->size);

    return status->slots ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_http_tasks_status_start(ngx_cycle_t *cycle,
    ngx_http_tasks_main_conf_t *tmcf)
{
    u_char                        *p;
    ngx_uint_t                     i;
    ngx_http_tasks_store_t       **store;
    ngx_http_tasks_definition_t  **definition;

    if (tmcf->status == NULL) {
        return NGX_OK;
    }

    if (ngx_http_tasks_status_take(tmcf->status, cycle) != NGX_OK) {
        return NGX_ERROR;
    }

    p = (u_char *) (tmcf->status->slot + 1);
    store = tmcf->stores.elts;

    for (i = 0; i < tmcf->stores.nelts; i++) {
        store[i]->counts = (ngx_http_tasks_store_counts_t *) p;
        ngx_memzero(p, NGX_HTTP_TASKS_STORE_GAUGES * sizeof(uint64_t));
        p += sizeof(ngx_http_tasks_store_counts_t);
    }

    definition = tmcf->definitions.elts;

    for (i = 0; i < tmcf->definitions.nelts; i++) {
        definition[i]->counts = (ngx_http_tasks_api_counts_t *) p;
        p += ngx_http_tasks_status_api_size(definition[i]);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_tasks_status_take(ngx_http_tasks_status_t *status, ngx_cycle_t *cycle)
{
    if ((ngx_uint_t) ngx_process_slot < status->nslots) {
        status->slot = (ngx_http_tasks_slot_t *)
                       (status->slots + ngx_process_slot * status->size);
        status->slot->pid = ngx_pid;
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                  "tasks_status does not count this worker: %ui processes are "
                  "there already; do old workers wait for their clients? "
                  "See worker_shutdown_timeout", status->nslots);

    status->slot = ngx_pcalloc(cycle->pool, status->size);

    return status->slot ? NGX_OK : NGX_ERROR;
}


void
ngx_http_tasks_status_stop(ngx_cycle_t *cycle)
{
    ngx_http_tasks_main_conf_t  *tmcf;

    tmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_tasks_module);

    if (tmcf && tmcf->status && tmcf->status->slot) {
        tmcf->status->slot->pid = 0;
    }
}


void
ngx_http_tasks_status_count(ngx_http_tasks_ctx_t *ctx)
{
    ngx_uint_t                    i, outcome, n;
    ngx_http_tasks_route_t       *route;
    ngx_http_tasks_definition_t  *definition;
    ngx_http_tasks_api_counts_t  *counts;

    if (ctx->counted) {
        return;
    }

    ctx->counted = 1;
    ngx_http_tasks_wait_end(ctx);

    definition = ctx->conf->definition;
    counts = definition->counts;

    if (counts == NULL) {
        return;
    }

    route = ctx->exchange.request.route;
    n = route ? route - (ngx_http_tasks_route_t *) definition->routes.elts + 1
              : 0;
    outcome = ngx_http_tasks_outcome(ctx);

    ngx_http_tasks_api_outcomes(counts, n,
                       ngx_http_tasks_status_outcomes(definition))[outcome]++;

    if (ctx->has_waited) {

        for (i = 0; i < NGX_HTTP_TASKS_BOUNDS; i++) {
            if (ctx->waited <= ngx_http_tasks_status_bounds[i]) {
                break;
            }
        }

        counts->bounds[i]++;
        counts->waited += ctx->waited;
    }

    if (route && route->action == NGX_HTTP_TASKS_ACTION_LIST
        && (outcome == NGX_HTTP_TASKS_NO_ERROR
            || outcome == definition->nclasses
                          + NGX_HTTP_TASKS_OUTCOME_NOT_MODIFIED))
    {
        counts->caches[ctx->exchange.how]++;
    }
}


ngx_uint_t
ngx_http_tasks_outcome(ngx_http_tasks_ctx_t *ctx)
{
    ngx_uint_t  n;

    n = ctx->conf->definition->nclasses;

    if (ctx->left) {
        return n + NGX_HTTP_TASKS_OUTCOME_FALLBACK;
    }

    if (ctx->error != NGX_HTTP_TASKS_NO_ERROR) {
        return ctx->error;
    }

    if (!ctx->answered) {
        return n + NGX_HTTP_TASKS_OUTCOME_ABORTED;
    }

    /* by the module, or by nginx, which knows more ways to ask for that */

    return ctx->request->headers_out.status == NGX_HTTP_NOT_MODIFIED
           ? n + NGX_HTTP_TASKS_OUTCOME_NOT_MODIFIED : NGX_HTTP_TASKS_NO_ERROR;
}


ngx_str_t *
ngx_http_tasks_outcome_name(ngx_http_tasks_definition_t *definition,
    ngx_uint_t outcome)
{
    if (outcome == NGX_HTTP_TASKS_NO_ERROR) {
        return &ngx_http_tasks_outcome_names[NGX_HTTP_TASKS_OUTCOMES];
    }

    return outcome < definition->nclasses
           ? &definition->classes[outcome]
           : &ngx_http_tasks_outcome_names[outcome - definition->nclasses];
}


void
ngx_http_tasks_wait_begin(ngx_http_tasks_ctx_t *ctx)
{
    ctx->asked = ngx_current_msec;
    ctx->waits = 1;
    ctx->has_waited = 1;
}


void
ngx_http_tasks_wait_end(ngx_http_tasks_ctx_t *ctx)
{
    if (ctx->waits) {
        ctx->waits = 0;
        ctx->waited += ngx_current_msec - ctx->asked;
    }
}


ngx_http_tasks_slot_t *
ngx_http_tasks_status_sum(ngx_http_tasks_main_conf_t *tmcf, ngx_pool_t *pool)
{
    ngx_uint_t                i;
    ngx_http_tasks_slot_t    *sum;
    ngx_http_tasks_status_t  *status;

    status = tmcf->status;

    sum = ngx_pcalloc(pool, status->size);
    if (sum == NULL) {
        return NULL;
    }

    for (i = 0; i < status->nslots; i++) {
        ngx_http_tasks_status_add(tmcf, status->slots + i * status->size,
                                  (u_char *) sum);
    }

    return sum;
}


/* Others write to the slot meanwhile: each word is read once. */

static void
ngx_http_tasks_status_add(ngx_http_tasks_main_conf_t *tmcf, u_char *slot,
    u_char *sum)
{
    size_t              i, n, stores;
    uint64_t           *to;
    ngx_uint_t          lives, word;
    volatile uint64_t  *from;

    from = (volatile uint64_t *) slot;
    to = (uint64_t *) sum;

    lives = (from[0] != 0
             && (kill((ngx_pid_t) from[0], 0) == 0 || ngx_errno != NGX_ESRCH));
    to[0] += lives;

    from = (volatile uint64_t *) (slot + sizeof(ngx_http_tasks_slot_t));
    to = (uint64_t *) (sum + sizeof(ngx_http_tasks_slot_t));

    word = sizeof(ngx_http_tasks_store_counts_t) / sizeof(uint64_t);
    stores = tmcf->stores.nelts * word;
    n = (tmcf->status->size - sizeof(ngx_http_tasks_slot_t))
        / sizeof(uint64_t);

    for (i = 0; i < n; i++) {
        if (lives || i >= stores || i % word >= NGX_HTTP_TASKS_STORE_GAUGES) {
            to[i] += from[i];
        }
    }
}
