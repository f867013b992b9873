
/*
 * Tells what was counted: as JSON, or in Prometheus's text format, 0.0.4.
 * Asks nobody: it answers when no store does.
 */


#include <ngx_http_tasks_handler.h>


/* What was counted of an API and of a store, in all workers. */
typedef struct {
    ngx_str_t                       name;
    ngx_http_tasks_definition_t    *definition;
    ngx_http_tasks_api_counts_t    *counts;
} ngx_http_tasks_api_report_t;


typedef struct {
    ngx_str_t                       name;
    ngx_http_tasks_store_counts_t  *counts;
} ngx_http_tasks_store_report_t;


typedef struct {
    ngx_http_tasks_writer_t         body;
    uint64_t                        workers;
    ngx_array_t                     apis;    /* ngx_http_tasks_api_report_t */
    ngx_array_t                     stores;  /* ngx_http_tasks_store_report_t */
} ngx_http_tasks_report_t;


/* A number of each store. */
typedef struct {
    const char               *name;      /* of the metric */
    const char               *type;      /* NULL: the metric goes on */
    const char               *help;
    ngx_str_t                 state;     /* label, or empty */
    ngx_str_t                 key;       /* in JSON */
    size_t                    offset;    /* in ngx_http_tasks_store_counts_t */
} ngx_http_tasks_number_t;


/* Numbers of each API. */
typedef struct {
    const char               *name;
    const char               *type;
    const char               *help;
    void                    (*write)(ngx_http_tasks_writer_t *w,
                                     ngx_http_tasks_api_report_t *api);
} ngx_http_tasks_family_t;


typedef struct {
    const char               *name;      /* NULL ends a list of labels */
    const ngx_str_t          *value;
} ngx_http_tasks_label_t;


static ngx_int_t ngx_http_tasks_report(ngx_http_request_t *r,
    ngx_http_tasks_report_t *report);
static ngx_int_t ngx_http_tasks_report_name(ngx_http_tasks_report_t *report,
    ngx_http_tasks_api_report_t *api);
static void ngx_http_tasks_json(ngx_http_tasks_report_t *report);
static void ngx_http_tasks_json_store(ngx_http_tasks_writer_t *w,
    ngx_http_tasks_store_report_t *store);
static void ngx_http_tasks_json_api(ngx_http_tasks_writer_t *w,
    ngx_http_tasks_api_report_t *api);
static void ngx_http_tasks_json_outcomes(ngx_http_tasks_writer_t *w,
    ngx_http_tasks_definition_t *definition, uint64_t *outcomes);
static void ngx_http_tasks_json_times(ngx_http_tasks_writer_t *w,
    ngx_http_tasks_api_counts_t *counts);
static void ngx_http_tasks_json_name(ngx_http_tasks_writer_t *w,
    const char *before, const ngx_str_t *name);
static void ngx_http_tasks_prometheus(ngx_http_tasks_report_t *report);
static void ngx_http_tasks_prometheus_requests(ngx_http_tasks_writer_t *w,
    ngx_http_tasks_api_report_t *api);
static void ngx_http_tasks_prometheus_times(ngx_http_tasks_writer_t *w,
    ngx_http_tasks_api_report_t *api);
static void ngx_http_tasks_prometheus_lists(ngx_http_tasks_writer_t *w,
    ngx_http_tasks_api_report_t *api);
static void ngx_http_tasks_prometheus_head(ngx_http_tasks_writer_t *w,
    const char *name, const char *type, const char *help);
static void ngx_http_tasks_prometheus_sample(ngx_http_tasks_writer_t *w,
    const char *name, const ngx_http_tasks_label_t *labels, uint64_t n);
static void ngx_http_tasks_prometheus_series(ngx_http_tasks_writer_t *w,
    const char *name, const ngx_http_tasks_label_t *labels);
static void ngx_http_tasks_prometheus_value(ngx_http_tasks_writer_t *w,
    const ngx_str_t *value);


#define ngx_http_tasks_counts(field)                                          \
    offsetof(ngx_http_tasks_store_counts_t, field)


