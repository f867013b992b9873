
/*
 * A library to preload into nginx, which makes calls of the C library fail as
 * a test tells it to (Tasks::Failing): allocations, and the system calls of a
 * connection.
 *
 * The orders come through a file that is mapped: while "kind" is set, calls of
 * that kind are counted in "seen", and "times" of them fail from the "nth" on,
 * counted in "failed".  Nothing is locked: of nginx's processes, only the one
 * worker does anything while a test has orders out.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>


/* in the order of @KINDS in Tasks::Failing */

enum {
    NOTHING, MEMORY, SOCKET, CONNECT, EPOLL_CTL, RECV, WRITEV, GETSOCKOPT,
    SETSOCKOPT, IOCTL
};


typedef struct {
    volatile int32_t  kind;
    volatile int32_t  nth;
    volatile int32_t  times;
    volatile int32_t  error;
    volatile int32_t  seen;
    volatile int32_t  failed;
} orders_t;


/* what dlsym() itself allocates, before malloc() is known */

static char       early[65536] __attribute__((aligned(64)));
static size_t     early_used;

static orders_t  *orders;


static void __attribute__((constructor))
map_orders(void)
{
    int          fd;
    void        *map;
    const char  *path;

    path = getenv("TASKS_FAILING");
    if (path == NULL) {
        return;
    }

    fd = open(path, O_RDWR);
    if (fd == -1) {
        return;
    }

    map = mmap(NULL, sizeof(orders_t), PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);

    if (map != MAP_FAILED) {
        orders = map;
    }
}


/* True if this call is to fail; errno is then set. */

static int
fails(int kind)
{
    int32_t  n;

    if (orders == NULL || orders->kind != kind) {
        return 0;
    }

    n = ++orders->seen - orders->nth;

    if (n < 0 || n >= orders->times) {
        return 0;
    }

    orders->failed++;
    errno = orders->error;

    return 1;
}


static void *
early_alloc(size_t size)
{
    void  *p;

    size = (size + 63) & ~(size_t) 63;

    if (size > sizeof(early) - early_used) {
        abort();
    }

    p = early + early_used;
    early_used += size;

    return p;
}


static int
is_early(void *p)
{
    return (char *) p >= early && (char *) p < early + sizeof(early);
}


/*
 * Declares "next", the function of that name that this one stands before.
 * Volatile, as dlsym(), which the compiler takes for a leaf, may come back.
 */

#define NEXT(name)                                                            \
    static __typeof__(name)  *volatile next;                                  \
    static volatile int       looking;                                        \
                                                                              \
    if (next == NULL && !looking) {                                           \
        looking = 1;                                                          \
        next = (__typeof__(name) *) dlsym(RTLD_NEXT, #name);                  \
        looking = 0;                                                          \
    }


void *
malloc(size_t size)
{
    NEXT(malloc)

    if (next == NULL) {
        return early_alloc(size);
    }

    return fails(MEMORY) ? NULL : next(size);
}


void *
calloc(size_t n, size_t size)
{
    NEXT(calloc)

    if (next == NULL) {
        return early_alloc(n * size);
    }

    return fails(MEMORY) ? NULL : next(n, size);
}


void *
realloc(void *p, size_t size)
{
    void  *copy;

    NEXT(realloc)

    if (is_early(p)) {
        copy = malloc(size);
        return copy ? memcpy(copy, p, size) : NULL;
    }

    return fails(MEMORY) ? NULL : next(p, size);
}


int
posix_memalign(void **p, size_t alignment, size_t size)
{
    NEXT(posix_memalign)

    return fails(MEMORY) ? ENOMEM : next(p, alignment, size);
}


void *
memalign(size_t alignment, size_t size)
{
    static void  *(*next)(size_t, size_t);

    if (next == NULL) {
        next = dlsym(RTLD_NEXT, "memalign");
    }

    return fails(MEMORY) ? NULL : next(alignment, size);
}


void *
aligned_alloc(size_t alignment, size_t size)
{
    NEXT(aligned_alloc)

    return fails(MEMORY) ? NULL : next(alignment, size);
}


void
free(void *p)
{
    NEXT(free)

    if (!is_early(p) && next) {
        next(p);
    }
}


int
socket(int domain, int type, int protocol)
{
    NEXT(socket)

    return fails(SOCKET) ? -1 : next(domain, type, protocol);
}


int
connect(int fd, const struct sockaddr *address, socklen_t length)
{
    NEXT(connect)

    return fails(CONNECT) ? -1 : next(fd, address, length);
}


int
epoll_ctl(int ep, int op, int fd, struct epoll_event *event)
{
    NEXT(epoll_ctl)

    return fails(EPOLL_CTL) ? -1 : next(ep, op, fd, event);
}


ssize_t
recv(int fd, void *buf, size_t size, int flags)
{
    NEXT(recv)

    return fails(RECV) ? -1 : next(fd, buf, size, flags);
}


ssize_t
writev(int fd, const struct iovec *iov, int n)
{
    NEXT(writev)

    return fails(WRITEV) ? -1 : next(fd, iov, n);
}


int
getsockopt(int fd, int level, int name, void *value, socklen_t *length)
{
    NEXT(getsockopt)

    return fails(GETSOCKOPT) ? -1 : next(fd, level, name, value, length);
}


int
setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
    NEXT(setsockopt)

    return fails(SETSOCKOPT) ? -1 : next(fd, level, name, value, length);
}


int
ioctl(int fd, unsigned long request, ...)
{
    void     *argument;
    va_list   arguments;

    static int  (*next)(int, unsigned long, ...);

    if (next == NULL) {
        next = (int (*)(int, unsigned long, ...)) dlsym(RTLD_NEXT, "ioctl");
    }

    va_start(arguments, request);
    argument = va_arg(arguments, void *);
    va_end(arguments);

    return fails(IOCTL) ? -1 : next(fd, request, argument);
}
