#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* The ports of the host that a server's guests have or had: chosen ones are
 * remembered, so that a guest finds its own again. */
struct ports;

struct ports *ports_new(void);
void ports_free(struct ports *ports);

/* Reserves a port for an owner, until it is given back. Nothing when ports is
 * NULL. owner: borrowed, only compared. */
void ports_hold(struct ports *ports, int port, const void *owner);
void ports_release_all(struct ports *ports, const void *owner);

/* Whether nobody else listens on it now; error says who or what is in the way,
 * as far as that is known: "port 2222 of 127.0.0.1 is in use". */
bool ports_check(const char *address, int port, bool is_udp,
                 struct error *error);

/* A port that is free now and reserved by nobody else; the same text as seed
 * tries the same ones first. 0 with error: there is none. ports: may be NULL.
 */
int ports_choose(struct ports *ports, const void *owner, const char *address,
                 bool is_udp, const char *seed, struct error *error);
