
/*
 * Checks what was sent for one parameter: its type, then the other rules that
 * the definition gives it.  By requests, by cursors for the ids in them, and by
 * the compiler for defaults.  Knows no request: it says which rule is broken,
 * and whoever asked decides what comes of that.
 */


#include <ngx_http_tasks_param.h>


static ngx_int_t ngx_http_tasks_param_value(ngx_pool_t *pool,
    ngx_http_tasks_param_t *param, ngx_str_t *raw,
    ngx_http_tasks_checked_t *checked);
static ngx_uint_t ngx_http_tasks_param_integer(ngx_http_tasks_param_t *param,
    ngx_str_t *raw, u_char *buf, ngx_str_t *value, int64_t *number);
static ngx_uint_t ngx_http_tasks_param_listed(ngx_array_t *list,
    const ngx_str_t *value);


ngx_int_t
ngx_http_tasks_param_values(ngx_pool_t *pool, ngx_http_tasks_param_t *param,
    ngx_http_tasks_raw_t *raw, ngx_http_tasks_checked_t *checked)
{
    u_char     *p, *end, *last;
    ngx_str_t   item;

    checked->rule = NGX_HTTP_TASKS_VALUE_NONE;

    if (raw && raw->next && param->multiple != NGX_HTTP_TASKS_REPEATED) {
        checked->rule = NGX_HTTP_TASKS_RULE_REPEATED;
        checked->raw = raw->text;
        return NGX_OK;
    }

    for ( /* void */ ; raw; raw = raw->next) {

        last = raw->text.data + raw->text.len;

        for (p = raw->text.data; p <= last; p = end + 1) {

            end = (param->multiple == NGX_HTTP_TASKS_COMMA)
                  ? ngx_strlchr(p, last, ',') : NULL;
            if (end == NULL) {
                end = last;
            }

            item.data = p;
            item.len = end - p;

            if (ngx_http_tasks_param_value(pool, param, &item, checked)
                != NGX_OK)
            {
                return NGX_ERROR;
            }

            if (checked->rule < NGX_HTTP_TASKS_RULES) {
                checked->raw = raw->text;
                return NGX_OK;
            }
        }
    }

    if (checked->values.nelts) {
        checked->rule = NGX_HTTP_TASKS_VALUE_GOOD;
    }

    return NGX_OK;
}


/* Adds a value, unless it breaks a rule, is none or is there already. */

static ngx_int_t
ngx_http_tasks_param_value(ngx_pool_t *pool, ngx_http_tasks_param_t *param,
    ngx_str_t *raw, ngx_http_tasks_checked_t *checked)
{
    u_char                    buf[NGX_HTTP_TASKS_PARAM_BUF];
    ngx_str_t                 value;
    ngx_uint_t                i;
    ngx_http_tasks_values_t  *values;

    values = &checked->values;

    checked->rule = ngx_http_tasks_param_check(param, raw, buf, &value,
                                               &checked->number);

    if (checked->rule != NGX_HTTP_TASKS_VALUE_GOOD) {
        return NGX_OK;
    }

    for (i = 0; i < values->nelts; i++) {
        if (ngx_http_tasks_equal(&values->elts[i], &value)) {
            return NGX_OK;
        }
    }

    if (values->nelts == param->max_items) {
        checked->rule = NGX_HTTP_TASKS_RULE_MAX_ITEMS;
        return NGX_OK;
    }

    if (values->elts == NULL) {
        values->elts = ngx_palloc(pool, param->max_items * sizeof(ngx_str_t));
        if (values->elts == NULL) {
            return NGX_ERROR;
        }
    }

    if (value.data == buf) {
        value.data = ngx_pstrdup(pool, &value);
        if (value.data == NULL) {
            return NGX_ERROR;
        }
    }

    values->elts[values->nelts++] = value;

    return NGX_OK;
}


