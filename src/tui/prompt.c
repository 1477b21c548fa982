#include "tui/prompt.h"

#include "base/utf8.h"
#include "base/xalloc.h"
#include "tui/deck-internal.h"
#include "tui/draw.h"
#include "tui/pane.h"

#include <stdlib.h>
#include <string.h>

/* Columns that are left for typing, whatever the label. */
#define PROMPT_COLS_MIN 10

struct prompt_history {
    struct prompt_history *next;
    char *name;                      /* owned */
    char *lines[PROMPT_HISTORY_MAX]; /* owned; the newest is the last */
    size_t count;
};

struct prompt {
    struct prompt_request request;  /* its strings are owned */
    struct line_edit edit;          /* owned */
    struct prompt_history *history; /* borrowed: the deck's; NULL: none */
    size_t recalled; /* index of the line shown; the count: what was typed */
    char *typed;     /* owned; kept while another line is shown */
    int col;         /* of the cursor, as last drawn */
};

/* Histories ---------------------------------------------------------------- */

static struct prompt_history *
find_history(struct deck *deck, const char *name)
{
    if (!name)
        return NULL;
    for (struct prompt_history *history = deck->prompt_histories; history;
         history = history->next) {
        if (strcmp(history->name, name) == 0)
            return history;
    }
    struct prompt_history *history = xcalloc(1, sizeof(*history));
    history->name = xstrdup(name);
    history->next = deck->prompt_histories;
    deck->prompt_histories = history;
    return history;
}

static void
drop_line(struct prompt_history *history, size_t index)
{
    free(history->lines[index]);
    history->count--;
    memmove(history->lines + index, history->lines + index + 1,
            (history->count - index) * sizeof(*history->lines));
}

/* Puts a line last; it stands there once. */
static void
remember(struct prompt_history *history, const char *text)
{
    if (!history || !text[0])
        return;
    for (size_t i = 0; i < history->count; i++) {
        if (strcmp(history->lines[i], text) == 0)
            drop_line(history, i--);
    }
    if (history->count == PROMPT_HISTORY_MAX)
        drop_line(history, 0);
    history->lines[history->count++] = xstrdup(text);
}

/* Opening and closing ------------------------------------------------------ */

static void
prompt_free(struct prompt *prompt)
{
    free((char *)(uintptr_t)prompt->request.label);
    free((char *)(uintptr_t)prompt->request.history);
    line_edit_finish(&prompt->edit);
    free(prompt->typed);
    free(prompt);
}

/* Takes the prompt from the screen; the caller frees it. */
static struct prompt *
take(struct deck *deck)
{
    struct prompt *prompt = deck->prompt;
    deck->prompt = NULL;
    tickit_window_set_cursor_visible(deck->status_win, false);
    if (deck->focus && deck->focus->window)
        tickit_window_take_focus(deck->focus->window);
    status_changed(deck);
    arrange_cursor(deck);
    return prompt;
}

void
prompt_open(struct deck *deck, const struct prompt_request *request)
{
    prompt_cancel(deck);
    struct prompt *prompt = xcalloc(1, sizeof(*prompt));
    prompt->request = *request;
    prompt->request.label = xstrdup(request->label);
    prompt->request.history = xstrdup(request->history);
    prompt->request.text = NULL;
    prompt->history = find_history(deck, request->history);
    prompt->recalled = prompt->history ? prompt->history->count : 0;
    line_edit_set(&prompt->edit, request->text ? request->text : "");
    deck->prompt = prompt;
    deck->is_message_shown = false;
    status_changed(deck);
    arrange_cursor(deck);
    prompt_update_cursor(deck);
}

void
prompt_cancel(struct deck *deck)
{
    if (!deck->prompt)
        return;
    struct prompt *prompt = take(deck);
    if (prompt->request.on_cancel)
        prompt->request.on_cancel(deck, prompt->request.data);
    prompt_free(prompt);
}

