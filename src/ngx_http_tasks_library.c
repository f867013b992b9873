
/*
 * Generates the Redis function library of a collection: a preamble of tables
 * made from its definition, then the embedded ngx_http_tasks_values.lua,
 * _key.lua, _position.lua, _page.lua and _library.lua.
 */


#include <ngx_http_tasks_compiler.h>
#include <ngx_md5.h>


static void ngx_http_tasks_library_preamble(ngx_http_tasks_writer_t *w,
    ngx_http_tasks_collection_t *collection);
static void ngx_http_tasks_library_cancel(ngx_http_tasks_writer_t *w,
    ngx_http_tasks_cancel_rule_t *cancel);
static void ngx_http_tasks_library_set(ngx_http_tasks_writer_t *w,
    const char *name, ngx_array_t *values);
static void ngx_http_tasks_library_string(ngx_http_tasks_writer_t *w,
    const ngx_str_t *text);
static void ngx_http_tasks_library_version(ngx_http_tasks_writer_t *w,
    ngx_str_t *version);


static const char  ngx_http_tasks_library_lua[] =
#include <ngx_http_tasks_library_lua.h>
;


#define ngx_http_tasks_library_put(w, s)  ngx_http_tasks_write(w, s, strlen(s))


ngx_int_t
ngx_http_tasks_library_generate(ngx_conf_t *cf,
    ngx_http_tasks_collection_t *collection)
{
    u_char                   *p;
    ngx_str_t                *text, *function;
    ngx_uint_t                i;
    ngx_chain_t              *cl;
    ngx_http_tasks_writer_t   w, body;

    static struct {
        const char  *suffix;
        size_t       offset;
    } functions[] = {
        { "_version", offsetof(ngx_http_tasks_collection_t, fn_version) },
        { "_cancel", offsetof(ngx_http_tasks_collection_t, fn_cancel) },
        { "_page", offsetof(ngx_http_tasks_collection_t, fn_page) }
    };

    ngx_http_tasks_writer_init(&body, cf->temp_pool, 16384);
    ngx_http_tasks_library_preamble(&body, collection);
    ngx_http_tasks_library_put(&body, ngx_http_tasks_library_lua);

    collection->version.len = 32;
    collection->version.data = ngx_pnalloc(cf->pool, 32);

    if (body.failed || collection->version.data == NULL) {
        return NGX_ERROR;
    }

    ngx_http_tasks_library_version(&body, &collection->version);

    ngx_http_tasks_writer_init(&w, cf->temp_pool, 512);
    ngx_http_tasks_library_put(&w, "#!lua name=tasks_");
    ngx_http_tasks_write_str(&w, &collection->name);
    ngx_http_tasks_library_put(&w, "\n\nlocal version = ");
    ngx_http_tasks_library_string(&w, &collection->version);
    ngx_http_tasks_library_put(&w, "\n");
    ngx_http_tasks_write_chain(&w, &body);

    text = &collection->library;
    text->data = ngx_pnalloc(cf->pool, w.size + 1);

    if (w.failed || text->data == NULL) {
        return NGX_ERROR;
    }

    p = text->data;

    for (cl = w.head; cl; cl = cl->next) {
        p = ngx_cpymem(p, cl->buf->pos, cl->buf->last - cl->buf->pos);
    }

    text->len = p - text->data;

    for (i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        function = (ngx_str_t *) ((u_char *) collection + functions[i].offset);

        function->len = collection->name.len + strlen(functions[i].suffix);
        function->data = ngx_pnalloc(cf->pool, function->len);
        if (function->data == NULL) {
            return NGX_ERROR;
        }

        p = ngx_cpymem(function->data, collection->name.data,
                       collection->name.len);
        ngx_memcpy(p, functions[i].suffix, strlen(functions[i].suffix));
    }

    return NGX_OK;
}


