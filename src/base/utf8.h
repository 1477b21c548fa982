#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* U+FFFD, what stands for a byte that is no part of valid UTF-8. */
#define UTF8_REPLACEMENT 0xFFFDu

/* Decodes the character at text (len > 0 bytes). *ret_codepoint becomes it,
 * or UTF8_REPLACEMENT for an invalid sequence (over-long forms, surrogates
 * and values above U+10FFFF are invalid). Returns how many bytes it took, at
 * least 1; 0 when the sequence is valid so far but cut off by len. */
size_t utf8_decode(const char *text, size_t len, uint32_t *ret_codepoint);

/* Writes the UTF-8 form (at most 4 bytes, no terminator); returns its length.
 * Surrogates and values above U+10FFFF come out as U+FFFD. */
size_t utf8_encode(uint32_t codepoint, char bytes[4]);

/* Whether len bytes are valid UTF-8. On false *ret_offset (may be NULL) is
 * the place of the first bad byte. */
bool utf8_is_valid(const char *text, size_t len, size_t *ret_offset);

/* Terminal columns of one character: 0 (combining and zero-width), 1 or 2
 * (East Asian wide and emoji), as utf8proc's tables say, but as the C library
 * does for conjoining jamo (0) and spacing marks (1); unassigned ones count 1;
 * -1 for controls, surrogates and what has no place on a screen. */
int utf8_width(uint32_t codepoint);

/* Whether Unicode (as utf8proc knows it) has given it a meaning. */
bool utf8_is_assigned(uint32_t codepoint);

/* Whether it is a letter in upper (or title) case. */
bool utf8_is_upper(uint32_t codepoint);

/* Columns of a whole valid string; controls count nothing. */
size_t utf8_text_cols(const char *text, size_t len);

/* Where in a text a column begins: how many bytes stand before it. */
size_t utf8_col_offset(const char *text, int64_t col);

/* Whether the character adds to the one before it without a column of its own:
 * marks, variation selectors, conjoining jamo. No spacing marks, no format
 * characters (bidi controls, joiners, zero-width spaces). */
bool utf8_is_combining(uint32_t codepoint);