void
prompt_accept(struct deck *deck)
{
    if (!deck->prompt)
        return;
    struct prompt *prompt = take(deck);
    const char *text = line_edit_text(&prompt->edit);
    remember(prompt->history, text);
    prompt->request.on_accept(deck, text, prompt->request.data);
    prompt_free(prompt);
}

void
prompt_finish(struct deck *deck)
{
    if (deck->prompt)
        prompt_free(deck->prompt);
    deck->prompt = NULL;
    while (deck->prompt_histories) {
        struct prompt_history *history = deck->prompt_histories;
        deck->prompt_histories = history->next;
        while (history->count)
            drop_line(history, history->count - 1);
        free(history->name);
        free(history);
    }
}

/* Editing ------------------------------------------------------------------ */

static void
show_change(struct deck *deck, bool is_new_text)
{
    struct prompt *prompt = deck->prompt;
    status_changed(deck);
    prompt_update_cursor(deck);
    if (is_new_text && prompt->request.on_change)
        prompt->request.on_change(deck, line_edit_text(&prompt->edit),
                                  prompt->request.data);
}

void
prompt_insert(struct deck *deck, const char *bytes, size_t len)
{
    line_edit_insert(&deck->prompt->edit, bytes, len);
    show_change(deck, true);
}

void
prompt_move(struct deck *deck, enum line_edit_move move)
{
    line_edit_move(&deck->prompt->edit, move);
    show_change(deck, false);
}

void
prompt_delete(struct deck *deck, enum line_edit_move move)
{
    line_edit_delete(&deck->prompt->edit, move);
    show_change(deck, true);
}

void
prompt_recall(struct deck *deck, int step)
{
    struct prompt *prompt = deck->prompt;
    const struct prompt_history *history = prompt->history;
    if (!history || (step < 0 && prompt->recalled == 0) ||
        (step > 0 && prompt->recalled >= history->count))
        return;
    if (prompt->recalled == history->count) {
        free(prompt->typed);
        prompt->typed = xstrdup(line_edit_text(&prompt->edit));
    }
    prompt->recalled = step < 0 ? prompt->recalled - 1 : prompt->recalled + 1;
    line_edit_set(&prompt->edit, prompt->recalled == history->count
                                     ? prompt->typed
                                     : history->lines[prompt->recalled]);
    show_change(deck, true);
}

/* Drawing ------------------------------------------------------------------ */

/* Where the text begins in a status line, and how much room it has. */
static int
text_col(const struct prompt *prompt, int cols, int *ret_room)
{
    const char *label = prompt->request.label;
    int col = (int)utf8_text_cols(label, strlen(label)) + 3;
    if (col > cols - PROMPT_COLS_MIN)
        col = cols > PROMPT_COLS_MIN ? cols - PROMPT_COLS_MIN : 0;
    *ret_room = cols - col > 1 ? cols - col : 1;
    return col;
}

void
prompt_draw(struct deck *deck, TickitRenderBuffer *rb, int cols)
{
    const struct prompt *prompt = deck->prompt;
    int room = 0;
    int col = text_col(prompt, cols, &room);
    size_t start = 0;
    int cursor = 0;
    line_edit_view(&prompt->edit, room, &start, &cursor);
    if (col > 0)
        draw_format(rb, 0, 0, col - 1,
                    theme_pen(deck->theme, THEME_STATUS_PREFIX), " %s ",
                    prompt->request.label);
    draw_text(rb, 0, col, room, theme_pen(deck->theme, THEME_STATUS),
              line_edit_text(&prompt->edit) + start);
}

void
prompt_update_cursor(struct deck *deck)
{
    int room = 0;
    size_t start = 0;
    int cursor = 0;
    if (!deck->prompt)
        return;
    int cols = tickit_window_cols(deck->status_win);
    int col = text_col(deck->prompt, cols, &room);
    line_edit_view(&deck->prompt->edit, room, &start, &cursor);
    tickit_window_take_focus(deck->status_win);
    tickit_window_set_cursor_position(deck->status_win, 0, col + cursor);
    tickit_window_set_cursor_visible(deck->status_win, true);
    frame_request(deck);
}