static void
ngx_http_tasks_library_preamble(ngx_http_tasks_writer_t *w,
    ngx_http_tasks_collection_t *collection)
{
    ngx_uint_t                i, type;
    ngx_http_tasks_field_t   *field, **filters;

    field = collection->fields.elts;
    filters = collection->filters.elts;

    ngx_http_tasks_library_put(w, "local name = ");
    ngx_http_tasks_library_string(w, &collection->name);
    ngx_http_tasks_library_put(w, "\nlocal max_value = ");
    ngx_http_tasks_write_integer(w, collection->max_value);

    ngx_http_tasks_library_put(w, "\nlocal id = { field = ");
    ngx_http_tasks_library_string(w, &collection->id.name);
    ngx_http_tasks_library_put(w, ", type = ");
    ngx_http_tasks_library_string(w,
                         &ngx_http_tasks_type_names[collection->id.type]);
    ngx_http_tasks_library_put(w, ", max_length = ");
    ngx_http_tasks_write_integer(w, collection->id.max_length);

    ngx_http_tasks_library_put(w, " }\nlocal id_cursors = ");
    ngx_http_tasks_library_put(w, collection->id_cursors ? "true" : "false");
    ngx_http_tasks_library_put(w, "\nlocal fields = {\n");

    for (i = 0; i < collection->fields.nelts; i++) {
        ngx_http_tasks_library_put(w, "    { name = ");
        ngx_http_tasks_library_string(w, &field[i].name);
        ngx_http_tasks_library_put(w, ", type = ");
        ngx_http_tasks_library_string(w,
                                  &ngx_http_tasks_type_names[field[i].type]);

        if (field[i].list) {
            ngx_http_tasks_library_put(w, ", list = true");
        }

        if (field[i].filter) {
            ngx_http_tasks_library_put(w, ", filter = true");
        }

        if (field[i].required) {
            ngx_http_tasks_library_put(w, ", required = true");
        }

        if (field[i].absent_if) {
            ngx_http_tasks_library_put(w, ", ");
            ngx_http_tasks_library_set(w, "absent_if", field[i].absent_if);
        }

        if (field[i].absent.data) {
            ngx_http_tasks_library_put(w, ", default = ");
            ngx_http_tasks_library_string(w, &field[i].absent);
        }

        ngx_http_tasks_library_put(w, " },\n");
    }

    ngx_http_tasks_library_put(w, "}\nlocal filters = { ");

    for (i = 0; i < collection->filters.nelts; i++) {
        ngx_http_tasks_library_string(w, &filters[i]->name);
        ngx_http_tasks_library_put(w, ", ");
    }

    ngx_http_tasks_library_put(w, "}\nlocal order = { ");

    if (collection->order) {
        ngx_http_tasks_library_put(w, "field = ");
        ngx_http_tasks_library_string(w, &collection->order->name);
        ngx_http_tasks_library_put(w, ", ");
    }

    type = collection->order ? collection->order->type : collection->id.type;

    ngx_http_tasks_library_put(w, "type = ");
    ngx_http_tasks_library_string(w, &ngx_http_tasks_type_names[type]);

    if (collection->descending) {
        ngx_http_tasks_library_put(w, ", descending = true");
    }

    ngx_http_tasks_library_put(w, " }\nlocal state = ");

    if (collection->state) {
        ngx_http_tasks_library_string(w, &collection->state->name);

    } else {
        ngx_http_tasks_library_put(w, "nil");
    }

    ngx_http_tasks_library_put(w, "\nlocal cancel = ");

    if (collection->cancel) {
        ngx_http_tasks_library_cancel(w, collection->cancel);

    } else {
        ngx_http_tasks_library_put(w, "nil");
    }

    ngx_http_tasks_library_put(w, "\n");
}


