#include "tui/copy-search.h"

#include "base/json.h"
#include "base/xalloc.h"
#include "tui/copy-mode-internal.h"
#include "tui/deck-internal.h"
#include "tui/pane.h"
#include "tui/prompt.h"
#include "tui/search.h"

#include <stdlib.h>
#include <string.h>

void
copy_search_finish(struct deck *deck)
{
    free(deck->search_pattern);
    deck->search_pattern = NULL;
}

void
copy_search_set(struct deck *deck, const char *typed)
{
    char *copy = xstrdup(typed);
    copy_search_finish(deck);
    deck->search_pattern = copy;
    deck->is_search_back = false;
}

/* --- marks ----------------------------------------------------------------
 */

/* Appends the parts of a match that stand in rows. */
static void
add_spans(const json_t *spans, struct copy_mark marks[COPY_MARKS_MAX],
          size_t *count)
{
    for (size_t i = 0; i < json_array_size(spans); i++) {
        const json_t *span = json_array_get(spans, i);
        json_int_t col = json_integer_value(json_array_get(span, 1));
        json_int_t cols = json_integer_value(json_array_get(span, 2));
        if (*count == COPY_MARKS_MAX || col < 0 || cols < 1 ||
            col > UINT16_MAX || cols > UINT16_MAX)
            continue;
        marks[(*count)++] = (struct copy_mark){
            .row = json_integer_value(json_array_get(span, 0)),
            .from = (int)col,
            .to = (int)(col + cols - 1),
        };
    }
}

static void
take_marks(struct pane *pane, const json_t *value)
{
    struct copy_mark marks[COPY_MARKS_MAX];
    size_t count = 0;
    const json_t *lines = json_object_get(value, "lines");
    for (size_t i = 0; i < json_array_size(lines); i++) {
        const json_t *matches =
            json_object_get(json_array_get(lines, i), "matches");
        for (size_t j = 0; j < json_array_size(matches); j++)
            add_spans(json_object_get(json_array_get(matches, j), "spans"),
                      marks, &count);
    }
    const json_t *console =
        json_array_get(json_object_get(value, "consoles"), 0);
    copy_mode_mark(pane, marks, count,
                   (int)json_integer_value(json_object_get(console, "cols")));
}

static void
on_marks(void *user, json_t *value, const struct error *error)
{
    struct pane *pane = user;
    struct copy_mode *copy = pane->copy;
    pane->marks_pending--;
    if (!copy || !copy->has_search || pane->marks_pending > 0)
        return;
    if (!error)
        take_marks(pane, value);
    copy_search_mark(copy);
}

void
copy_search_mark(struct copy_mode *copy)
{
    struct pane *pane = copy->pane;
    struct deck *deck = pane->deck;
    if (!copy->has_search || pane->marks_pending > 0 || !deck->connection ||
        !deck->search_pattern || copy->marked_top == pane->view.top)
        return;
    copy->marked_top = pane->view.top;
    pane->marks_pending++;
    /* a line that began above may match in the first row */
    int64_t first = pane->view.top > 8 ? pane->view.top - 8 : 0;
    json_t *arguments = search_arguments(deck->search_pattern);
    json_object_set_new(arguments, "guest", json_string(pane->target));
    json_object_set_new(arguments, "row", json_integer(first));
    json_object_set_new(arguments, "max", json_integer(pane->view.rows + 8));
    connection_execute(deck->connection, "console-search", arguments, on_marks,
                       pane);
}

/* --- going to a match -----------------------------------------------------
 */

static void search(struct pane *pane, bool is_wrapped);

/* A search came to nothing in its direction: once more from the other end. */
static void
miss(struct pane *pane, bool is_sure)
{
    struct copy_mode *copy = pane->copy;
    if (!copy->is_search_wrapped) {
        search(pane, true);
        return;
    }
    copy->is_moving = false;
    status_message(pane->deck, DECK_WARNING, "not found%s: %s",
                   is_sure ? "" : ", but it takes too long on some lines",
                   pane->deck->search_pattern);
    copy_drain(copy);
}

