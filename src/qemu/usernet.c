#include "qemu/usernet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 256

/* What a network's name consists of, when it may go into a command. */
static bool
is_netdev(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "abcdefghijklmnopqrstuvwxyz0123456789._-";
    return *name && strspn(name, allowed) == strlen(name);
}

/* "Hub -1 (gmnet0):" */
static bool
read_head(const char *line, char netdev[USERNET_NAME_BYTES])
{
    char name[USERNET_NAME_BYTES] = "";
    if (sscanf(line, "Hub %*d (%63[^)])", name) != 1)
        return false;
    /* The forwards of a name that fits nothing belong to nobody. */
    (void)snprintf(netdev, USERNET_NAME_BYTES, "%s",
                   is_netdev(name) ? name : "");
    return true;
}

static bool
read_port(const char *text, int *ret_port)
{
    char *end = NULL;
    long port = strtol(text, &end, 10);
    if (end == text || *end || port < 1 || port > 65535)
        return false;
    *ret_port = (int)port;
    return true;
}

/* "TCP[HOST_FORWARD]  9  127.0.0.1 2222  10.0.2.15  22  0  0" */
static bool
read_row(const char *line, struct usernet_forward *forward)
{
    char protocol[32] = "";
    char host[USERNET_ADDRESS_BYTES] = "";
    char host_port[16] = "";
    char guest[USERNET_ADDRESS_BYTES] = "";
    char guest_port[16] = "";
    if (sscanf(line, " %31s %*d %45s %15s %45s %15s", protocol, host, host_port,
               guest, guest_port) != 5)
        return false;
    bool is_tcp = !strcmp(protocol, "TCP[HOST_FORWARD]");
    forward->is_udp = !strcmp(protocol, "UDP[HOST_FORWARD]");
    if ((!is_tcp && !forward->is_udp) ||
        !read_port(host_port, &forward->host_port) ||
        !read_port(guest_port, &forward->guest_port))
        return false;
    (void)snprintf(forward->host_address, sizeof(forward->host_address), "%s",
                   strcmp(host, "*") ? host : "0.0.0.0");
    (void)snprintf(forward->guest_address, sizeof(forward->guest_address), "%s",
                   guest);
    return true;
}

/* Copies the line at *text and goes behind it; false at the end. */
static bool
next_line(const char **text, char line[LINE_BYTES])
{
    const char *at = *text;
    if (!*at)
        return false;
    size_t len = strcspn(at, "\n");
    size_t kept = len < LINE_BYTES - 1 ? len : LINE_BYTES - 1;
    memcpy(line, at, kept);
    line[kept] = '\0';
    *text = at + len + (at[len] == '\n');
    return true;
}

size_t
usernet_parse(const char *text, struct usernet_forward *forwards, size_t max)
{
    char line[LINE_BYTES];
    char netdev[USERNET_NAME_BYTES] = "";
    size_t count = 0;
    while (count < max && next_line(&text, line)) {
        struct usernet_forward forward = {0};
        if (read_head(line, netdev) || !netdev[0] || !read_row(line, &forward))
            continue;
        memcpy(forward.netdev, netdev, sizeof(netdev));
        forwards[count++] = forward;
    }
    return count;
}

bool
usernet_first(const char *text, char netdev[USERNET_NAME_BYTES])
{
    char line[LINE_BYTES];
    while (next_line(&text, line)) {
        if (read_head(line, netdev) && netdev[0])
            return true;
    }
    return false;
}
