#include "base/xalloc.h"
#include "console/terminal-internal.h"

#include <stdlib.h>

/* Where the count of ids starts; 0 is no row. */
#define FIRST_ID 1

static const struct parser_handlers parser_handlers = {
    .on_print = terminal_print,
    .on_control = terminal_control,
    .on_escape = terminal_escape,
    .on_csi = terminal_csi,
    .on_string = terminal_string,
};

static int
clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

static size_t
clamp_lines(size_t lines)
{
    return lines < TERMINAL_HISTORY_MAX_LINES ? lines
                                              : TERMINAL_HISTORY_MAX_LINES;
}

struct terminal *
terminal_new(const struct terminal_config *config)
{
    struct terminal *terminal = xcalloc(1, sizeof(*terminal));
    terminal->handlers = config->handlers;
    terminal->data = config->data;
    terminal->rows = clamp(config->rows, TERMINAL_MIN_ROWS, TERMINAL_MAX_ROWS);
    terminal->cols = clamp(config->cols, TERMINAL_MIN_COLS, TERMINAL_MAX_COLS);
    terminal->next_id = FIRST_ID;
    parser_init(&terminal->parser, &parser_handlers, terminal);
    cell_pool_init(&terminal->pool);
    struct history_config history = {
        .max_rows = clamp_lines(config->history_lines),
        .cols = terminal->cols,
        .freezer = config->freezer,
    };
    terminal->history = history_new(&history);
    terminal->grid = &terminal->main.grid;
    grid_init(terminal->grid, terminal->rows, terminal->cols);
    for (int row = 0; row < terminal->rows; row++)
        terminal_blank_row(terminal, terminal->grid->row[row]);
    terminal->allowance = TERMINAL_REPLY_BURST_BYTES;
    terminal_reset(terminal);
    return terminal;
}

void
terminal_set_history_lines(struct terminal *terminal, size_t lines)
{
    history_set_max_rows(terminal->history, clamp_lines(lines));
}

void
terminal_free(struct terminal *terminal)
{
    if (!terminal)
        return;
    grid_finish(&terminal->main.grid);
    grid_finish(&terminal->alternate.grid);
    history_free(terminal->history);
    cell_pool_finish(&terminal->pool);
    free(terminal->scratch);
    free(terminal);
}

struct terminal *
terminal_copy(const struct terminal *terminal)
{
    struct terminal *copy = xmalloc(sizeof(*copy));
    *copy = *terminal;
    copy->parser.data = copy;
    intern_copy(&copy->pool.styles, &terminal->pool.styles);
    intern_copy(&copy->pool.clusters, &terminal->pool.clusters);
    copy->history = history_copy(terminal->history);
    grid_copy(&copy->main.grid, &terminal->main.grid);
    grid_copy(&copy->alternate.grid, &terminal->alternate.grid);
    copy->grid = terminal->grid == &terminal->main.grid ? &copy->main.grid
                                                        : &copy->alternate.grid;
    copy->scratch = NULL;
    copy->scratch_bytes = 0;
    return copy;
}

/* The pen ------------------------------------------------------------------ */

static void
mark_grid(struct terminal *terminal, const struct grid *grid)
{
    for (int i = 0; i < grid->rows; i++) {
        const struct row *row = grid->row[i];
        if (!(row->flags & ROW_COMPLEX))
            continue;
        for (int col = 0; col < row->used; col++) {
            const struct cell *cell = &row->cells[col];
            intern_mark(&terminal->pool.styles, cell->style);
            if (cell->symbol & CELL_CLUSTER)
                intern_mark(&terminal->pool.clusters,
                            cell->symbol & ~CELL_CLUSTER);
        }
    }
}

void
terminal_collect(struct terminal *terminal)
{
    struct cell_pool *pool = &terminal->pool;
    if (!intern_is_due(&pool->styles) && !intern_is_due(&pool->clusters))
        return;
    intern_begin_sweep(&pool->styles);
    intern_begin_sweep(&pool->clusters);
    mark_grid(terminal, &terminal->main.grid);
    mark_grid(terminal, &terminal->alternate.grid);
    intern_end_sweep(&pool->styles);
    intern_end_sweep(&pool->clusters);
    terminal->is_pen_stale = true;
}

