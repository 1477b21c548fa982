#pragma once

#include "base/buffer.h"
#include "base/error.h"

#include <stddef.h>

#include <jansson.h>

/* Reads standard input to its end; refused beyond max_bytes. */
bool input_read_all(size_t max_bytes, struct buffer *content,
                    struct error *error);

/* A JSON object given as a word, or "-": on standard input. New reference; NULL
 * with the place of the mistake in error. */
json_t *input_json(const char *word, struct error *error);
