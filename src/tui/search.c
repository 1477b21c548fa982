#include "tui/search.h"

#include "base/json.h"
#include "base/xalloc.h"
#include "tui/copy-mode.h"
#include "tui/copy-search.h"
#include "tui/deck-internal.h"
#include "tui/pane.h"
#include "tui/prompt.h"
#include "tui/records-fill.h"
#include "tui/records.h"

#include <stdlib.h>
#include <string.h>

/* The newest lines of each console that a list gets. */
#define LINES_MAX 200

struct search {
    char *typed; /* owned: "/…/" or text; NULL: nothing was searched yet */
    unsigned server; /* whose numbers the list's lines have */
    bool is_running; /* an answer is to come */
    bool is_stale;   /* it will be one to another question */
};

/* Asking ------------------------------------------------------------------- */

bool
search_is_regex(const char *typed)
{
    size_t len = strlen(typed);
    return len > 2 && typed[0] == '/' && typed[len - 1] == '/';
}

json_t *
search_arguments(const char *typed)
{
    size_t len = strlen(typed);
    bool is_regex = search_is_regex(typed);
    const char *text = is_regex ? typed + 1 : typed;
    return json_pack("{s:o,s:b}", "pattern",
                     json_from_bytes(text, is_regex ? len - 2 : len), "regex",
                     is_regex);
}

static void run(struct deck *deck);

/* "n1", or "n1:hvc0" when that is not the guest's first console. */
static char *
target_of(const struct deck *deck, const char *guest, const char *console)
{
    for (size_t i = 0; i < deck->pane_count; i++) {
        const struct pane *pane = deck->panes[i];
        if (strcmp(pane->guest, guest) == 0 &&
            strcmp(pane->console, console) == 0)
            return xstrdup(pane->target);
    }
    return xasprintf("%s:%s", guest, console);
}

static const char *
text_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text ? text : "";
}

static void
fill_matches(const json_t *matches, struct records_row *row)
{
    size_t count = json_array_size(matches);
    for (size_t i = 0; i < count && row->match_count < RECORDS_MATCHES_MAX;
         i++) {
        const json_t *at = json_object_get(json_array_get(matches, i), "at");
        json_int_t col = json_integer_value(json_array_get(at, 0));
        json_int_t cols = json_integer_value(json_array_get(at, 1));
        if (!at || col < 0 || cols < 0 || col > INT16_MAX || cols > INT16_MAX)
            continue;
        row->matches[row->match_count++] =
            (struct records_match){.col = (int)col, .cols = (int)cols};
    }
}

static void
fill_row(const struct deck *deck, const json_t *line, struct records_row *row)
{
    const char *guest = text_of(line, "guest");
    *row = (struct records_row){
        .guest = xstrdup(guest),
        .target = target_of(deck, guest, text_of(line, "console")),
        .text = xstrdup(text_of(line, "text")),
        .offset = -1,
        .id = json_integer_value(json_object_get(line, "line")),
        .role = THEME_TEXT,
    };
    fill_matches(json_object_get(line, "matches"), row);
}

/* Puts the lines in their order: the answer has each console's newest one
 * first. */
static void
fill(struct deck *deck, const json_t *lines)
{
    size_t count = json_array_size(lines);
    if (count > RECORDS_MAX_ROWS)
        count = RECORDS_MAX_ROWS;
    struct records_row *rows = xcalloc(count + 1, sizeof(*rows));
    size_t start = 0;
    for (size_t i = 0; i < count; i++) {
        fill_row(deck, json_array_get(lines, i), &rows[i]);
        bool is_last = i + 1 == count;
        if (!is_last &&
            strcmp(text_of(json_array_get(lines, i + 1), "guest"),
                   rows[i].guest) == 0 &&
            strcmp(text_of(json_array_get(lines, i + 1), "console"),
                   text_of(json_array_get(lines, i), "console")) == 0)
            continue;
        for (size_t a = start, b = i; a < b; a++, b--) {
            struct records_row row = rows[a];
            rows[a] = rows[b];
            rows[b] = row;
        }
        start = i + 1;
    }
    records_set(deck, rows, count, 0);
}

static void
on_answer(void *user, json_t *value, const struct error *error)
{
    struct deck *deck = user;
    struct search *search = deck->search;
    search->is_running = false;
    if (search->is_stale) {
        run(deck);
        return;
    }
    if (!deck->records || records_kind(deck->records) != RECORDS_SEARCH)
        return; /* closed meanwhile */
    const json_t *lines = json_object_get(value, "lines");
    bool is_sure = !json_object_get(value, "skipped");
    if (!error && json_array_size(lines) > 0)
        fill(deck, lines);
    else
        records_close(deck);
    if (error)
        status_message(deck, DECK_ERROR, "%s", error->text);
    else if (!is_sure)
        status_message(deck, DECK_WARNING,
                       "%s takes too long on some lines, which may match too: "
                       "use a simpler one",
                       search->typed);
    else if (json_array_size(lines) == 0)
        status_message(deck, DECK_WARNING, "\"%s\" stands on no console",
                       search->typed);
}

