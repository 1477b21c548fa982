#include "console/history-internal.h"

#include <assert.h>
#include <string.h>

/* Marks in a stamp's numbers that a row was wrapped anew: where in its line it
 * starts, and at which width. */
#define STAMP_START_SHIFT 44
#define STAMP_COLS_SHIFT 52
/* Spreads the stamps of what else is in such a row over the numbers below. */
#define STAMP_REST_FACTOR UINT64_C(0x9E3779B97F4A7C15)

uint32_t
history_line_end(const struct history_block *block, uint32_t first)
{
    while (first < block->count) {
        unsigned flags = history_entry(block, first++)->flags;
        if (!(flags & ENTRY_WRAPPED) || (flags & ENTRY_BREAK))
            break;
    }
    return first;
}

/* Wraps a line and tells about one of its rows. */
struct wrapper {
    size_t wanted;  /* the row to tell about; SIZE_MAX: none, only count */
    size_t row;     /* the row that text goes to now */
    int col;        /* its columns so far */
    int cols;       /* the width */
    uint32_t entry; /* where the wanted row starts */
    int entry_col;
    uint32_t last; /* where the reading of it ended */
    struct terminal_run *runs;
    size_t max_runs;
    size_t count; /* runs so far */
};

/* Adds text without gaps to the wanted row. */
static void
add_run(struct wrapper *wrapper, const char *text, size_t bytes, int col,
        int cols, const struct style *style)
{
    if (bytes && wrapper->count < wrapper->max_runs)
        wrapper->runs[wrapper->count++] =
            (struct terminal_run){.text = text,
                                  .bytes = bytes,
                                  .col = col,
                                  .cols = cols,
                                  .style = *style};
}

/* The same for text that may have gaps (zero bytes). */
static void
add_text(struct wrapper *wrapper, const char *text, size_t bytes, int cols,
         unsigned flags, const struct style *style)
{
    if (!(flags & PACKING_UNICODE)) {
        add_run(wrapper, text, bytes, wrapper->col, cols, style);
        return;
    }
    const char *end = text + bytes;
    for (int col = wrapper->col; text < end;) {
        const char *gap = memchr(text, '\0', (size_t)(end - text));
        size_t part = (size_t)((gap ? gap : end) - text);
        int part_cols = 0;
        packing_fit(text, part, wrapper->cols, flags, &part_cols);
        add_run(wrapper, text, part, col, part_cols, style);
        col += part_cols;
        text += part;
        for (; text < end && *text == '\0'; text++)
            col++;
    }
}

/* Wraps one piece; entry_col: its first column in its entry. Returns false
 * when the wanted row is complete. */
static bool
wrap_piece(struct wrapper *wrapper, const struct packing_piece *piece,
           unsigned flags, uint32_t entry, int *entry_col)
{
    const char *text = piece->text;
    size_t left = piece->bytes;
    while (left) {
        int cols = 0;
        size_t bytes =
            packing_fit(text, left, wrapper->cols - wrapper->col, flags, &cols);
        if (bytes) {
            if (wrapper->row == wrapper->wanted && wrapper->runs)
                add_text(wrapper, text, bytes, cols, flags, &piece->style);
            wrapper->col += cols;
            *entry_col += cols;
            text += bytes;
            left -= bytes;
            continue;
        }
        if (wrapper->row == wrapper->wanted)
            return false;
        wrapper->row++;
        wrapper->col = 0;
        if (wrapper->row == wrapper->wanted) {
            wrapper->entry = entry;
            wrapper->entry_col = *entry_col;
        }
    }
    return true;
}

/* Whether the line ended before the wanted row was complete. */
static bool
wrap_line(struct wrapper *wrapper, const struct history_block *block,
          uint32_t first, uint32_t end)
{
    wrapper->entry = first;
    for (uint32_t i = first; i < end; i++) {
        const struct history_entry *entry = history_entry(block, i);
        int entry_col = 0;
        wrapper->last = i;
        struct packing_reader reader = packing_open(
            history_entry_bytes(block, i),
            history_entry_end(block, i) - entry->offset, entry->flags);
        struct packing_piece piece;
        while (packing_next(&reader, &piece))
            if (!wrap_piece(wrapper, &piece, entry->flags, i, &entry_col))
                return false;
    }
    return true;
}

