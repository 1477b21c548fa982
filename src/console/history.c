#include "base/xalloc.h"
#include "console/history-internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the first block; the next ones double up to the full size, so that
 * a silent console costs little. */
#define FIRST_BLOCK_BYTES ((size_t)4 << 10)
/* Bytes that a row may cost on average, beside HISTORY_COL_BYTES a column,
 * before older rows go early: a guest can fill rows with combining characters
 * and colours. */
#define HISTORY_ROW_BYTES ((size_t)256)
#define HISTORY_COL_BYTES ((size_t)8)
/* A line longer than this share of a block is cut in two. */
#define LINE_BLOCK_SHARE 4
#define LINE_MAX_ENTRIES 256u
/* Unused bytes that are worth an allocation to give back. */
#define WORTH_SHRINKING_BYTES ((size_t)256)

struct history *
history_new(const struct history_config *config)
{
    struct history *history = xcalloc(1, sizeof(*history));
    history->max_rows = config->max_rows;
    history->freezer = config->freezer;
    history->block_bytes =
        config->block_bytes ? config->block_bytes : HISTORY_BLOCK_BYTES;
    history->bytes = sizeof(*history);
    history_set_cols(history, config->cols);
    return history;
}

static void
free_block(struct history_block *block)
{
    if (!block)
        return;
    history_store_unref(block->store);
    free(block);
}

void
history_free(struct history *history)
{
    if (!history)
        return;
    while (history->oldest) {
        struct history_block *newer = history->oldest->newer;
        free_block(history->oldest);
        history->oldest = newer;
    }
    free_block(history->spare);
    free(history->encoded);
    free(history->scratch);
    free(history);
}

/* Blocks ------------------------------------------------------------------ */

static size_t
block_room(const struct history_block *block)
{
    return block->capacity - block->used -
           block->count * sizeof(struct history_entry);
}

/* What a block costs. */
static size_t
block_bytes(size_t capacity)
{
    return sizeof(struct history_block) + sizeof(struct history_store) +
           capacity;
}

/* Gives the newest block memory of its own, before it is written to. */
static void
own_newest(struct history *history)
{
    struct history_block *block = history->newest;
    if (!block || (block->store->refs == 1 && !block->store->freezer))
        return;
    struct history_store *store = history_store_copy(
        block->store, block->capacity, block->used, block->count);
    history_store_unref(block->store);
    block->store = store;
}

static struct history_block *
allocate_block(struct history *history, size_t need)
{
    size_t capacity = FIRST_BLOCK_BYTES;
    if (history->newest)
        capacity = (size_t)history->newest->capacity * 2;
    if (capacity > history->block_bytes)
        capacity = history->block_bytes;
    if (capacity < need)
        capacity = need;
    capacity = (capacity + 15) & ~(size_t)15;
    struct history_block *block = history->spare;
    if (block && block->capacity >= capacity) {
        history->spare = NULL;
        capacity = block->capacity;
    } else {
        block = xmalloc(sizeof(*block));
        block->store = history_store_new(capacity);
        history->bytes += block_bytes(capacity);
    }
    *block = (struct history_block){.store = block->store,
                                    .capacity = (uint32_t)capacity,
                                    .cols = history->cols};
    return block;
}

static struct history_block *
append_block(struct history *history, size_t need)
{
    struct history_block *block = allocate_block(history, need);
    block->older = history->newest;
    if (history->newest)
        history->newest->newer = block;
    else
        history->oldest = block;
    history->newest = block;
    return block;
}

static void
remove_block(struct history *history, struct history_block *block)
{
    if (block->older)
        block->older->newer = block->newer;
    else
        history->oldest = block->newer;
    if (block->newer)
        block->newer->older = block->older;
    else
        history->newest = block->older;
    history->place.block = NULL;
    if (!history->spare && block->capacity == history->block_bytes &&
        block->store->refs == 1 &&
        history_store_reopen(block->store, block->capacity)) {
        history->spare = block;
        return;
    }
    history->bytes -= block_bytes(block->capacity);
    free_block(block);
}

/* Gives back what the newest block does not use; it gets no more rows. */
static void
shrink_newest(struct history *history)
{
    struct history_block *block = history->newest;
    if (block_room(block) < WORTH_SHRINKING_BYTES)
        return;
    size_t capacity = history_store_shrink(block->store, block->capacity,
                                           block->used, block->count);
    history->bytes -= block->capacity - capacity;
    block->capacity = (uint32_t)capacity;
}

/* Dropping at the old end -------------------------------------------------- */

static void
count_dropped(struct history *history, struct history_block *block, size_t rows)
{
    block->rows -= rows;
    history->rows -= rows;
    history->dropped += rows;
}

static void
drop_oldest_block(struct history *history)
{
    struct history_block *block = history->oldest;
    assert(block && !block->older);
    if (block == history->newest)
        history->is_open = false;
    history->entries -= block->count - block->first;
    count_dropped(history, block, block->rows);
    remove_block(history, block);
}

