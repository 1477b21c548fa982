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
    struct shellscript *nested; /* owned: what a shell of its own would run, by
                                 * the texts that find_text tells; or NULL */
    unsigned line;              /* where it begins, from 1 */
};

/* The first word, from that number on, that the command hands over to a shell
 * as a script ("sh -c TEXT"); *ret_argument: a word that it has as $1, or NULL.
 * -1: there is none. */
typedef int (*shellscript_text_fn)(char *const *words, int from,
                                   const char **ret_argument);

struct shellscript {
    struct shellscript_command *commands; /* owned */
    size_t count;
};

/* Reads a script. NULL on failure: what is no script (a quote without its end),
 * or too much of it; error begins with "line N: ". Never runs anything. */
struct shellscript *shellscript_read(const char *text, size_t len,
                                     struct error *error);
/* The same; texts that find_text tells are scripts again, read with the
 * variables that are exported. What is none by itself is left. */
struct shellscript *shellscript_read_nested(const char *text, size_t len,
                                            shellscript_text_fn find_text,
                                            struct error *error);
void shellscript_free(struct shellscript *script);
