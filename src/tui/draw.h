#pragma once

#include "base/buffer.h"

#include <stddef.h>

#include <tickit.h>

/* Writes foreign or own text into a render buffer so that every layer agrees
 * on its width: what libtickit, the C library's wcwidth (that is, curses) and
 * utf8proc measure differently is shown as U+FFFD. */

/* One line of text, made printable, at most cols columns; a cut ends in "…".
 * Returns the columns used. */
int draw_text(TickitRenderBuffer *rb, int row, int col, int cols,
              const TickitPen *pen, const char *text);
int draw_format(TickitRenderBuffer *rb, int row, int col, int cols,
                const TickitPen *pen, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* Blanks. */
void draw_fill(TickitRenderBuffer *rb, int row, int col, int cols,
               const TickitPen *pen);
/* The same character, cols times. */
void draw_repeat(TickitRenderBuffer *rb, int row, int col, int cols,
                 const TickitPen *pen, const char *character);

/* Text that is printable already, cell for cell as the server measured it, in
 * the current pen. */
void draw_cells(TickitRenderBuffer *rb, int row, int col, const char *text,
                size_t len);

/* The text that draw_cells writes for printable text: itself, when it is plain;
 * else what every layer agrees on, built in fit (the caller's to finish). *len:
 * bytes of text, then of the result. */
const char *draw_fit(const char *text, size_t *len, struct buffer *fit);

/* How many bytes of printable text fill at most cols columns: cut after a
 * space when there is one in the second half. At least one character. */
size_t draw_wrap_point(const char *text, int cols);
