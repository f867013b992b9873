
/*
 * Responses of a route, for an OpenAPI document: its success, and each error
 * that it can answer with.  Runs at configuration time only.
 */


#include <ngx_http_tasks_openapi.h>


static void ngx_http_tasks_openapi_success(ngx_http_tasks_openapi_t *doc,
    json_t *responses);
static void ngx_http_tasks_openapi_classes(ngx_http_tasks_openapi_t *doc);
static void ngx_http_tasks_openapi_rules(ngx_http_tasks_openapi_t *doc,
    ngx_http_tasks_param_t *param);
static ngx_uint_t ngx_http_tasks_openapi_fails(ngx_http_tasks_openapi_t *doc,
    ngx_http_tasks_param_t *param, ngx_uint_t rule);
static ngx_uint_t ngx_http_tasks_openapi_gives(ngx_http_tasks_openapi_t *doc,
    ngx_uint_t class);
static ngx_uint_t ngx_http_tasks_openapi_said(ngx_http_tasks_openapi_t *doc,
    ngx_uint_t class);
static ngx_uint_t ngx_http_tasks_openapi_ruled(
    ngx_http_tasks_definition_t *definition, ngx_uint_t class);
static void ngx_http_tasks_openapi_error(ngx_http_tasks_openapi_t *doc,
    json_t *responses, ngx_uint_t class);
static json_t *ngx_http_tasks_openapi_body(ngx_http_tasks_openapi_t *doc,
    ngx_uint_t class);
static json_t *ngx_http_tasks_openapi_shared(ngx_http_tasks_openapi_t *doc,
    json_t *schema, const char *level);
static json_t *ngx_http_tasks_openapi_response(ngx_http_tasks_openapi_t *doc,
    json_t *responses, ngx_uint_t status, const ngx_str_t *description);
static void ngx_http_tasks_openapi_content(ngx_http_tasks_openapi_t *doc,
    json_t *response, const ngx_str_t *content_type, json_t *schema);
static void ngx_http_tasks_openapi_header(ngx_http_tasks_openapi_t *doc,
    json_t *response, const char *name, const char *type);


json_t *
ngx_http_tasks_openapi_responses(ngx_http_tasks_openapi_t *doc)
{
    json_t      *responses;
    ngx_uint_t   class;

    ngx_memzero(doc->codes,
                doc->compiler.definition->nclasses * sizeof(ngx_uint_t));

    responses = json_object();

    ngx_http_tasks_openapi_success(doc, responses);
    ngx_http_tasks_openapi_classes(doc);

    for (class = 1; class < doc->compiler.definition->nclasses; class++) {
        if (doc->codes[class]) {
            ngx_http_tasks_openapi_error(doc, responses, class);
        }
    }

    return responses;
}


static void
ngx_http_tasks_openapi_success(ngx_http_tasks_openapi_t *doc,
    json_t *responses)
{
    json_t                  *response, *template;
    ngx_http_tasks_route_t  *route;

    static ngx_str_t  success = ngx_string("success");
    static ngx_str_t  not_modified = ngx_string("not modified");

    route = doc->route;
    response = ngx_http_tasks_openapi_response(doc, responses, route->status,
                                               &success);

    if (!route->empty) {
        template = json_object_get(doc->source.json, "response");
        ngx_http_tasks_openapi_content(doc, response, &route->content_type,
                          ngx_http_tasks_openapi_template(doc, template, 0));
    }

    if (route->action != NGX_HTTP_TASKS_ACTION_CANCEL
        && route->status == 200)
    {
        ngx_http_tasks_openapi_header(doc, response, "ETag", "string");
        response = ngx_http_tasks_openapi_response(doc, responses, 304,
                                                   &not_modified);
        ngx_http_tasks_openapi_header(doc, response, "ETag", "string");
    }
}


/* Notes what types of code a class has, for those that can be an answer. */

static void
ngx_http_tasks_openapi_note(ngx_http_tasks_openapi_t *doc, ngx_uint_t class,
    const ngx_http_tasks_literal_t *code)
{
    if (code == NULL || code->json.data == NULL) {
        code = &doc->route->errors[class]->code;
    }

    if (code->json.data == NULL) {
        doc->codes[class] |= NGX_HTTP_TASKS_OPENAPI_NULL;

    } else if (code->plain.data) {
        doc->codes[class] |= NGX_HTTP_TASKS_OPENAPI_STRING;

    } else if (code->json.data[0] == 't' || code->json.data[0] == 'f') {
        doc->codes[class] |= NGX_HTTP_TASKS_OPENAPI_BOOLEAN;

    } else {
        doc->codes[class] |= NGX_HTTP_TASKS_OPENAPI_INTEGER;
    }
}


