
/*
 * Compiles an API definition: its fields, order, cancel rule and errors, and
 * with the other compiler files its parameters, routes and templates.  Runs
 * at configuration time only.
 */


#include <ngx_http_tasks_compiler.h>


static ngx_int_t ngx_http_tasks_definition_load(
    ngx_http_tasks_compiler_t *compiler, ngx_http_tasks_node_t *root);
static ngx_int_t ngx_http_tasks_definition_build(
    const ngx_http_tasks_node_t *root);
static ngx_int_t ngx_http_tasks_definition_name(
    const ngx_http_tasks_node_t *root);
static ngx_int_t ngx_http_tasks_definition_id(
    const ngx_http_tasks_node_t *root, const ngx_http_tasks_node_t *errors);
static ngx_int_t ngx_http_tasks_definition_fields(
    const ngx_http_tasks_node_t *root);
static ngx_int_t ngx_http_tasks_definition_add_field(
    const ngx_http_tasks_node_t *node, ngx_http_tasks_field_t *field);
static ngx_int_t ngx_http_tasks_definition_views(
    const ngx_http_tasks_node_t *root);
static ngx_int_t ngx_http_tasks_definition_order(
    const ngx_http_tasks_node_t *root);
static ngx_int_t ngx_http_tasks_definition_state(
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
    ngx_null_string
};


