
/*
 * The directive "tasks_fuzz UNIT [ARGUMENT ...]": runs libFuzzer on a unit,
 * and ends the process.  libFuzzer's own arguments, and in front of them the
 * program that it calls itself, come in the environment: TASKS_FUZZ, by
 * spaces.
 */


#include <ngx_http_tasks_handler.h>
#include <ngx_http_tasks_fuzz.h>
#include <sys/mman.h>


#define NGX_HTTP_TASKS_FUZZ_ARGS  64

/* bytes of an input, at most; whole pages */
#define NGX_HTTP_TASKS_FUZZ_SIZE  65536


int LLVMFuzzerRunDriver(int *argc, char ***argv,
    int (*run)(const uint8_t *data, size_t size));

static char *ngx_http_tasks_fuzz(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static int ngx_http_tasks_fuzz_run(const uint8_t *data, size_t size);


static ngx_command_t  ngx_http_tasks_fuzz_commands[] = {

    { ngx_string("tasks_fuzz"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_tasks_fuzz,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_tasks_fuzz_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */
    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */
    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */
    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


static ngx_module_t  ngx_http_tasks_fuzz_module = {
    NGX_MODULE_V1,
    &ngx_http_tasks_fuzz_module_ctx,       /* module context */
    ngx_http_tasks_fuzz_commands,          /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* What nginx looks for in a shared object. */

ngx_module_t *ngx_modules[] = {
    &ngx_http_tasks_module, &ngx_http_tasks_fuzz_module, NULL
};

char *ngx_module_names[] = {
    "ngx_http_tasks_module", "ngx_http_tasks_fuzz_module", NULL
};

char *ngx_module_order[] = { NULL };


static ngx_http_tasks_fuzz_unit_t  *ngx_http_tasks_fuzz_units[] = {
    &ngx_http_tasks_fuzz_reply,
    &ngx_http_tasks_fuzz_request,
    &ngx_http_tasks_fuzz_token,
    &ngx_http_tasks_fuzz_definition,
    NULL
};

static ngx_http_tasks_fuzz_unit_t  *ngx_http_tasks_fuzz_unit;
static ngx_log_t                   *ngx_http_tasks_fuzz_log;


static char *
ngx_http_tasks_fuzz(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    int                           argc;
    char                         *args, **argv;
    ngx_str_t                    *value;
    ngx_http_tasks_fuzz_unit_t  **unit;

    static char  *words[NGX_HTTP_TASKS_FUZZ_ARGS + 1];

    (void) cmd;
    (void) conf;

    value = cf->args->elts;
    args = getenv("TASKS_FUZZ");

    for (unit = ngx_http_tasks_fuzz_units; *unit; unit++) {
        if (ngx_strcmp(value[1].data, (*unit)->name) == 0) {
            break;
        }
    }

    if (*unit == NULL || args == NULL) {
        return "wants a unit, and TASKS_FUZZ";
    }

    ngx_http_tasks_fuzz_unit = *unit;
    ngx_http_tasks_fuzz_log = cf->log;

    if ((*unit)->init(cf, &value[2], cf->args->nelts - 2) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    argc = 0;

    for (args = strtok(args, " "); args && argc < NGX_HTTP_TASKS_FUZZ_ARGS;
         args = strtok(NULL, " "))
    {
        words[argc++] = args;
    }

    argv = words;

    exit(LLVMFuzzerRunDriver(&argc, &argv, ngx_http_tasks_fuzz_run));
}


static int
ngx_http_tasks_fuzz_run(const uint8_t *data, size_t size)
{
    ngx_http_tasks_fuzz_unit->run(data, size);

    return 0;
}


ngx_pool_t *
ngx_http_tasks_fuzz_pool(void)
{
    ngx_pool_t  *pool;

    pool = ngx_create_pool(4096, ngx_http_tasks_fuzz_log);

    ngx_http_tasks_fuzz_check(pool != NULL);
    ngx_http_tasks_fuzz_separate(pool);

    return pool;
}


ngx_str_t
ngx_http_tasks_fuzz_copy(ngx_uint_t place, const u_char *data, size_t len)
{
    ngx_str_t  copy;

    static u_char  *ends[2];

    if (ends[place] == NULL) {
        ends[place] = mmap(NULL, NGX_HTTP_TASKS_FUZZ_SIZE + ngx_pagesize,
                           PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS,
                           -1, 0);
        ngx_http_tasks_fuzz_check(ends[place] != MAP_FAILED);

        ends[place] += NGX_HTTP_TASKS_FUZZ_SIZE;
        ngx_http_tasks_fuzz_check(mprotect(ends[place], ngx_pagesize,
                                           PROT_NONE)
                                  == 0);
    }

    ngx_http_tasks_fuzz_check(len <= NGX_HTTP_TASKS_FUZZ_SIZE);

    copy.len = len;
    copy.data = ends[place] - len;

    ngx_memcpy(copy.data, data, len);

    return copy;
}


void
ngx_http_tasks_fuzz_found(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
    abort();
}
