#pragma once

#include "base/error.h"
#include "fleet/fleet.h"

#include <jansson.h>

/* Fleet files read and checked in threads: a file system that does not answer
 * holds up who named the file, and nobody else. */
struct server;

/* Most that are read at once; more wait. The pool has 4 threads (libuv), and
 * other files are read by it too. */
#define FLEET_READING_MAX 2

/* fleet: the callee's to free; NULL: error says why. */
typedef void (*fleet_reading_fn)(void *data, struct fleet *fleet,
                                 const struct error *error);

/* Reads what fleet-apply's arguments name: its files, its guests, their
 * commands. arguments: copied. on_done is called once, in a later loop turn,
 * also while the server leaves. */
void fleet_reading_begin(struct server *server, const json_t *arguments,
                         fleet_reading_fn on_done, void *data);
