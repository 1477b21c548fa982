#pragma once

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Writes a recording of a terminal in asciinema's format, asciicast v2
 * (docs.asciinema.org/manual/asciicast/v2): a header, then an event a line,
 * with times that never go back. */
struct cast {
    FILE *file; /* borrowed */
    int64_t start_ms;
    int64_t last_ms;
    int cols;
    int rows;
    struct buffer pending; /* owned: an unfinished UTF-8 character */
};

struct cast_header {
    int cols;
    int rows;
    int64_t start_ms;  /* since 1970 */
    int64_t idle_ms;   /* longest pause that is played; 0: as it was */
    const char *title; /* borrowed */
};

void cast_begin(struct cast *cast, FILE *file,
                const struct cast_header *header);
/* Bytes as the guest sent them; what is no UTF-8 becomes U+FFFD. ms 0: as the
 * event before. */
void cast_output(struct cast *cast, int64_t ms, const char *bytes, size_t len);
void cast_resize(struct cast *cast, int64_t ms, int cols, int rows);
void cast_marker(struct cast *cast, int64_t ms, const char *label);
/* Ends what is unfinished, and frees what it holds. False when something could
 * not be written. */
bool cast_finish(struct cast *cast);
