#pragma once

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

/* What is pasted, as the guest gets it: line ends become CR, as Enter sends
 * them; in brackets (XTerm's bracketed paste) the text stays as it is, but an
 * end mark inside of it, which would end the paste early, becomes a blank, also
 * one that arrives in pieces. Zero-initialise it. */
struct paste_text {
    struct buffer bytes; /* owned */
    size_t head;         /* how many of them were given away */
    size_t given;        /* all that were given away */
    size_t lines;        /* line ends among those */
    bool is_bracketed;
    bool is_after_cr; /* an LF that follows belongs to it */
    bool is_complete;
};

void paste_text_init(struct paste_text *text, bool is_bracketed);
void paste_text_finish(struct paste_text *text);

void paste_text_add(struct paste_text *text, const char *bytes, size_t len);
/* No more is added. */
void paste_text_complete(struct paste_text *text);

/* Bytes that wait, and those of them that may go: the beginning of what may
 * become an end mark stays behind. */
size_t paste_text_waiting(const struct paste_text *text);
size_t paste_text_ready(const struct paste_text *text);
/* Those up to and with the first line's end; 0 while that has not come yet and
 * may still come. A line longer than PASTE_LINE_MAX_BYTES is cut. */
#define PASTE_LINE_MAX_BYTES (64u << 10)
size_t paste_text_line(const struct paste_text *text);

/* The bytes that wait; borrowed until the next change. */
const char *paste_text_bytes(const struct paste_text *text);
void paste_text_take(struct paste_text *text, size_t len);
/* Whether everything was given away. */
bool paste_text_is_over(const struct paste_text *text);

/* What ends a paste that is broken off: the end mark if it had begun in
 * brackets, else "". */
const char *paste_text_break_off(const struct paste_text *text);
