#include "tui/actions-internal.h"
#include "tui/copy-mode.h"
#include "tui/deck-internal.h"
#include "tui/pane.h"
#include "tui/records-fill.h"
#include "tui/records.h"
#include "tui/search.h"
#include "tui/watching.h"

/* Actions about what happened while nobody looked. */

static void
run_alerts(struct deck *deck, int argument)
{
    (void)argument;
    records_open(deck, RECORDS_ALERTS, "alerts");
    records_fill_alerts(deck);
}

static void
run_timeline(struct deck *deck, int argument)
{
    (void)argument;
    records_open_timeline(deck);
}

/* Around the row of a list that is chosen. */
static void
run_around(struct deck *deck, int argument)
{
    (void)argument;
    const struct records_row *row = records_chosen(deck->records);
    if (row && records_kind(deck->records) == RECORDS_SEARCH)
        search_around(deck, row);
    else if (row)
        records_open_around(deck, row->at_ms, row->target, row->offset);
}

/* Around the line that is looked at in a console's scrollback. */
static void
run_here(struct deck *deck, int argument)
{
    (void)argument;
    struct pane *pane = deck->focus;
    int row = 0;
    int col = 0;
    if (!pane || !copy_mode_cursor(pane, &row, &col))
        return;
    records_open_here(deck, pane->target, "row", pane->view.top + row);
}

static void
run_watch(struct deck *deck, int argument)
{
    (void)argument;
    watching_menu(deck);
}

static void
run_filter(struct deck *deck, int argument)
{
    (void)argument;
    if (deck->records)
        records_edit_filter(deck);
}

static void
run_filter_guest(struct deck *deck, int argument)
{
    (void)argument;
    if (deck->records)
        records_filter_guest(deck);
}

/* argument: all of them. */
static void
run_clear(struct deck *deck, int argument)
{
    const struct records_row *row = records_chosen(deck->records);
    if (!deck->records || records_kind(deck->records) != RECORDS_ALERTS)
        return;
    if (deck->options->is_read_only) {
        status_message(deck, DECK_WARNING, "read-only: alerts stay");
        return;
    }
    if (argument)
        link_command(deck, "alert-clear", json_object());
    else if (row)
        link_command(deck, "alert-clear",
                     json_pack("{s:I}", "id", (json_int_t)row->id));
}

static const struct action rows[] = {
    {"alerts", "show the alerts", run_alerts, 0},
    {"records-clear", "clear the alert", run_clear, 0},
    {"records-clear-all", "clear all alerts", run_clear, 1},
    {"records-filter", "show only what contains a text", run_filter, 0},
    {"records-filter-guest", "show only this guest, and all again",
     run_filter_guest, 0},
    {"timeline", "show all that was printed and happened, by time",
     run_timeline, 0},
    {"timeline-around", "show all around this moment", run_around, 0},
    {"timeline-here", "show what others printed around this line", run_here, 0},
    {"watch", "be told of silence, or of the next output", run_watch, 0},
};

const struct action_table actions_watch = {
    .rows = rows,
    .count = sizeof(rows) / sizeof(*rows),
};
