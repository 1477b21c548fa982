#include "console/terminal-internal.h"

static const char *
check_grid(const struct terminal *terminal, const struct grid *grid)
{
    if (grid->rows != terminal->rows || grid->cols != terminal->cols)
        return "a screen of another size";
    for (int row = 0; row < grid->rows; row++) {
        const struct row *cells = grid->row[row];
        const char *fault = row_check(cells, grid->cols, &terminal->pool);
        if (fault)
            return fault;
        if (cells->id >= terminal->next_id ||
            cells->version > terminal->version)
            return "a stamp from the future";
    }
    return NULL;
}

const char *
terminal_check(struct terminal *terminal)
{
    const char *fault = check_grid(terminal, &terminal->main.grid);
    if (!fault && terminal->alternate.grid.rows)
        fault = check_grid(terminal, &terminal->alternate.grid);
    if (!fault)
        fault = history_check(terminal->history);
    if (fault)
        return fault;
    if (terminal->row < 0 || terminal->row >= terminal->rows ||
        terminal->col < 0 || terminal->col >= terminal->cols)
        return "the cursor off the screen";
    if (terminal->is_pending && terminal->col != terminal_end_col(terminal) - 1)
        return "a pending wrap before the last column";
    if (terminal->left < 0 || terminal->left >= terminal->right ||
        terminal->right >= terminal->cols)
        return "side margins off the screen";
    bool is_narrow = terminal->left > 0 || terminal->right < terminal->cols - 1;
    if (is_narrow != !!(terminal->modes & MODE_NARROW))
        return "side margins that nobody knows";
    if (terminal->top < 0 || terminal->top > terminal->bottom ||
        terminal->bottom >= terminal->rows)
        return "a scroll region off the screen";
    return NULL;
}
