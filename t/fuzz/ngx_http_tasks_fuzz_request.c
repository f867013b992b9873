
/*
 * Path, query and cursor, against compiled definitions, which are the
 * directive's arguments.  An input is a byte for the definition, one for the
 * method, then path "?" query, both as nginx would hand them over.
 */


#include <ngx_http_tasks_handler.h>
#include <ngx_http_tasks_fuzz.h>


static ngx_int_t ngx_http_tasks_fuzz_request_init(ngx_conf_t *cf,
    ngx_str_t *args, ngx_uint_t nargs);
static void ngx_http_tasks_fuzz_request_run(const u_char *data, size_t size);
static void ngx_http_tasks_fuzz_request_good(
    ngx_http_tasks_request_t *request);
static void ngx_http_tasks_fuzz_request_bad(ngx_http_tasks_request_t *request,
    ngx_http_tasks_error_e error);
static void ngx_http_tasks_fuzz_request_cursor(
    ngx_http_tasks_request_t *request);


ngx_http_tasks_fuzz_unit_t  ngx_http_tasks_fuzz_request = {
    "request",
    ngx_http_tasks_fuzz_request_init,
    ngx_http_tasks_fuzz_request_run
};


static ngx_str_t  ngx_http_tasks_fuzz_methods[] = {
    ngx_string("GET"),
    ngx_string("POST"),
    ngx_string("DELETE"),
    ngx_string("HEAD"),
    ngx_string("BREW")
};


static ngx_http_tasks_definition_t  *ngx_http_tasks_fuzz_definitions[16];
static ngx_uint_t                    ngx_http_tasks_fuzz_ndefinitions;


static ngx_int_t
ngx_http_tasks_fuzz_request_init(ngx_conf_t *cf, ngx_str_t *args,
    ngx_uint_t nargs)
{
    ngx_uint_t                    i;
    ngx_http_tasks_definition_t  *definition;

    if (nargs == 0 || nargs > 16) {
        return NGX_ERROR;
    }

    for (i = 0; i < nargs; i++) {
        definition = ngx_http_tasks_definition_compile(cf, &args[i],
                                                 ngx_http_tasks_use_variable);
        if (definition == NULL) {
            return NGX_ERROR;
        }

        ngx_http_tasks_fuzz_definitions[i] = definition;
    }

    ngx_http_tasks_fuzz_ndefinitions = nargs;

    return NGX_OK;
}


static void
ngx_http_tasks_fuzz_request_run(const u_char *data, size_t size)
{
    ngx_int_t                  rc;
    ngx_str_t                  path, args, allow, *method;
    const u_char              *query;
    ngx_http_tasks_error_e     error;
    ngx_http_tasks_request_t   request;

    if (size < 2) {
        return;
    }

    ngx_memzero(&request, sizeof(ngx_http_tasks_request_t));

    request.pool = ngx_http_tasks_fuzz_pool();
    request.definition = ngx_http_tasks_fuzz_definitions[
                                  data[0] % ngx_http_tasks_fuzz_ndefinitions];
    method = &ngx_http_tasks_fuzz_methods[data[1] % 5];

    data += 2;
    size -= 2;
    query = memchr(data, '?', size);

    path = ngx_http_tasks_fuzz_copy(0, data,
                                    query ? (size_t) (query - data) : size);
    ngx_str_null(&args);

    if (query) {
        args = ngx_http_tasks_fuzz_copy(1, query + 1,
                                        size - path.len - 1);
    }

    rc = ngx_http_tasks_request_route(&request, method, &path, &allow);

    ngx_http_tasks_fuzz_check(rc == NGX_OK || rc == NGX_DECLINED
                              || rc == NGX_ABORT);
    ngx_http_tasks_fuzz_check((rc == NGX_OK) == (request.route != NULL));
    ngx_http_tasks_fuzz_check((rc == NGX_ABORT) == (allow.len != 0));

    if (rc == NGX_OK) {
        error = NGX_HTTP_TASKS_NO_ERROR;
        rc = ngx_http_tasks_request_check(&request, &args, &error);

        ngx_http_tasks_fuzz_check(rc == NGX_OK || rc == NGX_DECLINED);

        if (rc == NGX_OK) {
            ngx_http_tasks_fuzz_request_good(&request);

        } else {
            ngx_http_tasks_fuzz_request_bad(&request, error);
        }
    }

    ngx_destroy_pool(request.pool);
}


