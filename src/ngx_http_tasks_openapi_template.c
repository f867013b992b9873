
/*
 * What a response template becomes, as a schema for an OpenAPI document: text
 * is what it is, a value has the type that it always has.  Runs at
 * configuration time only.
 */


#include <ngx_http_tasks_openapi.h>


typedef struct {
    const char               *type;      /* NULL: see the code */
    const char               *format;
    ngx_int_t                 minimum;   /* -1: none */
    ngx_uint_t                nullable;
} ngx_http_tasks_openapi_value_t;


static json_t *ngx_http_tasks_openapi_object(ngx_http_tasks_openapi_t *doc,
    json_t *template, ngx_uint_t class);
static json_t *ngx_http_tasks_openapi_array(ngx_http_tasks_openapi_t *doc,
    json_t *template, ngx_uint_t class);
static json_t *ngx_http_tasks_openapi_string(ngx_http_tasks_openapi_t *doc,
    json_t *template, ngx_uint_t class);
static json_t *ngx_http_tasks_openapi_literal(json_t *literal);
static json_t *ngx_http_tasks_openapi_value(ngx_http_tasks_openapi_t *doc,
    ngx_str_t *name, ngx_uint_t optional, ngx_uint_t class);
static json_t *ngx_http_tasks_openapi_named(ngx_http_tasks_openapi_t *doc,
    ngx_uint_t index, ngx_uint_t optional, ngx_uint_t class);
static json_t *ngx_http_tasks_openapi_code(ngx_http_tasks_openapi_t *doc,
    ngx_uint_t optional, ngx_uint_t class);
static ngx_uint_t ngx_http_tasks_openapi_unlimited(
    ngx_http_tasks_route_t *route);


/* in the order of ngx_http_tasks_value_e */
static ngx_http_tasks_openapi_value_t  ngx_http_tasks_openapi_values[] = {
    { NULL, NULL, -1, 0 },                   /* tasks */
    { NULL, NULL, -1, 0 },                   /* task */
    { "integer", NULL, 0, 0 },               /* total */
    { "integer", NULL, 1, 0 },               /* page */
    { "integer", NULL, 1, 0 },               /* pages */
    { "integer", NULL, 0, 0 },               /* limit */
    { "integer", NULL, 0, 0 },               /* offset */
    { "integer", NULL, 0, 0 },               /* count */
    { "boolean", NULL, -1, 0 },              /* has_more */
    { "string", NULL, -1, 1 },               /* next_cursor */
    { "integer", NULL, 2, 1 },               /* next_page */
    { "integer", NULL, 1, 1 },               /* next_offset */
    { NULL, NULL, -1, 1 },                   /* first_id */
    { NULL, NULL, -1, 1 },                   /* last_id */
    { NULL, NULL, -1, 0 },                   /* id */
    { "string", NULL, -1, 1 },               /* state */
    { "integer", NULL, -1, 0 },              /* status */
    { "string", NULL, -1, 0 },               /* reason */
    { "string", NULL, -1, 0 },               /* message */
    { NULL, NULL, -1, 0 },                   /* code */
    { "string", NULL, -1, 1 },               /* rule */
    { "string", NULL, -1, 1 },               /* parameter */
    { "string", NULL, -1, 1 },               /* location */
    { "string", NULL, -1, 1 },               /* value */
    { "string", NULL, -1, 1 },               /* claim */
    { "string", "uuid", -1, 0 },             /* correlation_id */
    { "string", "date-time", -1, 0 },        /* now */
    { "string", "date-time", -1, 0 },        /* now_seconds */
    { "string", "date-time-local", -1, 0 },  /* now_naive */
    { "integer", NULL, -1, 0 },              /* now_unix */
    { "integer", NULL, -1, 0 }               /* now_unix_ms */
};


json_t *
ngx_http_tasks_openapi_template(ngx_http_tasks_openapi_t *doc,
    json_t *template, ngx_uint_t class)
{
    switch (json_typeof(template)) {

    case JSON_OBJECT:
        return ngx_http_tasks_openapi_object(doc, template, class);

    case JSON_ARRAY:
        return ngx_http_tasks_openapi_array(doc, template, class);

    case JSON_STRING:
        return ngx_http_tasks_openapi_string(doc, template, class);

    default:
        return ngx_http_tasks_openapi_literal(json_incref(template));
    }
}


