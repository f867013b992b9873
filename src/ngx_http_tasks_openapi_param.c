
/*
 * Parameters of a route, for an OpenAPI document.  Runs at configuration time
 * only.
 */


#include <ngx_http_tasks_openapi.h>


static json_t *ngx_http_tasks_openapi_source(ngx_http_tasks_openapi_t *doc,
    ngx_http_tasks_param_t *param);
static json_t *ngx_http_tasks_openapi_param(ngx_http_tasks_openapi_t *doc,
    ngx_http_tasks_param_t *param, const ngx_str_t *name);
static ngx_http_tasks_field_t *ngx_http_tasks_openapi_member(
    ngx_http_tasks_openapi_t *doc, ngx_http_tasks_param_t *param);
static json_t *ngx_http_tasks_openapi_values(ngx_http_tasks_openapi_t *doc,
    ngx_http_tasks_param_t *param, json_t *source, json_t *schema);
static json_t *ngx_http_tasks_openapi_scalar(ngx_http_tasks_openapi_t *doc,
    ngx_http_tasks_param_t *param, json_t *source);
static void ngx_http_tasks_openapi_bounds(ngx_http_tasks_openapi_t *doc,
    ngx_http_tasks_param_t *param, json_t *schema);
static void ngx_http_tasks_openapi_enum(ngx_http_tasks_openapi_t *doc,
    ngx_http_tasks_param_t *param, json_t *source, json_t *schema);
static ngx_uint_t ngx_http_tasks_openapi_is_ecma(const char *pattern);


json_t *
ngx_http_tasks_openapi_params(ngx_http_tasks_openapi_t *doc,
    ngx_http_tasks_route_t *named)
{
    json_t                    *list;
    ngx_uint_t                 i;
    ngx_http_tasks_param_t    *param;
    ngx_http_tasks_segment_t  *segment, *name;

    list = json_array();
    segment = doc->route->segments.elts;
    name = named->segments.elts;

    for (i = 0; i < doc->route->segments.nelts; i++) {
        if (segment[i].param) {
            ngx_http_tasks_openapi_add(doc, list,
                          ngx_http_tasks_openapi_param(doc, segment[i].param,
                                                       &name[i].text));
        }
    }

    param = doc->route->query.elts;

    for (i = 0; i < doc->route->query.nelts; i++) {

        if (param[i].values && param[i].values->nelts == 0) {
            continue;                      /* it takes no value */
        }

        ngx_http_tasks_openapi_add(doc, list,
                               ngx_http_tasks_openapi_param(doc, &param[i],
                                                            &param[i].name));
    }

    return list;
}


/* A parameter in the file; the id may be no object there. */

static json_t *
ngx_http_tasks_openapi_source(ngx_http_tasks_openapi_t *doc,
    ngx_http_tasks_param_t *param)
{
    const char  *key;

    if (param->role == NGX_HTTP_TASKS_ROLE_ID) {
        return json_object_get(ngx_http_tasks_openapi_collection(doc), "id");
    }

    key = (param->location.data[0] == 'p') ? "path_parameters" : "query";

    return json_object_get(json_object_get(doc->source.json, key),
                           (char *) param->name.data);
}


static json_t *
ngx_http_tasks_openapi_param(ngx_http_tasks_openapi_t *doc,
    ngx_http_tasks_param_t *param, const ngx_str_t *name)
{
    json_t                  *result, *source, *schema;
    ngx_str_t               *role;
    ngx_uint_t               path;
    ngx_http_tasks_field_t  *field;

    path = (param->location.data[0] == 'p');
    source = ngx_http_tasks_openapi_source(doc, param);

    result = json_object();

    ngx_http_tasks_openapi_put(doc, result, "name",
                               ngx_http_tasks_openapi_text(name));
    ngx_http_tasks_openapi_put(doc, result, "in",
                               ngx_http_tasks_openapi_text(&param->location));
    ngx_http_tasks_openapi_put(doc, result, "required",
                               json_boolean(path || param->required));
    ngx_http_tasks_openapi_describe(doc, result, source);

    if (param->multiple) {
        ngx_http_tasks_openapi_put(doc, result, "style",
                                   json_string(path ? "simple" : "form"));
        ngx_http_tasks_openapi_put(doc, result, "explode",
               json_boolean(param->multiple == NGX_HTTP_TASKS_REPEATED));
    }

    schema = ngx_http_tasks_openapi_scalar(doc, param, source);
    schema = ngx_http_tasks_openapi_values(doc, param, source, schema);

    ngx_http_tasks_openapi_put(doc, result, "schema", schema);

    if (param->role != NGX_HTTP_TASKS_ROLE_NONE) {
        role = &ngx_http_tasks_role_names[param->role];
        ngx_http_tasks_openapi_put(doc, result, "x-tasks-role",
                                   ngx_http_tasks_openapi_text(role));
    }

    field = ngx_http_tasks_openapi_member(doc, param);

    if (field) {
        ngx_http_tasks_openapi_put(doc, result, "x-tasks-field",
                                   ngx_http_tasks_openapi_text(&field->name));
    }

    return result;
}


