#pragma once

#include "base/error.h"

#include <stddef.h>

/* Command lines as people write them for a POSIX shell, and back. */

/* Most words in a command, and most bytes of all of them together. */
#define SHELLWORDS_MAX_WORDS 4096
#define SHELLWORDS_MAX_BYTES (1u << 20)

/* Splits text into words as a POSIX shell does (XCU 2.2, quoting): blanks and
 * line ends separate, single and double quotes and backslashes quote, a
 * backslash at a line's end joins lines, # begins a comment. What needs a real
 * shell is refused and named: variables, command substitution, pipes, lists,
 * redirections, globs, braces, a leading ~. An & at the very end is dropped.
 * NULL-terminated; the caller frees it with shellwords_free. NULL on failure;
 * *ret_offset (may be NULL) is then the byte where the fault lies. */
char **shellwords_split(const char *text, size_t *ret_offset,
                        struct error *error);
void shellwords_free(char **words);

size_t shellwords_count(char *const *words);
char **shellwords_copy(char *const *words);

/* One line that a shell splits into the same words. The caller frees it. */
char *shellwords_join(char *const *words);
