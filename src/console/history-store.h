#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The memory of a block of the history: text, and an entry for each row. Copies
 * of a history share it until one of them writes to it.
 *
 * It is open while rows are added: one piece of memory, in which text grows
 * from the start and entries from the end downward. Once it is closed nothing
 * in it changes any more, and its freezer (freezer.h) may compress it; whoever
 * reads gets it back through history_store_text and history_store_entry. */

struct freezer;
struct freezer_list;

/* One row as it was written. */
struct history_entry {
    uint32_t id;      /* beyond the block's base_id */
    uint32_t version; /* beyond the block's base_version */
    uint32_t offset;  /* of its bytes in the block */
    uint16_t cols;
    uint16_t flags; /* enum entry_flags, enum packing_flags */
};

struct history_store {
    unsigned refs;
    char *text; /* NULL: only compressed */
    struct history_entry
        *entries_end; /* behind the first row's entry, which the
                       * next ones precede; NULL: likewise */
    char *memory;     /* owned: both of them, or NULL: each has its own */
    struct freezer *freezer; /* of a closed one; NULL: it stays as it is */

    /* Of a closed one: */
    size_t text_bytes;
    size_t count; /* entries */
    char *packed; /* owned; the entries, then the text; or NULL */
    size_t packed_entries_bytes;
    size_t packed_text_bytes;
    unsigned tick;               /* the freezer's, when it was used last */
    struct freezer_list *list;   /* the freezer's that it is on, or NULL */
    struct history_store *older; /* there: used before */
    struct history_store *newer;
};

/* An open one, for so many bytes of text and entries together. */
struct history_store *history_store_new(size_t capacity);
/* Another open one, with so much of what a store has. */
struct history_store *history_store_copy(struct history_store *store,
                                         size_t capacity, size_t text_bytes,
                                         size_t count);
void history_store_unref(struct history_store *store);

/* Makes an open one just large enough for what it has; returns its capacity. */
size_t history_store_shrink(struct history_store *store, size_t capacity,
                            size_t text_bytes, size_t count);

/* Nothing is written to it any more. freezer may be NULL. */
void history_store_close(struct history_store *store, struct freezer *freezer,
                         size_t text_bytes, size_t count);
/* What is in it is of no use any more: makes it an open one. False when its
 * memory was let go of. */
bool history_store_reopen(struct history_store *store, size_t capacity);

/* Brings back what was compressed. */
void history_store_unpack_text(struct history_store *store);
void history_store_unpack_entries(struct history_store *store);

/* Somebody reads it. */
void history_store_touch(struct history_store *store);

static inline char *
history_store_text(struct history_store *store)
{
    if (!store->text)
        history_store_unpack_text(store);
    return store->text;
}

static inline struct history_entry *
history_store_entry(struct history_store *store, size_t number)
{
    if (!store->entries_end)
        history_store_unpack_entries(store);
    return store->entries_end - 1 - number;
}