static json_t *
ngx_http_tasks_openapi_object(ngx_http_tasks_openapi_t *doc,
    json_t *template, ngx_uint_t class)
{
    json_t      *schema, *required, *properties, *value;
    ngx_str_t    name;
    ngx_uint_t   optional;
    const char  *key, *end;

    schema = json_pack("{s:s}", "type", "object");
    required = json_array();
    properties = json_object();

    json_object_foreach(template, key, value) {
        end = NULL;
        optional = 0;

        if (json_is_string(value)) {
            end = ngx_http_tasks_template_name(json_string_value(value),
                                               &name, &optional);
        }

        if (end == NULL || *end != '\0' || !optional) {
            ngx_http_tasks_openapi_add(doc, required, json_string(key));
        }

        ngx_http_tasks_openapi_put(doc, properties, key,
                      ngx_http_tasks_openapi_template(doc, value, class));
    }

    if (json_array_size(required)) {
        json_incref(required);
        ngx_http_tasks_openapi_put(doc, schema, "required", required);
    }

    json_decref(required);

    ngx_http_tasks_openapi_put(doc, schema, "properties", properties);

    return schema;
}


static json_t *
ngx_http_tasks_openapi_array(ngx_http_tasks_openapi_t *doc, json_t *template,
    ngx_uint_t class)
{
    size_t   i, n;
    json_t  *schema, *items, *item;

    n = json_array_size(template);
    schema = json_pack("{s:s,s:I,s:I}", "type", "array",
                       "minItems", (json_int_t) n, "maxItems", (json_int_t) n);

    if (n == 0) {
        ngx_http_tasks_openapi_put(doc, schema, "items", json_object());
        return schema;
    }

    if (n == 1) {
        ngx_http_tasks_openapi_put(doc, schema, "items",
                    ngx_http_tasks_openapi_template(doc,
                                     json_array_get(template, 0), class));
        return schema;
    }

    items = json_array();

    for (i = 0; i < n; i++) {
        item = ngx_http_tasks_openapi_template(doc,
                                         json_array_get(template, i), class);
        ngx_http_tasks_openapi_add(doc, items, item);
    }

    ngx_http_tasks_openapi_put(doc, schema, "prefixItems", items);

    return schema;
}


/* One value, text with values in it, or text alone. */

static json_t *
ngx_http_tasks_openapi_string(ngx_http_tasks_openapi_t *doc,
    json_t *template, ngx_uint_t class)
{
    char        *text, *to;
    json_t      *literal;
    ngx_str_t    name;
    ngx_uint_t   optional;
    const char  *p, *end;

    p = json_string_value(template);
    end = ngx_http_tasks_template_name(p, &name, &optional);

    if (end && *end == '\0') {
        return ngx_http_tasks_openapi_value(doc, &name, optional, class);
    }

    text = ngx_palloc(doc->compiler.cf->temp_pool, ngx_strlen(p) + 1);
    if (text == NULL) {
        return NULL;
    }

    for (to = text; *p; *to++ = *p++) {

        if (ngx_http_tasks_template_name(p, &name, &optional)) {
            return ngx_http_tasks_openapi_type("string", NULL, 0);
        }

        if (p[0] == '$') {
            p++;                           /* the second one is the text's */
        }
    }

    literal = json_stringn(text, to - text);

    return literal ? ngx_http_tasks_openapi_literal(literal) : NULL;
}


/* Takes over the literal. */

static json_t *
ngx_http_tasks_openapi_literal(json_t *literal)
{
    const char  *type;

    switch (json_typeof(literal)) {

    case JSON_STRING:
        type = "string";
        break;

    case JSON_INTEGER:
        type = "integer";
        break;

    case JSON_REAL:
        type = "number";
        break;

    case JSON_NULL:
        json_decref(literal);
        return json_pack("{s:s}", "type", "null");

    default:
        type = "boolean";
        break;
    }

    return json_pack("{s:s,s:o}", "type", type, "const", literal);
}


