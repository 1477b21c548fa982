#include "tui/actions.h"

#include "base/nearest.h"
#include "tui/actions-internal.h"

#include <string.h>

static const struct action_table *const tables[] = {
    &actions_console, &actions_copy,  &actions_deck, &actions_focus,
    &actions_guest,   &actions_move,  &actions_past, &actions_prompt,
    &actions_typing,  &actions_watch,
};

#define TABLE_COUNT (sizeof(tables) / sizeof(*tables))

size_t
actions_count(void)
{
    size_t count = 0;
    for (size_t i = 0; i < TABLE_COUNT; i++)
        count += tables[i]->count;
    return count;
}

const struct action *
actions_at(size_t index)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (index < tables[i]->count)
            return &tables[i]->rows[index];
        index -= tables[i]->count;
    }
    return NULL;
}

const struct action *
action_find(const char *name, const char **ret_nearest)
{
    const char *names[ACTIONS_MAX];
    size_t count = actions_count();
    for (size_t i = 0; i < count && i < ACTIONS_MAX; i++) {
        const struct action *action = actions_at(i);
        names[i] = action->name;
        if (strcmp(name, action->name) == 0)
            return action;
    }
    if (ret_nearest)
        *ret_nearest = nearest_name(name, names,
                                    count < ACTIONS_MAX ? count : ACTIONS_MAX);
    return NULL;
}
