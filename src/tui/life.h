#pragma once

#include "client/mirror.h"

#include <stddef.h>
#include <stdint.h>

/* What is said of a guest's life beside its state: how far its boot is. */

/* Instead of the state in the list, at most 8 columns; NULL: the state it is.
 * Constant, or written to text. */
const char *life_label(const struct mirror_guest *guest, int64_t now_ms,
                       char *text, size_t size);

/* Behind the state in a pane's title; "": nothing. */
void life_title(const struct mirror_guest *guest, int64_t now_ms, char *text,
                size_t size);

/* A line among the facts: "login after 12s"; "": nothing. */
void life_fact(const struct mirror_guest *guest, char *text, size_t size);
