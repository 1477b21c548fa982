#include "console/packing.h"

#include "base/utf8.h"

#include <string.h>

/* A style's first byte says which fields follow: two bits each for the
 * foreground, the background, the underline's colour and the attributes. */
enum field {
    FIELD_NONE,
    FIELD_BYTE, /* indexed colour; attributes below 256 */
    FIELD_FULL, /* RGB; 16 bits of attributes */
};

#define SHIFT_FOREGROUND 0
#define SHIFT_BACKGROUND 2
#define SHIFT_UNDERLINE 4
#define SHIFT_ATTRIBUTES 6
/* Most bytes of a run: its length, the first byte, three colours, the
 * attributes. */
#define RUN_MAX_BYTES (5 + 1 + 3 * 3 + 2)
/* Most bytes of a number. */
#define NUMBER_MAX_BYTES 5

size_t
packing_max_bytes(int cols)
{
    return NUMBER_MAX_BYTES + (size_t)cols * (CELL_MAX_BYTES + RUN_MAX_BYTES);
}

static unsigned char *
put_number(unsigned char *out, uint32_t number)
{
    for (; number >= 0x80; number >>= 7)
        *out++ = (unsigned char)(number | 0x80);
    *out++ = (unsigned char)number;
    return out;
}

static uint32_t
get_number(const unsigned char **in)
{
    uint32_t number = 0;
    unsigned shift = 0;
    for (; **in & 0x80; shift += 7)
        number |= (uint32_t)(*(*in)++ & 0x7F) << shift;
    return number | (uint32_t) * (*in)++ << shift;
}

static unsigned char *
put_colour(unsigned char *out, uint32_t colour, unsigned char *mask, int shift)
{
    uint32_t kind = colour & STYLE_COLOUR_KIND_MASK;
    if (kind == STYLE_COLOUR_INDEXED) {
        *mask |= (unsigned char)(FIELD_BYTE << shift);
        *out++ = (unsigned char)colour;
    } else if (kind == STYLE_COLOUR_RGB) {
        *mask |= (unsigned char)(FIELD_FULL << shift);
        *out++ = (unsigned char)(colour >> 16);
        *out++ = (unsigned char)(colour >> 8);
        *out++ = (unsigned char)colour;
    }
    return out;
}

static uint32_t
get_colour(const unsigned char **in, unsigned char mask, int shift)
{
    enum field field = (mask >> shift) & 3;
    if (field == FIELD_NONE)
        return STYLE_COLOUR_DEFAULT;
    uint32_t value = *(*in)++;
    if (field == FIELD_BYTE)
        return STYLE_COLOUR_INDEXED | value;
    value = value << 8 | *(*in)++;
    value = value << 8 | *(*in)++;
    return STYLE_COLOUR_RGB | value;
}

static unsigned char *
put_run(unsigned char *out, uint32_t bytes, const struct style *style)
{
    out = put_number(out, bytes);
    unsigned char *mask = out++;
    *mask = 0;
    out = put_colour(out, style->foreground, mask, SHIFT_FOREGROUND);
    out = put_colour(out, style->background, mask, SHIFT_BACKGROUND);
    out = put_colour(out, style->underline_colour, mask, SHIFT_UNDERLINE);
    if (style->attributes) {
        bool is_full = style->attributes > 0xFF;
        *mask |= (unsigned char)((is_full ? FIELD_FULL : FIELD_BYTE)
                                 << SHIFT_ATTRIBUTES);
        *out++ = (unsigned char)style->attributes;
        if (is_full)
            *out++ = (unsigned char)(style->attributes >> 8);
    }
    return out;
}

static void
get_style(const unsigned char **in, struct style *style)
{
    unsigned char mask = *(*in)++;
    style->foreground = get_colour(in, mask, SHIFT_FOREGROUND);
    style->background = get_colour(in, mask, SHIFT_BACKGROUND);
    style->underline_colour = get_colour(in, mask, SHIFT_UNDERLINE);
    enum field field = (mask >> SHIFT_ATTRIBUTES) & 3;
    unsigned attributes = 0;
    if (field != FIELD_NONE)
        attributes = *(*in)++;
    if (field == FIELD_FULL)
        attributes |= (unsigned)*(*in)++ << 8;
    style->attributes = (uint16_t)attributes;
    style->reserved = 0;
}

