#include "base/json.h"
#include "base/xalloc.h"
#include "tui/copy-mode.h"
#include "tui/deck-internal.h"
#include "tui/pane.h"
#include "tui/records-fill.h"

#include <stdlib.h>
#include <string.h>

/* Going to where a line stands in a console. The log's offset of a line says
 * nothing about the row that it became, so that it is looked for by its
 * text. */

static void
on_found(void *user, json_t *value, const struct error *error)
{
    struct pane *pane = user; /* in the graveyard perhaps */
    struct deck *deck = pane->deck;
    const json_t *line = json_array_get(json_object_get(value, "lines"), 0);
    if (!pane->window || pane != deck->focus)
        return;
    if (error || !line) {
        status_message(deck, DECK_INFO, "%s: %s", pane->target,
                       error ? error->text
                             : "the line is not in the scrollback any more");
        return;
    }
    struct place place = {
        .row = json_integer_value(json_object_get(line, "row")),
    };
    copy_mode_go(pane, &place);
    arrange_cursor(deck);
    status_changed(deck);
}

void
records_jump(struct deck *deck, struct pane *pane, const char *line)
{
    size_t len = strlen(line);
    while (len > 0 && line[len - 1] == ' ')
        len--;
    if (!deck->connection || len == 0)
        return;
    /* what did not fit ends in a mark of ours */
    static const char cut[] = "…";
    size_t cut_len = sizeof(cut) - 1;
    if (len > cut_len && memcmp(line + len - cut_len, cut, cut_len) == 0)
        len -= cut_len;
    connection_execute(deck->connection, "console-search",
                       json_pack("{s:s,s:o,s:s,s:b,s:i}", "guest", pane->target,
                                 "pattern", json_from_bytes(line, len), "case",
                                 "sensitive", "backwards", 1, "max", 1),
                       on_found, pane);
}
