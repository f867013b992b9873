
/*
 * Compiles an API definition: what is said once for the whole file, and with
 * the other compiler files its collections, routes, errors and templates.
 * Runs at configuration time only.
 */


#include <ngx_http_tasks_compiler.h>
#include <ngx_md5.h>


static ngx_int_t ngx_http_tasks_definition_load(
    ngx_http_tasks_compiler_t *compiler, ngx_http_tasks_node_t *root);
static ngx_int_t ngx_http_tasks_definition_keep(ngx_conf_t *cf, json_t *json);
static void ngx_http_tasks_definition_drop(void *data);
static ngx_int_t ngx_http_tasks_definition_build(
    const ngx_http_tasks_node_t *root);
static ngx_int_t ngx_http_tasks_definition_collections(
    const ngx_http_tasks_node_t *root, const ngx_http_tasks_node_t *errors);
static ngx_int_t ngx_http_tasks_definition_fingerprint(
    const ngx_http_tasks_node_t *root);
static ngx_int_t ngx_http_tasks_definition_correlation(
    const ngx_http_tasks_node_t *root);


ngx_str_t  ngx_http_tasks_type_names[] = {
    ngx_string("string"),
    ngx_string("integer"),
    ngx_string("number"),
    ngx_string("boolean"),
    ngx_string("datetime"),
    ngx_string("object"),
    ngx_string("array"),
    ngx_string("any"),
    ngx_string("uuid"),
    ngx_null_string
};


static ngx_str_t  ngx_http_tasks_repeated_names[] = {
    ngx_string("first"),
    ngx_string("last"),
    ngx_string("error"),
    ngx_null_string
};


ngx_http_tasks_definition_t *
ngx_http_tasks_definition_compile(ngx_conf_t *cf, ngx_str_t *file,
    ngx_http_tasks_variable_pt variable)
{
    ngx_http_tasks_node_t         root;
    ngx_http_tasks_compiler_t     compiler;
    ngx_http_tasks_definition_t  *definition;

    definition = ngx_pcalloc(cf->pool, sizeof(ngx_http_tasks_definition_t));
    if (definition == NULL) {
        return NULL;
    }

    definition->file = *file;

    ngx_memzero(&compiler, sizeof(ngx_http_tasks_compiler_t));

    compiler.cf = cf;
    compiler.definition = definition;
    compiler.variable = variable;

    if (ngx_http_tasks_definition_load(&compiler, &root) != NGX_OK) {
        return NULL;
    }

    if (ngx_http_tasks_definition_keep(cf, root.json) != NGX_OK) {
        return NULL;
    }

    definition->source = root.json;

    return ngx_http_tasks_definition_build(&root) == NGX_OK ? definition
                                                            : NULL;
}


/* Until all of the configuration was read: a document is made of it. */

static ngx_int_t
ngx_http_tasks_definition_keep(ngx_conf_t *cf, json_t *json)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(cf->temp_pool, 0);

    if (cln == NULL) {
        json_decref(json);
        return NGX_ERROR;
    }

    cln->handler = ngx_http_tasks_definition_drop;
    cln->data = json;

    return NGX_OK;
}


static void
ngx_http_tasks_definition_drop(void *data)
{
    json_decref(data);
}


