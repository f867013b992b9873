
/*
 * Schemas of tasks: what is known of fields and ids, for an OpenAPI document.
 * Runs at configuration time only.
 */


#include <ngx_http_tasks_openapi.h>


static json_t *ngx_http_tasks_openapi_view(ngx_http_tasks_openapi_t *doc,
    ngx_uint_t detail);
static void ngx_http_tasks_openapi_cancel(ngx_http_tasks_openapi_t *doc,
    json_t *schema);
static json_t *ngx_http_tasks_openapi_states(ngx_http_tasks_openapi_t *doc,
    ngx_array_t *states, ngx_array_t *others, ngx_uint_t with);


/* in the order of ngx_http_tasks_type_e; NULL: any */
static const char  *ngx_http_tasks_openapi_types[] = {
    "string", "integer", "number", "boolean", "string", "object", "array",
    NULL, "string"
};


json_t *
ngx_http_tasks_openapi_type(const char *name, const char *format,
    ngx_uint_t nullable)
{
    json_t  *schema;

    if (name == NULL) {
        return json_object();
    }

    schema = nullable ? json_pack("{s:[s,s]}", "type", name, "null")
                      : json_pack("{s:s}", "type", name);

    if (schema && format
        && json_object_set_new(schema, "format", json_string(format)) != 0)
    {
        json_decref(schema);
        return NULL;
    }

    return schema;
}


json_t *
ngx_http_tasks_openapi_field(ngx_http_tasks_openapi_t *doc,
    ngx_http_tasks_field_t *field, ngx_uint_t nullable)
{
    json_t      *schema, *fields;
    const char  *format;

    format = (char *) field->format.data;

    if (format == NULL && field->type == NGX_HTTP_TASKS_TYPE_DATETIME) {
        format = "date-time";
    }

    schema = ngx_http_tasks_openapi_type(
                                   ngx_http_tasks_openapi_types[field->type],
                                   format, nullable);

    if (field->type == NGX_HTTP_TASKS_TYPE_ARRAY) {
        ngx_http_tasks_openapi_put(doc, schema, "items", json_object());
    }

    if (field->type == NGX_HTTP_TASKS_TYPE_OBJECT) {
        /* said, as generators take its silence for "none" */
        ngx_http_tasks_openapi_put(doc, schema, "additionalProperties",
                                   json_true());
    }

    fields = json_object_get(ngx_http_tasks_openapi_collection(doc), "fields");

    ngx_http_tasks_openapi_describe(doc, schema,
                        json_object_get(fields, (char *) field->name.data));
    ngx_http_tasks_openapi_examples(doc, schema, field);

    return schema;
}


/* Writers are held to the type and the length, not to the rest of the rules. */

json_t *
ngx_http_tasks_openapi_id(ngx_http_tasks_openapi_t *doc, ngx_uint_t nullable)
{
    json_t                  *schema;
    ngx_http_tasks_param_t  *id;

    id = &doc->route->collection->id;

    schema = ngx_http_tasks_openapi_type(
                         ngx_http_tasks_openapi_types[id->type],
                         id->type == NGX_HTTP_TASKS_TYPE_UUID ? "uuid" : NULL,
                         nullable);

    if (id->type == NGX_HTTP_TASKS_TYPE_STRING) {
        ngx_http_tasks_openapi_put(doc, schema, "maxLength",
                                   json_integer(id->max_length));
    }

    ngx_http_tasks_openapi_describe(doc, schema,
            json_object_get(ngx_http_tasks_openapi_collection(doc), "id"));

    return schema;
}


/* "Task", "TaskDetail"; of the collection "runs" "RunsTask" and so on. */

json_t *
ngx_http_tasks_openapi_task(ngx_http_tasks_openapi_t *doc, ngx_uint_t detail)
{
    char        name[128];
    json_t     *schema;
    ngx_str_t  *key;

    key = &doc->route->collection->key;

    (void) ngx_snprintf((u_char *) name, sizeof(name), "%VTask%s%Z", key,
                        detail ? "Detail" : "");
    name[0] = ngx_toupper(name[0]);

    if (json_object_get(doc->schemas, name) == NULL) {
        schema = ngx_http_tasks_openapi_view(doc, detail);
        ngx_http_tasks_openapi_put(doc, doc->schemas, name, schema);
    }

    return ngx_http_tasks_openapi_ref(doc, name);
}


