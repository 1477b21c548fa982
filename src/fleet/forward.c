#include "fleet/forward.h"

#include "base/text.h"
#include "base/xalloc.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_ADDRESS "127.0.0.1"
#define ANY_ADDRESS "0.0.0.0"
#define PORT_MAX 65535
/* Columns of a text that a message shows. */
#define SHOWN_COLS 60

/* A port in decimal digits; "auto" and 0 where that is allowed. */
static bool
read_port(const char *text, size_t len, bool may_be_auto, int *ret_port)
{
    if (may_be_auto && len == 4 && !strncmp(text, "auto", len)) {
        *ret_port = 0;
        return true;
    }
    int port = 0;
    if (len == 0 || len > 5)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        port = port * 10 + (text[i] - '0');
    }
    *ret_port = port;
    return port <= PORT_MAX && (port > 0 || may_be_auto);
}

static bool
is_ipv4(const char *text)
{
    struct in_addr address;
    return inet_pton(AF_INET, text, &address) == 1;
}

/* The text up to the last colon before end, and where it begins; false without
 * a colon. */
static bool
split_last(const char *text, size_t len, size_t *ret_colon)
{
    while (len > 0) {
        if (text[--len] == ':') {
            *ret_colon = len;
            return true;
        }
    }
    return false;
}

/* "ADDRESS:PORT" or "PORT"; *ret_address NULL: none was given. */
static bool
read_end(const char *text, size_t len, bool may_be_auto, char **ret_address,
         int *ret_port)
{
    size_t colon = 0;
    if (!split_last(text, len, &colon))
        return read_port(text, len, may_be_auto, ret_port);
    if (!read_port(text + colon + 1, len - colon - 1, may_be_auto, ret_port))
        return false;
    if (colon > 0)
        *ret_address = xstrndup(text, colon);
    return true;
}

/* QEMU's form: "[ADDRESS]:PORT-[ADDRESS]:PORT". */
static bool
parse_qemu(const char *text, const char *dash, struct forward *forward)
{
    if (!read_end(text, (size_t)(dash - text), true, &forward->host_address,
                  &forward->host_port) ||
        !read_end(dash + 1, strlen(dash + 1), false, &forward->guest_address,
                  &forward->guest_port))
        return false;
    if (!forward->host_address)
        forward->host_address = xstrdup(ANY_ADDRESS);
    return true;
}

/* "[ADDRESS:]PORT:PORT". */
static bool
parse_short(const char *text, struct forward *forward)
{
    size_t colon = 0;
    if (!split_last(text, strlen(text), &colon) ||
        !read_port(text + colon + 1, strlen(text + colon + 1), false,
                   &forward->guest_port))
        return false;
    if (!read_end(text, colon, true, &forward->host_address,
                  &forward->host_port))
        return false;
    if (!forward->host_address)
        forward->host_address = xstrdup(DEFAULT_ADDRESS);
    return true;
}

bool
forward_check(const struct forward *forward, struct error *error)
{
    const char *const addresses[] = {forward->host_address,
                                     forward->guest_address};
    for (size_t i = 0; i < 2; i++) {
        if (!addresses[i] || is_ipv4(addresses[i]))
            continue;
        char *shown = text_printable(addresses[i], strlen(addresses[i]),
                                     SHOWN_COLS, TEXT_ONE_LINE);
        error_set(error, ERROR_CODE_INVALID,
                  "\"%s\" is not an IPv4 address (try 127.0.0.1)", shown);
        free(shown);
        return false;
    }
    return true;
}

bool
forward_parse(const char *text, struct forward *forward, struct error *error)
{
    const char *rest = text;
    struct forward found = {0};
    found.is_udp = !strncmp(rest, "udp:", 4);
    if (found.is_udp || !strncmp(rest, "tcp:", 4))
        rest += 4;
    const char *dash = strchr(rest, '-');
    bool ok = dash ? parse_qemu(rest, dash, &found) : parse_short(rest, &found);
    if (!ok) {
        char *shown =
            text_printable(text, strlen(text), SHOWN_COLS, TEXT_ONE_LINE);
        error_set(error, ERROR_CODE_INVALID,
                  "\"%s\" is not a forwarded port (try \"2222:22\", or "
                  "\"auto:22\" for a free one)",
                  shown);
        free(shown);
    }
    if (ok && forward_check(&found, error)) {
        *forward = found;
        return true;
    }
    forward_finish(&found);
    return false;
}

void
forward_finish(struct forward *forward)
{
    free(forward->host_address);
    free(forward->guest_address);
    *forward = (struct forward){0};
}

void
forward_to_qemu(const struct forward *forward, int port,
                char text[FORWARD_TEXT_BYTES])
{
    (void)snprintf(text, FORWARD_TEXT_BYTES, "%s:%s:%d-%s:%d",
                   forward->is_udp ? "udp" : "tcp", forward->host_address, port,
                   forward->guest_address ? forward->guest_address : "",
                   forward->guest_port);
}

void
forward_to_text(const struct forward *forward, int port,
                char text[FORWARD_TEXT_BYTES])
{
    char host[16] = "auto";
    if (port)
        (void)snprintf(host, sizeof(host), "%d", port);
    if (forward->guest_address)
        (void)snprintf(text, FORWARD_TEXT_BYTES, "%s:%s:%s-%s:%d",
                       forward->is_udp ? "udp" : "tcp", forward->host_address,
                       host, forward->guest_address, forward->guest_port);
    else
        (void)snprintf(text, FORWARD_TEXT_BYTES, "%s:%s:%s:%d",
                       forward->is_udp ? "udp" : "tcp", forward->host_address,
                       host, forward->guest_port);
}

bool
forward_clashes(const struct forward *a, int a_port, const struct forward *b,
                int b_port)
{
    return a_port && a_port == b_port && a->is_udp == b->is_udp &&
           (!strcmp(a->host_address, b->host_address) ||
            !strcmp(a->host_address, ANY_ADDRESS) ||
            !strcmp(b->host_address, ANY_ADDRESS));
}
