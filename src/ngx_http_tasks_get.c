
/*
 * One task: its fields are read by HMGET and joined as they are.
 */


#include <ngx_http_tasks_exchange.h>


static void ngx_http_tasks_get_handler(ngx_http_tasks_op_t *op);
static ngx_http_tasks_error_e ngx_http_tasks_get_etag(
    ngx_http_tasks_exchange_t *x, ngx_str_t *revision);
static void ngx_http_tasks_get_member(ngx_http_tasks_writer_t *w,
    const ngx_str_t *key, const ngx_str_t *value);


ngx_http_tasks_error_e
ngx_http_tasks_get(ngx_http_tasks_exchange_t *x)
{
    ngx_uint_t        n;

    static ngx_str_t  task = ngx_string(":task:");

    if (ngx_http_tasks_exchange_op(x, 1) != NGX_OK) {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    n = 1 + x->request.route->fetch.nelts;

    ngx_http_tasks_op_command(x->op, 2 + n, n, 0);
    ngx_http_tasks_op_literal(x->op, "HMGET");
    ngx_http_tasks_exchange_key(x, &task, &x->request.id);
    ngx_http_tasks_get_fields(x);

    return ngx_http_tasks_exchange_start(x, ngx_http_tasks_get_handler);
}


static void
ngx_http_tasks_get_handler(ngx_http_tasks_op_t *op)
{
    ngx_http_tasks_error_e      error;
    ngx_http_tasks_reply_t     *reply;
    ngx_http_tasks_exchange_t  *x;

    x = op->data;

    error = ngx_http_tasks_store_error(x->store, op);

    if (error == NGX_HTTP_TASKS_NO_ERROR) {
        reply = &op->replies[0];

        error = (reply->type == NGX_HTTP_TASKS_REPLY_ARRAY)
                ? ngx_http_tasks_get_reply(x, reply->u.array.elts,
                                           reply->u.array.nelts)
                : ngx_http_tasks_exchange_distrust(x);
    }

    x->done(x, error);
}


void
ngx_http_tasks_get_fields(ngx_http_tasks_exchange_t *x)
{
    ngx_uint_t                i;
    ngx_http_tasks_field_t  **field;

    /* every task has a revision: what has none is not there */
    ngx_http_tasks_op_literal(x->op, "_rev");

    field = x->request.route->fetch.elts;

    for (i = 0; i < x->request.route->fetch.nelts; i++) {
        ngx_http_tasks_op_str(x->op, &field[i]->name);
    }
}


ngx_http_tasks_error_e
ngx_http_tasks_get_reply(ngx_http_tasks_exchange_t *x,
    ngx_http_tasks_reply_t *elt, ngx_uint_t n)
{
    ngx_uint_t  i;

    if (n != 1 + x->request.route->fetch.nelts) {
        return ngx_http_tasks_exchange_distrust(x);
    }

    for (i = 0; i < n; i++) {
        if (elt[i].type != NGX_HTTP_TASKS_REPLY_STRING
            && elt[i].type != NGX_HTTP_TASKS_REPLY_NIL)
        {
            return ngx_http_tasks_exchange_distrust(x);
        }
    }

    if (elt[0].type == NGX_HTTP_TASKS_REPLY_NIL) {
        return NGX_HTTP_TASKS_NOT_FOUND;
    }

    x->fields = elt + 1;

    return ngx_http_tasks_get_etag(x, &elt[0].u.str);
}


/* A revision is one of the scope's: its key and the id tell it from others. */

static ngx_http_tasks_error_e
ngx_http_tasks_get_etag(ngx_http_tasks_exchange_t *x, ngx_str_t *revision)
{
    u_char  *p;

    p = ngx_pnalloc(x->op->pool, sizeof("01234567-01234567-") + revision->len);
    if (p == NULL) {
        return NGX_HTTP_TASKS_INTERNAL;
    }

    x->etag.data = p;

    p = ngx_sprintf(p, "%08xD-%08xD-%V",
                    ngx_murmur_hash2(x->base.data, x->base.len),
                    ngx_murmur_hash2(x->request.id.data, x->request.id.len),
                    revision);

    x->etag.len = p - x->etag.data;

    return NGX_HTTP_TASKS_NO_ERROR;
}


ngx_str_t *
ngx_http_tasks_get_field(ngx_http_tasks_exchange_t *x, ngx_uint_t index)
{
    ngx_int_t                slot;
    ngx_http_tasks_field_t  *field;
    ngx_http_tasks_route_t  *route;

    route = x->request.route;
    field = route->collection->fields.elts;
    slot = route->slots[index];

    return x->fields[slot].type == NGX_HTTP_TASKS_REPLY_STRING
           ? &x->fields[slot].u.str : &field[index].absent;
}


void
ngx_http_tasks_get_task(ngx_http_tasks_exchange_t *x,
    ngx_http_tasks_writer_t *w)
{
    ngx_str_t                    *value;
    ngx_uint_t                    i;
    ngx_http_tasks_field_t       *field;
    ngx_http_tasks_collection_t  *collection;

    collection = x->request.route->collection;
    field = collection->fields.elts;

    ngx_http_tasks_write_byte(w, '{');
    ngx_http_tasks_write_str(w, &collection->id_key);

    if (collection->id.type == NGX_HTTP_TASKS_TYPE_INTEGER) {
        ngx_http_tasks_write_str(w, &x->request.id);

    } else {
        ngx_http_tasks_write_byte(w, '"');
        ngx_http_tasks_write_escaped(w, &x->request.id);
        ngx_http_tasks_write_byte(w, '"');
    }

    for (i = 0; i < collection->fields.nelts; i++) {

        if (!field[i].detail) {
            continue;
        }

        value = ngx_http_tasks_get_field(x, i);

        if (value->data) {
            ngx_http_tasks_get_member(w, &field[i].key, value);
        }
    }

    ngx_http_tasks_write_byte(w, '}');
}


/* A task has dozens of these: written in one go. */

static void
ngx_http_tasks_get_member(ngx_http_tasks_writer_t *w, const ngx_str_t *key,
    const ngx_str_t *value)
{
    u_char  *p;

    p = ngx_http_tasks_writer_room(w, 1 + key->len + value->len);

    if (p) {
        *p++ = ',';
        p = ngx_cpymem(p, key->data, key->len);
        p = ngx_cpymem(p, value->data, value->len);
        ngx_http_tasks_writer_took(w, p);
    }
}
