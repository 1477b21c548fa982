#include "base/xalloc.h"
#include "console/sheet.h"
#include "console/terminal-internal.h"

#include <stdlib.h>

/* No style or cluster may be collected while rows stand in sheets, where the
 * collection does not look: rows are blanked by row_reset here. */

static void
stamp_row(struct terminal *terminal, struct row *row)
{
    row->id = terminal->next_id++;
    terminal_touch(terminal, row);
}

/* Appends a row of the history to a sheet of its present width. */
static struct row *
add_history_row(struct terminal *terminal, struct sheet *sheet, size_t number,
                struct terminal_run *runs)
{
    struct row *row = sheet_add(sheet);
    unsigned flags = 0;
    int cols = 0;
    size_t count = history_read(terminal->history, number, runs,
                                (size_t)sheet->cols, &flags, &cols);
    for (size_t i = 0; i < count; i++)
        row_write_run(row, &terminal->pool, &runs[i]);
    row_open(row, cols, cols); /* a gap at the end */
    if (flags & TERMINAL_ROW_WRAPPED)
        row->flags |= ROW_WRAPPED;
    struct terminal_row_stamp stamp = history_stamp(terminal->history, number);
    row->id = stamp.id;
    row->version = stamp.version;
    if (stamp.id >= terminal->next_id || stamp.version > terminal->version)
        stamp_row(terminal, row); /* it was wrapped anew */
    return row;
}

/* Moves the history's newest line to a sheet, its last row first. */
static void
take_line(struct terminal *terminal, struct sheet *sheet)
{
    struct terminal_run *runs =
        xcalloc((size_t)sheet->cols, sizeof(struct terminal_run));
    size_t rows = history_rows(terminal->history);
    size_t count = history_last_line_rows(terminal->history);
    struct history_line line;
    history_find_line(terminal->history, rows - 1, &line);
    struct row *first = NULL;
    for (size_t i = 1; i <= count; i++)
        first = add_history_row(terminal, sheet, rows - i, runs);
    /* a line stays the one that it was, however it is wrapped */
    if (first)
        first->id = line.id;
    history_drop_last_line(terminal->history);
    free(runs);
}

/* Moves rows from the end of one sheet to the end of another, in turn. */
static void
move_reversed(struct sheet *to, struct sheet *from, size_t count)
{
    for (; count && from->count; count--) {
        struct row *row = from->row[--from->count];
        sheet_add_copy(to, row);
        free(row);
    }
}

/* Rows of the main screen that hold something, or the cursor, or stand above
 * those. */
static int
content_rows(const struct grid *grid, int cursor_row)
{
    int rows = grid->rows;
    while (rows > cursor_row + 1 && row_content_cols(grid->row[rows - 1]) == 0)
        rows--;
    return rows;
}

/* The lines that the main screen shows, wrapped at the new width. The start of
 * the first one is fetched from the history. */
static struct sheet
take_screen(struct terminal *terminal, int rows, int cols,
            struct sheet_place *place)
{
    const struct grid *grid = &terminal->main.grid;
    struct sheet reversed = {.cols = grid->cols};
    struct sheet from = {.cols = grid->cols};
    bool is_new_width = cols != grid->cols;
    if (is_new_width && history_is_open(terminal->history)) {
        take_line(terminal, &reversed);
        move_reversed(&from, &reversed, reversed.count);
    }
    place->row += from.count;
    for (int row = 0; row < rows; row++)
        sheet_add_copy(&from, grid->row[row]);
    sheet_finish(&reversed);
    if (!is_new_width)
        return from;
    history_set_cols(terminal->history, cols);
    struct sheet to = {.cols = cols};
    *place = sheet_reflow(&from, &to, *place);
    for (size_t i = 0; i < to.count; i++) {
        if (to.row[i]->id)
            terminal_touch(terminal, to.row[i]);
        else
            stamp_row(terminal, to.row[i]);
    }
    sheet_finish(&from);
    return to;
}

/* Rows that come back from the history, oldest first, to stand above. */
static struct sheet
take_history(struct terminal *terminal, size_t want, int cols)
{
    struct sheet reversed = {.cols = cols};
    struct sheet taken = {.cols = cols};
    while (reversed.count < want && history_rows(terminal->history))
        take_line(terminal, &reversed);
    while (reversed.count > want) { /* the line's start stays there */
        struct row *row = reversed.row[--reversed.count];
        history_push(terminal->history, row, &terminal->pool);
        free(row);
    }
    move_reversed(&taken, &reversed, reversed.count);
    sheet_finish(&reversed);
    return taken;
}

