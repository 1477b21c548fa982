#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* The names that a QEMU binary knows, by its own lists. */

enum names_kind {
    NAMES_MACHINES,
    NAMES_CPUS,
    NAMES_DEVICES,
    NAMES_ACCELERATORS,
    NAMES_COUNT
};

/* Zero-initialise it. */
struct names {
    char **list; /* owned, and each */
    size_t count;
};

/* Reads what QEMU prints for "-machine help" and the like. False when there is
 * no list in it, as far as is known here. */
bool names_parse(enum names_kind kind, const char *text,
                 struct names *ret_names);

/* Asks the program. Waits for it, ASK_TIMEOUT_MS at most: not for the loop. */
bool names_read(const char *program, enum names_kind kind,
                struct names *ret_names, struct error *error);

/* Whether the program knows a device that is not in its list: asked for the
 * device's properties. Waits as names_read does. */
bool names_confirm_device(const char *program, const char *device);

void names_finish(struct names *names);

bool names_has(const struct names *names, const char *name);

/* The name that was meant: one that differs in upper and lower case only, or
 * the nearest one; NULL: none is near. Borrowed. */
const char *names_nearest(const struct names *names, const char *name);

/* The option that has names of the kind: "machine". */
const char *names_option(enum names_kind kind);
