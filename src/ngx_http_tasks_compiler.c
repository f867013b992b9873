
/*
 * Reading the JSON of a definition: each getter checks, and each complaint
 * names the file and the path of what it complains about.
 */


#include <ngx_http_tasks_compiler.h>


#define NGX_HTTP_TASKS_PATH_LEN  256


static u_char *
ngx_http_tasks_node_path(const ngx_http_tasks_node_t *node, u_char *p,
    u_char *last)
{
    if (node->parent == NULL) {
        return ngx_slprintf(p, last, "$");
    }

    p = ngx_http_tasks_node_path(node->parent, p, last);

    if (node->key) {
        return ngx_slprintf(p, last, ".%s", node->key);
    }

    return ngx_slprintf(p, last, "[%uz]", node->index);
}


ngx_str_t
ngx_http_tasks_node_where(const ngx_http_tasks_node_t *node)
{
    u_char     *p, *last;
    size_t      len;
    ngx_str_t   where, *file;

    file = &node->compiler->definition->file;
    len = file->len + NGX_HTTP_TASKS_PATH_LEN;

    where.len = 0;
    where.data = ngx_pnalloc(node->compiler->cf->pool, len);

    if (where.data) {
        last = where.data + len;
        p = ngx_slprintf(where.data, last, "%V: ", file);
        where.len = ngx_http_tasks_node_path(node, p, last) - where.data;
    }

    return where;
}


ngx_int_t
ngx_http_tasks_node_error(const ngx_http_tasks_node_t *node,
    const char *format, ...)
{
    u_char     text[NGX_MAX_ERROR_STR], *text_end;
    va_list    args;
    ngx_str_t  where, what;

    where = ngx_http_tasks_node_where(node);

    va_start(args, format);
    text_end = ngx_vslprintf(text, text + sizeof(text), format, args);
    va_end(args);

    what.data = text;
    what.len = text_end - text;

    ngx_conf_log_error(NGX_LOG_EMERG, node->compiler->cf, 0, "%V: %V",
                       &where, &what);

    return NGX_ERROR;
}


ngx_int_t
ngx_http_tasks_node_member(const ngx_http_tasks_node_t *node, const char *key,
    ngx_http_tasks_node_t *member)
{
    json_t  *json;

    json = json_object_get(node->json, key);

    if (json == NULL) {
        return NGX_DECLINED;
    }

    member->compiler = node->compiler;
    member->parent = node;
    member->key = key;
    member->index = 0;
    member->json = json;

    return NGX_OK;
}


void
ngx_http_tasks_node_element(const ngx_http_tasks_node_t *node, size_t index,
    ngx_http_tasks_node_t *element)
{
    element->compiler = node->compiler;
    element->parent = node;
    element->key = NULL;
    element->index = index;
    element->json = json_array_get(node->json, index);
}


