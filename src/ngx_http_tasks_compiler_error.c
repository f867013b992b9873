
/*
 * Compiles errors.  Each member of one is looked for at several levels, the
 * most special first: the class in the route's errors, the class that it is a
 * kind of, "default" there; then the same in the definition's errors.
 */


#include <ngx_http_tasks_compiler.h>


/* class, its parent and "default", of a route and of the definition */
#define NGX_HTTP_TASKS_ERROR_LEVELS  6


typedef struct {
    ngx_str_t                 name;
    ngx_uint_t                parent;    /* class that it is a kind of, or 0 */
    ngx_uint_t                status;
    const char               *message;
} ngx_http_tasks_class_t;


static ngx_int_t ngx_http_tasks_class_add(const ngx_http_tasks_node_t *errors,
    const char *name);
static ngx_int_t ngx_http_tasks_error_keys(
    const ngx_http_tasks_node_t *errors, ngx_uint_t rules);
static ngx_http_tasks_error_t *ngx_http_tasks_compile_error(
    const ngx_http_tasks_node_t *errors, const ngx_http_tasks_node_t *special,
    ngx_uint_t class);
static ngx_uint_t ngx_http_tasks_class_parent(
    const ngx_http_tasks_node_t *errors, ngx_uint_t class);


/* in the order of ngx_http_tasks_error_e */
static ngx_http_tasks_class_t  ngx_http_tasks_classes[] = {
    { ngx_string(""), 0, 0, NULL },
    { ngx_string("bad_parameter"), 0, 400, "Bad parameter" },
    { ngx_string("bad_cursor"), 0, 400, "Bad cursor" },
    { ngx_string("unauthorized"), 0, 401, "Unauthorized" },
    { ngx_string("no_token"), NGX_HTTP_TASKS_UNAUTHORIZED, 401,
      "Credentials are missing" },
    { ngx_string("bad_token"), NGX_HTTP_TASKS_UNAUTHORIZED, 401,
      "Invalid token" },
    { ngx_string("expired_token"), NGX_HTTP_TASKS_UNAUTHORIZED, 401,
      "The token has expired" },
    { ngx_string("early_token"), NGX_HTTP_TASKS_UNAUTHORIZED, 401,
      "The token is not valid yet" },
    { ngx_string("bad_credential"), NGX_HTTP_TASKS_UNAUTHORIZED, 401,
      "Invalid credential" },
    { ngx_string("expired_credential"), NGX_HTTP_TASKS_UNAUTHORIZED, 401,
      "The credential has expired" },
    { ngx_string("forbidden"), 0, 403, "Forbidden" },
    { ngx_string("not_found"), 0, 404, "Task not found" },
    { ngx_string("no_route"), 0, 404, "Not found" },
    { ngx_string("bad_method"), 0, 405, "Method not allowed" },
    { ngx_string("cannot_cancel"), 0, 409, "Cannot cancel task" },
    { ngx_string("too_large"), 0, 500, "The answer is too large" },
    { ngx_string("unavailable"), 0, 503, "The task store is unavailable" },
    { ngx_string("timeout"), 0, 504, "The task store did not answer in time" },
    { ngx_string("internal"), 0, 500, "Internal error" }
};


