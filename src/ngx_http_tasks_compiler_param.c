
/*
 * Compiles parameters of paths and queries, and what is said of bad ones.
 */


#include <ngx_http_tasks_compiler.h>


/* bytes of a parameter by default, and of a cursor: base64 of a position whose
 * order key has up to 3 * 512 bytes and whose id up to 1024 */
#define NGX_HTTP_TASKS_MAX_LENGTH  255
#define NGX_HTTP_TASKS_MAX_CURSOR  4096

/* different values of a parameter that may have several, by default */
#define NGX_HTTP_TASKS_MAX_ITEMS   8


static ngx_int_t ngx_http_tasks_param_role(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_param_t *param);
static ngx_int_t ngx_http_tasks_param_filter(
    const ngx_http_tasks_node_t *node, ngx_http_tasks_param_t *param);
static ngx_int_t ngx_http_tasks_param_multiple(
    const ngx_http_tasks_node_t *node, ngx_http_tasks_param_t *param);
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


ngx_str_t  ngx_http_tasks_rule_names[] = {
    ngx_string("required"),
    ngx_string("type"),
    ngx_string("minimum"),
    ngx_string("maximum"),
    ngx_string("enum"),
    ngx_string("pattern"),
    ngx_string("max_length"),
    ngx_string("repeated"),
    ngx_string("max_items"),
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
    "$parameter is given more than once",
    "$parameter has too many values"
};


ngx_str_t  ngx_http_tasks_role_names[] = {
    ngx_string("none"),
    ngx_string("limit"),
    ngx_string("page"),
    ngx_string("offset"),
    ngx_string("cursor"),
    ngx_null_string,                     /* NGX_HTTP_TASKS_ROLE_END */
    ngx_string("id"),
    ngx_string("filter"),
    ngx_string("choice")
};


static ngx_str_t  ngx_http_tasks_multiple_names[] = {
    ngx_string("no"),
    ngx_string("comma"),
    ngx_string("repeated"),
    ngx_null_string
};


