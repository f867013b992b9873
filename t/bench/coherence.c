
/*
 * Coherence under fire: one thread changes tasks at a steady rate through the
 * functions; the others read them over HTTP, each on a connection of its own,
 * and compare with what Redis had acknowledged before they asked.
 *
 *     coherence SOCKET PORT RATE READS
 *
 * Prints reads, writes/s, how many workers answered, and what was wrong:
 *
 *     stale           a task older than a write acknowledged before the request
 *     contradictory   a row in a list whose filter it does not match
 *     missing         a task that was to be in the list all the while
 *     broken          anything else: a status, a duplicate, no JSON of ours
 */

#include "client.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>


#define TASKS    200
#define READERS  16
#define TURN     500         /* requests of a connection */
#define WORKERS  16


/* Of a task: versions are even while it runs, odd when it is completed. */

static atomic_long  sent[TASKS + 1], acked[TASKS + 1];

static atomic_long  reads, stale, contradictory, missing, broken;
static atomic_int   stop;
static atomic_int   workers[WORKERS];
static const char  *socket_path;
static double       rate, written;
static int          port;
static long         wanted;


static void
put(redisContext *c, int id, long version)
{
    atomic_store(&sent[id], version);

    redisAppendCommand(c, "FCALL bench_put 1 tasks:{bench:fire} %d status %s"
                          " total %d created_at %s", id,
                       version % 2 ? "\"completed\"" : "\"running\"",
                       (int) version, "\"2025-01-01T00:00:00\"");
}


static void
take(redisContext *c, int id)
{
    redisReply  *reply;

    if (redisGetReply(c, (void **) &reply) != REDIS_OK
        || reply->type != REDIS_REPLY_INTEGER)
    {
        die("a put failed");
    }

    atomic_store(&acked[id], atomic_load(&sent[id]));
    freeReplyObject(reply);
}


static void *
writer(void *data)
{
    int              i, n, id, ids[TASKS];
    double           began;
    redisContext    *c;
    unsigned long    done;
    struct timespec  pause = { 0, 500000 };

    (void) data;

    c = connect_to(socket_path);
    began = now();
    done = 0;

    while (!atomic_load(&stop)) {
        nanosleep(&pause, NULL);

        /* a task once in a batch: its acknowledgement is that of one write */

        n = (int) ((now() - began) * rate - done);
        n = n < TASKS ? n : TASKS;

        for (i = 0; i < n; i++) {
            id = 1 + (done + i) * 7 % TASKS;
            ids[i] = id;
            put(c, id, atomic_load(&sent[id]) + 1 + (done + i) % 3 % 2);
        }

        for (i = 0; i < n; i++) {
            take(c, ids[i]);
        }

        done += n;
    }

    written = done / (now() - began);
    redisFree(c);

    return NULL;
}


static int
dial(void)
{
    int                 fd;
    struct sockaddr_in  sin = { .sin_family = AF_INET };

    sin.sin_port = htons(port);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd == -1 || connect(fd, (struct sockaddr *) &sin, sizeof(sin)) == -1) {
        die("cannot connect to nginx");
    }

    return fd;
}


/* The body of a 200, ended by a zero; NULL: another status. */

static char *
ask(int fd, const char *path, char *buf, size_t size)
{
    char     request[256], *body, *header;
    long     length;
    size_t   have;
    ssize_t  n;

    send_all(fd, request, snprintf(request, sizeof(request),
             "GET %s HTTP/1.1\r\nHost: bench\r\n\r\n", path));

    length = -1;
    body = NULL;

    for (have = 0; body == NULL || buf + have < body + length; have += n) {

        n = read(fd, buf + have, size - 1 - have);
        if (n <= 0) {
            die("a response has no end");
        }

        buf[have + n] = '\0';

        if (body == NULL && (body = strstr(buf, "\r\n\r\n")) != NULL) {
            header = strstr(buf, "Content-Length: ");
            length = header ? atol(header + 16) : -1;
            body += 4;
        }
    }

    header = strstr(buf, "X-Worker: ");
    n = header ? atol(header + 10) : 0;

    for (have = 0; n && have < WORKERS; have++) {
        int  none = 0;

        if (atomic_load(&workers[have]) == n
            || atomic_compare_exchange_strong(&workers[have], &none, (int) n))
        {
            break;
        }
    }

    return strncmp(buf, "HTTP/1.1 200", 12) == 0 ? body : NULL;
}


