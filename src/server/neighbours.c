#include "server/neighbours.h"

#include "base/buffer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <net/if.h>

#ifdef __linux__
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

/* Linux holds 1024 neighbours of each kind unless it is told otherwise, about
 * 100 bytes each. */
#define DUMP_MAX_BYTES (1u << 20)
/* The kernel's ages (struct nda_cacheinfo) count in USER_HZ. */
#define TICK_MS 10
/* States in which its Ethernet address is known. */
#define KNOWN_STATES                                                           \
    (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT)

/* Reading ------------------------------------------------------------------ */

/* Whether the dump's end is among these messages. */
static bool
has_end(const char *bytes, size_t len)
{
    struct nlmsghdr header;
    while (len >= sizeof(header)) {
        memcpy(&header, bytes, sizeof(header));
        size_t step = NLMSG_ALIGN((size_t)header.nlmsg_len);
        if (header.nlmsg_type == NLMSG_DONE ||
            header.nlmsg_type == NLMSG_ERROR ||
            header.nlmsg_len < sizeof(header) || step > len)
            return true;
        bytes += step;
        len -= step;
    }
    return false;
}

/* The kernel fills the socket as it is read. */
static void
read_dump(int fd, struct buffer *dump)
{
    for (;;) {
        char bytes[16384];
        ssize_t got = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || dump->len + (size_t)got > DUMP_MAX_BYTES)
            return;
        buffer_append(dump, bytes, (size_t)got);
        if (has_end(bytes, (size_t)got))
            return;
    }
}

char *
neighbours_read(size_t *ret_len)
{
    struct {
        struct nlmsghdr header;
        struct ndmsg message;
    } question = {
        .header = {.nlmsg_len = sizeof(question),
                   .nlmsg_type = RTM_GETNEIGH,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .message = {.ndm_family = AF_UNSPEC},
    };
    struct buffer dump = {0};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return NULL;
    if (send(fd, &question, sizeof(question), MSG_DONTWAIT) ==
        (ssize_t)sizeof(question))
        read_dump(fd, &dump);
    (void)close(fd);
    *ret_len = dump.len;
    return buffer_steal(&dump);
}

/* Finding ------------------------------------------------------------------ */

/* One entry of the table; what points points into the dump. */
struct entry {
    struct ndmsg message;
    const unsigned char *address; /* NULL: it has none */
    size_t address_bytes;
    const unsigned char *mac; /* 6 bytes; NULL: it is not Ethernet's */
    struct nda_cacheinfo times;
};

static void
take_attribute(struct entry *entry, unsigned type, const char *bytes,
               size_t len)
{
    switch (type) {
    case NDA_DST:
        entry->address = (const unsigned char *)bytes;
        entry->address_bytes = len;
        break;
    case NDA_LLADDR:
        entry->mac = len == 6 ? (const unsigned char *)bytes : NULL;
        break;
    case NDA_CACHEINFO:
        if (len >= sizeof(entry->times))
            memcpy(&entry->times, bytes, sizeof(entry->times));
        break;
    default:
        break;
    }
}

/* The message's content, behind its header. */
static bool
take_entry(struct entry *entry, const char *bytes, size_t len)
{
    struct rtattr attribute;
    size_t at = NLMSG_ALIGN(sizeof(entry->message));
    *entry = (struct entry){0};
    if (len < at)
        return false;
    memcpy(&entry->message, bytes, sizeof(entry->message));
    while (at + sizeof(attribute) <= len) {
        memcpy(&attribute, bytes + at, sizeof(attribute));
        size_t step = attribute.rta_len;
        if (step < sizeof(attribute) || step > len - at)
            return false;
        take_attribute(entry, attribute.rta_type & (unsigned)NLA_TYPE_MASK,
                       bytes + at + RTA_LENGTH(0), step - RTA_LENGTH(0));
        at += RTA_ALIGN(step);
    }
    return true;
}

/* What kind of address it is, in the order they are told in. */
enum rank {
    RANK_IPV4,
    RANK_GLOBAL,
    RANK_LINK,
    RANK_NONE,
};

static enum rank
rank_of(const struct entry *entry)
{
    bool is_ipv6 = entry->message.ndm_family == AF_INET6;
    size_t bytes = is_ipv6 ? 16 : 4;
    if ((!is_ipv6 && entry->message.ndm_family != AF_INET) || !entry->address ||
        entry->address_bytes != bytes || !entry->mac ||
        !(entry->message.ndm_state & KNOWN_STATES))
        return RANK_NONE;
    if (!is_ipv6)
        return RANK_IPV4;
    if (entry->address[0] == 0xff)
        return RANK_NONE; /* a multicast group's */
    bool is_link =
        entry->address[0] == 0xfe && (entry->address[1] & 0xc0) == 0x80;
    return is_link ? RANK_LINK : RANK_GLOBAL;
}

static bool
has_mac(const struct entry *entry, const char *mac)
{
    char text[18];
    const unsigned char *m = entry->mac;
    (void)snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", m[0],
                   m[1], m[2], m[3], m[4], m[5]);
    return !strcasecmp(text, mac);
}

/* A link-local address means something with its interface only. */
static bool
format(const struct entry *entry, enum rank rank, struct neighbour *ret)
{
    char name[IF_NAMESIZE] = "";
    size_t size = sizeof(ret->address);
    if (!inet_ntop(entry->message.ndm_family, entry->address, ret->address,
                   (socklen_t)size))
        return false;
    size_t len = strlen(ret->address);
    if (rank == RANK_LINK) {
        if (!if_indextoname((unsigned)entry->message.ndm_ifindex, name))
            return false;
        (void)snprintf(ret->address + len, size - len, "%%%s", name);
    }
    /* Either says that it was there: what confirmed it, or what changed it. */
    uint32_t confirmed = entry->times.ndm_confirmed;
    uint32_t updated = entry->times.ndm_updated;
    ret->age_ms =
        (int64_t)(confirmed < updated ? confirmed : updated) * TICK_MS;
    return true;
}

/* The next neighbour entry at *at, which is moved behind it. */
static bool
next_entry(const char *dump, size_t len, size_t *at, struct entry *ret_entry)
{
    struct nlmsghdr header;
    while (len - *at >= sizeof(header)) {
        memcpy(&header, dump + *at, sizeof(header));
        size_t whole = header.nlmsg_len;
        const char *content = dump + *at + NLMSG_HDRLEN;
        if (whole < sizeof(header) || whole > len - *at)
            return false;
        size_t step = NLMSG_ALIGN(whole);
        *at = step < len - *at ? *at + step : len;
        if (header.nlmsg_type == RTM_NEWNEIGH &&
            take_entry(ret_entry, content, whole - sizeof(header)))
            return true;
    }
    return false;
}

size_t
neighbours_find(const char *dump, size_t len, const char *mac,
                struct neighbour found[NEIGHBOURS_MAX])
{
    size_t count = 0;
    for (int rank = RANK_IPV4; rank < RANK_NONE; rank++) {
        struct entry entry;
        size_t at = 0;
        while (count < NEIGHBOURS_MAX && next_entry(dump, len, &at, &entry)) {
            if ((int)rank_of(&entry) == rank && has_mac(&entry, mac) &&
                format(&entry, (enum rank)rank, &found[count]))
                count++;
        }
    }
    return count;
}

#else

char *
neighbours_read(size_t *ret_len)
{
    (void)ret_len;
    return NULL;
}

size_t
neighbours_find(const char *dump, size_t len, const char *mac,
                struct neighbour found[NEIGHBOURS_MAX])
{
    (void)dump;
    (void)len;
    (void)mac;
    (void)found;
    return 0;
}

#endif
