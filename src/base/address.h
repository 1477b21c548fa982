#pragma once

#include <stdbool.h>

/* What an address, IPv4 or IPv6 in its usual text, is good for. */

/* The machine's own: 127.0.0.0/8, ::1 (RFC 6890). */
bool address_is_loopback(const char *text);
/* Means something outside of its own link: neither loopback nor link-local
 * (fe80::, RFC 4291, 2.5.6). */
bool address_is_useful(const char *text);
