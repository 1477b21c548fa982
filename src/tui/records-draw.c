#include "base/clock.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "tui/deck-internal.h"
#include "tui/draw.h"
#include "tui/records-internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A list over the deck, drawn: its heading, its rows, what was found in them.
 */

/* Columns of a time, of a guest's name at most, of the blanks between. */
#define TIME_COLS 12
#define GUEST_COLS_MAX 18
/* … and never more than such a part of the list. */
#define GUEST_COLS_PART 4
#define GAP_COLS 2
/* Guests have one of so many colours. */
#define GUEST_ROLES (THEME_GUEST_6 - THEME_GUEST_1 + 1)

static bool
is_today(const struct tm *local)
{
    time_t now = (time_t)(clock_wall_ms() / 1000);
    struct tm today;
    return localtime_r(&now, &today) && local->tm_year == today.tm_year &&
           local->tm_yday == today.tm_yday;
}

/* The rows' times are without a date: the chosen row's, unless it is today's.
 */
static void
format_day(const struct records *records, char *text, size_t size)
{
    const struct records_row *row = records_chosen(records);
    time_t seconds = row ? (time_t)(row->at_ms / 1000) : 0;
    struct tm local;
    text[0] = '\0';
    if (row && records->kind == RECORDS_TIMELINE &&
        localtime_r(&seconds, &local) && !is_today(&local) &&
        strftime(text, size, "%a %Y-%m-%d", &local) == 0)
        text[0] = '\0';
}

static void
format_time(const struct records *records, int64_t at_ms, char *text,
            size_t size)
{
    time_t seconds = (time_t)(at_ms / 1000);
    struct tm local;
    text[0] = '\0';
    if (!localtime_r(&seconds, &local))
        return;
    if (records->kind == RECORDS_ALERTS && !is_today(&local)) {
        (void)strftime(text, size, "%m-%d %H:%M", &local);
        return;
    }
    size_t len = strftime(text, size, "%H:%M:%S", &local);
    if (records->kind == RECORDS_TIMELINE)
        (void)snprintf(text + len, size - len, ".%03d", (int)(at_ms % 1000));
}

/* A guest's colour: by its place in the fleet, so that neighbours differ. */
static enum theme_role
guest_role(const struct deck *deck, const char *guest)
{
    for (size_t i = 0; guest && i < deck->fleet.count; i++) {
        if (strcmp(deck->fleet.guests[i].name, guest) == 0)
            return (enum theme_role)(THEME_GUEST_1 + (int)(i % GUEST_ROLES));
    }
    return THEME_MUTED;
}

static int
guest_cols(const struct records *records)
{
    int widest = 4;
    for (size_t i = 0; i < records->count; i++) {
        const char *name = records->rows[i].target;
        if (!name)
            name = records->rows[i].guest;
        int cols = name ? (int)utf8_text_cols(name, strlen(name)) : 0;
        widest = cols > widest ? cols : widest;
    }
    int most = records->width / GUEST_COLS_PART;
    if (most > GUEST_COLS_MAX)
        most = GUEST_COLS_MAX;
    return widest < most ? widest : most;
}

/* The pen of a part of a row: on the chosen one, that of the choice. */
static TickitPen *
row_pen(const struct deck *deck, bool is_chosen, enum theme_role role)
{
    return theme_pen(deck->theme, is_chosen ? THEME_SIDEBAR_SELECTED : role);
}

/* The text of a row with what was found marked; so much of its beginning is
 * left out that the first match is seen. */
static void
draw_found(struct deck *deck, TickitRenderBuffer *rb, int line, int col,
           const struct records_row *row, bool is_chosen)
{
    int room = deck->records->width - col - 1;
    TickitPen *plain = row_pen(deck, is_chosen, row->role);
    TickitPen *found = theme_pen(deck->theme, THEME_MATCH);
    const struct records_match *first = &row->matches[0];
    int skip = 0;
    if (first->col + first->cols > room)
        skip = first->col > room / 3 ? first->col - room / 3 : 0;
    const char *text = row->text + utf8_col_offset(row->text, skip);
    draw_text(rb, line, col, room, plain, text);
    if (skip)
        draw_text(rb, line, col, 1, plain, deck->has_unicode ? "…" : "<");
    for (size_t i = 0; i < row->match_count; i++) {
        int from = row->matches[i].col - skip;
        int to = from + row->matches[i].cols;
        to = to < room - 1 ? to : room - 1;
        if (from < 0 || from >= to)
            continue;
        size_t start = utf8_col_offset(text, from);
        size_t end = utf8_col_offset(text, to);
        char *part = xstrndup(text + start, end - start);
        draw_text(rb, line, col + from, to - from, found, part);
        free(part);
    }
}

