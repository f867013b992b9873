
/*
 * Compiles what values of a parameter stand for, "choices", and how cursors
 * look, "encoding" and "form".
 */


#include <ngx_http_tasks_compiler.h>


static ngx_int_t ngx_http_tasks_compile_choice(
    const ngx_http_tasks_node_t *node, ngx_http_tasks_choice_t *choice);
static ngx_int_t ngx_http_tasks_choice_filter(
    const ngx_http_tasks_node_t *node, ngx_http_tasks_choice_t *choice);


static ngx_str_t  ngx_http_tasks_encoding_names[] = {
    ngx_string("base64url"),
    ngx_string("base64"),
    ngx_string("none"),
    ngx_null_string
};


ngx_int_t
ngx_http_tasks_compile_choices(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_param_t *param)
{
    json_t                   *value;
    ngx_str_t                *name;
    const char               *key;
    ngx_http_tasks_node_t     choices, member;
    ngx_http_tasks_choice_t  *choice;

    if (ngx_http_tasks_node_member(node, "choices", &choices) != NGX_OK) {
        return NGX_OK;
    }

    if (param->role != NGX_HTTP_TASKS_ROLE_NONE || param->values
        || param->type != NGX_HTTP_TASKS_TYPE_STRING)
    {
        return ngx_http_tasks_node_error(&choices, "are of a string without "
                                         "\"filter\" and \"enum\"");
    }

    if (ngx_http_tasks_node_is_object(&choices) != NGX_OK) {
        return NGX_ERROR;
    }

    if (json_object_size(choices.json) == 0) {
        return ngx_http_tasks_node_error(&choices, "must have a value");
    }

    param->role = NGX_HTTP_TASKS_ROLE_CHOICE;
    param->choices = ngx_array_create(node->compiler->cf->pool, 4,
                                      sizeof(ngx_http_tasks_choice_t));
    param->values = ngx_array_create(node->compiler->cf->pool, 4,
                                     sizeof(ngx_str_t));

    if (param->choices == NULL || param->values == NULL) {
        return NGX_ERROR;
    }

    json_object_foreach(choices.json, key, value) {
        (void) ngx_http_tasks_node_member(&choices, key, &member);

        choice = ngx_array_push(param->choices);
        name = ngx_array_push(param->values);

        if (choice == NULL || name == NULL) {
            return NGX_ERROR;
        }

        *name = ngx_http_tasks_compiler_text(node->compiler, key,
                                             ngx_strlen(key));
        choice->value = *name;

        if (name->data == NULL
            || ngx_http_tasks_compile_choice(&member, choice) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* "done": {"filters": {"status": ["completed", "failed"]}, "limit": 100} */

static ngx_int_t
ngx_http_tasks_compile_choice(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_choice_t *choice)
{
    json_t                 *value;
    const char             *key;
    ngx_http_tasks_node_t   filters, member;

    static const char *const  keys[] = {
        "filters", "limit", "description", NULL
    };

    choice->limit = -1;
    choice->filters = ngx_pcalloc(node->compiler->cf->pool,
                           (node->compiler->collection->filters.nelts + 1)
                           * sizeof(ngx_array_t *));
    if (choice->filters == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_tasks_node_keys(node, keys) != NGX_OK
        || ngx_http_tasks_node_integer(node, "limit", 0, INT64_MAX,
                                       &choice->limit)
           == NGX_ERROR)
    {
        return NGX_ERROR;
    }

    if (ngx_http_tasks_node_member(node, "filters", &filters) != NGX_OK) {
        return NGX_OK;
    }

    if (ngx_http_tasks_node_is_object(&filters) != NGX_OK) {
        return NGX_ERROR;
    }

    json_object_foreach(filters.json, key, value) {
        (void) ngx_http_tasks_node_member(&filters, key, &member);

        if (ngx_http_tasks_choice_filter(&member, choice) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* A field and the values that it may have. */

static ngx_int_t
ngx_http_tasks_choice_filter(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_choice_t *choice)
{
    ngx_str_t                 name;
    ngx_uint_t                index;
    ngx_array_t              *values;
    ngx_http_tasks_field_t  **filters;

    name.data = (u_char *) node->key;
    name.len = ngx_strlen(node->key);

    if (ngx_http_tasks_compiler_filter(node, &name, &index) != NGX_OK) {
        return NGX_ERROR;
    }

    filters = node->compiler->collection->filters.elts;

    if (ngx_http_tasks_compiler_values(node, filters[index], &values)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    choice->filters[index] = values;

    return NGX_OK;
}


/* Different values of a field, at least one. */

ngx_int_t
ngx_http_tasks_compiler_values(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_field_t *field, ngx_array_t **values)
{
    size_t                 i, j;
    ngx_str_t             *value;
    ngx_http_tasks_node_t  element;

    if (ngx_http_tasks_node_list(node->parent, node->key, values) != NGX_OK) {
        return NGX_ERROR;
    }

    if ((*values)->nelts == 0) {
        return ngx_http_tasks_node_error(node, "must have a value");
    }

    value = (*values)->elts;

    for (i = 0; i < (*values)->nelts; i++) {
        ngx_http_tasks_node_element(node, i, &element);

        if (!ngx_http_tasks_json_is(element.json, field->type)) {
            return ngx_http_tasks_node_error(&element,
                                             "must be of the field's type");
        }

        for (j = 0; j < i; j++) {
            if (ngx_http_tasks_equal(&value[i], &value[j])) {
                return ngx_http_tasks_node_error(&element, "is there twice");
            }
        }
    }

    return NGX_OK;
}


/*
 * "form" is text around "$id" or "$position", which stands for the last task
 * of a page; its "encoding" is what clients get.
 */

ngx_int_t
ngx_http_tasks_compile_cursor(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_param_t *param)
{
    u_char                   *place;
    size_t                    len;
    ngx_str_t                 form;
    ngx_uint_t                encoding;
    ngx_http_tasks_cursor_t  *cursor;

    cursor = &param->cursor;
    encoding = NGX_HTTP_TASKS_BASE64URL;
    ngx_str_set(&form, "$position");

    if (ngx_http_tasks_node_choice(node, "encoding",
                                   ngx_http_tasks_encoding_names, &encoding)
        == NGX_ERROR
        || ngx_http_tasks_node_line(node, "form", &form) == NGX_ERROR)
    {
        return NGX_ERROR;
    }

    if (param->role != NGX_HTTP_TASKS_ROLE_CURSOR) {

        if (json_object_get(node->json, "encoding")
            || json_object_get(node->json, "form"))
        {
            return ngx_http_tasks_node_error(node, "\"encoding\" and \"form\" "
                                             "are for a cursor");
        }

        return NGX_OK;
    }

    len = sizeof("$position") - 1;
    place = ngx_strnstr(form.data, "$position", form.len);

    if (place == NULL) {
        len = sizeof("$id") - 1;
        place = ngx_strnstr(form.data, "$id", form.len);
        cursor->by_id = 1;
    }

    if (place == NULL) {
        return ngx_http_tasks_node_error(node, "\"form\" must hold "
                                         "\"$position\" or \"$id\"");
    }

    cursor->encoding = encoding;
    cursor->before.data = form.data;
    cursor->before.len = place - form.data;
    cursor->after.data = place + len;
    cursor->after.len = form.data + form.len - cursor->after.data;

    if (ngx_strlchr(form.data, place, '$')
        || ngx_strlchr(cursor->after.data, form.data + form.len, '$'))
    {
        return ngx_http_tasks_node_error(node, "\"form\" may hold one \"$\"");
    }

    if (cursor->by_id) {
        node->compiler->collection->id_cursors = 1;
    }

    return NGX_OK;
}
