#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether a text is YAML of the form that cloud-init reads: one document with a
 * mapping at its top. */

struct yaml_key {
    const char *name; /* looked for among the top's keys */
    bool is_there;
    size_t line; /* where the top mapping begins, from 0 */
    size_t column;
    bool is_flow; /* it is written {…} */
};

/* False with the place and what is wrong: "3:5: found a tab …" (line and column
 * from 1). key: may be NULL; else filled. */
bool yaml_check(const char *text, size_t len, struct yaml_key *key,
                struct error *error);