static void
on_match(void *user, json_t *value, const struct error *error)
{
    struct pane *pane = user;
    struct copy_mode *copy = pane->copy;
    struct deck *deck = pane->deck;
    pane->searches_pending--;
    if (!copy || pane->searches_pending > 0)
        return;
    if (error) {
        copy->is_moving = false;
        status_message(deck, DECK_ERROR, "%s", error->text);
        copy_drain(copy);
        return;
    }
    const json_t *matches = json_object_get(
        json_array_get(json_object_get(value, "lines"), 0), "matches");
    size_t count = json_array_size(matches);
    if (count == 0) {
        miss(pane, !json_object_get(value, "skipped"));
        return;
    }
    const json_t *match =
        json_array_get(matches, copy->is_search_back ? count - 1 : 0);
    const json_t *span = json_array_get(json_object_get(match, "spans"), 0);
    struct place place = {
        .row = json_integer_value(json_array_get(span, 0)),
        .col = (int)json_integer_value(json_array_get(span, 1)),
    };
    copy->is_moving = false;
    copy->has_search = true;
    copy_mode_go(pane, &place);
    copy_search_mark(copy);
    if (copy->is_search_wrapped)
        status_message(deck, DECK_INFO, "%s: the search went on from there",
                       copy->is_search_back ? "the oldest row was reached"
                                            : "the newest row was reached");
    copy_drain(copy);
}

static void
search(struct pane *pane, bool is_wrapped)
{
    struct copy_mode *copy = pane->copy;
    struct deck *deck = pane->deck;
    copy->is_search_wrapped = is_wrapped;
    json_t *arguments = search_arguments(deck->search_pattern);
    json_object_set_new(arguments, "guest", json_string(pane->target));
    json_object_set_new(arguments, "backwards",
                        json_boolean(copy->is_search_back));
    json_object_set_new(arguments, "max", json_integer(1));
    if (!is_wrapped) {
        json_object_set_new(arguments, "row", json_integer(copy->cursor.row));
        json_object_set_new(arguments, "col", json_integer(copy->cursor.col));
    }
    pane->searches_pending++;
    connection_execute(deck->connection, "console-search", arguments, on_match,
                       pane);
}

void
copy_search_next(struct pane *pane, int direction)
{
    struct copy_mode *copy = pane->copy;
    struct deck *deck = pane->deck;
    copy->count = 0;
    copy->is_from_wheel = false;
    if (!deck->search_pattern) {
        status_message(deck, DECK_INFO, "nothing was searched for yet");
        return;
    }
    if (!deck->connection)
        return;
    copy->is_moving = true; /* what comes next waits for the place */
    copy->is_search_back = deck->is_search_back != (direction < 0);
    if (!copy->has_search)
        copy->marked_top = -1;
    search(pane, false);
}

/* --- asking ---------------------------------------------------------------
 */

static void
on_pattern(struct deck *deck, const char *text, void *data)
{
    bool is_back = data != NULL;
    struct pane *pane = deck->focus;
    if (!pane || !pane->copy)
        return;
    /* as in vi, nothing is what was searched for last */
    if (text[0])
        copy_search_set(deck, text);
    deck->is_search_back = is_back;
    pane->copy->has_search = false;
    pane->copy->mark_count = 0;
    pane_changed(pane);
    copy_mode_do(pane, copy_search_next, 1);
}

void
copy_search_ask(struct pane *pane, int direction)
{
    struct deck *deck = pane->deck;
    struct prompt_request request = {
        .label = direction > 0 ? "search forward" : "search back",
        .history = "search",
        .on_accept = on_pattern,
        .data = direction > 0 ? NULL : deck,
    };
    pane->copy->count = 0;
    prompt_open(deck, &request);
}
