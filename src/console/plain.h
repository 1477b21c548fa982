#pragma once

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

/* A console's bytes as lines of plain text, the way a person reads a log:
 * escape sequences and strings are left out, \r and \b move within the line,
 * other controls vanish, tabs become blanks. Works on bytes that come in any
 * pieces. For searching and for `logs`; it is no emulator and knows no width.
 */

/* Longest line, bytes; the rest of a longer one is dropped. */
#define PLAIN_LINE_MAX_BYTES 4096

enum plain_state {
    PLAIN_STATE_TEXT,
    PLAIN_STATE_ESCAPE,
    PLAIN_STATE_CSI,
    PLAIN_STATE_STRING,        /* OSC, DCS, SOS, PM, APC */
    PLAIN_STATE_STRING_ESCAPE, /* an ESC inside: \ ends the string */
};

struct plain {
    struct buffer line; /* owned: what stands on the line now */
    size_t at;          /* where the next byte goes */
    size_t swallowed;   /* bytes of the string so far */
    enum plain_state state;
};

void plain_finish(struct plain *plain); /* zeroed is an empty one */

/* Takes bytes up to and including the next line end. Returns how many;
 * *ret_done says whether a line end came: plain->line is the finished line
 * then, until plain_next_line. */
size_t plain_feed(struct plain *plain, const char *bytes, size_t len,
                  bool *ret_done);
void plain_next_line(struct plain *plain);