static json_t *
ngx_http_tasks_openapi_value(ngx_http_tasks_openapi_t *doc, ngx_str_t *name,
    ngx_uint_t optional, ngx_uint_t class)
{
    json_t                  *schema;
    ngx_str_t                rest;
    ngx_uint_t               index, null;
    ngx_http_tasks_field_t  *field;

    if (name->len > 5 && ngx_strncmp(name->data, "task.", 5) == 0) {
        rest.data = name->data + 5;
        rest.len = name->len - 5;

        field = ngx_http_tasks_collection_field(doc->route->collection,
                                                &rest);

        null = ngx_http_tasks_openapi_is_null(&field->absent)
               || (field->absent.data == NULL && !field->required
                   && !optional);

        schema = ngx_http_tasks_openapi_field(doc, field, null);

    } else {
        for (index = 0; ngx_http_tasks_value_names[index].len; index++) {
            if (ngx_http_tasks_equal(&ngx_http_tasks_value_names[index],
                                     name))
            {
                break;
            }
        }

        if (index == NGX_HTTP_TASKS_VALUES) {
            /* a variable of nginx */
            return ngx_http_tasks_openapi_type("string", NULL, !optional);
        }

        schema = ngx_http_tasks_openapi_named(doc, index, optional, class);
    }

    ngx_http_tasks_openapi_put(doc, schema, "x-tasks-value",
                               ngx_http_tasks_openapi_text(name));

    return schema;
}


static json_t *
ngx_http_tasks_openapi_named(ngx_http_tasks_openapi_t *doc, ngx_uint_t index,
    ngx_uint_t optional, ngx_uint_t class)
{
    json_t                          *schema;
    ngx_uint_t                       null;
    ngx_http_tasks_openapi_value_t  *value;

    value = &ngx_http_tasks_openapi_values[index];
    null = value->nullable && !optional;

    switch (index) {

    case NGX_HTTP_TASKS_VALUE_TASKS:
        schema = json_pack("{s:s}", "type", "array");
        ngx_http_tasks_openapi_put(doc, schema, "items",
                                   ngx_http_tasks_openapi_task(doc, 0));
        return schema;

    case NGX_HTTP_TASKS_VALUE_TASK:
        return ngx_http_tasks_openapi_task(doc, 1);

    case NGX_HTTP_TASKS_VALUE_ID:
        return ngx_http_tasks_openapi_id(doc, class && !optional);

    case NGX_HTTP_TASKS_VALUE_FIRST_ID:
    case NGX_HTTP_TASKS_VALUE_LAST_ID:
        return ngx_http_tasks_openapi_id(doc, null);

    case NGX_HTTP_TASKS_VALUE_CODE:
        return ngx_http_tasks_openapi_code(doc, optional, class);

    case NGX_HTTP_TASKS_VALUE_LIMIT:
        null = ngx_http_tasks_openapi_unlimited(doc->route) && !optional;
        /* fall through */

    default:
        schema = ngx_http_tasks_openapi_type(value->type, value->format, null);
    }

    if (value->minimum != -1) {
        ngx_http_tasks_openapi_put(doc, schema, "minimum",
                                   json_integer(value->minimum));
    }

    return schema;
}


/* What was collected of the class: types of its code, and of its rules'. */

static json_t *
ngx_http_tasks_openapi_code(ngx_http_tasks_openapi_t *doc,
    ngx_uint_t optional, ngx_uint_t class)
{
    json_t      *schema, *types;
    ngx_uint_t   i, codes;

    static const char *const  names[] = {
        "string", "integer", "boolean", "null"
    };

    codes = doc->codes[class];

    if (optional) {
        codes &= ~NGX_HTTP_TASKS_OPENAPI_NULL;
    }

    types = json_array();

    for (i = 0; i < 4; i++) {
        if (codes & ((ngx_uint_t) 1 << i)) {
            ngx_http_tasks_openapi_add(doc, types, json_string(names[i]));
        }
    }

    schema = json_object();

    if (json_array_size(types) == 1) {
        ngx_http_tasks_openapi_put(doc, schema, "type",
                                   json_incref(json_array_get(types, 0)));
        json_decref(types);

    } else if (json_array_size(types)) {
        ngx_http_tasks_openapi_put(doc, schema, "type", types);

    } else {
        /* never there */
        json_decref(types);
    }

    return schema;
}


/* Whether a request may have no limit. */

static ngx_uint_t
ngx_http_tasks_openapi_unlimited(ngx_http_tasks_route_t *route)
{
    ngx_uint_t               i;
    ngx_http_tasks_param_t  *param;

    param = route->query.elts;

    for (i = 0; i < route->query.nelts; i++) {
        if (param[i].role == NGX_HTTP_TASKS_ROLE_LIMIT) {
            return param[i].minimum < 0
                   || (!param[i].required && param[i].initial.data == NULL);
        }
    }

    return 1;
}
