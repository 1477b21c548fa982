#include "tui/pane-draw.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "tui/broadcast.h"
#include "tui/card.h"
#include "tui/copy-mode.h"
#include "tui/deck-internal.h"
#include "tui/draw.h"
#include "tui/life.h"
#include "tui/pane-edge.h"
#include "tui/pane.h"
#include "tui/pasting.h"
#include "tui/pens.h"
#include "tui/row-text.h"
#include "tui/scrub.h"
#include "tui/state.h"
#include "tui/watching.h"

#include <stdio.h>
#include <string.h>

static TickitPen *
pen_of(const struct pane *pane, enum theme_role role)
{
    return theme_pen(pane->deck->theme, role);
}

/* "[120/10000]" while in the history, else the console and its size, and where
 * a part of it begins: "ttyS0 132x50+0+26". */
static void
format_place(const struct pane *pane, int cols, char *text, size_t size)
{
    int percent = pasting_percent(pane->deck, pane->guest, pane->console);
    if (pane->scrub)
        scrub_format(pane, cols, text, (unsigned)size);
    else if (pane->copy && copy_mode_first_col(pane) > 0)
        (void)snprintf(
            text, size, " [%lld/%lld]+%d ", (long long)pane->view.scroll,
            (long long)pane->view.history, copy_mode_first_col(pane));
    else if (pane->copy)
        (void)snprintf(text, size, " [%lld/%lld] ",
                       (long long)pane->view.scroll,
                       (long long)pane->view.history);
    else if (percent >= 0)
        (void)snprintf(text, size, " pasting %d%% ", percent);
    else if (pane->console[0] && pane->has_frame &&
             (pane->view.origin_row || pane->view.origin_col))
        (void)snprintf(text, size, " %s %dx%d+%d+%d ", pane->console,
                       pane->view.console_cols, pane->view.console_rows,
                       pane->view.origin_col, pane->view.origin_row);
    else if (pane->console[0] && pane->has_frame)
        (void)snprintf(text, size, " %s %dx%d ", pane->console,
                       pane->view.console_cols, pane->view.console_rows);
    else
        (void)snprintf(text, size, " %s ", pane->console);
}

/* Marks behind the state: the worst alert that was not seen, and silence.
 * Returns the columns used. */
static int
draw_marks(struct pane *pane, TickitRenderBuffer *rb, int from, int to)
{
    const struct deck *deck = pane->deck;
    int col = from;
    const struct mirror_alert *alert =
        mirror_alerts_worst(watching_alerts(deck), pane->guest, pane->console);
    if (alert && to - col > 8)
        col += draw_format(
            rb, 0, col, to - col,
            pen_of(pane, (enum theme_role)watching_role(alert->severity)),
            "%s %s ", watching_mark(deck, alert->severity), alert->text);
    if (watching_is_silent(deck, pane->guest, pane->console) && to - col > 9)
        col += draw_text(rb, 0, col, to - col, pen_of(pane, THEME_SILENCE),
                         "~ silent ");
    return col - from;
}

/* Who else is there. Returns the columns used. */
static int
draw_company(struct pane *pane, TickitRenderBuffer *rb, int from, int to)
{
    char text[COMPANY_NAME_BYTES + 32];
    bool is_loud = false;
    if (to - from < 10 ||
        !company_title(pane, text, (int)sizeof(text), &is_loud))
        return 0;
    return draw_format(rb, 0, from, to - from,
                       pen_of(pane, is_loud ? THEME_ACCENT : THEME_MUTED),
                       " %s ", text);
}

static void
draw_title(struct pane *pane, TickitRenderBuffer *rb)
{
    const struct deck *deck = pane->deck;
    const struct mirror_guest *guest = pane_guest(pane);
    const struct state_info *state = state_info(guest ? guest->state : NULL);
    bool is_marked = deck->focus == pane;
    bool has_focus = is_marked && !deck->is_sidebar_focused;
    TickitPen *line =
        pen_of(pane, has_focus ? THEME_BORDER_FOCUS : THEME_BORDER);
    TickitPen *name = pen_of(pane, is_marked ? THEME_TITLE_FOCUS : THEME_TITLE);
    bool is_reached = broadcast_reaches(deck, pane->guest) &&
                      arrange_first_pane(pane->deck, pane->guest) == pane;
    if (is_reached)
        name = pen_of(pane, THEME_STATUS_ALARM);
    int cols = pane->rect.cols;
    const char *stroke = has_focus ? "━" : "─";
    if (!deck->has_unicode)
        stroke = has_focus ? "=" : "-";

    if (pane->scrub) /* nobody may take it for the present */
        line = pen_of(pane, THEME_STATUS_PAST);
    draw_repeat(rb, 0, 0, cols, line, stroke);
    int col = 1;
    col += draw_format(rb, 0, col, cols - col, name,
                       is_reached ? " %d %s << " : " %d %s ", pane->number,
                       pane->target);
    col += draw_format(rb, 0, col, cols - col, pen_of(pane, state->role),
                       "%s %s ", state_glyph(state, deck->has_unicode),
                       guest ? guest->state : "gone");
    char life[64] = "";
    if (guest)
        life_title(guest, clock_wall_ms(), life, sizeof(life));
    if (life[0])
        col += draw_format(rb, 0, col, cols - col, pen_of(pane, state->role),
                           "%s ", life);

    char place[96];
    format_place(pane, cols - col - 2, place, sizeof(place));
    int place_cols = (int)strlen(place);
    int place_col = cols - place_cols - 1;
    enum theme_role place_role = pane->scrub  ? THEME_STATUS_PAST
                                 : pane->copy ? THEME_STATUS_SCROLLBACK
                                              : THEME_MUTED;
    TickitPen *place_pen = pen_of(pane, place_role);
    if (place_col > col && place[2])
        draw_text(rb, 0, place_col, place_cols, place_pen, place);
    else
        place_col = cols;
    col += draw_marks(pane, rb, col, place_col);
    col += draw_company(pane, rb, col, place_col);
    /* what the guest calls itself, where there is room to read it */
    if (pane->view.title && pane->view.title[0] && place_col - col > 12)
        draw_format(rb, 0, col + 1, place_col - col - 2,
                    pen_of(pane, THEME_MUTED), " %s ", pane->view.title);
}

