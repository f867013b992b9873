
/*
 * Compiles the cancel rule: which states it may start from, what it sets.
 */


#include <ngx_http_tasks_compiler.h>


static ngx_int_t ngx_http_tasks_cancel_where(
    const ngx_http_tasks_node_t *node, ngx_http_tasks_cancel_rule_t *cancel);
static ngx_int_t ngx_http_tasks_cancel_set(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_set_t *set);


ngx_int_t
ngx_http_tasks_compile_cancel(const ngx_http_tasks_node_t *parent)
{
    json_t                        *value;
    const char                    *name;
    ngx_pool_t                    *pool;
    ngx_http_tasks_node_t          node, sets, member;
    ngx_http_tasks_set_t          *set;
    ngx_http_tasks_collection_t   *collection;
    ngx_http_tasks_cancel_rule_t  *cancel;

    static const char *const  keys[] = {
        "from", "except", "unchanged", "where", "set", NULL
    };

    collection = parent->compiler->collection;
    pool = parent->compiler->cf->pool;

    if (ngx_http_tasks_node_member(parent, "cancel", &node) != NGX_OK) {
        return NGX_OK;
    }

    cancel = ngx_pcalloc(pool, sizeof(ngx_http_tasks_cancel_rule_t));
    if (cancel == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_tasks_node_keys(&node, keys) != NGX_OK
        || ngx_http_tasks_node_list(&node, "from", &cancel->from) == NGX_ERROR
        || ngx_http_tasks_node_list(&node, "except", &cancel->except)
           == NGX_ERROR
        || ngx_http_tasks_node_list(&node, "unchanged", &cancel->unchanged)
           == NGX_ERROR)
    {
        return NGX_ERROR;
    }

    if ((cancel->from == NULL) == (cancel->except == NULL)) {
        return ngx_http_tasks_node_error(&node, "either \"from\" or "
                         "\"except\" says which states can be cancelled");
    }

    if (collection->state == NULL) {
        return ngx_http_tasks_node_error(&node, "wants a state: a field "
                                "\"status\" or the one that \"state\" names");
    }

    if (ngx_http_tasks_node_member(&node, "set", &sets) != NGX_OK) {
        return ngx_http_tasks_node_error(&node, "\"set\" is missing");
    }

    if (ngx_http_tasks_node_is_object(&sets) != NGX_OK) {
        return NGX_ERROR;
    }

    cancel->set = ngx_array_create(pool, 4, sizeof(ngx_http_tasks_set_t));
    if (cancel->set == NULL) {
        return NGX_ERROR;
    }

    json_object_foreach(sets.json, name, value) {
        (void) ngx_http_tasks_node_member(&sets, name, &member);

        set = ngx_array_push(cancel->set);
        if (set == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(set, sizeof(ngx_http_tasks_set_t));

        if (ngx_http_tasks_cancel_set(&member, set) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    collection->cancel = cancel;

    return ngx_http_tasks_cancel_where(&node, cancel);
}


/* "where": {"type": ["download"]}: of what may be cancelled, only these are. */

static ngx_int_t
ngx_http_tasks_cancel_where(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_cancel_rule_t *cancel)
{
    json_t                  *value;
    ngx_str_t                name;
    const char              *key;
    ngx_http_tasks_node_t    wheres, member;
    ngx_http_tasks_where_t  *where;

    if (ngx_http_tasks_node_member(node, "where", &wheres) != NGX_OK) {
        return NGX_OK;
    }

    if (ngx_http_tasks_node_is_object(&wheres) != NGX_OK) {
        return NGX_ERROR;
    }

    cancel->where = ngx_array_create(node->compiler->cf->pool, 2,
                                     sizeof(ngx_http_tasks_where_t));
    if (cancel->where == NULL) {
        return NGX_ERROR;
    }

    json_object_foreach(wheres.json, key, value) {
        (void) ngx_http_tasks_node_member(&wheres, key, &member);

        where = ngx_array_push(cancel->where);
        if (where == NULL) {
            return NGX_ERROR;
        }

        name.data = (u_char *) key;
        name.len = ngx_strlen(key);

        where->field = ngx_http_tasks_collection_field(
                                        node->compiler->collection, &name);

        if (where->field == NULL) {
            return ngx_http_tasks_node_error(&member, "is not a field");
        }

        if (ngx_http_tasks_compiler_values(&member, where->field,
                                           &where->values)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* Whether a field of that type can hold a time of that kind. */

static ngx_uint_t
ngx_http_tasks_cancel_holds(ngx_http_tasks_type_e type, ngx_uint_t epoch)
{
    switch (type) {

    case NGX_HTTP_TASKS_TYPE_ANY:
        return 1;

    case NGX_HTTP_TASKS_TYPE_STRING:
    case NGX_HTTP_TASKS_TYPE_DATETIME:
        return epoch == 0;

    case NGX_HTTP_TASKS_TYPE_INTEGER:
    case NGX_HTTP_TASKS_TYPE_NUMBER:
        return epoch != 0;

    default:
        return 0;
    }
}


static ngx_int_t
ngx_http_tasks_cancel_set(const ngx_http_tasks_node_t *node,
    ngx_http_tasks_set_t *set)
{
    ngx_str_t   name, *text;
    ngx_uint_t  i;

    static struct {
        const char  *name;
        ngx_uint_t   digits;
        ngx_str_t    zone;
        ngx_uint_t   epoch;              /* units of a second, of a number */
    } clocks[] = {
        { "$now", 3, ngx_string("Z"), 0 },
        { "$now_seconds", 0, ngx_string("Z"), 0 },
        { "$now_naive", 0, ngx_string(""), 0 },
        { "$now_unix", 0, ngx_string(""), 1 },
        { "$now_unix_ms", 0, ngx_string(""), 1000 },
        { NULL, 0, ngx_null_string, 0 }
    };

    name.data = (u_char *) node->key;
    name.len = ngx_strlen(node->key);

    set->field = ngx_http_tasks_collection_field(node->compiler->collection,
                                                 &name);

    if (set->field == NULL) {
        return ngx_http_tasks_node_error(node, "is not a field");
    }

    if (json_is_null(node->json)) {

        if (set->field->required) {
            return ngx_http_tasks_node_error(node, "the field is required");
        }

        return NGX_OK;
    }

    if (json_is_string(node->json)
        && json_string_value(node->json)[0] == '$')
    {
        for (i = 0; clocks[i].name; i++) {
            if (ngx_strcmp(json_string_value(node->json), clocks[i].name)
                == 0
                && ngx_http_tasks_cancel_holds(set->field->type,
                                               clocks[i].epoch))
            {
                set->now = 1;
                set->epoch = clocks[i].epoch;
                set->digits = clocks[i].digits;
                set->zone = clocks[i].zone;

                return NGX_OK;
            }
        }

        return ngx_http_tasks_node_error(node, "\"%s\" may be $now, "
                              "$now_seconds or $now_naive, for a string or a "
                              "datetime, and $now_unix or $now_unix_ms, for a "
                              "number or an integer",
                              json_string_value(node->json));
    }

    if (!ngx_http_tasks_json_is(node->json, set->field->type)) {
        return ngx_http_tasks_node_error(node, "must be of the field's type");
    }

    set->value = ngx_http_tasks_compiler_dump(node->compiler, node->json);

    if (set->value.data == NULL) {
        return NGX_ERROR;
    }

    text = set->field->absent_if ? set->field->absent_if->elts : NULL;

    for (i = 0; text && i < set->field->absent_if->nelts; i++) {
        if (ngx_http_tasks_equal(&set->value, &text[i])) {
            return ngx_http_tasks_node_error(node,
                         "is in the field's \"absent_if\": null clears it");
        }
    }

    return NGX_OK;
}