/* those of one metric together */
static ngx_http_tasks_number_t  ngx_http_tasks_numbers[] = {

    { "tasks_store_connections", "gauge",
      "Connections of all workers to the store.",
      ngx_string("ready"), ngx_string("ready"),
      ngx_http_tasks_counts(connections[NGX_HTTP_TASKS_CONNECTION_READY]) },

    { "tasks_store_connections", NULL, NULL,
      ngx_string("connecting"), ngx_string("connecting"),
      ngx_http_tasks_counts(
                        connections[NGX_HTTP_TASKS_CONNECTION_CONNECTING]) },

    { "tasks_store_connections", NULL, NULL,
      ngx_string("down"), ngx_string("down"),
      ngx_http_tasks_counts(connections[NGX_HTTP_TASKS_CONNECTION_DOWN]) },

    { "tasks_store_pending_operations", "gauge",
      "Operations in flight: waiting to be sent, or for replies.",
      ngx_null_string, ngx_string("pending"), ngx_http_tasks_counts(pending) },

    { "tasks_store_reconnects_total", "counter",
      "Connections made in place of one that was lost.",
      ngx_null_string, ngx_string("reconnects"),
      ngx_http_tasks_counts(reconnects) },

    { "tasks_store_connect_failures_total", "counter",
      "Attempts to connect that failed.",
      ngx_null_string, ngx_string("connect_failures"),
      ngx_http_tasks_counts(failures) },

    { "tasks_store_timeouts_total", "counter",
      "Operations that had no reply in time.",
      ngx_null_string, ngx_string("timeouts"),
      ngx_http_tasks_counts(timeouts) },

    { "tasks_cache_entries", "gauge",
      "Pages of lists that workers keep.",
      ngx_null_string, ngx_string("cache_entries"),
      ngx_http_tasks_counts(entries) },

    { "tasks_cache_bytes", "gauge",
      "Memory of these pages.",
      ngx_null_string, ngx_string("cache_bytes"),
      ngx_http_tasks_counts(bytes) },

    { NULL, NULL, NULL, ngx_null_string, ngx_null_string, 0 }
};


#define ngx_http_tasks_number(counts, number)                                 \
    (*(uint64_t *) ((u_char *) (counts) + (number)->offset))


static ngx_http_tasks_family_t  ngx_http_tasks_families[] = {

    { "tasks_requests_total", "counter",
      "Requests by what became of them.",
      ngx_http_tasks_prometheus_requests },

    { "tasks_request_duration_seconds", "histogram",
      "For how long requests waited for their store, if they had to.",
      ngx_http_tasks_prometheus_times },

    { "tasks_lists_total", "counter",
      "Lists that were answered, by how they were come by.",
      ngx_http_tasks_prometheus_lists },

    { NULL, NULL, NULL, NULL }
};


/* ngx_http_tasks_status_bounds in seconds */
static ngx_str_t  ngx_http_tasks_bounds[NGX_HTTP_TASKS_BOUNDS + 1] = {
    ngx_string("0.001"), ngx_string("0.002"), ngx_string("0.005"),
    ngx_string("0.01"), ngx_string("0.02"), ngx_string("0.05"),
    ngx_string("0.1"), ngx_string("0.2"), ngx_string("0.5"),
    ngx_string("1"), ngx_string("2"), ngx_string("5"), ngx_string("+Inf")
};


/* of requests that the definition has no route for */
static ngx_str_t  ngx_http_tasks_no_route = ngx_string("-");