static void
ngx_http_tasks_library_cancel(ngx_http_tasks_writer_t *w,
    ngx_http_tasks_cancel_rule_t *cancel)
{
    ngx_uint_t               i;
    ngx_http_tasks_set_t    *set;
    ngx_http_tasks_where_t  *where;

    ngx_http_tasks_library_put(w, "{\n");

    ngx_http_tasks_library_put(w, "    ");

    if (cancel->from) {
        ngx_http_tasks_library_set(w, "from", cancel->from);

    } else {
        ngx_http_tasks_library_set(w, "except", cancel->except);
    }

    ngx_http_tasks_library_put(w, ",\n    ");
    ngx_http_tasks_library_set(w, "unchanged", cancel->unchanged);
    ngx_http_tasks_library_put(w, ",\n    where = { ");

    where = cancel->where ? cancel->where->elts : NULL;

    for (i = 0; where && i < cancel->where->nelts; i++) {
        ngx_http_tasks_library_put(w, "{ field = ");
        ngx_http_tasks_library_string(w, &where[i].field->name);
        ngx_http_tasks_library_put(w, ", ");
        ngx_http_tasks_library_set(w, "values", where[i].values);
        ngx_http_tasks_library_put(w, " }, ");
    }

    ngx_http_tasks_library_put(w, "},\n    set = {\n");

    set = cancel->set->elts;

    for (i = 0; i < cancel->set->nelts; i++) {
        ngx_http_tasks_library_put(w, "        { field = ");
        ngx_http_tasks_library_string(w, &set[i].field->name);

        if (set[i].epoch) {
            ngx_http_tasks_library_put(w, ", unix = ");
            ngx_http_tasks_write_integer(w, set[i].epoch);

        } else if (set[i].now) {
            ngx_http_tasks_library_put(w, ", digits = ");
            ngx_http_tasks_write_integer(w, set[i].digits);
            ngx_http_tasks_library_put(w, ", zone = ");
            ngx_http_tasks_library_string(w, &set[i].zone);

        } else if (set[i].value.data) {
            ngx_http_tasks_library_put(w, ", value = ");
            ngx_http_tasks_library_string(w, &set[i].value);

        } else {
            ngx_http_tasks_library_put(w, ", value = false");
        }

        ngx_http_tasks_library_put(w, " },\n");
    }

    ngx_http_tasks_library_put(w, "    },\n}");
}


/* A table that has these strings as keys; NULL: none. */

static void
ngx_http_tasks_library_set(ngx_http_tasks_writer_t *w, const char *name,
    ngx_array_t *values)
{
    ngx_str_t   *value;
    ngx_uint_t   i;

    ngx_http_tasks_library_put(w, name);
    ngx_http_tasks_library_put(w, " = { ");

    value = values ? values->elts : NULL;

    for (i = 0; values && i < values->nelts; i++) {
        ngx_http_tasks_library_put(w, "[");
        ngx_http_tasks_library_string(w, &value[i]);
        ngx_http_tasks_library_put(w, "] = true, ");
    }

    ngx_http_tasks_library_put(w, "}");
}


/* A Lua string; whatever could end or change it becomes a decimal escape. */

static void
ngx_http_tasks_library_string(ngx_http_tasks_writer_t *w,
    const ngx_str_t *text)
{
    size_t  i;
    u_char  c, buf[4];

    ngx_http_tasks_library_put(w, "'");

    for (i = 0; i < text->len; i++) {
        c = text->data[i];

        if (c < ' ' || c > '~' || c == '\'' || c == '\\') {
            ngx_sprintf(buf, "\\%03ui", (ngx_uint_t) c);
            ngx_http_tasks_write(w, buf, 4);

        } else {
            ngx_http_tasks_write_byte(w, c);
        }
    }

    ngx_http_tasks_library_put(w, "'");
}


/* Anything that changes the text changes its version. */

static void
ngx_http_tasks_library_version(ngx_http_tasks_writer_t *w, ngx_str_t *version)
{
    u_char        digest[16];
    ngx_md5_t     md5;
    ngx_chain_t  *cl;

    ngx_md5_init(&md5);

    for (cl = w->head; cl; cl = cl->next) {
        ngx_md5_update(&md5, cl->buf->pos, cl->buf->last - cl->buf->pos);
    }

    ngx_md5_final(digest, &md5);
    ngx_hex_dump(version->data, digest, 16);
}
