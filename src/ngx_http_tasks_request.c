
/*
 * Everything that a client can say is looked at here, before any of it is
 * used: path, query, and by ngx_http_tasks_param.c the form of what they hold.
 */


#include <ngx_http_tasks_request.h>


static ngx_int_t ngx_http_tasks_request_split(
    ngx_http_tasks_request_t *request, const ngx_str_t *path, ngx_uint_t *n);
static ngx_int_t ngx_http_tasks_request_query(
    ngx_http_tasks_request_t *request, const ngx_str_t *args,
    ngx_http_tasks_raw_t **raws);
static ngx_int_t ngx_http_tasks_request_add(ngx_http_tasks_request_t *request,
    ngx_http_tasks_param_t *param, ngx_str_t *text,
    ngx_http_tasks_raw_t **raw);
static ngx_int_t ngx_http_tasks_request_decode(ngx_pool_t *pool,
    const u_char *data, size_t len, ngx_str_t *text);
static ngx_int_t ngx_http_tasks_request_take(ngx_http_tasks_request_t *request,
    ngx_http_tasks_param_t *param, ngx_http_tasks_raw_t *raw);
static ngx_int_t ngx_http_tasks_request_param(
    ngx_http_tasks_request_t *request, ngx_http_tasks_param_t *param,
    ngx_http_tasks_raw_t *raw);
static ngx_int_t ngx_http_tasks_request_use(ngx_http_tasks_request_t *request,
    ngx_http_tasks_param_t *param, ngx_http_tasks_checked_t *checked,
    ngx_uint_t given);
static void ngx_http_tasks_request_filter(ngx_http_tasks_request_t *request,
    ngx_uint_t filter, ngx_http_tasks_values_t *values, ngx_uint_t given);
static void ngx_http_tasks_request_choose(ngx_http_tasks_request_t *request,
    ngx_http_tasks_param_t *param, ngx_str_t *value, ngx_uint_t given);


ngx_int_t
ngx_http_tasks_request_route(ngx_http_tasks_request_t *request,
    const ngx_str_t *method, const ngx_str_t *path, ngx_str_t *allow)
{
    u_char                    *p;
    ngx_uint_t                 i, j, n;
    ngx_http_tasks_route_t    *route;
    ngx_http_tasks_segment_t  *segment;

    ngx_str_null(allow);

    if (ngx_http_tasks_request_split(request, path, &n) != NGX_OK) {
        return NGX_DECLINED;
    }

    p = NULL;
    route = request->definition->routes.elts;

    for (i = 0; i < request->definition->routes.nelts; i++) {

        if (route[i].segments.nelts != n) {
            continue;
        }

        segment = route[i].segments.elts;

        for (j = 0; j < n; j++) {
            if (segment[j].param
                ? request->segments[j].len == 0
                : !ngx_http_tasks_equal(&request->segments[j],
                                        &segment[j].text))
            {
                break;
            }
        }

        if (j < n) {
            continue;
        }

        if (route[i].method.len == 0
            || ngx_http_tasks_equal(method, &route[i].method)
            || (method->len == 4 && route[i].method.len == 3
                && ngx_strncmp(method->data, "HEAD", 4) == 0
                && ngx_strncmp(route[i].method.data, "GET", 3) == 0))
        {
            if (route[i].action == NGX_HTTP_TASKS_ACTION_NONE) {
                return NGX_DECLINED;
            }

            request->route = &route[i];
            return NGX_OK;
        }

        if (p == NULL) {
            p = ngx_pnalloc(request->pool, request->definition->routes.nelts
                                           * sizeof("GET, HEAD, DELETE, "));
            if (p == NULL) {
                return NGX_ERROR;
            }

            allow->data = p;
        }

        *p = '\0';

        if (route[i].action == NGX_HTTP_TASKS_ACTION_NONE
            || ngx_strstr(allow->data, route[i].method.data))
        {
            continue;
        }

        p = ngx_sprintf(p, "%s%V%s", p == allow->data ? "" : ", ",
                        &route[i].method,
                        route[i].method.len == 3 && route[i].method.data[0]
                        == 'G' ? ", HEAD" : "");
    }

    if (p == allow->data) {
        return NGX_DECLINED;               /* nothing, or nothing of ours */
    }

    allow->len = p - allow->data;

    return NGX_ABORT;
}