ngx_int_t
ngx_http_tasks_compile_param(const ngx_http_tasks_node_t *node,
    const ngx_http_tasks_node_t *errors, ngx_http_tasks_param_t *param)
{
    ngx_uint_t  choice, flag;

    static const char *const  keys[] = {
        "type", "role", "filter", "multiple", "max_items", "choices",
        "encoding", "form", "required", "default", "minimum", "maximum",
        "max_length", "enum", "pattern", "absent_if", "errors", "description",
        NULL
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
        && param->type != NGX_HTTP_TASKS_TYPE_BOOLEAN
        && param->type != NGX_HTTP_TASKS_TYPE_UUID)
    {
        return ngx_http_tasks_node_error(node, "a parameter's type must be "
                                     "string, integer, boolean or uuid");
    }

    flag = 0;

    if (ngx_http_tasks_node_flag(node, "required", &flag) == NGX_ERROR
        || ngx_http_tasks_param_role(node, param) != NGX_OK
        || ngx_http_tasks_param_bounds(node, param) != NGX_OK
        || ngx_http_tasks_param_multiple(node, param) != NGX_OK
        || ngx_http_tasks_param_enum(node, param) != NGX_OK
        || ngx_http_tasks_compile_choices(node, param) != NGX_OK
        || ngx_http_tasks_compile_cursor(node, param) != NGX_OK
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
    ngx_str_t             *value;
    ngx_http_tasks_node_t  member, element;

    rc = ngx_http_tasks_node_list(node, "enum", &param->values);

    if (rc != NGX_OK) {
        return rc == NGX_ERROR ? NGX_ERROR : NGX_OK;
    }

    (void) ngx_http_tasks_node_member(node, "enum", &member);
    value = param->values->elts;

    for (i = 0; i < json_array_size(member.json); i++) {
        ngx_http_tasks_node_element(&member, i, &element);

        if (!ngx_http_tasks_json_is(element.json, param->type)) {
            return ngx_http_tasks_node_error(&element,
                                   "must be of the parameter's type");
        }

        /* what is sent is made canonical before it is compared */

        if (param->type == NGX_HTTP_TASKS_TYPE_UUID
            && !ngx_http_tasks_is_uuid(&value[i], value[i].data))
        {
            return ngx_http_tasks_node_error(&element, "must be a UUID");
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_tasks_param_default(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_param_t *param)
{
    ngx_int_t              rc;
    ngx_http_tasks_raw_t   raw;
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

    raw.text = param->initial;
    raw.next = NULL;

    if (ngx_http_tasks_param_values(node->compiler->cf->pool, param, &raw,
                                    &param->preset)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (param->preset.rule < NGX_HTTP_TASKS_RULES) {
        return ngx_http_tasks_node_error(&member,
                         "fails the parameter's own rule \"%V\"",
                         &ngx_http_tasks_rule_names[param->preset.rule]);
    }

    return NGX_OK;
}


/* A filter is named by "filter", a choice by "choices", others by "role". */

static ngx_int_t
ngx_http_tasks_param_role(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_param_t *param)
{
    ngx_int_t   rc;
    ngx_uint_t  choice, special;

    choice = param->role;
    special = json_object_get(node->json, "filter") != NULL
              || json_object_get(node->json, "choices") != NULL;

    rc = ngx_http_tasks_node_choice(node, "role", ngx_http_tasks_role_names,
                                    &choice);
    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (param->role == NGX_HTTP_TASKS_ROLE_ID && (rc == NGX_OK || special)) {
        return ngx_http_tasks_node_error(node, "the id has no other role");
    }

    if (special && choice != NGX_HTTP_TASKS_ROLE_NONE) {
        return ngx_http_tasks_node_error(node, "\"filter\" and \"choices\" "
                                         "exclude a role");
    }

    param->role = choice;

    if ((choice == NGX_HTTP_TASKS_ROLE_LIMIT
         || choice == NGX_HTTP_TASKS_ROLE_PAGE
         || choice == NGX_HTTP_TASKS_ROLE_OFFSET)
        && param->type != NGX_HTTP_TASKS_TYPE_INTEGER)
    {
        return ngx_http_tasks_node_error(node, "must be of type integer");
    }

    if (choice == NGX_HTTP_TASKS_ROLE_CURSOR
        && param->type != NGX_HTTP_TASKS_TYPE_STRING)
    {
        return ngx_http_tasks_node_error(node, "must be of type string");
    }

    return ngx_http_tasks_param_filter(node, param);
}


static ngx_int_t
ngx_http_tasks_param_filter(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_param_t *param)
{
    ngx_int_t                     rc;
    ngx_str_t                     name;
    ngx_uint_t                    type;
    ngx_http_tasks_node_t         member;
    ngx_http_tasks_field_t      **filters;
    ngx_http_tasks_collection_t  *collection;

    rc = ngx_http_tasks_node_string(node, "filter", &name);

    if (rc != NGX_OK) {
        return rc == NGX_ERROR ? NGX_ERROR : NGX_OK;
    }

    (void) ngx_http_tasks_node_member(node, "filter", &member);

    if (ngx_http_tasks_compiler_filter(&member, &name, &param->filter)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    collection = node->compiler->collection;
    filters = collection->filters.elts;

    type = (param->type == NGX_HTTP_TASKS_TYPE_UUID)
           ? NGX_HTTP_TASKS_TYPE_STRING : param->type;

    if (filters[param->filter]->type != type) {
        return ngx_http_tasks_node_error(node,
                         "is of another type than the field \"%V\"", &name);
    }

    param->role = NGX_HTTP_TASKS_ROLE_FILTER;

    return NGX_OK;
}


/* The index of a field among the filters of the collection. */

ngx_int_t
ngx_http_tasks_compiler_filter(const ngx_http_tasks_node_t *node,
    ngx_str_t *name, ngx_uint_t *index)
{
    ngx_uint_t                    i;
    ngx_http_tasks_field_t      **filters;
    ngx_http_tasks_collection_t  *collection;

    collection = node->compiler->collection;
    filters = collection->filters.elts;

    for (i = 0; i < collection->filters.nelts; i++) {
        if (ngx_http_tasks_equal(&filters[i]->name, name)) {
            *index = i;
            return NGX_OK;
        }
    }

    return ngx_http_tasks_node_error(node,
                        "\"%V\" is not a field with \"filter\": true", name);
}


static ngx_int_t
ngx_http_tasks_param_multiple(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_param_t *param)
{
    int64_t     items;
    ngx_int_t   rc;
    ngx_uint_t  choice;

    choice = NGX_HTTP_TASKS_SINGLE;
    items = NGX_HTTP_TASKS_MAX_ITEMS;

    if (ngx_http_tasks_node_choice(node, "multiple",
                                   ngx_http_tasks_multiple_names, &choice)
        == NGX_ERROR)
    {
        return NGX_ERROR;
    }

    rc = ngx_http_tasks_node_integer(node, "max_items", 1,
                                     NGX_HTTP_TASKS_MAX_INDEXES, &items);
    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (choice == NGX_HTTP_TASKS_SINGLE) {

        if (rc == NGX_OK) {
            return ngx_http_tasks_node_error(node, "\"max_items\" wants "
                                             "\"multiple\"");
        }

        items = 1;

    } else if (param->role != NGX_HTTP_TASKS_ROLE_FILTER) {
        return ngx_http_tasks_node_error(node,
                                  "only a filter may have \"multiple\" values");

    } else if (param->location.data[0] == 'p'
               && choice == NGX_HTTP_TASKS_REPEATED)
    {
        return ngx_http_tasks_node_error(node,
                       "a parameter of the path cannot be \"repeated\"");
    }

    param->multiple = choice;
    param->max_items = items;

    return NGX_OK;
}


static ngx_int_t
ngx_http_tasks_param_bounds(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_param_t *param)
{
    int64_t  low, high, length;

    /* the smallest and largest values of a role that the module can serve */

    low = INT64_MIN;
    high = INT64_MAX;

    if (param->role == NGX_HTTP_TASKS_ROLE_PAGE) {
        low = 1;
        high = NGX_MAX_INT32_VALUE;

    } else if (param->role == NGX_HTTP_TASKS_ROLE_OFFSET) {
        low = 0;
        high = NGX_HTTP_TASKS_MAX_OFFSET;
    }

    /* a negative limit is none, where "minimum" lets it pass */

    param->minimum = (param->role == NGX_HTTP_TASKS_ROLE_LIMIT) ? 0 : low;
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
 * What to say to a rule is looked for in the parameter's "errors", by its name
 * or else "default", then likewise in "rules" of the definition's
 * "bad_parameter".  If there is nothing, the
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
        || ngx_http_tasks_node_member(own, "default", &node) == NGX_OK
        || ngx_http_tasks_node_member(shared, name, &node) == NGX_OK
        || ngx_http_tasks_node_member(shared, "default", &node) == NGX_OK)
    {
        member = node;

        if (!json_is_string(node.json)) {

            class = NGX_HTTP_TASKS_BAD_PARAMETER - 1;

            if (ngx_http_tasks_node_keys(&node, keys) != NGX_OK
                || ngx_http_tasks_node_literal(&node, "code",
                                               &complaint->code)
                   == NGX_ERROR
                || ngx_http_tasks_node_choice(&node, "class",
                                  node.compiler->definition->classes + 1,
                                  &class)
                   == NGX_ERROR)
            {
                return NGX_ERROR;
            }

            complaint->error = class + 1;

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
        "max_length", "repeated", "max_items", "default", NULL
    };

    param->complaints = ngx_pcalloc(node->compiler->cf->pool,
                   NGX_HTTP_TASKS_RULES * sizeof(ngx_http_tasks_complaint_t));
    if (param->complaints == NULL) {
        return NGX_ERROR;
    }

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
