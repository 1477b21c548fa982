#include "tui/pane-direct.h"

#include "base/buffer.h"
#include "tui/deck-internal.h"
#include "tui/draw.h"
#include "tui/pane-edge.h"
#include "tui/pane.h"
#include "tui/pens.h"
#include "tui/state.h"

#include <string.h>

bool
pane_direct_is_possible(const struct pane *pane)
{
    const struct deck *deck = pane->deck;
    const struct mirror_guest *guest = pane_guest(pane);
    return pane->window && tickit_window_is_visible(pane->window) &&
           !pane->copy && !deck->dialog && !deck->menu && !deck->viewer &&
           !deck->records && !deck->is_status_over &&
           !deck->layout.is_too_small && guest &&
           !state_info(guest->state)->has_ended;
}

static void
put_run(struct pane *pane, int row, const struct mirror_run *run)
{
    struct term *term = pane->deck->term;
    bool is_reverse = pane->view.modes & MIRROR_MODE_REVERSE_SCREEN;
    struct term_ink ink = pens_ink_of_run(run, is_reverse);
    int left = pane->rect.col;
    /* a frame for the size before: the neighbour's columns are not its */
    int end = left + pane->rect.cols;
    if (run->attributes & MIRROR_HIDDEN) {
        if (run->cols < pane->rect.cols - run->col)
            end = left + run->col + run->cols;
        term_fill(term, row, left + run->col, end, &ink);
        return;
    }
    struct buffer fit = {0};
    size_t len = strlen(run->text);
    const char *text = draw_fit(run->text, &len, &fit);
    term_put(term, row, left + run->col, end, &ink, text, len);
    buffer_finish(&fit);
}

static void
put_edge(struct pane *pane, TickitTerm *term, int row, int index)
{
    struct pane_edge edge;
    if (!pane_edge_at(pane, index, &edge))
        return;
    tickit_term_goto(term, row, pane->rect.col + edge.col);
    tickit_term_setpen(term, theme_pen(pane->deck->theme, THEME_LETTERBOX));
    for (int i = 0; i < edge.cols; i++)
        tickit_term_print(term, edge.stroke);
    if (edge.corner)
        tickit_term_print(term, edge.corner);
}

static void
put_row(struct pane *pane, int row, const struct mirror_row *line)
{
    bool is_reverse = pane->view.modes & MIRROR_MODE_REVERSE_SCREEN;
    struct term_ink blank =
        pens_ink_of_run(&(struct mirror_run){0}, is_reverse);
    term_fill(pane->deck->term, row, pane->rect.col,
              pane->rect.col + pane->rect.cols, &blank);
    for (size_t i = 0; i < line->run_count; i++)
        put_run(pane, row, &line->runs[i]);
}

bool
pane_direct_draw(struct pane *pane)
{
    TickitTerm *term = term_tickit(pane->deck->term);
    int top = pane->rect.row + (pane->deck->options->is_single ? 0 : 1);
    int rows = pane_rows(pane);
    bool has_drawn = false;
    for (int i = 0; i < pane->view.rows && i < rows; i++) {
        struct mirror_row *line = &pane->view.lines[i];
        if (!line->is_dirty)
            continue;
        line->is_dirty = false;
        put_row(pane, top + i, line);
        put_edge(pane, term, top + i, i);
        has_drawn = true;
    }
    pane->view.shift_pending = 0;
    return has_drawn;
}