size_t
history_line_rows(const struct history *history,
                  const struct history_block *block, uint32_t first,
                  uint32_t end)
{
    if (block->cols == history->cols)
        return end - first;
    size_t cols = 0;
    unsigned flags = 0;
    for (uint32_t i = first; i < end; i++) {
        cols += history_entry(block, i)->cols;
        flags |= history_entry(block, i)->flags;
    }
    size_t width = (size_t)history->cols;
    if (cols <= width)
        return 1;
    /* a wide character that does not fit leaves one column of a row empty */
    size_t least = (cols + width - 1) / width;
    if (!(flags & PACKING_WIDE) || least == (cols + width - 2) / (width - 1))
        return least;
    struct wrapper wrapper = {.wanted = SIZE_MAX, .cols = history->cols};
    wrap_line(&wrapper, block, first, end);
    return wrapper.row + 1;
}

size_t
history_block_rows(const struct history *history,
                   const struct history_block *block)
{
    if (block->cols == history->cols)
        return block->count - block->first;
    if (!block->has_wrapped && block->widest <= history->cols)
        return block->count - block->first;
    size_t rows = 0;
    uint32_t width = (uint32_t)history->cols;
    for (uint32_t first = block->first; first < block->count;) {
        const struct history_entry *entry = history_entry(block, first);
        bool is_line = !(entry->flags & ENTRY_WRAPPED);
        if (is_line && entry->cols <= width) {
            rows++;
            first++;
            continue;
        }
        if (is_line && !(entry->flags & PACKING_WIDE)) {
            rows += (entry->cols + width - 1) / width;
            first++;
            continue;
        }
        uint32_t end = history_line_end(block, first);
        rows += history_line_rows(history, block, first, end);
        first = end;
    }
    return rows;
}

/* Sets the place to the block of a row, numbered from the start of time. */
static void
find_block(struct history *history, uint64_t row)
{
    struct history_place *place = &history->place;
    if (!place->block) {
        uint64_t from_old = row - history->dropped;
        if (from_old < history->rows / 2) {
            place->block = history->oldest;
            place->block_row = history->dropped;
        } else {
            place->block = history->newest;
            place->block_row =
                history->dropped + history->rows - history->newest->rows;
        }
    }
    struct history_block *block = place->block;
    while (row < place->block_row) {
        place->block = place->block->older;
        place->block_row -= place->block->rows;
    }
    while (row >= place->block_row + place->block->rows) {
        place->block_row += place->block->rows;
        place->block = place->block->newer;
    }
    if (block != place->block || place->entry < place->block->first ||
        place->entry_row < place->block_row) {
        place->entry = place->block->first;
        place->entry_row = place->block_row;
    }
}

size_t
history_find_row(struct history *history, size_t number, uint32_t *ret_end)
{
    assert(number < history->rows);
    uint64_t row = history->dropped + number;
    bool is_anew = !history->place.block;
    find_block(history, row);
    struct history_place *place = &history->place;
    struct history_block *block = place->block;
    history_store_touch(block->store);
    if (block->cols == history->cols) {
        place->entry = block->first + (uint32_t)(row - place->block_row);
        place->entry_row = row;
        *ret_end = place->entry + 1;
        return 0;
    }
    if (is_anew || row < place->entry_row) {
        place->entry = block->first;
        place->entry_row = place->block_row;
    }
    for (;;) {
        uint32_t end = history_line_end(block, place->entry);
        size_t rows = history_line_rows(history, block, place->entry, end);
        if (row < place->entry_row + rows) {
            *ret_end = end;
            return (size_t)(row - place->entry_row);
        }
        place->entry = end;
        place->entry_row += rows;
    }
}

