
/*
 * Compiles routes: method, path, query, response and errors of each.
 */


#include <ngx_http_tasks_compiler.h>


static ngx_int_t ngx_http_tasks_compile_route(const ngx_http_tasks_node_t *node,
    const ngx_http_tasks_node_t *errors, ngx_http_tasks_route_t *route);
static ngx_int_t ngx_http_tasks_route_path(const ngx_http_tasks_node_t *node,
    const ngx_http_tasks_node_t *errors, ngx_http_tasks_route_t *route,
    ngx_uint_t *roles);
static ngx_uint_t ngx_http_tasks_route_count(ngx_http_tasks_route_t *route,
    const char *name);
static ngx_int_t ngx_http_tasks_route_segment(
    const ngx_http_tasks_node_t *path, const ngx_http_tasks_node_t *params,
    const ngx_http_tasks_node_t *errors, ngx_http_tasks_route_t *route,
    ngx_http_tasks_segment_t *segment, ngx_uint_t *roles);
static ngx_int_t ngx_http_tasks_route_query(const ngx_http_tasks_node_t *node,
    const ngx_http_tasks_node_t *errors, ngx_http_tasks_route_t *route,
    ngx_uint_t *roles);
static ngx_int_t ngx_http_tasks_route_role(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_route_t *route, ngx_http_tasks_param_t *param,
    ngx_uint_t *roles);
static ngx_uint_t ngx_http_tasks_route_same(ngx_http_tasks_route_t *one,
    ngx_http_tasks_route_t *two);
static ngx_int_t ngx_http_tasks_route_response(
    const ngx_http_tasks_node_t *node, ngx_http_tasks_route_t *route);


static ngx_str_t  ngx_http_tasks_method_names[] = {
    ngx_string("GET"),
    ngx_string("POST"),
    ngx_string("PUT"),
    ngx_string("PATCH"),
    ngx_string("DELETE"),
    ngx_null_string
};


ngx_str_t  ngx_http_tasks_action_names[] = {
    ngx_string("list"),
    ngx_string("get"),
    ngx_string("cancel"),
    ngx_null_string
};


static ngx_int_t
ngx_http_tasks_route_order(const void *one, const void *two)
{
    const ngx_http_tasks_route_t  *first, *second;

    first = one;
    second = two;

    /* a literal path wins over one with parameters */

    return (first->segments.nelts != first->literals)
           - (second->segments.nelts != second->literals);
}


