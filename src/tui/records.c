#include "base/xalloc.h"
#include "tui/box.h"
#include "tui/deck-internal.h"
#include "tui/pane.h"
#include "tui/prompt.h"
#include "tui/records-fill.h"
#include "tui/records-internal.h"
#include "tui/search.h"

#include <stdlib.h>
#include <string.h>

const char *
records_title(const struct records *records)
{
    return records ? records->title : "";
}

enum records_kind
records_kind(const struct records *records)
{
    return records->kind;
}

struct records_query *
records_query(struct records *records)
{
    return &records->query;
}

const struct records_row *
records_first(const struct records *records)
{
    return records->count ? &records->rows[0] : NULL;
}

const struct records_row *
records_last(const struct records *records)
{
    return records->count ? &records->rows[records->count - 1] : NULL;
}

const char *
records_filter(const struct records *records)
{
    return records->filter;
}

const char *
records_guest(const struct records *records)
{
    return records->guest;
}

const struct records_row *
records_chosen(const struct records *records)
{
    if (!records || records->chosen >= records->shown_count)
        return NULL;
    return &records->rows[records->shown[records->chosen]];
}

/* Filters ------------------------------------------------------------------ */

static bool
contains(const char *text, const char *part)
{
    bool has_upper = false;
    for (const char *at = part; *at; at++)
        has_upper |= *at >= 'A' && *at <= 'Z';
    return text && (has_upper ? strstr(text, part) : strcasestr(text, part));
}

static bool
passes(const struct records *records, const struct records_row *row)
{
    if (records->guest &&
        (!row->guest || strcmp(row->guest, records->guest) != 0))
        return false;
    const char *filter = records->filter;
    const char *has = records->query.has;
    /* a regular expression, also one that is being typed, is the server's */
    if (filter && filter[0] == '/' && records->kind == RECORDS_TIMELINE)
        return true;
    /* the server looked at more than the part of a line that is shown */
    return !filter || (has && strcmp(filter, has) == 0) ||
           contains(row->text, filter) || contains(row->target, filter);
}

static void
fit_top(struct records *records)
{
    size_t page = (size_t)(records->height > 1 ? records->height : 1);
    if (records->chosen < records->top)
        records->top = records->chosen;
    if (records->chosen >= records->top + page)
        records->top = records->chosen - page + 1;
    if (records->shown_count <= page)
        records->top = 0;
    else if (records->top > records->shown_count - page)
        records->top = records->shown_count - page;
}

/* Works out what is shown; chosen: a row that stays chosen when it is. */
static void
apply_filters(struct deck *deck, size_t chosen)
{
    struct records *records = deck->records;
    records->shown_count = 0;
    records->chosen = 0;
    for (size_t i = 0; i < records->count; i++) {
        if (!passes(records, &records->rows[i]))
            continue;
        if (i <= chosen)
            records->chosen = records->shown_count;
        records->shown[records->shown_count++] = i;
    }
    fit_top(records);
    tickit_window_expose(records->window, NULL);
    frame_request(deck);
    status_changed(deck);
}

/* The index of the chosen row among all. */
static size_t
chosen_row(const struct records *records)
{
    return records->chosen < records->shown_count
               ? records->shown[records->chosen]
               : records->count;
}

static void
on_filter(struct deck *deck, const char *text, void *data)
{
    (void)data;
    struct records *records = deck->records;
    if (!records)
        return;
    size_t chosen = chosen_row(records);
    free(records->filter);
    records->filter = text[0] ? xstrdup(text) : NULL;
    apply_filters(deck, chosen);
}

static void
on_filter_accepted(struct deck *deck, const char *text, void *data)
{
    on_filter(deck, text, data);
    if (deck->records && deck->records->kind == RECORDS_TIMELINE)
        records_timeline_filter(deck);
}

static void
on_filter_cancelled(struct deck *deck, void *data)
{
    on_filter_accepted(deck, "", data);
}

void
records_edit_filter(struct deck *deck)
{
    struct prompt_request request = {
        .label = "filter",
        .history = "records",
        .text = deck->records->filter,
        .on_accept = on_filter_accepted,
        .on_change = on_filter,
        .on_cancel = on_filter_cancelled,
    };
    prompt_open(deck, &request);
}

void
records_filter_guest(struct deck *deck)
{
    struct records *records = deck->records;
    const struct records_row *row = records_chosen(records);
    size_t chosen = chosen_row(records);
    char *guest = NULL;
    if (!records->guest && row && row->guest)
        guest = xstrdup(row->guest);
    free(records->guest);
    records->guest = guest;
    apply_filters(deck, chosen);
    if (records->kind == RECORDS_TIMELINE)
        records_timeline_filter(deck);
}

