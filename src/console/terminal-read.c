#include "base/xalloc.h"
#include "console/terminal-internal.h"

size_t
terminal_history_rows(const struct terminal *terminal)
{
    return history_rows(terminal->history);
}

uint64_t
terminal_history_dropped(const struct terminal *terminal)
{
    return history_dropped(terminal->history);
}

uint64_t
terminal_screen_top(const struct terminal *terminal)
{
    return history_dropped(terminal->history) + history_rows(terminal->history);
}

size_t
terminal_history_bytes(const struct terminal *terminal)
{
    return history_bytes(terminal->history);
}

/* Whether a row exists; *ret_index becomes the history's number of one above
 * the screen. */
static bool
find_row(const struct terminal *terminal, int row, size_t *ret_index)
{
    if (row >= 0)
        return row < terminal->rows;
    size_t above = (size_t) - (int64_t)row;
    size_t rows = history_rows(terminal->history);
    if (above > rows)
        return false;
    *ret_index = rows - above;
    return true;
}

size_t
terminal_read_row(struct terminal *terminal, int row, struct terminal_run *runs,
                  size_t max_runs, unsigned *ret_flags)
{
    size_t index = 0;
    if (ret_flags)
        *ret_flags = 0;
    if (!find_row(terminal, row, &index))
        return 0;
    if (row < 0)
        return history_read(terminal->history, index, runs, max_runs, ret_flags,
                            NULL);
    const struct row *cells = terminal->grid->row[row];
    size_t need = (size_t)terminal->cols * CELL_MAX_BYTES;
    if (terminal->scratch_bytes < need) {
        terminal->scratch = xreallocarray(terminal->scratch, 1, need);
        terminal->scratch_bytes = need;
    }
    if (ret_flags && (cells->flags & ROW_WRAPPED))
        *ret_flags = TERMINAL_ROW_WRAPPED;
    return row_read(cells, &terminal->pool, terminal->scratch, runs, max_runs);
}

struct terminal_row_stamp
terminal_row_stamp(const struct terminal *terminal, int row)
{
    size_t index = 0;
    if (!find_row(terminal, row, &index))
        return (struct terminal_row_stamp){0};
    if (row < 0)
        return history_stamp(terminal->history, index);
    const struct row *cells = terminal->grid->row[row];
    return (struct terminal_row_stamp){.id = cells->id,
                                       .version = cells->version};
}
