
/*
 * What a streamed list can be measured by: reads all rows of a scope by the
 * module's own commands, chunk by chunk, and throws them away.  Each chunk is
 * two steps; the second waits for the first:
 *
 *     HMGET revs "", ZRANGE index 0 512 REV                        the first
 *     HMGET revs "", ZRANGE index (LAST - BYLEX REV LIMIT 0 513,
 *                    ZCARD index                                   the others
 *     HMGET rows ID... (512), HMGET revs ""
 *
 *     stream SOCKET SCOPE    prints rows and seconds
 */

#include "client.h"


#define CHUNK  512


typedef struct {
    char    *data;
    size_t   len;
} string_t;


typedef struct {
    redisContext  *redis;
    char           index[128];
    char           revs[128];
    char           rows[128];
    string_t       members[CHUNK + 1];
    size_t         nmembers;
} scope_t;


/* the replies of a step */
static char    in[1 << 22];
static size_t  in_len, in_pos;


static void
fill(int fd)
{
    ssize_t  n;

    if (in_len == sizeof(in)) {
        die("a chunk is too large");
    }

    n = read(fd, in + in_len, sizeof(in) - in_len);
    if (n <= 0) {
        die("read failed");
    }

    in_len += n;
}


/* The number in a line that begins with this character. */

static size_t
number(scope_t *s, char type)
{
    char   *end;
    size_t  n;

    while ((end = memchr(in + in_pos, '\n', in_len - in_pos)) == NULL) {
        fill(s->redis->fd);
    }

    if (in[in_pos] != type || in[in_pos + 1] == '-') {
        die("an unexpected reply: is the store loaded?");
    }

    n = strtoul(in + in_pos + 1, NULL, 10);
    in_pos = end + 1 - in;

    return n;
}


static string_t
string(scope_t *s)
{
    string_t  str;

    str.len = number(s, '$');
    str.data = in + in_pos;

    while (in_len - in_pos < str.len + 2) {
        fill(s->redis->fd);
    }

    in_pos += str.len + 2;

    return str;
}


static void
revision(scope_t *s)
{
    if (number(s, '*') != 1) {
        die("no revision");
    }

    (void) string(s);
}


/* Sends what was appended; all replies to what was sent before were taken. */

static void
send_step(scope_t *s)
{
    int  done;

    do {
        if (redisBufferWrite(s->redis, &done) != REDIS_OK) {
            die(s->redis->errstr);
        }
    } while (!done);

    in_len = 0;
    in_pos = 0;
}


/* The members of a chunk, and of the next one the first. */

static void
members(scope_t *s, const char *last)
{
    size_t  i;

    redisAppendCommand(s->redis, "HMGET %s %s", s->revs, "");

    if (last[0] == '\0') {
        redisAppendCommand(s->redis, "ZRANGE %s 0 %d REV", s->index, CHUNK);

    } else {
        redisAppendCommand(s->redis,
                           "ZRANGE %s (%s - BYLEX REV LIMIT 0 %d", s->index,
                           last, CHUNK + 1);
        redisAppendCommand(s->redis, "ZCARD %s", s->index);
    }

    send_step(s);
    revision(s);
    s->nmembers = number(s, '*');

    for (i = 0; i < s->nmembers; i++) {
        s->members[i] = string(s);
    }

    if (last[0]) {
        (void) number(s, ':');
    }
}


static void
rows(scope_t *s, size_t n)
{
    char        *id;
    size_t       i, argl[CHUNK + 2];
    const char  *argv[CHUNK + 2];

    argv[0] = "HMGET";
    argl[0] = 5;
    argv[1] = s->rows;
    argl[1] = strlen(s->rows);

    for (i = 0; i < n; i++) {
        id = memchr(s->members[i].data, ':', s->members[i].len);
        argv[2 + i] = ++id;
        argl[2 + i] = s->members[i].data + s->members[i].len - id;
    }

    redisAppendCommandArgv(s->redis, n + 2, argv, argl);
    redisAppendCommand(s->redis, "HMGET %s %s", s->revs, "");
    send_step(s);

    if (number(s, '*') != n) {
        die("rows are missing");
    }

    for (i = 0; i < n; i++) {
        (void) string(s);
    }

    revision(s);
}


static unsigned long
read_all(scope_t *s)
{
    size_t          n;
    char            last[1024];
    unsigned long   done;

    last[0] = '\0';
    done = 0;

    do {
        members(s, last);
        n = s->nmembers > CHUNK ? CHUNK : s->nmembers;

        if (n) {
            snprintf(last, sizeof(last), "%.*s", (int) s->members[n - 1].len,
                     s->members[n - 1].data);
            rows(s, n);
        }

        done += n;

    } while (s->nmembers > CHUNK);

    return done;
}


int
main(int argc, char **argv)
{
    double          began;
    unsigned long   done;

    static scope_t  s;

    if (argc != 3) {
        die("usage: stream SOCKET SCOPE");
    }

    s.redis = connect_to(argv[1]);

    snprintf(s.index, sizeof(s.index), "tasks:{bench:%s}:index", argv[2]);
    snprintf(s.revs, sizeof(s.revs), "tasks:{bench:%s}:revs", argv[2]);
    snprintf(s.rows, sizeof(s.rows), "tasks:{bench:%s}:rows", argv[2]);

    began = now();
    done = read_all(&s);

    printf("%lu %.6f\n", done, now() - began);

    return 0;
}
