
/* What the C programs of the benchmark share. */

#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>


static inline void
die(const char *what)
{
    fprintf(stderr, "t/bench: %s\n", what);
    exit(1);
}


/* Seconds. */

static inline double
now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec + ts.tv_nsec / 1e9;
}


static inline redisContext *
connect_to(const char *socket)
{
    redisContext  *c;

    c = redisConnectUnix(socket);
    if (c == NULL || c->err) {
        die("cannot connect to Redis");
    }

    return c;
}


static inline void
send_all(int fd, const char *p, size_t len)
{
    ssize_t  n;

    for ( /* void */ ; len; p += n, len -= n) {
        n = write(fd, p, len);
        if (n <= 0) {
            die("write failed");
        }
    }
}

#endif