/* Life --------------------------------------------------------------------- */

void
records_row_finish(struct records_row *row)
{
    free(row->guest);
    free(row->target);
    free(row->mark);
    free(row->text);
}

static void
free_rows(struct records_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        records_row_finish(&rows[i]);
    free(rows);
}

void
records_place(struct deck *deck)
{
    struct records *records = deck->records;
    int rows = 0;
    int cols = 0;
    if (!records)
        return;
    tickit_term_get_size(term_tickit(deck->term), &rows, &cols);
    records->width = cols;
    records->height = rows > 3 ? rows - 2 : 1;
    TickitRect rect = {.lines = records->height + 1, .cols = cols};
    tickit_window_set_geometry(records->window, rect);
    fit_top(records);
    tickit_window_expose(records->window, NULL);
    frame_request(deck);
}

void
records_open(struct deck *deck, enum records_kind kind, const char *title)
{
    records_close(deck);
    struct records *records = xcalloc(1, sizeof(*records));
    records->kind = kind;
    records->title = xstrdup(title);
    records->window = box_open(deck, records_on_expose);
    deck->records = records;
    records_place(deck);
    arrange_cursor(deck);
    status_changed(deck);
}

void
records_close(struct deck *deck)
{
    struct records *records = deck->records;
    if (!records)
        return;
    deck->records = NULL;
    box_close(deck, records->window);
    free_rows(records->rows, records->count);
    free(records->shown);
    free(records->filter);
    free(records->query.target);
    free(records->query.pattern);
    free(records->query.has);
    free(records->query.guest);
    free(records->guest);
    free(records->title);
    free(records);
}

static bool
is_same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool
records_is_same(const struct records_row *a, const struct records_row *b)
{
    return a->at_ms == b->at_ms && a->offset == b->offset &&
           is_same_text(a->target, b->target) && is_same_text(a->text, b->text);
}

/* Where the chosen row is among others; SIZE_MAX: nowhere. */
static size_t
find_chosen(const struct records *records, const struct records_row *rows,
            size_t count)
{
    const struct records_row *chosen = records_chosen(records);
    for (size_t i = 0; chosen && i < count; i++) {
        if (records_is_same(&rows[i], chosen))
            return i;
    }
    return SIZE_MAX;
}

/* The row that keys chose before there were any: they count from the one that
 * is chosen without them. */
static size_t
choose_early(const struct records *records, size_t chosen, size_t count)
{
    long last = (long)count - 1;
    long row = records->is_early_top ? 0 : chosen < count ? (long)chosen : last;
    row += records->early_rows;
    return row < 0 || last < 0 ? 0 : (size_t)(row < last ? row : last);
}

void
records_set(struct deck *deck, struct records_row *rows, size_t count,
            size_t selected)
{
    struct records *records = deck->records;
    bool is_at_end =
        !records->has_rows || records->chosen + 1 >= records->shown_count;
    size_t same = find_chosen(records, rows, count);
    size_t chosen = same != SIZE_MAX ? same : chosen_row(records);
    /* keys that came before a late answer have chosen already */
    if (records->query.has_moved && same != SIZE_MAX) {
        selected = SIZE_MAX;
        is_at_end = false;
    }
    free_rows(records->rows, records->count);
    free(records->shown);
    records->rows = rows;
    records->count = count;
    records->shown = xcalloc(count + 1, sizeof(*records->shown));
    if (selected != SIZE_MAX)
        chosen = selected;
    else if (is_at_end)
        chosen = count;
    if (!records->has_rows && (records->early_rows || records->is_early_top))
        chosen = choose_early(records, chosen, count);
    records->has_rows = true;
    apply_filters(deck, chosen);
    if (selected == SIZE_MAX)
        return;
    /* what was asked for stands in the middle */
    size_t half = (size_t)records->height / 2;
    records->top = records->chosen > half ? records->chosen - half : 0;
    fit_top(records);
}

/* Whether the list has a row already, at the end where others are added. */
static bool
has_row(const struct records *records, const struct records_row *row,
        bool is_older)
{
    for (size_t i = 0; i < records->count; i++) {
        size_t at = is_older ? i : records->count - 1 - i;
        const struct records_row *other = &records->rows[at];
        if (other->at_ms != row->at_ms)
            return false;
        if (records_is_same(other, row))
            return true;
    }
    return false;
}