static void
drop_oldest_entry(struct history *history)
{
    struct history_block *block = history->oldest;
    assert(block);
    if (block->count - block->first == 1) {
        drop_oldest_block(history);
        return;
    }
    uint32_t first = block->first++;
    history->entries--;
    history->place.block = NULL;
    if (block->cols == history->cols) {
        count_dropped(history, block, 1);
        return;
    }
    uint32_t end = history_line_end(block, first);
    size_t rows = history_line_rows(history, block, first, end);
    if (first + 1 < end)
        rows -= history_line_rows(history, block, first + 1, end);
    count_dropped(history, block, rows);
}

static void
make_room(struct history *history)
{
    while (history->entries > history->max_rows)
        drop_oldest_entry(history);
    while (history->bytes > history->max_bytes &&
           history->oldest != history->newest)
        drop_oldest_block(history);
}

/* Pushing ------------------------------------------------------------------ */

static uint32_t
last_line_first(const struct history_block *block)
{
    uint32_t first = block->count - 1;
    while (first > block->first) {
        unsigned flags = history_entry(block, first - 1)->flags;
        if (!(flags & ENTRY_WRAPPED) || (flags & ENTRY_BREAK))
            break;
        first--;
    }
    return first;
}

bool
history_is_open(const struct history *history)
{
    return history->is_open;
}

/* The first entry of the open line; its start may have been dropped. */
static uint32_t
open_line_first(const struct history *history)
{
    uint32_t first = history->newest->first;
    return history->line_first > first ? history->line_first : first;
}

static void
break_line(struct history *history)
{
    struct history_block *block = history->newest;
    history_entry(block, block->count - 1)->flags |= ENTRY_BREAK;
    history->is_open = false;
}

static bool
fits_stamps(const struct history_block *block, const struct row *row)
{
    return row->id >= block->base_id && row->version >= block->base_version &&
           row->id - block->base_id <= UINT32_MAX &&
           row->version - block->base_version <= UINT32_MAX;
}

/* Moves the open line at a full block's end to the start of a new block. */
static void
carry_line(struct history *history, size_t need)
{
    struct history_block *old = history->newest;
    uint32_t first = open_line_first(history);
    uint32_t start = history_entry(old, first)->offset;
    uint32_t bytes = old->used - start;
    uint32_t count = old->count - first;
    struct history_block *block = append_block(
        history, need + bytes + count * sizeof(struct history_entry));
    block->base_id = old->base_id;
    block->base_version = old->base_version;
    block->widest = old->widest;
    block->has_wrapped = true;
    memcpy(block->store->text, old->store->text + start, bytes);
    block->used = bytes;
    block->count = count;
    for (uint32_t i = 0; i < count; i++) {
        *history_entry(block, i) = *history_entry(old, first + i);
        history_entry(block, i)->offset -= start;
    }
    block->rows = history_line_rows(history, block, 0, count);
    history->line_first = 0;
    old->rows -= block->rows;
    old->used = start;
    old->count = first;
    history->place.block = NULL;
    if (old->count == old->first)
        remove_block(history, old);
}

/* Ends the open line where it is when the next row can not stay with it. */
static void
limit_line(struct history *history, bool is_same, size_t bytes)
{
    const struct history_block *block = history->newest;
    assert(block);
    size_t line =
        block->used - history_entry(block, open_line_first(history))->offset;
    if (!is_same || line + bytes > history->block_bytes / LINE_BLOCK_SHARE ||
        block->count - open_line_first(history) >= LINE_MAX_ENTRIES)
        break_line(history);
}

/* A stamp's number from which numbers before and after can be counted. */
static uint64_t
base_of(uint64_t number)
{
    return number > UINT32_MAX / 2 ? number - UINT32_MAX / 2 : 0;
}

/* The block before the newest one gets no more rows. */
static void
close_older(struct history *history)
{
    const struct history_block *block = history->newest->older;
    if (block)
        history_store_close(block->store, history->freezer, block->used,
                            block->count);
}

/* The block that takes a row of so many bytes. */
static struct history_block *
block_for(struct history *history, const struct row *row, size_t bytes)
{
    size_t need = bytes + sizeof(struct history_entry);
    own_newest(history);
    struct history_block *block = history->newest;
    bool is_same =
        block && block->cols == history->cols && fits_stamps(block, row);
    if (history_is_open(history))
        limit_line(history, is_same, bytes);
    if (is_same && block_room(block) >= need)
        return block;
    if (history_is_open(history)) {
        carry_line(history, need);
        close_older(history);
        return history->newest;
    }
    if (block && block->cols != history->cols)
        shrink_newest(history);
    block = append_block(history, need);
    close_older(history);
    block->base_id = base_of(row->id);
    block->base_version = base_of(row->version);
    return block;
}