ngx_int_t
ngx_http_tasks_node_string(const ngx_http_tasks_node_t *node, const char *key,
    ngx_str_t *result)
{
    ngx_http_tasks_node_t  member;

    if (ngx_http_tasks_node_member(node, key, &member) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (!json_is_string(member.json)) {
        return ngx_http_tasks_node_error(&member, "must be a string");
    }

    *result = ngx_http_tasks_compiler_text(node->compiler,
                                           json_string_value(member.json),
                                           json_string_length(member.json));

    return result->data ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_http_tasks_node_line(const ngx_http_tasks_node_t *node, const char *key,
    ngx_str_t *result)
{
    size_t                 i;
    ngx_int_t              rc;
    ngx_http_tasks_node_t  member;

    rc = ngx_http_tasks_node_string(node, key, result);

    if (rc != NGX_OK) {
        return rc;
    }

    for (i = 0; i < result->len; i++) {
        if (result->data[i] < ' ' || result->data[i] == 0x7f) {
            (void) ngx_http_tasks_node_member(node, key, &member);
            return ngx_http_tasks_node_error(&member,
                                        "must hold no control characters");
        }
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_tasks_is_calendar(u_char *text)
{
    ngx_int_t                 year, month, day;

    static const ngx_int_t    days[] = { 31, 29, 31, 30, 31, 30,
                                         31, 31, 30, 31, 30, 31 };

    year = ngx_atoi(text, 4);
    month = ngx_atoi(text + 5, 2);
    day = ngx_atoi(text + 8, 2);

    if (month < 1 || month > 12 || day < 1 || day > days[month - 1]
        || (month == 2 && day == 29
            && (year % 4 != 0 || (year % 100 == 0 && year % 400 != 0))))
    {
        return 0;
    }

    return ngx_atoi(text + 11, 2) < 24 && ngx_atoi(text + 14, 2) < 60
           && ngx_atoi(text + 17, 2) <= 60;
}


/* "+01:00" or "+0100". */

static ngx_uint_t
ngx_http_tasks_is_zone(u_char *text)
{
    size_t     len;
    ngx_int_t  hours, minutes;

    len = ngx_strlen(text);

    if ((text[0] != '+' && text[0] != '-')
        || (len != 5 && (len != 6 || text[3] != ':')))
    {
        return 0;
    }

    hours = ngx_atoi(text + 1, 2);
    minutes = ngx_atoi(text + len - 2, 2);

    return hours != NGX_ERROR && hours < 24
           && minutes != NGX_ERROR && minutes < 60;
}


/* RFC 3339, also with a space for the "T" and without a zone. */

static ngx_uint_t
ngx_http_tasks_is_datetime(const char *text)
{
    ngx_uint_t         i;
    static const char  form[] = "0000-00-00T00:00:00";

    for (i = 0; form[i]; i++) {
        if (form[i] == '0' ? (text[i] < '0' || text[i] > '9')
                           : (text[i] != form[i]
                              && (form[i] != 'T' || text[i] != ' ')))
        {
            return 0;
        }
    }

    if (!ngx_http_tasks_is_calendar((u_char *) text)) {
        return 0;
    }

    text += i;

    if (*text == '.') {
        i = strspn(text + 1, "0123456789");
        text += i ? 1 + i : 0;
    }

    if (*text == 'Z' || *text == 'z') {
        return text[1] == '\0';
    }

    return *text == '\0' || ngx_http_tasks_is_zone((u_char *) text);
}


ngx_uint_t
ngx_http_tasks_json_is(json_t *json, ngx_uint_t type)
{
    switch (type) {

    case NGX_HTTP_TASKS_TYPE_STRING:
    case NGX_HTTP_TASKS_TYPE_UUID:
        return json_is_string(json);

    case NGX_HTTP_TASKS_TYPE_DATETIME:
        return json_is_string(json)
               && ngx_http_tasks_is_datetime(json_string_value(json));

    case NGX_HTTP_TASKS_TYPE_INTEGER:
        return json_is_integer(json);

    case NGX_HTTP_TASKS_TYPE_NUMBER:
        return json_is_number(json);

    case NGX_HTTP_TASKS_TYPE_BOOLEAN:
        return json_is_boolean(json);

    case NGX_HTTP_TASKS_TYPE_OBJECT:
        return json_is_object(json);

    case NGX_HTTP_TASKS_TYPE_ARRAY:
        return json_is_array(json);

    default: /* NGX_HTTP_TASKS_TYPE_ANY */
        return 1;
    }
}


ngx_int_t
ngx_http_tasks_node_integer(const ngx_http_tasks_node_t *node, const char *key,
    int64_t minimum, int64_t maximum, int64_t *result)
{
    ngx_http_tasks_node_t  member;

    if (ngx_http_tasks_node_member(node, key, &member) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (!json_is_integer(member.json)
        || json_integer_value(member.json) < minimum
        || json_integer_value(member.json) > maximum)
    {
        return ngx_http_tasks_node_error(&member,
                              "must be an integer between %L and %L",
                              minimum, maximum);
    }

    *result = json_integer_value(member.json);

    return NGX_OK;
}


ngx_int_t
ngx_http_tasks_node_flag(const ngx_http_tasks_node_t *node, const char *key,
    ngx_uint_t *result)
{
    ngx_http_tasks_node_t  member;

    if (ngx_http_tasks_node_member(node, key, &member) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (!json_is_boolean(member.json)) {
        return ngx_http_tasks_node_error(&member, "must be true or false");
    }

    *result = json_is_true(member.json);

    return NGX_OK;
}


ngx_int_t
ngx_http_tasks_node_choice(const ngx_http_tasks_node_t *node, const char *key,
    const ngx_str_t *names, ngx_uint_t *result)
{
    u_char                 buf[NGX_HTTP_TASKS_PATH_LEN], *p;
    ngx_int_t              rc;
    ngx_str_t              value, known;
    ngx_uint_t             i;
    ngx_http_tasks_node_t  member;

    rc = ngx_http_tasks_node_string(node, key, &value);

    if (rc != NGX_OK) {
        return rc;
    }

    p = buf;

    for (i = 0; names[i].len; i++) {
        if (ngx_http_tasks_equal(&value, &names[i])) {
            *result = i;
            return NGX_OK;
        }

        p = ngx_slprintf(p, buf + sizeof(buf), "%s%V", i ? ", " : "",
                         &names[i]);
    }

    known.data = buf;
    known.len = p - buf;

    (void) ngx_http_tasks_node_member(node, key, &member);

    return ngx_http_tasks_node_error(&member, "unknown \"%V\", it may be %V",
                                     &value, &known);
}


ngx_int_t
ngx_http_tasks_node_list(const ngx_http_tasks_node_t *node, const char *key,
    ngx_array_t **result)
{
    size_t                 i;
    ngx_str_t             *value;
    ngx_array_t           *list;
    ngx_http_tasks_node_t  member, element;

    if (ngx_http_tasks_node_member(node, key, &member) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (!json_is_array(member.json)) {
        return ngx_http_tasks_node_error(&member, "must be an array");
    }

    list = ngx_array_create(node->compiler->cf->pool,
                            json_array_size(member.json) + 1,
                            sizeof(ngx_str_t));
    if (list == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < json_array_size(member.json); i++) {
        ngx_http_tasks_node_element(&member, i, &element);

        value = ngx_array_push(list);

        if (json_is_string(element.json)) {
            *value = ngx_http_tasks_compiler_text(node->compiler,
                                       json_string_value(element.json),
                                       json_string_length(element.json));

        } else if (json_is_integer(element.json)
                   || json_is_boolean(element.json))
        {
            *value = ngx_http_tasks_compiler_dump(node->compiler,
                                                  element.json);

        } else {
            return ngx_http_tasks_node_error(&element,
                              "must be a string, an integer or a boolean");
        }

        if (value->data == NULL) {
            return NGX_ERROR;
        }
    }

    *result = list;

    return NGX_OK;
}


ngx_int_t
ngx_http_tasks_node_literal(const ngx_http_tasks_node_t *node,
    const char *key, ngx_http_tasks_literal_t *result)
{
    ngx_http_tasks_node_t  member;

    if (ngx_http_tasks_node_member(node, key, &member) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (!json_is_string(member.json) && !json_is_integer(member.json)
        && !json_is_boolean(member.json))
    {
        return ngx_http_tasks_node_error(&member,
                              "must be a string, an integer or a boolean");
    }

    result->json = ngx_http_tasks_compiler_dump(node->compiler, member.json);

    if (result->json.data == NULL) {
        return NGX_ERROR;
    }

    if (json_is_string(member.json)) {
        return ngx_http_tasks_node_string(node, key, &result->plain);
    }

    return NGX_OK;
}


ngx_uint_t
ngx_http_tasks_is_header_name(const char *name)
{
    return name[0] != '\0'
           && name[strspn(name, "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")]
              == '\0';
}


/* Two of them, or another one, would tell peers another end of the body. */

static const char  *ngx_http_tasks_own_headers[] = {
    "Connection", "Content-Encoding", "Content-Length", "Content-Type", "Date",
    "ETag", "Keep-Alive", "Server", "Transfer-Encoding", "Upgrade", NULL
};


ngx_int_t
ngx_http_tasks_node_headers(const ngx_http_tasks_node_t *node,
    ngx_array_t **headers)
{
    json_t                   *value;
    ngx_uint_t                i;
    const char               *name;
    ngx_http_tasks_node_t     member;
    ngx_http_tasks_header_t  *header;

    if (ngx_http_tasks_node_member(node, "headers", &member) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (ngx_http_tasks_node_is_object(&member) != NGX_OK) {
        return NGX_ERROR;
    }

    *headers = ngx_array_create(node->compiler->cf->pool, 2,
                                sizeof(ngx_http_tasks_header_t));
    if (*headers == NULL) {
        return NGX_ERROR;
    }

    json_object_foreach(member.json, name, value) {

        (void) value;

        if (!ngx_http_tasks_is_header_name(name)) {
            return ngx_http_tasks_node_error(&member,
                             "header \"%s\" must be a name of letters, "
                             "digits and \"-\"", name);
        }

        for (i = 0; ngx_http_tasks_own_headers[i]; i++) {
            if (ngx_strcasecmp((u_char *) name, (u_char *)
                               ngx_http_tasks_own_headers[i])
                == 0)
            {
                return ngx_http_tasks_node_error(&member,
                                 "header \"%s\" is nginx's to send", name);
            }
        }

        header = ngx_array_push(*headers);
        if (header == NULL) {
            return NGX_ERROR;
        }

        header->name = ngx_http_tasks_compiler_text(node->compiler, name,
                                                    ngx_strlen(name));

        if (header->name.data == NULL
            || ngx_http_tasks_node_line(&member, name, &header->value)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_tasks_node_is_object(const ngx_http_tasks_node_t *node)
{
    if (!json_is_object(node->json)) {
        return ngx_http_tasks_node_error(node, "must be an object");
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_tasks_node_keys(const ngx_http_tasks_node_t *node,
    const char *const *keys)
{
    json_t             *value;
    const char         *key;
    ngx_uint_t          i;

    if (ngx_http_tasks_node_is_object(node) != NGX_OK) {
        return NGX_ERROR;
    }

    json_object_foreach(node->json, key, value) {

        for (i = 0; keys[i]; i++) {
            if (ngx_strcmp(key, keys[i]) == 0) {
                break;
            }
        }

        if (keys[i] == NULL) {
            return ngx_http_tasks_node_error(node, "unknown member \"%s\"",
                                             key);
        }
    }

    return NGX_OK;
}


ngx_str_t
ngx_http_tasks_compiler_text(ngx_http_tasks_compiler_t *compiler,
    const char *text, size_t len)
{
    ngx_str_t  copy;

    copy.len = len;
    copy.data = ngx_pnalloc(compiler->cf->pool, len + 1);

    if (copy.data) {
        ngx_memcpy(copy.data, text, len);
        copy.data[len] = '\0';
    }

    return copy;
}


ngx_str_t
ngx_http_tasks_compiler_dump(ngx_http_tasks_compiler_t *compiler, json_t *json)
{
    char       *text;
    ngx_str_t   copy;

    text = json_dumps(json, JSON_ENCODE_ANY|JSON_COMPACT
                            |JSON_REAL_PRECISION(15));

    if (text == NULL) {
        ngx_str_null(&copy);
        return copy;
    }

    copy = ngx_http_tasks_compiler_text(compiler, text, ngx_strlen(text));

    free(text);

    return copy;
}


ngx_str_t
ngx_http_tasks_compiler_key(ngx_http_tasks_compiler_t *compiler,
    ngx_str_t *name)
{
    json_t     *json;
    ngx_str_t   key;

    ngx_str_null(&key);

    json = json_stringn((char *) name->data, name->len);
    if (json == NULL) {
        return key;
    }

    key = ngx_http_tasks_compiler_dump(compiler, json);

    json_decref(json);

    if (key.data) {
        /* the text's final zero makes room for the colon */
        key.data[key.len++] = ':';
    }

    return key;
}
