#pragma once

#include <stdbool.h>
#include <stddef.h>

/* What QEMU's monitor says about user networks ("info usernet"): text for
 * people, the only place where forwarded ports are told. */

/* Longest name of a network and of an address, with their terminating zero;
 * longer ones are left out. */
#define USERNET_NAME_BYTES 64
#define USERNET_ADDRESS_BYTES 46

struct usernet_forward {
    char netdev[USERNET_NAME_BYTES]; /* fit for a command: letters, digits … */
    bool is_udp;
    char host_address[USERNET_ADDRESS_BYTES]; /* "0.0.0.0" for all */
    int host_port;
    char guest_address[USERNET_ADDRESS_BYTES];
    int guest_port;
};

/* Finds the forwarded ports in QEMU's text; at most max. Returns how many there
 * are in forwards. */
size_t usernet_parse(const char *text, struct usernet_forward *forwards,
                     size_t max);

/* The first user network that the text names, or false. */
bool usernet_first(const char *text, char netdev[USERNET_NAME_BYTES]);
