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

/* Going to where a line stands in a console. A log's offset says nothing about
 * the row that a line became; but the lines that read the same and came later,
 * it itself among them, are counted in the log, and the row is the last of as
 * many that are found from the newest row up. What has left the scrollback is
 * shown in the console's past. */

/* Lines that read the same; with more the past is shown. */
#define SAME_MAX 1000

struct jump {
    struct jump *next; /* in deck->jumps */
    struct pane *pane; /* borrowed: in the graveyard perhaps */
    char *text;        /* owned */
    size_t bytes;
    int64_t offset; /* -1: the newest line that reads so is meant */
    int64_t at_ms;
    int64_t at;   /* where to go on in the log */
    size_t count; /* lines found there */
};

static void
jump_free(struct jump *jump)
{
    struct jump **link = &jump->pane->deck->jumps;
    while (*link && *link != jump)
        link = &(*link)->next;
    if (*link)
        *link = jump->next;
    free(jump->text);
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

static json_t *
search_arguments_for(const struct jump *jump)
{
    return json_pack("{s:s,s:o,s:s}", "guest", jump->pane->target, "pattern",
                     json_from_bytes(jump->text, jump->bytes), "case",
                     "sensitive");
}

static void
on_row(void *user, json_t *value, const struct error *error)
{
    struct jump *jump = user;
    struct deck *deck = jump->pane->deck;
    const json_t *lines = json_object_get(value, "lines");
    const json_t *line = json_array_get(lines, jump->count - 1);
    if (!is_wanted(jump)) {
        jump_free(jump);
        return;
    }
    if (error) {
        status_message(deck, DECK_INFO, "%s: %s", jump->pane->target,
                       error->text);
    } else if (!line) {
        go_to_past(jump);
    } else {
        struct place place = {
            .row = json_integer_value(json_object_get(line, "row")),
        };
        copy_mode_go(jump->pane, &place);
        arrange_cursor(deck);
        status_changed(deck);
    }
    jump_free(jump);
}

static void
find_row(struct jump *jump)
{
    json_t *arguments = search_arguments_for(jump);
    json_object_set_new(arguments, "backwards", json_true());
    json_object_set_new(arguments, "max",
                        json_integer((json_int_t)jump->count));
    connection_execute(jump->pane->deck->connection, "console-search",
                       arguments, on_row, jump);
}

static void count_lines(struct jump *jump);

static void
on_lines(void *user, json_t *value, const struct error *error)
{
    struct jump *jump = user;
    const json_t *lines = json_object_get(value, "lines");
    const json_t *first = json_array_get(lines, 0);
    int64_t next = json_integer_value(json_object_get(value, "next-offset"));
    int64_t size = json_integer_value(json_object_get(value, "size"));
    if (!is_wanted(jump)) {
        jump_free(jump);
        return;
    }
    bool is_first = jump->count == 0;
    jump->count += json_array_size(lines);
    if (error || (is_first && json_integer_value(json_object_get(
                                  first, "offset")) != jump->offset)) {
        /* what was cut off, or begins elsewhere, cannot be counted */
        jump->count = 1;
        find_row(jump);
    } else if (jump->count > SAME_MAX) {
        go_to_past(jump);
        jump_free(jump);
    } else if (next > jump->at && next < size) {
        jump->at = next;
        count_lines(jump);
    } else {
        find_row(jump);
    }
}

static void
count_lines(struct jump *jump)
{
    json_t *arguments = search_arguments_for(jump);
    json_object_set_new(arguments, "offset", json_integer(jump->at));
    json_object_set_new(arguments, "max", json_integer(SAME_MAX + 1));
    connection_execute(jump->pane->deck->connection, "console-log-search",
                       arguments, on_lines, jump);
}

void
records_jump(struct deck *deck, struct pane *pane,
             const struct records_row *row)
{
    const char *line = row->line;
    size_t len = strlen(line);
    while (len > 0 && line[len - 1] == ' ')
        len--;
    /* what did not fit ends in a mark of ours */
    static const char cut[] = "…";
    size_t cut_len = sizeof(cut) - 1;
    if (len > cut_len && memcmp(line + len - cut_len, cut, cut_len) == 0)
        len -= cut_len;
    if (!deck->connection || len == 0)
        return;
    struct jump *jump = xcalloc(1, sizeof(*jump));
    jump->pane = pane;
    jump->text = xstrndup(line, len);
    jump->bytes = len;
    jump->offset = row->offset;
    jump->at = row->offset;
    jump->at_ms = row->at_ms;
    jump->next = deck->jumps;
    deck->jumps = jump;
    if (row->offset >= 0) {
        count_lines(jump);
        return;
    }
    jump->count = 1;
    find_row(jump);
}

void
records_jump_finish(struct deck *deck)
{
    while (deck->jumps) {
        struct jump *jump = deck->jumps;
        deck->jumps = jump->next;
        free(jump->text);
        free(jump);
    }
}
