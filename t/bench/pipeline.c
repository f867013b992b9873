
/*
 * The limit that Redis sets: issues the commands of 50-row lists as the module
 * does, pipelined, and throws the replies away.
 *
 *     pipeline SOCKET SCOPE SECONDS    prints lists a second
 *
 * All commands and the lengths of their replies are found out beforehand, so
 * that the client itself costs next to nothing.
 */

#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>


#define FILTERS  50
#define ROWS     50
#define WINDOW   64


typedef struct {
    char    *commands;
    size_t   len;
    size_t   reply;      /* bytes */
} list_t;


static list_t  lists[FILTERS];


static void
die(const char *what)
{
    fprintf(stderr, "pipeline: %s\n", what);
    exit(1);
}


static void
append(list_t *list, const char *format, ...)
{
    int      n;
    char    *command;
    va_list  args;

    va_start(args, format);
    n = redisvFormatCommand(&command, format, args);
    va_end(args);

    list->commands = realloc(list->commands, list->len + n);
    if (n < 0 || list->commands == NULL) {
        die("no memory");
    }

    memcpy(list->commands + list->len, command, n);
    list->len += n;
    redisFreeCommand(command);
}


/* bytes that a reply took on the wire */

static size_t
length(const redisReply *r)
{
    size_t  i, n;
    char    text[32];

    switch (r->type) {
    case REDIS_REPLY_STRING:
        return snprintf(text, sizeof(text), "$%zu\r\n", (size_t) r->len)
               + r->len + 2;

    case REDIS_REPLY_ARRAY:
        n = snprintf(text, sizeof(text), "*%zu\r\n", (size_t) r->elements);
        for (i = 0; i < r->elements; i++) {
            n += length(r->element[i]);
        }
        return n;

    default:
        die("a row is missing: is the store loaded?");
        return 0;
    }
}


static void
prepare(redisContext *c, const char *scope, int n)
{
    int           i;
    char          suffix[64], index[128], revs[128];
    const char   *argv[ROWS + 2];
    char          rows[128], *id, *command;
    size_t        argl[ROWS + 2];
    list_t       *list;
    redisReply   *members, *reply;

    static const char  *statuses[] = {
        "pending", "running", "completed", "failed", "cancelled"
    };

    /* a task has the project id % 10 and the status id % 5 */

    if (n % 2) {
        snprintf(suffix, sizeof(suffix), "status=%s", statuses[n / 2 % 5]);
    } else {
        snprintf(suffix, sizeof(suffix), "project_id=%d", n / 2 % 10);
    }

    snprintf(index, sizeof(index), "tasks:{bench:%s}:index:%s", scope, suffix);
    snprintf(revs, sizeof(revs), "tasks:{bench:%s}:revs", scope);
    snprintf(rows, sizeof(rows), "tasks:{bench:%s}:rows", scope);

    list = &lists[n];

    members = redisCommand(c, "ZRANGE %s 0 %d REV", index, ROWS - 1);
    if (members == NULL || members->elements == 0) {
        die("an index is empty");
    }

    argv[0] = "HMGET";
    argl[0] = 5;
    argv[1] = rows;
    argl[1] = strlen(rows);

    for (i = 0; i < (int) members->elements; i++) {
        id = strchr(members->element[i]->str, ':') + 1;
        argv[2 + i] = id;
        argl[2 + i] = strlen(id);
    }

    append(list, "HGET %s %s", revs, suffix);
    append(list, "ZRANGE %s 0 %d REV", index, ROWS - 1);

    i = redisFormatCommandArgv(&command, 2 + members->elements, argv, argl);
    list->commands = realloc(list->commands, list->len + i);
    memcpy(list->commands + list->len, command, i);
    list->len += i;
    redisFreeCommand(command);

    append(list, "HGET %s %s", revs, suffix);

    redisAppendFormattedCommand(c, list->commands, list->len);

    for (i = 0; i < 4; i++) {
        if (redisGetReply(c, (void **) &reply) != REDIS_OK) {
            die(c->errstr);
        }

        list->reply += length(reply);
        freeReplyObject(reply);
    }

    freeReplyObject(members);
}


static double
now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec + ts.tv_nsec / 1e9;
}


static void
send_lists(int fd, unsigned long *next, int n, size_t *due)
{
    size_t        len;
    ssize_t       sent;
    char         *p;

    static char   buf[1 << 20];

    for (len = 0; n--; (*next)++) {
        memcpy(buf + len, lists[*next % FILTERS].commands,
               lists[*next % FILTERS].len);
        len += lists[*next % FILTERS].len;
        *due += lists[*next % FILTERS].reply;
    }

    for (p = buf; len; p += sent, len -= sent) {
        sent = write(fd, p, len);
        if (sent <= 0) {
            die("write failed");
        }
    }
}


static void
discard(int fd, size_t due)
{
    ssize_t       n;

    static char   buf[1 << 18];

    while (due) {
        n = read(fd, buf, due < sizeof(buf) ? due : sizeof(buf));
        if (n <= 0) {
            die("read failed");
        }

        due -= n;
    }
}


int
main(int argc, char **argv)
{
    int             i;
    double          start, seconds;
    size_t          due[2];
    redisContext   *c;
    unsigned long   next;

    if (argc != 4) {
        die("usage: pipeline SOCKET SCOPE SECONDS");
    }

    c = redisConnectUnix(argv[1]);
    if (c == NULL || c->err) {
        die("cannot connect");
    }

    for (i = 0; i < FILTERS; i++) {
        prepare(c, argv[2], i);
    }

    seconds = atof(argv[3]);
    next = 0;
    due[0] = due[1] = 0;
    start = now();

    /* one half of the window is read while Redis works on the other */

    send_lists(c->fd, &next, WINDOW / 2, &due[0]);

    for (i = 0; now() - start < seconds; i = !i) {
        due[!i] = 0;
        send_lists(c->fd, &next, WINDOW / 2, &due[!i]);
        discard(c->fd, due[i]);
    }

    discard(c->fd, due[i]);

    printf("%.0f\n", next / (now() - start));

    return 0;
}