ngx_int_t
ngx_http_tasks_compile_defaults(const ngx_http_tasks_node_t *root)
{
    if (ngx_http_tasks_node_line(root, "content_type",
                                 &root->compiler->content_type)
        == NGX_ERROR
        || ngx_http_tasks_node_headers(root, &root->compiler->headers)
           == NGX_ERROR)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_tasks_compile_classes(const ngx_http_tasks_node_t *errors)
{
    json_t                       *value;
    const char                   *name;
    ngx_uint_t                    i;
    ngx_http_tasks_definition_t  *definition;

    definition = errors->compiler->definition;

    /* with an empty one at the end */

    definition->classes = ngx_pcalloc(errors->compiler->cf->pool,
                  (NGX_HTTP_TASKS_ERRORS + json_object_size(errors->json) + 1)
                  * sizeof(ngx_str_t));
    if (definition->classes == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_HTTP_TASKS_ERRORS; i++) {
        definition->classes[i] = ngx_http_tasks_classes[i].name;
    }

    definition->nclasses = NGX_HTTP_TASKS_ERRORS;

    if (errors->json == NULL) {
        return NGX_OK;
    }

    if (ngx_http_tasks_node_is_object(errors) != NGX_OK) {
        return NGX_ERROR;
    }

    json_object_foreach(errors->json, name, value) {
        if (json_object_get(value, "like")
            && ngx_http_tasks_class_add(errors, name) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_http_tasks_error_keys(errors, 1);
}


/* One of the module's classes, which "like" names. */

static ngx_int_t
ngx_http_tasks_class_like(const ngx_http_tasks_node_t *class,
    ngx_uint_t *like)
{
    ngx_int_t   rc;
    ngx_str_t   names[NGX_HTTP_TASKS_ERRORS];
    ngx_uint_t  i;

    for (i = 1; i < NGX_HTTP_TASKS_ERRORS; i++) {
        names[i - 1] = ngx_http_tasks_classes[i].name;
    }

    ngx_str_null(&names[i - 1]);

    rc = ngx_http_tasks_node_choice(class, "like", names, like);

    *like += 1;

    return rc;
}


/* A class of the definition's own: "no_team": {"like": "forbidden", ...}. */

static ngx_int_t
ngx_http_tasks_class_add(const ngx_http_tasks_node_t *errors,
    const char *name)
{
    ngx_str_t                    *class;
    ngx_uint_t                    i, parent;
    ngx_http_tasks_node_t         member;
    ngx_http_tasks_definition_t  *definition;

    definition = errors->compiler->definition;
    (void) ngx_http_tasks_node_member(errors, name, &member);

    for (i = 1; i < NGX_HTTP_TASKS_ERRORS; i++) {
        if (ngx_strcmp(name, ngx_http_tasks_classes[i].name.data) == 0) {
            break;
        }
    }

    if (i < NGX_HTTP_TASKS_ERRORS || ngx_strcmp(name, "default") == 0
        || name[0] == '\0'
        || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")])
    {
        return ngx_http_tasks_node_error(&member, "\"like\" is for a class of "
                     "your own, whose name is of a-z, 0-9 and _");
    }

    for (i = 0; ngx_http_tasks_outcome_names[i].len; i++) {
        if (ngx_strcmp(name, ngx_http_tasks_outcome_names[i].data) == 0) {
            return ngx_http_tasks_node_error(&member, "is the name of an "
                                   "outcome of requests that is no error");
        }
    }

    parent = 0;

    if (ngx_http_tasks_class_like(&member, &parent) != NGX_OK) {
        return NGX_ERROR;
    }

    class = &definition->classes[definition->nclasses++];
    *class = ngx_http_tasks_compiler_text(errors->compiler, name,
                                          ngx_strlen(name));

    return class->data ? NGX_OK : NGX_ERROR;
}


ngx_http_tasks_error_t **
ngx_http_tasks_compile_errors(const ngx_http_tasks_node_t *errors,
    const ngx_http_tasks_node_t *special)
{
    ngx_uint_t                    i;
    ngx_http_tasks_error_t      **list;
    ngx_http_tasks_definition_t  *definition;

    definition = errors->compiler->definition;

    if (special && ngx_http_tasks_error_keys(special, 0) != NGX_OK) {
        return NULL;
    }

    list = ngx_pcalloc(errors->compiler->cf->pool,
                       definition->nclasses * sizeof(void *));
    if (list == NULL) {
        return NULL;
    }

    for (i = 1; i < definition->nclasses; i++) {
        list[i] = ngx_http_tasks_compile_error(errors, special, i);

        if (list[i] == NULL) {
            return NULL;
        }
    }

    return list;
}


static ngx_int_t
ngx_http_tasks_error_keys(const ngx_http_tasks_node_t *errors,
    ngx_uint_t whole)
{
    json_t                 *value;
    const char             *class;
    ngx_str_t              *name;
    ngx_http_tasks_node_t   member;

    static const char *const  keys[] = {
        "status", "code", "message", "body", "text", "content_type",
        "headers", "rules", "like", NULL
    };

    if (ngx_http_tasks_node_is_object(errors) != NGX_OK) {
        return NGX_ERROR;
    }

    json_object_foreach(errors->json, class, value) {

        for (name = errors->compiler->definition->classes + 1; name->len;
             name++)
        {
            if (ngx_strcmp(class, name->data) == 0) {
                break;
            }
        }

        if (name->len == 0 && ngx_strcmp(class, "default") != 0) {
            return ngx_http_tasks_node_error(errors, "unknown class \"%s\"; "
                        "one of your own says which it is \"like\"", class);
        }

        (void) ngx_http_tasks_node_member(errors, class, &member);

        if (ngx_http_tasks_node_keys(&member, keys) != NGX_OK) {
            return NGX_ERROR;
        }

        if (json_object_get(member.json, "rules")
            && !(whole && name == &errors->compiler->definition
                                   ->classes[NGX_HTTP_TASKS_BAD_PARAMETER]))
        {
            return ngx_http_tasks_node_error(&member, "\"rules\" stand in "
                              "\"bad_parameter\" of the definition's errors");
        }

        if (json_object_get(member.json, "like") && !whole) {
            return ngx_http_tasks_node_error(&member,
                         "\"like\" stands in the definition's errors");
        }
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_tasks_class_parent(const ngx_http_tasks_node_t *errors,
    ngx_uint_t class)
{
    ngx_uint_t                    parent;
    ngx_http_tasks_node_t         member;
    ngx_http_tasks_definition_t  *definition;

    if (class < NGX_HTTP_TASKS_ERRORS) {
        return ngx_http_tasks_classes[class].parent;
    }

    parent = 0;
    definition = errors->compiler->definition;

    (void) ngx_http_tasks_node_member(errors,
                       (char *) definition->classes[class].data, &member);
    (void) ngx_http_tasks_class_like(&member, &parent);

    return parent;
}


static ngx_int_t
ngx_http_tasks_error_member(const ngx_http_tasks_node_t *levels,
    const char *key, ngx_http_tasks_node_t *member)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_TASKS_ERROR_LEVELS; i++) {
        if (ngx_http_tasks_node_member(&levels[i], key, member) == NGX_OK) {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_tasks_error_message(const ngx_http_tasks_node_t *levels,
    const char *message, ngx_http_tasks_error_t *error)
{
    ngx_http_tasks_node_t  member;

    member = levels[0];

    if (ngx_http_tasks_error_member(levels, "message", &member) == NGX_OK) {

        if (!json_is_string(member.json)) {
            return ngx_http_tasks_node_error(&member, "must be a string");
        }

        message = json_string_value(member.json);
    }

    return ngx_http_tasks_compile_text(&member, message,
                                       ngx_http_tasks_error_values
                                       & ~NGX_HTTP_TASKS_BIT(MESSAGE),
                                       &error->message);
}


/* "body" is JSON, "text" is plain; of both the more special one counts. */

static ngx_int_t
ngx_http_tasks_error_body(const ngx_http_tasks_node_t *levels,
    ngx_http_tasks_error_t *error)
{
    json_t                 *json;
    ngx_int_t               rc;
    ngx_uint_t              i;
    ngx_http_tasks_node_t   member;

    error->content_type = levels[0].compiler->content_type;

    if (error->content_type.data == NULL) {
        ngx_str_set(&error->content_type, "application/json");
    }

    for (i = 0; i < NGX_HTTP_TASKS_ERROR_LEVELS; i++) {

        if (ngx_http_tasks_node_member(&levels[i], "body", &member) == NGX_OK)
        {
            return ngx_http_tasks_compile_body(&member,
                                               ngx_http_tasks_error_values,
                                               &error->body);
        }

        if (ngx_http_tasks_node_member(&levels[i], "text", &member) != NGX_OK)
        {
            continue;
        }

        if (!json_is_string(member.json)) {
            return ngx_http_tasks_node_error(&member, "must be a string");
        }

        ngx_str_set(&error->content_type, "text/plain; charset=utf-8");

        return ngx_http_tasks_compile_text(&member,
                                           json_string_value(member.json),
                                           ngx_http_tasks_error_values,
                                           &error->body);
    }

    json = json_pack("{s:s}", "error", "$message");
    if (json == NULL) {
        return NGX_ERROR;
    }

    member = levels[0];
    member.json = json;

    rc = ngx_http_tasks_compile_body(&member, ngx_http_tasks_error_values,
                                     &error->body);
    json_decref(json);

    return rc;
}


static void
ngx_http_tasks_error_levels(const ngx_http_tasks_node_t *errors,
    const ngx_http_tasks_node_t *special, ngx_uint_t class,
    ngx_http_tasks_node_t *levels)
{
    ngx_str_t    *classes;
    ngx_uint_t    i;
    const char   *names[NGX_HTTP_TASKS_ERROR_LEVELS / 2];

    classes = errors->compiler->definition->classes;

    names[0] = (char *) classes[class].data;
    names[1] = (char *) classes[ngx_http_tasks_class_parent(errors, class)]
                        .data;
    names[2] = "default";

    for (i = 0; i < NGX_HTTP_TASKS_ERROR_LEVELS; i++) {
        levels[i] = *errors;
        levels[i].json = NULL;

        if (i >= NGX_HTTP_TASKS_ERROR_LEVELS / 2) {
            (void) ngx_http_tasks_node_member(errors, names[i % 3],
                                              &levels[i]);

        } else if (special) {
            (void) ngx_http_tasks_node_member(special, names[i], &levels[i]);
        }
    }
}


ngx_int_t
ngx_http_tasks_error_source(const ngx_http_tasks_node_t *errors,
    const ngx_http_tasks_node_t *special, ngx_uint_t class, json_t **source,
    ngx_uint_t *plain, const char **level)
{
    ngx_uint_t             i;
    ngx_http_tasks_node_t  levels[NGX_HTTP_TASKS_ERROR_LEVELS];

    ngx_http_tasks_error_levels(errors, special, class, levels);

    for (i = 0; i < NGX_HTTP_TASKS_ERROR_LEVELS; i++) {
        *source = json_object_get(levels[i].json, "body");
        *plain = (*source == NULL);

        if (*plain) {
            *source = json_object_get(levels[i].json, "text");
        }

        if (*source) {
            *level = levels[i].key;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static ngx_http_tasks_error_t *
ngx_http_tasks_compile_error(const ngx_http_tasks_node_t *errors,
    const ngx_http_tasks_node_t *special, ngx_uint_t class)
{
    int64_t                  status;
    ngx_uint_t               known;
    ngx_http_tasks_node_t    levels[NGX_HTTP_TASKS_ERROR_LEVELS], member;
    ngx_http_tasks_error_t  *error;

    error = ngx_pcalloc(errors->compiler->cf->pool,
                        sizeof(ngx_http_tasks_error_t));
    if (error == NULL) {
        return NULL;
    }

    ngx_http_tasks_error_levels(errors, special, class, levels);

    known = (class < NGX_HTTP_TASKS_ERRORS)
            ? class : ngx_http_tasks_class_parent(errors, class);

    status = ngx_http_tasks_classes[known].status;

    if (ngx_http_tasks_error_member(levels, "status", &member) == NGX_OK
        && ngx_http_tasks_node_integer(member.parent, "status", 200, 599,
                                       &status)
           != NGX_OK)
    {
        return NULL;
    }

    error->status = status;
    error->headers = errors->compiler->headers;

    if (ngx_http_tasks_error_message(levels,
                               ngx_http_tasks_classes[known].message, error)
        != NGX_OK
        || ngx_http_tasks_error_body(levels, error) != NGX_OK)
    {
        return NULL;
    }

    if (ngx_http_tasks_error_member(levels, "code", &member) == NGX_OK
        && ngx_http_tasks_node_literal(member.parent, "code", &error->code)
           != NGX_OK)
    {
        return NULL;
    }

    if (ngx_http_tasks_error_member(levels, "content_type", &member) == NGX_OK
        && ngx_http_tasks_node_line(member.parent, "content_type",
                                    &error->content_type)
           != NGX_OK)
    {
        return NULL;
    }

    if (ngx_http_tasks_error_member(levels, "headers", &member) == NGX_OK
        && ngx_http_tasks_node_headers(member.parent, &error->headers)
           != NGX_OK)
    {
        return NULL;
    }

    return error;
}
