#include "console/history-internal.h"

#include <assert.h>
#include <string.h>

/* The text of an entry, without the style runs that stand before it. */
static const char *
entry_text(const struct history_block *block, uint32_t number,
           size_t *ret_bytes)
{
    const struct history_entry *entry = history_entry(block, number);
    struct packing_reader reader = packing_open(
        history_entry_bytes(block, number),
        history_entry_end(block, number) - entry->offset, entry->flags);
    *ret_bytes = (size_t)(reader.text_end - reader.text);
    return reader.text;
}

/* The first entry of the line that a number is part of. */
static uint32_t
line_start(const struct history_block *block, uint32_t number)
{
    while (number > block->first) {
        unsigned flags = history_entry(block, number - 1)->flags;
        if (!(flags & ENTRY_WRAPPED) || (flags & ENTRY_BREAK))
            break;
        number--;
    }
    return number;
}

void
history_find_line(struct history *history, size_t row,
                  struct history_line *ret_line)
{
    uint32_t end = 0;
    size_t in_line = history_find_row(history, row, &end);
    const struct history_block *block = history->place.block;
    uint32_t first = history->place.entry;
    if (block->cols == history->cols) {
        uint32_t start = line_start(block, first);
        in_line = first - start;
        first = start;
        end = history_line_end(block, first);
    }
    *ret_line = (struct history_line){
        .row = row - in_line,
        .rows = history_line_rows(history, block, first, end),
        .id = block->base_id + history_entry(block, first)->id,
        .block = block,
        .first = first,
        .end = end};
}

const char *
history_line_text(const struct history_line *line, size_t *ret_bytes)
{
    if (line->end - line->first != 1)
        return NULL;
    const char *text = entry_text(line->block, line->first, ret_bytes);
    unsigned flags = history_entry(line->block, line->first)->flags;
    if ((flags & PACKING_UNICODE) && memchr(text, '\0', *ret_bytes))
        return NULL;
    return text;
}

void
history_line_append(const struct history_line *line, struct buffer *text)
{
    for (uint32_t i = line->first; i < line->end; i++) {
        size_t bytes = 0;
        const char *part = entry_text(line->block, i, &bytes);
        size_t start = text->len;
        buffer_append(text, part, bytes);
        if (!(history_entry(line->block, i)->flags & PACKING_UNICODE))
            continue;
        for (size_t at = start; at < text->len; at++) {
            if (!text->data[at])
                text->data[at] = ' ';
        }
    }
}

size_t
history_line_row_bytes(const struct history *history,
                       const struct history_line *line, size_t row,
                       const char *text, size_t bytes, size_t start)
{
    if (row + 1 >= line->rows)
        return bytes - start;
    size_t len = 0;
    if (line->block->cols == history->cols) {
        (void)entry_text(line->block, line->first + (uint32_t)row, &len);
        return len;
    }
    int cols = 0;
    return packing_fit(text + start, bytes - start, history->cols,
                       PACKING_UNICODE, &cols);
}

/* The row of an entry, counted from the block's first. */
static size_t
row_of_entry(const struct history *history, const struct history_block *block,
             uint32_t number)
{
    size_t row = 0;
    if (block->cols == history->cols)
        return number - block->first;
    for (uint32_t first = block->first;;) {
        uint32_t end = history_line_end(block, first);
        if (number < end)
            return row;
        row += history_line_rows(history, block, first, end);
        first = end;
    }
}

bool
history_find_id(const struct history *history, uint64_t id, size_t *ret_row)
{
    size_t row = 0;
    for (const struct history_block *block = history->oldest; block;
         row += block->rows, block = block->newer) {
        if (id < block->base_id || id - block->base_id > UINT32_MAX)
            continue;
        uint32_t wanted = (uint32_t)(id - block->base_id);
        for (uint32_t i = block->first; i < block->count; i++) {
            if (history_entry(block, i)->id != wanted)
                continue;
            *ret_row = row + row_of_entry(history, block, i);
            return true;
        }
    }
    return false;
}
