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

/* Most actions there can be. */
#define ACTIONS_MAX 256

/* How many there are. */
size_t actions_count(void);

/* The actions one by one, in the order of their tables; index below
 * actions_count. */
const struct action *actions_at(size_t index);

/* NULL when there is none; *ret_nearest (may be NULL) then is what was
 * probably meant, or NULL. */
const struct action *action_find(const char *name, const char **ret_nearest);