static ngx_int_t
ngx_http_tasks_definition_load(ngx_http_tasks_compiler_t *compiler,
    ngx_http_tasks_node_t *root)
{
    json_error_t  error;

    ngx_memzero(root, sizeof(ngx_http_tasks_node_t));

    root->compiler = compiler;
    root->json = json_load_file((char *) compiler->definition->file.data,
                                JSON_REJECT_DUPLICATES, &error);

    if (root->json == NULL) {

        if (error.line == -1) {
            ngx_conf_log_error(NGX_LOG_EMERG, compiler->cf, 0, "%V: %s",
                               &compiler->definition->file, error.text);
        } else {
            ngx_conf_log_error(NGX_LOG_EMERG, compiler->cf, 0,
                               "%V: line %d, column %d: %s",
                               &compiler->definition->file, error.line,
                               error.column, error.text);
        }

        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_tasks_definition_build(const ngx_http_tasks_node_t *root)
{
    ngx_uint_t                     i, choice;
    ngx_http_tasks_node_t          errors;
    ngx_http_tasks_definition_t   *definition;
    ngx_http_tasks_collection_t  **collection;

    static const char *const  keys[] = {
        "$schema", "name", "description", "id", "order", "state", "max_value",
        "repeated", "fields", "cancel", "collections", "correlation_header",
        "content_type", "headers", "routes", "errors", NULL
    };

    definition = root->compiler->definition;

    if (ngx_http_tasks_node_keys(root, keys) != NGX_OK) {
        return NGX_ERROR;
    }

    errors = *root;
    errors.json = NULL;
    (void) ngx_http_tasks_node_member(root, "errors", &errors);

    choice = NGX_HTTP_TASKS_REPEATED_FIRST;

    if (ngx_http_tasks_node_choice(root, "repeated",
                                   ngx_http_tasks_repeated_names, &choice)
        == NGX_ERROR)
    {
        return NGX_ERROR;
    }

    definition->repeated = choice;

    if (ngx_http_tasks_definition_fingerprint(root) != NGX_OK
        || ngx_http_tasks_definition_correlation(root) != NGX_OK
        || ngx_http_tasks_compile_defaults(root) != NGX_OK
        || ngx_http_tasks_compile_classes(&errors) != NGX_OK)
    {
        return NGX_ERROR;
    }

    definition->errors = ngx_http_tasks_compile_errors(&errors, NULL);

    if (definition->errors == NULL
        || ngx_http_tasks_definition_collections(root, &errors) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_tasks_compile_routes(root, &errors) != NGX_OK) {
        return NGX_ERROR;
    }

    collection = definition->collections.elts;

    for (i = 0; i < definition->collections.nelts; i++) {
        if (ngx_http_tasks_library_generate(root->compiler->cf, collection[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_tasks_definition_collections(const ngx_http_tasks_node_t *root,
    const ngx_http_tasks_node_t *errors)
{
    json_t                        *value;
    const char                    *key;
    ngx_http_tasks_node_t          others, member;
    ngx_http_tasks_collection_t  **collection;
    ngx_http_tasks_definition_t   *definition;

    static const char *const  keys[] = {
        "description", "id", "order", "state", "max_value", "fields", "cancel",
        NULL
    };

    definition = root->compiler->definition;

    if (ngx_array_init(&definition->collections, root->compiler->cf->pool, 2,
                       sizeof(void *))
        != NGX_OK
        || ngx_http_tasks_compile_collection(root, errors) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_tasks_node_member(root, "collections", &others) == NGX_OK) {

        if (ngx_http_tasks_node_is_object(&others) != NGX_OK) {
            return NGX_ERROR;
        }

        json_object_foreach(others.json, key, value) {
            (void) ngx_http_tasks_node_member(&others, key, &member);

            if (ngx_http_tasks_node_keys(&member, keys) != NGX_OK
                || ngx_http_tasks_compile_collection(&member, errors)
                   != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    collection = definition->collections.elts;
    root->compiler->collection = collection[0];

    return NGX_OK;
}


/* What responses look like is a part of what makes them equal. */

static ngx_int_t
ngx_http_tasks_definition_fingerprint(const ngx_http_tasks_node_t *root)
{
    u_char     digest[16];
    ngx_md5_t  md5;
    ngx_str_t  text;

    text = ngx_http_tasks_compiler_dump(root->compiler, root->json);
    if (text.data == NULL) {
        return NGX_ERROR;
    }

    ngx_md5_init(&md5);
    ngx_md5_update(&md5, text.data, text.len);
    ngx_md5_final(digest, &md5);

    ngx_hex_dump(root->compiler->definition->fingerprint, digest, 4);

    return NGX_OK;
}


/* The name is kept in lower case, as nginx keeps those of a request. */

static ngx_int_t
ngx_http_tasks_definition_correlation(const ngx_http_tasks_node_t *root)
{
    ngx_str_t  *name;
    ngx_int_t   rc;

    name = &root->compiler->definition->correlation;
    rc = ngx_http_tasks_node_string(root, "correlation_header", name);

    if (rc != NGX_OK) {
        return rc == NGX_ERROR ? NGX_ERROR : NGX_OK;
    }

    if (!ngx_http_tasks_is_header_name((char *) name->data)) {
        return ngx_http_tasks_node_error(root, "\"correlation_header\" must "
                                 "be a name of letters, digits and \"-\"");
    }

    ngx_strlow(name->data, name->data, name->len);

    return NGX_OK;
}