static void
draw_row(struct deck *deck, TickitRenderBuffer *rb, int line,
         const struct records_row *row, bool is_chosen, int name_cols)
{
    const struct records *records = deck->records;
    int cols = records->width;
    draw_fill(rb, line, 0, cols, row_pen(deck, is_chosen, THEME_TEXT));
    if (row->is_strong)
        draw_text(rb, line, 0, 1, row_pen(deck, is_chosen, THEME_ACCENT),
                  deck->has_unicode ? "▌" : ">");
    int col = 1;
    if (records->kind != RECORDS_SEARCH) {
        char when[32];
        format_time(records, row->at_ms, when, sizeof(when));
        draw_text(rb, line, col, TIME_COLS,
                  row_pen(deck, is_chosen, THEME_MUTED), when);
        col += TIME_COLS + GAP_COLS;
    }
    const char *name = row->target ? row->target : row->guest;
    draw_text(rb, line, col, name_cols,
              row_pen(deck, is_chosen, guest_role(deck, row->guest)),
              name ? name : "-");
    col += name_cols + GAP_COLS;
    if (row->mark)
        col += 1 + draw_text(rb, line, col, 2,
                             row_pen(deck, is_chosen, row->role), row->mark);
    if (col < cols && row->match_count)
        draw_found(deck, rb, line, col, row, is_chosen);
    else if (col < cols)
        draw_text(rb, line, col, cols - col - 1,
                  row_pen(deck, is_chosen, row->role), row->text);
}

static void
draw_heading(struct deck *deck, TickitRenderBuffer *rb)
{
    const struct records *records = deck->records;
    TickitPen *heading = theme_pen(deck->theme, THEME_SIDEBAR_HEADING);
    TickitPen *muted = theme_pen(deck->theme, THEME_MUTED);
    int cols = records->width;
    draw_fill(rb, 0, 0, cols, heading);
    int col = 1 + draw_text(rb, 0, 1, cols - 2, heading, records->title);
    char day[40];
    format_day(records, day, sizeof(day));
    if (day[0])
        col += 2 + draw_text(rb, 0, col + 2, cols - col - 3, heading, day);
    if (records->guest)
        col += 2 + draw_format(rb, 0, col + 2, cols - col - 3, muted, "only %s",
                               records->guest);
    if (records->filter)
        col += 2 + draw_format(rb, 0, col + 2, cols - col - 3,
                               theme_pen(deck->theme, THEME_ACCENT), "/%s",
                               records->filter);
    char place[48];
    (void)snprintf(place, sizeof(place), "%zu/%zu",
                   records->shown_count ? records->chosen + 1 : 0,
                   records->shown_count);
    int width = (int)strlen(place);
    if (col + 2 < cols - width - 1)
        draw_text(rb, 0, cols - width - 1, width, muted, place);
}

int
records_on_expose(TickitWindow *window, TickitEventFlags flags, void *info,
                  void *user)
{
    (void)window;
    (void)flags;
    struct deck *deck = user;
    const struct records *records = deck->records;
    TickitExposeEventInfo *expose = info;
    int name_cols = guest_cols(records);
    draw_heading(deck, expose->rb);
    for (int i = 0; i < records->height; i++) {
        size_t at = records->top + (size_t)i;
        if (at < records->shown_count)
            draw_row(deck, expose->rb, i + 1,
                     &records->rows[records->shown[at]], at == records->chosen,
                     name_cols);
        else
            draw_fill(expose->rb, i + 1, 0, records->width,
                      theme_pen(deck->theme, THEME_TEXT));
    }
    if (records->shown_count == 0)
        draw_text(expose->rb, records->height / 2, 3, records->width - 4,
                  theme_pen(deck->theme, THEME_MUTED),
                  !records->has_rows   ? "one moment…"
                  : records->count > 0 ? "nothing passes the filter"
                  : records->kind == RECORDS_ALERTS
                      ? "no alerts: nothing that a rule knows was printed"
                      : "nothing was printed, and nothing happened");
    return 1;
}
