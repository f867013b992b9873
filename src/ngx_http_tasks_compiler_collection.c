
/*
 * Compiles a collection: what is known of the tasks of one kind.  The main
 * collection's members stand at the top of a definition, others' in
 * "collections".
 */


#include <ngx_http_tasks_compiler.h>


static ngx_int_t ngx_http_tasks_collection_name(
    const ngx_http_tasks_node_t *node);
static ngx_int_t ngx_http_tasks_collection_id(
    const ngx_http_tasks_node_t *node, const ngx_http_tasks_node_t *errors);
static ngx_int_t ngx_http_tasks_collection_fields(
    const ngx_http_tasks_node_t *node);
static ngx_int_t ngx_http_tasks_collection_add_field(
    const ngx_http_tasks_node_t *node, ngx_http_tasks_field_t *field);
static ngx_int_t ngx_http_tasks_collection_absent(
    const ngx_http_tasks_node_t *node, ngx_http_tasks_field_t *field);
static ngx_int_t ngx_http_tasks_collection_views(
    const ngx_http_tasks_node_t *node);
static ngx_int_t ngx_http_tasks_collection_order(
    const ngx_http_tasks_node_t *node);
static ngx_int_t ngx_http_tasks_collection_state(
    const ngx_http_tasks_node_t *node);


static ngx_str_t  ngx_http_tasks_view_names[] = {
    ngx_string("all"),
    ngx_string("list"),
    ngx_string("detail"),
    ngx_string("none"),
    ngx_null_string
};


