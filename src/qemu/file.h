#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Whole files, read within a limit. */

/* Reads a regular file of at most max_bytes. The content is zero-terminated
 * and the caller's; NULL with error. */
char *file_read(const char *path, size_t max_bytes, size_t *ret_len,
                struct error *error);

/* Writes a small private file (0600) so that a reader sees the old or the new
 * content whole; a symbolic link that has the name is replaced, not followed.
 */
bool file_write(const char *path, const char *data, size_t len,
                struct error *error);
