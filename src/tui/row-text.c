#include "tui/row-text.h"

#include "base/utf8.h"
#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>

/* Signs that stand within what people mean by a word: paths, versions,
 * addresses of mail and machines. */
#define WORD_SIGNS "-./~+@%_"

static const struct row_cell blank = {.text = " ", .bytes = 1, .cols = 1};

/* What is left of a wide character when another one covers half of it. */
static void
cut_at(struct row_text *text, int col)
{
    if (col > 0 && col < text->cols && text->cells[col].cols == 0) {
        text->cells[col - 1] = blank;
        text->cells[col] = blank;
    }
}

static void
put_run(struct row_text *text, const struct mirror_run *run)
{
    size_t len = strlen(run->text);
    int col = run->col;
    struct row_cell *base = NULL;
    for (size_t i = 0; i < len;) {
        uint32_t codepoint = 0;
        size_t bytes = utf8_decode(run->text + i, len - i, &codepoint);
        if (!bytes)
            break;
        int cols = utf8_width(codepoint);
        if (cols > 0 && col + cols > text->cols)
            break;
        if (cols > 0) {
            cut_at(text, col);
            cut_at(text, col + cols);
            base = &text->cells[col];
            *base = (struct row_cell){.text = run->text + i,
                                      .bytes = (uint16_t)bytes,
                                      .cols = (uint8_t)cols};
            if (cols == 2)
                base[1] = (struct row_cell){.text = "", .cols = 0};
            col += cols;
        } else if (base) {
            base->bytes = (uint16_t)(base->bytes + bytes);
        }
        i += bytes;
    }
}

void
row_text_read(struct row_text *text, const struct mirror_row *row, int cols)
{
    if (cols > text->cols)
        text->cells =
            xreallocarray(text->cells, (size_t)cols, sizeof(*text->cells));
    text->cols = cols;
    for (int col = 0; col < cols; col++)
        text->cells[col] = blank;
    for (size_t i = 0; row && i < row->run_count; i++) {
        if (row->runs[i].col < cols &&
            !(row->runs[i].attributes & MIRROR_HIDDEN))
            put_run(text, &row->runs[i]);
    }
}

void
row_text_finish(struct row_text *text)
{
    free(text->cells);
    *text = (struct row_text){0};
}

static bool
is_blank(const struct row_cell *cell)
{
    return cell->bytes == 1 && cell->text[0] == ' ';
}

int
row_text_end(const struct row_text *text)
{
    int cols = text->cols;
    while (cols > 0 && is_blank(&text->cells[cols - 1]))
        cols--;
    return cols;
}

int
row_text_indent(const struct row_text *text)
{
    int col = 0;
    while (col < text->cols && is_blank(&text->cells[col]))
        col++;
    return col < text->cols ? col : 0;
}

int
row_text_head(const struct row_text *text, int col)
{
    if (col >= text->cols)
        col = text->cols - 1;
    if (col > 0 && text->cells[col].cols == 0)
        col--;
    return col < 0 ? 0 : col;
}

int
row_text_tail(const struct row_text *text, int col)
{
    int head = row_text_head(text, col);
    return head < text->cols ? head + text->cells[head].cols : head + 1;
}

enum row_class
row_text_class(const struct row_text *text, int col)
{
    if (col < 0 || col >= text->cols)
        return ROW_BLANK;
    const struct row_cell *cell = &text->cells[row_text_head(text, col)];
    unsigned char byte = (unsigned char)cell->text[0];
    if (is_blank(cell))
        return ROW_BLANK;
    bool is_word = byte >= 0x80 || byte == '_' ||
                   (byte >= '0' && byte <= '9') ||
                   (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    return is_word ? ROW_WORD : ROW_SIGN;
}

/* Whether a column goes with a double click on a word. */
static bool
is_wordy(const struct row_text *text, int col)
{
    const struct row_cell *cell = &text->cells[row_text_head(text, col)];
    return row_text_class(text, col) == ROW_WORD ||
           (cell->bytes == 1 && strchr(WORD_SIGNS, cell->text[0]));
}

static bool
goes_along(const struct row_text *text, int col, int with)
{
    if (is_wordy(text, with))
        return is_wordy(text, col);
    return !is_wordy(text, col) &&
           row_text_class(text, col) == row_text_class(text, with);
}

void
row_text_word(const struct row_text *text, int col, int *ret_from, int *ret_to)
{
    int with = row_text_head(text, col);
    int from = with;
    int to = with;
    while (from > 0 && goes_along(text, from - 1, with))
        from--;
    while (to + 1 < text->cols && goes_along(text, to + 1, with))
        to++;
    *ret_from = row_text_head(text, from);
    *ret_to = row_text_tail(text, to) - 1;
}
