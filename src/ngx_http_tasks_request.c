
/*
 * Everything that a client can say is looked at here, before any of it is
 * used: path, query, and the form of what they hold.
 */


#include <ngx_http_tasks_request.h>


static ngx_int_t ngx_http_tasks_request_split(
    ngx_http_tasks_request_t *request, const ngx_str_t *path, ngx_uint_t *n);
static ngx_int_t ngx_http_tasks_request_query(
    ngx_http_tasks_request_t *request, const ngx_str_t *args,
    ngx_str_t *values, ngx_uint_t *counts);
static ngx_int_t ngx_http_tasks_request_decode(ngx_pool_t *pool,
    const u_char *data, size_t len, ngx_str_t *text);
static ngx_int_t ngx_http_tasks_request_param(
    ngx_http_tasks_request_t *request, ngx_http_tasks_param_t *param,
    ngx_str_t *raw, ngx_uint_t count);
static ngx_uint_t ngx_http_tasks_param_integer(ngx_http_tasks_param_t *param,
    ngx_str_t *raw, u_char *buf, ngx_str_t *value, int64_t *number);
static ngx_uint_t ngx_http_tasks_param_listed(ngx_array_t *list,
    const ngx_str_t *value);
static ngx_int_t ngx_http_tasks_request_use(ngx_http_tasks_request_t *request,
    ngx_http_tasks_param_t *param, ngx_str_t *value, int64_t number);