/* Takes away what the list has already; returns how many are left. */
static size_t
drop_known(const struct records *records, struct records_row *rows,
           size_t count, bool is_older)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (has_row(records, &rows[i], is_older))
            records_row_finish(&rows[i]);
        else
            rows[kept++] = rows[i];
    }
    return kept;
}

size_t
records_join(struct deck *deck, struct records_row *rows, size_t count,
             bool is_older)
{
    struct records *records = deck->records;
    size_t chosen = chosen_row(records);
    long below = (long)records->chosen - (long)records->top;
    count = drop_known(records, rows, count, is_older);
    if (count == 0) {
        free(rows);
        return 0;
    }
    size_t had = records->count;
    struct records_row *all = xcalloc(had + count + 1, sizeof(*all));
    memcpy(all + (is_older ? count : 0), records->rows, had * sizeof(*all));
    memcpy(all + (is_older ? 0 : had), rows, count * sizeof(*all));
    free(rows);
    size_t total = had + count;
    size_t extra = total > RECORDS_MAX_ROWS ? total - RECORDS_MAX_ROWS : 0;
    size_t first = is_older ? 0 : extra; /* of those that stay */
    for (size_t i = 0; i < extra; i++)
        records_row_finish(&all[is_older ? total - 1 - i : i]);
    memmove(all, all + first, (total - extra) * sizeof(*all));
    free(records->rows);
    free(records->shown);
    records->rows = all;
    records->count = total - extra;
    records->shown = xcalloc(records->count + 1, sizeof(*records->shown));
    chosen += is_older ? count : 0;
    apply_filters(deck, chosen > first ? chosen - first : 0);
    /* the rows stay where they are on the screen */
    records->top = (long)records->chosen > below
                       ? records->chosen - (size_t)(below > 0 ? below : 0)
                       : 0;
    fit_top(records);
    return count;
}

void
records_changed(struct deck *deck)
{
    if (deck->records && deck->records->kind == RECORDS_ALERTS)
        records_fill_alerts(deck);
}

/* Moving ------------------------------------------------------------------- */

/* Keys that come before the answer are kept for it. */
static void
move_early(struct records *records, long rows)
{
    bool is_far = rows >= RECORDS_MAX_ROWS || rows <= -RECORDS_MAX_ROWS;
    records->early_rows = is_far ? 0 : records->early_rows + rows;
    if (is_far)
        records->is_early_top = rows < 0;
}

void
records_move(struct deck *deck, long rows)
{
    struct records *records = deck->records;
    if (!records->has_rows) {
        move_early(records, rows);
        return;
    }
    long last = (long)records->shown_count - 1;
    long chosen = (long)records->chosen + rows;
    if (chosen > last)
        chosen = last;
    if (chosen < 0)
        chosen = 0;
    records->chosen = (size_t)chosen;
    records->query.has_moved |= records->query.is_asking;
    fit_top(records);
    tickit_window_expose(records->window, NULL);
    frame_request(deck);
    status_changed(deck);
    if (records->kind == RECORDS_TIMELINE)
        records_timeline_moved(deck, chosen<records->height, chosen> last -
                                         records->height);
}

int
records_page_rows(const struct deck *deck)
{
    return deck->records->height;
}

static struct pane *
find_pane(struct deck *deck, const struct records_row *row)
{
    for (size_t i = 0; row->target && i < deck->pane_count; i++) {
        if (strcmp(deck->panes[i]->target, row->target) == 0)
            return deck->panes[i];
    }
    return row->guest ? arrange_first_pane(deck, row->guest) : NULL;
}

void
records_choose(struct deck *deck)
{
    const struct records_row *row = records_chosen(deck->records);
    struct pane *pane = row ? find_pane(deck, row) : NULL;
    if (!row)
        return;
    if (!pane) {
        status_message(deck, DECK_WARNING, "%s is not in the list any more",
                       row->guest ? row->guest : "the server");
        return;
    }
    struct records_row copy = *row; /* the list goes first */
    bool is_found = deck->records->kind == RECORDS_SEARCH;
    records_close(deck);
    arrange_focus(deck, pane);
    if (is_found)
        search_jump(deck, pane, copy.id);
    else if (copy.offset >= 0)
        records_jump(deck, pane, &copy);
}

void
records_click(struct deck *deck, int line)
{
    const struct records *records = deck->records;
    size_t index = records->top + (size_t)line - 1;
    if (line < 1 || line > records->height || index >= records->shown_count)
        return;
    if (index == records->chosen)
        records_choose(deck);
    else
        records_move(deck, (long)index - (long)records->chosen);
}
