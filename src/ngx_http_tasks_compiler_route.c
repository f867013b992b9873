
/*
 * Compiles parameters and routes.
 */


#include <ngx_http_tasks_compiler.h>


#define NGX_HTTP_TASKS_MAX_LENGTH  255   /* of a parameter, bytes */


static ngx_int_t ngx_http_tasks_param_role(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_param_t *param);
static ngx_int_t ngx_http_tasks_param_bounds(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_param_t *param);
static ngx_int_t ngx_http_tasks_param_pattern(
    const ngx_http_tasks_node_t *node, ngx_http_tasks_param_t *param);
static ngx_int_t ngx_http_tasks_param_complaints(
    const ngx_http_tasks_node_t *node, const ngx_http_tasks_node_t *errors,
    ngx_http_tasks_param_t *param);
static ngx_int_t ngx_http_tasks_compile_route(const ngx_http_tasks_node_t *node,
    const ngx_http_tasks_node_t *errors, ngx_http_tasks_route_t *route);
static ngx_int_t ngx_http_tasks_route_path(const ngx_http_tasks_node_t *node,
    const ngx_http_tasks_node_t *errors, ngx_http_tasks_route_t *route);
static ngx_int_t ngx_http_tasks_route_query(const ngx_http_tasks_node_t *node,
    const ngx_http_tasks_node_t *errors, ngx_http_tasks_route_t *route);
static ngx_int_t ngx_http_tasks_route_response(
    const ngx_http_tasks_node_t *node, ngx_http_tasks_route_t *route);


ngx_str_t  ngx_http_tasks_rule_names[] = {
    ngx_string("required"),
    ngx_string("type"),
    ngx_string("minimum"),
    ngx_string("maximum"),
    ngx_string("enum"),
    ngx_string("pattern"),
    ngx_string("max_length"),
    ngx_string("repeated"),
    ngx_null_string
};


static const char  *ngx_http_tasks_rule_messages[] = {
    "$parameter is required",
    "$parameter is not of the right type",
    "$parameter is too small",
    "$parameter is too large",
    "$parameter is not one of the allowed values",
    "$parameter does not have the right form",
    "$parameter is too long",
    "$parameter is given more than once"
};


static ngx_str_t  ngx_http_tasks_role_names[] = {
    ngx_string("none"),
    ngx_string("id"),
    ngx_string("filter"),
    ngx_string("limit"),
    ngx_string("page"),
    ngx_string("cursor"),
    ngx_null_string
};


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


ngx_int_t
ngx_http_tasks_compile_param(const ngx_http_tasks_node_t *node,
    const ngx_http_tasks_node_t *errors, const char *location,
    ngx_http_tasks_param_t *param)
{
    ngx_int_t              rc;
    ngx_uint_t             choice, flag;
    ngx_http_tasks_node_t  member;

    static const char *const  keys[] = {
        "name", "type", "role", "filter", "required", "default", "minimum",
        "maximum", "max_length", "enum", "pattern", "absent_if", "errors",
        "description", NULL
    };

    if (ngx_http_tasks_node_keys(node, keys) != NGX_OK) {
        return NGX_ERROR;
    }

    param->location.data = (u_char *) location;
    param->location.len = ngx_strlen(location);

    choice = NGX_HTTP_TASKS_TYPE_STRING;

    if (ngx_http_tasks_node_choice(node, "type", ngx_http_tasks_type_names,
                                   &choice)
        == NGX_ERROR)
    {
        return NGX_ERROR;
    }

    param->type = choice;

    if (param->type != NGX_HTTP_TASKS_TYPE_STRING
        && param->type != NGX_HTTP_TASKS_TYPE_INTEGER
        && param->type != NGX_HTTP_TASKS_TYPE_BOOLEAN)
    {
        return ngx_http_tasks_node_error(node, "a parameter's type must be "
                                         "string, integer or boolean");
    }

    flag = 0;

    if (ngx_http_tasks_node_flag(node, "required", &flag) == NGX_ERROR
        || ngx_http_tasks_param_role(node, param) != NGX_OK
        || ngx_http_tasks_param_bounds(node, param) != NGX_OK
        || ngx_http_tasks_node_list(node, "enum", &param->values) == NGX_ERROR
        || ngx_http_tasks_node_list(node, "absent_if", &param->absent_if)
           == NGX_ERROR
        || ngx_http_tasks_param_pattern(node, param) != NGX_OK)
    {
        return NGX_ERROR;
    }

    param->required = flag;

    rc = ngx_http_tasks_node_member(node, "default", &member);

    if (rc == NGX_OK) {

        if (param->required) {
            return ngx_http_tasks_node_error(&member,
                                "a required parameter needs no default");
        }

        if (json_is_string(member.json)) {
            rc = ngx_http_tasks_node_string(node, "default", &param->initial);

        } else {
            param->initial = ngx_http_tasks_compiler_dump(node->compiler,
                                                          member.json);
            rc = param->initial.data ? NGX_OK : NGX_ERROR;
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }

        if ((param->type == NGX_HTTP_TASKS_TYPE_STRING)
               != json_is_string(member.json)
            || (param->type == NGX_HTTP_TASKS_TYPE_INTEGER)
               != json_is_integer(member.json))
        {
            return ngx_http_tasks_node_error(&member,
                                   "must be of the parameter's type");
        }
    }

    return ngx_http_tasks_param_complaints(node, errors, param);
}


