
/*
 * Compiles response templates: which values stand where, escaped how, is
 * decided here, once.
 */


#include <ngx_http_tasks_compiler.h>


#define NGX_HTTP_TASKS_ANYWHERE                                               \
    (NGX_HTTP_TASKS_BIT(STATUS) | NGX_HTTP_TASKS_BIT(REASON)                  \
     | NGX_HTTP_TASKS_BIT(CORRELATION_ID) | NGX_HTTP_TASKS_BIT(NOW)           \
     | NGX_HTTP_TASKS_BIT(NOW_SECONDS) | NGX_HTTP_TASKS_BIT(NOW_NAIVE)        \
     | NGX_HTTP_TASKS_BIT(NOW_UNIX) | NGX_HTTP_TASKS_BIT(NOW_UNIX_MS))


static ngx_int_t ngx_http_tasks_body_value(const ngx_http_tasks_node_t *node,
    uint64_t allowed, ngx_http_tasks_template_t *template);
static ngx_int_t ngx_http_tasks_body_object(const ngx_http_tasks_node_t *node,
    uint64_t allowed, ngx_http_tasks_template_t *template);
static ngx_int_t ngx_http_tasks_body_string(const ngx_http_tasks_node_t *node,
    uint64_t allowed, ngx_http_tasks_template_t *template);
static ngx_int_t ngx_http_tasks_body_text(const ngx_http_tasks_node_t *node,
    const char *text, ngx_uint_t json, uint64_t allowed,
    ngx_http_tasks_template_t *template);
static const char *ngx_http_tasks_body_word(const char *p);
static ngx_int_t ngx_http_tasks_body_task(const ngx_http_tasks_node_t *node);
static ngx_int_t ngx_http_tasks_body_field(const ngx_http_tasks_node_t *node,
    ngx_str_t *name, uint64_t allowed);
static ngx_int_t ngx_http_tasks_body_lookup(const ngx_http_tasks_node_t *node,
    ngx_str_t *name, uint64_t allowed);


/* in the order of ngx_http_tasks_value_e */
ngx_str_t  ngx_http_tasks_value_names[] = {
    ngx_string("tasks"),
    ngx_string("task"),
    ngx_string("total"),
    ngx_string("page"),
    ngx_string("pages"),
    ngx_string("limit"),
    ngx_string("offset"),
    ngx_string("count"),
    ngx_string("has_more"),
    ngx_string("next_cursor"),
    ngx_string("next_page"),
    ngx_string("next_offset"),
    ngx_string("first_id"),
    ngx_string("last_id"),
    ngx_string("id"),
    ngx_string("state"),
    ngx_string("status"),
    ngx_string("reason"),
    ngx_string("message"),
    ngx_string("code"),
    ngx_string("rule"),
    ngx_string("parameter"),
    ngx_string("location"),
    ngx_string("value"),
    ngx_string("claim"),
    ngx_string("correlation_id"),
    ngx_string("now"),
    ngx_string("now_seconds"),
    ngx_string("now_naive"),
    ngx_string("now_unix"),
    ngx_string("now_unix_ms"),
    ngx_null_string
};


const uint64_t  ngx_http_tasks_error_values =
    NGX_HTTP_TASKS_ANYWHERE
    | NGX_HTTP_TASKS_BIT(ID) | NGX_HTTP_TASKS_BIT(STATE)
    | NGX_HTTP_TASKS_BIT(MESSAGE) | NGX_HTTP_TASKS_BIT(CODE)
    | NGX_HTTP_TASKS_BIT(RULE) | NGX_HTTP_TASKS_BIT(PARAMETER)
    | NGX_HTTP_TASKS_BIT(LOCATION) | NGX_HTTP_TASKS_BIT(VALUE)
    | NGX_HTTP_TASKS_BIT(CLAIM);