/*
 * The field that a filter looks at.  A parameter of a path that is none, as
 * that of "/{job}/runs/{id}", stands for the field that one of its name in
 * another path of the collection looks at.
 */
static ngx_http_tasks_field_t *
ngx_http_tasks_openapi_member(ngx_http_tasks_openapi_t *doc,
    ngx_http_tasks_param_t *param)
{
    ngx_uint_t                  i, j;
    ngx_http_tasks_field_t    **filters;
    ngx_http_tasks_route_t     *route;
    ngx_http_tasks_param_t     *other;
    ngx_http_tasks_segment_t   *segment;

    filters = doc->route->collection->filters.elts;

    if (param->role == NGX_HTTP_TASKS_ROLE_FILTER) {
        return filters[param->filter];
    }

    if (param->role != NGX_HTTP_TASKS_ROLE_NONE
        || param->location.data[0] != 'p')
    {
        return NULL;
    }

    route = doc->compiler.definition->routes.elts;

    for (i = 0; i < doc->compiler.definition->routes.nelts; i++) {
        segment = route[i].segments.elts;

        for (j = 0; j < route[i].segments.nelts; j++) {
            other = segment[j].param;

            if (other && other->role == NGX_HTTP_TASKS_ROLE_FILTER
                && route[i].collection == doc->route->collection
                && ngx_http_tasks_equal(&other->name, &param->name))
            {
                return filters[other->filter];
            }
        }
    }

    return NULL;
}


/* The schema of all values, from that of one; with the default. */

static json_t *
ngx_http_tasks_openapi_values(ngx_http_tasks_openapi_t *doc,
    ngx_http_tasks_param_t *param, json_t *source, json_t *schema)
{
    json_t                   *array, *initial, *values;
    ngx_uint_t                i;
    ngx_http_tasks_values_t  *preset;

    initial = json_object_get(source, "default");

    if (param->multiple == NGX_HTTP_TASKS_SINGLE) {
        if (initial) {
            ngx_http_tasks_openapi_put(doc, schema, "default",
                                       json_incref(initial));
        }

        return schema;
    }

    /* values that are there twice count once */

    array = json_pack("{s:s}", "type", "array");

    ngx_http_tasks_openapi_put(doc, array, "items", schema);
    ngx_http_tasks_openapi_put(doc, array, "maxItems",
                               json_integer(param->max_items));
    ngx_http_tasks_openapi_put(doc, array, "uniqueItems", json_true());

    if (initial && !json_is_string(initial)) {
        ngx_http_tasks_openapi_put(doc, array, "default",
                                   json_pack("[O]", initial));

    } else if (initial) {
        preset = &param->preset.values;
        values = json_array();

        for (i = 0; i < preset->nelts; i++) {
            if (json_array_append_new(values,
                         json_stringn((char *) preset->elts[i].data,
                                      preset->elts[i].len))
                != 0)
            {
                doc->failed = 1;
            }
        }

        ngx_http_tasks_openapi_put(doc, array, "default", values);
    }

    return array;
}


