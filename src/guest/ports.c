#include "guest/ports.h"

#include "base/xalloc.h"
#include "qemu/holder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Where ports are chosen: below those that systems give to outgoing connections
 * (Linux: from 32768 on), so that none is taken for a moment by such. */
#define FIRST_PORT 20000
#define LAST_PORT 31999
/* Ports tried until there is said to be none. */
#define TRIES 512

struct hold {
    int port;
    const void *owner; /* borrowed */
};

struct ports {
    struct hold *holds; /* owned */
    size_t count;
};

struct ports *
ports_new(void)
{
    return xcalloc(1, sizeof(struct ports));
}

void
ports_free(struct ports *ports)
{
    if (!ports)
        return;
    free(ports->holds);
    free(ports);
}

/* Whether somebody else than owner has it. */
static bool
is_held(const struct ports *ports, int port, const void *owner)
{
    for (size_t i = 0; ports && i < ports->count; i++) {
        if (ports->holds[i].port == port && ports->holds[i].owner != owner)
            return true;
    }
    return false;
}

void
ports_hold(struct ports *ports, int port, const void *owner)
{
    if (!ports)
        return;
    for (size_t i = 0; i < ports->count; i++) {
        if (ports->holds[i].port == port && ports->holds[i].owner == owner)
            return;
    }
    ports->holds =
        xreallocarray(ports->holds, ports->count + 1, sizeof(*ports->holds));
    ports->holds[ports->count++] = (struct hold){port, owner};
}

void
ports_release_all(struct ports *ports, const void *owner)
{
    size_t kept = 0;
    for (size_t i = 0; ports && i < ports->count; i++) {
        if (ports->holds[i].owner != owner)
            ports->holds[kept++] = ports->holds[i];
    }
    if (ports)
        ports->count = kept;
}

/* errno of binding to it, as QEMU does; 0: it can be bound. */
static int
try_port(const char *address, int port, bool is_udp)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, address, &at.sin_addr) != 1)
        return EADDRNOTAVAIL;
    int fd =
        socket(AF_INET, (is_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    /* Connections of before that linger are no obstacle, listeners are. */
    int on = 1;
    if (!is_udp)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    int errnum = bind(fd, (struct sockaddr *)&at, sizeof(at)) ? errno : 0;
    (void)close(fd);
    return errnum;
}

/* Who has it: another guest or program, by name where that can be seen. */
static bool
is_taken(const char *address, int port, bool is_udp, struct error *error)
{
    if (!error)
        return false; /* nobody asks, and all of /proc is much to read */
    struct holder holder;
    holder_of_port(is_udp, port, &holder);
    char *who = holder_text(&holder);
    error_set(error, ERROR_CODE_EXISTS,
              "%s port %d of %s is in use by %s; free it, or forward another "
              "one (\"auto\" takes a free one)",
              is_udp ? "UDP" : "TCP", port, address, who);
    free(who);
    holder_finish(&holder);
    return false;
}

bool
ports_check(const char *address, int port, bool is_udp, struct error *error)
{
    const char *protocol = is_udp ? "UDP" : "TCP";
    int errnum = try_port(address, port, is_udp);
    if (errnum == 0)
        return true;
    if (errnum == EADDRINUSE)
        return is_taken(address, port, is_udp, error);
    if (errnum == EACCES)
        return error_set(error, ERROR_CODE_DENIED,
                         "%s port %d of %s is for root (those below 1024 are); "
                         "forward another one",
                         protocol, port, address);
    return error_set_errno(error, errnum, "%s port %d of %s cannot be used",
                           protocol, port, address);
}

int
ports_choose(struct ports *ports, const void *owner, const char *address,
             bool is_udp, const char *seed, struct error *error)
{
    uint32_t hash = UINT32_C(2166136261); /* FNV-1a */
    for (const char *c = seed; *c; c++)
        hash = (hash ^ (unsigned char)*c) * UINT32_C(16777619);
    hash ^= hash >> 15;
    int span = LAST_PORT - FIRST_PORT + 1;
    int start = (int)(hash % (uint32_t)span);
    for (int i = 0; i < TRIES; i++) {
        int port = FIRST_PORT + (start + i) % span;
        if (!is_held(ports, port, owner) &&
            try_port(address, port, is_udp) == 0)
            return port;
    }
    error_set(error, ERROR_CODE_LIMIT,
              "no free port of %s was found (%d were tried, from %d on)",
              address, TRIES, FIRST_PORT + start);
    return 0;
}
