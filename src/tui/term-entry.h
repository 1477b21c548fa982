#pragma once

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

/* A terminal's terminfo entry with a shorter way to the next row. curses moves
 * down by LF never, since a tty may turn it into CR LF, and goes to the next
 * row by "\r\033[46d": six bytes a row instead of two, which is all that a
 * scrolling log costs beyond its text. VT means the same as LF (VT100 User
 * Guide, "Control Characters"; XTerm Control Sequences; console_codes(4)), and
 * no tty touches it: an entry that moves down (cud1) by LF gets VT instead. */

/* Patches a compiled entry (term(5), both number formats) in place. False when
 * it is not one, moves down by something else, or is not of the ANSI family. */
bool term_entry_patch(char *entry, size_t len);

/* Makes *ret_value what TERMINFO has to be for newterm() to find the patched
 * entry of that type. False when there is none to patch. */
bool term_entry_find(const char *type, struct buffer *ret_value);
