#pragma once

#include "console/freezer.h"
#include "console/history-store.h"

#include <stdint.h>

/* What the freezer and the stores on its lists know of each other. */

/* Stores by when they were used last. */
struct freezer_list {
    struct history_store *oldest;
    struct history_store *newest;
};

/* Memory that grows as it is needed. */
struct freezer_space {
    char *bytes; /* owned */
    size_t len;
};

struct freezer {
    struct freezer_list plain;    /* closed, and not compressed */
    struct freezer_list unpacked; /* compressed, and at hand as well */
    unsigned tick;
    size_t stores; /* closed ones that know this freezer */
    struct freezer_bytes bytes;
    size_t given_back;            /* bytes freed since the allocator was told */
    void *packer;                 /* ZSTD_CCtx, or NULL: while there is work */
    void *unpacker;               /* ZSTD_DCtx, or NULL: likewise */
    struct freezer_space scratch; /* likewise */
    struct freezer_space output;  /* likewise */
};

/* Puts a store at the new end of a list, from whichever list it is on. NULL:
 * on none. */
void freezer_list_move(struct freezer_list *list, struct history_store *store);

/* A part of a store. */
struct freezer_part {
    const char *bytes;
    size_t len;
};

/* Compresses two parts. Returns the memory, the first one's bytes before the
 * second one's; or NULL when that is not worth it. */
char *freezer_pack(struct freezer *freezer, const struct freezer_part *first,
                   const struct freezer_part *second, size_t *ret_first_bytes,
                   size_t *ret_second_bytes);
/* Brings back a part of len bytes. */
void freezer_unpack(struct freezer *freezer, const struct freezer_part *packed,
                    char *bytes, size_t len);
/* Memory for len bytes, until the next call. */
char *freezer_scratch(struct freezer *freezer, size_t len);

/* Compresses a closed store that nobody reads; false when that is not worth it.
 * It is on no list then. */
bool history_store_pack(struct history_store *store);
/* Lets go of what was unpacked. It is on no list then. */
void history_store_let_go(struct history_store *store);