static ngx_int_t
ngx_http_tasks_request_split(ngx_http_tasks_request_t *request,
    const ngx_str_t *path, ngx_uint_t *n)
{
    u_char  *p, *end, *last;

    *n = 0;

    if (path->len && path->data[0] != '/') {
        return NGX_DECLINED;
    }

    last = path->data + path->len;

    for (p = path->data; p < last; p = end) {
        p++;

        end = ngx_strlchr(p, last, '/');
        if (end == NULL) {
            end = last;
        }

        if (*n == NGX_HTTP_TASKS_MAX_SEGMENTS) {
            return NGX_DECLINED;
        }

        request->segments[*n].data = p;
        request->segments[*n].len = end - p;
        (*n)++;
    }

    return NGX_OK;
}


/*
 * A value of the wrong type is told before anything else, as frameworks do
 * that first bind and then validate; else the first parameter, as declared.
 */
ngx_int_t
ngx_http_tasks_request_check(ngx_http_tasks_request_t *request,
    const ngx_str_t *args, ngx_http_tasks_error_e *error)
{
    ngx_int_t                  rc;
    ngx_uint_t                 i;
    ngx_http_tasks_raw_t     **raws, path;
    ngx_http_tasks_param_t    *param;
    ngx_http_tasks_route_t    *route;
    ngx_http_tasks_segment_t  *segment;

    route = request->route;
    request->limit = -1;
    request->page = 1;

    raws = ngx_pcalloc(request->pool, (route->query.nelts + 1)
                                      * sizeof(ngx_http_tasks_raw_t *));
    request->filters = ngx_pcalloc(request->pool,
                                   (route->collection->filters.nelts + 1)
                                   * sizeof(ngx_http_tasks_values_t));

    if (raws == NULL || request->filters == NULL) {
        return NGX_ERROR;
    }

    if (args->len && route->query.nelts
        && ngx_http_tasks_request_query(request, args, raws) != NGX_OK)
    {
        return NGX_ERROR;
    }

    segment = route->segments.elts;

    for (i = 0; i < route->segments.nelts; i++) {

        if (segment[i].param == NULL) {
            continue;
        }

        path.text = request->segments[i];
        path.next = NULL;

        rc = ngx_http_tasks_request_take(request, segment[i].param, &path);

        if (rc != NGX_OK) {
            *error = NGX_HTTP_TASKS_BAD_CURSOR;
            return rc;
        }
    }

    param = route->query.elts;

    for (i = 0; i < route->query.nelts; i++) {

        rc = ngx_http_tasks_request_take(request, &param[i], raws[i]);

        if (rc != NGX_OK) {
            *error = NGX_HTTP_TASKS_BAD_CURSOR;
            return rc;
        }
    }

    if (request->param) {
        request->complaint = &request->param->complaints[request->rule];
        *error = request->complaint->error;

        if (*error == NGX_HTTP_TASKS_NOT_FOUND
            && request->param->role == NGX_HTTP_TASKS_ROLE_ID)
        {
            /* as any id that is not there */
            request->param = NULL;
            ngx_str_null(&request->value);
        }

        return NGX_DECLINED;
    }

    if (request->choice) {
        request->limit = request->choice->limit;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_tasks_request_query(ngx_http_tasks_request_t *request,
    const ngx_str_t *args, ngx_http_tasks_raw_t **raws)
{
    u_char                  *p, *end, *last, *equals;
    ngx_str_t                name, value;
    ngx_uint_t               i;
    ngx_http_tasks_param_t  *param;

    param = request->route->query.elts;
    last = args->data + args->len;

    for (p = args->data; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, '&');
        if (end == NULL) {
            end = last;
        }

        equals = ngx_strlchr(p, end, '=');
        if (equals == NULL) {
            equals = end;
        }

        if (ngx_http_tasks_request_decode(request->pool, p, equals - p, &name)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        for (i = 0; i < request->route->query.nelts; i++) {
            if (ngx_http_tasks_equal(&name, &param[i].name)) {
                break;
            }
        }

        if (i == request->route->query.nelts) {
            continue;
        }

        value.data = equals + (equals < end);
        value.len = end - value.data;

        if (ngx_http_tasks_request_add(request, &param[i], &value, &raws[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* Of a parameter that is there once more, the first or the last one counts. */

static ngx_int_t
ngx_http_tasks_request_add(ngx_http_tasks_request_t *request,
    ngx_http_tasks_param_t *param, ngx_str_t *text,
    ngx_http_tasks_raw_t **raw)
{
    ngx_uint_t             all;
    ngx_http_tasks_raw_t  *added;

    all = (param->multiple == NGX_HTTP_TASKS_REPEATED);

    if (*raw && !all
        && request->definition->repeated == NGX_HTTP_TASKS_REPEATED_FIRST)
    {
        return NGX_OK;
    }

    added = ngx_palloc(request->pool, sizeof(ngx_http_tasks_raw_t));
    if (added == NULL) {
        return NGX_ERROR;
    }

    added->next = NULL;

    if (all || request->definition->repeated == NGX_HTTP_TASKS_REPEATED_ERROR)
    {
        while (*raw) {
            raw = &(*raw)->next;
        }
    }

    *raw = added;

    return ngx_http_tasks_request_decode(request->pool, text->data, text->len,
                                         &added->text);
}


/* "+" is a space; a "%" that no two hex digits follow is itself. */

static ngx_int_t
ngx_http_tasks_request_decode(ngx_pool_t *pool, const u_char *data, size_t len,
    ngx_str_t *text)
{
    size_t     i;
    u_char    *p;
    ngx_int_t  c;

    for (i = 0; i < len && data[i] != '%' && data[i] != '+'; i++) {
        /* void */
    }

    if (i == len) {
        text->data = (u_char *) data;      /* the query is as it came */
        text->len = len;
        return NGX_OK;
    }

    p = ngx_pnalloc(pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->data = p;

    for (i = 0; i < len; i++) {

        if (data[i] == '+') {
            *p++ = ' ';
            continue;
        }

        if (data[i] == '%' && i + 2 < len) {
            c = ngx_hextoi((u_char *) data + i + 1, 2);

            if (c != NGX_ERROR) {
                *p++ = (u_char) c;
                i += 2;
                continue;
            }
        }

        *p++ = data[i];
    }

    text->len = p - text->data;

    return NGX_OK;
}


/*
 * Checks a parameter and puts it to use.  What it fails is noted in the
 * request.  NGX_DECLINED: it is a cursor that leads nowhere, and nothing else
 * was wrong before.
 */
static ngx_int_t
ngx_http_tasks_request_take(ngx_http_tasks_request_t *request,
    ngx_http_tasks_param_t *param, ngx_http_tasks_raw_t *raw)
{
    ngx_int_t  rc;

    rc = ngx_http_tasks_request_param(request, param, raw);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    if (request->param) {
        return NGX_OK;
    }

    request->param = param;
    request->value = raw ? raw->text : param->initial;

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_tasks_request_param(ngx_http_tasks_request_t *request,
    ngx_http_tasks_param_t *param, ngx_http_tasks_raw_t *raw)
{
    ngx_http_tasks_checked_t  checked;

    ngx_memzero(&checked, sizeof(ngx_http_tasks_checked_t));

    if (ngx_http_tasks_param_values(request->pool, param, raw, &checked)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    switch (checked.rule) {

    case NGX_HTTP_TASKS_VALUE_NONE:
        if (param->preset.values.nelts) {
            return ngx_http_tasks_request_use(request, param, &param->preset,
                                              0);
        }

        if (!param->required) {
            return NGX_OK;
        }

        checked.rule = NGX_HTTP_TASKS_RULE_REQUIRED;

        if (raw) {
            checked.raw = raw->text;
        }

        break;

    case NGX_HTTP_TASKS_VALUE_GOOD:
        return ngx_http_tasks_request_use(request, param, &checked, 1);

    case NGX_HTTP_TASKS_RULE_TYPE:
    case NGX_HTTP_TASKS_RULE_MAX_LENGTH:
        if (param->role == NGX_HTTP_TASKS_ROLE_CURSOR) {
            return NGX_DECLINED;
        }

        break;

    default:
        break;
    }

    if (request->param == NULL
        || (checked.rule == NGX_HTTP_TASKS_RULE_TYPE
            && request->rule != NGX_HTTP_TASKS_RULE_TYPE))
    {
        request->param = param;
        request->rule = checked.rule;
        request->value = checked.raw;
    }

    return NGX_OK;
}


/* "given": it was sent; else it is the default. */

static ngx_int_t
ngx_http_tasks_request_use(ngx_http_tasks_request_t *request,
    ngx_http_tasks_param_t *param, ngx_http_tasks_checked_t *checked,
    ngx_uint_t given)
{
    ngx_str_t  *value;

    value = checked->values.elts;

    switch (param->role) {

    case NGX_HTTP_TASKS_ROLE_ID:
        request->id = *value;
        break;

    case NGX_HTTP_TASKS_ROLE_FILTER:
        ngx_http_tasks_request_filter(request, param->filter, &checked->values,
                                      given);
        break;

    case NGX_HTTP_TASKS_ROLE_CHOICE:
        ngx_http_tasks_request_choose(request, param, value, given);
        break;

    case NGX_HTTP_TASKS_ROLE_LIMIT:
        request->limit = ngx_max(checked->number, -1);
        break;

    case NGX_HTTP_TASKS_ROLE_PAGE:
        request->page = checked->number;
        break;

    case NGX_HTTP_TASKS_ROLE_OFFSET:
        request->offset = checked->number;
        break;

    case NGX_HTTP_TASKS_ROLE_CURSOR:
        return ngx_http_tasks_cursor_parse(request, &param->cursor, value);

    default: /* NGX_HTTP_TASKS_ROLE_NONE */
        break;
    }

    return NGX_OK;
}


/* The later of two parameters counts, but not a default of what was sent. */

static void
ngx_http_tasks_request_filter(ngx_http_tasks_request_t *request,
    ngx_uint_t filter, ngx_http_tasks_values_t *values, ngx_uint_t given)
{
    if (given) {
        request->given |= 1 << filter;

    } else if (request->given & (1 << filter)) {
        return;
    }

    request->filters[filter] = *values;
}


static void
ngx_http_tasks_request_choose(ngx_http_tasks_request_t *request,
    ngx_http_tasks_param_t *param, ngx_str_t *value, ngx_uint_t given)
{
    ngx_uint_t                i;
    ngx_http_tasks_values_t   values;
    ngx_http_tasks_choice_t  *choice;

    choice = param->choices->elts;

    while (!ngx_http_tasks_equal(&choice->value, value)) {
        choice++;                          /* the enum is made of them */
    }

    for (i = 0; i < request->route->collection->filters.nelts; i++) {
        if (choice->filters[i]) {
            values.elts = choice->filters[i]->elts;
            values.nelts = choice->filters[i]->nelts;

            ngx_http_tasks_request_filter(request, i, &values, given);
        }
    }

    if (choice->limit >= 0) {
        request->choice = choice;
    }
}
