#pragma once

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

/* What differs from guest to guest in a text that several get: {name} is the
 * guest's name, {index} its number among them, from 1. */

/* The longest of the words. */
#define EXPAND_WORD_MAX_BYTES 7

/* Appends text with the words filled in. */
void expand_text(const char *text, size_t len, const char *name, size_t index,
                 struct buffer *out);

/* Whether it has such a word. */
bool expand_is_needed(const char *text, size_t len);

/* How many of the last bytes may be the beginning of a word: to be kept for the
 * next piece. */
size_t expand_tail(const char *text, size_t len);