ngx_int_t
ngx_http_tasks_status_handler(ngx_http_request_t *r)
{
    ngx_str_t                   type;
    ngx_http_tasks_report_t     report;
    ngx_http_tasks_loc_conf_t  *tlcf;

    static ngx_str_t            no_store = ngx_string("no-store");

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    if (ngx_http_tasks_report(r, &report) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    tlcf = ngx_http_get_module_loc_conf(r, ngx_http_tasks_module);

    if (tlcf->prometheus) {
        ngx_str_set(&type, "text/plain; version=0.0.4");
        ngx_http_tasks_prometheus(&report);

    } else {
        ngx_str_set(&type, "application/json");
        ngx_http_tasks_json(&report);
    }

    if (report.body.failed
        || ngx_http_tasks_header(r, "Cache-Control", &no_store) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->disable_not_modified = 1;

    return ngx_http_tasks_send(r, NGX_HTTP_OK, &type, &report.body);
}


/* What there is to tell, of the stores that are in use, and of the APIs. */

static ngx_int_t
ngx_http_tasks_report(ngx_http_request_t *r, ngx_http_tasks_report_t *report)
{
    u_char                         *p;
    ngx_uint_t                      i;
    ngx_http_tasks_slot_t          *sum;
    ngx_http_tasks_store_t        **store;
    ngx_http_tasks_main_conf_t     *tmcf;
    ngx_http_tasks_api_report_t    *api;
    ngx_http_tasks_definition_t   **definition;
    ngx_http_tasks_store_report_t  *used;

    tmcf = ngx_http_get_module_main_conf(r, ngx_http_tasks_module);
    sum = ngx_http_tasks_status_sum(tmcf, r->pool);

    if (sum == NULL
        || ngx_array_init(&report->stores, r->pool, tmcf->stores.nelts + 1,
                          sizeof(ngx_http_tasks_store_report_t)) != NGX_OK
        || ngx_array_init(&report->apis, r->pool, tmcf->definitions.nelts + 1,
                          sizeof(ngx_http_tasks_api_report_t)) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_tasks_writer_init(&report->body, r->pool, 4096);
    report->workers = sum->pid;

    p = (u_char *) (sum + 1);
    store = tmcf->stores.elts;

    for (i = 0; i < tmcf->stores.nelts; i++) {

        if (store[i]->collections.nelts) {
            used = ngx_array_push(&report->stores);      /* there is room */
            used->name = store[i]->redis.name;
            used->counts = (ngx_http_tasks_store_counts_t *) p;
        }

        p += sizeof(ngx_http_tasks_store_counts_t);
    }

    definition = tmcf->definitions.elts;

    for (i = 0; i < tmcf->definitions.nelts; i++) {
        api = ngx_array_push(&report->apis);
        api->definition = definition[i];
        api->counts = (ngx_http_tasks_api_counts_t *) p;

        if (ngx_http_tasks_report_name(report, api) != NGX_OK) {
            return NGX_ERROR;
        }

        p += ngx_http_tasks_status_api_size(definition[i]);
    }

    return NGX_OK;
}


/*
 * Definitions of one name, which are for different stores, are told apart by
 * their files.
 */
static ngx_int_t
ngx_http_tasks_report_name(ngx_http_tasks_report_t *report,
    ngx_http_tasks_api_report_t *api)
{
    u_char                       *p;
    ngx_str_t                    *name;
    ngx_http_tasks_api_report_t  *other;

    name = &ngx_http_tasks_main_collection(api->definition)->name;

    for (other = report->apis.elts; other < api; other++) {
        if (ngx_http_tasks_equal(name, &other->name)) {
            break;
        }
    }

    if (other == api) {
        api->name = *name;
        return NGX_OK;
    }

    p = ngx_pnalloc(report->body.pool,
                    name->len + 1 + api->definition->file.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    api->name.data = p;
    api->name.len = ngx_sprintf(p, "%V %V", name, &api->definition->file) - p;

    return NGX_OK;
}


static void
ngx_http_tasks_json(ngx_http_tasks_report_t *report)
{
    ngx_uint_t                      i;
    ngx_http_tasks_writer_t        *w;
    ngx_http_tasks_api_report_t    *api;
    ngx_http_tasks_store_report_t  *store;

    w = &report->body;

    ngx_http_tasks_write_literal(w, "{\"workers\":");
    ngx_http_tasks_write_integer(w, report->workers);
    ngx_http_tasks_write_literal(w, ",\n\"stores\":{");

    store = report->stores.elts;

    for (i = 0; i < report->stores.nelts; i++) {
        ngx_http_tasks_json_name(w, i ? ",\n" : "\n", &store[i].name);
        ngx_http_tasks_json_store(w, &store[i]);
    }

    ngx_http_tasks_write_literal(w, "},\n\"apis\":{");

    api = report->apis.elts;

    for (i = 0; i < report->apis.nelts; i++) {
        ngx_http_tasks_json_name(w, i ? ",\n" : "\n", &api[i].name);
        ngx_http_tasks_json_api(w, &api[i]);
    }

    ngx_http_tasks_write_literal(w, "}}\n");
}


static void
ngx_http_tasks_json_store(ngx_http_tasks_writer_t *w,
    ngx_http_tasks_store_report_t *store)
{
    ngx_http_tasks_number_t  *number;

    ngx_http_tasks_write_byte(w, '{');

    for (number = ngx_http_tasks_numbers; number->name; number++) {
        ngx_http_tasks_json_name(w, number == ngx_http_tasks_numbers ? "" : ",",
                                 &number->key);
        ngx_http_tasks_write_integer(w,
                               ngx_http_tasks_number(store->counts, number));
    }

    ngx_http_tasks_write_byte(w, '}');
}


static void
ngx_http_tasks_json_api(ngx_http_tasks_writer_t *w,
    ngx_http_tasks_api_report_t *api)
{
    ngx_uint_t               i, n;
    ngx_http_tasks_route_t  *route;

    route = api->definition->routes.elts;
    n = ngx_http_tasks_status_outcomes(api->definition);

    ngx_http_tasks_write_literal(w, "{\"requests\":{");

    for (i = 0; i <= api->definition->routes.nelts; i++) {
        ngx_http_tasks_json_name(w, i ? ",\n" : "\n",
                                 i ? &route[i - 1].name
                                   : &ngx_http_tasks_no_route);
        ngx_http_tasks_json_outcomes(w, api->definition,
                             ngx_http_tasks_api_outcomes(api->counts, i, n));
    }

    ngx_http_tasks_write_literal(w, "},\n\"lists\":{");

    for (i = 1; i < NGX_HTTP_TASKS_CACHES; i++) {
        ngx_http_tasks_json_name(w, i == 1 ? "" : ",",
                                 &ngx_http_tasks_cache_names[i]);
        ngx_http_tasks_write_integer(w, api->counts->caches[i]);
    }

    ngx_http_tasks_write_literal(w, "},\n\"duration_ms\":");
    ngx_http_tasks_json_times(w, api->counts);
    ngx_http_tasks_write_byte(w, '}');
}


/* Those that there were. */

static void
ngx_http_tasks_json_outcomes(ngx_http_tasks_writer_t *w,
    ngx_http_tasks_definition_t *definition, uint64_t *outcomes)
{
    ngx_uint_t   i;
    const char  *before;

    before = "";
    ngx_http_tasks_write_byte(w, '{');

    for (i = 0; i < ngx_http_tasks_status_outcomes(definition); i++) {

        if (outcomes[i]) {
            ngx_http_tasks_json_name(w, before,
                                 ngx_http_tasks_outcome_name(definition, i));
            ngx_http_tasks_write_integer(w, outcomes[i]);
            before = ",";
        }
    }

    ngx_http_tasks_write_byte(w, '}');
}


/* As Prometheus has them: how many took so long or less. */

static void
ngx_http_tasks_json_times(ngx_http_tasks_writer_t *w,
    ngx_http_tasks_api_counts_t *counts)
{
    uint64_t    n;
    ngx_uint_t  i;

    n = 0;
    ngx_http_tasks_write_literal(w, "{\"le\":{");

    for (i = 0; i < NGX_HTTP_TASKS_BOUNDS; i++) {
        n += counts->bounds[i];
        ngx_http_tasks_write_byte(w, '"');
        ngx_http_tasks_write_integer(w, ngx_http_tasks_status_bounds[i]);
        ngx_http_tasks_write_literal(w, "\":");
        ngx_http_tasks_write_integer(w, n);
        ngx_http_tasks_write_byte(w, ',');
    }

    n += counts->bounds[i];
    ngx_http_tasks_write_literal(w, "\"+Inf\":");
    ngx_http_tasks_write_integer(w, n);
    ngx_http_tasks_write_literal(w, "},\"sum\":");
    ngx_http_tasks_write_integer(w, counts->waited);
    ngx_http_tasks_write_literal(w, ",\"count\":");
    ngx_http_tasks_write_integer(w, n);
    ngx_http_tasks_write_byte(w, '}');
}


static void
ngx_http_tasks_json_name(ngx_http_tasks_writer_t *w, const char *before,
    const ngx_str_t *name)
{
    ngx_http_tasks_write(w, before, ngx_strlen(before));
    ngx_http_tasks_write_byte(w, '"');
    ngx_http_tasks_write_escaped(w, name);
    ngx_http_tasks_write_literal(w, "\":");
}


static void
ngx_http_tasks_prometheus(ngx_http_tasks_report_t *report)
{
    ngx_uint_t                      i;
    ngx_http_tasks_label_t          labels[3];
    ngx_http_tasks_writer_t        *w;
    ngx_http_tasks_number_t        *number;
    ngx_http_tasks_family_t        *family;
    ngx_http_tasks_api_report_t    *api;
    ngx_http_tasks_store_report_t  *store;

    w = &report->body;
    ngx_memzero(labels, sizeof(labels));

    ngx_http_tasks_prometheus_head(w, "tasks_workers", "gauge",
                                   "Worker processes that are counted.");
    ngx_http_tasks_prometheus_sample(w, "tasks_workers", labels,
                                     report->workers);

    api = report->apis.elts;

    for (family = ngx_http_tasks_families; family->name; family++) {
        ngx_http_tasks_prometheus_head(w, family->name, family->type,
                                       family->help);

        for (i = 0; i < report->apis.nelts; i++) {
            family->write(w, &api[i]);
        }
    }

    store = report->stores.elts;

    for (number = ngx_http_tasks_numbers; number->name; number++) {

        if (number->type) {
            ngx_http_tasks_prometheus_head(w, number->name, number->type,
                                           number->help);
        }

        labels[0].name = "store";
        labels[1].name = number->state.len ? "state" : NULL;
        labels[1].value = &number->state;

        for (i = 0; i < report->stores.nelts; i++) {
            labels[0].value = &store[i].name;
            ngx_http_tasks_prometheus_sample(w, number->name, labels,
                             ngx_http_tasks_number(store[i].counts, number));
        }
    }
}


/* Also those that are 0: what is not there cannot be seen to grow. */

static void
ngx_http_tasks_prometheus_requests(ngx_http_tasks_writer_t *w,
    ngx_http_tasks_api_report_t *api)
{
    ngx_uint_t               i, j, n;
    ngx_http_tasks_route_t  *route;
    ngx_http_tasks_label_t   labels[4] = {
        { "api", &api->name }, { "route", NULL }, { "outcome", NULL },
        { NULL, NULL }
    };

    route = api->definition->routes.elts;
    n = ngx_http_tasks_status_outcomes(api->definition);

    for (i = 0; i <= api->definition->routes.nelts; i++) {
        labels[1].value = i ? &route[i - 1].name : &ngx_http_tasks_no_route;

        for (j = 0; j < n; j++) {
            labels[2].value = ngx_http_tasks_outcome_name(api->definition, j);
            ngx_http_tasks_prometheus_sample(w, "tasks_requests_total", labels,
                          ngx_http_tasks_api_outcomes(api->counts, i, n)[j]);
        }
    }
}


static void
ngx_http_tasks_prometheus_times(ngx_http_tasks_writer_t *w,
    ngx_http_tasks_api_report_t *api)
{
    u_char                  seconds[NGX_INT64_LEN + sizeof(".000\n")], *last;
    uint64_t                n;
    ngx_uint_t              i;
    ngx_http_tasks_label_t  labels[3] = {
        { "api", &api->name }, { "le", NULL }, { NULL, NULL }
    };

    n = 0;

    for (i = 0; i <= NGX_HTTP_TASKS_BOUNDS; i++) {
        n += api->counts->bounds[i];
        labels[1].value = &ngx_http_tasks_bounds[i];
        ngx_http_tasks_prometheus_sample(w,
                          "tasks_request_duration_seconds_bucket", labels, n);
    }

    labels[1].name = NULL;

    ngx_http_tasks_prometheus_series(w, "tasks_request_duration_seconds_sum",
                                     labels);
    last = ngx_sprintf(seconds, "%uL.%03uL\n", api->counts->waited / 1000,
                       api->counts->waited % 1000);
    ngx_http_tasks_write(w, seconds, last - seconds);

    ngx_http_tasks_prometheus_sample(w, "tasks_request_duration_seconds_count",
                                     labels, n);
}


static void
ngx_http_tasks_prometheus_lists(ngx_http_tasks_writer_t *w,
    ngx_http_tasks_api_report_t *api)
{
    ngx_uint_t              i;
    ngx_http_tasks_label_t  labels[3] = {
        { "api", &api->name }, { "cache", NULL }, { NULL, NULL }
    };

    for (i = 1; i < NGX_HTTP_TASKS_CACHES; i++) {
        labels[1].value = &ngx_http_tasks_cache_names[i];
        ngx_http_tasks_prometheus_sample(w, "tasks_lists_total", labels,
                                         api->counts->caches[i]);
    }
}


static void
ngx_http_tasks_prometheus_head(ngx_http_tasks_writer_t *w, const char *name,
    const char *type, const char *help)
{
    ngx_http_tasks_write_literal(w, "# HELP ");
    ngx_http_tasks_write(w, name, ngx_strlen(name));
    ngx_http_tasks_write_byte(w, ' ');
    ngx_http_tasks_write(w, help, ngx_strlen(help));
    ngx_http_tasks_write_literal(w, "\n# TYPE ");
    ngx_http_tasks_write(w, name, ngx_strlen(name));
    ngx_http_tasks_write_byte(w, ' ');
    ngx_http_tasks_write(w, type, ngx_strlen(type));
    ngx_http_tasks_write_byte(w, LF);
}


static void
ngx_http_tasks_prometheus_sample(ngx_http_tasks_writer_t *w, const char *name,
    const ngx_http_tasks_label_t *labels, uint64_t n)
{
    ngx_http_tasks_prometheus_series(w, name, labels);
    ngx_http_tasks_write_integer(w, n);
    ngx_http_tasks_write_byte(w, LF);
}


static void
ngx_http_tasks_prometheus_series(ngx_http_tasks_writer_t *w, const char *name,
    const ngx_http_tasks_label_t *labels)
{
    const ngx_http_tasks_label_t  *label;

    ngx_http_tasks_write(w, name, ngx_strlen(name));

    for (label = labels; label->name; label++) {
        ngx_http_tasks_write_byte(w, label == labels ? '{' : ',');
        ngx_http_tasks_write(w, label->name, ngx_strlen(label->name));
        ngx_http_tasks_write_literal(w, "=\"");
        ngx_http_tasks_prometheus_value(w, label->value);
        ngx_http_tasks_write_byte(w, '"');
    }

    if (label != labels) {
        ngx_http_tasks_write_byte(w, '}');
    }

    ngx_http_tasks_write_byte(w, ' ');
}


/* Any UTF-8, of which three characters are escaped. */

static void
ngx_http_tasks_prometheus_value(ngx_http_tasks_writer_t *w,
    const ngx_str_t *value)
{
    size_t         len;
    const u_char  *p, *last;

    last = value->data + value->len;

    for (p = value->data; p < last; p += len) {
        len = ngx_http_tasks_utf8_length(p, last);

        if (len == 0) {
            ngx_http_tasks_write_literal(w, "\xEF\xBF\xBD");
            len = 1;

        } else if (*p == LF) {
            ngx_http_tasks_write_literal(w, "\\n");

        } else if (*p == '"' || *p == '\\') {
            ngx_http_tasks_write_byte(w, '\\');
            ngx_http_tasks_write_byte(w, *p);

        } else {
            ngx_http_tasks_write(w, p, len);
        }
    }
}
