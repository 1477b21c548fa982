#pragma once

#include "base/buffer.h"
#include "cli/logreader.h"
#include "cli/strip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Prints one console's log on standard output: as text without escape
 * sequences, as the bytes it is, or each line as a JSON object. */

enum logprinter_flags {
    LOGPRINTER_RAW = 1 << 0,
    LOGPRINTER_JSON = 1 << 1,
    LOGPRINTER_TIMES = 1 << 2, /* when each line was printed */
    LOGPRINTER_NAMES = 1 << 3, /* which console it is from */
};

/* Zero-initialise it and set the first two; logprinter_finish frees it. */
struct logprinter {
    const struct logreader *reader; /* borrowed: for the names */
    unsigned flags;                 /* enum logprinter_flags */
    int name_cols;                  /* names are padded to this */
    struct strip strip;             /* owned */
    struct buffer out;              /* owned: scratch */
    struct buffer line;             /* owned: for JSON, what it has so far */
    struct logreader_piece first;   /* where the present line began */
    int64_t start;   /* its offset, escape sequences and all … */
    bool has_start;  /* … which is known */
    bool is_in_line; /* something of it was printed */
    bool has_printed;
};

/* Prints bytes, a whole line or a part, or a mark. A boot is shown where
 * something was printed before it. */
void logprinter_print(struct logprinter *printer,
                      const struct logreader_piece *piece);
/* Ends a line that has no end. */
void logprinter_end_line(struct logprinter *printer);
void logprinter_finish(struct logprinter *printer);
