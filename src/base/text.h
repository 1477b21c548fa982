#pragma once

#include <stdbool.h>
#include <stddef.h>

/* What is done to make foreign text fit to show. */
enum text_flags {
    TEXT_ONE_LINE = 0,        /* line ends and tabs become spaces */
    TEXT_KEEP_LINES = 1 << 0, /* \n stays */
};

/* Makes any bytes fit to show on a terminal: guest names, QMP strings, QEMU's
 * stderr, titles. Invalid UTF-8, C0 and C1 controls, bidi controls, zero-width
 * and unassigned characters become U+FFFD, or vanish where they have no width;
 * \r\n becomes \n; at most max_cols columns a line are kept (0: no limit), a
 * cut is marked by "…". The caller frees the result; never NULL. */
char *text_printable(const char *text, size_t len, size_t max_cols,
                     unsigned flags);

/* Whether text is a name for a guest, server, template …:
 * ^[A-Za-z0-9][A-Za-z0-9._-]{0,47}$ */
bool text_is_name(const char *text);
