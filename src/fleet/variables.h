#pragma once

#include <jansson.h>

/* Environment variables in the paths of fleet files: ${NAME}, and
 * ${NAME:-default} for one that may be missing or empty. $${ stands for ${;
 * other dollar signs are nothing special. */

/* Longest expanded path, bytes. */
#define VARIABLES_MAX_BYTES 4096

struct variables {
    const json_t *values; /* borrowed: an object of strings; NULL: this
                           * process's environment */
    json_t *used; /* borrowed, or NULL: an object that gets those that were
                   * asked for and have a value */
};

/* The text with its variables expanded, the caller's; NULL with *ret_problem,
 * the caller's too: what is wrong with it. */
char *variables_expand(const struct variables *variables, const char *text,
                       char **ret_problem);

/* The absolute path that a text stands for. directory: where relative ones
 * start. variables NULL: dollar signs are nothing special. NULL with
 * *ret_problem, the caller's. */
char *variables_path(const struct variables *variables, const char *text,
                     const char *directory, char **ret_problem);
