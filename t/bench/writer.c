
/*
 * Writes at a steady rate beside a load: reports progress of the 50 newest
 * running tasks of a scope, which are the first page of the list of running
 * ones, in turn.
 *
 *     writer SOCKET SCOPE RATE SECONDS    prints writes a second
 *
 * It ends with an error if Redis refuses one, or if the rate is not reached.
 */

#include "client.h"


#define TASKS  50


static void
take(redisContext *c)
{
    redisReply  *reply;

    if (redisGetReply(c, (void **) &reply) != REDIS_OK) {
        die(c->errstr);
    }

    if (reply->type != REDIS_REPLY_INTEGER) {
        die(reply->type == REDIS_REPLY_ERROR ? reply->str : "a put failed");
    }

    freeReplyObject(reply);
}


static void
put(redisContext *c, const char *scope, const char *id, unsigned long n)
{
    redisAppendCommand(c, "FCALL bench_put 1 tasks:{bench:%s} %s progress %d",
                       scope, id, 10 + (int) (n % 90));
}


static void
sleep_until(double t)
{
    struct timespec  ts;

    ts.tv_sec = (time_t) t;
    ts.tv_nsec = (long) ((t - ts.tv_sec) * 1e9);

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL)
           == EINTR)
    {
        /* void */
    }
}


/* Writes done; what is late is sent together. */

static unsigned long
run(redisContext *c, const char *scope, const redisReply *members,
    double rate, double seconds)
{
    char           *id;
    double          began, t;
    unsigned long   sent, due, total;

    total = (unsigned long) (rate * seconds);
    began = now();

    for (sent = 0; sent < total; /* void */) {
        sleep_until(began + (sent + 1) / rate);

        t = now();
        if (t > began + seconds) {
            break;
        }

        for (due = 0; sent < total && began + (sent + 1) / rate <= t; due++) {
            id = strchr(members->element[sent % members->elements]->str, ':');
            put(c, scope, id + 1, sent++);
        }

        while (due--) {
            take(c);
        }
    }

    return sent;
}


int
main(int argc, char **argv)
{
    double          rate, seconds, done;
    redisReply     *members;
    redisContext   *c;

    if (argc != 5) {
        die("usage: writer SOCKET SCOPE RATE SECONDS");
    }

    c = connect_to(argv[1]);

    members = redisCommand(c, "ZRANGE tasks:{bench:%s}:index:status=running"
                              " 0 %d REV", argv[2], TASKS - 1);
    if (members == NULL || members->elements == 0) {
        die("no task is running");
    }

    rate = atof(argv[3]);
    seconds = atof(argv[4]);
    done = run(c, argv[2], members, rate, seconds) / seconds;

    printf("%.0f\n", done);

    if (done < rate * 0.95) {
        die("the writes were too slow");
    }

    return 0;
}
