
/*
 * Parses a block tasks_store, whose directives have a table of their own.  When
 * it ends, what was left out has its default, and what cannot be was refused.
 */


#include <ngx_http_tasks_store.h>


typedef struct {
    ngx_str_t                 name;
    char                   *(*set)(ngx_conf_t *cf,
                                   ngx_http_tasks_store_t *store,
                                   ngx_str_t *value, ngx_uint_t offset);
    ngx_uint_t                offset;
} ngx_http_tasks_store_directive_t;


static char *ngx_http_tasks_store_line(ngx_conf_t *cf, ngx_command_t *dummy,
    void *conf);
static char *ngx_http_tasks_store_server(ngx_conf_t *cf,
    ngx_http_tasks_store_t *store, ngx_str_t *value, ngx_uint_t offset);
static char *ngx_http_tasks_store_str(ngx_conf_t *cf,
    ngx_http_tasks_store_t *store, ngx_str_t *value, ngx_uint_t offset);
static char *ngx_http_tasks_store_password(ngx_conf_t *cf,
    ngx_http_tasks_store_t *store, ngx_str_t *value, ngx_uint_t offset);
static char *ngx_http_tasks_store_number(ngx_conf_t *cf,
    ngx_http_tasks_store_t *store, ngx_str_t *value, ngx_uint_t offset);
static char *ngx_http_tasks_store_msec(ngx_conf_t *cf,
    ngx_http_tasks_store_t *store, ngx_str_t *value, ngx_uint_t offset);
static char *ngx_http_tasks_store_size(ngx_conf_t *cf,
    ngx_http_tasks_store_t *store, ngx_str_t *value, ngx_uint_t offset);
static char *ngx_http_tasks_store_flag(ngx_conf_t *cf,
    ngx_http_tasks_store_t *store, ngx_str_t *value, ngx_uint_t offset);


#define ngx_http_tasks_store_at(store, offset)                                \
    ((u_char *) (store) + (offset))


static ngx_http_tasks_store_directive_t  ngx_http_tasks_store_directives[] = {

    { ngx_string("server"), ngx_http_tasks_store_server, 0 },

    { ngx_string("database"), ngx_http_tasks_store_number,
      offsetof(ngx_http_tasks_store_t, redis.database) },

    { ngx_string("user"), ngx_http_tasks_store_str,
      offsetof(ngx_http_tasks_store_t, redis.user) },

    { ngx_string("password_file"), ngx_http_tasks_store_password, 0 },

    { ngx_string("connect_timeout"), ngx_http_tasks_store_msec,
      offsetof(ngx_http_tasks_store_t, redis.connect_timeout) },

    { ngx_string("timeout"), ngx_http_tasks_store_msec,
      offsetof(ngx_http_tasks_store_t, redis.timeout) },

    { ngx_string("max_reply"), ngx_http_tasks_store_size,
      offsetof(ngx_http_tasks_store_t, redis.max_reply) },

    { ngx_string("max_pending"), ngx_http_tasks_store_number,
      offsetof(ngx_http_tasks_store_t, redis.max_pending) },

    { ngx_string("connections"), ngx_http_tasks_store_number,
      offsetof(ngx_http_tasks_store_t, connections) },

    { ngx_string("load_functions"), ngx_http_tasks_store_flag,
      offsetof(ngx_http_tasks_store_t, load_functions) },

    { ngx_null_string, NULL, 0 }
};


ngx_http_tasks_store_t *
ngx_http_tasks_store_create(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_http_tasks_store_t  *store;

    store = ngx_pcalloc(cf->pool, sizeof(ngx_http_tasks_store_t));

    if (store == NULL
        || ngx_array_init(&store->collections, cf->pool, 4, sizeof(void *))
           != NGX_OK)
    {
        return NULL;
    }

    store->redis.name = *name;
    store->file = cf->conf_file->file.name;
    store->line = cf->conf_file->line;

    store->redis.database = NGX_CONF_UNSET;
    store->redis.max_pending = NGX_CONF_UNSET_UINT;
    store->connections = NGX_CONF_UNSET_UINT;
    store->load_functions = NGX_CONF_UNSET_UINT;
    store->redis.connect_timeout = NGX_CONF_UNSET_MSEC;
    store->redis.timeout = NGX_CONF_UNSET_MSEC;
    store->redis.max_reply = NGX_CONF_UNSET_SIZE;

    return store;
}


