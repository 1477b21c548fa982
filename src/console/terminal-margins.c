#include "console/terminal-internal.h"

/* Left and right margins (VT420 manual: DECLRMM, DECSLRM), and what moves
 * columns. Where there are none, nothing here is in the way of anything. */

static void
set_narrow(struct terminal *terminal, int left, int right)
{
    terminal->left = left;
    terminal->right = right;
    terminal->modes &= ~(unsigned)MODE_NARROW;
    if (left > 0 || right < terminal->cols - 1)
        terminal->modes |= MODE_NARROW;
    if (terminal->col != terminal_end_col(terminal) - 1)
        terminal->is_pending = false;
}

void
terminal_reset_margins(struct terminal *terminal)
{
    terminal->top = 0;
    terminal->bottom = terminal->rows - 1;
    set_narrow(terminal, 0, terminal->cols - 1);
}

void
terminal_allow_margins(struct terminal *terminal, bool is_allowed)
{
    if (!is_allowed)
        set_narrow(terminal, 0, terminal->cols - 1);
}

void
terminal_decslrm(struct terminal *terminal,
                 const struct parser_sequence *sequence)
{
    int left = terminal_place(sequence, 0);
    int last = terminal_param(sequence, 1, 0);
    int right =
        last == 0 || last > terminal->cols ? terminal->cols - 1 : last - 1;
    if (left >= right)
        return;
    set_narrow(terminal, left, right);
    terminal_address(terminal, 0, 0);
}

/* Lines do not go on over rows of which only a part moves. */
static void
cut_lines(struct terminal *terminal, int top, int bottom)
{
    for (int row = top > 0 ? top - 1 : 0; row <= bottom; row++)
        terminal_end_line(terminal, terminal->grid->row[row]);
}

void
terminal_scroll_columns(struct terminal *terminal, int top, int bottom,
                        int count)
{
    struct row **row = terminal->grid->row;
    int left = terminal->left;
    int cols = terminal->right - left + 1;
    int moved = bottom - top + 1 - (count < 0 ? -count : count);
    uint32_t style = terminal_erase_style(terminal);
    struct cell cells[TERMINAL_MAX_COLS];
    cut_lines(terminal, top, bottom);
    for (int i = 0; i < moved; i++) {
        int to = count > 0 ? top + i : bottom - i;
        row_take(row[to + count], left, cols, cells);
        row_put(row[to], left, cells, cols);
        terminal_touch(terminal, row[to]);
    }
    for (int i = moved < 0 ? 0 : moved; i <= bottom - top; i++) {
        int at = count > 0 ? top + i : bottom - i;
        row_erase(row[at], terminal->cols, left, left + cols, style);
        terminal_touch(terminal, row[at]);
    }
}

void
terminal_shift_columns(struct terminal *terminal, int from, int count)
{
    uint32_t style = terminal_erase_style(terminal);
    int end = terminal->right + 1;
    for (int i = terminal->top; i <= terminal->bottom; i++) {
        struct row *row = terminal->grid->row[i];
        if (count > 0)
            row_insert(row, terminal->cols, from, end, count, style);
        else
            row_delete(row, terminal->cols, from, end, -count, style);
        terminal_touch(terminal, row);
    }
}

static bool
is_in_region(const struct terminal *terminal)
{
    return terminal->row >= terminal->top &&
           terminal->row <= terminal->bottom && terminal_is_between(terminal);
}

void
terminal_decic(struct terminal *terminal,
               const struct parser_sequence *sequence)
{
    if (is_in_region(terminal))
        terminal_shift_columns(terminal, terminal->col,
                               terminal_count(sequence));
}

void
terminal_decdc(struct terminal *terminal,
               const struct parser_sequence *sequence)
{
    if (is_in_region(terminal))
        terminal_shift_columns(terminal, terminal->col,
                               -terminal_count(sequence));
}

/* SL (ECMA-48 8.3.121). */
void
terminal_scroll_left(struct terminal *terminal,
                     const struct parser_sequence *sequence)
{
    terminal_shift_columns(terminal, terminal->left, -terminal_count(sequence));
}

/* SR (ECMA-48 8.3.135). */
void
terminal_scroll_right(struct terminal *terminal,
                      const struct parser_sequence *sequence)
{
    terminal_shift_columns(terminal, terminal->left, terminal_count(sequence));
}

void
terminal_forward_index(struct terminal *terminal)
{
    if (terminal->col != terminal->right || !is_in_region(terminal))
        terminal_cursor_forward(terminal, 1);
    else
        terminal_shift_columns(terminal, terminal->left, -1);
}

void
terminal_back_index(struct terminal *terminal)
{
    if (terminal->col != terminal->left || !is_in_region(terminal))
        terminal_cursor_back(terminal, 1);
    else
        terminal_shift_columns(terminal, terminal->left, 1);
}
