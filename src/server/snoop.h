#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Addresses in the frames of a network: what its guests say of themselves by
 * ARP and neighbour discovery, and what DHCP servers give them. Frames are
 * taken for hostile; nothing is remembered here. */

enum snoop_source {
    SNOOP_SOURCE_ARP,
    SNOOP_SOURCE_DHCP, /* a server's answer: it is about another card */
    SNOOP_SOURCE_NDP,
};

struct snoop_address {
    enum snoop_source source;
    bool is_ipv6;
    uint8_t mac[6];    /* whose it is */
    uint8_t bytes[16]; /* IPv4: the first 4 */
};

/* What a frame (at least 14 bytes) says; false: nothing. Looks at the type of
 * all frames, and further only into those few. */
bool snoop_frame(const uint8_t *frame, size_t len,
                 struct snoop_address *ret_address);

/* Longest text of an address, with its terminating zero. */
#define SNOOP_TEXT_BYTES 46
void snoop_format(const struct snoop_address *address,
                  char text[SNOOP_TEXT_BYTES]);

const char *snoop_source_name(enum snoop_source source);