static void
run(struct deck *deck)
{
    struct search *search = deck->search;
    search->is_stale = search->is_running;
    if (search->is_running)
        return;
    json_t *arguments = search_arguments(search->typed);
    json_object_set_new(arguments, "backwards", json_true());
    json_object_set_new(arguments, "max", json_integer(LINES_MAX));
    search->is_running = true;
    search->server = deck->servers;
    connection_execute(deck->connection, "console-search", arguments, on_answer,
                       deck);
}

static void
open_list(struct deck *deck)
{
    char *title = xasprintf("found: %s", deck->search->typed);
    records_open(deck, RECORDS_SEARCH, title);
    free(title);
    run(deck);
}

static void
on_pattern(struct deck *deck, const char *text, void *data)
{
    struct search *search = data;
    if (!text[0])
        return;
    if (!deck->connection) {
        status_message(deck, DECK_ERROR, "there is no server at present");
        return;
    }
    char *typed = xstrdup(text);
    free(search->typed);
    search->typed = typed;
    open_list(deck);
}

void
search_ask(struct deck *deck)
{
    if (!deck->search)
        deck->search = xcalloc(1, sizeof(*deck->search));
    struct prompt_request request = {
        .label = "search all",
        .history = "search",
        .on_accept = on_pattern,
        .data = deck->search,
    };
    prompt_open(deck, &request);
}

/* Going there -------------------------------------------------------------- */

/* Tells where the matches of a line stand. Returns how many parts of rows. */
static size_t
read_marks(const json_t *line, struct copy_mark marks[COPY_MARKS_MAX])
{
    size_t count = 0;
    const json_t *matches = json_object_get(line, "matches");
    for (size_t i = 0; i < json_array_size(matches); i++) {
        const json_t *spans =
            json_object_get(json_array_get(matches, i), "spans");
        for (size_t j = 0; j < json_array_size(spans) && count < COPY_MARKS_MAX;
             j++) {
            const json_t *span = json_array_get(spans, j);
            json_int_t col = json_integer_value(json_array_get(span, 1));
            json_int_t cols = json_integer_value(json_array_get(span, 2));
            if (cols < 1 || col < 0 || col + cols > INT16_MAX)
                continue;
            marks[count++] = (struct copy_mark){
                .row = json_integer_value(json_array_get(span, 0)),
                .from = (int)col,
                .to = (int)(col + cols - 1)};
        }
    }
    return count;
}

static void
on_place(void *user, json_t *value, const struct error *error)
{
    struct pane *pane = user; /* in the graveyard perhaps */
    struct deck *deck = pane->deck;
    const json_t *line = json_array_get(json_object_get(value, "lines"), 0);
    const json_t *console =
        json_array_get(json_object_get(value, "consoles"), 0);
    if (!pane->window || pane != deck->focus)
        return;
    if (error || !line) {
        status_message(deck, DECK_WARNING, "%s: %s", pane->target,
                       error ? error->text
                             : "the line is not in the scrollback any more");
        return;
    }
    int64_t history = json_integer_value(json_object_get(console, "history"));
    int64_t dropped = json_integer_value(json_object_get(console, "dropped"));
    /* a view that was opened a moment ago knows nothing of it yet */
    if (pane->view.dropped + pane->view.history < dropped + history) {
        pane->view.dropped = dropped;
        pane->view.history = history;
    }
    struct copy_mark marks[COPY_MARKS_MAX];
    size_t count = read_marks(line, marks);
    struct place place = {.row =
                              json_integer_value(json_object_get(line, "row"))};
    if (count)
        place = (struct place){.row = marks[0].row, .col = marks[0].from};
    copy_mode_go(pane, &place);
    copy_mode_mark(pane, marks, count,
                   (int)json_integer_value(json_object_get(console, "cols")));
}

/* Whether the numbers of the list's lines mean something. Where there is a new
 * server, which numbers lines anew, it is asked once more. */
static bool
is_fresh(struct deck *deck)
{
    if (!deck->connection || !deck->search || !deck->search->typed)
        return false;
    if (deck->search->server == deck->servers)
        return true;
    open_list(deck);
    status_message(deck, DECK_INFO,
                   "there is a new server: searched once more");
    return false;
}

void
search_around(struct deck *deck, const struct records_row *row)
{
    if (is_fresh(deck))
        records_open_here(deck, row->target, "line", row->id);
}

void
search_jump(struct deck *deck, struct pane *pane, int64_t line)
{
    if (!is_fresh(deck))
        return;
    json_t *arguments = search_arguments(deck->search->typed);
    json_object_set_new(arguments, "guest", json_string(pane->target));
    json_object_set_new(arguments, "line", json_integer(line));
    /* from there the way goes on by n and N */
    copy_search_set(deck, deck->search->typed);
    connection_execute(deck->connection, "console-search", arguments, on_place,
                       pane);
}

void
search_finish(struct deck *deck)
{
    if (!deck->search)
        return;
    free(deck->search->typed);
    free(deck->search);
    deck->search = NULL;
}