size_t
history_read(struct history *history, size_t row, struct terminal_run *runs,
             size_t max_runs, unsigned *ret_flags, int *ret_cols)
{
    uint32_t end = 0;
    size_t wanted = history_find_row(history, row, &end);
    const struct history_block *block = history->place.block;
    uint32_t first = history->place.entry;
    bool is_native = block->cols == history->cols;
    struct wrapper wrapper = {.wanted = wanted,
                              .cols = is_native ? block->cols : history->cols,
                              .runs = runs,
                              .max_runs = max_runs};
    bool is_last = wrap_line(&wrapper, block, first, end);
    if (ret_flags) {
        bool goes_on = history_entry(block, end - 1)->flags & ENTRY_WRAPPED;
        *ret_flags = !is_last || goes_on ? TERMINAL_ROW_WRAPPED : 0;
    }
    if (ret_cols)
        *ret_cols = wrapper.col;
    return wrapper.count;
}

/* What a row wrapped anew has beyond the entry that it starts in: it changes
 * when a later part of its line does. 0: nothing. */
static uint64_t
rest_of_row(const struct history_block *block, const struct wrapper *wrapper)
{
    uint64_t rest = 0;
    for (uint32_t i = wrapper->entry + 1; i <= wrapper->last; i++) {
        const struct history_entry *entry = history_entry(block, i);
        rest = (rest ^ entry->id) * STAMP_REST_FACTOR;
        rest = (rest ^ entry->version) * STAMP_REST_FACTOR;
    }
    return rest >> (64 - STAMP_COLS_SHIFT);
}

struct terminal_row_stamp
history_stamp(struct history *history, size_t row)
{
    uint32_t end = 0;
    size_t wanted = history_find_row(history, row, &end);
    const struct history_block *block = history->place.block;
    uint32_t number = history->place.entry;
    uint64_t start = 0;
    uint64_t cols = 0;
    uint64_t rest = 0;
    if (wanted || end - number > 1 ||
        history_entry(block, number)->cols > history->cols) {
        struct wrapper wrapper = {.wanted = wanted, .cols = history->cols};
        wrap_line(&wrapper, block, number, end);
        number = wrapper.entry;
        start = (uint64_t)wrapper.entry_col + 1;
        cols = (uint64_t)history->cols;
        rest = rest_of_row(block, &wrapper);
    }
    const struct history_entry *entry = history_entry(block, number);
    return (struct terminal_row_stamp){
        .id = (block->base_id + entry->id) ^ start << STAMP_START_SHIFT,
        .version = ((block->base_version + entry->version) ^ rest) +
                   (cols << STAMP_COLS_SHIFT)};
}

static const char *
check_block(struct history *history, const struct history_block *block)
{
    if (block->first >= block->count)
        return "an empty block";
    if (block->used + block->count * sizeof(struct history_entry) >
        block->capacity)
        return "entries over text";
    uint32_t offset = 0;
    for (uint32_t i = 0; i < block->count; i++) {
        const struct history_entry *entry = history_entry(block, i);
        if (entry->offset < offset || entry->offset > block->used)
            return "offsets out of order";
        if (entry->cols > block->cols)
            return "a row wider than its block";
        offset = entry->offset;
    }
    if (block->newer && block->newer->older != block)
        return "blocks linked wrongly";
    if (block->rows != history_block_rows(history, block))
        return "a wrong number of rows in a block";
    return NULL;
}

const char *
history_check(struct history *history)
{
    size_t entries = 0;
    size_t rows = 0;
    for (struct history_block *block = history->oldest; block;
         block = block->newer) {
        const char *fault = check_block(history, block);
        if (fault)
            return fault;
        entries += block->count - block->first;
        rows += block->rows;
    }
    if (entries != history->entries || entries > history->max_rows)
        return "a wrong number of entries";
    if (history->newest) {
        const struct history_block *block = history->newest;
        unsigned flags = history_entry(block, block->count - 1)->flags;
        if (history->is_open !=
            ((flags & ENTRY_WRAPPED) && !(flags & ENTRY_BREAK)))
            return "an open line that is not";
    }
    return rows == history->rows ? NULL : "a wrong number of rows";
}
