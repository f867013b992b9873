
/*
 * The compiler of definitions: any bytes as the file.  It is compiled without
 * a message, or refused with one that has the file's name.
 */


#include <ngx_http_tasks_handler.h>
#include <ngx_http_tasks_fuzz.h>
#include <sys/mman.h>


static ngx_int_t ngx_http_tasks_fuzz_definition_init(ngx_conf_t *cf,
    ngx_str_t *args, ngx_uint_t nargs);
static void ngx_http_tasks_fuzz_definition_run(const u_char *data,
    size_t size);
static void ngx_http_tasks_fuzz_definition_log(ngx_log_t *log,
    ngx_uint_t level, u_char *buf, size_t len);


ngx_http_tasks_fuzz_unit_t  ngx_http_tasks_fuzz_definition = {
    "definition",
    ngx_http_tasks_fuzz_definition_init,
    ngx_http_tasks_fuzz_definition_run
};


static struct {
    ngx_conf_t    cf;
    ngx_log_t     log;
    int           fd;
    ngx_str_t     file;
    ngx_uint_t    messages;              /* of the input */
} ngx_http_tasks_fuzz_compiled;


static ngx_int_t
ngx_http_tasks_fuzz_definition_init(ngx_conf_t *cf, ngx_str_t *args,
    ngx_uint_t nargs)
{
    ngx_log_t  *log;

    static char       file[64];
    static ngx_str_t  name = ngx_string("uri");

    (void) args;
    (void) nargs;

    /* nginx's array of variables is made at first use: not in a pool of ours */

    if (ngx_http_get_variable_index(cf, &name) == NGX_ERROR) {
        return NGX_ERROR;
    }

    ngx_http_tasks_fuzz_compiled.cf = *cf;
    ngx_http_tasks_fuzz_compiled.fd = memfd_create("definition", 0);

    if (ngx_http_tasks_fuzz_compiled.fd == -1) {
        return NGX_ERROR;
    }

    ngx_sprintf((u_char *) file, "/proc/self/fd/%d%Z",
                ngx_http_tasks_fuzz_compiled.fd);

    ngx_http_tasks_fuzz_compiled.file.data = (u_char *) file;
    ngx_http_tasks_fuzz_compiled.file.len = ngx_strlen(file);

    log = &ngx_http_tasks_fuzz_compiled.log;
    log->log_level = NGX_LOG_INFO;
    log->writer = ngx_http_tasks_fuzz_definition_log;
    ngx_use_stderr = 0;

    return NGX_OK;
}


static void
ngx_http_tasks_fuzz_definition_run(const u_char *data, size_t size)
{
    int                           fd;
    ngx_uint_t                    nvariables, nused, refused;
    ngx_conf_t                    copy, *cf;
    ngx_http_core_main_conf_t    *cmcf;
    ngx_http_tasks_main_conf_t   *tmcf;
    ngx_http_tasks_definition_t  *definition;

    fd = ngx_http_tasks_fuzz_compiled.fd;

    ngx_http_tasks_fuzz_check(ftruncate(fd, 0) == 0
                              && pwrite(fd, data, size, 0) == (ssize_t) size);

    copy = ngx_http_tasks_fuzz_compiled.cf;
    cf = &copy;
    cf->pool = ngx_http_tasks_fuzz_pool();
    cf->log = &ngx_http_tasks_fuzz_compiled.log;
    ngx_http_tasks_fuzz_compiled.messages = 0;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    tmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_tasks_module);
    nvariables = cmcf->variables.nelts;
    nused = tmcf->variables.nelts;

    definition = ngx_http_tasks_definition_compile(cf,
                                         &ngx_http_tasks_fuzz_compiled.file,
                                         ngx_http_tasks_use_variable);

    refused = (definition == NULL
               || ngx_http_tasks_check_variables(cf) != NGX_OK);

    ngx_http_tasks_fuzz_check(ngx_http_tasks_fuzz_compiled.messages
                              == refused);

    ngx_http_tasks_fuzz_check(refused
                   || (definition->routes.nelts
                       && ngx_http_tasks_main_collection(definition)
                          ->library.len));

    cmcf->variables.nelts = nvariables;
    tmcf->variables.nelts = nused;
    ngx_destroy_pool(cf->pool);
}


static void
ngx_http_tasks_fuzz_definition_log(ngx_log_t *log, ngx_uint_t level,
    u_char *buf, size_t len)
{
    ngx_str_t  *file;

    (void) log;

    if (level > NGX_LOG_EMERG) {
        return;
    }

    file = &ngx_http_tasks_fuzz_compiled.file;

    ngx_http_tasks_fuzz_check(memmem(buf, len, file->data, file->len) != NULL);

    ngx_http_tasks_fuzz_compiled.messages++;
}
