#include "tui/term-cells.h"

#include "base/xalloc.h"
#include "tui/term-looks.h"

#include <stdlib.h>
#include <string.h>

void
term_cells_finish(struct term_cells *cells)
{
    if (!cells)
        return;
    free(cells->wanted);
    free(cells->given);
    free(cells->line);
    free(cells->spans);
    *cells = (struct term_cells){0};
}

static cchar_t *
cell_at(const struct term_cells *cells, int row, int col)
{
    return cells->wanted + (size_t)row * (size_t)cells->cols + col;
}

static void
mark(struct term_cells *cells, int row, int first, int end)
{
    struct term_cells_span *span = &cells->spans[row];
    if (span->first >= span->end) {
        *span = (struct term_cells_span){first, end};
        return;
    }
    if (first < span->first)
        span->first = first;
    if (end > span->end)
        span->end = end;
}

void
term_cells_resize(struct term_cells *cells, int rows, int cols)
{
    size_t count = (size_t)rows * (size_t)cols;
    term_cells_finish(cells);
    cells->rows = rows;
    cells->cols = cols;
    cells->wanted = xcalloc(count, sizeof(cchar_t));
    cells->given = xcalloc(count, sizeof(cchar_t));
    cells->line = xcalloc((size_t)cols, sizeof(cchar_t));
    cells->spans = xcalloc((size_t)rows, sizeof(*cells->spans));
    for (size_t i = 0; i < count; i++)
        cells->wanted[i].chars[0] = L' ';
    /* curses' own content is unknown: no cell is equal to that */
    memset(cells->given, 0xFF, count * sizeof(cchar_t));
    for (int row = 0; row < rows; row++)
        mark(cells, row, 0, cols);
}

/* The second column of a wide character holds none of its own. */
static bool
is_tail(const cchar_t *cell)
{
    return cell->chars[0] == L'\0';
}

static void
make_blank(cchar_t *cell)
{
    memset(cell->chars, 0, sizeof(cell->chars));
    cell->chars[0] = L' ';
}

/* Columns first to end are about to be overwritten: halves of wide characters
 * that stick out become blanks. */
static void
cut_out(struct term_cells *cells, int row, int first, int end)
{
    cchar_t *line = cell_at(cells, row, 0);
    mark(cells, row, first, end);
    if (first > 0 && is_tail(&line[first])) {
        cchar_t *head = &line[first - 1];
        make_blank(head);
        line[first] = *head;
        mark(cells, row, first - 1, end);
    }
    if (end < cells->cols && is_tail(&line[end])) {
        line[end] = line[end - 1];
        make_blank(&line[end]);
        mark(cells, row, first, end + 1);
    }
}

void
term_cells_fill(struct term_cells *cells, int row, int col, int count,
                const cchar_t *cell)
{
    if (row < 0 || row >= cells->rows || col < 0 || col >= cells->cols)
        return;
    if (count > cells->cols - col)
        count = cells->cols - col;
    if (count < 1)
        return;
    cut_out(cells, row, col, col + count);
    cchar_t *line = cell_at(cells, row, col);
    for (int i = 0; i < count; i++)
        line[i] = *cell;
}

void
term_cells_put(struct term_cells *cells, int row, int col, int width,
               const cchar_t *cell)
{
    if (row < 0 || row >= cells->rows || col < 0 || width < 1 ||
        col + width > cells->cols)
        return;
    cut_out(cells, row, col, col + width);
    cchar_t *line = cell_at(cells, row, col);
    line[0] = *cell;
    for (int i = 1; i < width; i++) {
        line[i] = *cell;
        memset(line[i].chars, 0, sizeof(line[i].chars));
    }
}

void
term_cells_put_ascii(struct term_cells *cells, int row, int col,
                     const char *text, int count, const cchar_t *look)
{
    if (row < 0 || row >= cells->rows || col < 0 || count < 1 ||
        col + count > cells->cols)
        return;
    cut_out(cells, row, col, col + count);
    cchar_t *line = cell_at(cells, row, col);
    for (int i = 0; i < count; i++) {
        line[i] = *look;
        line[i].chars[0] = (wchar_t)text[i];
    }
}

void
term_cells_combine(struct term_cells *cells, int row, int col,
                   wchar_t character)
{
    if (row < 0 || row >= cells->rows || col < 0 || col >= cells->cols)
        return;
    cchar_t *cell = cell_at(cells, row, col);
    if (is_tail(cell) && col > 0)
        cell--;
    for (int i = 1; cell->chars[0] && i < CCHARW_MAX; i++) {
        if (!cell->chars[i]) {
            cell->chars[i] = character;
            break;
        }
    }
    mark(cells, row, col > 0 ? col - 1 : 0, col + 1);
}

void
term_cells_mark_looks(const struct term_cells *cells, bool *is_used)
{
    size_t count = (size_t)cells->rows * (size_t)cells->cols;
    for (size_t i = 0; i < 2 * count; i++) {
        const cchar_t *cell =
            i < count ? &cells->wanted[i] : &cells->given[i - count];
        uint32_t number = (uint32_t)cell->chars[1] - TERM_LOOK_FIRST;
        if (number <= TERM_LOOKS_MAX)
            is_used[number] = true;
    }
}

static bool
is_same(const cchar_t *a, const cchar_t *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

/* Hands columns first to end of a row over, without tails. */
static void
give(struct term_cells *cells, int row, int first, int end)
{
    const cchar_t *wanted = cell_at(cells, row, 0);
    int count = 0;
    while (first > 0 && is_tail(&wanted[first]))
        first--;
    for (int col = first; col < end; col++) {
        if (!is_tail(&wanted[col]))
            cells->line[count++] = wanted[col];
    }
    if (count > 0)
        mvadd_wchnstr(row, first, cells->line, count);
}

void
term_cells_flush(struct term_cells *cells)
{
    for (int row = 0; row < cells->rows; row++) {
        struct term_cells_span span = cells->spans[row];
        if (span.first >= span.end)
            continue;
        const cchar_t *wanted = cell_at(cells, row, 0);
        cchar_t *given = cells->given + (size_t)row * (size_t)cells->cols;
        while (span.first < span.end &&
               is_same(&wanted[span.first], &given[span.first]))
            span.first++;
        while (span.first < span.end &&
               is_same(&wanted[span.end - 1], &given[span.end - 1]))
            span.end--;
        if (span.first < span.end) {
            give(cells, row, span.first, span.end);
            memcpy(given + span.first, wanted + span.first,
                   (size_t)(span.end - span.first) * sizeof(*given));
        }
        cells->spans[row] = (struct term_cells_span){0, 0};
    }
}
