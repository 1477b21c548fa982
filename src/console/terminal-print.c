#include "base/utf8.h"
#include "console/terminal-internal.h"

#include <string.h>

/* Characters that REP prints in one go. */
#define REPEAT_CHUNK 256

/* Moves to the start of the next row because a line is full. */
static void
wrap(struct terminal *terminal)
{
    struct row *row = terminal_cursor_row(terminal);
    bool moves =
        terminal->row == terminal->bottom || terminal->row < terminal->rows - 1;
    if (moves && !(row->flags & ROW_WRAPPED)) {
        row->flags |= ROW_WRAPPED;
        terminal_touch(terminal, row);
    }
    terminal->col = 0;
    terminal_index(terminal);
}

/* Whether the character set in use is plain ASCII. */
static inline bool
is_plain(const struct terminal *terminal)
{
    return terminal->single < 0 &&
           terminal->charsets[terminal->locked] == CHARSET_ASCII &&
           !(terminal->modes & MODE_INSERT);
}

static void
put_cells(struct row *row, int col, const char *bytes, int count,
          uint32_t style)
{
    struct cell *cells = &row->cells[col];
    for (int i = 0; i < count; i++)
        cells[i] =
            (struct cell){.symbol = (unsigned char)bytes[i], .style = style};
}

/* Prints ASCII without insert mode and character sets. */
static void
print_plain(struct terminal *terminal, const char *bytes, size_t len)
{
    uint32_t style = terminal_pen_style(terminal);
    int cols = terminal->cols;
    while (len) {
        if (terminal->is_pending) {
            terminal->is_pending = false;
            if (terminal->modes & TERMINAL_MODE_AUTOWRAP)
                wrap(terminal);
            else /* only the last one stays to be seen */
                bytes += len - 1, len = 1;
        }
        struct row *row = terminal_cursor_row(terminal);
        int col = terminal->col;
        int room = cols - col;
        int count = len < (size_t)room ? (int)len : room;
        row_open(row, col, col + count);
        put_cells(row, col, bytes, count, style);
        if (style)
            row->flags |= ROW_COMPLEX;
        terminal_touch(terminal, row);
        if (count == room) {
            row->flags &= (uint16_t)~ROW_WRAPPED;
            terminal->is_pending = true;
            terminal->col = cols - 1;
        } else {
            terminal->col = col + count;
        }
        bytes += count;
        len -= (size_t)count;
    }
    terminal->last_codepoint = (unsigned char)bytes[-1];
}

/* Adds a combining character to the one before the cursor. */
static void
combine(struct terminal *terminal, uint32_t codepoint)
{
    struct row *row = terminal_cursor_row(terminal);
    int col = terminal->is_pending ? terminal->col : terminal->col - 1;
    if (col < 0 || col >= row->used)
        return;
    if (row->cells[col].symbol == CELL_TAIL)
        col--;
    terminal_collect(terminal);
    struct cell *cell = &row->cells[col];
    uint32_t symbol = cell_combine(&terminal->pool, cell->symbol, codepoint);
    if (symbol == cell->symbol)
        return;
    cell->symbol = symbol;
    row->flags |= ROW_COMPLEX;
    terminal_touch(terminal, row);
}

/* Prints one character of 1 or 2 columns. */
static void
put_wide(struct terminal *terminal, uint32_t codepoint, int width)
{
    bool wraps = terminal->modes & TERMINAL_MODE_AUTOWRAP;
    int cols = terminal->cols;
    if (terminal->is_pending || terminal->col + width > cols) {
        if (wraps)
            wrap(terminal);
        else if (terminal->col + width > cols)
            return;
        terminal->is_pending = false;
    }
    uint32_t style = terminal_pen_style(terminal);
    struct row *row = terminal_cursor_row(terminal);
    int col = terminal->col;
    if (terminal->modes & MODE_INSERT)
        row_insert(row, cols, col, width, terminal_erase_style(terminal));
    row_open(row, col, col + width);
    row->cells[col] = (struct cell){.symbol = codepoint, .style = style};
    if (width == 2) {
        row->cells[col + 1] =
            (struct cell){.symbol = CELL_TAIL, .style = style};
        row->flags |= ROW_WIDE;
    }
    if (style || codepoint > 0x7E)
        row->flags |= ROW_COMPLEX;
    if (col + width == cols) {
        row->flags &= (uint16_t)~ROW_WRAPPED;
        terminal->is_pending = true;
        terminal->col = cols - 1;
    } else {
        terminal->col = col + width;
    }
    terminal_touch(terminal, row);
}

static void
put(struct terminal *terminal, uint32_t codepoint)
{
    int width = cell_width(codepoint);
    if (width == 0)
        combine(terminal, codepoint);
    if (width <= 0)
        return;
    put_wide(terminal, codepoint, width);
    terminal->last_codepoint = codepoint;
}

/* Prints ASCII through a character set. */
static void
print_mapped(struct terminal *terminal, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        int slot = terminal->single < 0 ? terminal->locked : terminal->single;
        terminal->single = -1;
        put(terminal,
            charset_map(terminal->charsets[slot], (unsigned char)bytes[i]));
    }
}

static size_t
ascii_bytes(const char *bytes, size_t len)
{
    size_t at = 0;
    for (; at + sizeof(uint64_t) <= len; at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, bytes + at, sizeof(word));
        if (word & 0x8080808080808080u)
            break;
    }
    while (at < len && !((unsigned char)bytes[at] & 0x80))
        at++;
    return at;
}

void
terminal_print(void *data, const char *bytes, size_t len)
{
    struct terminal *terminal = data;
    terminal->text_bytes += len;
    size_t at = 0;
    while (at < len) {
        size_t ascii = ascii_bytes(bytes + at, len - at);
        if (ascii) {
            if (is_plain(terminal))
                print_plain(terminal, bytes + at, ascii);
            else
                print_mapped(terminal, bytes + at, ascii);
            at += ascii;
        }
        while (at < len && ((unsigned char)bytes[at] & 0x80)) {
            uint32_t codepoint = 0;
            size_t taken = utf8_decode(bytes + at, len - at, &codepoint);
            if (!taken) { /* a character that a control cut short */
                codepoint = UTF8_REPLACEMENT;
                taken = len - at;
            }
            terminal->single = -1;
            put(terminal, codepoint);
            at += taken;
        }
    }
}

void
terminal_repeat(struct terminal *terminal, int count)
{
    uint32_t codepoint = terminal->last_codepoint;
    if (!codepoint)
        return;
    /* More than a screen full shows nothing new. */
    int most = terminal->rows * terminal->cols;
    if (count > most)
        count = most;
    if (codepoint > 0x7E || (terminal->modes & MODE_INSERT)) {
        while (count--)
            put(terminal, codepoint);
        return;
    }
    char chunk[REPEAT_CHUNK];
    memset(chunk, (int)codepoint, sizeof(chunk));
    for (; count > 0; count -= REPEAT_CHUNK)
        print_plain(terminal, chunk,
                    count < REPEAT_CHUNK ? (size_t)count : REPEAT_CHUNK);
}