ngx_int_t
ngx_http_tasks_compile_routes(const ngx_http_tasks_node_t *node,
    const ngx_http_tasks_node_t *errors)
{
    size_t                        i, j;
    ngx_http_tasks_node_t         routes, element;
    ngx_http_tasks_route_t       *route, *former;
    ngx_http_tasks_definition_t  *definition;

    definition = node->compiler->definition;

    if (ngx_http_tasks_node_member(node, "routes", &routes) != NGX_OK
        || !json_is_array(routes.json) || json_array_size(routes.json) == 0)
    {
        return ngx_http_tasks_node_error(node,
                                         "\"routes\" must be an array of at "
                                         "least one route");
    }

    if (ngx_array_init(&definition->routes, node->compiler->cf->pool,
                       json_array_size(routes.json),
                       sizeof(ngx_http_tasks_route_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < json_array_size(routes.json); i++) {
        ngx_http_tasks_node_element(&routes, i, &element);

        route = ngx_array_push(&definition->routes);
        ngx_memzero(route, sizeof(ngx_http_tasks_route_t));

        if (ngx_http_tasks_compile_route(&element, errors, route) != NGX_OK) {
            return NGX_ERROR;
        }

        former = definition->routes.elts;

        for (j = 0; j < i; j++) {
            if (ngx_http_tasks_route_same(&former[j], route)) {
                return ngx_http_tasks_node_error(&element,
                        "has the method and path of routes[%uz]", j);
            }
        }
    }

    ngx_sort(definition->routes.elts, definition->routes.nelts,
             sizeof(ngx_http_tasks_route_t), ngx_http_tasks_route_order);

    return NGX_OK;
}


static ngx_uint_t
ngx_http_tasks_route_same(ngx_http_tasks_route_t *one,
    ngx_http_tasks_route_t *two)
{
    ngx_uint_t                 i;
    ngx_http_tasks_segment_t  *a, *b;

    if (one->method.data != two->method.data
        || one->segments.nelts != two->segments.nelts)
    {
        return 0;
    }

    a = one->segments.elts;
    b = two->segments.elts;

    for (i = 0; i < one->segments.nelts; i++) {

        if (a[i].param && b[i].param) {
            continue;
        }

        if (a[i].param || b[i].param || a[i].text.len != b[i].text.len
            || ngx_strncmp(a[i].text.data, b[i].text.data, a[i].text.len) != 0)
        {
            return 0;
        }
    }

    return 1;
}


static ngx_int_t
ngx_http_tasks_compile_route(const ngx_http_tasks_node_t *node,
    const ngx_http_tasks_node_t *errors, ngx_http_tasks_route_t *route)
{
    ngx_int_t                     rc;
    ngx_uint_t                    i, choice, roles;
    ngx_http_tasks_node_t         special;
    ngx_http_tasks_definition_t  *definition;

    static const char *const  keys[] = {
        "action", "method", "path", "path_parameters", "query", "status",
        "content_type", "response", "errors", "description", NULL
    };

    definition = node->compiler->definition;

    if (ngx_http_tasks_node_keys(node, keys) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_http_tasks_node_choice(node, "action",
                                    ngx_http_tasks_action_names, &choice);

    if (rc == NGX_DECLINED) {
        return ngx_http_tasks_node_error(node, "\"action\" is missing");
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    route->action = choice;

    if (route->action == NGX_HTTP_TASKS_ACTION_CANCEL
        && definition->cancel == NULL)
    {
        return ngx_http_tasks_node_error(node, "the definition says no "
                                    "\"cancel\" rule for this action");
    }

    /* HEAD goes with GET */

    choice = (route->action == NGX_HTTP_TASKS_ACTION_CANCEL);

    if (ngx_http_tasks_node_choice(node, "method", ngx_http_tasks_method_names,
                                   &choice)
        == NGX_ERROR)
    {
        return NGX_ERROR;
    }

    if ((choice == 0) != (route->action != NGX_HTTP_TASKS_ACTION_CANCEL)) {
        return ngx_http_tasks_node_error(node, "list and get are for the "
                                  "method GET, cancel is for another one");
    }

    route->method = ngx_http_tasks_method_names[choice];

    roles = 0;

    if (ngx_http_tasks_route_path(node, errors, route, &roles) != NGX_OK
        || ngx_http_tasks_route_query(node, errors, route, &roles) != NGX_OK
        || ngx_http_tasks_route_response(node, route) != NGX_OK)
    {
        return NGX_ERROR;
    }

    rc = ngx_http_tasks_node_member(node, "errors", &special);

    if (rc == NGX_OK
        && ngx_http_tasks_compile_error_keys(&special, 0) != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_HTTP_TASKS_ERRORS; i++) {
        route->errors[i] = (rc == NGX_OK)
                         ? ngx_http_tasks_compile_error(errors, &special, i)
                         : definition->errors[i];

        if (route->errors[i] == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* Splits "/{id}/cancel"; "" has no segments, "/" has one empty one. */

static ngx_int_t
ngx_http_tasks_route_path(const ngx_http_tasks_node_t *node,
    const ngx_http_tasks_node_t *errors, ngx_http_tasks_route_t *route,
    ngx_uint_t *roles)
{
    u_char                    *p, *end, *last;
    json_t                    *value;
    ngx_str_t                  path;
    ngx_uint_t                 ids;
    const char                *name;
    ngx_http_tasks_node_t      member, params;
    ngx_http_tasks_segment_t  *segment;

    if (ngx_array_init(&route->segments, node->compiler->cf->pool, 4,
                       sizeof(ngx_http_tasks_segment_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_str_set(&path, "");

    if (ngx_http_tasks_node_string(node, "path", &path) == NGX_ERROR) {
        return NGX_ERROR;
    }

    member = *node;
    (void) ngx_http_tasks_node_member(node, "path", &member);

    params = *node;
    params.json = NULL;

    if (ngx_http_tasks_node_member(node, "path_parameters", &params) == NGX_OK
        && ngx_http_tasks_node_is_object(&params) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (path.len && path.data[0] != '/') {
        return ngx_http_tasks_node_error(&member, "must start with \"/\"");
    }

    ids = 0;
    last = path.data + path.len;

    for (p = path.data; p < last; p = end) {
        p++;

        end = ngx_strlchr(p, last, '/');
        if (end == NULL) {
            end = last;
        }

        segment = ngx_array_push(&route->segments);
        if (segment == NULL) {
            return NGX_ERROR;
        }

        segment->text.data = p;
        segment->text.len = end - p;
        segment->param = NULL;

        if (ngx_http_tasks_route_segment(&member, &params, errors, route,
                                         segment, roles)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (segment->param == NULL) {
            route->literals++;

        } else if (segment->param == &node->compiler->definition->id) {
            ids++;
        }
    }

    if (route->segments.nelts > NGX_HTTP_TASKS_MAX_SEGMENTS) {
        return ngx_http_tasks_node_error(&member, "has more than %d segments",
                                         NGX_HTTP_TASKS_MAX_SEGMENTS);
    }

    json_object_foreach(params.json, name, value) {
        if (ngx_http_tasks_route_count(route, name) != 1) {
            return ngx_http_tasks_node_error(&params,
                                       "\"path\" must hold {%s} once", name);
        }
    }

    if (ids != (route->action == NGX_HTTP_TASKS_ACTION_LIST ? 0 : 1)) {
        return ngx_http_tasks_node_error(&member,
                         route->action == NGX_HTTP_TASKS_ACTION_LIST
                         ? "a list has no \"{id}\""
                         : "must hold \"{id}\" once");
    }

    return NGX_OK;
}


/* Segments that are the parameter of a name. */

static ngx_uint_t
ngx_http_tasks_route_count(ngx_http_tasks_route_t *route, const char *name)
{
    ngx_uint_t                 i, n;
    ngx_http_tasks_segment_t  *segment;

    n = 0;
    segment = route->segments.elts;

    for (i = 0; i < route->segments.nelts; i++) {
        if (segment[i].param
            && segment[i].text.len == ngx_strlen(name)
            && ngx_strncmp(segment[i].text.data, name, segment[i].text.len)
               == 0)
        {
            n++;
        }
    }

    return n;
}


static ngx_int_t
ngx_http_tasks_route_segment(const ngx_http_tasks_node_t *path,
    const ngx_http_tasks_node_t *params, const ngx_http_tasks_node_t *errors,
    ngx_http_tasks_route_t *route, ngx_http_tasks_segment_t *segment,
    ngx_uint_t *roles)
{
    u_char                  *brace;
    ngx_str_t               *text;
    ngx_http_tasks_node_t    node;
    ngx_http_tasks_param_t  *param;

    text = &segment->text;
    brace = ngx_strlchr(text->data, text->data + text->len, '{');

    if (brace == NULL) {
        return NGX_OK;
    }

    if (brace != text->data || text->len < 3
        || text->data[text->len - 1] != '}')
    {
        return ngx_http_tasks_node_error(path,
                         "a parameter must be a whole segment, as in \"{id}\"");
    }

    /* between the braces */

    *text = ngx_http_tasks_compiler_text(path->compiler,
                                         (char *) text->data + 1,
                                         text->len - 2);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    if (ngx_strcmp(text->data, "id") == 0) {
        segment->param = &path->compiler->definition->id;
        return NGX_OK;
    }

    if (ngx_http_tasks_node_member(params, (char *) text->data, &node)
        != NGX_OK)
    {
        return ngx_http_tasks_node_error(path,
                        "\"{%V}\" is not in \"path_parameters\"", text);
    }

    param = ngx_pcalloc(path->compiler->cf->pool,
                        sizeof(ngx_http_tasks_param_t));
    if (param == NULL) {
        return NGX_ERROR;
    }

    segment->param = param;
    param->name = *text;
    ngx_str_set(&param->location, "path");

    if (ngx_http_tasks_compile_param(&node, errors, param) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_tasks_route_role(&node, route, param, roles);
}


static ngx_int_t
ngx_http_tasks_route_query(const ngx_http_tasks_node_t *node,
    const ngx_http_tasks_node_t *errors, ngx_http_tasks_route_t *route,
    ngx_uint_t *roles)
{
    json_t                  *value;
    const char              *name;
    ngx_http_tasks_node_t    query, member;
    ngx_http_tasks_param_t  *param;

    if (ngx_array_init(&route->query, node->compiler->cf->pool, 4,
                       sizeof(ngx_http_tasks_param_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_tasks_node_member(node, "query", &query) != NGX_OK) {
        return NGX_OK;
    }

    if (ngx_http_tasks_node_is_object(&query) != NGX_OK) {
        return NGX_ERROR;
    }

    json_object_foreach(query.json, name, value) {
        (void) ngx_http_tasks_node_member(&query, name, &member);

        param = ngx_array_push(&route->query);
        if (param == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(param, sizeof(ngx_http_tasks_param_t));

        param->name = ngx_http_tasks_compiler_text(node->compiler, name,
                                                   ngx_strlen(name));
        ngx_str_set(&param->location, "query");

        if (param->name.data == NULL
            || ngx_http_tasks_compile_param(&member, errors, param) != NGX_OK
            || ngx_http_tasks_route_role(&member, route, param, roles)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if ((*roles & (1 << NGX_HTTP_TASKS_ROLE_PAGE))
        && (*roles & (1 << NGX_HTTP_TASKS_ROLE_CURSOR)))
    {
        return ngx_http_tasks_node_error(&query,
                               "page and cursor exclude each other");
    }

    return NGX_OK;
}


/* Only a list uses its parameters, and each role but a filter's once. */

static ngx_int_t
ngx_http_tasks_route_role(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_route_t *route, ngx_http_tasks_param_t *param,
    ngx_uint_t *roles)
{
    if (param->role == NGX_HTTP_TASKS_ROLE_NONE) {
        return NGX_OK;
    }

    if (route->action != NGX_HTTP_TASKS_ACTION_LIST) {
        return ngx_http_tasks_node_error(node, "only a list has such a role");
    }

    if (param->role != NGX_HTTP_TASKS_ROLE_FILTER
        && (*roles & (1 << param->role)))
    {
        return ngx_http_tasks_node_error(node,
                                      "another parameter has the same role");
    }

    *roles |= 1 << param->role;

    return NGX_OK;
}


static ngx_int_t
ngx_http_tasks_route_response(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_route_t *route)
{
    int64_t                status;
    ngx_int_t              rc;
    ngx_http_tasks_node_t  response;

    rc = ngx_http_tasks_node_member(node, "response", &response);

    route->empty = (rc != NGX_OK);
    status = route->empty ? 204 : 200;
    ngx_str_set(&route->content_type, "application/json");

    if (ngx_http_tasks_node_integer(node, "status", 200, 299, &status)
        == NGX_ERROR
        || ngx_http_tasks_node_line(node, "content_type",
                                    &route->content_type)
           == NGX_ERROR)
    {
        return NGX_ERROR;
    }

    route->status = status;

    if (route->empty) {

        if (route->action != NGX_HTTP_TASKS_ACTION_CANCEL) {
            return ngx_http_tasks_node_error(node, "\"response\" is missing");
        }

        return ngx_http_tasks_template_init(&route->response,
                                            node->compiler->cf->pool);
    }

    if (ngx_http_tasks_compile_body(&response,
                                  ngx_http_tasks_action_values[route->action],
                                  &route->response)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    route->total = ngx_http_tasks_template_uses(&route->response,
                                                NGX_HTTP_TASKS_VALUE_TOTAL)
                   || ngx_http_tasks_template_uses(&route->response,
                                                   NGX_HTTP_TASKS_VALUE_PAGES);

    return NGX_OK;
}
