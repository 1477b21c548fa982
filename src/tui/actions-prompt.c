#include "tui/actions-internal.h"
#include "tui/deck-internal.h"
#include "tui/prompt.h"

static void
run_move(struct deck *deck, int argument)
{
    if (deck->prompt)
        prompt_move(deck, (enum line_edit_move)argument);
}

static void
run_delete(struct deck *deck, int argument)
{
    if (deck->prompt)
        prompt_delete(deck, (enum line_edit_move)argument);
}

static void
run_recall(struct deck *deck, int argument)
{
    if (deck->prompt)
        prompt_recall(deck, argument);
}

static void
run_accept(struct deck *deck, int argument)
{
    (void)argument;
    prompt_accept(deck);
}

static void
run_cancel(struct deck *deck, int argument)
{
    (void)argument;
    prompt_cancel(deck);
}

static const struct action rows[] = {
    {"edit-accept", "take what is typed", run_accept, 0},
    {"edit-cancel", "leave without it", run_cancel, 0},
    {"edit-delete", "delete the character at the cursor", run_delete,
     LINE_EDIT_RIGHT},
    {"edit-delete-back", "delete the character before", run_delete,
     LINE_EDIT_LEFT},
    {"edit-delete-end", "delete all behind the cursor", run_delete,
     LINE_EDIT_END},
    {"edit-delete-start", "delete all before the cursor", run_delete,
     LINE_EDIT_START},
    {"edit-delete-word", "delete the word before", run_delete,
     LINE_EDIT_WORD_LEFT},
    {"edit-end", "to the line's end", run_move, LINE_EDIT_END},
    {"edit-left", "a character to the left", run_move, LINE_EDIT_LEFT},
    {"edit-newer", "the line that was typed after", run_recall, 1},
    {"edit-older", "the line that was typed before", run_recall, -1},
    {"edit-right", "a character to the right", run_move, LINE_EDIT_RIGHT},
    {"edit-start", "to the line's start", run_move, LINE_EDIT_START},
    {"edit-word-left", "a word to the left", run_move, LINE_EDIT_WORD_LEFT},
    {"edit-word-right", "a word to the right", run_move, LINE_EDIT_WORD_RIGHT},
};

const struct action_table actions_prompt = {
    .rows = rows,
    .count = sizeof(rows) / sizeof(*rows),
};