static ngx_int_t ngx_http_tasks_request_position(
    ngx_http_tasks_request_t *request, ngx_str_t *cursor);


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
                : (request->segments[j].len != segment[j].text.len
                   || ngx_strncmp(request->segments[j].data,
                                  segment[j].text.data, segment[j].text.len)
                      != 0))
            {
                break;
            }
        }

        if (j < n) {
            continue;
        }

        if ((method->len == route[i].method.len
             && ngx_strncmp(method->data, route[i].method.data, method->len)
                == 0)
            || (method->len == 4 && route[i].method.len == 3
                && ngx_strncmp(method->data, "HEAD", 4) == 0
                && ngx_strncmp(route[i].method.data, "GET", 3) == 0))
        {
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

        p = ngx_sprintf(p, "%s%V%s", p == allow->data ? "" : ", ",
                        &route[i].method,
                        route[i].method.len == 3 && route[i].method.data[0]
                        == 'G' ? ", HEAD" : "");
    }

    if (p == NULL) {
        return NGX_DECLINED;
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
    ngx_str_t                 *values;
    ngx_uint_t                 i, *counts;
    ngx_http_tasks_param_t    *param;
    ngx_http_tasks_route_t    *route;
    ngx_http_tasks_segment_t  *segment;

    route = request->route;
    request->limit = -1;
    request->page = 1;

    values = ngx_pcalloc(request->pool,
                         (route->query.nelts + 1)
                         * (sizeof(ngx_str_t) + sizeof(ngx_uint_t))
                         + (request->definition->filters.nelts + 1)
                           * sizeof(ngx_str_t));
    if (values == NULL) {
        return NGX_ERROR;
    }

    request->filters = values + route->query.nelts + 1;
    counts = (ngx_uint_t *) (request->filters
                             + request->definition->filters.nelts + 1);

    if (args->len && route->query.nelts
        && ngx_http_tasks_request_query(request, args, values, counts)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    segment = route->segments.elts;

    for (i = 0; i < route->segments.nelts; i++) {

        if (segment[i].param
            && ngx_http_tasks_request_param(request, segment[i].param,
                                            &request->segments[i], 1)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    param = route->query.elts;

    for (i = 0; i < route->query.nelts; i++) {
        rc = ngx_http_tasks_request_param(request, &param[i], &values[i],
                                          counts[i]);
        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc == NGX_DECLINED && request->param == NULL) {
            request->param = &param[i];
            request->value = values[i];
            *error = NGX_HTTP_TASKS_BAD_CURSOR;
            return NGX_DECLINED;
        }
    }

    if (request->param) {
        request->complaint = &request->param->complaints[request->rule];
        *error = request->complaint->error;
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_tasks_request_query(ngx_http_tasks_request_t *request,
    const ngx_str_t *args, ngx_str_t *values, ngx_uint_t *counts)
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
            if (name.len == param[i].name.len
                && ngx_strncmp(name.data, param[i].name.data, name.len) == 0)
            {
                break;
            }
        }

        if (i == request->route->query.nelts) {
            continue;
        }

        if (counts[i]++ && request->definition->repeated
                           == NGX_HTTP_TASKS_REPEATED_FIRST)
        {
            continue;
        }

        if (equals < end) {
            equals++;
        }

        if (ngx_http_tasks_request_decode(request->pool, equals, end - equals,
                                          &value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        values[i] = value;
    }

    return NGX_OK;
}


/* "+" is a space; a "%" that no two hex digits follow is itself. */

static ngx_int_t
ngx_http_tasks_request_decode(ngx_pool_t *pool, const u_char *data, size_t len,
    ngx_str_t *text)
{
    size_t     i;
    u_char    *p;
    ngx_int_t  c;

    p = ngx_pnalloc(pool, len + 1);
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
 * request.  NGX_DECLINED: it is a cursor that leads nowhere.
 */
static ngx_int_t
ngx_http_tasks_request_param(ngx_http_tasks_request_t *request,
    ngx_http_tasks_param_t *param, ngx_str_t *raw, ngx_uint_t count)
{
    u_char      buf[NGX_INT64_LEN];
    int64_t     number;
    ngx_str_t   value;
    ngx_uint_t  rule;

    number = 0;

    if (count > 1 && request->definition->repeated
                     == NGX_HTTP_TASKS_REPEATED_ERROR)
    {
        rule = NGX_HTTP_TASKS_RULE_REPEATED;

    } else if (count) {
        rule = ngx_http_tasks_param_check(param, raw, buf, &value, &number);

    } else {
        rule = NGX_HTTP_TASKS_VALUE_NONE;
    }

    if (rule == NGX_HTTP_TASKS_VALUE_NONE) {

        if (param->initial.data) {
            rule = ngx_http_tasks_param_check(param, &param->initial, buf,
                                              &value, &number);

        } else if (param->required) {
            rule = NGX_HTTP_TASKS_RULE_REQUIRED;
        }
    }

    if (rule == NGX_HTTP_TASKS_VALUE_NONE) {
        return NGX_OK;
    }

    if (rule == NGX_HTTP_TASKS_VALUE_GOOD) {

        if (param->type == NGX_HTTP_TASKS_TYPE_INTEGER) {
            value.data = ngx_pstrdup(request->pool, &value);
            if (value.data == NULL) {
                return NGX_ERROR;
            }
        }

        return ngx_http_tasks_request_use(request, param, &value, number);
    }

    if (param->role == NGX_HTTP_TASKS_ROLE_CURSOR
        && (rule == NGX_HTTP_TASKS_RULE_TYPE
            || rule == NGX_HTTP_TASKS_RULE_MAX_LENGTH))
    {
        return NGX_DECLINED;
    }

    if (request->param == NULL
        || (rule == NGX_HTTP_TASKS_RULE_TYPE
            && request->rule != NGX_HTTP_TASKS_RULE_TYPE))
    {
        request->param = param;
        request->rule = rule;
        request->value = *raw;
    }

    return NGX_OK;
}


ngx_uint_t
ngx_http_tasks_param_check(ngx_http_tasks_param_t *param, ngx_str_t *raw,
    u_char *buf, ngx_str_t *value, int64_t *number)
{
    ngx_uint_t  rule;

    static ngx_str_t  yes = ngx_string("true"), no = ngx_string("false");

    if (param->absent_if
        && ngx_http_tasks_param_listed(param->absent_if, raw))
    {
        return NGX_HTTP_TASKS_VALUE_NONE;
    }

    *value = *raw;

    switch (param->type) {

    case NGX_HTTP_TASKS_TYPE_INTEGER:
        rule = ngx_http_tasks_param_integer(param, raw, buf, value, number);

        if (rule != NGX_HTTP_TASKS_VALUE_GOOD) {
            return rule;
        }

        break;

    case NGX_HTTP_TASKS_TYPE_BOOLEAN:
        if ((raw->len == 4 && ngx_strncmp(raw->data, "true", 4) == 0)
            || (raw->len == 1 && raw->data[0] == '1'))
        {
            *value = yes;

        } else if ((raw->len == 5 && ngx_strncmp(raw->data, "false", 5) == 0)
                   || (raw->len == 1 && raw->data[0] == '0'))
        {
            *value = no;

        } else {
            return NGX_HTTP_TASKS_RULE_TYPE;
        }

        break;

    default: /* NGX_HTTP_TASKS_TYPE_STRING */
        if (raw->len > param->max_length) {
            return NGX_HTTP_TASKS_RULE_MAX_LENGTH;
        }

        if (!ngx_http_tasks_is_text(raw)
            || (raw->len == 0 && param->role == NGX_HTTP_TASKS_ROLE_ID))
        {
            return NGX_HTTP_TASKS_RULE_TYPE;
        }
    }

    if (param->values
        && !ngx_http_tasks_param_listed(param->values, value))
    {
        return NGX_HTTP_TASKS_RULE_ENUM;
    }

    if (param->pattern
        && ngx_regex_exec(param->pattern, value, NULL, 0) < 0)
    {
        return NGX_HTTP_TASKS_RULE_PATTERN;
    }

    return NGX_HTTP_TASKS_VALUE_GOOD;
}


static ngx_uint_t
ngx_http_tasks_param_integer(ngx_http_tasks_param_t *param, ngx_str_t *raw,
    u_char *buf, ngx_str_t *value, int64_t *number)
{
    u_char      *p, *last;
    uint64_t     n, max;
    ngx_uint_t   negative;

    p = raw->data;
    last = p + raw->len;

    negative = (p < last && *p == '-');

    if (p < last && (*p == '-' || *p == '+')) {
        p++;
    }

    if (p == last) {
        return NGX_HTTP_TASKS_RULE_TYPE;
    }

    max = (uint64_t) INT64_MAX + negative;

    for (n = 0; p < last; p++) {

        if (*p < '0' || *p > '9'
            || n > max / 10 || n * 10 > max - (*p - '0'))
        {
            return NGX_HTTP_TASKS_RULE_TYPE;
        }

        n = n * 10 + (*p - '0');
    }

    *number = negative ? (int64_t) (0 - n) : (int64_t) n;

    value->data = buf;
    value->len = ngx_sprintf(buf, "%L", *number) - buf;

    if (param->absent_if
        && ngx_http_tasks_param_listed(param->absent_if, value))
    {
        return NGX_HTTP_TASKS_VALUE_NONE;
    }

    if (*number < param->minimum) {
        return NGX_HTTP_TASKS_RULE_MINIMUM;
    }

    if (*number > param->maximum) {
        return NGX_HTTP_TASKS_RULE_MAXIMUM;
    }

    return NGX_HTTP_TASKS_VALUE_GOOD;
}


static ngx_uint_t
ngx_http_tasks_param_listed(ngx_array_t *list, const ngx_str_t *value)
{
    ngx_str_t   *listed;
    ngx_uint_t   i;

    listed = list->elts;

    for (i = 0; i < list->nelts; i++) {
        if (listed[i].len == value->len
            && ngx_strncmp(listed[i].data, value->data, value->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_tasks_request_use(ngx_http_tasks_request_t *request,
    ngx_http_tasks_param_t *param, ngx_str_t *value, int64_t number)
{
    switch (param->role) {

    case NGX_HTTP_TASKS_ROLE_ID:
        request->id = *value;
        break;

    case NGX_HTTP_TASKS_ROLE_FILTER:
        request->filters[param->filter] = *value;
        break;

    case NGX_HTTP_TASKS_ROLE_LIMIT:
        request->limit = number;
        break;

    case NGX_HTTP_TASKS_ROLE_PAGE:
        request->page = number;
        break;

    case NGX_HTTP_TASKS_ROLE_CURSOR:
        return ngx_http_tasks_request_position(request, value);

    default: /* NGX_HTTP_TASKS_ROLE_NONE */
        break;
    }

    return NGX_OK;
}


/* A cursor is a position, ORDER KEY:ID, in URL-safe base64. */

ngx_int_t
ngx_http_tasks_request_cursor(ngx_pool_t *pool, const ngx_str_t *position,
    ngx_str_t *cursor)
{
    ngx_str_t  source;

    source = *position;

    cursor->data = ngx_pnalloc(pool, ngx_base64_encoded_length(source.len));
    if (cursor->data == NULL) {
        return NGX_ERROR;
    }

    ngx_encode_base64url(cursor, &source);

    return NGX_OK;
}


static ngx_int_t
ngx_http_tasks_request_position(ngx_http_tasks_request_t *request,
    ngx_str_t *cursor)
{
    size_t      i;
    u_char     *colon;
    ngx_str_t   position, again;

    position.data = ngx_pnalloc(request->pool,
                                ngx_base64_decoded_length(cursor->len) + 1);
    if (position.data == NULL) {
        return NGX_ERROR;
    }

    if (ngx_decode_base64url(&position, cursor) != NGX_OK
        || ngx_http_tasks_request_cursor(request->pool, &position, &again)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    /* one position has one cursor: trailing bits and padding are not let by */

    if (again.len != cursor->len
        || ngx_strncmp(again.data, cursor->data, again.len) != 0
        || !ngx_http_tasks_is_text(&position))
    {
        return NGX_DECLINED;
    }

    colon = ngx_strlchr(position.data, position.data + position.len, ':');

    if (colon == NULL || colon + 1 == position.data + position.len) {
        return NGX_DECLINED;
    }

    if (request->definition->order->type != NGX_HTTP_TASKS_TYPE_STRING) {

        if (colon - position.data != 14) {
            return NGX_DECLINED;
        }

        for (i = 0; i < 14; i++) {
            if ((position.data[i] < '0' || position.data[i] > '9')
                && (position.data[i] < 'a' || position.data[i] > 'f'))
            {
                return NGX_DECLINED;
            }
        }
    }

    request->cursor = position;

    return NGX_OK;
}
