#include "console/row.h"

#include "base/utf8.h"

#include <string.h>

static void
fill(struct row *row, int from, int to, uint32_t symbol, uint32_t style)
{
    for (int col = from; col < to; col++)
        row->cells[col] = (struct cell){.symbol = symbol, .style = style};
}

static void
pad_to(struct row *row, int col)
{
    if (col <= row->used)
        return;
    fill(row, row->used, col, CELL_EMPTY, 0);
    row->used = (uint16_t)col;
    row->flags |= ROW_COMPLEX;
}

/* Blanks both halves of a wide character that has an edge at a column. */
static void
split_at(struct row *row, int col)
{
    if (!(row->flags & ROW_WIDE) || col <= 0 || col >= row->used ||
        row->cells[col].symbol != CELL_TAIL)
        return;
    row->cells[col - 1].symbol = ' ';
    row->cells[col].symbol = ' ';
}

void
row_open_with_care(struct row *row, int from, int to)
{
    pad_to(row, from);
    split_at(row, from);
    split_at(row, to);
}

void
row_erase(struct row *row, int cols, int from, int to, uint32_t style)
{
    if (from >= to)
        return;
    split_at(row, from);
    split_at(row, to);
    if (to >= cols || to >= row->used)
        row->flags &= (uint16_t)~ROW_WRAPPED;
    if (style == 0 && to >= row->used) {
        if (from < row->used)
            row->used = (uint16_t)from;
        if (row->used == 0)
            row->flags = 0;
        return;
    }
    pad_to(row, from);
    fill(row, from, to, CELL_EMPTY, style);
    if (row->used < to)
        row->used = (uint16_t)to;
    row->flags |= ROW_COMPLEX;
}

void
row_take(const struct row *row, int at, int count, struct cell *cells)
{
    int have = row->used - at;
    have = have < 0 ? 0 : have > count ? count : have;
    memcpy(cells, &row->cells[at], (size_t)have * sizeof(*cells));
    for (int i = have; i < count; i++)
        cells[i] = (struct cell){0};
    if (have && cells[0].symbol == CELL_TAIL)
        cells[0].symbol = ' ';
    if (have == count && at + count < row->used &&
        row->cells[at + count].symbol == CELL_TAIL)
        cells[count - 1].symbol = ' ';
}

void
row_put(struct row *row, int at, const struct cell *cells, int count)
{
    row_open(row, at, at + count);
    memcpy(&row->cells[at], cells, (size_t)count * sizeof(*cells));
    row->flags |= ROW_COMPLEX | ROW_WIDE;
}

/* The columns up to a margin move, those behind it do not. */
static void
move_within(struct row *row, int at, int end, int by)
{
    struct cell cells[TERMINAL_MAX_COLS];
    int count = end - at - (by < 0 ? -by : by);
    if (count <= 0)
        return;
    row_take(row, by < 0 ? at - by : at, count, cells);
    row_put(row, by < 0 ? at : at + by, cells, count);
}

void
row_insert(struct row *row, int cols, int at, int end, int count,
           uint32_t style)
{
    if (count > end - at)
        count = end - at;
    row->flags &= (uint16_t)~ROW_WRAPPED;
    if (end < cols) {
        move_within(row, at, end, count);
        row_erase(row, cols, at, at + count, style);
        return;
    }
    split_at(row, at);
    if (at < row->used) {
        int used = row->used + count < cols ? row->used + count : cols;
        split_at(row, used - count);
        memmove(&row->cells[at + count], &row->cells[at],
                (size_t)(used - count - at) * sizeof(struct cell));
        row->used = (uint16_t)used;
        fill(row, at, at + count, CELL_EMPTY, style);
        row->flags |= ROW_COMPLEX;
    } else if (style) {
        row_erase(row, cols, at, at + count, style);
    }
}

void
row_delete(struct row *row, int cols, int at, int end, int count,
           uint32_t style)
{
    if (count > end - at)
        count = end - at;
    row->flags &= (uint16_t)~ROW_WRAPPED;
    if (end < cols) {
        move_within(row, at, end, -count);
        row_erase(row, cols, end - count, end, style);
        return;
    }
    if (at < row->used) {
        int from = at + count < row->used ? at + count : row->used;
        split_at(row, at);
        split_at(row, from);
        memmove(&row->cells[at], &row->cells[from],
                (size_t)(row->used - from) * sizeof(struct cell));
        row->used = (uint16_t)(row->used - (from - at));
    }
    if (style)
        row_erase(row, cols, cols - count, cols, style);
}

