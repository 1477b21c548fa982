#include "console/terminal-internal.h"

static int
clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

void
terminal_move_to(struct terminal *terminal, int row, int col)
{
    if (row >= terminal->rows)
        row = terminal->rows - 1;
    if (col >= terminal->cols)
        col = terminal->cols - 1;
    terminal->row = row < 0 ? 0 : row;
    terminal->col = col < 0 ? 0 : col;
    terminal->is_pending = false;
}

void
terminal_address(struct terminal *terminal, int row, int col)
{
    if (terminal->modes & MODE_ORIGIN) {
        row = clamp(row + terminal->top, terminal->top, terminal->bottom);
        col = clamp(col + terminal->left, terminal->left, terminal->right);
    }
    terminal_move_to(terminal, row, col);
}

int
terminal_addressed_row(const struct terminal *terminal)
{
    int top = terminal->modes & MODE_ORIGIN ? terminal->top : 0;
    return terminal->row - top;
}

int
terminal_addressed_col(const struct terminal *terminal)
{
    int left = terminal->modes & MODE_ORIGIN ? terminal->left : 0;
    return terminal->col - left;
}

void
terminal_cursor_forward(struct terminal *terminal, int count)
{
    int last = terminal_end_col(terminal) - 1;
    int col = terminal->col + count;
    terminal_move_to(terminal, terminal->row, col < last ? col : last);
}

void
terminal_cursor_back(struct terminal *terminal, int count)
{
    int first = terminal_first_col(terminal);
    int col = terminal->col - count;
    terminal_move_to(terminal, terminal->row, col > first ? col : first);
}

void
terminal_carriage_return(struct terminal *terminal)
{
    terminal->col = terminal_first_col(terminal);
    terminal->is_pending = false;
}

void
terminal_cursor_up(struct terminal *terminal, int count)
{
    int limit = terminal->row >= terminal->top ? terminal->top : 0;
    int row = terminal->row - count;
    terminal_move_to(terminal, row > limit ? row : limit, terminal->col);
}

void
terminal_cursor_down(struct terminal *terminal, int count)
{
    int limit = terminal->row <= terminal->bottom ? terminal->bottom
                                                  : terminal->rows - 1;
    int row = terminal->row + count;
    terminal_move_to(terminal, row < limit ? row : limit, terminal->col);
}

void
terminal_backspace(struct terminal *terminal)
{
    bool wraps_back = (terminal->modes & MODE_REVERSE_WRAP) &&
                      (terminal->modes & TERMINAL_MODE_AUTOWRAP);
    if (wraps_back && terminal->is_pending) {
        terminal->is_pending = false;
        return;
    }
    if (wraps_back && terminal->col == terminal_first_col(terminal) &&
        terminal->row > terminal->top) {
        terminal_move_to(terminal, terminal->row - 1,
                         terminal_end_col(terminal) - 1);
        return;
    }
    terminal_cursor_back(terminal, 1);
}

void
terminal_index(struct terminal *terminal)
{
    terminal->is_pending = false;
    if (terminal->row == terminal->bottom && terminal_is_between(terminal))
        terminal_scroll_up(terminal, terminal->top, terminal->bottom, 1);
    else if (terminal->row != terminal->bottom &&
             terminal->row < terminal->rows - 1)
        terminal->row++;
}

void
terminal_reverse_index(struct terminal *terminal)
{
    terminal->is_pending = false;
    if (terminal->row == terminal->top && terminal_is_between(terminal))
        terminal_scroll_down(terminal, terminal->top, terminal->bottom, 1);
    else if (terminal->row != terminal->top && terminal->row > 0)
        terminal->row--;
}

void
terminal_linefeed(struct terminal *terminal)
{
    if (terminal->modes & TERMINAL_MODE_NEWLINE)
        terminal_carriage_return(terminal);
    terminal_index(terminal);
}

static struct saved_cursor *
saved_of(struct terminal *terminal)
{
    return terminal->grid == &terminal->main.grid ? &terminal->main.saved
                                                  : &terminal->alternate.saved;
}

void
terminal_save_cursor(struct terminal *terminal)
{
    struct saved_cursor *saved = saved_of(terminal);
    *saved = (struct saved_cursor){.row = terminal->row,
                                   .col = terminal->col,
                                   .is_pending = terminal->is_pending,
                                   .is_origin = terminal->modes & MODE_ORIGIN,
                                   .pen = terminal->pen,
                                   .locked = terminal->locked};
    for (int i = 0; i < CHARSET_SLOTS; i++)
        saved->charsets[i] = terminal->charsets[i];
}

void
terminal_restore_cursor(struct terminal *terminal)
{
    const struct saved_cursor *saved = saved_of(terminal);
    terminal->modes &= ~(unsigned)MODE_ORIGIN;
    if (saved->is_origin)
        terminal->modes |= MODE_ORIGIN;
    terminal_move_to(terminal, saved->row, saved->col);
    terminal->is_pending =
        saved->is_pending && terminal->col == terminal_end_col(terminal) - 1;
    terminal->pen = saved->pen;
    terminal->is_pen_stale = true;
    terminal->locked = saved->locked;
    terminal->single = -1;
    for (int i = 0; i < CHARSET_SLOTS; i++)
        terminal->charsets[i] = saved->charsets[i];
}
