#include "base/json.h"
#include "base/xalloc.h"
#include "tui/deck-internal.h"
#include "tui/pane.h"
#include "tui/records-fill.h"
#include "tui/records.h"
#include "tui/search.h"
#include "tui/watching.h"

#include <stdlib.h>
#include <string.h>

/* The timeline: what all consoles printed and what happened, by time. */

/* Rows that are asked for at once, and how far around a moment, ms. */
#define TIMELINE_ROWS 2000
#define AROUND_MS 30000

static const char *
text_of(const json_t *row, const char *name)
{
    return json_string_value(json_object_get(row, name));
}

/* "n1", or "n1:hvc0" when that is not the guest's first console. */
static char *
target_of(const struct deck *deck, const json_t *row)
{
    const char *guest = text_of(row, "guest");
    const char *console = text_of(row, "console");
    for (size_t i = 0; guest && console && i < deck->pane_count; i++) {
        const struct pane *pane = deck->panes[i];
        if (strcmp(pane->guest, guest) == 0 &&
            strcmp(pane->console, console) == 0)
            return xstrdup(pane->target);
    }
    return xstrdup(guest);
}

/* What a record says; a line stands for itself. */
static char *
make_text(const json_t *row, bool is_line)
{
    const char *text = text_of(row, "text");
    const char *line = is_line ? NULL : text_of(row, "line");
    json_int_t count = json_integer_value(json_object_get(row, "count"));
    char times[40] = "";
    if (count > 1)
        (void)snprintf(times, sizeof(times), " (%lld times)", (long long)count);
    return xasprintf("%s%s%s%s", text ? text : "", times, line ? ": " : "",
                     line ? line : "");
}

static void
fill_row(const struct deck *deck, const json_t *row, struct records_row *filled)
{
    const char *kind = text_of(row, "kind");
    bool is_line = kind && strcmp(kind, "line") == 0;
    int severity = mirror_severity(text_of(row, "severity"));
    const json_t *offset = json_object_get(row, "offset");
    if (!is_line && !text_of(row, "line"))
        offset = NULL; /* nothing was printed there */
    *filled = (struct records_row){
        .guest = xstrdup(text_of(row, "guest")),
        .target = target_of(deck, row),
        .text = make_text(row, is_line),
        .at_ms = json_integer_value(json_object_get(row, "at-ms")),
        .offset = offset ? json_integer_value(offset) : -1,
        .role = THEME_TEXT,
    };
    if (is_line)
        return;
    filled->mark = xstrdup(deck->has_unicode ? "◆" : "*");
    filled->role = severity > MIRROR_INFO
                       ? (enum theme_role)watching_role(severity)
                       : THEME_ACCENT;
}

/* Which row was meant; SIZE_MAX: the last. */
static size_t
find_row(const struct records_query *query, const struct records_row *rows,
         size_t count)
{
    size_t near = SIZE_MAX;
    for (size_t i = 0; query->at_ms && i < count; i++) {
        if (query->target && query->offset >= 0 && rows[i].target &&
            rows[i].offset == query->offset && !rows[i].mark &&
            strcmp(rows[i].target, query->target) == 0)
            return i;
        if (rows[i].at_ms <= query->at_ms)
            near = i;
    }
    return near;
}

static void
replace(char **text, const char *with)
{
    char *copy = with ? xstrdup(with) : NULL;
    free(*text);
    *text = copy;
}

static bool
is_open(const struct deck *deck)
{
    return deck->records && records_kind(deck->records) == RECORDS_TIMELINE;
}

/* The rows of an answer. What is older than all of it has, or newer, is left to
 * the next one. */
static struct records_row *
read_rows(const struct deck *deck, const json_t *value, size_t *ret_count)
{
    const json_t *list = json_object_get(value, "rows");
    int64_t from = json_integer_value(json_object_get(value, "from-ms"));
    int64_t to = json_integer_value(json_object_get(value, "to-ms"));
    size_t count = 0;
    struct records_row *rows =
        xcalloc(json_array_size(list) + 1, sizeof(*rows));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        int64_t at = json_integer_value(json_object_get(row, "at-ms"));
        if (at >= from && (!to || at <= to))
            fill_row(deck, row, &rows[count++]);
    }
    *ret_count = count;
    return rows;
}

/* Where an answer about older rows, or newer ones, ends. */
static void
note_end(struct records_query *query, const json_t *value, bool is_older)
{
    int64_t from = json_integer_value(json_object_get(value, "from-ms"));
    int64_t to = json_integer_value(json_object_get(value, "to-ms"));
    int64_t *end = is_older ? &query->older : &query->newer;
    int64_t there = is_older ? from : to;
    query->is_tied = there && there == *end;
    if (is_older || there)
        *end = there;
}

static void ask(struct deck *deck);

/* Whether the list waited for this answer; one to an older question is asked
 * again. */
