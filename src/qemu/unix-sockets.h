#pragma once

#include "base/error.h"
#include "fleet/spec.h"

#include <stdbool.h>

/* The unix sockets on which a guest's QEMU is told to listen. QEMU deletes
 * whatever has the path of one, a disk or another guest's socket, too. */

/* path: absolute, its directory without links; borrowed. field: a literal;
 * index: of its item, or -1. */
typedef void (*unix_sockets_fn)(void *data, const char *path, const char *field,
                                int index);

/* Calls on_path for each: of VNC displays, cards, and of what args or command
 * say of chardevs, serial ports and networks. */
void unix_sockets_each(const struct spec *spec, unix_sockets_fn on_path,
                       void *data);

/* Whether a guest has any. */
bool unix_sockets_concern(const struct spec *spec);

/* Whether QEMU may listen on path: nothing is there, or a socket on which
 * nobody listens but the guest itself. For a thread: looks through /proc. */
bool unix_sockets_check_path(const char *path, const char *guest,
                             struct error *error);

/* The same for all of a guest's. */
bool unix_sockets_check(const struct spec *spec, struct error *error);