static ngx_int_t
ngx_http_tasks_param_role(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_param_t *param)
{
    ngx_str_t                     field;
    ngx_int_t                     rc;
    ngx_uint_t                    i, choice;
    ngx_http_tasks_node_t         member;
    ngx_http_tasks_field_t      **filters;
    ngx_http_tasks_definition_t  *definition;

    choice = param->role;
    rc = ngx_http_tasks_node_choice(node, "role", ngx_http_tasks_role_names,
                                    &choice);
    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_OK && (choice == NGX_HTTP_TASKS_ROLE_FILTER
                         || choice == NGX_HTTP_TASKS_ROLE_ID))
    {
        return ngx_http_tasks_node_error(node, "a filter is named by "
                          "\"filter\", the id by \"{id}\" in the path");
    }

    param->role = choice;

    rc = ngx_http_tasks_node_string(node, "filter", &field);

    if (rc == NGX_OK) {
        (void) ngx_http_tasks_node_member(node, "filter", &member);

        if (choice != NGX_HTTP_TASKS_ROLE_NONE) {
            return ngx_http_tasks_node_error(&member,
                                          "excludes a role");
        }

        definition = node->compiler->definition;
        filters = definition->filters.elts;

        for (i = 0; i < definition->filters.nelts; i++) {
            if (filters[i]->name.len == field.len
                && ngx_strncmp(filters[i]->name.data, field.data, field.len)
                   == 0)
            {
                break;
            }
        }

        if (i == definition->filters.nelts) {
            return ngx_http_tasks_node_error(&member,
                       "\"%V\" is not a field with \"filter\": true", &field);
        }

        if (filters[i]->type != param->type) {
            return ngx_http_tasks_node_error(node,
                       "is of another type than the field \"%V\"", &field);
        }

        param->role = NGX_HTTP_TASKS_ROLE_FILTER;
        param->filter = i;
    }

    if ((param->role == NGX_HTTP_TASKS_ROLE_LIMIT
         || param->role == NGX_HTTP_TASKS_ROLE_PAGE)
        && param->type != NGX_HTTP_TASKS_TYPE_INTEGER)
    {
        return ngx_http_tasks_node_error(node, "must be of type integer");
    }

    if (param->role == NGX_HTTP_TASKS_ROLE_CURSOR
        && param->type != NGX_HTTP_TASKS_TYPE_STRING)
    {
        return ngx_http_tasks_node_error(node, "must be of type string");
    }

    return rc == NGX_ERROR ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_http_tasks_param_bounds(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_param_t *param)
{
    int64_t  low, high, length;

    /* the smallest and largest values of a role that the module can serve */

    low = INT64_MIN;
    high = INT64_MAX;

    if (param->role == NGX_HTTP_TASKS_ROLE_LIMIT) {
        low = 0;
        high = NGX_HTTP_TASKS_MAX_LIMIT;

    } else if (param->role == NGX_HTTP_TASKS_ROLE_PAGE) {
        low = 1;
        high = NGX_MAX_INT32_VALUE;
    }

    param->minimum = low;
    param->maximum = high;

    length = (param->role == NGX_HTTP_TASKS_ROLE_CURSOR)
             ? 1024 : NGX_HTTP_TASKS_MAX_LENGTH;

    if (ngx_http_tasks_node_integer(node, "minimum", low, high,
                                    &param->minimum)
        == NGX_ERROR
        || ngx_http_tasks_node_integer(node, "maximum", low, high,
                                       &param->maximum)
           == NGX_ERROR
        || ngx_http_tasks_node_integer(node, "max_length", 1, 1024, &length)
           == NGX_ERROR)
    {
        return NGX_ERROR;
    }

    if (param->minimum > param->maximum) {
        return ngx_http_tasks_node_error(node, "minimum is above maximum");
    }

    param->max_length = length;

    return NGX_OK;
}


