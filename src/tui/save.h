#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* A text into a file of the operator's. */

enum save_flags {
    SAVE_NEW = 0,          /* the file must not exist */
    SAVE_REPLACE = 1 << 0, /* it may */
};

/* The path with "~/" as the home directory. The caller frees it. */
char *save_expand_path(const char *path);

/* Whether something is there already. */
bool save_exists(const char *path);

/* Writes text and, when it ends in none, a newline, mode 0600. A file that is
 * replaced is either the old or the whole new one. error: Exists when it may
 * not exist but does. */
bool save_text_file(const char *path, const char *text, size_t len,
                    unsigned flags, struct error *error);