/* The console's columns, of which the pane shows those from its first one on;
 * until end_shift. tickit_renderbuffer_restore looks at all of the buffer's
 * cells: for each row that is much. */
static void
begin_shift(const struct pane *pane, TickitRenderBuffer *rb)
{
    tickit_renderbuffer_translate(rb, 0, -copy_mode_shift(pane));
}

static void
end_shift(const struct pane *pane, TickitRenderBuffer *rb)
{
    tickit_renderbuffer_translate(rb, 0, copy_mode_shift(pane));
}

static void
draw_run(struct pane *pane, TickitRenderBuffer *rb, int row,
         const struct mirror_run *run)
{
    bool is_reverse = pane->view.modes & MIRROR_MODE_REVERSE_SCREEN;
    TickitPen *pen = pens_of_run(pane->deck->pens, run, is_reverse);
    tickit_renderbuffer_setpen(rb, pen);
    if (run->attributes & MIRROR_HIDDEN)
        tickit_renderbuffer_erase_at(rb, row, run->col, run->cols);
    else
        draw_cells(rb, row, run->col, run->text, strlen(run->text));
}

static void
draw_edge(struct pane *pane, TickitRenderBuffer *rb, int row, int index)
{
    struct pane_edge edge;
    if (!pane_edge_at(pane, index, &edge))
        return;
    TickitPen *pen = pen_of(pane, THEME_LETTERBOX);
    draw_repeat(rb, row, edge.col, edge.cols, pen, edge.stroke);
    if (edge.corner)
        draw_text(rb, row, edge.col + edge.cols, 1, pen, edge.corner);
}

static void
draw_row(struct pane *pane, TickitRenderBuffer *rb, int row, int index)
{
    bool is_reverse = pane->view.modes & MIRROR_MODE_REVERSE_SCREEN;
    TickitPen *blank =
        pens_of_run(pane->deck->pens, &(struct mirror_run){0}, is_reverse);
    draw_fill(rb, row, 0, pane->rect.cols, blank);
    if (index >= pane->view.rows || !pane->has_frame)
        return;
    const struct mirror_row *line = &pane->view.lines[index];
    begin_shift(pane, rb);
    for (size_t i = 0; i < line->run_count; i++)
        draw_run(pane, rb, row, &line->runs[i]);
    end_shift(pane, rb);
    draw_edge(pane, rb, row, index);
}

/* What copy mode marks in a row, over it. */
static void
draw_spans(struct pane *pane, TickitRenderBuffer *rb, int row, int index)
{
    struct copy_span spans[COPY_SPANS_MAX];
    size_t count = copy_mode_spans(pane, index, spans);
    if (!count || index >= pane->view.rows)
        return;
    struct row_text text = {0};
    struct buffer part = {0};
    row_text_read(&text, &pane->view.lines[index], pane->view.cols);
    begin_shift(pane, rb);
    for (size_t i = 0; i < count; i++) {
        int from = row_text_head(&text, spans[i].from);
        int to = row_text_tail(&text, spans[i].to);
        buffer_reset(&part);
        for (int col = from; col < to && col < text.cols; col++)
            buffer_append(&part, text.cells[col].text, text.cells[col].bytes);
        tickit_renderbuffer_setpen(rb, pen_of(pane, spans[i].role));
        draw_cells(rb, row, from, part.data, part.len);
    }
    end_shift(pane, rb);
    buffer_finish(&part);
    row_text_finish(&text);
}

static void
draw_card(struct pane *pane, TickitRenderBuffer *rb)
{
    struct card card;
    const struct mirror_guest *guest = pane_guest(pane);
    int title = pane->deck->options->is_single ? 0 : 1;
    int rows = pane_rows(pane);
    if (!guest)
        return;
    card_init(&card, guest, pane->deck->keymap, rows, pane->rect.cols);
    int top = title + (rows - (int)card.count) / 2;
    int left = (pane->rect.cols - card.cols) / 2;
    for (size_t i = 0; i < card.count; i++) {
        TickitPen *pen = pen_of(pane, card.lines[i].role);
        draw_fill(rb, top + (int)i, left, card.cols, pen);
        draw_text(rb, top + (int)i, left + 1, card.cols - 2, pen,
                  card.lines[i].text);
    }
    card_finish(&card);
}

void
pane_draw(struct pane *pane, TickitRenderBuffer *rb, const TickitRect *rect)
{
    int title = pane->deck->options->is_single ? 0 : 1;
    for (int row = rect->top; row < rect->top + rect->lines; row++) {
        if (row < title)
            draw_title(pane, rb);
        else
            draw_row(pane, rb, row, row - title);
        if (pane->copy && row >= title)
            draw_spans(pane, rb, row, row - title);
    }
    const struct mirror_guest *guest = pane_guest(pane);
    if (guest && !pane->copy && !pane->scrub &&
        state_info(guest->state)->has_ended)
        draw_card(pane, rb);
}
