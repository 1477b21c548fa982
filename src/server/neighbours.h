#pragma once

#include <stddef.h>
#include <stdint.h>

/* The host's neighbour table: which addresses, IPv4 and IPv6, are behind which
 * Ethernet address on its networks. Linux's; elsewhere it is empty. */

/* An address as text, with its interface where it needs one:
 * "fe80::5054:ff:fe00:702%tap7". */
#define NEIGHBOURS_ADDRESS_BYTES 64
/* Most that are taken of one card: a guest can claim any number. */
#define NEIGHBOURS_MAX 16

struct neighbour {
    char address[NEIGHBOURS_ADDRESS_BYTES];
    int64_t age_ms; /* since it was last seen or confirmed */
};

/* The kernel's answer to a dump (rtnetlink(7), RTM_GETNEIGH); NULL: there is
 * none. The caller frees it. Waits for nobody. */
char *neighbours_read(size_t *ret_len);

/* Finds those of a card, in another case of letters too: first IPv4, then IPv6
 * with global addresses, then link-local ones. What is not confirmed to be
 * there is left out. Returns how many. */
size_t neighbours_find(const char *dump, size_t len, const char *mac,
                       struct neighbour found[NEIGHBOURS_MAX]);