static bool
take_answer(struct deck *deck, const struct error *error)
{
    if (!is_open(deck))
        return false;
    struct records_query *query = records_query(deck->records);
    bool is_stale = query->is_stale;
    query->is_asking = false;
    query->is_stale = false;
    if (is_stale && deck->connection)
        ask(deck);
    else if (error)
        status_message(deck, DECK_ERROR, "%s", error->text);
    return !is_stale;
}

static void
on_rows(void *user, json_t *value, const struct error *error)
{
    struct deck *deck = user;
    size_t count = 0;
    if (!take_answer(deck, error))
        return;
    struct records_query *query = records_query(deck->records);
    struct records_row *rows = read_rows(deck, value, &count);
    query->older = 0;
    note_end(query, value, true);
    if (query->at_ms && !query->older)
        query->older = query->at_ms > AROUND_MS ? query->at_ms - AROUND_MS : 0;
    int64_t to = json_integer_value(json_object_get(value, "to-ms"));
    query->newer = to             ? to
                   : query->at_ms ? query->at_ms + AROUND_MS
                   : count        ? rows[count - 1].at_ms
                                  : 0;
    size_t chosen = find_row(query, rows, count);
    if (chosen != SIZE_MAX && query->at_ms)
        rows[chosen].is_strong = true;
    if (json_object_get(value, "skipped"))
        status_message(deck, DECK_WARNING,
                       "%s takes too long on some lines, which may match too: "
                       "use a simpler one",
                       query->pattern);
    replace(&query->has, query->pattern);
    records_set(deck, rows, count, chosen);
    if (count < (size_t)records_page_rows(deck))
        records_timeline_moved(deck, true, true);
}

/* What rows are to be: of a time, and of those that the filters leave. */
static json_t *
make_arguments(const struct records_query *query)
{
    json_t *arguments =
        query->pattern ? search_arguments(query->pattern) : json_object();
    json_object_set_new(arguments, "limit", json_integer(TIMELINE_ROWS));
    if (query->pattern)
        json_object_set_new(arguments, "names", json_true());
    if (query->guest)
        json_object_set_new(arguments, "guests",
                            json_pack("[s]", query->guest));
    return arguments;
}

/* Whether a console is there still. */
static bool
is_there(const struct deck *deck, const char *target)
{
    for (size_t i = 0; target && i < deck->pane_count; i++) {
        if (strcmp(deck->panes[i]->target, target) == 0)
            return true;
    }
    return false;
}

static void
ask(struct deck *deck)
{
    struct records_query *query = records_query(deck->records);
    json_t *arguments = make_arguments(query);
    query->is_stale = query->is_asking;
    if (query->is_asking) {
        json_decref(arguments);
        return;
    }
    query->is_asking = true;
    if (query->at_ms) {
        json_object_set_new(arguments, "since-ms",
                            json_integer(query->at_ms > AROUND_MS
                                             ? query->at_ms - AROUND_MS
                                             : 0));
        json_object_set_new(arguments, "until-ms",
                            json_integer(query->at_ms + AROUND_MS));
        json_object_set_new(arguments, "around-ms", json_integer(query->at_ms));
    }
    if (query->at_ms && query->offset >= 0 && is_there(deck, query->target)) {
        json_object_set_new(arguments, "around", json_string(query->target));
        json_object_set_new(arguments, "around-offset",
                            json_integer(query->offset));
    }
    connection_execute(deck->connection, "timeline", arguments, on_rows, deck);
}

/* Beyond the ends ---------------------------------------------------------- */

/* Of an answer around the row at an end of the list, what is beyond that row.
 */
static size_t
keep_beyond(struct records_row *rows, size_t count,
            const struct records_row *edge, bool is_older)
{
    size_t at = 0;
    while (at < count && !records_is_same(&rows[at], edge))
        at++;
    size_t first = is_older || at == count ? 0 : at + 1;
    size_t end = is_older ? at : count;
    for (size_t i = 0; i < count; i++) {
        if (i < first || i >= end)
            records_row_finish(&rows[i]);
    }
    memmove(rows, rows + first, (end - first) * sizeof(*rows));
    return end - first;
}

/* Asks for the rows nearest to the one at an end of the list, which stands
 * among more of one moment than an answer has. False when that row has no
 * place. */
static bool
add_edge(const struct deck *deck, const struct records_row *edge,
         json_t *arguments)
{
    if (!edge || edge->offset < 0 || edge->mark ||
        !is_there(deck, edge->target))
        return false;
    json_object_set_new(arguments, "around-ms", json_integer(edge->at_ms));
    json_object_set_new(arguments, "around", json_string(edge->target));
    json_object_set_new(arguments, "around-offset", json_integer(edge->offset));
    return true;
}