int
row_content_cols(const struct row *row)
{
    int cols = row->used;
    if (row->flags & ROW_WRAPPED)
        return cols;
    while (cols > 0 && row->cells[cols - 1].style == 0 &&
           (row->cells[cols - 1].symbol == ' ' ||
            row->cells[cols - 1].symbol == CELL_EMPTY))
        cols--;
    return cols;
}

static size_t
append_symbol(const struct cell_pool *pool, uint32_t symbol, char *text)
{
    if (symbol - 1 < 0x7F) {
        *text = (char)symbol;
        return 1;
    }
    return cell_text(pool, symbol, text);
}

static bool
is_gap(const struct cell *cell)
{
    return cell->symbol == CELL_EMPTY && cell->style == 0;
}

size_t
row_read(const struct row *row, const struct cell_pool *pool, char *scratch,
         struct terminal_run *runs, size_t max_runs)
{
    int cols = row_content_cols(row);
    size_t count = 0;
    for (int col = 0; col < cols && count < max_runs;) {
        if (is_gap(&row->cells[col])) {
            col++;
            continue;
        }
        int first = col;
        uint32_t style = row->cells[col].style;
        char *text = scratch;
        for (; col < cols && row->cells[col].style == style &&
               !is_gap(&row->cells[col]);
             col++)
            scratch += append_symbol(pool, row->cells[col].symbol, scratch);
        runs[count++] =
            (struct terminal_run){.text = text,
                                  .bytes = (size_t)(scratch - text),
                                  .col = first,
                                  .cols = col - first,
                                  .style = *cell_style(pool, style)};
    }
    return count;
}

void
row_write_run(struct row *row, struct cell_pool *pool,
              const struct terminal_run *run)
{
    uint32_t style = intern_add(&pool->styles, &run->style);
    int col = run->col;
    int end = run->col + run->cols;
    row_open(row, col, end);
    row->flags |= ROW_COMPLEX;
    for (size_t at = 0; at < run->bytes;) {
        uint32_t codepoint = 0;
        size_t bytes = utf8_decode(run->text + at, run->bytes - at, &codepoint);
        if (!bytes)
            break;
        at += bytes;
        int width = cell_width(codepoint);
        if (width == 0 && col > run->col) {
            int base =
                row->cells[col - 1].symbol == CELL_TAIL ? col - 2 : col - 1;
            struct cell *cell = &row->cells[base];
            cell->symbol = cell_combine(pool, cell->symbol, codepoint);
            continue;
        }
        if (width <= 0 || col + width > end)
            continue;
        row->cells[col++] = (struct cell){.symbol = codepoint, .style = style};
        if (width == 2) {
            row->cells[col++] =
                (struct cell){.symbol = CELL_TAIL, .style = style};
            row->flags |= ROW_WIDE;
        }
    }
    fill(row, col, end, CELL_EMPTY, style);
}

static const char *
check_cell(const struct row *row, int col, const struct cell_pool *pool)
{
    const struct cell *cell = &row->cells[col];
    if (cell->style >= pool->styles.used)
        return "a style number out of range";
    if (cell->style && !(row->flags & ROW_COMPLEX))
        return "a style in a row that is not complex";
    if (cell->symbol == CELL_TAIL) {
        if (!(row->flags & ROW_WIDE))
            return "a wide character in a row that is not wide";
        if (col == 0 || row->cells[col - 1].symbol == CELL_TAIL ||
            row->cells[col - 1].symbol == CELL_EMPTY)
            return "a tail without its head";
        return NULL;
    }
    if (cell->symbol & CELL_CLUSTER)
        return (cell->symbol & ~CELL_CLUSTER) < pool->clusters.used
                   ? NULL
                   : "a cluster number out of range";
    if (cell->symbol == CELL_EMPTY)
        return NULL;
    int width = cell->symbol > 0x10FFFF ? -1 : cell_width(cell->symbol);
    if (width < 1)
        return "a symbol that is no character";
    bool has_tail =
        col + 1 < row->used && row->cells[col + 1].symbol == CELL_TAIL;
    return has_tail == (width == 2) ? NULL : "a width that does not fit";
}

const char *
row_check(const struct row *row, int cols, const struct cell_pool *pool)
{
    if (row->used > cols)
        return "more cells in use than the row has";
    if ((row->flags & ROW_WRAPPED) && row->used < cols - 1)
        return "a row that wraps before its end";
    for (int col = 0; col < row->used; col++) {
        const char *fault = check_cell(row, col, pool);
        if (fault)
            return fault;
        if (!(row->flags & ROW_COMPLEX) &&
            (row->cells[col].symbol < 0x20 || row->cells[col].symbol > 0x7E))
            return "no ASCII in a row that is not complex";
    }
    return NULL;
}