json_t *
ngx_http_tasks_openapi_ref(ngx_http_tasks_openapi_t *doc, const char *name)
{
    u_char  *where;
    size_t   len;

    len = sizeof("#/components/schemas/") + ngx_strlen(name);
    where = ngx_pnalloc(doc->compiler.cf->temp_pool, len);

    if (where == NULL) {
        return NULL;
    }

    ngx_sprintf(where, "#/components/schemas/%s%Z", name);

    return json_pack("{s:s}", "$ref", where);
}


static json_t *
ngx_http_tasks_openapi_view(ngx_http_tasks_openapi_t *doc, ngx_uint_t detail)
{
    json_t                       *schema, *required, *properties;
    ngx_uint_t                    i, null;
    ngx_http_tasks_field_t       *field;
    ngx_http_tasks_collection_t  *collection;

    collection = doc->route->collection;

    schema = json_pack("{s:s}", "type", "object");
    required = ngx_http_tasks_openapi_put(doc, schema, "required",
                                          json_array());
    properties = ngx_http_tasks_openapi_put(doc, schema, "properties",
                                            json_object());

    ngx_http_tasks_openapi_add(doc, required,
                         ngx_http_tasks_openapi_text(&collection->id.name));
    ngx_http_tasks_openapi_put(doc, properties,
                               (char *) collection->id.name.data,
                               ngx_http_tasks_openapi_id(doc, 0));

    field = collection->fields.elts;

    for (i = 0; i < collection->fields.nelts; i++) {

        if (detail ? !field[i].detail : !field[i].list) {
            continue;
        }

        if (field[i].required || field[i].absent.data) {
            ngx_http_tasks_openapi_add(doc, required,
                                ngx_http_tasks_openapi_text(&field[i].name));
        }

        null = ngx_http_tasks_openapi_is_null(&field[i].absent);

        ngx_http_tasks_openapi_put(doc, properties,
                         (char *) field[i].name.data,
                         ngx_http_tasks_openapi_field(doc, &field[i], null));
    }

    ngx_http_tasks_openapi_put(doc, schema, "x-tasks-id",
                         ngx_http_tasks_openapi_text(&collection->id.name));
    ngx_http_tasks_openapi_put(doc, schema, "x-tasks-order",
                    json_incref(json_object_get(
                        ngx_http_tasks_openapi_collection(doc), "order")));

    if (collection->cancel) {
        ngx_http_tasks_openapi_cancel(doc, schema);
    }

    return schema;
}


/*
 * In which states a cancel would change a task: "values", or all but those of
 * "except".
 */
static void
ngx_http_tasks_openapi_cancel(ngx_http_tasks_openapi_t *doc, json_t *schema)
{
    json_t                        *rule, *where;
    ngx_http_tasks_collection_t   *collection;
    ngx_http_tasks_cancel_rule_t  *cancel;

    collection = doc->route->collection;
    cancel = collection->cancel;

    rule = ngx_http_tasks_openapi_put(doc, schema, "x-tasks-cancel-from",
                                      json_object());
    ngx_http_tasks_openapi_put(doc, rule, "field",
                       ngx_http_tasks_openapi_text(&collection->state->name));

    if (cancel->from) {
        ngx_http_tasks_openapi_put(doc, rule, "values",
                       ngx_http_tasks_openapi_states(doc, cancel->from,
                                                     cancel->unchanged, 0));
    } else {
        ngx_http_tasks_openapi_put(doc, rule, "except",
                       ngx_http_tasks_openapi_states(doc, cancel->except,
                                                     cancel->unchanged, 1));
    }

    where = json_object_get(json_object_get(
                                ngx_http_tasks_openapi_collection(doc),
                                "cancel"), "where");

    if (where) {
        ngx_http_tasks_openapi_put(doc, rule, "where", json_incref(where));
    }
}


/* The states, with the others or without them; each once. */

static json_t *
ngx_http_tasks_openapi_states(ngx_http_tasks_openapi_t *doc,
    ngx_array_t *states, ngx_array_t *others, ngx_uint_t with)
{
    json_t      *list;
    ngx_str_t   *state;
    ngx_uint_t   i;

    list = json_array();
    state = states->elts;

    for (i = 0; i < states->nelts; i++) {
        if (!ngx_http_tasks_openapi_listed(others, &state[i])) {
            ngx_http_tasks_openapi_add(doc, list,
                                     ngx_http_tasks_openapi_text(&state[i]));
        }
    }

    for (i = 0; with && others && i < others->nelts; i++) {
        state = others->elts;
        ngx_http_tasks_openapi_add(doc, list,
                                   ngx_http_tasks_openapi_text(&state[i]));
    }

    return list;
}
