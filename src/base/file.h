#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Whole files, read within a limit, and written so that nobody sees half. */

/* Reads a regular file of at most max_bytes; no pipe or device is waited for.
 * The content is zero-terminated and the caller's; NULL with error. */
char *file_read(const char *path, size_t max_bytes, size_t *ret_len,
                struct error *error);

enum file_flags {
    FILE_SYNCED = 0,
    FILE_VOLATILE = 1 << 0, /* without the fsync, some ms faster: for what a
                             * crash of the machine makes worthless anyway */
    FILE_PERSONS = 1 << 1,  /* in a directory of the user's: replaces a regular
                             * file only, and takes no file for a left-over */
};

/* Writes a small private file (0600) so that a reader sees the old or the new
 * content whole: a temporary file beside it, fsync, rename. A symbolic link
 * that has the name is replaced, not followed. flags: enum file_flags. */
bool file_write(const char *path, const char *data, size_t len, unsigned flags,
                struct error *error);
/* Makes a private file where nothing has the name yet (EXISTS otherwise), whole
 * or not at all. */
bool file_create(const char *path, const char *data, size_t len,
                 struct error *error);
