
/*
 * The OpenAPI 3.1 document of an API definition, from what was compiled of it
 * and from its file.  Runs at configuration time only; the handler that sends
 * the document is in ngx_http_tasks_openapi_conf.c.
 */


#include <ngx_http_tasks_openapi.h>


static json_t *ngx_http_tasks_openapi_document(ngx_http_tasks_openapi_t *doc,
    const ngx_str_t *base);
static json_t *ngx_http_tasks_openapi_info(ngx_http_tasks_openapi_t *doc);
static size_t ngx_http_tasks_openapi_server(ngx_http_tasks_openapi_t *doc,
    const ngx_str_t *base);
static json_t *ngx_http_tasks_openapi_tags(ngx_http_tasks_openapi_t *doc);
static json_t *ngx_http_tasks_openapi_paths(ngx_http_tasks_openapi_t *doc,
    const ngx_str_t *base);
static ngx_http_tasks_route_t *ngx_http_tasks_openapi_route(
    ngx_http_tasks_openapi_t *doc, ngx_uint_t index);
static ngx_http_tasks_route_t *ngx_http_tasks_openapi_like(
    ngx_http_tasks_openapi_t *doc, ngx_http_tasks_route_t *route);
static void ngx_http_tasks_openapi_operation(ngx_http_tasks_openapi_t *doc,
    json_t *paths, const ngx_str_t *base);
static char *ngx_http_tasks_openapi_path(ngx_http_tasks_openapi_t *doc,
    const ngx_str_t *base, ngx_http_tasks_route_t *route);
static json_t *ngx_http_tasks_openapi_name(ngx_http_tasks_openapi_t *doc);
static ngx_str_t *ngx_http_tasks_openapi_tag(ngx_http_tasks_openapi_t *doc,
    ngx_http_tasks_collection_t *collection);


ngx_int_t
ngx_http_tasks_openapi_generate(ngx_conf_t *cf,
    ngx_http_tasks_definition_t *definition, const ngx_str_t *base,
    ngx_str_t *text)
{
    json_t                    *document;
    ngx_http_tasks_openapi_t   doc;

    ngx_memzero(&doc, sizeof(ngx_http_tasks_openapi_t));

    doc.compiler.cf = cf;
    doc.compiler.definition = definition;

    doc.root.compiler = &doc.compiler;
    doc.root.json = definition->source;

    doc.errors = doc.root;
    doc.errors.json = NULL;
    (void) ngx_http_tasks_node_member(&doc.root, "errors", &doc.errors);

    doc.codes = ngx_palloc(cf->temp_pool,
                           definition->nclasses * sizeof(ngx_uint_t));
    if (doc.codes == NULL) {
        return NGX_ERROR;
    }

    doc.schemas = json_object();
    doc.names = json_object();

    document = ngx_http_tasks_openapi_document(&doc, base);

    ngx_str_null(text);

    if (!doc.failed) {
        *text = ngx_http_tasks_compiler_dump(&doc.compiler, document);
    }

    json_decref(document);
    json_decref(doc.names);

    return text->data ? NGX_OK : NGX_ERROR;
}


json_t *
ngx_http_tasks_openapi_put(ngx_http_tasks_openapi_t *doc, json_t *object,
    const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0) {
        doc->failed = 1;
        return NULL;
    }

    return value;
}


void
ngx_http_tasks_openapi_add(ngx_http_tasks_openapi_t *doc, json_t *array,
    json_t *value)
{
    if (json_array_append_new(array, value) != 0) {
        doc->failed = 1;
    }
}


json_t *
ngx_http_tasks_openapi_text(const ngx_str_t *text)
{
    return json_stringn((char *) text->data, text->len);
}


u_char *
ngx_http_tasks_openapi_camel(u_char *p, const u_char *name, size_t len)
{
    u_char      c;
    size_t      i;
    ngx_uint_t  upper;

    upper = 1;

    for (i = 0; i < len; i++) {
        c = name[i];

        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
            || (c >= 'A' && c <= 'Z'))
        {
            *p++ = upper ? ngx_toupper(c) : c;
            upper = 0;

        } else {
            upper = 1;
        }
    }

    return p;
}


