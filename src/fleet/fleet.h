#pragma once

#include "base/error.h"
#include "fleet/spec.h"

#include <stddef.h>

/* A fleet file: {"version": 1, "defaults": {…}, "guests": {NAME: {…}}}. */

/* Largest fleet file, bytes. */
#define FLEET_FILE_MAX_BYTES (4u << 20)
/* Most guests in one fleet. */
#define FLEET_MAX_GUESTS 1024

struct fleet {
    char *file;           /* absolute path, for messages */
    struct spec **guests; /* owned; in the file's order */
    size_t guest_count;
};

/* Reads a fleet from a file's content. file: its path; relative paths in it
 * start at its directory. On failure every mistake is reported at once, one per
 * line: "FILE:LINE:COL: guests.n1.memory: "2Q" is not a size (try 2G)", unknown
 * fields with the nearest known name. NULL on failure. */
struct fleet *fleet_parse(const char *file, const char *text, size_t len,
                          struct error *error);

/* The same from a path; refuses what is not a regular file. */
struct fleet *fleet_read(const char *file, struct error *error);

void fleet_free(struct fleet *fleet);