static ngx_int_t
ngx_http_tasks_param_pattern(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_param_t *param)
{
    ngx_int_t              rc;
    ngx_str_t              pattern;
    ngx_http_tasks_node_t  member;
    ngx_regex_compile_t    re;
    u_char                 error[NGX_MAX_CONF_ERRSTR];

    rc = ngx_http_tasks_node_string(node, "pattern", &pattern);

    if (rc != NGX_OK) {
        return rc == NGX_ERROR ? NGX_ERROR : NGX_OK;
    }

    ngx_memzero(&re, sizeof(ngx_regex_compile_t));

    re.pattern = pattern;
    re.pool = node->compiler->cf->pool;
    re.err.len = NGX_MAX_CONF_ERRSTR;
    re.err.data = error;

    if (ngx_regex_compile(&re) != NGX_OK) {
        (void) ngx_http_tasks_node_member(node, "pattern", &member);
        return ngx_http_tasks_node_error(&member, "%V", &re.err);
    }

    param->pattern = re.regex;

    return NGX_OK;
}


/*
 * What to say to a rule is looked for in the parameter's "errors", then in the
 * "rules" of the definition's "bad_parameter".
 */
static ngx_int_t
ngx_http_tasks_param_complaint(const ngx_http_tasks_node_t *own,
    const ngx_http_tasks_node_t *shared, ngx_uint_t rule,
    ngx_http_tasks_complaint_t *complaint)
{
    ngx_uint_t              class;
    const char             *name, *message;
    ngx_http_tasks_node_t   node, member;

    static const char *const  keys[] = { "message", "code", "class", NULL };

    complaint->error = NGX_HTTP_TASKS_BAD_PARAMETER;

    name = (char *) ngx_http_tasks_rule_names[rule].data;
    message = ngx_http_tasks_rule_messages[rule];

    node = *shared;

    if (ngx_http_tasks_node_member(own, name, &node) == NGX_OK
        || ngx_http_tasks_node_member(shared, name, &node) == NGX_OK)
    {
        member = node;

        if (!json_is_string(node.json)) {

            class = NGX_HTTP_TASKS_BAD_PARAMETER;

            if (ngx_http_tasks_node_keys(&node, keys) != NGX_OK
                || ngx_http_tasks_node_string(&node, "code", &complaint->code)
                   == NGX_ERROR
                || ngx_http_tasks_node_choice(&node, "class",
                                              ngx_http_tasks_error_names,
                                              &class)
                   == NGX_ERROR)
            {
                return NGX_ERROR;
            }

            complaint->error = class;

            if (ngx_http_tasks_node_member(&node, "message", &member)
                != NGX_OK)
            {
                member.json = NULL;
            }
        }

        if (member.json) {
            if (!json_is_string(member.json)) {
                return ngx_http_tasks_node_error(&member, "must be a string");
            }

            message = json_string_value(member.json);

        } else if (complaint->error != NGX_HTTP_TASKS_BAD_PARAMETER) {

            /* the message of the class */

            return ngx_http_tasks_template_init(&complaint->message,
                                                node.compiler->cf->pool);
        }
    }

    return ngx_http_tasks_compile_text(&node, message,
                            ngx_http_tasks_error_values
                            & ~((uint32_t) 1 << NGX_HTTP_TASKS_VALUE_MESSAGE),
                            &complaint->message);
}


