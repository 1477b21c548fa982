#include "console/history-store.h"

#include "base/xalloc.h"
#include "console/freezer-internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Its life ----------------------------------------------------------------- */

static void
open_memory(struct history_store *store, size_t capacity)
{
    store->text = store->memory;
    store->entries_end =
        (struct history_entry *)(void *)(store->memory + capacity);
}

struct history_store *
history_store_new(size_t capacity)
{
    struct history_store *store = xcalloc(1, sizeof(*store));
    store->refs = 1;
    store->memory = xmalloc(capacity);
    open_memory(store, capacity);
    return store;
}

/* Copies the first entries, which end where others end. */
static void
copy_entries(struct history_entry *to_end, const struct history_entry *end,
             size_t count)
{
    if (count)
        memmove(to_end - count, end - count, count * sizeof(*end));
}

struct history_store *
history_store_copy(struct history_store *store, size_t capacity,
                   size_t text_bytes, size_t count)
{
    struct history_store *copy = history_store_new(capacity);
    memcpy(copy->text, history_store_text(store), text_bytes);
    copy_entries(copy->entries_end, history_store_entry(store, 0) + 1, count);
    return copy;
}

/* Bytes that are unpacked beside the compressed form. */
static size_t
unpacked_bytes(const struct history_store *store)
{
    if (!store->packed)
        return 0;
    return (store->text ? store->text_bytes : 0) +
           (store->entries_end ? store->count * sizeof(struct history_entry)
                               : 0);
}

static size_t
plain_bytes(const struct history_store *store)
{
    return store->text_bytes + store->count * sizeof(struct history_entry);
}

static void
free_parts(struct history_store *store)
{
    if (store->memory) {
        free(store->memory);
    } else {
        free(store->text);
        if (store->entries_end)
            free(store->entries_end - store->count);
    }
    store->memory = NULL;
    store->text = NULL;
    store->entries_end = NULL;
}

/* Parts it from its freezer. */
static void
leave_freezer(struct history_store *store)
{
    struct freezer *freezer = store->freezer;
    if (!freezer)
        return;
    freezer_list_move(NULL, store);
    freezer->stores--;
    freezer->bytes.unpacked -= unpacked_bytes(store);
    if (store->packed) {
        freezer->bytes.plain -= plain_bytes(store);
        freezer->bytes.packed -=
            store->packed_entries_bytes + store->packed_text_bytes;
    }
    store->freezer = NULL;
}

void
history_store_unref(struct history_store *store)
{
    if (--store->refs)
        return;
    leave_freezer(store);
    free_parts(store);
    free(store->packed);
    free(store);
}

size_t
history_store_shrink(struct history_store *store, size_t capacity,
                     size_t text_bytes, size_t count)
{
    size_t entries = count * sizeof(struct history_entry);
    size_t text = (text_bytes + 15) & ~(size_t)15;
    assert(store->memory && text + entries <= capacity);
    memmove(store->memory + text, store->memory + capacity - entries, entries);
    store->memory = xreallocarray(store->memory, 1, text + entries);
    open_memory(store, text + entries);
    return text + entries;
}

void
history_store_close(struct history_store *store, struct freezer *freezer,
                    size_t text_bytes, size_t count)
{
    if (!freezer || store->freezer)
        return;
    store->freezer = freezer;
    store->text_bytes = text_bytes;
    store->count = count;
    store->tick = freezer->tick;
    freezer->stores++;
    freezer_list_move(&freezer->plain, store);
}

bool
history_store_reopen(struct history_store *store, size_t capacity)
{
    if (!store->memory)
        return false;
    leave_freezer(store);
    open_memory(store, capacity);
    return true;
}

void
history_store_touch(struct history_store *store)
{
    if (!store->list || store->tick == store->freezer->tick)
        return;
    store->tick = store->freezer->tick;
    freezer_list_move(store->list, store);
}

/* Packing ------------------------------------------------------------------ */

