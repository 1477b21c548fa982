#pragma once

#include "tui/line-edit.h"

#include <stddef.h>

#include <tickit.h>

struct deck;

/* A question of one line, asked in the status line. Keys edit what is typed
 * (keymap mode "prompt"); what was answered before comes back with the arrows.
 * While it is open nothing else has the keyboard. */
struct prompt;

/* Lines that one history keeps. */
#define PROMPT_HISTORY_MAX 50

struct prompt_request {
    const char *label;   /* what is asked: "search all" */
    const char *history; /* lines of that name come back; NULL: none do */
    const char *text;    /* to begin with; NULL: nothing */
    /* Enter: text is what was typed, "" as well. The prompt is closed already;
     * another one may be opened. */
    void (*on_accept)(struct deck *deck, const char *text, void *data);
    /* The text changed. May be NULL. */
    void (*on_change)(struct deck *deck, const char *text, void *data);
    /* Escape, or another prompt takes its place. May be NULL. */
    void (*on_cancel)(struct deck *deck, void *data);
    void *data; /* borrowed: lives as long as the prompt */
};

/* Opens it; strings are copied. */
void prompt_open(struct deck *deck, const struct prompt_request *request);
/* Closes it without an answer; nothing happens when there is none. */
void prompt_cancel(struct deck *deck);
void prompt_accept(struct deck *deck);

void prompt_insert(struct deck *deck, const char *bytes, size_t len);
void prompt_move(struct deck *deck, enum line_edit_move move);
void prompt_delete(struct deck *deck, enum line_edit_move move);
/* Shows what was answered before (-1), or after it again (1). */
void prompt_recall(struct deck *deck, int step);

/* The status line, which is cols wide, while a prompt is open. */
void prompt_draw(struct deck *deck, TickitRenderBuffer *rb, int cols);
/* Puts the terminal's cursor where typing goes. */
void prompt_update_cursor(struct deck *deck);

/* Forgets the histories, and a prompt without telling. */
void prompt_finish(struct deck *deck);
