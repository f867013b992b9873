
/*
 * Compiles routes: method, query, response and errors of each.
 */


#include <ngx_http_tasks_compiler.h>


static ngx_int_t ngx_http_tasks_compile_route(const ngx_http_tasks_node_t *node,
    const ngx_http_tasks_node_t *errors, ngx_http_tasks_route_t *route);
static ngx_int_t ngx_http_tasks_route_collection(
    const ngx_http_tasks_node_t *node, ngx_http_tasks_route_t *route);
static ngx_int_t ngx_http_tasks_route_action(
    const ngx_http_tasks_node_t *node, ngx_http_tasks_route_t *route);
static ngx_int_t ngx_http_tasks_route_query(const ngx_http_tasks_node_t *node,
    const ngx_http_tasks_node_t *errors, ngx_http_tasks_route_t *route,
    ngx_uint_t *roles);
static ngx_int_t ngx_http_tasks_route_indexes(
    const ngx_http_tasks_node_t *node, ngx_http_tasks_route_t *route);
static ngx_uint_t ngx_http_tasks_route_values(ngx_http_tasks_route_t *route,
    ngx_uint_t filter);
static ngx_uint_t ngx_http_tasks_route_same(ngx_http_tasks_route_t *one,
    ngx_http_tasks_route_t *two);