/* Lays the rows onto a new main screen; those that have no room above go to
 * the history. Returns the number of the first row on the screen. */
static size_t
lay_out(struct terminal *terminal, const struct sheet *sheet, int rows,
        size_t cursor_row)
{
    size_t top = 0;
    if (sheet->count > (size_t)rows)
        top = sheet->count - (size_t)rows;
    if (top > cursor_row)
        top = cursor_row;
    for (size_t i = 0; i < top; i++)
        history_push(terminal->history, sheet->row[i], &terminal->pool);
    struct grid grid;
    grid_init(&grid, rows, sheet->cols);
    for (int row = 0; row < rows; row++) {
        if (top + (size_t)row < sheet->count)
            sheet_copy_row(grid.row[row], sheet->row[top + (size_t)row]);
        else
            stamp_row(terminal, grid.row[row]);
    }
    grid_finish(&terminal->main.grid);
    terminal->main.grid = grid;
    return top;
}

static void
resize_main(struct terminal *terminal, int rows, int cols,
            struct saved_cursor *cursor)
{
    const struct grid *grid = &terminal->main.grid;
    int row = cursor->row < grid->rows ? cursor->row : grid->rows - 1;
    int col = cursor->col < grid->cols ? cursor->col : grid->cols - 1;
    bool is_behind = cursor->is_pending && col == grid->cols - 1;
    int content = content_rows(grid, row);
    int blank = grid->rows - content;
    struct sheet_place place = {.row = (size_t)row,
                                .col = is_behind ? grid->cols : col};
    struct sheet lines = take_screen(terminal, content, cols, &place);
    /* As many rows stay blank below as were before. */
    struct sheet all = {.cols = cols};
    int want = rows - blank - (int)lines.count;
    if (want > 0)
        all = take_history(terminal, (size_t)want, cols);
    place.row += all.count;
    for (size_t i = 0; i < lines.count; i++)
        sheet_add_copy(&all, lines.row[i]);
    sheet_finish(&lines);
    size_t top = lay_out(terminal, &all, rows, place.row);
    sheet_finish(&all);
    cursor->row = (int)(place.row - top);
    cursor->is_pending = place.col >= cols;
    cursor->col = place.col < cols ? place.col : cols - 1;
}

/* The alternate screen's programs draw it anew. */
static void
resize_alternate(struct terminal *terminal, int rows, int cols)
{
    struct grid grid;
    grid_init(&grid, rows, cols);
    for (int row = 0; row < rows; row++) {
        struct grid *old = &terminal->alternate.grid;
        if (row >= old->rows) {
            stamp_row(terminal, grid.row[row]);
            continue;
        }
        if (old->row[row]->used > cols)
            row_erase(old->row[row], old->cols, cols, old->cols, 0);
        if (cols != old->cols) {
            old->row[row]->flags &= (uint16_t)~ROW_WRAPPED;
            terminal_touch(terminal, old->row[row]);
        }
        sheet_copy_row(grid.row[row], old->row[row]);
    }
    grid_finish(&terminal->alternate.grid);
    terminal->alternate.grid = grid;
}

static int
clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

void
terminal_resize(struct terminal *terminal, int rows, int cols)
{
    rows = clamp(rows, TERMINAL_MIN_ROWS, TERMINAL_MAX_ROWS);
    cols = clamp(cols, TERMINAL_MIN_COLS, TERMINAL_MAX_COLS);
    if (rows == terminal->rows && cols == terminal->cols)
        return;
    bool is_main = terminal->grid == &terminal->main.grid;
    struct saved_cursor cursor = {.row = terminal->row,
                                  .col = terminal->col,
                                  .is_pending = terminal->is_pending};
    resize_main(terminal, rows, cols,
                is_main ? &cursor : &terminal->main.saved);
    if (terminal->alternate.grid.rows)
        resize_alternate(terminal, rows, cols);
    terminal->rows = rows;
    terminal->cols = cols;
    terminal_reset_margins(terminal);
    terminal_move_to(terminal, cursor.row, cursor.col);
    terminal->is_pending = is_main && cursor.is_pending;
    terminal->version++;
}
