
/*
 * Compiles errors.  Each member of one is looked for at four levels, the most
 * special first: the class in the route's errors, "default" there, then the
 * same in the definition's errors.
 */


#include <ngx_http_tasks_compiler.h>


#define NGX_HTTP_TASKS_ERROR_LEVELS  4


typedef struct {
    ngx_uint_t                status;
    const char               *message;
} ngx_http_tasks_error_default_t;


ngx_str_t  ngx_http_tasks_error_names[] = {
    ngx_string("bad_parameter"),
    ngx_string("bad_cursor"),
    ngx_string("unauthorized"),
    ngx_string("forbidden"),
    ngx_string("not_found"),
    ngx_string("no_route"),
    ngx_string("bad_method"),
    ngx_string("cannot_cancel"),
    ngx_string("too_large"),
    ngx_string("unavailable"),
    ngx_string("timeout"),
    ngx_string("internal"),
    ngx_null_string
};


static ngx_http_tasks_error_default_t  ngx_http_tasks_error_defaults[] = {
    { 400, "Bad parameter" },
    { 400, "Bad cursor" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Task not found" },
    { 404, "Not found" },
    { 405, "Method not allowed" },
    { 409, "Cannot cancel task" },
    { 500, "The answer is too large" },
    { 503, "The task store is unavailable" },
    { 504, "The task store did not answer in time" },
    { 500, "Internal error" }
};


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
ngx_http_tasks_error_headers(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_error_t *error)
{
    json_t                   *value;
    const char               *name;
    ngx_http_tasks_header_t  *header;

    if (ngx_http_tasks_node_is_object(node) != NGX_OK) {
        return NGX_ERROR;
    }

    error->headers = ngx_array_create(node->compiler->cf->pool, 2,
                                      sizeof(ngx_http_tasks_header_t));
    if (error->headers == NULL) {
        return NGX_ERROR;
    }

    json_object_foreach(node->json, name, value) {

        (void) value;

        if (name[0] == '\0'
            || name[strspn(name, "abcdefghijklmnopqrstuvwxyz"
                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")])
        {
            return ngx_http_tasks_node_error(node,
                             "header \"%s\" must be a name of letters, "
                             "digits and \"-\"", name);
        }

        header = ngx_array_push(error->headers);
        if (header == NULL) {
            return NGX_ERROR;
        }

        header->name = ngx_http_tasks_compiler_text(node->compiler, name,
                                                    ngx_strlen(name));

        if (header->name.data == NULL
            || ngx_http_tasks_node_line(node, name, &header->value) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_tasks_error_message(const ngx_http_tasks_node_t *levels,
    ngx_uint_t class, ngx_http_tasks_error_t *error)
{
    const char             *message;
    ngx_http_tasks_node_t   member;

    member = levels[0];
    message = ngx_http_tasks_error_defaults[class].message;

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

    ngx_str_set(&error->content_type, "application/json");

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


ngx_http_tasks_error_t *
ngx_http_tasks_compile_error(const ngx_http_tasks_node_t *errors,
    const ngx_http_tasks_node_t *special, ngx_uint_t class)
{
    int64_t                  status;
    ngx_uint_t               i;
    const char              *name;
    ngx_http_tasks_node_t    levels[NGX_HTTP_TASKS_ERROR_LEVELS], member;
    ngx_http_tasks_error_t  *error;

    error = ngx_pcalloc(errors->compiler->cf->pool,
                        sizeof(ngx_http_tasks_error_t));
    if (error == NULL) {
        return NULL;
    }

    for (i = 0; i < NGX_HTTP_TASKS_ERROR_LEVELS; i++) {
        levels[i] = *errors;
        levels[i].json = NULL;

        name = (i & 1) ? "default"
                       : (char *) ngx_http_tasks_error_names[class].data;

        if (i >= 2) {
            (void) ngx_http_tasks_node_member(errors, name, &levels[i]);

        } else if (special) {
            (void) ngx_http_tasks_node_member(special, name, &levels[i]);
        }
    }

    status = ngx_http_tasks_error_defaults[class].status;

    if (ngx_http_tasks_error_member(levels, "status", &member) == NGX_OK
        && ngx_http_tasks_node_integer(member.parent, "status", 200, 599,
                                       &status)
           != NGX_OK)
    {
        return NULL;
    }

    error->status = status;

    if (ngx_http_tasks_error_message(levels, class, error) != NGX_OK
        || ngx_http_tasks_error_body(levels, error) != NGX_OK)
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
        && ngx_http_tasks_error_headers(&member, error) != NGX_OK)
    {
        return NULL;
    }

    return error;
}


ngx_int_t
ngx_http_tasks_compile_error_keys(const ngx_http_tasks_node_t *errors,
    ngx_uint_t rules)
{
    json_t                 *value;
    const char             *class;
    ngx_str_t              *name;
    ngx_http_tasks_node_t   member;

    static const char *const  keys[] = {
        "status", "message", "body", "text", "content_type", "headers",
        "rules", NULL
    };

    if (ngx_http_tasks_node_is_object(errors) != NGX_OK) {
        return NGX_ERROR;
    }

    json_object_foreach(errors->json, class, value) {

        for (name = ngx_http_tasks_error_names; name->len; name++) {
            if (ngx_strcmp(class, name->data) == 0) {
                break;
            }
        }

        if (name->len == 0 && ngx_strcmp(class, "default") != 0) {
            return ngx_http_tasks_node_error(errors,
                                             "unknown class \"%s\"", class);
        }

        (void) ngx_http_tasks_node_member(errors, class, &member);

        if (ngx_http_tasks_node_keys(&member, keys) != NGX_OK) {
            return NGX_ERROR;
        }

        if (json_object_get(member.json, "rules")
            && !(rules && name == &ngx_http_tasks_error_names[0]))
        {
            return ngx_http_tasks_node_error(&member, "\"rules\" stand in "
                              "\"bad_parameter\" of the definition's errors");
        }
    }

    return NGX_OK;
}
