#pragma once

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

/* Takes a console's bytes, in any pieces, and lets through what can be shown on
 * a terminal safely: printable UTF-8, tabs and line ends. Escape sequences and
 * strings vanish whole, \r\n and lone \r become \n. */

enum strip_flags {
    STRIP_ALL = 0,
    STRIP_KEEP_SGR = 1 << 0, /* ESC [ digits ; : m stays */
    STRIP_EDITING = 1 << 1,  /* backspaces stay, and what erases the rest of the
                              * line erases one character: enough to follow a
                              * shell's line editor */
};

/* Zero-initialise it; strip_finish frees it. */
struct strip {
    unsigned flags;        /* enum strip_flags */
    int state;             /* what the last byte was part of */
    size_t swallowed;      /* bytes of the present string */
    bool has_carriage;     /* a \r waits for what follows */
    struct buffer partial; /* owned: an unfinished character or SGR */
};

void strip_finish(struct strip *strip);

/* Appends what is fit to show to out. */
void strip_feed(struct strip *strip, const char *bytes, size_t len,
                struct buffer *out);
