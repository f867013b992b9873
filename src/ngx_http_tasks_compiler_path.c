
/*
 * Compiles the path of a route into segments: literal ones and parameters.
 */


#include <ngx_http_tasks_compiler.h>


static ngx_int_t ngx_http_tasks_route_name(const ngx_http_tasks_node_t *node,
    const ngx_str_t *path, ngx_http_tasks_route_t *route);
static ngx_uint_t ngx_http_tasks_route_count(ngx_http_tasks_route_t *route,
    const char *name);
static ngx_int_t ngx_http_tasks_route_segment(
    const ngx_http_tasks_node_t *path, const ngx_http_tasks_node_t *params,
    const ngx_http_tasks_node_t *errors, ngx_http_tasks_route_t *route,
    ngx_http_tasks_segment_t *segment, ngx_uint_t *roles);
static ngx_int_t ngx_http_tasks_route_split(const ngx_str_t *path,
    const ngx_http_tasks_node_t *member, const ngx_http_tasks_node_t *params,
    const ngx_http_tasks_node_t *errors, ngx_http_tasks_route_t *route,
    ngx_uint_t *roles, ngx_uint_t *ids);


/* Splits "/{id}/cancel"; "" has no segments, "/" has one empty one. */

ngx_int_t
ngx_http_tasks_compile_path(const ngx_http_tasks_node_t *node,
    const ngx_http_tasks_node_t *errors, ngx_http_tasks_route_t *route,
    ngx_uint_t *roles)
{
    json_t                 *value;
    ngx_str_t               path;
    ngx_uint_t              ids;
    const char             *name;
    ngx_http_tasks_node_t   member, params;

    if (ngx_array_init(&route->segments, node->compiler->cf->pool, 4,
                       sizeof(ngx_http_tasks_segment_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_str_set(&path, "");

    if (ngx_http_tasks_node_string(node, "path", &path) == NGX_ERROR) {
        return NGX_ERROR;
    }

    member = *node;
    (void) ngx_http_tasks_node_member(node, "path", &member);

    params = *node;
    params.json = NULL;

    if (ngx_http_tasks_node_member(node, "path_parameters", &params) == NGX_OK
        && ngx_http_tasks_node_is_object(&params) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (path.len && path.data[0] != '/') {
        return ngx_http_tasks_node_error(&member, "must start with \"/\"");
    }

    if (ngx_http_tasks_route_name(node, &path, route) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_tasks_route_split(&path, &member, &params, errors, route,
                                   roles, &ids)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (route->segments.nelts > NGX_HTTP_TASKS_MAX_SEGMENTS) {
        return ngx_http_tasks_node_error(&member, "has more than %d segments",
                                         NGX_HTTP_TASKS_MAX_SEGMENTS);
    }

    json_object_foreach(params.json, name, value) {
        (void) value;

        if (ngx_strcmp(name, "id") == 0) {
            return ngx_http_tasks_node_error(&params,
                         "{id} is described by the collection's \"id\"");
        }

        if (ngx_http_tasks_route_count(route, name) != 1) {
            return ngx_http_tasks_node_error(&params,
                                       "\"path\" must hold {%s} once", name);
        }
    }

    if (route->action == NGX_HTTP_TASKS_ACTION_NONE) {
        return NGX_OK;
    }

    if (ids != (route->action == NGX_HTTP_TASKS_ACTION_LIST ? 0 : 1)) {
        return ngx_http_tasks_node_error(&member,
                         route->action == NGX_HTTP_TASKS_ACTION_LIST
                         ? "a list has no \"{id}\""
                         : "must hold \"{id}\" once");
    }

    return NGX_OK;
}


/* The segments of a path, and how many of them are the id. */

static ngx_int_t
ngx_http_tasks_route_split(const ngx_str_t *path,
    const ngx_http_tasks_node_t *member, const ngx_http_tasks_node_t *params,
    const ngx_http_tasks_node_t *errors, ngx_http_tasks_route_t *route,
    ngx_uint_t *roles, ngx_uint_t *ids)
{
    u_char                    *p, *end, *last;
    ngx_http_tasks_segment_t  *segment;

    *ids = 0;
    last = path->data + path->len;

    for (p = path->data; p < last; p = end) {
        p++;

        end = ngx_strlchr(p, last, '/');
        if (end == NULL) {
            end = last;
        }

        segment = ngx_array_push(&route->segments);
        if (segment == NULL) {
            return NGX_ERROR;
        }

        segment->text.data = p;
        segment->text.len = end - p;
        segment->param = NULL;

        if (ngx_http_tasks_route_segment(member, params, errors, route,
                                         segment, roles)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (segment->param == NULL) {
            route->literals++;

        } else if (segment->param == &route->collection->id) {
            (*ids)++;
        }
    }

    return NGX_OK;
}


/* "GET /{id}"; what is for any method has the path alone. */

static ngx_int_t
ngx_http_tasks_route_name(const ngx_http_tasks_node_t *node,
    const ngx_str_t *path, ngx_http_tasks_route_t *route)
{
    u_char  *p;

    p = ngx_pnalloc(node->compiler->cf->pool,
                    route->method.len + 1 + path->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    route->name.data = p;
    p = ngx_cpymem(p, route->method.data, route->method.len);

    if (route->method.len && path->len) {
        *p++ = ' ';
    }

    p = ngx_cpymem(p, path->data, path->len);
    route->name.len = p - route->name.data;

    return NGX_OK;
}


/* Segments that are the parameter of a name. */

static ngx_uint_t
ngx_http_tasks_route_count(ngx_http_tasks_route_t *route, const char *name)
{
    ngx_uint_t                 i, n;
    ngx_http_tasks_segment_t  *segment;

    n = 0;
    segment = route->segments.elts;

    for (i = 0; i < route->segments.nelts; i++) {
        if (segment[i].param
            && segment[i].text.len == ngx_strlen(name)
            && ngx_strncmp(segment[i].text.data, name, segment[i].text.len)
               == 0)
        {
            n++;
        }
    }

    return n;
}


static ngx_int_t
ngx_http_tasks_route_segment(const ngx_http_tasks_node_t *path,
    const ngx_http_tasks_node_t *params, const ngx_http_tasks_node_t *errors,
    ngx_http_tasks_route_t *route, ngx_http_tasks_segment_t *segment,
    ngx_uint_t *roles)
{
    u_char                  *brace;
    ngx_str_t               *text;
    ngx_http_tasks_node_t    node;
    ngx_http_tasks_param_t  *param;

    text = &segment->text;
    brace = ngx_strlchr(text->data, text->data + text->len, '{');

    if (brace == NULL) {
        return NGX_OK;
    }

    if (brace != text->data || text->len < 3
        || text->data[text->len - 1] != '}')
    {
        return ngx_http_tasks_node_error(path,
                         "a parameter must be a whole segment, as in \"{id}\"");
    }

    /* between the braces */

    *text = ngx_http_tasks_compiler_text(path->compiler,
                                         (char *) text->data + 1,
                                         text->len - 2);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    if (ngx_strcmp(text->data, "id") == 0) {
        segment->param = &route->collection->id;
        return NGX_OK;
    }

    if (ngx_http_tasks_node_member(params, (char *) text->data, &node)
        != NGX_OK)
    {
        return ngx_http_tasks_node_error(path,
                        "\"{%V}\" is not in \"path_parameters\"", text);
    }

    param = ngx_pcalloc(path->compiler->cf->pool,
                        sizeof(ngx_http_tasks_param_t));
    if (param == NULL) {
        return NGX_ERROR;
    }

    segment->param = param;
    param->name = *text;
    ngx_str_set(&param->location, "path");

    if (ngx_http_tasks_compile_param(&node, errors, param) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_tasks_compile_role(&node, route, param, roles);
}
