#pragma once

#include "base/error.h"

#include <stddef.h>

/* The simple commands of a shell script, with their words expanded as far as
 * that is possible without running anything: quotes, comments, joined lines,
 * variables and arrays that the script sets itself (and HOME, USER, LOGNAME and
 * PWD of the environment). Conditions and loops are looked through: their
 * commands come as if they ran once. */

/* Largest script, bytes. */
#define SHELLSCRIPT_MAX_BYTES (1u << 20)

struct shellscript_command {
    char **words;       /* owned; NULL-terminated */
    char **assignments; /* owned: "NAME=value" before it; NULL-terminated */
    char **notes;       /* owned: what was left out; NULL-terminated */
    char *problem;      /* owned: why some word cannot be told, or NULL */
    unsigned line;      /* where it begins, from 1 */
};

struct shellscript {
    struct shellscript_command *commands; /* owned */
    size_t count;
};

/* Reads a script. NULL on failure: what is no script (a quote without its end),
 * or too much of it; error begins with "line N: ". Never runs anything. */
struct shellscript *shellscript_read(const char *text, size_t len,
                                     struct error *error);
void shellscript_free(struct shellscript *script);
