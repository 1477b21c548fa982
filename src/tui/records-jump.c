#include "base/json.h"
#include "base/xalloc.h"
#include "tui/copy-mode.h"
#include "tui/deck-internal.h"
#include "tui/pane.h"
#include "tui/records-fill.h"
#include "tui/records.h"
#include "tui/scrub.h"

#include <stdlib.h>
#include <string.h>

/* Going to where a line stands in a console: the server knows which row the
 * line of the log became. What has left the scrollback is shown in the
 * console's past. */

struct jump {
    struct jump *next;   /* in deck->jumps */
    struct pane *pane;   /* borrowed: in the graveyard perhaps */
    int64_t offset;      /* of the line in the log */
    int64_t at_ms;       /* when it was printed; 0: not known */
    bool is_asked_twice; /* the console's width changed on the way */
};

static void
jump_free(struct jump *jump)
{
    struct jump **link = &jump->pane->deck->jumps;
    while (*link && *link != jump)
        link = &(*link)->next;
    if (*link)
        *link = jump->next;
    free(jump);
}

/* Whether somebody still waits for it. */
static bool
is_wanted(const struct jump *jump)
{
    const struct pane *pane = jump->pane;
    return pane->window && pane == pane->deck->focus && pane->deck->connection;
}

static void
go_to_past(const struct jump *jump)
{
    struct deck *deck = jump->pane->deck;
    if (jump->at_ms <= 0) {
        status_message(deck, DECK_INFO,
                       "%s: the line is not in the scrollback any more",
                       jump->pane->target);
        return;
    }
    copy_mode_leave(jump->pane);
    scrub_open_at(jump->pane, jump->at_ms);
    arrange_cursor(deck);
    status_message(deck, DECK_INFO,
                   "%s: the line has left the scrollback: this is when it was "
                   "printed",
                   jump->pane->target);
}

static void
go_to_row(const struct jump *jump, const json_t *value)
{
    struct pane *pane = jump->pane;
    const json_t *line = json_object_get(value, "line");
    int64_t history = json_integer_value(json_object_get(value, "history"));
    int64_t dropped = json_integer_value(json_object_get(value, "dropped"));
    struct place place = {
        .row = json_integer_value(json_object_get(line, "row")),
    };
    /* a view that was opened a moment ago knows nothing of it yet */
    if (pane->view.dropped + pane->view.history < dropped + history) {
        pane->view.dropped = dropped;
        pane->view.history = history;
    }
    copy_mode_go(pane, &place);
    arrange_cursor(pane->deck);
    status_changed(pane->deck);
}

static void ask(struct jump *jump);

static void
on_place(void *user, json_t *value, const struct error *error)
{
    struct jump *jump = user;
    struct pane *pane = jump->pane;
    int64_t cols = json_integer_value(json_object_get(value, "cols"));
    if (!is_wanted(jump)) {
        jump_free(jump);
        return;
    }
    if (error) {
        status_message(pane->deck, DECK_INFO, "%s: %s", pane->target,
                       error->text);
    } else if (pane->view.console_cols > 0 && cols != pane->view.console_cols &&
               !jump->is_asked_twice) {
        /* rows have other numbers at another width */
        jump->is_asked_twice = true;
        ask(jump);
        return;
    } else if (json_object_get(value, "line")) {
        go_to_row(jump, value);
    } else {
        go_to_past(jump);
    }
    jump_free(jump);
}

static void
ask(struct jump *jump)
{
    connection_execute(jump->pane->deck->connection, "console-place",
                       json_pack("{s:s,s:I}", "guest", jump->pane->target,
                                 "offset", (json_int_t)jump->offset),
                       on_place, jump);
}

void
records_jump(struct deck *deck, struct pane *pane,
             const struct records_row *row)
{
    if (!deck->connection || row->offset < 0)
        return;
    struct jump *jump = xcalloc(1, sizeof(*jump));
    jump->pane = pane;
    jump->offset = row->offset;
    jump->at_ms = row->at_ms;
    jump->next = deck->jumps;
    deck->jumps = jump;
    ask(jump);
}

void
records_jump_finish(struct deck *deck)
{
    while (deck->jumps) {
        struct jump *jump = deck->jumps;
        deck->jumps = jump->next;
        free(jump);
    }
}
