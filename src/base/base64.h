#pragma once

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

/* Base64 (RFC 4648, section 4, with padding): bytes that JSON cannot carry. */

/* Appends the encoded form. */
void base64_encode(const void *data, size_t len, struct buffer *out);

/* Appends the decoded bytes; false, with out untouched, when text is no
 * base64: wrong characters, wrong length, misplaced padding. */
bool base64_decode(const char *text, size_t len, struct buffer *out);