static ngx_int_t
ngx_http_tasks_param_complaints(const ngx_http_tasks_node_t *node,
    const ngx_http_tasks_node_t *errors, ngx_http_tasks_param_t *param)
{
    json_t                 *value;
    const char             *key;
    ngx_uint_t              i;
    ngx_http_tasks_node_t   own, bad, rules;

    static const char *const  keys[] = {
        "required", "type", "minimum", "maximum", "enum", "pattern",
        "max_length", "repeated", NULL
    };

    own = *node;
    own.json = NULL;

    if (ngx_http_tasks_node_member(node, "errors", &own) == NGX_OK
        && ngx_http_tasks_node_keys(&own, keys) != NGX_OK)
    {
        return NGX_ERROR;
    }

    rules = *errors;
    rules.json = NULL;

    if (ngx_http_tasks_node_member(errors, "bad_parameter", &bad) == NGX_OK
        && ngx_http_tasks_node_member(&bad, "rules", &rules) == NGX_OK
        && ngx_http_tasks_node_keys(&rules, keys) != NGX_OK)
    {
        return NGX_ERROR;
    }

    json_object_foreach(own.json, key, value) {
        if (ngx_strcmp(key, "repeated") == 0
            && node->compiler->definition->repeated
               != NGX_HTTP_TASKS_REPEATED_ERROR)
        {
            return ngx_http_tasks_node_error(&own,
                 "\"repeated\" wants \"repeated\": \"error\" at the top");
        }
    }

    for (i = 0; i < NGX_HTTP_TASKS_RULES; i++) {
        if (ngx_http_tasks_param_complaint(&own, &rules, i,
                                           &param->complaints[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* Routes. */

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
    size_t                        i;
    ngx_http_tasks_node_t         routes, element;
    ngx_http_tasks_route_t       *route;
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
    }

    ngx_sort(definition->routes.elts, definition->routes.nelts,
             sizeof(ngx_http_tasks_route_t), ngx_http_tasks_route_order);

    return NGX_OK;
}


static ngx_int_t
ngx_http_tasks_compile_route(const ngx_http_tasks_node_t *node,
    const ngx_http_tasks_node_t *errors, ngx_http_tasks_route_t *route)
{
    ngx_int_t                     rc;
    ngx_uint_t                    i, choice;
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

    if (ngx_http_tasks_route_path(node, errors, route) != NGX_OK
        || ngx_http_tasks_route_query(node, errors, route) != NGX_OK
        || ngx_http_tasks_route_response(node, route) != NGX_OK)
    {
        return NGX_ERROR;
    }

    rc = ngx_http_tasks_node_member(node, "errors", &special);

    if (rc == NGX_OK
        && ngx_http_tasks_compile_error_keys(&special) != NGX_OK)
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
    const ngx_http_tasks_node_t *errors, ngx_http_tasks_route_t *route)
{
    u_char                       *p, *end, *last;
    char                         *name;
    ngx_str_t                     path;
    ngx_uint_t                    ids;
    ngx_http_tasks_node_t         member, params, param;
    ngx_http_tasks_segment_t     *segment;
    ngx_http_tasks_definition_t  *definition;

    definition = node->compiler->definition;

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
    (void) ngx_http_tasks_node_member(node, "path_parameters", &params);

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

        if (end == p || *p != '{') {
            route->literals++;
            continue;
        }

        if (end[-1] != '}' || end - p < 3) {
            return ngx_http_tasks_node_error(&member,
                         "a parameter must be a whole segment, as in \"{id}\"");
        }

        segment->text.data++;
        segment->text.len -= 2;

        if (segment->text.len == 2
            && ngx_strncmp(segment->text.data, "id", 2) == 0)
        {
            segment->param = &definition->id;
            ids++;
            continue;
        }

        segment->param = ngx_pcalloc(node->compiler->cf->pool,
                                     sizeof(ngx_http_tasks_param_t));

        name = ngx_pnalloc(node->compiler->cf->pool, segment->text.len + 1);

        if (segment->param == NULL || name == NULL) {
            return NGX_ERROR;
        }

        (void) ngx_cpystrn((u_char *) name, segment->text.data,
                           segment->text.len + 1);

        if (ngx_http_tasks_node_member(&params, name, &param) != NGX_OK) {
            return ngx_http_tasks_node_error(&member,
                        "\"{%s}\" is not in \"path_parameters\"", name);
        }

        segment->param->name = segment->text;

        if (ngx_http_tasks_compile_param(&param, errors, "path",
                                         segment->param)
            != NGX_OK)
        {
            return NGX_ERROR;
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


static ngx_int_t
ngx_http_tasks_route_query(const ngx_http_tasks_node_t *node,
    const ngx_http_tasks_node_t *errors, ngx_http_tasks_route_t *route)
{
    json_t                  *value;
    ngx_uint_t               roles;
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

    roles = 0;

    json_object_foreach(query.json, name, value) {
        (void) ngx_http_tasks_node_member(&query, name, &member);

        param = ngx_array_push(&route->query);
        if (param == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(param, sizeof(ngx_http_tasks_param_t));

        param->name = ngx_http_tasks_compiler_text(node->compiler, name,
                                                   ngx_strlen(name));

        if (param->name.data == NULL
            || ngx_http_tasks_compile_param(&member, errors, "query", param)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (param->role == NGX_HTTP_TASKS_ROLE_NONE) {
            continue;
        }

        if (route->action != NGX_HTTP_TASKS_ACTION_LIST) {
            return ngx_http_tasks_node_error(&member,
                                             "only a list has such a role");
        }

        if (param->role != NGX_HTTP_TASKS_ROLE_FILTER
            && (roles & (1 << param->role)))
        {
            return ngx_http_tasks_node_error(&member,
                            "another parameter has the same role");
        }

        roles |= 1 << param->role;
    }

    if ((roles & (1 << NGX_HTTP_TASKS_ROLE_PAGE))
        && (roles & (1 << NGX_HTTP_TASKS_ROLE_CURSOR)))
    {
        return ngx_http_tasks_node_error(&query,
                               "page and cursor exclude each other");
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

    rc = ngx_http_tasks_node_member(node, "response", &response);

    route->empty = (rc != NGX_OK);
    status = route->empty ? 204 : 200;
    ngx_str_set(&route->content_type, "application/json");

    if (ngx_http_tasks_node_integer(node, "status", 200, 299, &status)
        == NGX_ERROR
        || ngx_http_tasks_node_string(node, "content_type",
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