/* What the store may rely on. */

static void
ngx_http_tasks_fuzz_request_good(ngx_http_tasks_request_t *request)
{
    ngx_str_t                    *value;
    ngx_uint_t                    i, j;
    ngx_http_tasks_collection_t  *collection;

    collection = request->route->collection;

    ngx_http_tasks_fuzz_check(request->param == NULL);
    ngx_http_tasks_fuzz_check(request->limit >= -1 && request->page >= 1
                              && request->offset >= 0);

    ngx_http_tasks_fuzz_check((request->id.data != NULL)
                 == (request->route->action != NGX_HTTP_TASKS_ACTION_LIST));
    ngx_http_tasks_fuzz_check(request->id.data == NULL
                              || (request->id.len
                                  && ngx_http_tasks_is_text(&request->id)));

    for (i = 0; i < collection->filters.nelts; i++) {
        value = request->filters[i].elts;

        ngx_http_tasks_fuzz_check(request->filters[i].nelts
                                  <= NGX_HTTP_TASKS_MAX_INDEXES);

        for (j = 0; j < request->filters[i].nelts; j++) {
            ngx_http_tasks_fuzz_check(ngx_http_tasks_is_text(&value[j]));
            ngx_http_tasks_fuzz_check(j == 0
                          || !ngx_http_tasks_equal(&value[j], &value[j - 1]));
        }
    }

    if (request->cursor.data || request->cursor_id.data) {
        ngx_http_tasks_fuzz_request_cursor(request);
    }
}


/* What an error response may rely on. */

static void
ngx_http_tasks_fuzz_request_bad(ngx_http_tasks_request_t *request,
    ngx_http_tasks_error_e error)
{
    ngx_http_tasks_writer_t  w;

    ngx_http_tasks_fuzz_check(error != NGX_HTTP_TASKS_NO_ERROR
                              && error <= request->definition->nclasses);
    ngx_http_tasks_fuzz_check(request->complaint == NULL
                              || request->rule < NGX_HTTP_TASKS_RULES);

    ngx_http_tasks_writer_init(&w, request->pool, 64);
    ngx_http_tasks_write_escaped(&w, &request->value);
    ngx_http_tasks_fuzz_check(!w.failed);
}


/* A cursor that is taken is one that the module would give. */

static void
ngx_http_tasks_fuzz_request_cursor(ngx_http_tasks_request_t *request)
{
    ngx_str_t                  position, cursor;
    ngx_http_tasks_request_t   again;
    ngx_http_tasks_cursor_t   *form;

    ngx_http_tasks_fuzz_check(request->route->cursor != NULL);

    form = &request->route->cursor->cursor;
    position = request->cursor;

    if (form->by_id) {
        position.len = request->cursor_id.len + 2;
        position.data = ngx_pnalloc(request->pool, position.len);
        ngx_sprintf(position.data, "x:%V", &request->cursor_id);
    }

    again = *request;
    ngx_str_null(&again.cursor);
    ngx_str_null(&again.cursor_id);

    ngx_http_tasks_fuzz_check(ngx_http_tasks_cursor_make(request->pool, form,
                                                         &position, &cursor)
                              == NGX_OK);
    ngx_http_tasks_fuzz_check(ngx_http_tasks_cursor_parse(&again, form,
                                                          &cursor)
                              == NGX_OK);
    ngx_http_tasks_fuzz_check(ngx_http_tasks_equal(&again.cursor,
                                                   &request->cursor)
                              && ngx_http_tasks_equal(&again.cursor_id,
                                                      &request->cursor_id));
}
