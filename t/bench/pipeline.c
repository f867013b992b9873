
/*
 * The limit that Redis sets: issues the commands of 50-row lists as the module
 * does without its cache, pipelined on one connection, 64 lists at a time, each
 * in two steps of which the second waits for the first, and throws the replies
 * away:
 *
 *     HMGET revs SUFFIX, ZRANGE index 0 49 REV
 *     HMGET rows ID..., HMGET revs SUFFIX
 *
 *     pipeline SOCKET SCOPE SECONDS    prints lists a second
 *
 * All commands and the lengths of their replies are found out beforehand, so
 * that the client itself costs next to nothing.  Nobody may write meanwhile.
 */

#include "client.h"


#define FILTERS  50
#define ROWS     50
#define WINDOW   64


typedef struct {
    char    *commands;
    size_t   len;
    size_t   reply;      /* bytes */
    int      replies;
} step_t;


static step_t  steps[FILTERS][2];


static void
add(step_t *step, char *command, int n)
{
    step->commands = realloc(step->commands, step->len + n);
    if (n < 0 || step->commands == NULL) {
        die("no memory");
    }

    memcpy(step->commands + step->len, command, n);
    step->len += n;
    step->replies++;
    redisFreeCommand(command);
}


static void
append(step_t *step, const char *format, ...)
{
    int      n;
    char    *command;
    va_list  args;

    va_start(args, format);
    n = redisvFormatCommand(&command, format, args);
    va_end(args);

    add(step, command, n);
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


/* The suffix of an index; a task has the project id % 10, the status id % 5. */

static void
name(int n, char *suffix, size_t size)
{
    static const char  *statuses[] = {
        "pending", "running", "completed", "failed", "cancelled"
    };

    if (n % 2) {
        snprintf(suffix, size, "status=%s", statuses[n / 2 % 5]);
    } else {
        snprintf(suffix, size, "project_id=%d", n / 2 % 10);
    }
}


/* HMGET of the rows of these members */

static void
append_rows(step_t *step, const char *rows, const redisReply *members)
{
    int          n;
    char        *id, *command;
    size_t       i, argl[ROWS + 2];
    const char  *argv[ROWS + 2];

    argv[0] = "HMGET";
    argl[0] = 5;
    argv[1] = rows;
    argl[1] = strlen(rows);

    for (i = 0; i < members->elements; i++) {
        id = strchr(members->element[i]->str, ':') + 1;
        argv[2 + i] = id;
        argl[2 + i] = strlen(id);
    }

    n = redisFormatCommandArgv(&command, 2 + members->elements, argv, argl);
    add(step, command, n);
}


static void
prepare(redisContext *c, const char *scope, int n)
{
    int          i, j;
    char         suffix[64], index[128], revs[128], rows[128];
    step_t      *step;
    redisReply  *members, *reply;

    name(n, suffix, sizeof(suffix));

    snprintf(index, sizeof(index), "tasks:{bench:%s}:index:%s", scope, suffix);
    snprintf(revs, sizeof(revs), "tasks:{bench:%s}:revs", scope);
    snprintf(rows, sizeof(rows), "tasks:{bench:%s}:rows", scope);

    step = steps[n];

    members = redisCommand(c, "ZRANGE %s 0 %d REV", index, ROWS - 1);
    if (members == NULL || members->elements == 0) {
        die("an index is empty");
    }

    append(&step[0], "HMGET %s %s", revs, suffix);
    append(&step[0], "ZRANGE %s 0 %d REV", index, ROWS - 1);
    append_rows(&step[1], rows, members);
    append(&step[1], "HMGET %s %s", revs, suffix);

    for (i = 0; i < 2; i++) {
        redisAppendFormattedCommand(c, step[i].commands, step[i].len);

        for (j = 0; j < step[i].replies; j++) {
            if (redisGetReply(c, (void **) &reply) != REDIS_OK) {
                die(c->errstr);
            }

            step[i].reply += length(reply);
            freeReplyObject(reply);
        }
    }

    freeReplyObject(members);
}


/* Lists done in so many seconds. */

static unsigned long
run(int fd, double seconds)
{
    int            queue[WINDOW];       /* steps in flight: list * 2 + step */
    int            head, list, i;
    size_t         have, len;
    double         end;
    ssize_t        n;
    step_t        *step;
    unsigned long  done;

    static char    in[1 << 17], out[1 << 20];

    len = 0;

    for (list = 0; list < WINDOW; list++) {
        step = &steps[list % FILTERS][0];
        queue[list] = list % FILTERS * 2;
        memcpy(out + len, step->commands, step->len);
        len += step->len;
    }

    head = 0;
    have = 0;
    done = 0;
    end = now() + seconds;

    while (now() < end) {
        send_all(fd, out, len);
        len = 0;

        n = read(fd, in, sizeof(in));
        if (n <= 0) {
            die("read failed");
        }

        have += n;

        for ( ;; ) {
            i = queue[head];

            if (have < steps[i / 2][i % 2].reply) {
                break;
            }

            have -= steps[i / 2][i % 2].reply;

            if (i % 2 == 0) {
                i++;

            } else {
                i = list++ % FILTERS * 2;
                done++;
            }

            step = &steps[i / 2][i % 2];
            memcpy(out + len, step->commands, step->len);
            len += step->len;

            queue[head] = i;
            head = (head + 1) % WINDOW;
        }
    }

    return done;
}


int
main(int argc, char **argv)
{
    int            i;
    double         seconds;
    redisContext  *c;

    if (argc != 4) {
        die("usage: pipeline SOCKET SCOPE SECONDS");
    }

    c = connect_to(argv[1]);

    for (i = 0; i < FILTERS; i++) {
        prepare(c, argv[2], i);
    }

    seconds = atof(argv[3]);

    printf("%.0f\n", run(c->fd, seconds) / seconds);

    return 0;
}
