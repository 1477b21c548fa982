#include "console/terminal-internal.h"

/* Rectangles (VT420 manual, chapter 5): copied, erased, filled. The work of
 * one is at most that of DECALN, a screen full of cells. */

/* Edges of a rectangle on the screen; the far ones are not part of it. */
struct area {
    int top;
    int left;
    int bottom;
    int right;
};

/* Pt ; Pl ; Pb ; Pr from a parameter on; in origin mode they count from the
 * scroll region's corner and stay within it. False for none. */
static bool
read_area(const struct terminal *terminal,
          const struct parser_sequence *sequence, unsigned at,
          struct area *ret_area)
{
    bool is_origin = terminal->modes & MODE_ORIGIN;
    int top = is_origin ? terminal->top : 0;
    int left = is_origin ? terminal->left : 0;
    int rows = is_origin ? terminal->bottom + 1 : terminal->rows;
    int cols = is_origin ? terminal->right + 1 : terminal->cols;
    int bottom = terminal_param(sequence, at + 2, 0);
    int right = terminal_param(sequence, at + 3, 0);
    *ret_area = (struct area){
        .top = top + terminal_place(sequence, at),
        .left = left + terminal_place(sequence, at + 1),
        .bottom = bottom && top + bottom < rows ? top + bottom : rows,
        .right = right && left + right < cols ? left + right : cols,
    };
    return ret_area->top < ret_area->bottom && ret_area->left < ret_area->right;
}

/* Pts ; Pls ; Pbs ; Prs ; page ; Ptd ; Pld. */
void
terminal_deccra(struct terminal *terminal,
                const struct parser_sequence *sequence)
{
    struct area from;
    struct area to;
    if (!read_area(terminal, sequence, 0, &from))
        return;
    struct parser_sequence target = {.count = 2};
    target.params[0] = terminal_param(sequence, 5, 1);
    target.params[1] = terminal_param(sequence, 6, 1);
    if (!read_area(terminal, &target, 0, &to))
        return;
    int rows = from.bottom - from.top;
    int cols = from.right - from.left;
    if (rows > to.bottom - to.top)
        rows = to.bottom - to.top;
    if (cols > to.right - to.left)
        cols = to.right - to.left;
    struct cell cells[TERMINAL_MAX_COLS];
    for (int i = 0; i < rows; i++) {
        /* rows that the copy overlaps are read before they are written */
        int offset = to.top > from.top ? rows - 1 - i : i;
        struct row *row = terminal->grid->row[to.top + offset];
        row_take(terminal->grid->row[from.top + offset], from.left, cols,
                 cells);
        row_put(row, to.left, cells, cols);
        terminal_touch(terminal, row);
    }
}

/* DECERA, and DECSERA: no character is protected. */
void
terminal_decera(struct terminal *terminal,
                const struct parser_sequence *sequence)
{
    struct area area;
    if (!read_area(terminal, sequence, 0, &area))
        return;
    uint32_t style = terminal_erase_style(terminal);
    for (int i = area.top; i < area.bottom; i++) {
        struct row *row = terminal->grid->row[i];
        row_erase(row, terminal->cols, area.left, area.right, style);
        terminal_touch(terminal, row);
    }
}

/* Pch ; Pt ; Pl ; Pb ; Pr. */
void
terminal_decfra(struct terminal *terminal,
                const struct parser_sequence *sequence)
{
    struct area area;
    int character = terminal_param(sequence, 0, 0);
    if (character < 0x20 || character > 0x7E ||
        !read_area(terminal, sequence, 1, &area))
        return;
    struct cell cells[TERMINAL_MAX_COLS];
    uint32_t style = terminal_pen_style(terminal);
    int cols = area.right - area.left;
    uint32_t symbol = charset_map(terminal->charsets[terminal->locked],
                                  (unsigned char)character);
    for (int i = 0; i < cols; i++)
        cells[i] = (struct cell){.symbol = symbol, .style = style};
    for (int i = area.top; i < area.bottom; i++) {
        struct row *row = terminal->grid->row[i];
        row_put(row, area.left, cells, cols);
        terminal_touch(terminal, row);
    }
}