static void
ngx_http_tasks_openapi_classes(ngx_http_tasks_openapi_t *doc)
{
    ngx_uint_t                 i;
    ngx_http_tasks_param_t    *param;
    ngx_http_tasks_segment_t  *segment;

    segment = doc->route->segments.elts;

    for (i = 0; i < doc->route->segments.nelts; i++) {
        if (segment[i].param) {
            ngx_http_tasks_openapi_rules(doc, segment[i].param);
        }
    }

    param = doc->route->query.elts;

    for (i = 0; i < doc->route->query.nelts; i++) {
        ngx_http_tasks_openapi_rules(doc, &param[i]);
    }

    for (i = 1; i < doc->compiler.definition->nclasses; i++) {
        if (ngx_http_tasks_openapi_gives(doc, i)) {
            ngx_http_tasks_openapi_note(doc, i, NULL);
        }
    }
}


static void
ngx_http_tasks_openapi_rules(ngx_http_tasks_openapi_t *doc,
    ngx_http_tasks_param_t *param)
{
    ngx_uint_t                   rule;
    ngx_http_tasks_complaint_t  *complaint;

    for (rule = 0; rule < NGX_HTTP_TASKS_RULES; rule++) {
        complaint = &param->complaints[rule];

        if (ngx_http_tasks_openapi_fails(doc, param, rule)) {
            ngx_http_tasks_openapi_note(doc, complaint->error,
                                        &complaint->code);
        }
    }
}


/* Whether there is a value that fails the rule. */

static ngx_uint_t
ngx_http_tasks_openapi_fails(ngx_http_tasks_openapi_t *doc,
    ngx_http_tasks_param_t *param, ngx_uint_t rule)
{
    ngx_uint_t  query, integer, cursor;

    cursor = (param->role == NGX_HTTP_TASKS_ROLE_CURSOR);   /* it is bad then */
    query = (param->location.data[0] == 'q');
    integer = (param->type == NGX_HTTP_TASKS_TYPE_INTEGER);

    switch (rule) {

    case NGX_HTTP_TASKS_RULE_REQUIRED:
        return query && param->required;

    case NGX_HTTP_TASKS_RULE_MINIMUM:
        return integer && param->minimum > INT64_MIN;

    case NGX_HTTP_TASKS_RULE_MAXIMUM:
        return integer && param->maximum < INT64_MAX;

    case NGX_HTTP_TASKS_RULE_ENUM:
        return param->values != NULL;

    case NGX_HTTP_TASKS_RULE_PATTERN:
        return param->pattern != NULL;

    case NGX_HTTP_TASKS_RULE_MAX_LENGTH:
        return param->type == NGX_HTTP_TASKS_TYPE_STRING && !cursor;

    case NGX_HTTP_TASKS_RULE_REPEATED:
        return query && param->multiple != NGX_HTTP_TASKS_REPEATED
               && doc->compiler.definition->repeated
                  == NGX_HTTP_TASKS_REPEATED_ERROR;

    case NGX_HTTP_TASKS_RULE_MAX_ITEMS:
        return param->multiple != NGX_HTTP_TASKS_SINGLE;

    default: /* NGX_HTTP_TASKS_RULE_TYPE */
        return !cursor;
    }
}


/*
 * Whether the route gives errors of the class, rules of parameters apart.  Who
 * may ask is a matter of the location, which the definition knows nothing of:
 * what it has words for is taken to be given.
 */
