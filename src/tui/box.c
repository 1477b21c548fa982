#include "tui/box.h"

#include "base/utf8.h"
#include "tui/deck-internal.h"
#include "tui/draw.h"

#include <string.h>

/* corners from the top left clockwise, then the lines */
static const char *const unicode_strokes[] = {"╭", "╮", "╯", "╰", "─", "│"};
static const char *const ascii_strokes[] = {"+", "+", "+", "+", "-", "|"};

TickitWindow *
box_open(struct deck *deck, TickitWindowEventFn *on_expose)
{
    TickitWindow *window =
        tickit_window_new(deck->root, (TickitRect){.lines = 1, .cols = 1}, 0);
    tickit_window_bind_event(window, TICKIT_WINDOW_ON_EXPOSE, 0, on_expose,
                             deck);
    return window;
}

void
box_close(struct deck *deck, TickitWindow *window)
{
    tickit_window_close(window);
    tickit_window_unref(window);
    frame_expose_all(deck);
    arrange_cursor(deck);
}

bool
box_take_click(const TickitWindow *window, int *line, int *col)
{
    TickitRect rect = tickit_window_get_geometry(window);
    *line -= rect.top;
    *col -= rect.left;
    return *line >= 0 && *line < rect.lines && *col >= 0 && *col < rect.cols;
}

void
box_draw(const struct deck *deck, TickitRenderBuffer *rb, int rows, int cols,
         const char *title, const char *footer)
{
    const char *const *strokes =
        deck->has_unicode ? unicode_strokes : ascii_strokes;
    TickitPen *border = theme_pen(deck->theme, THEME_OVERLAY_BORDER);
    TickitPen *inside = theme_pen(deck->theme, THEME_OVERLAY);
    draw_repeat(rb, 0, 1, cols - 2, border, strokes[4]);
    draw_repeat(rb, rows - 1, 1, cols - 2, border, strokes[4]);
    draw_text(rb, 0, 0, 1, border, strokes[0]);
    draw_text(rb, 0, cols - 1, 1, border, strokes[1]);
    draw_text(rb, rows - 1, cols - 1, 1, border, strokes[2]);
    draw_text(rb, rows - 1, 0, 1, border, strokes[3]);
    for (int row = 1; row < rows - 1; row++) {
        draw_text(rb, row, 0, 1, border, strokes[5]);
        draw_fill(rb, row, 1, cols - 2, inside);
        draw_text(rb, row, cols - 1, 1, border, strokes[5]);
    }
    if (title[0])
        draw_format(rb, 0, 2, cols - 4,
                    theme_pen(deck->theme, THEME_OVERLAY_HEADING), " %s ",
                    title);
    int width = (int)utf8_text_cols(footer, strlen(footer));
    if (width > 0 && width < cols - 4)
        draw_text(rb, rows - 1, cols - width - 2, width, border, footer);
}
