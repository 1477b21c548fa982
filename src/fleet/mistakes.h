#pragma once

#include "base/error.h"
#include "fleet/positions.h"

#include <stdbool.h>
#include <stddef.h>

/* Collects everything that is wrong with a file, so that it is told at once,
 * in the file's order. */

/* Most mistakes that are kept; what comes after is only counted. */
#define MISTAKES_MAX 256

struct mistake {
    struct position position;
    char *text; /* owned: "guests.n1.memory: …" */
};

struct mistakes {
    const char *file; /* borrowed; NULL: lines begin with the place */
    const struct positions *positions; /* borrowed; NULL: no line and column */
    struct mistake items[MISTAKES_MAX];
    size_t count;
    size_t dropped;
};

struct mistakes *mistakes_new(const char *file,
                              const struct positions *positions);
void mistakes_free(struct mistakes *mistakes);

/* Adds one line. The same line at the same position counts once. */
void mistakes_add(struct mistakes *mistakes, const struct place *place,
                  enum positions_part part, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* True when there was no mistake; otherwise sets error: one line for each, "…
 * and N more mistakes" for what does not fit its text. */
bool mistakes_report(struct mistakes *mistakes, struct error *error);