static ngx_uint_t
ngx_http_tasks_openapi_gives(ngx_http_tasks_openapi_t *doc, ngx_uint_t class)
{
    ngx_uint_t                     i;
    ngx_http_tasks_route_t        *route;
    ngx_http_tasks_cancel_rule_t  *cancel;

    route = doc->route;

    switch (class) {

    case NGX_HTTP_TASKS_BAD_PARAMETER:
    case NGX_HTTP_TASKS_NO_ROUTE:
    case NGX_HTTP_TASKS_BAD_METHOD:
        return 0;

    case NGX_HTTP_TASKS_BAD_CURSOR:
        return route->cursor != NULL;

    case NGX_HTTP_TASKS_FORBIDDEN:
        return ngx_http_tasks_openapi_said(doc, class);

    case NGX_HTTP_TASKS_NOT_FOUND:
        return route->action != NGX_HTTP_TASKS_ACTION_LIST;

    case NGX_HTTP_TASKS_CANNOT_CANCEL:
        cancel = route->collection->cancel;
        return route->action == NGX_HTTP_TASKS_ACTION_CANCEL
               && (cancel->from || cancel->except->nelts);

    case NGX_HTTP_TASKS_TOO_LARGE:
    case NGX_HTTP_TASKS_UNAVAILABLE:
    case NGX_HTTP_TASKS_TIMEOUT:
    case NGX_HTTP_TASKS_INTERNAL:
        return 1;

    default:
        break;
    }

    if (class >= NGX_HTTP_TASKS_ERRORS) {
        /* one that no rule has is there for "tasks_require" */
        return !ngx_http_tasks_openapi_ruled(doc->compiler.definition, class);
    }

    for (i = NGX_HTTP_TASKS_UNAUTHORIZED;
         i <= NGX_HTTP_TASKS_EXPIRED_CREDENTIAL; i++)
    {
        if (ngx_http_tasks_openapi_said(doc, i)) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_tasks_openapi_said(ngx_http_tasks_openapi_t *doc, ngx_uint_t class)
{
    const char  *name;

    name = (char *) doc->compiler.definition->classes[class].data;

    return json_object_get(doc->errors.json, name)
           || json_object_get(json_object_get(doc->source.json, "errors"),
                              name);
}


/* Whether a rule of any route has the class. */

static ngx_uint_t
ngx_http_tasks_openapi_ruled(ngx_http_tasks_definition_t *definition,
    ngx_uint_t class)
{
    ngx_uint_t                 i, j, k, n;
    ngx_http_tasks_param_t    *param;
    ngx_http_tasks_route_t    *route;
    ngx_http_tasks_segment_t  *segment;

    route = definition->routes.elts;

    for (i = 0; i < definition->routes.nelts; i++) {
        segment = route[i].segments.elts;
        n = route[i].segments.nelts;

        for (j = 0; j < n + route[i].query.nelts; j++) {
            param = j < n ? segment[j].param
                       : (ngx_http_tasks_param_t *) route[i].query.elts + j - n;

            for (k = 0; param && k < NGX_HTTP_TASKS_RULES; k++) {
                if (param->complaints[k].error == class) {
                    return 1;
                }
            }
        }
    }

    return 0;
}


static void
ngx_http_tasks_openapi_error(ngx_http_tasks_openapi_t *doc,
    json_t *responses, ngx_uint_t class)
{
    json_t                  *response;
    ngx_http_tasks_error_t  *error;

    error = doc->route->errors[class];

    response = ngx_http_tasks_openapi_response(doc, responses, error->status,
                                  &doc->compiler.definition->classes[class]);

    if (error->body.parts.nelts) {
        ngx_http_tasks_openapi_content(doc, response, &error->content_type,
                                   ngx_http_tasks_openapi_body(doc, class));
    }

    if (class == NGX_HTTP_TASKS_UNAVAILABLE || class == NGX_HTTP_TASKS_TIMEOUT)
    {
        ngx_http_tasks_openapi_header(doc, response, "Retry-After", "string");
    }
}


static json_t *
ngx_http_tasks_openapi_body(ngx_http_tasks_openapi_t *doc, ngx_uint_t class)
{
    json_t                 *source, *schema;
    ngx_int_t               rc;
    ngx_uint_t              plain;
    const char             *level;
    ngx_http_tasks_node_t   special;

    rc = ngx_http_tasks_node_member(&doc->source, "errors", &special);

    rc = ngx_http_tasks_error_source(&doc->errors,
                                     rc == NGX_OK ? &special : NULL, class,
                                     &source, &plain, &level);
    if (rc != NGX_OK) {
        level = "default";
        plain = 0;
        source = json_pack("{s:s}", "error", "$message");

    } else {
        json_incref(source);
    }

    if (plain) {
        schema = ngx_http_tasks_openapi_type("string", NULL, 0);

    } else {
        schema = source ? ngx_http_tasks_openapi_template(doc, source, class)
                        : NULL;
        schema = ngx_http_tasks_openapi_shared(doc, schema, level);
    }

    json_decref(source);

    return schema;
}


/*
 * Takes over a schema of errors, and refers to it as "Error", or
 * "BadParameterError" if it is of a class, with a number if that is another
 * schema; or as one that is the same.
 */
static json_t *
ngx_http_tasks_openapi_shared(ngx_http_tasks_openapi_t *doc, json_t *schema,
    const char *level)
{
    u_char      *name, *p;
    size_t       len;
    json_t      *known;
    ngx_uint_t   n;
    const char  *other;

    json_object_foreach(doc->schemas, other, known) {
        if (json_equal(known, schema)) {
            json_decref(schema);
            return ngx_http_tasks_openapi_ref(doc, other);
        }
    }

    len = ngx_strlen(level) + sizeof("Error") + NGX_INT_T_LEN;
    name = ngx_pnalloc(doc->compiler.cf->temp_pool, len);

    if (name == NULL) {
        json_decref(schema);
        return NULL;
    }

    p = name;

    if (ngx_strcmp(level, "default") != 0) {
        p = ngx_http_tasks_openapi_camel(p, (u_char *) level,
                                         ngx_strlen(level));
    }

    p = ngx_cpymem(p, "Error", sizeof("Error"));

    for (n = 2; json_object_get(doc->schemas, (char *) name); n++) {
        ngx_sprintf(p - 1, "%ui%Z", n);
    }

    ngx_http_tasks_openapi_put(doc, doc->schemas, (char *) name, schema);

    return ngx_http_tasks_openapi_ref(doc, (char *) name);
}


/*
 * The response of a status.  It is described by what has that status, as
 * "success, bad_parameter".
 */

static json_t *
ngx_http_tasks_openapi_response(ngx_http_tasks_openapi_t *doc,
    json_t *responses, ngx_uint_t status, const ngx_str_t *description)
{
    u_char      *p, *last;
    size_t       len;
    json_t      *response;
    u_char       key[NGX_INT_T_LEN + 1];
    const char  *former;

    ngx_sprintf(key, "%ui%Z", status);
    response = json_object_get(responses, (char *) key);

    if (response == NULL) {
        response = json_object();
        ngx_http_tasks_openapi_put(doc, response, "description",
                                   ngx_http_tasks_openapi_text(description));

        return ngx_http_tasks_openapi_put(doc, responses, (char *) key,
                                          response);
    }

    former = json_string_value(json_object_get(response, "description"));
    if (former == NULL) {
        return response;                   /* memory was short */
    }

    len = ngx_strlen(former) + 2 + description->len;

    p = ngx_pnalloc(doc->compiler.cf->temp_pool, len);
    if (p == NULL) {
        doc->failed = 1;
        return response;
    }

    last = ngx_snprintf(p, len, "%s, %V", former, description);

    ngx_http_tasks_openapi_put(doc, response, "description",
                               json_stringn((char *) p, last - p));

    return response;
}


/*
 * Adds a schema, which it takes over, to those of a media type.  "anyOf", not
 * "oneOf": a body may be of the form of several.
 */
static void
ngx_http_tasks_openapi_content(ngx_http_tasks_openapi_t *doc,
    json_t *response, const ngx_str_t *content_type, json_t *schema)
{
    char        *type;
    size_t       i, len;
    json_t      *content, *media, *known, *any;

    for (len = 0; len < content_type->len; len++) {
        if (content_type->data[len] == ';' || content_type->data[len] == ' ') {
            break;
        }
    }

    type = (char *) ngx_http_tasks_compiler_text(&doc->compiler,
                                        (char *) content_type->data, len).data;

    if (type == NULL || schema == NULL) {
        doc->failed = 1;
        json_decref(schema);
        return;
    }

    content = json_object_get(response, "content");

    if (content == NULL) {
        content = ngx_http_tasks_openapi_put(doc, response, "content",
                                             json_object());
    }

    media = json_object_get(content, type);

    if (media == NULL) {
        ngx_http_tasks_openapi_put(doc, content, type,
                                   json_pack("{s:o}", "schema", schema));
        return;
    }

    known = json_object_get(media, "schema");
    any = json_object_get(known, "anyOf");

    for (i = 0; i < json_array_size(any); i++) {
        if (json_equal(json_array_get(any, i), schema)) {
            break;
        }
    }

    if (json_equal(known, schema) || (any && i < json_array_size(any))) {
        json_decref(schema);

    } else if (any) {
        ngx_http_tasks_openapi_add(doc, any, schema);

    } else {
        ngx_http_tasks_openapi_put(doc, media, "schema",
                               json_pack("{s:[O,o]}", "anyOf", known, schema));
    }
}


static void
ngx_http_tasks_openapi_header(ngx_http_tasks_openapi_t *doc,
    json_t *response, const char *name, const char *type)
{
    json_t  *headers;

    headers = json_object_get(response, "headers");

    if (headers == NULL) {
        headers = ngx_http_tasks_openapi_put(doc, response, "headers",
                                             json_object());
    }

    ngx_http_tasks_openapi_put(doc, headers, name,
                   json_pack("{s:{s:s}}", "schema", "type", type));
}