/* The number behind a name, from "p" on and before "end"; -1: none. */

static long
number(const char *p, const char *end, const char *name)
{
    p = strstr(p, name);

    return p && p < end ? atol(p + strlen(name)) : -1;
}


/* Rows that a body has; "filter" is the status that all must have, or 0. */

static void
check(char *body, const long *before, const char *filter, int *seen)
{
    char  *row, *end;
    long   id, version;

    for (row = body; (row = strstr(row, "{\"id\":")) != NULL; row = end) {

        end = strstr(row + 1, "{\"id\":");
        end = end ? end : row + strlen(row);
        id = number(row, end, "{\"id\":");
        version = number(row, end, "\"total\":");

        if (id < 1 || id > TASKS || version < 0 || seen[id]++) {
            atomic_fetch_add(&broken, 1);
            continue;
        }

        if (version < before[id]) {
            atomic_fetch_add(&stale, 1);
        }

        row = strstr(row, "\"status\":\"");

        if (row == NULL || row > end
            || strncmp(row + 10, version % 2 ? "completed" : "running",
                       version % 2 ? 9 : 7) != 0)
        {
            atomic_fetch_add(&broken, 1);

        } else if (filter && strncmp(row + 10, filter, strlen(filter)) != 0) {
            atomic_fetch_add(&contradictory, 1);
        }
    }
}


static void
read_once(int fd, long n, char *buf, size_t size)
{
    int   i, seen[TASKS + 1] = { 0 }, odd;
    char  path[128], *body;
    long  before[TASKS + 1];

    static const char  *filters[] = { NULL, "running", "completed" };
    const char         *filter = filters[n / 3 % 3];

    for (i = 1; i <= TASKS; i++) {
        before[i] = atomic_load(&acked[i]);
    }

    if (n % 3 == 0) {
        snprintf(path, sizeof(path), "/tasks/%d?scope=fire",
                 (int) (1 + n % TASKS));
    } else {
        snprintf(path, sizeof(path), "%s?scope=fire&limit=%d%s%s",
                 n % 3 == 1 ? "/tasks" : "/cold", TASKS,
                 filter ? "&status=" : "", filter ? filter : "");
    }

    body = ask(fd, path, buf, size);

    if (body == NULL) {
        atomic_fetch_add(&broken, 1);
        return;
    }

    check(body, before, n % 3 ? filter : NULL, seen);

    for (i = 1; n % 3 && i <= TASKS; i++) {
        odd = filter && strcmp(filter, "completed") == 0;

        if (!seen[i] && atomic_load(&sent[i]) == before[i]
            && (filter == NULL || before[i] % 2 == odd))
        {
            atomic_fetch_add(&missing, 1);
        }
    }
}


static void *
reader(void *data)
{
    int           fd;
    long          n;
    static const size_t  size = 1 << 18;
    char         *buf;

    (void) data;

    buf = malloc(size);
    if (buf == NULL) {
        die("no memory");
    }

    for (fd = -1, n = 0; !atomic_load(&stop); n++) {

        if (n % TURN == 0) {
            if (fd != -1) {
                close(fd);
            }
            fd = dial();
        }

        read_once(fd, n, buf, size);

        if (atomic_fetch_add(&reads, 1) + 1 >= wanted) {
            atomic_store(&stop, 1);
        }
    }

    close(fd);
    free(buf);

    return NULL;
}


int
main(int argc, char **argv)
{
    int            i, n;
    pthread_t      threads[READERS + 1];
    redisContext  *c;

    if (argc != 5) {
        die("usage: coherence SOCKET PORT RATE READS");
    }

    socket_path = argv[1];
    port = atoi(argv[2]);
    rate = atof(argv[3]);
    wanted = atol(argv[4]);

    c = connect_to(socket_path);

    for (i = 1; i <= TASKS; i++) {
        put(c, i, 2);
        take(c, i);
    }

    redisFree(c);

    for (i = 0; i <= READERS; i++) {
        if (pthread_create(&threads[i], NULL, i ? reader : writer, NULL)) {
            die("no thread");
        }
    }

    for (i = 0; i <= READERS; i++) {
        pthread_join(threads[i], NULL);
    }

    for (n = 0; n < WORKERS && atomic_load(&workers[n]); n++) {
        /* void */
    }

    printf("%ld %.0f %d %ld %ld %ld %ld\n", reads, written, n, stale,
           contradictory, missing, broken);

    return stale + contradictory + missing + broken ? 1 : 0;
}