ngx_uint_t
ngx_http_tasks_param_check(ngx_http_tasks_param_t *param, ngx_str_t *raw,
    u_char *buf, ngx_str_t *value, int64_t *number)
{
    ngx_uint_t  rule;

    static ngx_str_t  yes = ngx_string("true"), no = ngx_string("false");

    if (param->absent_if
        && ngx_http_tasks_param_listed(param->absent_if, raw))
    {
        return NGX_HTTP_TASKS_VALUE_NONE;
    }

    *value = *raw;

    switch (param->type) {

    case NGX_HTTP_TASKS_TYPE_INTEGER:
        rule = ngx_http_tasks_param_integer(param, raw, buf, value, number);

        if (rule != NGX_HTTP_TASKS_VALUE_GOOD) {
            return rule;
        }

        break;

    case NGX_HTTP_TASKS_TYPE_BOOLEAN:
        if ((raw->len == 4 && ngx_strncmp(raw->data, "true", 4) == 0)
            || (raw->len == 1 && raw->data[0] == '1'))
        {
            *value = yes;

        } else if ((raw->len == 5 && ngx_strncmp(raw->data, "false", 5) == 0)
                   || (raw->len == 1 && raw->data[0] == '0'))
        {
            *value = no;

        } else {
            return NGX_HTTP_TASKS_RULE_TYPE;
        }

        break;

    case NGX_HTTP_TASKS_TYPE_UUID:
        if (!ngx_http_tasks_is_uuid(raw, buf)) {
            return NGX_HTTP_TASKS_RULE_TYPE;
        }

        value->data = buf;
        break;

    default: /* NGX_HTTP_TASKS_TYPE_STRING */
        if (raw->len > param->max_length) {
            return NGX_HTTP_TASKS_RULE_MAX_LENGTH;
        }

        if (!ngx_http_tasks_is_text(raw)
            || (raw->len == 0 && param->role == NGX_HTTP_TASKS_ROLE_ID))
        {
            return NGX_HTTP_TASKS_RULE_TYPE;
        }
    }

    if (param->values
        && !ngx_http_tasks_param_listed(param->values, value))
    {
        return NGX_HTTP_TASKS_RULE_ENUM;
    }

    if (param->pattern
        && ngx_regex_exec(param->pattern, value, NULL, 0) < 0)
    {
        return NGX_HTTP_TASKS_RULE_PATTERN;
    }

    return NGX_HTTP_TASKS_VALUE_GOOD;
}


static ngx_uint_t
ngx_http_tasks_param_integer(ngx_http_tasks_param_t *param, ngx_str_t *raw,
    u_char *buf, ngx_str_t *value, int64_t *number)
{
    u_char      *p, *last;
    uint64_t     n, max;
    ngx_uint_t   negative;

    p = raw->data;
    last = p + raw->len;

    negative = (p < last && *p == '-');

    if (p < last && (*p == '-' || *p == '+')) {
        p++;
    }

    if (p == last) {
        return NGX_HTTP_TASKS_RULE_TYPE;
    }

    max = (uint64_t) INT64_MAX + negative;

    for (n = 0; p < last; p++) {

        if (*p < '0' || *p > '9'
            || n > max / 10 || n * 10 > max - (*p - '0'))
        {
            return NGX_HTTP_TASKS_RULE_TYPE;
        }

        n = n * 10 + (*p - '0');
    }

    *number = negative ? (int64_t) (0 - n) : (int64_t) n;

    value->data = buf;
    value->len = ngx_sprintf(buf, "%L", *number) - buf;

    if (param->absent_if
        && ngx_http_tasks_param_listed(param->absent_if, value))
    {
        return NGX_HTTP_TASKS_VALUE_NONE;
    }

    if (*number < param->minimum) {
        return NGX_HTTP_TASKS_RULE_MINIMUM;
    }

    if (*number > param->maximum) {
        return NGX_HTTP_TASKS_RULE_MAXIMUM;
    }

    return NGX_HTTP_TASKS_VALUE_GOOD;
}


static ngx_uint_t
ngx_http_tasks_param_listed(ngx_array_t *list, const ngx_str_t *value)
{
    ngx_str_t   *listed;
    ngx_uint_t   i;

    listed = list->elts;

    for (i = 0; i < list->nelts; i++) {
        if (ngx_http_tasks_equal(&listed[i], value)) {
            return 1;
        }
    }

    return 0;
}
