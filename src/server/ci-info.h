#pragma once

#include <stdbool.h>

/* The table of addresses that cloud-init prints on the console:
 *
 *   ci-info: |  ens3  | True | 10.0.2.15 | 255.255.255.0 | global | 52:54:… |
 */

struct ci_info {
    char device[16];
    char address[46]; /* IPv4 or IPv6, without its prefix's length */
    char mac[18];     /* "" when it is none */
};

/* Reads a line of plain text, in which the row may stand anywhere. False: it
 * is no row with an address of an interface that is up. */
bool ci_info_parse(const char *line, struct ci_info *ret_info);
