#pragma once

#include "base/error.h"
#include "base/paths.h"
#include "fleet/positions.h"
#include "fleet/spec.h"

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* A fleet file: {"version": 1, "include": […], "defaults": {…}, "templates":
 * {NAME: {…}}, "guests": {NAME: {…}}}. */

/* Largest fleet file, bytes. */
#define FLEET_FILE_MAX_BYTES (4u << 20)
/* Most guests in one fleet. */
#define FLEET_MAX_GUESTS 1024

struct document;
struct layers;
struct mistakes;
struct variables;

struct fleet {
    char *file;           /* absolute path */
    char *shown_file;     /* as the caller named it, for messages */
    struct spec **guests; /* owned; in the order of the file: what it includes
                           * first */
    size_t guest_count;

    struct document **documents; /* owned; the file, then what it includes */
    size_t document_count;
    struct layers **origins; /* owned; what each entry was merged of */
    size_t origin_count;
    struct layers **guest_origins; /* owned array; for each guest, that of its
                                    * entry */
};

/* Where a fleet is read from. */
struct fleet_source {
    const char *file; /* its path; relative paths in it start there */
    const char *text; /* its content; NULL: the file is read */
    size_t len;
    const struct variables *variables; /* for paths; NULL: this process's
                                        * environment */
    char **ret_mistakes; /* NULL, or set to all mistakes, which an error has no
                          * room for; the caller frees it */
};

/* The guest of that name; NULL: the fleet has none. Borrowed. */
struct spec *fleet_find(const struct fleet *fleet, const char *name);

/* Reads a fleet, and what it includes. On failure every mistake is reported at
 * once, one per line: "FILE:LINE:COL: guests.n1.memory: "2Q" is not a size (try
 * 2G)", unknown fields with the nearest known name. NULL on failure. */
struct fleet *fleet_load(const struct fleet_source *source,
                         struct error *error);

/* The same from a file's content. */
struct fleet *fleet_parse(const char *file, const char *text, size_t len,
                          struct error *error);

/* The same from a path; refuses what is not a regular file. */
struct fleet *fleet_read(const char *file, struct error *error);

/* Where something about a guest is said, for messages about what the parser
 * cannot see: "FILE:LINE:COL: guests.n1.disks[0]"; a field that the defaults
 * or a template say: "… defaults.kernel", "… templates.worker.kernel". field
 * NULL: the guest itself; index -1: the whole field. The caller frees it. */
char *fleet_where(const struct fleet *fleet, const char *guest,
                  const char *field, int index);

/* Adds a mistake of a guest's that shows only beside others: text, with its
 * place as fleet_where tells it. */
void fleet_add_mistake(const struct fleet *fleet, struct mistakes *mistakes,
                       const char *guest, const char *field, int index,
                       const char *text);

/* The same as numbers, for putting messages in order. */
struct fleet_place {
    unsigned file; /* of the fleet's files, in the order they were read */
    struct position position;
};
struct fleet_place fleet_locate(const struct fleet *fleet, const char *guest,
                                const char *field, int index);

/* Whether every guest's QMP socket can be bound: a socket's path must be
 * short. error has a line for each that cannot. */
bool fleet_check_sockets(const struct fleet *fleet, const struct paths *paths,
                         struct error *error);

void fleet_free(struct fleet *fleet);