static ngx_str_t  ngx_http_tasks_view_names[] = {
    ngx_string("all"),
    ngx_string("list"),
    ngx_string("detail"),
    ngx_string("none"),
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
    ngx_int_t                     rc;
    ngx_http_tasks_node_t         root;
    ngx_http_tasks_compiler_t     compiler;
    ngx_http_tasks_definition_t  *definition;

    definition = ngx_pcalloc(cf->pool, sizeof(ngx_http_tasks_definition_t));
    if (definition == NULL) {
        return NULL;
    }

    definition->file = *file;

    compiler.cf = cf;
    compiler.definition = definition;
    compiler.variable = variable;

    if (ngx_http_tasks_definition_load(&compiler, &root) != NGX_OK) {
        return NULL;
    }

    rc = ngx_http_tasks_definition_build(&root);

    json_decref(root.json);

    return rc == NGX_OK ? definition : NULL;
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
    int64_t                       max_value;
    ngx_uint_t                    i, choice;
    ngx_http_tasks_node_t         errors;
    ngx_http_tasks_definition_t  *definition;

    static const char *const  keys[] = {
        "$schema", "name", "description", "id", "order", "state", "max_value",
        "repeated", "fields", "cancel", "routes", "errors", NULL
    };

    definition = root->compiler->definition;

    if (ngx_http_tasks_node_keys(root, keys) != NGX_OK) {
        return NGX_ERROR;
    }

    errors = *root;
    errors.json = NULL;

    if (ngx_http_tasks_node_member(root, "errors", &errors) == NGX_OK
        && ngx_http_tasks_compile_error_keys(&errors, 1) != NGX_OK)
    {
        return NGX_ERROR;
    }

    choice = NGX_HTTP_TASKS_REPEATED_FIRST;
    max_value = 1024 * 1024;

    if (ngx_http_tasks_node_choice(root, "repeated",
                                   ngx_http_tasks_repeated_names, &choice)
        == NGX_ERROR
        || ngx_http_tasks_node_integer(root, "max_value", 64,
                                       16 * 1024 * 1024, &max_value)
           == NGX_ERROR)
    {
        return NGX_ERROR;
    }

    definition->repeated = choice;
    definition->max_value = max_value;

    for (i = 0; i < NGX_HTTP_TASKS_ERRORS; i++) {
        definition->errors[i] = ngx_http_tasks_compile_error(&errors, NULL, i);

        if (definition->errors[i] == NULL) {
            return NGX_ERROR;
        }
    }

    if (ngx_http_tasks_definition_name(root) != NGX_OK
        || ngx_http_tasks_definition_id(root, &errors) != NGX_OK
        || ngx_http_tasks_definition_fields(root) != NGX_OK
        || ngx_http_tasks_definition_views(root) != NGX_OK
        || ngx_http_tasks_definition_order(root) != NGX_OK
        || ngx_http_tasks_definition_state(root) != NGX_OK
        || ngx_http_tasks_compile_cancel(root) != NGX_OK
        || ngx_http_tasks_compile_routes(root, &errors) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_tasks_library_generate(root->compiler->cf, definition);
}


static ngx_int_t
ngx_http_tasks_definition_name(const ngx_http_tasks_node_t *root)
{
    size_t                        i;
    ngx_int_t                     rc;
    ngx_str_t                    *name;

    name = &root->compiler->definition->name;
    rc = ngx_http_tasks_node_string(root, "name", name);

    if (rc == NGX_DECLINED) {
        return ngx_http_tasks_node_error(root, "\"name\" is missing");
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < name->len; i++) {
        if ((name->data[i] < 'a' || name->data[i] > 'z')
            && (i == 0 || ((name->data[i] < '0' || name->data[i] > '9')
                           && name->data[i] != '_')))
        {
            break;
        }
    }

    if (i < name->len || name->len == 0 || name->len > 64) {
        return ngx_http_tasks_node_error(root, "\"name\" must be 1 to 64 of "
                                "a-z, 0-9 and _, and start with a letter");
    }

    return NGX_OK;
}


/* "id": "integer", or an object: a parameter that also has a name. */

static ngx_int_t
ngx_http_tasks_definition_id(const ngx_http_tasks_node_t *root,
    const ngx_http_tasks_node_t *errors)
{
    json_t                       *json;
    ngx_int_t                     rc;
    ngx_http_tasks_node_t         node;
    ngx_http_tasks_param_t       *id;
    ngx_http_tasks_definition_t  *definition;

    definition = root->compiler->definition;
    id = &definition->id;

    id->role = NGX_HTTP_TASKS_ROLE_ID;
    ngx_str_set(&id->name, "id");
    ngx_str_set(&id->location, "path");

    if (ngx_http_tasks_node_member(root, "id", &node) != NGX_OK) {
        return ngx_http_tasks_node_error(root, "\"id\" is missing");
    }

    json = json_is_string(node.json) ? json_pack("{s:O}", "type", node.json)
                                     : json_copy(node.json);
    if (json == NULL) {
        return NGX_ERROR;
    }

    node.json = json;
    rc = ngx_http_tasks_node_string(&node, "name", &id->name);

    (void) json_object_del(json, "name");

    if (rc != NGX_ERROR) {
        rc = ngx_http_tasks_compile_param(&node, errors, id);
    }

    json_decref(json);

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    if (id->type == NGX_HTTP_TASKS_TYPE_BOOLEAN || id->absent_if
        || id->initial.data)
    {
        return ngx_http_tasks_node_error(&node, "must be a string or an "
                                         "integer that is never absent");
    }

    definition->id_key = ngx_http_tasks_compiler_key(root->compiler,
                                                     &id->name);

    return definition->id_key.data ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_tasks_definition_fields(const ngx_http_tasks_node_t *root)
{
    json_t                       *value;
    const char                   *name;
    ngx_pool_t                   *pool;
    ngx_http_tasks_node_t         fields, member;
    ngx_http_tasks_field_t       *field;
    ngx_http_tasks_definition_t  *definition;

    definition = root->compiler->definition;
    pool = root->compiler->cf->pool;

    if (ngx_http_tasks_node_member(root, "fields", &fields) != NGX_OK) {
        return ngx_http_tasks_node_error(root, "\"fields\" is missing");
    }

    if (ngx_http_tasks_node_is_object(&fields) != NGX_OK
        || ngx_array_init(&definition->fields, pool,
                          json_object_size(fields.json) + 1,
                          sizeof(ngx_http_tasks_field_t))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    json_object_foreach(fields.json, name, value) {
        (void) ngx_http_tasks_node_member(&fields, name, &member);

        field = ngx_array_push(&definition->fields);
        ngx_memzero(field, sizeof(ngx_http_tasks_field_t));

        field->name = ngx_http_tasks_compiler_text(root->compiler, name,
                                                   ngx_strlen(name));
        if (field->name.data == NULL) {
            return NGX_ERROR;
        }

        if (field->name.len == 0 || field->name.len > 64
            || field->name.data[0] == '_')
        {
            return ngx_http_tasks_node_error(&member, "a field's name has 1 "
                                 "to 64 bytes and starts with no \"_\"");
        }

        if (field->name.len == definition->id.name.len
            && ngx_strncmp(field->name.data, definition->id.name.data,
                           field->name.len)
               == 0)
        {
            return ngx_http_tasks_node_error(&member,
                                         "is the id, which is no field");
        }

        if (ngx_http_tasks_definition_add_field(&member, field) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_tasks_definition_add_field(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_field_t *field)
{
    ngx_int_t              rc;
    ngx_uint_t             choice, filter, required;
    ngx_http_tasks_node_t  member;

    static const char *const  keys[] = {
        "type", "view", "filter", "required", "default", "description", NULL
    };

    if (ngx_http_tasks_node_keys(node, keys) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_http_tasks_node_choice(node, "type", ngx_http_tasks_type_names,
                                    &choice);

    if (rc == NGX_DECLINED) {
        return ngx_http_tasks_node_error(node, "\"type\" is missing");
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    field->type = choice;

    choice = 0;
    filter = 0;
    required = 0;

    if (ngx_http_tasks_node_choice(node, "view", ngx_http_tasks_view_names,
                                   &choice)
        == NGX_ERROR
        || ngx_http_tasks_node_flag(node, "filter", &filter) == NGX_ERROR
        || ngx_http_tasks_node_flag(node, "required", &required) == NGX_ERROR)
    {
        return NGX_ERROR;
    }

    field->list = (choice == 0 || choice == 1);
    field->detail = (choice == 0 || choice == 2);
    field->filter = filter;
    field->required = required;

    if (filter && field->type != NGX_HTTP_TASKS_TYPE_STRING
        && field->type != NGX_HTTP_TASKS_TYPE_INTEGER
        && field->type != NGX_HTTP_TASKS_TYPE_BOOLEAN)
    {
        return ngx_http_tasks_node_error(node, "only a string, an integer or "
                                         "a boolean can be a filter");
    }

    if (ngx_http_tasks_node_member(node, "default", &member) == NGX_OK) {

        if (!json_is_null(member.json)
            && !ngx_http_tasks_json_is(member.json, field->type))
        {
            return ngx_http_tasks_node_error(&member,
                                   "must be null or of the field's type");
        }

        field->absent = ngx_http_tasks_compiler_dump(node->compiler,
                                                     member.json);
        if (field->absent.data == NULL) {
            return NGX_ERROR;
        }
    }

    field->key = ngx_http_tasks_compiler_key(node->compiler, &field->name);

    return field->key.data ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_tasks_definition_views(const ngx_http_tasks_node_t *root)
{
    ngx_uint_t                    i;
    ngx_pool_t                   *pool;
    ngx_http_tasks_field_t       *field, **slot;
    ngx_http_tasks_definition_t  *definition;

    definition = root->compiler->definition;
    pool = root->compiler->cf->pool;

    if (ngx_array_init(&definition->filters, pool, 4, sizeof(void *))
        != NGX_OK
        || ngx_array_init(&definition->details, pool, 16, sizeof(void *))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    field = definition->fields.elts;

    for (i = 0; i < definition->fields.nelts; i++) {

        if (field[i].filter) {
            slot = ngx_array_push(&definition->filters);
            if (slot == NULL) {
                return NGX_ERROR;
            }

            *slot = &field[i];
        }

        if (field[i].detail) {
            slot = ngx_array_push(&definition->details);
            if (slot == NULL) {
                return NGX_ERROR;
            }

            *slot = &field[i];
        }
    }

    if (definition->filters.nelts > NGX_HTTP_TASKS_MAX_FILTERS) {
        return ngx_http_tasks_node_error(root, "%ui fields are filters, at "
                 "most %d may be: each one doubles the indexes of a task",
                 definition->filters.nelts, NGX_HTTP_TASKS_MAX_FILTERS);
    }

    return NGX_OK;
}


ngx_http_tasks_field_t *
ngx_http_tasks_definition_field(ngx_http_tasks_definition_t *definition,
    ngx_str_t *name)
{
    ngx_uint_t               i;
    ngx_http_tasks_field_t  *field;

    field = definition->fields.elts;

    for (i = 0; i < definition->fields.nelts; i++) {
        if (field[i].name.len == name->len
            && ngx_strncmp(field[i].name.data, name->data, name->len) == 0)
        {
            return &field[i];
        }
    }

    return NULL;
}


/* "order": "created_at desc"; "asc" may be left out. */

static ngx_int_t
ngx_http_tasks_definition_order(const ngx_http_tasks_node_t *root)
{
    ngx_int_t                     rc;
    ngx_str_t                     order;
    ngx_http_tasks_field_t       *field;
    ngx_http_tasks_definition_t  *definition;

    definition = root->compiler->definition;

    rc = ngx_http_tasks_node_string(root, "order", &order);

    if (rc == NGX_DECLINED) {
        return ngx_http_tasks_node_error(root, "\"order\" is missing");
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    if (order.len > 5
        && ngx_strncmp(order.data + order.len - 5, " desc", 5) == 0)
    {
        definition->descending = 1;
        order.len -= 5;

    } else if (order.len > 4
               && ngx_strncmp(order.data + order.len - 4, " asc", 4) == 0)
    {
        order.len -= 4;
    }

    field = ngx_http_tasks_definition_field(definition, &order);

    if (field == NULL) {
        return ngx_http_tasks_node_error(root, "\"order\": \"%V\" is not a "
                                         "field; as in \"created_at desc\"",
                                         &order);
    }

    if (field->type != NGX_HTTP_TASKS_TYPE_STRING
        && field->type != NGX_HTTP_TASKS_TYPE_INTEGER
        && field->type != NGX_HTTP_TASKS_TYPE_DATETIME)
    {
        return ngx_http_tasks_node_error(root, "\"order\": only a string, an "
                                         "integer or a datetime has one");
    }

    field->required = 1;
    definition->order = field;

    return NGX_OK;
}


static ngx_int_t
ngx_http_tasks_definition_state(const ngx_http_tasks_node_t *root)
{
    ngx_int_t                     rc;
    ngx_str_t                     name;
    ngx_http_tasks_definition_t  *definition;

    definition = root->compiler->definition;

    ngx_str_set(&name, "status");
    rc = ngx_http_tasks_node_string(root, "state", &name);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    definition->state = ngx_http_tasks_definition_field(definition, &name);

    if (definition->state == NULL) {
        return rc == NGX_DECLINED ? NGX_OK
                  : ngx_http_tasks_node_error(root,
                               "\"state\": \"%V\" is not a field", &name);
    }

    if (definition->state->type != NGX_HTTP_TASKS_TYPE_STRING) {

        if (rc == NGX_DECLINED) {
            definition->state = NULL;      /* a "status" of another kind */
            return NGX_OK;
        }

        return ngx_http_tasks_node_error(root,
                             "the state \"%V\" must be a string", &name);
    }

    return NGX_OK;
}