json_t *
ngx_http_tasks_openapi_collection(ngx_http_tasks_openapi_t *doc)
{
    ngx_str_t  *key;

    key = &doc->route->collection->key;

    return key->len ? json_object_get(json_object_get(doc->root.json,
                                                      "collections"),
                                      (char *) key->data)
                    : doc->root.json;
}


void
ngx_http_tasks_openapi_describe(ngx_http_tasks_openapi_t *doc,
    json_t *object, json_t *source)
{
    json_t  *description;

    description = json_object_get(source, "description");

    if (json_is_string(description)) {
        ngx_http_tasks_openapi_put(doc, object, "description",
                                   json_incref(description));
    }
}


ngx_uint_t
ngx_http_tasks_openapi_listed(ngx_array_t *list, const ngx_str_t *text)
{
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = list ? list->elts : NULL;

    for (i = 0; list && i < list->nelts; i++) {
        if (ngx_http_tasks_equal(&value[i], text)) {
            return 1;
        }
    }

    return 0;
}


static json_t *
ngx_http_tasks_openapi_document(ngx_http_tasks_openapi_t *doc,
    const ngx_str_t *base)
{
    size_t      len;
    json_t     *document, *server;
    ngx_str_t   path;

    /* what paths begin with, behind the server's address */

    len = ngx_http_tasks_openapi_server(doc, base);

    path.data = base->data + len;
    path.len = base->len - len;

    server = len ? json_stringn((char *) base->data, len) : json_string("/");

    document = json_object();

    ngx_http_tasks_openapi_put(doc, document, "openapi", json_string("3.1.0"));
    ngx_http_tasks_openapi_put(doc, document, "info",
                               ngx_http_tasks_openapi_info(doc));
    ngx_http_tasks_openapi_put(doc, document, "servers",
                               json_pack("[{s:o}]", "url", server));
    ngx_http_tasks_openapi_put(doc, document, "tags",
                               ngx_http_tasks_openapi_tags(doc));
    ngx_http_tasks_openapi_put(doc, document, "paths",
                               ngx_http_tasks_openapi_paths(doc, &path));
    ngx_http_tasks_openapi_put(doc, document, "components",
                               json_pack("{s:o}", "schemas", doc->schemas));

    return document;
}


/* A definition has no version but what it is. */

static json_t *
ngx_http_tasks_openapi_info(ngx_http_tasks_openapi_t *doc)
{
    json_t                       *info;
    ngx_str_t                     version;
    ngx_http_tasks_definition_t  *definition;

    definition = doc->compiler.definition;

    version.data = definition->fingerprint;
    version.len = sizeof(definition->fingerprint);

    info = json_object();

    ngx_http_tasks_openapi_put(doc, info, "title",
          ngx_http_tasks_openapi_text(
                       &ngx_http_tasks_main_collection(definition)->name));
    ngx_http_tasks_openapi_put(doc, info, "version",
                               ngx_http_tasks_openapi_text(&version));
    ngx_http_tasks_openapi_describe(doc, info, doc->root.json);

    return info;
}


/*
 * How much of the base is the server's address: all of it, but for the last
 * segment if a route has the path "", as no path of a document may be empty.
 */
static size_t
ngx_http_tasks_openapi_server(ngx_http_tasks_openapi_t *doc,
    const ngx_str_t *base)
{
    size_t                   len;
    ngx_uint_t               i;
    ngx_http_tasks_route_t  *route;

    len = base->len;
    route = doc->compiler.definition->routes.elts;

    for (i = 0; i < doc->compiler.definition->routes.nelts; i++) {

        if (route[i].action != NGX_HTTP_TASKS_ACTION_NONE
            && route[i].segments.nelts == 0)
        {
            while (len && base->data[--len] != '/') { /* void */ }
            break;
        }
    }

    return len;
}


