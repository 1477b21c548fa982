#pragma once

#include "base/error.h"

#include <stddef.h>

#include <jansson.h>

/* Sets error to what jansson found wrong with a text, "FILE:LINE:COL: …",
 * where the place is that of the token it could not read (jansson's own
 * column is of the token's end), with a hint for what people get wrong most.
 * file: as it shall be named. */
void syntax_set_error(const char *file, const char *text, size_t len,
                      const json_error_t *fault, struct error *error);
