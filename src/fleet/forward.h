#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* A port of the host that leads to a port of a guest, over a user network. */
struct forward {
    bool is_udp;
    char *host_address;  /* owned; IPv4, "127.0.0.1" unless said otherwise */
    int host_port;       /* 0: a free one, chosen when the guest starts */
    char *guest_address; /* owned; NULL: the one that DHCP gives first */
    int guest_port;
};

/* Longest text of one, with its terminating zero. */
#define FORWARD_TEXT_BYTES 80

/* Reads what people write:
 *
 *   2222:22, tcp:2222:22, udp:5353:53    on 127.0.0.1
 *   auto:22, 0:22                        the host's port is chosen
 *   0.0.0.0:8080:80, tcp:10.0.0.1:80:80  on that address
 *   tcp::2222-:22                        QEMU's own form: without an address it
 *                                        is all of the host's
 *
 * forward: to be finished by forward_finish. error names the text. */
bool forward_parse(const char *text, struct forward *forward,
                   struct error *error);
void forward_finish(struct forward *forward);

/* Checks one that was put together otherwise; the texts' form and the ports'
 * range. */
bool forward_check(const struct forward *forward, struct error *error);

/* "tcp:127.0.0.1:2222-10.0.2.15:22", as QEMU wants it; port: the host's. */
void forward_to_qemu(const struct forward *forward, int port,
                     char text[FORWARD_TEXT_BYTES]);
/* "tcp:127.0.0.1:2222:22", as forward_parse takes it; port 0: "auto". */
void forward_to_text(const struct forward *forward, int port,
                     char text[FORWARD_TEXT_BYTES]);

/* Whether both want the same port of the host, on addresses that meet. */
bool forward_clashes(const struct forward *a, int a_port,
                     const struct forward *b, int b_port);
