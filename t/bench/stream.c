
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
    redisContext  *redis;
    char           index[128];
    char           revs[128];
    char           rows[128];
} scope_t;


/* The next reply; hiredis itself would read 16 KB at a time. */

static redisReply *
get(scope_t *s)
{
    ssize_t      n;
    redisReply  *reply;

    static char  in[1 << 18];

    for ( ;; ) {
        if (redisReaderGetReply(s->redis->reader, (void **) &reply)
            != REDIS_OK)
        {
            die("a bad reply");
        }

        if (reply) {
            break;
        }

        n = read(s->redis->fd, in, sizeof(in));
        if (n <= 0) {
            die("read failed");
        }

        redisReaderFeed(s->redis->reader, in, n);
    }

    if (reply->type == REDIS_REPLY_ERROR || reply->type == REDIS_REPLY_NIL) {
        die("an error from Redis");
    }

    return reply;
}


static void
drop(scope_t *s)
{
    freeReplyObject(get(s));
}


static void
flush(scope_t *s)
{
    int  done;

    do {
        if (redisBufferWrite(s->redis, &done) != REDIS_OK) {
            die(s->redis->errstr);
        }
    } while (!done);
}


/* The members of a chunk, and of the next one the first. */

static redisReply *
members(scope_t *s, const char *last)
{
    redisReply  *reply;

    redisAppendCommand(s->redis, "HMGET %s %s", s->revs, "");

    if (last[0] == '\0') {
        redisAppendCommand(s->redis, "ZRANGE %s 0 %d REV", s->index, CHUNK);

    } else {
        redisAppendCommand(s->redis,
                           "ZRANGE %s (%s - BYLEX REV LIMIT 0 %d", s->index,
                           last, CHUNK + 1);
        redisAppendCommand(s->redis, "ZCARD %s", s->index);
    }

    flush(s);
    drop(s);
    reply = get(s);

    if (last[0]) {
        drop(s);
    }

    return reply;
}


static void
rows(scope_t *s, redisReply **member, size_t n)
{
    char        *id;
    size_t       i, argl[CHUNK + 2];
    redisReply  *reply;
    const char  *argv[CHUNK + 2];

    argv[0] = "HMGET";
    argl[0] = 5;
    argv[1] = s->rows;
    argl[1] = strlen(s->rows);

    for (i = 0; i < n; i++) {
        id = strchr(member[i]->str, ':') + 1;
        argv[2 + i] = id;
        argl[2 + i] = member[i]->str + member[i]->len - id;
    }

    redisAppendCommandArgv(s->redis, n + 2, argv, argl);
    redisAppendCommand(s->redis, "HMGET %s %s", s->revs, "");
    flush(s);

    reply = get(s);

    for (i = 0; i < n; i++) {
        if (i >= reply->elements
            || reply->element[i]->type != REDIS_REPLY_STRING)
        {
            die("a row is missing");
        }
    }

    freeReplyObject(reply);
    drop(s);
}


static unsigned long
read_all(scope_t *s)
{
    size_t          n, more;
    char            last[1024];
    redisReply     *chunk;
    unsigned long   done;

    last[0] = '\0';
    done = 0;

    do {
        chunk = members(s, last);
        more = chunk->elements > CHUNK;
        n = more ? CHUNK : chunk->elements;

        if (n) {
            rows(s, chunk->element, n);
            snprintf(last, sizeof(last), "%s", chunk->element[n - 1]->str);
        }

        freeReplyObject(chunk);
        done += n;

    } while (more);

    return done;
}


int
main(int argc, char **argv)
{
    double          began;
    scope_t         s;
    unsigned long   done;

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
