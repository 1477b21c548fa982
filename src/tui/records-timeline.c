#include "base/json.h"
#include "base/xalloc.h"
#include "tui/deck-internal.h"
#include "tui/pane.h"
#include "tui/records-fill.h"
#include "tui/records.h"
#include "tui/watching.h"

#include <stdlib.h>
#include <string.h>

/* The timeline: what all consoles printed and what happened, by time. */

/* Rows that are asked for, and how far around a moment, ms. */
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
    *filled = (struct records_row){
        .guest = xstrdup(text_of(row, "guest")),
        .target = target_of(deck, row),
        .text = make_text(row, is_line),
        .line = xstrdup(text_of(row, is_line ? "text" : "line")),
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

static bool
is_open(const struct deck *deck)
{
    return deck->records && records_kind(deck->records) == RECORDS_TIMELINE;
}

static void
on_rows(void *user, json_t *value, const struct error *error)
{
    struct deck *deck = user;
    if (!is_open(deck))
        return;
    if (error)
        status_message(deck, DECK_ERROR, "%s", error->text);
    const json_t *list = json_object_get(value, "rows");
    size_t count = json_array_size(list);
    if (count > RECORDS_MAX_ROWS)
        count = RECORDS_MAX_ROWS;
    struct records_row *rows = xcalloc(count + 1, sizeof(*rows));
    for (size_t i = 0; i < count; i++)
        fill_row(deck, json_array_get(list, i), &rows[i]);
    const struct records_query *query = records_query(deck->records);
    size_t chosen = find_row(query, rows, count);
    if (chosen != SIZE_MAX && query->at_ms)
        rows[chosen].is_strong = true;
    records_set(deck, rows, count, chosen);
}

static void
ask(struct deck *deck)
{
    const struct records_query *query = records_query(deck->records);
    json_t *arguments = json_pack("{s:i}", "limit", TIMELINE_ROWS);
    if (query->at_ms) {
        json_object_set_new(arguments, "since-ms",
                            json_integer(query->at_ms > AROUND_MS
                                             ? query->at_ms - AROUND_MS
                                             : 0));
        json_object_set_new(arguments, "until-ms",
                            json_integer(query->at_ms + AROUND_MS));
    }
    connection_execute(deck->connection, "timeline", arguments, on_rows, deck);
}

/* The line that was looked for says which moment is meant. */
static void
on_found(void *user, json_t *value, const struct error *error)
{
    struct deck *deck = user;
    if (!is_open(deck))
        return;
    struct records_query *query = records_query(deck->records);
    const json_t *row = json_array_get(json_object_get(value, "rows"), 0);
    if (row) {
        query->at_ms = json_integer_value(json_object_get(row, "at-ms"));
        query->offset = json_integer_value(json_object_get(row, "offset"));
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
records_open_here(struct deck *deck, const struct pane *pane, const char *text)
{
    if (!open_list(deck, "timeline around this line"))
        return;
    struct records_query *query = records_query(deck->records);
    query->target = xstrdup(pane->target);
    connection_execute(deck->connection, "timeline",
                       json_pack("{s:[s],s:o,s:i,s:s}", "guests", pane->target,
                                 "pattern", json_from_text(text), "limit", 1,
                                 "kind", "line"),
                       on_found, deck);
}