static json_t *
ngx_http_tasks_openapi_tags(ngx_http_tasks_openapi_t *doc)
{
    json_t                         *tags, *tag, *source;
    ngx_str_t                      *key;
    ngx_uint_t                      i;
    ngx_http_tasks_collection_t   **collection;
    ngx_http_tasks_definition_t    *definition;

    tags = json_array();
    definition = doc->compiler.definition;
    collection = definition->collections.elts;

    for (i = 0; i < definition->collections.nelts; i++) {
        key = ngx_http_tasks_openapi_tag(doc, collection[i]);

        tag = json_object();

        ngx_http_tasks_openapi_put(doc, tag, "name",
                                   ngx_http_tasks_openapi_text(key));

        if (i) {
            source = json_object_get(doc->root.json, "collections");
            ngx_http_tasks_openapi_describe(doc, tag,
                               json_object_get(source, (char *) key->data));
        }

        ngx_http_tasks_openapi_add(doc, tags, tag);
    }

    return tags;
}


static ngx_str_t *
ngx_http_tasks_openapi_tag(ngx_http_tasks_openapi_t *doc,
    ngx_http_tasks_collection_t *collection)
{
    (void) doc;

    return collection->key.len ? &collection->key : &collection->name;
}


/* In the order of the file. */

static json_t *
ngx_http_tasks_openapi_paths(ngx_http_tasks_openapi_t *doc,
    const ngx_str_t *base)
{
    json_t                 *paths;
    ngx_uint_t              i;
    ngx_http_tasks_node_t   routes;

    paths = json_object();

    (void) ngx_http_tasks_node_member(&doc->root, "routes", &routes);

    for (i = 0; i < doc->compiler.definition->routes.nelts; i++) {
        doc->route = ngx_http_tasks_openapi_route(doc, i);
        ngx_http_tasks_node_element(&routes, i, &doc->source);

        if (doc->route->action != NGX_HTTP_TASKS_ACTION_NONE) {
            ngx_http_tasks_openapi_operation(doc, paths, base);
        }
    }

    return paths;
}


/* By its place in the file. */

static ngx_http_tasks_route_t *
ngx_http_tasks_openapi_route(ngx_http_tasks_openapi_t *doc, ngx_uint_t index)
{
    ngx_http_tasks_route_t  *route;

    for (route = doc->compiler.definition->routes.elts;
         route->index != index;
         route++)
    {
        /* void */
    }

    return route;
}


/*
 * The first route of paths that differ in the names of parameters only: to
 * OpenAPI they are one path.
 */
static ngx_http_tasks_route_t *
ngx_http_tasks_openapi_like(ngx_http_tasks_openapi_t *doc,
    ngx_http_tasks_route_t *route)
{
    ngx_uint_t                 i, j;
    ngx_http_tasks_route_t    *other;
    ngx_http_tasks_segment_t  *a, *b;

    a = route->segments.elts;

    for (i = 0; i < route->index; i++) {
        other = ngx_http_tasks_openapi_route(doc, i);

        if (other->action == NGX_HTTP_TASKS_ACTION_NONE
            || other->segments.nelts != route->segments.nelts)
        {
            continue;
        }

        b = other->segments.elts;

        for (j = 0; j < route->segments.nelts; j++) {
            if (!a[j].param != !b[j].param
                || (!a[j].param
                    && !ngx_http_tasks_equal(&a[j].text, &b[j].text)))
            {
                break;
            }
        }

        if (j == route->segments.nelts) {
            return other;
        }
    }

    return route;
}