/* Entries as columns of differences, in which next to all is alike: the
 * identities, versions, lengths, widths, flags. */
struct columns {
    uint32_t *ids;
    uint32_t *versions;
    uint32_t *offsets;
    uint16_t *cols;
    uint16_t *flags;
};

static struct columns
columns_in(char *bytes, size_t count)
{
    struct columns columns;
    columns.ids = (uint32_t *)(void *)bytes;
    columns.versions = columns.ids + count;
    columns.offsets = columns.versions + count;
    columns.cols = (uint16_t *)(void *)(columns.offsets + count);
    columns.flags = columns.cols + count;
    return columns;
}

bool
history_store_pack(struct history_store *store)
{
    struct freezer *freezer = store->freezer;
    assert(store->memory && !store->packed);
    freezer_list_move(NULL, store);
    size_t entries_bytes = store->count * sizeof(struct history_entry);
    char *scratch = freezer_scratch(freezer, entries_bytes);
    struct columns columns = columns_in(scratch, store->count);
    struct history_entry last = {0};
    for (size_t i = 0; i < store->count; i++) {
        const struct history_entry *entry = store->entries_end - 1 - i;
        columns.ids[i] = entry->id - last.id;
        columns.versions[i] = entry->version - last.version;
        columns.offsets[i] = entry->offset - last.offset;
        columns.cols[i] = entry->cols;
        columns.flags[i] = entry->flags;
        last = *entry;
    }
    store->packed =
        freezer_pack(freezer, &(struct freezer_part){scratch, entries_bytes},
                     &(struct freezer_part){store->text, store->text_bytes},
                     &store->packed_entries_bytes, &store->packed_text_bytes);
    if (!store->packed)
        return false;
    free_parts(store);
    freezer->given_back += plain_bytes(store);
    freezer->bytes.plain += plain_bytes(store);
    freezer->bytes.packed +=
        store->packed_entries_bytes + store->packed_text_bytes;
    return true;
}

void
history_store_let_go(struct history_store *store)
{
    struct freezer *freezer = store->freezer;
    assert(store->packed && !store->memory);
    freezer_list_move(NULL, store);
    size_t bytes = unpacked_bytes(store);
    freezer->bytes.unpacked -= bytes;
    freezer->given_back += bytes;
    free_parts(store);
}

/* A part is at hand again. */
static void
count_unpacked(struct history_store *store, size_t bytes)
{
    struct freezer *freezer = store->freezer;
    freezer->bytes.unpacked += bytes;
    store->tick = freezer->tick;
    freezer_list_move(&freezer->unpacked, store);
}

void
history_store_unpack_text(struct history_store *store)
{
    assert(store->packed);
    store->text = xmalloc(store->text_bytes ? store->text_bytes : 1);
    freezer_unpack(
        store->freezer,
        &(struct freezer_part){store->packed + store->packed_entries_bytes,
                               store->packed_text_bytes},
        store->text, store->text_bytes);
    count_unpacked(store, store->text_bytes);
}

void
history_store_unpack_entries(struct history_store *store)
{
    assert(store->packed && store->count);
    size_t bytes = store->count * sizeof(struct history_entry);
    char *scratch = freezer_scratch(store->freezer, bytes);
    freezer_unpack(
        store->freezer,
        &(struct freezer_part){store->packed, store->packed_entries_bytes},
        scratch, bytes);
    struct columns columns = columns_in(scratch, store->count);
    struct history_entry *entries = xmalloc(bytes);
    store->entries_end = entries + store->count;
    struct history_entry last = {0};
    for (size_t i = 0; i < store->count; i++) {
        last.id += columns.ids[i];
        last.version += columns.versions[i];
        last.offset += columns.offsets[i];
        last.cols = columns.cols[i];
        last.flags = columns.flags[i];
        *(store->entries_end - 1 - i) = last;
    }
    count_unpacked(store, bytes);
}
