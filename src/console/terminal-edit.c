#include "console/terminal-internal.h"

/* The line that a row continues does not go on across an edge of a scroll. */
static void
cut_line(struct terminal *terminal, int row)
{
    if (row >= 0)
        terminal_end_line(terminal, terminal->grid->row[row]);
}

void
terminal_scroll_up(struct terminal *terminal, int top, int bottom, int count)
{
    if (count > bottom - top + 1)
        count = bottom - top + 1;
    if (count <= 0)
        return;
    if (terminal->modes & MODE_NARROW) {
        terminal_scroll_columns(terminal, top, bottom, count);
        return;
    }
    struct grid *grid = terminal->grid;
    if (top > 0)
        cut_line(terminal, top - 1);
    else if (grid == &terminal->main.grid)
        terminal_push_rows(terminal, count);
    grid_rotate_up(grid, top, bottom, count);
    for (int row = bottom - count + 1; row <= bottom; row++)
        terminal_blank_row(terminal, grid->row[row]);
}

void
terminal_scroll_down(struct terminal *terminal, int top, int bottom, int count)
{
    if (count > bottom - top + 1)
        count = bottom - top + 1;
    if (count <= 0)
        return;
    if (terminal->modes & MODE_NARROW) {
        terminal_scroll_columns(terminal, top, bottom, -count);
        return;
    }
    cut_line(terminal, top - 1);
    grid_rotate_down(terminal->grid, top, bottom, count);
    for (int row = top; row < top + count; row++)
        terminal_blank_row(terminal, terminal->grid->row[row]);
    cut_line(terminal, bottom);
}

static void
erase(struct terminal *terminal, int row, int from, int to)
{
    struct row *cells = terminal->grid->row[row];
    row_erase(cells, terminal->cols, from, to, terminal_erase_style(terminal));
    terminal_touch(terminal, cells);
}

static void
blank_rows(struct terminal *terminal, int from, int to)
{
    for (int row = from; row < to; row++)
        terminal_blank_row(terminal, terminal->grid->row[row]);
}

/* A cursor that waits to wrap stands behind the last column, as tmux and
 * xterm.js have it: what grep, ls and top print up to there and end with EL is
 * not erased. */
static bool
stands_behind(const struct terminal *terminal)
{
    return terminal->is_pending && terminal->modes & TERMINAL_MODE_AUTOWRAP;
}

void
terminal_erase_line(struct terminal *terminal, int what)
{
    switch (what) {
    case 0:
        if (!stands_behind(terminal))
            erase(terminal, terminal->row, terminal->col, terminal->cols);
        break;
    case 1:
        erase(terminal, terminal->row, 0, terminal->col + 1);
        break;
    case 2:
        erase(terminal, terminal->row, 0, terminal->cols);
        terminal->is_pending = false;
        break;
    default:
        break;
    }
}

void
terminal_erase_display(struct terminal *terminal, int what)
{
    bool is_home = terminal->row == 0 && terminal->col == 0;
    if (what == 2 || (what == 0 && is_home)) {
        terminal->is_pending = false;
        if (terminal->grid == &terminal->main.grid)
            terminal_keep_screen(terminal);
        else
            blank_rows(terminal, 0, terminal->rows);
    } else if (what == 0) {
        terminal_erase_line(terminal, 0);
        blank_rows(terminal, terminal->row + 1, terminal->rows);
    } else if (what == 1) {
        cut_line(terminal, terminal->row - 1);
        blank_rows(terminal, 0, terminal->row);
        terminal_erase_line(terminal, 1);
    }
}

void
terminal_erase_chars(struct terminal *terminal, int count)
{
    int room = terminal->cols - terminal->col;
    if (stands_behind(terminal))
        return;
    erase(terminal, terminal->row, terminal->col,
          terminal->col + (count < room ? count : room));
}

void
terminal_insert_chars(struct terminal *terminal, int count)
{
    struct row *row = terminal_cursor_row(terminal);
    if (!terminal_is_between(terminal))
        return;
    row_insert(row, terminal->cols, terminal->col, terminal_end_col(terminal),
               count, terminal_erase_style(terminal));
    terminal_touch(terminal, row);
    terminal->is_pending = false;
}

void
terminal_delete_chars(struct terminal *terminal, int count)
{
    struct row *row = terminal_cursor_row(terminal);
    if (!terminal_is_between(terminal))
        return;
    row_delete(row, terminal->cols, terminal->col, terminal_end_col(terminal),
               count, terminal_erase_style(terminal));
    terminal_touch(terminal, row);
    terminal->is_pending = false;
}

static bool
is_in_region(const struct terminal *terminal)
{
    return terminal->row >= terminal->top &&
           terminal->row <= terminal->bottom && terminal_is_between(terminal);
}

void
terminal_insert_lines(struct terminal *terminal, int count)
{
    if (!is_in_region(terminal))
        return;
    terminal_scroll_down(terminal, terminal->row, terminal->bottom, count);
    terminal_carriage_return(terminal);
}

/* Unlike a scroll, what is deleted is gone: it is no output that moved on. */
void
terminal_delete_lines(struct terminal *terminal, int count)
{
    if (!is_in_region(terminal))
        return;
    int room = terminal->bottom - terminal->row + 1;
    if (count > room)
        count = room;
    if (terminal->modes & MODE_NARROW) {
        terminal_scroll_columns(terminal, terminal->row, terminal->bottom,
                                count);
    } else {
        cut_line(terminal, terminal->row - 1);
        grid_rotate_up(terminal->grid, terminal->row, terminal->bottom, count);
        blank_rows(terminal, terminal->bottom - count + 1,
                   terminal->bottom + 1);
    }
    terminal_carriage_return(terminal);
}

void
terminal_align(struct terminal *terminal)
{
    terminal_reset_margins(terminal);
    terminal->modes &= ~(unsigned)MODE_ORIGIN;
    for (int row = 0; row < terminal->rows; row++) {
        struct row *cells = terminal->grid->row[row];
        row_reset(cells);
        row_open(cells, 0, terminal->cols);
        for (int col = 0; col < terminal->cols; col++)
            cells->cells[col] = (struct cell){.symbol = 'E'};
        terminal_touch(terminal, cells);
    }
    terminal_move_to(terminal, 0, 0);
}
