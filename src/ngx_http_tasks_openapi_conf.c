
/*
 * The directive "tasks_openapi", and the handler that sends the document which
 * was made of the location's definition when the configuration was read.
 */


#include <ngx_http_tasks_directive.h>
#include <ngx_md5.h>


static ngx_uint_t ngx_http_tasks_openapi_is_base(const ngx_str_t *base);


char *
ngx_http_tasks_set_openapi(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_tasks_loc_conf_t  *tlcf = conf;

    ngx_str_t  *value;

    (void) cmd;

    if (cf->args->nelts == 1) {
        return ngx_http_tasks_set_handler(cf, tlcf,
                                          ngx_http_tasks_openapi_handler);
    }

    value = cf->args->elts;

    if (!ngx_http_tasks_openapi_is_base(&value[1])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must be a path, as \"/api/tasks\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    tlcf->openapi.base = value[1];

    /* a path follows it, which begins with one */

    while (tlcf->openapi.base.len
           && tlcf->openapi.base.data[tlcf->openapi.base.len - 1] == '/')
    {
        tlcf->openapi.base.len--;
    }

    return ngx_http_tasks_set_handler(cf, tlcf,
                                      ngx_http_tasks_openapi_handler);
}


/* A path as it stands in an address; braces have a meaning in OpenAPI. */

static ngx_uint_t
ngx_http_tasks_openapi_is_base(const ngx_str_t *base)
{
    size_t  i;

    for (i = 0; i < base->len; i++) {
        if (base->data[i] <= ' ' || base->data[i] >= 0x7f
            || ngx_strchr("?#{}\"<>\\^`|", base->data[i]))
        {
            return 0;
        }
    }

    return base->len && base->data[0] == '/';
}


ngx_int_t
ngx_http_tasks_openapi_merge(ngx_conf_t *cf, ngx_http_tasks_loc_conf_t *tlcf)
{
    u_char                     *p, digest[16];
    ngx_md5_t                   md5;
    ngx_http_tasks_document_t  *openapi;

    openapi = &tlcf->openapi;

    if (openapi->base.data == NULL) {
        ngx_str_set(&openapi->base, "");
    }

    if (ngx_http_tasks_openapi_generate(cf, tlcf->definition, &openapi->base,
                                        &openapi->text)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    openapi->etag.len = 2 + 2 * sizeof(digest);
    openapi->etag.data = ngx_pnalloc(cf->pool, openapi->etag.len);

    if (openapi->etag.data == NULL) {
        return NGX_ERROR;
    }

    ngx_md5_init(&md5);
    ngx_md5_update(&md5, openapi->text.data, openapi->text.len);
    ngx_md5_final(digest, &md5);

    p = openapi->etag.data;
    *p++ = '"';
    p = ngx_hex_dump(p, digest, sizeof(digest));
    *p = '"';

    return NGX_OK;
}


ngx_int_t
ngx_http_tasks_openapi_handler(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_buf_t                  *b;
    ngx_chain_t                 out;
    ngx_http_tasks_document_t  *openapi;
    ngx_http_tasks_loc_conf_t  *tlcf;

    static ngx_str_t  content_type = ngx_string("application/json");

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    tlcf = ngx_http_get_module_loc_conf(r, ngx_http_tasks_module);
    openapi = &tlcf->openapi;

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_tasks_add_etag(r, &openapi->etag) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* nginx itself answers 304 to this ETag */

    rc = ngx_http_tasks_send_header(r, NGX_HTTP_OK, &content_type,
                                    openapi->text.len);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b->pos = openapi->text.data;
    b->last = openapi->text.data + openapi->text.len;
    b->memory = 1;
    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}