char *
ngx_http_tasks_store_block(ngx_conf_t *cf, ngx_http_tasks_store_t *store)
{
    char        *rv;
    ngx_conf_t   save;

    save = *cf;
    cf->handler = ngx_http_tasks_store_line;
    cf->handler_conf = (void *) store;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (store->redis.naddrs == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no \"server\" in tasks_store \"%V\"",
                           &store->redis.name);
        return NGX_CONF_ERROR;
    }

    if (store->redis.user.len && store->redis.password.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"user\" without \"password_file\" in "
                           "tasks_store \"%V\"", &store->redis.name);
        return NGX_CONF_ERROR;
    }

    ngx_conf_init_value(store->redis.database, 0);
    ngx_conf_init_uint_value(store->redis.max_pending, 4096);
    ngx_conf_init_uint_value(store->connections, 1);
    ngx_conf_init_uint_value(store->load_functions, 1);
    ngx_conf_init_msec_value(store->redis.connect_timeout, 1000);
    ngx_conf_init_msec_value(store->redis.timeout, 1000);
    ngx_conf_init_size_value(store->redis.max_reply, 16 * 1024 * 1024);

    if (store->connections == 0 || store->connections > 64
        || store->redis.max_pending == 0 || store->redis.timeout == 0
        || store->redis.connect_timeout == 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "tasks_store \"%V\": connections must be 1 to 64; "
                           "max_pending, timeout and connect_timeout not 0",
                           &store->redis.name);
        return NGX_CONF_ERROR;
    }

    store->redis.data = store;

    if (store->load_functions) {
        store->redis.hello = ngx_http_tasks_store_hello;
        store->redis.greeted = ngx_http_tasks_store_greeted;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_tasks_store_line(ngx_conf_t *cf, ngx_command_t *dummy, void *conf)
{
    char                              *rv;
    ngx_str_t                         *value;
    ngx_http_tasks_store_directive_t  *directive;

    (void) dummy;

    value = cf->args->elts;

    for (directive = ngx_http_tasks_store_directives; directive->name.len;
         directive++)
    {
        if (value[0].len != directive->name.len
            || ngx_strncmp(value[0].data, directive->name.data, value[0].len)
               != 0)
        {
            continue;
        }

        if (cf->args->nelts != 2) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid number of arguments in \"%V\" directive",
                       &value[0]);
            return NGX_CONF_ERROR;
        }

        rv = directive->set(cf, conf, &value[1], directive->offset);

        if (rv != NGX_CONF_OK && rv != NGX_CONF_ERROR) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" directive %s", &value[0], rv);
            return NGX_CONF_ERROR;
        }

        return rv;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "unknown directive \"%V\" in tasks_store", &value[0]);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_tasks_store_server(ngx_conf_t *cf, ngx_http_tasks_store_t *store,
    ngx_str_t *value, ngx_uint_t offset)
{
    ngx_url_t  u;

    (void) offset;

    if (store->redis.naddrs) {
        return "is duplicate";
    }

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url = *value;
    u.default_port = 6379;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s in server \"%V\"",
                           u.err ? u.err : "no memory", &u.url);
        return NGX_CONF_ERROR;
    }

    store->redis.addrs = u.addrs;
    store->redis.naddrs = u.naddrs;

    return NGX_CONF_OK;
}


static char *
ngx_http_tasks_store_str(ngx_conf_t *cf, ngx_http_tasks_store_t *store,
    ngx_str_t *value, ngx_uint_t offset)
{
    ngx_str_t  *field;

    (void) cf;

    field = (ngx_str_t *) ngx_http_tasks_store_at(store, offset);

    if (field->data) {
        return "is duplicate";
    }

    *field = *value;

    return NGX_CONF_OK;
}


/* The first line of the file; it is read again by each reload. */

static char *
ngx_http_tasks_store_password(ngx_conf_t *cf, ngx_http_tasks_store_t *store,
    ngx_str_t *value, ngx_uint_t offset)
{
    u_char      buf[1024];
    size_t      len;
    ssize_t     n;
    ngx_fd_t    fd;
    ngx_str_t   file;

    (void) offset;

    if (store->redis.password.data) {
        return "is duplicate";
    }

    file = *value;

    if (ngx_conf_full_name(cf->cycle, &file, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    fd = ngx_open_file(file.data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", &file);
        return NGX_CONF_ERROR;
    }

    n = ngx_read_fd(fd, buf, sizeof(buf));

    (void) ngx_close_file(fd);

    for (len = 0; (ssize_t) len < n && buf[len] != CR && buf[len] != LF; len++);

    if (len && len < sizeof(buf)) {
        store->redis.password.len = len;
        store->redis.password.data = ngx_pnalloc(cf->pool, len);

        if (store->redis.password.data == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_memcpy(store->redis.password.data, buf, len);
    }

    ngx_explicit_memzero(buf, sizeof(buf));

    if (store->redis.password.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "password_file \"%V\" has "
                           "no password of less than 1024 bytes in its first "
                           "line", &file);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_tasks_store_number(ngx_conf_t *cf, ngx_http_tasks_store_t *store,
    ngx_str_t *value, ngx_uint_t offset)
{
    ngx_int_t  *field;

    (void) cf;

    field = (ngx_int_t *) ngx_http_tasks_store_at(store, offset);

    if (*field != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    *field = ngx_atoi(value->data, value->len);

    return *field == NGX_ERROR ? "has an invalid number" : NGX_CONF_OK;
}


static char *
ngx_http_tasks_store_msec(ngx_conf_t *cf, ngx_http_tasks_store_t *store,
    ngx_str_t *value, ngx_uint_t offset)
{
    ngx_msec_t  *field;

    (void) cf;

    field = (ngx_msec_t *) ngx_http_tasks_store_at(store, offset);

    if (*field != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    *field = ngx_parse_time(value, 0);

    return *field == (ngx_msec_t) NGX_ERROR ? "has an invalid time"
                                            : NGX_CONF_OK;
}


static char *
ngx_http_tasks_store_size(ngx_conf_t *cf, ngx_http_tasks_store_t *store,
    ngx_str_t *value, ngx_uint_t offset)
{
    size_t  *field;

    (void) cf;

    field = (size_t *) ngx_http_tasks_store_at(store, offset);

    if (*field != NGX_CONF_UNSET_SIZE) {
        return "is duplicate";
    }

    *field = ngx_parse_size(value);

    return *field == (size_t) NGX_ERROR ? "has an invalid size" : NGX_CONF_OK;
}


static char *
ngx_http_tasks_store_flag(ngx_conf_t *cf, ngx_http_tasks_store_t *store,
    ngx_str_t *value, ngx_uint_t offset)
{
    ngx_uint_t  *field;

    (void) cf;

    field = (ngx_uint_t *) ngx_http_tasks_store_at(store, offset);

    if (*field != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    if (ngx_strcmp(value->data, "on") == 0) {
        *field = 1;

    } else if (ngx_strcmp(value->data, "off") == 0) {
        *field = 0;

    } else {
        return "must be \"on\" or \"off\"";
    }

    return NGX_CONF_OK;
}
