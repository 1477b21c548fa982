#pragma once

#include "base/error.h"
#include "fleet/positions.h"

#include <stdbool.h>
#include <stddef.h>

/* Collects everything that is wrong with a file, so that it is told at once,
 * in the file's order. */

/* Most mistakes that are kept; what comes after is only counted. */
#define MISTAKES_MAX 256

struct layers;

/* A text that mistakes are found in. */
struct mistakes_text {
    const char *file; /* borrowed; NULL: lines begin with the place */
    const struct positions *positions; /* borrowed; NULL: no line and column */
    unsigned order; /* of several texts: whose mistakes are told first */
};

struct mistake {
    const struct mistakes_text *where; /* borrowed */
    struct position position;
    char *text; /* owned: "guests.n1.memory: …"; or the whole line */
    bool is_line;
};

struct mistakes {
    struct mistakes_text own;          /* for mistakes_new's text */
    const struct mistakes_text *where; /* what places are in now; borrowed */
    /* What the entry that is being read was merged of: places in it are told
     * as those of the file they come from. NULL: nothing. Borrowed. */
    const struct layers *layers;
    struct mistake items[MISTAKES_MAX];
    size_t count;
    size_t dropped;
};

/* file, positions: borrowed, as long as the mistakes are. Texts that where is
 * set to must live as long. */
struct mistakes *mistakes_new(const char *file,
                              const struct positions *positions);
void mistakes_free(struct mistakes *mistakes);

/* Adds one line. The same line at the same position counts once. */
void mistakes_add(struct mistakes *mistakes, const struct place *place,
                  enum positions_part part, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Adds a line that has its place in itself, before all others of that text. */
void mistakes_add_line(struct mistakes *mistakes,
                       const struct mistakes_text *where, const char *line);

/* Adds a line that has its place in itself, at a position of that text. */
void mistakes_add_line_at(struct mistakes *mistakes,
                          const struct mistakes_text *where,
                          struct position position, const char *line);

/* Whether what stands at a place of the entry that is being read comes from
 * elsewhere than the guest's own entry: the defaults or a template. */
bool mistakes_is_inherited(const struct mistakes *mistakes,
                           const struct place *place);

/* How many there were, told or not. */
size_t mistakes_count(const struct mistakes *mistakes);

/* All that are kept, a line each, "… and N more mistakes" for what is not. The
 * caller frees it. */
char *mistakes_text(struct mistakes *mistakes);

/* True when there was no mistake; otherwise sets error: one line for each, "…
 * and N more mistakes" for what does not fit its text. */
bool mistakes_report(struct mistakes *mistakes, struct error *error);
