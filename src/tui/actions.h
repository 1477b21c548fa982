#pragma once

#include <stdbool.h>
#include <stddef.h>

struct deck;

/* What the operator can do, by name: from a key, the mouse or the palette. */
struct action {
    const char *name;
    const char *summary;
    void (*run)(struct deck *deck, int argument);
    int argument;
};

extern const struct action actions[];
extern const size_t actions_count;

/* NULL when there is none; *ret_nearest (may be NULL) then is what was
 * probably meant, or NULL. */
const struct action *action_find(const char *name, const char **ret_nearest);
