
/*
 * Values of a field that a definition names somewhere: its default, those that
 * a filter or a choice asks for, those of the cancel rule.  Runs at
 * configuration time only.
 */


#include <ngx_http_tasks_openapi.h>


static void ngx_http_tasks_openapi_mention(ngx_http_tasks_openapi_t *doc,
    json_t *examples, ngx_array_t *values);
static void ngx_http_tasks_openapi_mentions(ngx_http_tasks_openapi_t *doc,
    json_t *examples, ngx_http_tasks_field_t *field,
    ngx_http_tasks_param_t *param);
static void ngx_http_tasks_openapi_rule_examples(
    ngx_http_tasks_openapi_t *doc, json_t *examples,
    ngx_http_tasks_field_t *field);
static void ngx_http_tasks_openapi_example(ngx_http_tasks_openapi_t *doc,
    json_t *examples, json_t *value);


void
ngx_http_tasks_openapi_examples(ngx_http_tasks_openapi_t *doc, json_t *schema,
    ngx_http_tasks_field_t *field)
{
    json_t                       *examples, *fields;
    ngx_uint_t                    i, j;
    ngx_http_tasks_route_t       *route;
    ngx_http_tasks_param_t       *param;
    ngx_http_tasks_definition_t  *definition;

    if (field->type != NGX_HTTP_TASKS_TYPE_STRING) {
        return;
    }

    examples = json_array();

    fields = json_object_get(ngx_http_tasks_openapi_collection(doc), "fields");

    ngx_http_tasks_openapi_example(doc, examples,
        json_object_get(json_object_get(fields, (char *) field->name.data),
                        "default"));

    definition = doc->compiler.definition;
    route = definition->routes.elts;

    for (i = 0; i < definition->routes.nelts; i++) {

        if (route[i].collection != doc->route->collection) {
            continue;
        }

        param = route[i].query.elts;

        for (j = 0; j < route[i].query.nelts; j++) {
            ngx_http_tasks_openapi_mentions(doc, examples, field, &param[j]);
        }
    }

    ngx_http_tasks_openapi_rule_examples(doc, examples, field);

    if (json_array_size(examples)) {
        ngx_http_tasks_openapi_put(doc, schema, "examples",
                                   json_incref(examples));
    }

    json_decref(examples);
}


/* What a parameter asks of the field. */

static void
ngx_http_tasks_openapi_mentions(ngx_http_tasks_openapi_t *doc,
    json_t *examples, ngx_http_tasks_field_t *field,
    ngx_http_tasks_param_t *param)
{
    ngx_uint_t                 i, j;
    ngx_array_t               *filters;
    ngx_http_tasks_field_t   **filter;
    ngx_http_tasks_choice_t   *choice;

    filters = &doc->route->collection->filters;
    filter = filters->elts;

    if (param->role == NGX_HTTP_TASKS_ROLE_FILTER
        && filter[param->filter] == field)
    {
        ngx_http_tasks_openapi_mention(doc, examples, param->values);
    }

    for (i = 0; param->choices && i < param->choices->nelts; i++) {
        choice = param->choices->elts;

        for (j = 0; j < filters->nelts; j++) {
            if (filter[j] == field) {
                ngx_http_tasks_openapi_mention(doc, examples,
                                               choice[i].filters[j]);
            }
        }
    }
}


/* What the cancel rule says of the field. */

static void
ngx_http_tasks_openapi_rule_examples(ngx_http_tasks_openapi_t *doc,
    json_t *examples, ngx_http_tasks_field_t *field)
{
    ngx_uint_t                     i;
    ngx_http_tasks_set_t          *set;
    ngx_http_tasks_where_t        *where;
    ngx_http_tasks_collection_t   *collection;
    ngx_http_tasks_cancel_rule_t  *cancel;

    collection = doc->route->collection;
    cancel = collection->cancel;

    if (cancel == NULL) {
        return;
    }

    if (field == collection->state) {
        ngx_http_tasks_openapi_mention(doc, examples, cancel->from);
        ngx_http_tasks_openapi_mention(doc, examples, cancel->except);
        ngx_http_tasks_openapi_mention(doc, examples, cancel->unchanged);
    }

    for (i = 0; cancel->where && i < cancel->where->nelts; i++) {
        where = cancel->where->elts;

        if (where[i].field == field) {
            ngx_http_tasks_openapi_mention(doc, examples, where[i].values);
        }
    }

    set = cancel->set->elts;

    for (i = 0; i < cancel->set->nelts; i++) {
        if (set[i].field == field && set[i].value.data) {
            ngx_http_tasks_openapi_example(doc, examples,
                json_object_get(json_object_get(json_object_get(
                    ngx_http_tasks_openapi_collection(doc), "cancel"), "set"),
                    (char *) field->name.data));
        }
    }
}


/* Strings; NULL: none. */

static void
ngx_http_tasks_openapi_mention(ngx_http_tasks_openapi_t *doc,
    json_t *examples, ngx_array_t *values)
{
    json_t      *text;
    ngx_str_t   *value;
    ngx_uint_t   i;

    for (i = 0; values && i < values->nelts; i++) {
        value = values->elts;
        text = ngx_http_tasks_openapi_text(&value[i]);

        ngx_http_tasks_openapi_example(doc, examples, text);
        json_decref(text);
    }
}


/* Each once; what is no string, or empty, is none. */

static void
ngx_http_tasks_openapi_example(ngx_http_tasks_openapi_t *doc,
    json_t *examples, json_t *value)
{
    size_t  i;

    if (!json_is_string(value) || json_string_length(value) == 0) {
        return;
    }

    for (i = 0; i < json_array_size(examples); i++) {
        if (json_equal(json_array_get(examples, i), value)) {
            return;
        }
    }

    ngx_http_tasks_openapi_add(doc, examples, json_incref(value));
}
