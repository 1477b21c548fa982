#pragma once

#include "tui/actions.h"

/* The actions of one file, sorted by name. */
struct action_table {
    const struct action *rows;
    size_t count;
};

/* One a file actions-NAME.c; actions.c lists them. */
extern const struct action_table actions_console;
extern const struct action_table actions_copy;
extern const struct action_table actions_deck;
extern const struct action_table actions_focus;
extern const struct action_table actions_guest;
extern const struct action_table actions_move;
extern const struct action_table actions_past;
extern const struct action_table actions_typing;
extern const struct action_table actions_watch;
extern const struct action_table actions_prompt;
