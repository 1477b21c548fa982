#pragma once

#include "fleet/mistakes.h"

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* {name} and {index} in the strings of a guest's entry: its name and its number
 * among those of one entry, from 0. {index+N} is the number and N. With double
 * braces, and behind a dollar sign (a variable's), they are left alone:
 * {{name}} becomes {name}, ${name} stays. Other braces are nothing special. */

/* Where nothing has an index. */
#define PLACEHOLDERS_NO_INDEX (-1)

/* Longest string with its placeholders replaced, bytes. */
#define PLACEHOLDERS_MAX_BYTES (512u << 10)

/* Whether a text has {index} or {index+N} to be replaced. */
bool placeholders_has_index(const char *text);

/* Whether any string of a value has something to be replaced. */
bool placeholders_are_in(const json_t *value);

/* The text of count bytes with what stands for a name and a number; NULL when
 * it has an index and there is none, or is too long. The caller frees it. */
char *placeholders_expand(const char *text, const char *name, int index);

/* The text that placeholders_expand turns back into this one. The caller frees
 * it. */
char *placeholders_escape(const char *text);

/* Replaces them in all strings of a value, which is nobody else's. What cannot
 * be replaced is a mistake at its place. */
void placeholders_fill(json_t *value, const char *name, int index,
                       const struct place *place, struct mistakes *mistakes);