/* One cell's text; *flags gets what it makes the row. */
static size_t
encode_cell(const struct cell *cell, const struct cell_pool *pool, char *text,
            unsigned *flags)
{
    if (cell->symbol - 1 < 0x7F) {
        *text = (char)cell->symbol;
        return 1;
    }
    *flags |= PACKING_UNICODE;
    if (cell->symbol == CELL_TAIL) {
        *flags |= PACKING_WIDE;
        return 0;
    }
    if (cell->symbol == CELL_EMPTY) {
        *text = cell->style ? ' ' : '\0';
        return 1;
    }
    if (cell->symbol & CELL_CLUSTER)
        return cell_text(pool, cell->symbol, text);
    return utf8_encode(cell->symbol, text);
}

size_t
packing_encode(const struct row *row, int cols, const struct cell_pool *pool,
               char *bytes, char *scratch, unsigned *ret_flags)
{
    unsigned flags = 0;
    unsigned char *runs = (unsigned char *)bytes;
    char *text = scratch;
    for (int col = 0; col < cols;) {
        uint32_t style = row->cells[col].style;
        char *start = text;
        for (; col < cols && row->cells[col].style == style; col++)
            text += encode_cell(&row->cells[col], pool, text, &flags);
        if (style)
            flags |= PACKING_STYLED;
        runs = put_run(runs, (uint32_t)(text - start), cell_style(pool, style));
    }
    size_t text_bytes = (size_t)(text - scratch);
    *ret_flags = flags;
    if (!(flags & PACKING_STYLED)) {
        memcpy(bytes, scratch, text_bytes);
        return text_bytes;
    }
    size_t run_bytes = (size_t)(runs - (unsigned char *)bytes);
    unsigned char head[NUMBER_MAX_BYTES];
    size_t head_bytes = (size_t)(put_number(head, (uint32_t)run_bytes) - head);
    memmove(bytes + head_bytes, bytes, run_bytes);
    memcpy(bytes, head, head_bytes);
    memcpy(bytes + head_bytes + run_bytes, scratch, text_bytes);
    return head_bytes + run_bytes + text_bytes;
}

struct packing_reader
packing_open(const char *bytes, size_t len, unsigned flags)
{
    struct packing_reader reader = {.text = bytes, .text_end = bytes + len};
    if (!(flags & PACKING_STYLED))
        return reader;
    const unsigned char *at = (const unsigned char *)bytes;
    uint32_t run_bytes = get_number(&at);
    reader.runs = at;
    reader.runs_end = at + run_bytes;
    reader.text = (const char *)reader.runs_end;
    return reader;
}

bool
packing_next(struct packing_reader *reader, struct packing_piece *ret_piece)
{
    if (reader->text == reader->text_end)
        return false;
    ret_piece->text = reader->text;
    if (reader->runs == reader->runs_end) {
        ret_piece->bytes = (size_t)(reader->text_end - reader->text);
        ret_piece->style = (struct style){0};
    } else {
        ret_piece->bytes = get_number(&reader->runs);
        get_style(&reader->runs, &ret_piece->style);
    }
    reader->text += ret_piece->bytes;
    return true;
}

size_t
packing_fit(const char *text, size_t len, int max_cols, unsigned flags,
            int *ret_cols)
{
    if (!(flags & PACKING_UNICODE)) {
        size_t bytes = len < (size_t)max_cols ? len : (size_t)max_cols;
        *ret_cols = (int)bytes;
        return bytes;
    }
    int cols = 0;
    size_t at = 0;
    while (at < len) {
        uint32_t codepoint = 0;
        size_t bytes = utf8_decode(text + at, len - at, &codepoint);
        if (!bytes)
            break;
        int width = codepoint ? cell_width(codepoint) : 1;
        if (width > 0 && cols + width > max_cols)
            break;
        cols += width > 0 ? width : 0;
        at += bytes;
    }
    *ret_cols = cols;
    return at;
}