void
terminal_resolve_pen(struct terminal *terminal)
{
    static const struct style plain = {0};
    terminal->pen_style = 0;
    terminal->erase_style = 0;
    terminal->is_pen_stale = false;
    if (style_is_equal(&terminal->pen, &plain))
        return;
    terminal_collect(terminal);
    struct intern *styles = &terminal->pool.styles;
    struct style erase = {.background = terminal->pen.background};
    terminal->pen_style = intern_add(styles, &terminal->pen);
    if (erase.background != STYLE_COLOUR_DEFAULT)
        terminal->erase_style = intern_add(styles, &erase);
    terminal->is_pen_stale = false; /* a collection made it stale again */
}

void
terminal_push_rows(struct terminal *terminal, int count)
{
    for (int row = 0; row < count; row++)
        history_push(terminal->history, terminal->main.grid.row[row],
                     &terminal->pool);
}

void
terminal_keep_screen(struct terminal *terminal)
{
    struct grid *grid = &terminal->main.grid;
    if (terminal->grid != grid)
        return;
    int count = grid->rows;
    while (count > 0 && row_content_cols(grid->row[count - 1]) == 0)
        count--;
    /* The line does not go on in whatever comes next. */
    if (count)
        terminal_end_line(terminal, grid->row[count - 1]);
    terminal_push_rows(terminal, count);
    for (int row = 0; row < grid->rows; row++)
        terminal_blank_row(terminal, grid->row[row]);
}

/* ------------------------------------------------------------------------- */

void
terminal_reset(struct terminal *terminal)
{
    parser_reset(&terminal->parser);
    terminal->grid = &terminal->main.grid;
    terminal->pen = (struct style){0};
    terminal->is_pen_stale = true;
    terminal->cursor_shape = 0;
    terminal->modes = MODE_DEFAULTS;
    terminal->main.saved = (struct saved_cursor){0};
    terminal->alternate.saved = (struct saved_cursor){0};
    for (int i = 0; i < CHARSET_SLOTS; i++)
        terminal->charsets[i] = CHARSET_ASCII;
    terminal->locked = 0;
    terminal->single = -1;
    terminal->last_codepoint = 0;
    terminal_reset_margins(terminal);
    tabs_reset(&terminal->tabs);
    terminal_keep_screen(terminal);
    terminal_move_to(terminal, 0, 0);
    if (terminal->title[0])
        terminal_set_title(terminal, "");
    terminal->version++;
}

/* What a client sees beside the rows. */
struct face {
    int row;
    int col;
    int shape;
    unsigned modes;
};

static struct face
face_of(const struct terminal *terminal)
{
    return (struct face){.row = terminal->row,
                         .col = terminal->col,
                         .shape = terminal->cursor_shape,
                         .modes = terminal->modes};
}

void
terminal_write(struct terminal *terminal, const char *bytes, size_t len,
               unsigned flags)
{
    struct face before = face_of(terminal);
    terminal->write_flags = flags;
    parser_feed(&terminal->parser, bytes, len);
    struct face after = face_of(terminal);
    if (before.row != after.row || before.col != after.col ||
        before.shape != after.shape || before.modes != after.modes)
        terminal->version++;
}

int
terminal_rows(const struct terminal *terminal)
{
    return terminal->rows;
}

int
terminal_cols(const struct terminal *terminal)
{
    return terminal->cols;
}

uint64_t
terminal_version(const struct terminal *terminal)
{
    return terminal->version;
}

unsigned
terminal_modes(const struct terminal *terminal)
{
    unsigned modes = terminal->modes & MODE_PUBLIC_MASK;
    if (terminal->grid != &terminal->main.grid)
        modes |= TERMINAL_MODE_ALTERNATE_SCREEN;
    return modes;
}

const char *
terminal_title(const struct terminal *terminal)
{
    return terminal->title;
}

/* DECSCUSR's number, made the blinking one of its pair by mode 12. */
static int
cursor_shape(const struct terminal *terminal)
{
    int shape = terminal->cursor_shape;
    if (!(terminal->modes & MODE_BLINK))
        return shape;
    return shape ? shape - (shape % 2 == 0) : 1;
}

struct terminal_cursor
terminal_cursor(const struct terminal *terminal)
{
    return (struct terminal_cursor){.row = terminal->row,
                                    .col = terminal->col,
                                    .is_visible = terminal->modes & MODE_CURSOR,
                                    .shape = cursor_shape(terminal)};
}