static json_t *
ngx_http_tasks_openapi_scalar(ngx_http_tasks_openapi_t *doc,
    ngx_http_tasks_param_t *param, json_t *source)
{
    json_t                   *schema, *pattern;
    const char               *type;
    ngx_http_tasks_field_t  **filters;

    switch (param->type) {

    case NGX_HTTP_TASKS_TYPE_INTEGER:
        type = "integer";
        break;

    case NGX_HTTP_TASKS_TYPE_BOOLEAN:
        type = "boolean";
        break;

    default:
        type = "string";
    }

    schema = ngx_http_tasks_openapi_type(type,
                      param->type == NGX_HTTP_TASKS_TYPE_UUID ? "uuid" : NULL,
                      0);

    if (param->values) {
        ngx_http_tasks_openapi_enum(doc, param, source, schema);

    } else {
        ngx_http_tasks_openapi_bounds(doc, param, schema);

        if (param->role == NGX_HTTP_TASKS_ROLE_FILTER) {
            filters = doc->route->collection->filters.elts;
            ngx_http_tasks_openapi_examples(doc, schema,
                                            filters[param->filter]);
        }
    }

    pattern = json_object_get(source, "pattern");

    if (pattern && ngx_http_tasks_openapi_is_ecma(json_string_value(pattern)))
    {
        ngx_http_tasks_openapi_put(doc, schema, "pattern",
                                   json_incref(pattern));
    }

    return schema;
}


/* A string has so many bytes, hence no more characters. */

static void
ngx_http_tasks_openapi_bounds(ngx_http_tasks_openapi_t *doc,
    ngx_http_tasks_param_t *param, json_t *schema)
{
    if (param->type == NGX_HTTP_TASKS_TYPE_INTEGER) {

        if (param->minimum > INT64_MIN) {
            ngx_http_tasks_openapi_put(doc, schema, "minimum",
                                       json_integer(param->minimum));
        }

        if (param->maximum < INT64_MAX) {
            ngx_http_tasks_openapi_put(doc, schema, "maximum",
                                       json_integer(param->maximum));
        }
    }

    if (param->type == NGX_HTTP_TASKS_TYPE_STRING) {

        if (param->location.data[0] == 'p') {
            ngx_http_tasks_openapi_put(doc, schema, "minLength",
                                       json_integer(1));
        }

        ngx_http_tasks_openapi_put(doc, schema, "maxLength",
                                   json_integer(param->max_length));
    }
}


/* Values, or choices and what is said of them. */

static void
ngx_http_tasks_openapi_enum(ngx_http_tasks_openapi_t *doc,
    ngx_http_tasks_param_t *param, json_t *source, json_t *schema)
{
    json_t      *choice, *said, *values;
    const char  *name;

    if (param->choices == NULL) {
        ngx_http_tasks_openapi_put(doc, schema, "enum",
                             json_incref(json_object_get(source, "enum")));
        return;
    }

    values = json_array();
    said = json_object();

    json_object_foreach(json_object_get(source, "choices"), name, choice) {

        ngx_http_tasks_openapi_add(doc, values, json_string(name));

        choice = json_object_get(choice, "description");

        if (choice) {
            ngx_http_tasks_openapi_put(doc, said, name, json_incref(choice));
        }
    }

    ngx_http_tasks_openapi_put(doc, schema, "enum", values);

    if (json_object_size(said)) {
        json_incref(said);
        ngx_http_tasks_openapi_put(doc, schema, "x-enumDescriptions", said);
    }

    json_decref(said);
}


/*
 * Whether ECMA-262 takes a pattern of PCRE for the same: no group but (?:, (?=
 * and (?!, no possessive quantifier, class by name or escape of PCRE's own.
 */
static ngx_uint_t
ngx_http_tasks_openapi_is_ecma(const char *pattern)
{
    ngx_uint_t   class;
    const char  *p;

    class = 0;

    for (p = pattern; *p; p++) {

        if (*p == '\\') {
            p++;

            if (strchr("dDwWsSbBnrtfv", *p) == NULL
                && ((*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z')
                    || (*p >= 'a' && *p <= 'z')))
            {
                return 0;
            }

        } else if (class) {

            if (*p == '[') {
                return 0;
            }

            class = (*p != ']');

        } else if (*p == '[') {
            class = 1;

            if (p[1] == '^') {
                p++;
            }

            if (p[1] == ']') {
                return 0;                  /* a bracket itself, to PCRE */
            }

        } else if ((p[0] == '(' && (p[1] == '*'
                                    || (p[1] == '?'
                                        && (p[2] == '\0'
                                            || !strchr(":=!", p[2])))))
                   || (p > pattern && p[0] == '+' && strchr("*+?}", p[-1])))
        {
            return 0;
        }
    }

    return 1;
}
