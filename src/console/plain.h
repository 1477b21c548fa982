#pragma once

#include "base/buffer.h"
#include "console/parser.h"

#include <stdbool.h>
#include <stddef.h>

/* A console's bytes as lines of plain text, the way a person reads a log:
 * escape sequences and strings are left out, \r and \b move within the line,
 * other controls vanish, tabs become blanks, malformed UTF-8 becomes U+FFFD.
 * Where the cursor leaves the line by other means (it is positioned, the screen
 * is erased) a line ends too. Works on bytes that come in any pieces. For
 * searching and for `logs`; it is no emulator and knows no width. */

/* Longest line, bytes; a longer one is taken for several. */
#define PLAIN_LINE_MAX_BYTES 4096

/* Zeroed is an empty one. */
struct plain {
    struct buffer line; /* owned: what stands on the line now; valid UTF-8 */
    size_t at;          /* where the next character goes */
    bool is_full;       /* what is overwritten grew beyond the end */
    bool is_done;       /* the line ended */
    size_t fed;         /* bytes that the line had so far … */
    size_t text_at;     /* … and before its first character */
    struct parser parser;
};

void plain_finish(struct plain *plain);

/* Takes bytes up to and including the next line end. Returns how many (none
 * when the line was full already); *ret_done says whether a line end came:
 * plain->line is the finished line then, until plain_next_line. */
size_t plain_feed(struct plain *plain, const char *bytes, size_t len,
                  bool *ret_done);
void plain_next_line(struct plain *plain);
