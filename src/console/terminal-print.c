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
    /* A restored cursor can wait to wrap where nothing is any more; between
     * margins it is no row of the screen that is full. */
    bool is_full =
        row->used >= terminal->cols - 1 && !(terminal->modes & MODE_NARROW);
    if (moves && is_full && !(row->flags & ROW_WRAPPED)) {
        row->flags |= ROW_WRAPPED;
        terminal_touch(terminal, row);
    }
    terminal->col = terminal_first_col(terminal);
    terminal_index(terminal);
}

/* Whether the character set in use is plain ASCII, and nothing else is in the
 * way of print_plain. */
static inline bool
is_plain(const struct terminal *terminal)
{
    return terminal->single < 0 &&
           terminal->charsets[terminal->locked] == CHARSET_ASCII &&
           !(terminal->modes & (MODE_INSERT | MODE_NARROW));
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

/* Prints ASCII without insert mode, side margins and character sets. */
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

/* Ends a row before its last column, which a wide character left over: no old
 * text there, and what was never written before it is part of the line. */
static void
leave_over(struct terminal *terminal)
{
    struct row *row = terminal_cursor_row(terminal);
    row_erase(row, terminal->cols, terminal->col, terminal_end_col(terminal),
              0);
    row_open(row, terminal->col, terminal->col);
    terminal_touch(terminal, row);
}

/* Moves the cursor to where a character of so many columns fits; false when it
 * fits nowhere. */
static bool
make_place(struct terminal *terminal, int width)
{
    bool is_over = terminal->col + width > terminal_end_col(terminal);
    if (!terminal->is_pending && !is_over)
        return true;
    if (terminal->modes & TERMINAL_MODE_AUTOWRAP) {
        if (!terminal->is_pending)
            leave_over(terminal);
        wrap(terminal);
    } else if (is_over) {
        return false;
    }
    terminal->is_pending = false;
    return true;
}

/* Prints one character of 1 or 2 columns. */
static void
put_character(struct terminal *terminal, uint32_t codepoint, int width)
{
    if (!make_place(terminal, width))
        return;
    uint32_t style = terminal_pen_style(terminal);
    struct row *row = terminal_cursor_row(terminal);
    int col = terminal->col;
    int end = terminal_end_col(terminal);
    if ((terminal->modes & MODE_INSERT) && terminal_is_between(terminal))
        row_insert(row, terminal->cols, col, end, width,
                   terminal_erase_style(terminal));
    row_open(row, col, col + width);
    row->cells[col] = (struct cell){.symbol = codepoint, .style = style};
    if (width == 2) {
        row->cells[col + 1] =
            (struct cell){.symbol = CELL_TAIL, .style = style};
        row->flags |= ROW_WIDE;
    }
    if (style || codepoint > 0x7E)
        row->flags |= ROW_COMPLEX;
    if (col + width == end) {
        if (end == terminal->cols)
            row->flags &= (uint16_t)~ROW_WRAPPED;
        terminal->is_pending = true;
        terminal->col = end - 1;
    } else {
        terminal->col = col + width;
    }
    terminal_touch(terminal, row);
    terminal->last_codepoint = codepoint;
}

/* What the table of widths says beside 1 + a width. */
#define WIDTH_UNASSIGNED 4u

static uint32_t
look_up_width(struct terminal *terminal, uint32_t codepoint)
{
    uint32_t *entry = &terminal->widths[codepoint % TERMINAL_WIDTHS];
    if (*entry >> 3 != codepoint || !*entry) {
        uint32_t width = (uint32_t)(cell_width(codepoint) + 1);
        if (width > 1 && !cell_is_assigned(codepoint))
            width = WIDTH_UNASSIGNED;
        *entry = codepoint << 3 | width;
    }
    return *entry & 7;
}

static void
put(struct terminal *terminal, uint32_t codepoint)
{
    uint32_t width = 2;
    if (codepoint > 0x7E)
        width = look_up_width(terminal, codepoint);
    switch (width) {
    case 0:
        break;
    case 1:
        combine(terminal, codepoint);
        break;
    case WIDTH_UNASSIGNED:
        put_character(terminal, UTF8_REPLACEMENT, 1);
        break;
    default:
        put_character(terminal, codepoint, (int)width - 1);
        break;
    }
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

/* Decodes what mostly comes, valid sequences of 2 and 3 bytes, or leaves it to
 * utf8_decode. */
static inline size_t
decode(const char *bytes, size_t len, uint32_t *ret_codepoint)
{
    const unsigned char *in = (const unsigned char *)bytes;
    if (len >= 3 && in[0] > 0xE0 && in[0] < 0xED && (in[1] & 0xC0) == 0x80 &&
        (in[2] & 0xC0) == 0x80) {
        *ret_codepoint =
            (in[0] & 0x0Fu) << 12 | (in[1] & 0x3Fu) << 6 | (in[2] & 0x3Fu);
        return 3;
    }
    if (len >= 2 && in[0] >= 0xC2 && in[0] < 0xE0 && (in[1] & 0xC0) == 0x80) {
        *ret_codepoint = (in[0] & 0x1Fu) << 6 | (in[1] & 0x3Fu);
        return 2;
    }
    size_t taken = utf8_decode(bytes, len, ret_codepoint);
    if (taken)
        return taken;
    *ret_codepoint = UTF8_REPLACEMENT; /* a control cut the character short */
    return len;
}

/* Prints characters beyond ASCII; returns the bytes up to the first one that is
 * not. */
static size_t
print_unicode(struct terminal *terminal, const char *bytes, size_t len)
{
    size_t at = 0;
    terminal->single = -1;
    while (at < len && ((unsigned char)bytes[at] & 0x80)) {
        uint32_t codepoint = 0;
        at += decode(bytes + at, len - at, &codepoint);
        put(terminal, codepoint);
    }
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
        if (ascii && is_plain(terminal))
            print_plain(terminal, bytes + at, ascii);
        else if (ascii)
            print_mapped(terminal, bytes + at, ascii);
        at += ascii;
        if (at < len)
            at += print_unicode(terminal, bytes + at, len - at);
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
    if (codepoint > 0x7E || (terminal->modes & (MODE_INSERT | MODE_NARROW))) {
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