const uint64_t  ngx_http_tasks_action_values[NGX_HTTP_TASKS_ACTIONS] = {
    NGX_HTTP_TASKS_ANYWHERE
    | NGX_HTTP_TASKS_BIT(TASKS) | NGX_HTTP_TASKS_BIT(TOTAL)
    | NGX_HTTP_TASKS_BIT(PAGE) | NGX_HTTP_TASKS_BIT(PAGES)
    | NGX_HTTP_TASKS_BIT(LIMIT) | NGX_HTTP_TASKS_BIT(OFFSET)
    | NGX_HTTP_TASKS_BIT(COUNT) | NGX_HTTP_TASKS_BIT(HAS_MORE)
    | NGX_HTTP_TASKS_BIT(NEXT_CURSOR) | NGX_HTTP_TASKS_BIT(NEXT_PAGE)
    | NGX_HTTP_TASKS_BIT(NEXT_OFFSET) | NGX_HTTP_TASKS_BIT(FIRST_ID)
    | NGX_HTTP_TASKS_BIT(LAST_ID),

    NGX_HTTP_TASKS_ANYWHERE
    | NGX_HTTP_TASKS_BIT(TASK) | NGX_HTTP_TASKS_BIT(ID),

    NGX_HTTP_TASKS_ANYWHERE
    | NGX_HTTP_TASKS_BIT(TASK) | NGX_HTTP_TASKS_BIT(ID)
    | NGX_HTTP_TASKS_BIT(STATE),

    0
};


