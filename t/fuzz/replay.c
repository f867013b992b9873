
/*
 * Stands in for libFuzzer where there is no clang: gives the target each file
 * of the directories that are its arguments, once, and looks for leaks.
 */


#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sanitizer/lsan_interface.h>


typedef int (*ngx_http_tasks_replay_pt)(const uint8_t *data, size_t size);


static void
ngx_http_tasks_replay_file(const char *name, ngx_http_tasks_replay_pt run)
{
    FILE     *file;
    long      size;
    uint8_t  *data;

    file = fopen(name, "rb");

    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(name);
        exit(1);
    }

    size = ftell(file);
    rewind(file);

    /* a byte beyond it is one that the sanitizer knows */

    data = malloc(size);

    if (fread(data, 1, size, file) != (size_t) size) {
        perror(name);
        exit(1);
    }

    fclose(file);

    fprintf(stderr, "%s\n", name);

    run(data, size);
    free(data);

    if (__lsan_do_recoverable_leak_check()) {
        exit(1);
    }
}


int
LLVMFuzzerRunDriver(int *argc, char ***argv, ngx_http_tasks_replay_pt run)
{
    int             i, count;
    DIR            *dir;
    char            name[4096];
    struct dirent  *entry;

    count = 0;

    for (i = 1; i < *argc; i++) {
        dir = opendir((*argv)[i]);

        if (dir == NULL) {
            ngx_http_tasks_replay_file((*argv)[i], run);
            count++;
            continue;
        }

        while ((entry = readdir(dir)) != NULL) {
            if (entry->d_name[0] != '.') {
                snprintf(name, sizeof(name), "%s/%s", (*argv)[i],
                         entry->d_name);
                ngx_http_tasks_replay_file(name, run);
                count++;
            }
        }

        closedir(dir);
    }

    fprintf(stderr, "stat::number_of_executed_units: %d\n", count);

    return 0;
}