static void
on_older(void *user, json_t *value, const struct error *error)
{
    struct deck *deck = user;
    size_t count = 0;
    if (!take_answer(deck, error) || error)
        return;
    struct records_query *query = records_query(deck->records);
    bool was_tied = query->is_tied;
    note_end(query, value, true);
    struct records_row *rows = read_rows(deck, value, &count);
    if (was_tied)
        count = keep_beyond(rows, count, records_first(deck->records), true);
    /* with a filter, little may be in what was looked at */
    size_t added = records_join(deck, rows, count, true);
    if (added == 0 || added < (size_t)records_page_rows(deck))
        records_timeline_moved(deck, true, false);
}

static void
on_newer(void *user, json_t *value, const struct error *error)
{
    struct deck *deck = user;
    size_t count = 0;
    if (!take_answer(deck, error) || error)
        return;
    struct records_query *query = records_query(deck->records);
    bool was_tied = query->is_tied;
    struct records_row *rows = read_rows(deck, value, &count);
    if (was_tied)
        count = keep_beyond(rows, count, records_last(deck->records), false);
    bool has_more = json_integer_value(json_object_get(value, "to-ms")) > 0;
    if (!has_more && count > 0)
        query->newer = rows[count - 1].at_ms;
    note_end(query, value, false);
    if (records_join(deck, rows, count, false) == 0 && has_more)
        records_timeline_moved(deck, false, true);
}

void
records_timeline_moved(struct deck *deck, bool is_near_first, bool is_near_last)
{
    struct records_query *query = records_query(deck->records);
    if (query->is_asking || !deck->connection)
        return;
    bool is_older = is_near_first && query->older > 0;
    if (!is_older && !(is_near_last && query->newer > 0))
        return;
    json_t *arguments = make_arguments(query);
    const struct records_row *edge =
        is_older ? records_first(deck->records) : records_last(deck->records);
    if (query->is_tied && !add_edge(deck, edge, arguments)) {
        /* what is no line of a console is skipped */
        query->is_tied = false;
        query->older -= is_older ? 1 : 0;
        query->newer += is_older ? 0 : 1;
    }
    if (!query->is_tied && is_older) {
        json_object_set_new(arguments, "until-ms", json_integer(query->older));
    } else if (!query->is_tied) {
        json_object_set_new(arguments, "since-ms", json_integer(query->newer));
        json_object_set_new(arguments, "oldest", json_true());
    }
    query->is_asking = true;
    connection_execute(deck->connection, "timeline", arguments,
                       is_older ? on_older : on_newer, deck);
}

void
records_timeline_filter(struct deck *deck)
{
    struct records *records = deck->records;
    struct records_query *query = records_query(records);
    const char *filter = records_filter(records);
    const char *guest = records_guest(records);
    const struct records_row *chosen = records_chosen(records);
    if (!deck->connection)
        return;
    replace(&query->pattern, filter);
    replace(&query->guest, guest);
    query->has_moved = false;
    /* around the row that is looked at, unless that is the newest */
    if (chosen && chosen != records_last(records) && !query->at_ms) {
        query->at_ms = chosen->at_ms;
        query->offset = chosen->offset;
        replace(&query->target, chosen->target);
    }
    ask(deck);
}

/* The line in the log says which moment is meant. */
static void
on_place(void *user, json_t *value, const struct error *error)
{
    struct deck *deck = user;
    if (!is_open(deck))
        return;
    struct records_query *query = records_query(deck->records);
    int64_t at_ms = json_integer_value(json_object_get(value, "at-ms"));
    query->is_asking = false;
    if (at_ms > 0) {
        query->at_ms = at_ms;
        query->offset = json_integer_value(json_object_get(value, "offset"));
    } else {
        status_message(deck, DECK_INFO, "%s",
                       error ? error->text
                             : "when this line was printed is not known");
    }
    if (deck->connection)
        ask(deck);
}

static bool
open_list(struct deck *deck, const char *title)
{
    if (!deck->connection) {
        status_message(deck, DECK_ERROR, "there is no server at present");
        return false;
    }
    records_open(deck, RECORDS_TIMELINE, title);
    records_query(deck->records)->offset = -1;
    return true;
}

void
records_open_timeline(struct deck *deck)
{
    if (open_list(deck, "timeline"))
        ask(deck);
}

void
records_open_around(struct deck *deck, int64_t at_ms, const char *target,
                    int64_t offset)
{
    /* target may be of the list that is closed now */
    char *copy = xstrdup(target);
    if (open_list(deck, "timeline around a moment")) {
        struct records_query *query = records_query(deck->records);
        query->at_ms = at_ms;
        query->target = copy;
        query->offset = offset;
        ask(deck);
        return;
    }
    free(copy);
}

void
records_open_here(struct deck *deck, const char *target, const char *by,
                  int64_t number)
{
    /* it may be of the list that is closed now */
    char *copy = xstrdup(target);
    if (!open_list(deck, "timeline around this line")) {
        free(copy);
        return;
    }
    struct records_query *query = records_query(deck->records);
    query->target = copy;
    query->is_asking = true;
    connection_execute(
        deck->connection, "console-place",
        json_pack("{s:s,s:I}", "guest", copy, by, (json_int_t)number), on_place,
        deck);
}
