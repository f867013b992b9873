
/*
 * Compiles parameters and routes.
 */


#include <ngx_http_tasks_compiler.h>


/* bytes of a parameter by default, and of a cursor: base64 of a position whose
 * order key has up to 3 * 512 bytes and whose id up to 1024 */
#define NGX_HTTP_TASKS_MAX_LENGTH  255
#define NGX_HTTP_TASKS_MAX_CURSOR  4096


static ngx_int_t ngx_http_tasks_param_role(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_param_t *param);
static ngx_int_t ngx_http_tasks_param_bounds(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_param_t *param);
static ngx_int_t ngx_http_tasks_param_enum(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_param_t *param);
static ngx_int_t ngx_http_tasks_param_default(
    const ngx_http_tasks_node_t *node, ngx_http_tasks_param_t *param);
static ngx_int_t ngx_http_tasks_param_pattern(
    const ngx_http_tasks_node_t *node, ngx_http_tasks_param_t *param);
static ngx_int_t ngx_http_tasks_param_complaints(
    const ngx_http_tasks_node_t *node, const ngx_http_tasks_node_t *errors,
    ngx_http_tasks_param_t *param);
static ngx_int_t ngx_http_tasks_compile_route(const ngx_http_tasks_node_t *node,
    const ngx_http_tasks_node_t *errors, ngx_http_tasks_route_t *route);
static ngx_int_t ngx_http_tasks_route_path(const ngx_http_tasks_node_t *node,
    const ngx_http_tasks_node_t *errors, ngx_http_tasks_route_t *route,
    ngx_uint_t *roles);
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
    const ngx_http_tasks_node_t *errors, ngx_http_tasks_param_t *param)
{
    ngx_uint_t  choice, flag;

    static const char *const  keys[] = {
        "type", "role", "filter", "required", "default", "minimum",
        "maximum", "max_length", "enum", "pattern", "absent_if", "errors",
        "description", NULL
    };

    if (ngx_http_tasks_node_keys(node, keys) != NGX_OK) {
        return NGX_ERROR;
    }

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
        || ngx_http_tasks_param_enum(node, param) != NGX_OK
        || ngx_http_tasks_node_list(node, "absent_if", &param->absent_if)
           == NGX_ERROR
        || ngx_http_tasks_param_pattern(node, param) != NGX_OK)
    {
        return NGX_ERROR;
    }

    param->required = flag;

    if (ngx_http_tasks_param_default(node, param) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_tasks_param_complaints(node, errors, param);
}


static ngx_int_t
ngx_http_tasks_param_enum(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_param_t *param)
{
    size_t                 i;
    ngx_int_t              rc;
    ngx_http_tasks_node_t  member, element;

    rc = ngx_http_tasks_node_list(node, "enum", &param->values);

    if (rc != NGX_OK) {
        return rc == NGX_ERROR ? NGX_ERROR : NGX_OK;
    }

    (void) ngx_http_tasks_node_member(node, "enum", &member);

    for (i = 0; i < json_array_size(member.json); i++) {
        ngx_http_tasks_node_element(&member, i, &element);

        if (!ngx_http_tasks_json_is(element.json, param->type)) {
            return ngx_http_tasks_node_error(&element,
                                   "must be of the parameter's type");
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_tasks_param_default(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_param_t *param)
{
    u_char                 buf[NGX_INT64_LEN];
    int64_t                number;
    ngx_int_t              rc;
    ngx_str_t              value;
    ngx_uint_t             rule;
    ngx_http_tasks_node_t  member;

    if (ngx_http_tasks_node_member(node, "default", &member) != NGX_OK) {
        return NGX_OK;
    }

    if (param->required) {
        return ngx_http_tasks_node_error(&member,
                                "a required parameter needs no default");
    }

    if (!ngx_http_tasks_json_is(member.json, param->type)) {
        return ngx_http_tasks_node_error(&member,
                                         "must be of the parameter's type");
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

    rule = ngx_http_tasks_param_check(param, &param->initial, buf, &value,
                                      &number);

    if (rule < NGX_HTTP_TASKS_RULES) {
        return ngx_http_tasks_node_error(&member,
                                 "fails the parameter's own rule \"%V\"",
                                 &ngx_http_tasks_rule_names[rule]);
    }

    return NGX_OK;
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

    if (param->role == NGX_HTTP_TASKS_ROLE_ID
        && (rc == NGX_OK || json_object_get(node->json, "filter")))
    {
        return ngx_http_tasks_node_error(node, "the id has no other role");
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
             ? NGX_HTTP_TASKS_MAX_CURSOR : NGX_HTTP_TASKS_MAX_LENGTH;

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
 * "rules" of the definition's "bad_parameter".  If there is nothing, the
 * module has words of its own, unless "general": the class has a message.
 */
static ngx_int_t
ngx_http_tasks_param_complaint(const ngx_http_tasks_node_t *own,
    const ngx_http_tasks_node_t *shared, ngx_uint_t rule, ngx_uint_t general,
    ngx_http_tasks_complaint_t *complaint)
{
    ngx_uint_t              class;
    const char             *name, *message;
    ngx_http_tasks_node_t   node, member;

    static const char *const  keys[] = { "message", "code", "class", NULL };

    complaint->error = NGX_HTTP_TASKS_BAD_PARAMETER;

    name = (char *) ngx_http_tasks_rule_names[rule].data;
    message = general ? NULL : ngx_http_tasks_rule_messages[rule];

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
            message = NULL;
        }
    }

    if (message == NULL) {
        /* that of the class */
        return ngx_http_tasks_template_init(&complaint->message,
                                            node.compiler->cf->pool);
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
    ngx_uint_t              i, general;
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

    general = 0;

    if (ngx_http_tasks_node_member(errors, "bad_parameter", &bad) == NGX_OK) {
        general = (json_object_get(bad.json, "message") != NULL);

        if (ngx_http_tasks_node_member(&bad, "rules", &rules) == NGX_OK
            && ngx_http_tasks_node_keys(&rules, keys) != NGX_OK)
        {
            return NGX_ERROR;
        }
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
        if (ngx_http_tasks_param_complaint(&own, &rules, i, general,
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
    ngx_uint_t                 ids, named;
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
    named = 0;
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

        } else {
            named++;
        }
    }

    if (route->segments.nelts > NGX_HTTP_TASKS_MAX_SEGMENTS) {
        return ngx_http_tasks_node_error(&member, "has more than %d segments",
                                         NGX_HTTP_TASKS_MAX_SEGMENTS);
    }

    if (named != json_object_size(params.json)) {
        json_object_foreach(params.json, name, value) {
            /* the last name is as good as any in the message */
        }

        return ngx_http_tasks_node_error(&params,
                        "\"path\" must hold each parameter once, as {%s}",
                        name ? name : "NAME");
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