ngx_int_t
ngx_http_tasks_compile_body(const ngx_http_tasks_node_t *node,
    uint64_t allowed, ngx_http_tasks_template_t *template)
{
    if (ngx_http_tasks_template_init(template, node->compiler->cf->pool)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_tasks_body_value(node, allowed, template);
}


ngx_int_t
ngx_http_tasks_compile_text(const ngx_http_tasks_node_t *node,
    const char *text, uint64_t allowed, ngx_http_tasks_template_t *template)
{
    if (ngx_http_tasks_template_init(template, node->compiler->cf->pool)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_tasks_body_text(node, text, 0, allowed, template);
}


static ngx_int_t
ngx_http_tasks_body_value(const ngx_http_tasks_node_t *node,
    uint64_t allowed, ngx_http_tasks_template_t *template)
{
    size_t                 i;
    ngx_str_t              text;
    ngx_http_tasks_node_t  element;

    if (json_is_object(node->json)) {
        return ngx_http_tasks_body_object(node, allowed, template);
    }

    if (json_is_string(node->json)) {
        return ngx_http_tasks_body_string(node, allowed, template);
    }

    if (!json_is_array(node->json)) {
        text = ngx_http_tasks_compiler_dump(node->compiler, node->json);

        return text.data ? ngx_http_tasks_template_literal(template,
                                                      text.data, text.len)
                         : NGX_ERROR;
    }

    if (ngx_http_tasks_template_literal(template, "[", 1) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < json_array_size(node->json); i++) {
        ngx_http_tasks_node_element(node, i, &element);

        if ((i && ngx_http_tasks_template_literal(template, ",", 1) != NGX_OK)
            || ngx_http_tasks_body_value(&element, allowed, template)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_http_tasks_template_literal(template, "]", 1);
}


static ngx_int_t
ngx_http_tasks_body_object(const ngx_http_tasks_node_t *node,
    uint64_t allowed, ngx_http_tasks_template_t *template)
{
    json_t                 *value;
    ngx_int_t               rc, index;
    ngx_str_t               name, key;
    ngx_uint_t              optional, certain, members;
    const char             *member_name, *end;
    ngx_http_tasks_node_t   member;

    if (ngx_http_tasks_template_literal(template, "{", 1) != NGX_OK) {
        return NGX_ERROR;
    }

    certain = 0;
    members = 0;

    json_object_foreach(node->json, member_name, value) {
        (void) ngx_http_tasks_node_member(node, member_name, &member);

        name.data = (u_char *) member_name;
        name.len = ngx_strlen(member_name);

        key = ngx_http_tasks_compiler_key(node->compiler, &name);
        if (key.data == NULL) {
            return NGX_ERROR;
        }

        optional = 0;
        end = NULL;

        if (json_is_string(value)) {
            end = ngx_http_tasks_template_name(json_string_value(value), &name,
                                               &optional);
        }

        if (end && optional && *end == '\0') {
            index = ngx_http_tasks_body_lookup(&member, &name, allowed);

            if (index == NGX_ERROR) {
                return NGX_ERROR;
            }

            rc = ngx_http_tasks_template_part(template,
                                              NGX_HTTP_TASKS_PART_MEMBER,
                                              index, &key);

        } else {
            if (certain) {
                rc = ngx_http_tasks_template_literal(template, ",", 1);

            } else if (members) {
                rc = ngx_http_tasks_template_part(template,
                                  NGX_HTTP_TASKS_PART_SEPARATOR, 0, NULL);

            } else {
                rc = NGX_OK;
            }

            if (rc == NGX_OK) {
                rc = ngx_http_tasks_template_literal(template, key.data,
                                                     key.len);
            }

            if (rc == NGX_OK) {
                rc = ngx_http_tasks_body_value(&member, allowed, template);
            }

            certain = 1;
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }

        members = 1;
    }

    return ngx_http_tasks_template_literal(template, "}", 1);
}


static ngx_int_t
ngx_http_tasks_body_string(const ngx_http_tasks_node_t *node,
    uint64_t allowed, ngx_http_tasks_template_t *template)
{
    ngx_int_t    index;
    ngx_str_t    name;
    ngx_uint_t   optional;
    const char  *text, *end;

    text = json_string_value(node->json);
    end = ngx_http_tasks_template_name(text, &name, &optional);

    if (end && *end == '\0') {

        if (optional) {
            return ngx_http_tasks_node_error(node,
                      "\"%s\": only a member of an object can be left out",
                      text);
        }

        index = ngx_http_tasks_body_lookup(node, &name, allowed);

        if (index == NGX_ERROR) {
            return NGX_ERROR;
        }

        return ngx_http_tasks_template_part(template,
                                            NGX_HTTP_TASKS_PART_VALUE, index,
                                            NULL);
    }

    if (ngx_http_tasks_template_literal(template, "\"", 1) != NGX_OK
        || ngx_http_tasks_body_text(node, text, 1, allowed, template)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_tasks_template_literal(template, "\"", 1);
}


/* Text with values in it; with "json" what stands inside a JSON string. */

static ngx_int_t
ngx_http_tasks_body_text(const ngx_http_tasks_node_t *node, const char *text,
    ngx_uint_t json, uint64_t allowed, ngx_http_tasks_template_t *template)
{
    json_t      *string;
    ngx_int_t    index;
    ngx_str_t    name, piece;
    ngx_uint_t   optional;
    const char  *p, *end;

    for (p = text; *p; ) {
        end = ngx_http_tasks_template_name(p, &name, &optional);

        if (end) {
            if (optional) {
                end--;                    /* a question mark of the text */
            }

            index = ngx_http_tasks_body_lookup(node, &name,
                          allowed & ~(NGX_HTTP_TASKS_BIT(TASKS)
                                      | NGX_HTTP_TASKS_BIT(TASK)));

            if (index == NGX_ERROR
                || ngx_http_tasks_template_part(template,
                                json ? NGX_HTTP_TASKS_PART_INSIDE
                                     : NGX_HTTP_TASKS_PART_PLAIN,
                                index, NULL)
                   != NGX_OK)
            {
                return NGX_ERROR;
            }

            p = end;
            continue;
        }

        if (p[0] == '$' && p[1] != '$') {
            return ngx_http_tasks_node_error(node, "\"%s\": \"$\" wants a "
                                 "name; \"$$\" stands for the sign itself",
                                 text);
        }

        /* up to the next "$"; the second of two belongs to the text */

        if (p[0] == '$') {
            p++;
        }

        end = p + 1 + strcspn(p + 1, "$");

        piece.data = (u_char *) p;
        piece.len = end - p;

        if (json) {
            string = json_stringn(p, end - p);
            piece = ngx_http_tasks_compiler_dump(node->compiler, string);
            json_decref(string);

            if (piece.data == NULL) {
                return NGX_ERROR;
            }

            piece.data++;
            piece.len -= 2;
        }

        if (ngx_http_tasks_template_literal(template, piece.data, piece.len)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        p = end;
    }

    return NGX_OK;
}


const char *
ngx_http_tasks_template_name(const char *p, ngx_str_t *name,
    ngx_uint_t *optional)
{
    const char  *start;
    ngx_uint_t   brace;

    *optional = 0;

    if (*p++ != '$') {
        return NULL;
    }

    brace = (*p == '{');
    start = brace ? ++p : p;

    p = ngx_http_tasks_body_word(p);

    if (p - start == 4 && ngx_strncmp(start, "task.", 5) == 0) {
        p = brace ? p + strcspn(p, "}") : ngx_http_tasks_body_word(p + 1);
    }

    name->data = (u_char *) start;
    name->len = p - start;

    if (name->len == 0 || (brace && *p++ != '}')) {
        return NULL;
    }

    if (*p == '?') {
        *optional = 1;
        p++;
    }

    return p;
}


static const char *
ngx_http_tasks_body_word(const char *p)
{
    const char  *start;

    for (start = p;
         (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || *p == '_'
         || (p > start && *p >= '0' && *p <= '9');
         p++)
    {
        /* void */
    }

    return p;
}


static ngx_int_t
ngx_http_tasks_body_lookup(const ngx_http_tasks_node_t *node, ngx_str_t *name,
    uint64_t allowed)
{
    ngx_int_t   index;
    ngx_str_t  *names, where;

    if (name->len > 5 && ngx_strncmp(name->data, "task.", 5) == 0) {
        return ngx_http_tasks_body_field(node, name, allowed);
    }

    names = ngx_http_tasks_value_names;

    for (index = 0; names[index].len; index++) {

        if (ngx_http_tasks_equal(&names[index], name)) {

            if (allowed & ((uint64_t) 1 << index)) {
                return index == NGX_HTTP_TASKS_VALUE_TASK
                       ? ngx_http_tasks_body_task(node) : index;
            }

            return ngx_http_tasks_node_error(node,
                                             "\"$%V\" has no value here",
                                             name);
        }
    }

    /* whether there is one is known when all of the configuration was read */

    *name = ngx_http_tasks_compiler_text(node->compiler, (char *) name->data,
                                         name->len);
    where = ngx_http_tasks_node_where(node);

    if (name->data == NULL || where.data == NULL) {
        return NGX_ERROR;
    }

    return node->compiler->variable(node->compiler->cf, name, &where);
}


/* "$task" shows all fields of the detail. */

static ngx_int_t
ngx_http_tasks_body_task(const ngx_http_tasks_node_t *node)
{
    ngx_uint_t                    i;
    ngx_http_tasks_field_t       *field;
    ngx_http_tasks_collection_t  *collection;

    collection = node->compiler->collection;
    field = collection->fields.elts;

    for (i = 0; i < collection->fields.nelts; i++) {
        if (field[i].detail
            && ngx_http_tasks_route_fetch(node->compiler, i) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_HTTP_TASKS_VALUE_TASK;
}


static ngx_int_t
ngx_http_tasks_body_field(const ngx_http_tasks_node_t *node, ngx_str_t *name,
    uint64_t allowed)
{
    ngx_str_t                     rest;
    ngx_uint_t                    index;
    ngx_http_tasks_field_t       *field;
    ngx_http_tasks_collection_t  *collection;

    rest.data = name->data + 5;
    rest.len = name->len - 5;

    if (!(allowed & NGX_HTTP_TASKS_BIT(TASK))) {
        return ngx_http_tasks_node_error(node, "\"$%V\" has no value here",
                                         name);
    }

    collection = node->compiler->collection;
    field = ngx_http_tasks_collection_field(collection, &rest);

    if (field == NULL) {
        return ngx_http_tasks_node_error(node, "\"$%V\": \"%V\" is not a "
                                         "field", name, &rest);
    }

    index = field - (ngx_http_tasks_field_t *) collection->fields.elts;

    if (ngx_http_tasks_route_fetch(node->compiler, index) != NGX_OK) {
        return NGX_ERROR;
    }

    return NGX_HTTP_TASKS_VALUE_FIELD + index;
}