ngx_int_t
ngx_http_tasks_compile_collection(const ngx_http_tasks_node_t *node,
    const ngx_http_tasks_node_t *errors)
{
    int64_t                       max_value;
    ngx_http_tasks_collection_t  *collection, **slot;
    ngx_http_tasks_definition_t  *definition;

    definition = node->compiler->definition;

    collection = ngx_pcalloc(node->compiler->cf->pool,
                             sizeof(ngx_http_tasks_collection_t));
    slot = ngx_array_push(&definition->collections);

    if (collection == NULL || slot == NULL) {
        return NGX_ERROR;
    }

    *slot = collection;
    node->compiler->collection = collection;

    max_value = 1024 * 1024;

    if (ngx_http_tasks_node_integer(node, "max_value", 64, 16 * 1024 * 1024,
                                    &max_value)
        == NGX_ERROR)
    {
        return NGX_ERROR;
    }

    collection->max_value = max_value;

    if (ngx_http_tasks_collection_name(node) != NGX_OK
        || ngx_http_tasks_collection_id(node, errors) != NGX_OK
        || ngx_http_tasks_collection_fields(node) != NGX_OK
        || ngx_http_tasks_collection_views(node) != NGX_OK
        || ngx_http_tasks_collection_order(node) != NGX_OK
        || ngx_http_tasks_collection_state(node) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_tasks_compile_cancel(node);
}


/*
 * The main collection has the definition's name; another one that, "_" and its
 * key in "collections".
 */

static ngx_int_t
ngx_http_tasks_collection_name(const ngx_http_tasks_node_t *node)
{
    u_char                       *p;
    size_t                        i;
    ngx_str_t                    *name, *main;
    ngx_http_tasks_collection_t  *collection;

    collection = node->compiler->collection;
    name = &collection->name;

    if (node->parent == NULL) {

        if (ngx_http_tasks_node_string(node, "name", name) != NGX_OK) {
            return ngx_http_tasks_node_error(node, "\"name\" is missing, or "
                                             "no string");
        }

        ngx_str_set(&collection->key, "");

    } else {
        main = &ngx_http_tasks_main_collection(node->compiler->definition)
                ->name;

        collection->key = ngx_http_tasks_compiler_text(node->compiler,
                                                       node->key,
                                                       ngx_strlen(node->key));

        if (collection->key.len == 0) {
            return ngx_http_tasks_node_error(node, "a collection has a name");
        }

        name->len = main->len + 1 + collection->key.len;
        name->data = ngx_pnalloc(node->compiler->cf->pool, name->len);

        if (collection->key.data == NULL || name->data == NULL) {
            return NGX_ERROR;
        }

        p = ngx_cpymem(name->data, main->data, main->len);
        *p++ = '_';
        ngx_memcpy(p, collection->key.data, collection->key.len);
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
        return ngx_http_tasks_node_error(node, "the name \"%V\" must be 1 to "
                       "64 of a-z, 0-9 and _, and start with a letter", name);
    }

    return NGX_OK;
}


/* "id": "integer", or an object: a parameter that also has a name. */

static ngx_int_t
ngx_http_tasks_collection_id(const ngx_http_tasks_node_t *node,
    const ngx_http_tasks_node_t *errors)
{
    json_t                       *json;
    ngx_int_t                     rc;
    ngx_http_tasks_node_t         member;
    ngx_http_tasks_param_t       *id;
    ngx_http_tasks_collection_t  *collection;

    collection = node->compiler->collection;
    id = &collection->id;

    id->role = NGX_HTTP_TASKS_ROLE_ID;
    ngx_str_set(&id->name, "id");
    ngx_str_set(&id->location, "path");

    if (ngx_http_tasks_node_member(node, "id", &member) != NGX_OK) {
        return ngx_http_tasks_node_error(node, "\"id\" is missing");
    }

    json = json_is_string(member.json)
           ? json_pack("{s:O}", "type", member.json) : json_copy(member.json);
    if (json == NULL) {
        return NGX_ERROR;
    }

    member.json = json;
    rc = ngx_http_tasks_node_string(&member, "name", &id->name);

    (void) json_object_del(json, "name");

    if (rc != NGX_ERROR) {
        rc = ngx_http_tasks_compile_param(&member, errors, id);
    }

    json_decref(json);

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    if (id->type == NGX_HTTP_TASKS_TYPE_BOOLEAN || id->absent_if
        || id->initial.data || id->multiple)
    {
        return ngx_http_tasks_node_error(&member, "must be one string, "
                              "integer or uuid that is never absent");
    }

    collection->id_key = ngx_http_tasks_compiler_key(node->compiler,
                                                     &id->name);

    return collection->id_key.data ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_tasks_collection_fields(const ngx_http_tasks_node_t *node)
{
    json_t                       *value;
    const char                   *name;
    ngx_pool_t                   *pool;
    ngx_http_tasks_node_t         fields, member;
    ngx_http_tasks_field_t       *field;
    ngx_http_tasks_collection_t  *collection;

    collection = node->compiler->collection;
    pool = node->compiler->cf->pool;

    if (ngx_http_tasks_node_member(node, "fields", &fields) != NGX_OK) {
        return ngx_http_tasks_node_error(node, "\"fields\" is missing");
    }

    if (ngx_http_tasks_node_is_object(&fields) != NGX_OK
        || ngx_array_init(&collection->fields, pool,
                          json_object_size(fields.json) + 1,
                          sizeof(ngx_http_tasks_field_t))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    json_object_foreach(fields.json, name, value) {
        (void) ngx_http_tasks_node_member(&fields, name, &member);

        field = ngx_array_push(&collection->fields);
        ngx_memzero(field, sizeof(ngx_http_tasks_field_t));

        field->name = ngx_http_tasks_compiler_text(node->compiler, name,
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

        if (ngx_http_tasks_equal(&field->name, &collection->id.name)) {
            return ngx_http_tasks_node_error(&member,
                                         "is the id, which is no field");
        }

        if (ngx_http_tasks_collection_add_field(&member, field) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_tasks_collection_add_field(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_field_t *field)
{
    ngx_int_t              rc;
    ngx_uint_t             choice, filter, required;

    static const char *const  keys[] = {
        "type", "view", "filter", "required", "default", "absent_if",
        "format", "description", NULL
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

    if (choice == NGX_HTTP_TASKS_TYPE_UUID) {
        return ngx_http_tasks_node_error(node, "\"uuid\" is a type of ids and "
                                         "parameters; a field is a string");
    }

    field->type = choice;

    choice = 0;
    filter = 0;
    required = 0;

    if (ngx_http_tasks_node_choice(node, "view", ngx_http_tasks_view_names,
                                   &choice)
        == NGX_ERROR
        || ngx_http_tasks_node_flag(node, "filter", &filter) == NGX_ERROR
        || ngx_http_tasks_node_flag(node, "required", &required) == NGX_ERROR
        || ngx_http_tasks_node_string(node, "format", &field->format)
           == NGX_ERROR)
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

    field->key = ngx_http_tasks_compiler_key(node->compiler, &field->name);

    if (field->key.data == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_tasks_collection_absent(node, field);
}


/* What is shown without a value, and which values stand for none. */

static ngx_int_t
ngx_http_tasks_collection_absent(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_field_t *field)
{
    size_t                 i;
    ngx_str_t             *text;
    ngx_http_tasks_node_t  member, element;

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

    if (ngx_http_tasks_node_member(node, "absent_if", &member) != NGX_OK) {
        return NGX_OK;
    }

    if (!json_is_array(member.json)) {
        return ngx_http_tasks_node_error(&member, "must be an array");
    }

    field->absent_if = ngx_array_create(node->compiler->cf->pool,
                                        json_array_size(member.json) + 1,
                                        sizeof(ngx_str_t));
    if (field->absent_if == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < json_array_size(member.json); i++) {
        ngx_http_tasks_node_element(&member, i, &element);

        if (!ngx_http_tasks_json_is(element.json, field->type)) {
            return ngx_http_tasks_node_error(&element,
                                             "must be of the field's type");
        }

        text = ngx_array_push(field->absent_if);
        *text = ngx_http_tasks_compiler_dump(node->compiler, element.json);

        if (text->data == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_tasks_collection_views(const ngx_http_tasks_node_t *node)
{
    ngx_uint_t                    i;
    ngx_pool_t                   *pool;
    ngx_http_tasks_field_t       *field, **slot;
    ngx_http_tasks_collection_t  *collection;

    collection = node->compiler->collection;
    pool = node->compiler->cf->pool;

    if (ngx_array_init(&collection->filters, pool, 4, sizeof(void *))
        != NGX_OK
        || ngx_array_init(&collection->details, pool, 16, sizeof(void *))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    field = collection->fields.elts;

    for (i = 0; i < collection->fields.nelts; i++) {

        if (field[i].filter) {
            slot = ngx_array_push(&collection->filters);
            if (slot == NULL) {
                return NGX_ERROR;
            }

            *slot = &field[i];
        }

        if (field[i].detail) {
            slot = ngx_array_push(&collection->details);
            if (slot == NULL) {
                return NGX_ERROR;
            }

            *slot = &field[i];
        }
    }

    if (collection->filters.nelts > NGX_HTTP_TASKS_MAX_FILTERS) {
        return ngx_http_tasks_node_error(node, "%ui fields are filters, at "
                 "most %d may be: each one doubles the indexes of a task",
                 collection->filters.nelts, NGX_HTTP_TASKS_MAX_FILTERS);
    }

    return NGX_OK;
}


ngx_http_tasks_field_t *
ngx_http_tasks_collection_field(ngx_http_tasks_collection_t *collection,
    ngx_str_t *name)
{
    ngx_uint_t               i;
    ngx_http_tasks_field_t  *field;

    field = collection->fields.elts;

    for (i = 0; i < collection->fields.nelts; i++) {
        if (ngx_http_tasks_equal(&field[i].name, name)) {
            return &field[i];
        }
    }

    return NULL;
}


/* "order": "created_at desc", or by the id; "asc" may be left out. */

static ngx_int_t
ngx_http_tasks_collection_order(const ngx_http_tasks_node_t *node)
{
    ngx_int_t                     rc;
    ngx_str_t                     order;
    ngx_http_tasks_field_t       *field;
    ngx_http_tasks_collection_t  *collection;

    collection = node->compiler->collection;

    rc = ngx_http_tasks_node_string(node, "order", &order);

    if (rc == NGX_DECLINED) {
        return ngx_http_tasks_node_error(node, "\"order\" is missing");
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    if (order.len > 5
        && ngx_strncmp(order.data + order.len - 5, " desc", 5) == 0)
    {
        collection->descending = 1;
        order.len -= 5;

    } else if (order.len > 4
               && ngx_strncmp(order.data + order.len - 4, " asc", 4) == 0)
    {
        order.len -= 4;
    }

    if (ngx_http_tasks_equal(&order, &collection->id.name)) {
        return NGX_OK;
    }

    field = ngx_http_tasks_collection_field(collection, &order);

    if (field == NULL) {
        return ngx_http_tasks_node_error(node, "\"order\": \"%V\" is not a "
                                         "field; as in \"created_at desc\"",
                                         &order);
    }

    if (field->type != NGX_HTTP_TASKS_TYPE_STRING
        && field->type != NGX_HTTP_TASKS_TYPE_INTEGER
        && field->type != NGX_HTTP_TASKS_TYPE_DATETIME)
    {
        return ngx_http_tasks_node_error(node, "\"order\": only a string, an "
                                         "integer or a datetime has one");
    }

    field->required = 1;
    collection->order = field;

    return NGX_OK;
}


static ngx_int_t
ngx_http_tasks_collection_state(const ngx_http_tasks_node_t *node)
{
    ngx_int_t                     rc;
    ngx_str_t                     name;
    ngx_http_tasks_collection_t  *collection;

    collection = node->compiler->collection;

    ngx_str_set(&name, "status");
    rc = ngx_http_tasks_node_string(node, "state", &name);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    collection->state = ngx_http_tasks_collection_field(collection, &name);

    if (collection->state == NULL) {
        return rc == NGX_DECLINED ? NGX_OK
                  : ngx_http_tasks_node_error(node,
                               "\"state\": \"%V\" is not a field", &name);
    }

    if (collection->state->type != NGX_HTTP_TASKS_TYPE_STRING) {

        if (rc == NGX_DECLINED) {
            collection->state = NULL;      /* a "status" of another kind */
            return NGX_OK;
        }

        return ngx_http_tasks_node_error(node,
                             "the state \"%V\" must be a string", &name);
    }

    return NGX_OK;
}