static void
add_entry(struct history *history, const struct row *row, int cols,
          const char *bytes, size_t len, unsigned flags)
{
    struct history_block *block = block_for(history, row, len);
    if (!history_is_open(history))
        history->line_first = block->count;
    *history_entry(block, block->count) = (struct history_entry){
        .id = (uint32_t)(row->id - block->base_id),
        .version = (uint32_t)(row->version - block->base_version),
        .offset = block->used,
        .cols = (uint16_t)cols,
        .flags = (uint16_t)flags};
    char *to = block->store->text + block->used;
    if (bytes)
        memcpy(to, bytes, len);
    else
        for (int col = 0; col < cols; col++)
            to[col] = (char)row->cells[col].symbol;
    block->used += (uint32_t)len;
    block->count++;
    if (block->widest < cols)
        block->widest = (uint16_t)cols;
    block->has_wrapped |= (flags & ENTRY_WRAPPED) != 0;
    block->rows++;
    history->rows++;
    history->entries++;
    history->is_open = (flags & ENTRY_WRAPPED) != 0;
}

static void
reserve_scratch(struct history *history)
{
    if (history->scratch_cols >= history->cols)
        return;
    size_t old =
        history->scratch ? packing_max_bytes(history->scratch_cols) : 0;
    history->scratch_cols = history->cols;
    size_t bytes = packing_max_bytes(history->cols);
    history->encoded = xreallocarray(history->encoded, 1, bytes);
    history->scratch = xreallocarray(history->scratch, 1, bytes);
    history->bytes += 2 * (bytes - old);
}

void
history_push(struct history *history, const struct row *row,
             const struct cell_pool *pool)
{
    if (!history->max_rows) {
        history->dropped++;
        return;
    }
    assert(row->used <= history->cols);
    int cols = row_content_cols(row);
    unsigned flags = row->flags & ROW_WRAPPED ? ENTRY_WRAPPED : 0;
    if (row->flags & ROW_COMPLEX) {
        unsigned packing = 0;
        reserve_scratch(history);
        size_t len = packing_encode(row, cols, pool, history->encoded,
                                    history->scratch, &packing);
        add_entry(history, row, cols, history->encoded, len, flags | packing);
    } else {
        add_entry(history, row, cols, NULL, (size_t)cols, flags);
    }
    make_room(history);
}

void
history_drop_last_line(struct history *history)
{
    struct history_block *block = history->newest;
    if (!block)
        return;
    uint32_t first = last_line_first(block);
    size_t rows = history_line_rows(history, block, first, block->count);
    history->entries -= block->count - first;
    history->rows -= rows;
    block->rows -= rows;
    block->used = history_entry(block, first)->offset;
    block->count = first;
    history->is_open = false;
    history->place.block = NULL;
    if (block->count == block->first)
        remove_block(history, block);
}

size_t
history_last_line_rows(const struct history *history)
{
    const struct history_block *block = history->newest;
    if (!block)
        return 0;
    return history_line_rows(history, block, last_line_first(block),
                             block->count);
}

static void
set_max_bytes(struct history *history)
{
    size_t row_bytes =
        HISTORY_ROW_BYTES + HISTORY_COL_BYTES * (size_t)history->cols;
    history->max_bytes = sizeof(*history) + HISTORY_BLOCK_BYTES +
                         2 * packing_max_bytes(history->cols) +
                         history->max_rows * row_bytes;
}

void
history_set_max_rows(struct history *history, size_t max_rows)
{
    history->max_rows = max_rows;
    set_max_bytes(history);
    make_room(history);
}

void
history_set_cols(struct history *history, int cols)
{
    own_newest(history);
    if (history_is_open(history))
        break_line(history);
    history->cols = cols;
    set_max_bytes(history);
    history->place.block = NULL;
    history->rows = 0;
    for (struct history_block *block = history->oldest; block;
         block = block->newer) {
        block->rows = history_block_rows(history, block);
        history->rows += block->rows;
    }
}

struct history *
history_copy(const struct history *history)
{
    struct history *copy = xmalloc(sizeof(*copy));
    *copy = *history;
    copy->oldest = NULL;
    copy->newest = NULL;
    copy->spare = NULL;
    copy->encoded = NULL;
    copy->scratch = NULL;
    copy->scratch_cols = 0;
    copy->place = (struct history_place){0};
    copy->bytes = sizeof(*copy);
    for (const struct history_block *from = history->oldest; from;
         from = from->newer) {
        struct history_block *block = xmalloc(sizeof(*block));
        *block = *from;
        block->store->refs++;
        block->newer = NULL;
        block->older = copy->newest;
        if (copy->newest)
            copy->newest->newer = block;
        else
            copy->oldest = block;
        copy->newest = block;
        copy->bytes += block_bytes(block->capacity);
    }
    return copy;
}

size_t
history_rows(const struct history *history)
{
    return history->rows;
}

uint64_t
history_dropped(const struct history *history)
{
    return history->dropped;
}

size_t
history_bytes(const struct history *history)
{
    return history->bytes;
}
