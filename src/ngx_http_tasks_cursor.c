
/*
 * Cursors.  What a client gets is, encoded and in the form that the definition
 * says, the position of a page's last task, ORDER KEY:ID, or its id.
 */


#include <ngx_http_tasks_request.h>


static ngx_int_t ngx_http_tasks_cursor_encode(ngx_pool_t *pool,
    const ngx_http_tasks_cursor_t *form, ngx_str_t *plain, ngx_str_t *cursor);
static ngx_int_t ngx_http_tasks_cursor_decode(ngx_pool_t *pool,
    const ngx_http_tasks_cursor_t *form, ngx_str_t *cursor, ngx_str_t *plain);
static ngx_int_t ngx_http_tasks_cursor_id(ngx_http_tasks_request_t *request,
    ngx_str_t *id);
static ngx_int_t ngx_http_tasks_cursor_position(
    ngx_http_tasks_request_t *request, ngx_str_t *position);


ngx_int_t
ngx_http_tasks_cursor_make(ngx_pool_t *pool,
    const ngx_http_tasks_cursor_t *form, const ngx_str_t *position,
    ngx_str_t *cursor)
{
    u_char     *p;
    ngx_str_t   what, plain;

    what = *position;

    if (form->by_id && ngx_http_tasks_position_id(position, &what) != NGX_OK) {
        return NGX_ERROR;
    }

    plain.len = form->before.len + what.len + form->after.len;
    plain.data = ngx_pnalloc(pool, plain.len);
    if (plain.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(plain.data, form->before.data, form->before.len);
    p = ngx_cpymem(p, what.data, what.len);
    ngx_memcpy(p, form->after.data, form->after.len);

    return ngx_http_tasks_cursor_encode(pool, form, &plain, cursor);
}


static ngx_int_t
ngx_http_tasks_cursor_encode(ngx_pool_t *pool,
    const ngx_http_tasks_cursor_t *form, ngx_str_t *plain, ngx_str_t *cursor)
{
    if (form->encoding == NGX_HTTP_TASKS_PLAIN) {
        *cursor = *plain;
        return NGX_OK;
    }

    cursor->data = ngx_pnalloc(pool, ngx_base64_encoded_length(plain->len)
                                     + 1);
    if (cursor->data == NULL) {
        return NGX_ERROR;
    }

    if (form->encoding == NGX_HTTP_TASKS_BASE64) {
        ngx_encode_base64(cursor, plain);

    } else {
        ngx_encode_base64url(cursor, plain);
    }

    return NGX_OK;
}


/* One text has one cursor: trailing bits and padding are not let by. */

static ngx_int_t
ngx_http_tasks_cursor_decode(ngx_pool_t *pool,
    const ngx_http_tasks_cursor_t *form, ngx_str_t *cursor, ngx_str_t *plain)
{
    ngx_int_t  rc;
    ngx_str_t  again;

    if (form->encoding == NGX_HTTP_TASKS_PLAIN) {
        *plain = *cursor;
        return NGX_OK;
    }

    plain->data = ngx_pnalloc(pool, ngx_base64_decoded_length(cursor->len)
                                    + 1);
    if (plain->data == NULL) {
        return NGX_ERROR;
    }

    rc = (form->encoding == NGX_HTTP_TASKS_BASE64)
         ? ngx_decode_base64(plain, cursor)
         : ngx_decode_base64url(plain, cursor);

    if (rc != NGX_OK) {
        return NGX_DECLINED;
    }

    if (ngx_http_tasks_cursor_encode(pool, form, plain, &again) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_tasks_equal(&again, cursor) ? NGX_OK : NGX_DECLINED;
}


ngx_int_t
ngx_http_tasks_cursor_parse(ngx_http_tasks_request_t *request,
    const ngx_http_tasks_cursor_t *form, ngx_str_t *cursor)
{
    size_t     around;
    ngx_int_t  rc;
    ngx_str_t  plain;

    rc = ngx_http_tasks_cursor_decode(request->pool, form, cursor, &plain);

    if (rc != NGX_OK) {
        return rc;
    }

    around = form->before.len + form->after.len;

    if (plain.len <= around
        || ngx_memcmp(plain.data, form->before.data, form->before.len) != 0
        || ngx_memcmp(plain.data + plain.len - form->after.len,
                      form->after.data, form->after.len)
           != 0)
    {
        return NGX_DECLINED;
    }

    plain.data += form->before.len;
    plain.len -= around;

    return form->by_id ? ngx_http_tasks_cursor_id(request, &plain)
                       : ngx_http_tasks_cursor_position(request, &plain);
}


/* An id as the writers have it, too: a cursor has no other spelling. */

static ngx_int_t
ngx_http_tasks_cursor_id(ngx_http_tasks_request_t *request, ngx_str_t *id)
{
    u_char      buf[NGX_HTTP_TASKS_PARAM_BUF];
    int64_t     number;
    ngx_str_t   value;
    ngx_uint_t  rule;

    rule = ngx_http_tasks_param_check(&request->route->collection->id, id, buf,
                                      &value, &number);

    if (rule != NGX_HTTP_TASKS_VALUE_GOOD || !ngx_http_tasks_equal(&value, id))
    {
        return NGX_DECLINED;
    }

    request->cursor_id = *id;

    return NGX_OK;
}


static ngx_int_t
ngx_http_tasks_cursor_position(ngx_http_tasks_request_t *request,
    ngx_str_t *position)
{
    size_t                        i, len;
    ngx_str_t                     id;
    ngx_http_tasks_type_e         type;
    ngx_http_tasks_collection_t  *collection;

    if (!ngx_http_tasks_is_text(position)
        || ngx_http_tasks_position_id(position, &id) != NGX_OK
        || id.len == 0)
    {
        return NGX_DECLINED;
    }

    collection = request->route->collection;
    type = collection->order ? collection->order->type : collection->id.type;

    if (type == NGX_HTTP_TASKS_TYPE_INTEGER
        || type == NGX_HTTP_TASKS_TYPE_DATETIME)
    {
        len = id.data - position->data - 1;

        if (len != 14) {
            return NGX_DECLINED;
        }

        for (i = 0; i < len; i++) {
            if ((position->data[i] < '0' || position->data[i] > '9')
                && (position->data[i] < 'a' || position->data[i] > 'f'))
            {
                return NGX_DECLINED;
            }
        }
    }

    request->cursor = *position;

    return NGX_OK;
}


ngx_int_t
ngx_http_tasks_position_id(const ngx_str_t *position, ngx_str_t *id)
{
    u_char  *colon;

    colon = memchr(position->data, ':', position->len);

    if (colon == NULL) {
        return NGX_ERROR;
    }

    id->data = colon + 1;
    id->len = position->data + position->len - id->data;

    return NGX_OK;
}