static void
ngx_http_tasks_openapi_operation(ngx_http_tasks_openapi_t *doc,
    json_t *paths, const ngx_str_t *base)
{
    char                    *path;
    json_t                  *item, *operation;
    u_char                   method[8];
    ngx_str_t               *tag;
    ngx_http_tasks_route_t  *like;

    static const char *const  summaries[] = {
        "List tasks", "Get a task", "Cancel a task"
    };

    like = ngx_http_tasks_openapi_like(doc, doc->route);
    path = ngx_http_tasks_openapi_path(doc, base, like);

    if (path == NULL) {
        doc->failed = 1;
        return;
    }

    item = json_object_get(paths, path);

    if (item == NULL) {
        item = ngx_http_tasks_openapi_put(doc, paths, path, json_object());
    }

    tag = ngx_http_tasks_openapi_tag(doc, doc->route->collection);
    operation = json_object();

    ngx_http_tasks_openapi_put(doc, operation, "operationId",
                               ngx_http_tasks_openapi_name(doc));
    ngx_http_tasks_openapi_put(doc, operation, "tags",
                   json_pack("[o]", ngx_http_tasks_openapi_text(tag)));
    ngx_http_tasks_openapi_put(doc, operation, "summary",
                               json_string(summaries[doc->route->action]));
    ngx_http_tasks_openapi_describe(doc, operation, doc->source.json);
    ngx_http_tasks_openapi_put(doc, operation, "parameters",
                               ngx_http_tasks_openapi_params(doc, like));
    ngx_http_tasks_openapi_put(doc, operation, "responses",
                               ngx_http_tasks_openapi_responses(doc));
    ngx_http_tasks_openapi_put(doc, operation, "x-tasks-action",
        ngx_http_tasks_openapi_text(
                  &ngx_http_tasks_action_names[doc->route->action]));

    ngx_strlow(method, doc->route->method.data, doc->route->method.len);
    method[doc->route->method.len] = '\0';

    ngx_http_tasks_openapi_put(doc, item, (char *) method, operation);
}


/* NULL: no memory. */

static char *
ngx_http_tasks_openapi_path(ngx_http_tasks_openapi_t *doc,
    const ngx_str_t *base, ngx_http_tasks_route_t *route)
{
    u_char                    *p, *path;
    size_t                     len;
    ngx_uint_t                 i;
    ngx_http_tasks_segment_t  *segment;

    segment = route->segments.elts;
    len = base->len + sizeof("/");

    for (i = 0; i < route->segments.nelts; i++) {
        len += segment[i].text.len * 3 + sizeof("/{}");
    }

    path = ngx_pnalloc(doc->compiler.cf->temp_pool, len);
    if (path == NULL) {
        return NULL;
    }

    p = ngx_cpymem(path, base->data, base->len);

    for (i = 0; i < route->segments.nelts; i++) {

        if (segment[i].param) {
            p = ngx_sprintf(p, "/{%V}", &segment[i].text);
            continue;
        }

        *p++ = '/';
        p = (u_char *) ngx_escape_uri(p, segment[i].text.data,
                                      segment[i].text.len, NGX_ESCAPE_URI);
    }

    if (p == path) {
        *p++ = '/';
    }

    *p = '\0';

    return (char *) path;
}


/*
 * "listTasks", or "getRunsTask" for the collection "runs"; if there is such a
 * name, with the path's last word, or else a number.
 */
static json_t *
ngx_http_tasks_openapi_name(ngx_http_tasks_openapi_t *doc)
{
    u_char                    *p, *name;
    size_t                     len;
    ngx_str_t                 *action, *key;
    ngx_uint_t                 i, n;
    ngx_http_tasks_segment_t  *segment;

    action = &ngx_http_tasks_action_names[doc->route->action];
    key = &doc->route->collection->key;
    segment = doc->route->segments.elts;
    len = action->len + key->len + sizeof("Tasks") + NGX_INT_T_LEN;

    for (i = doc->route->segments.nelts; i > 0; i--) {
        if (segment[i - 1].param == NULL) {
            len += segment[i - 1].text.len;
            break;
        }
    }

    name = ngx_pnalloc(doc->compiler.cf->temp_pool, len);
    if (name == NULL) {
        return NULL;
    }

    p = ngx_cpymem(name, action->data, action->len);
    p = ngx_http_tasks_openapi_camel(p, key->data, key->len);
    p = ngx_sprintf(p, "Task%s%Z", doc->route->action
                                   == NGX_HTTP_TASKS_ACTION_LIST ? "s" : "");

    if (i && json_object_get(doc->names, (char *) name)) {
        p = ngx_http_tasks_openapi_camel(p - 1, segment[i - 1].text.data,
                                         segment[i - 1].text.len);
        *p++ = '\0';
    }

    for (n = 2; json_object_get(doc->names, (char *) name); n++) {
        ngx_sprintf(p - 1, "%ui%Z", n);
    }

    ngx_http_tasks_openapi_put(doc, doc->names, (char *) name, json_true());

    return json_string((char *) name);
}
