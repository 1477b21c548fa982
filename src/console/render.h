#pragma once

#include "base/buffer.h"
#include "console/terminal.h"

enum render_flags {
    RENDER_PLAIN = 0,
    RENDER_ANSI = 1 << 0,         /* SGR sequences keep the styles */
    RENDER_JOIN_WRAPPED = 1 << 1, /* soft-wrapped rows become one line */
};

/* Appends rows first..last (terminal_read_row's numbers, both included, clamped
 * to what exists) as lines, trailing blanks cut, each with \n. For `guestmux
 * capture`, copying, and tests. */
void render_rows(struct terminal *terminal, int first, int last, unsigned flags,
                 struct buffer *out);

/* The same, but ends once there are more than max_bytes; returns whether these
 * were all rows. */
bool render_rows_within(struct terminal *terminal, int first, int last,
                        unsigned flags, size_t max_bytes, struct buffer *out);