static ngx_int_t ngx_http_tasks_route_split(ngx_http_tasks_route_t *route);
static ngx_int_t ngx_http_tasks_route_nothing(
    const ngx_http_tasks_node_t *node);
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
    ngx_string("none"),
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
    u_char                        number;
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
        route->index = i;

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

    route = definition->routes.elts;

    for (i = 0; i < definition->routes.nelts; i++) {
        ngx_memcpy(route[i].fingerprint, definition->fingerprint, 8);
        number = (u_char) i;
        ngx_hex_dump(route[i].fingerprint + 8, &number, 1);
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_tasks_route_same(ngx_http_tasks_route_t *one,
    ngx_http_tasks_route_t *two)
{
    ngx_uint_t                 i;
    ngx_http_tasks_segment_t  *a, *b;

    if ((one->method.data != two->method.data
         && one->method.len && two->method.len)
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

        if (a[i].param || b[i].param
            || !ngx_http_tasks_equal(&a[i].text, &b[i].text))
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
    ngx_uint_t                    roles;
    ngx_http_tasks_node_t         special;
    ngx_http_tasks_definition_t  *definition;

    static const char *const  keys[] = {
        "action", "collection", "method", "path", "path_parameters", "query",
        "status", "content_type", "headers", "response", "errors",
        "description", NULL
    };

    definition = node->compiler->definition;

    if (ngx_http_tasks_node_keys(node, keys) != NGX_OK
        || ngx_http_tasks_route_collection(node, route) != NGX_OK
        || ngx_http_tasks_route_action(node, route) != NGX_OK)
    {
        return NGX_ERROR;
    }

    node->compiler->route = route;
    roles = 0;

    if (ngx_http_tasks_compile_path(node, errors, route, &roles) != NGX_OK
        || ngx_http_tasks_route_query(node, errors, route, &roles) != NGX_OK
        || ngx_http_tasks_route_indexes(node, route) != NGX_OK
        || ngx_http_tasks_route_response(node, route) != NGX_OK)
    {
        return NGX_ERROR;
    }

    node->compiler->route = NULL;

    rc = ngx_http_tasks_node_member(node, "errors", &special);

    route->errors = (rc == NGX_OK)
                    ? ngx_http_tasks_compile_errors(errors, &special)
                    : definition->errors;

    return route->errors ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_tasks_route_collection(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_route_t *route)
{
    ngx_int_t                      rc;
    ngx_str_t                      key;
    ngx_uint_t                     i, n;
    ngx_pool_t                    *pool;
    ngx_http_tasks_collection_t  **collection;

    ngx_str_set(&key, "");

    rc = ngx_http_tasks_node_string(node, "collection", &key);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    collection = node->compiler->definition->collections.elts;
    n = node->compiler->definition->collections.nelts;

    for (i = (rc == NGX_OK); i < n; i++) {
        if (ngx_http_tasks_equal(&collection[i]->key, &key)) {
            break;
        }
    }

    if (i == n) {
        return ngx_http_tasks_node_error(node, "\"%V\" is not in "
                                         "\"collections\"", &key);
    }

    route->collection = collection[i];
    node->compiler->collection = collection[i];

    pool = node->compiler->cf->pool;
    n = route->collection->fields.nelts + 1;

    if (ngx_array_init(&route->fetch, pool, n, sizeof(void *)) != NGX_OK) {
        return NGX_ERROR;
    }

    route->slots = ngx_palloc(pool, n * sizeof(ngx_int_t));
    if (route->slots == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        route->slots[i] = -1;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_tasks_route_fetch(ngx_http_tasks_compiler_t *compiler,
    ngx_uint_t index)
{
    ngx_http_tasks_field_t  *field, **slot;
    ngx_http_tasks_route_t  *route;

    route = compiler->route;
    field = route->collection->fields.elts;

    if (route->slots[index] != -1) {
        return NGX_OK;
    }

    route->slots[index] = route->fetch.nelts;

    slot = ngx_array_push(&route->fetch);
    if (slot == NULL) {
        return NGX_ERROR;
    }

    *slot = &field[index];

    return NGX_OK;
}


static ngx_int_t
ngx_http_tasks_route_action(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_route_t *route)
{
    ngx_int_t   rc;
    ngx_uint_t  choice;

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
        && route->collection->cancel == NULL)
    {
        return ngx_http_tasks_node_error(node, "the definition says no "
                                    "\"cancel\" rule for this action");
    }

    /* HEAD goes with GET; what is left to others is so with every method */

    choice = (route->action == NGX_HTTP_TASKS_ACTION_CANCEL);

    rc = ngx_http_tasks_node_choice(node, "method",
                                    ngx_http_tasks_method_names, &choice);
    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (route->action == NGX_HTTP_TASKS_ACTION_NONE) {

        if (rc == NGX_DECLINED) {
            ngx_str_set(&route->method, "");
            return NGX_OK;
        }

    } else if ((choice == 0)
               != (route->action != NGX_HTTP_TASKS_ACTION_CANCEL))
    {
        return ngx_http_tasks_node_error(node, "list and get are for the "
                                  "method GET, cancel is for another one");
    }

    route->method = ngx_http_tasks_method_names[choice];

    return NGX_OK;
}


static ngx_int_t
ngx_http_tasks_route_query(const ngx_http_tasks_node_t *node,
    const ngx_http_tasks_node_t *errors, ngx_http_tasks_route_t *route,
    ngx_uint_t *roles)
{
    json_t                  *value;
    const char              *name;
    ngx_uint_t               paging;
    ngx_http_tasks_node_t    query, member;
    ngx_http_tasks_param_t  *param;

    query = *node;
    query.json = NULL;

    if (ngx_http_tasks_node_member(node, "query", &query) == NGX_OK
        && ngx_http_tasks_node_is_object(&query) != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* room for all: the route points at one of them */

    if (ngx_array_init(&route->query, node->compiler->cf->pool,
                       json_object_size(query.json) + 1,
                       sizeof(ngx_http_tasks_param_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    json_object_foreach(query.json, name, value) {
        (void) ngx_http_tasks_node_member(&query, name, &member);

        param = ngx_array_push(&route->query);
        ngx_memzero(param, sizeof(ngx_http_tasks_param_t));

        param->name = ngx_http_tasks_compiler_text(node->compiler, name,
                                                   ngx_strlen(name));
        ngx_str_set(&param->location, "query");

        if (param->name.data == NULL
            || ngx_http_tasks_compile_param(&member, errors, param) != NGX_OK
            || ngx_http_tasks_compile_role(&member, route, param, roles)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

    }

    paging = *roles & (1 << NGX_HTTP_TASKS_ROLE_PAGE
                       | 1 << NGX_HTTP_TASKS_ROLE_OFFSET
                       | 1 << NGX_HTTP_TASKS_ROLE_CURSOR);

    if (paging & (paging - 1)) {
        return ngx_http_tasks_node_error(&query,
                               "page, offset and cursor exclude each other");
    }

    return NGX_OK;
}


/* Only a list uses its parameters, and each role but a filter's once. */

ngx_int_t
ngx_http_tasks_compile_role(const ngx_http_tasks_node_t *node,
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
        && param->role != NGX_HTTP_TASKS_ROLE_CHOICE
        && (*roles & (1 << param->role)))
    {
        return ngx_http_tasks_node_error(node,
                                      "another parameter has the same role");
    }

    *roles |= 1 << param->role;

    if (param->role == NGX_HTTP_TASKS_ROLE_CURSOR) {
        route->cursor = param;
    }

    return NGX_OK;
}


/*
 * A list whose filters have several values is put together from an index for
 * each combination of them.
 */

static ngx_int_t
ngx_http_tasks_route_indexes(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_route_t *route)
{
    ngx_uint_t  i, indexes;

    indexes = 1;

    for (i = 0; i < route->collection->filters.nelts; i++) {
        indexes *= ngx_http_tasks_route_values(route, i);

        if (indexes > NGX_HTTP_TASKS_MAX_INDEXES) {
            return ngx_http_tasks_node_error(node, "a request could ask for "
                    "over %d combinations of filter values; lower "
                    "\"max_items\"", NGX_HTTP_TASKS_MAX_INDEXES);
        }
    }

    return NGX_OK;
}


/* Values that a request can ask of a filter, at most. */

static ngx_uint_t
ngx_http_tasks_route_values(ngx_http_tasks_route_t *route, ngx_uint_t filter)
{
    ngx_uint_t                 i, j, n;
    ngx_http_tasks_param_t    *param;
    ngx_http_tasks_choice_t   *choice;
    ngx_http_tasks_segment_t  *segment;

    n = 1;
    segment = route->segments.elts;

    for (i = 0; i < route->query.nelts + route->segments.nelts; i++) {

        if (i >= route->query.nelts) {
            param = segment[i - route->query.nelts].param;

        } else {
            param = (ngx_http_tasks_param_t *) route->query.elts + i;
        }

        if (param == NULL) {
            continue;
        }

        if (param->role == NGX_HTTP_TASKS_ROLE_FILTER
            && param->filter == filter)
        {
            n = ngx_max(n, param->max_items);
        }

        for (j = 0; param->choices && j < param->choices->nelts; j++) {
            choice = param->choices->elts;

            if (choice[j].filters[filter]) {
                n = ngx_max(n, choice[j].filters[filter]->nelts);
            }
        }
    }

    return n;
}


/* A path that the module leaves alone has nothing to say. */

static ngx_int_t
ngx_http_tasks_route_nothing(const ngx_http_tasks_node_t *node)
{
    ngx_uint_t              i;
    ngx_http_tasks_node_t   member;

    static const char      *names[] = {
        "response", "status", "content_type", "headers", "query", "errors", NULL
    };

    for (i = 0; names[i]; i++) {
        if (ngx_http_tasks_node_member(node, names[i], &member) == NGX_OK) {
            return ngx_http_tasks_node_error(&member,
                                   "is of no use to the action \"none\"");
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_tasks_route_response(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_route_t *route)
{
    int64_t                status;
    ngx_int_t              rc;
    ngx_http_tasks_node_t  response;

    if (route->action == NGX_HTTP_TASKS_ACTION_NONE) {
        return ngx_http_tasks_route_nothing(node);
    }

    rc = ngx_http_tasks_node_member(node, "response", &response);

    route->empty = (rc != NGX_OK);
    status = route->empty ? 204 : 200;
    route->headers = node->compiler->headers;
    route->content_type = node->compiler->content_type;

    if (route->content_type.data == NULL) {
        ngx_str_set(&route->content_type, "application/json");
    }

    if (ngx_http_tasks_node_integer(node, "status", 200, 299, &status)
        == NGX_ERROR
        || ngx_http_tasks_node_line(node, "content_type",
                                    &route->content_type)
           == NGX_ERROR
        || ngx_http_tasks_node_headers(node, &route->headers) == NGX_ERROR)
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

    route->total = (route->response.uses & (NGX_HTTP_TASKS_BIT(TOTAL)
                                            |NGX_HTTP_TASKS_BIT(PAGES))) != 0;

    /* one task more than is shown tells it */

    route->more = (route->response.uses
                   & (NGX_HTTP_TASKS_BIT(NEXT_CURSOR)
                      |NGX_HTTP_TASKS_BIT(HAS_MORE)
                      |NGX_HTTP_TASKS_BIT(NEXT_PAGE)
                      |NGX_HTTP_TASKS_BIT(NEXT_OFFSET))) != 0;

    route->split = ngx_http_tasks_route_split(route);

    return NGX_OK;
}


/*
 * A list is streamed if its tasks stand in one place, and nothing in front of
 * that is known only behind them.
 */

static ngx_int_t
ngx_http_tasks_route_split(ngx_http_tasks_route_t *route)
{
    ngx_int_t               split;
    ngx_uint_t              i;
    ngx_http_tasks_part_t  *part;

    static const uint64_t   late = NGX_HTTP_TASKS_BIT(COUNT)
                                   |NGX_HTTP_TASKS_BIT(HAS_MORE)
                                   |NGX_HTTP_TASKS_BIT(NEXT_CURSOR)
                                   |NGX_HTTP_TASKS_BIT(NEXT_PAGE)
                                   |NGX_HTTP_TASKS_BIT(NEXT_OFFSET)
                                   |NGX_HTTP_TASKS_BIT(LAST_ID);

    split = -1;
    part = route->response.parts.elts;

    for (i = 0; i < route->response.parts.nelts; i++) {

        if (part[i].kind == NGX_HTTP_TASKS_PART_LITERAL
            || part[i].kind == NGX_HTTP_TASKS_PART_SEPARATOR
            || part[i].value >= NGX_HTTP_TASKS_VALUES)
        {
            continue;
        }

        if (part[i].value == NGX_HTTP_TASKS_VALUE_TASKS) {

            if (split != -1 || part[i].kind != NGX_HTTP_TASKS_PART_VALUE) {
                return -1;
            }

            split = i;

        } else if (split == -1 && (late & ((uint64_t) 1 << part[i].value))) {
            return -1;
        }
    }

    return split;
}
