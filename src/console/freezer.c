#include "console/freezer.h"

#include "base/xalloc.h"
#include "console/freezer-internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <zstd.h>

/* The fastest one: kernel logs become ten times smaller with it, and hardly
 * smaller with the next three. */
#define LEVEL 1
/* Bytes that are compressed at once: about 1 ms. */
#define SLICE_BYTES ((size_t)256 << 10)
/* Compressed memory that is larger than this share of it is not worth it. */
#define WORTH_SHARE 0.75
/* A store is left alone once it was not used in this many periods. */
#define COLD_TICKS 2
/* Bytes given back that make it worth to tell the allocator. */
#define TRIM_BYTES ((size_t)128 << 10)

struct freezer *
freezer_new(void)
{
    return xcalloc(1, sizeof(struct freezer));
}

static char *
space_for(struct freezer_space *space, size_t len)
{
    if (space->len < len) {
        free(space->bytes);
        space->bytes = xmalloc(len);
        space->len = len;
    }
    return space->bytes;
}

static void
free_space(struct freezer_space *space)
{
    free(space->bytes);
    *space = (struct freezer_space){0};
}

/* Lets go of what is only needed while there is work. */
static void
rest(struct freezer *freezer)
{
    ZSTD_freeCCtx(freezer->packer);
    ZSTD_freeDCtx(freezer->unpacker);
    free_space(&freezer->scratch);
    free_space(&freezer->output);
    freezer->packer = NULL;
    freezer->unpacker = NULL;
    if (freezer->given_back < TRIM_BYTES)
        return;
    freezer->given_back = 0;
#ifdef __GLIBC__
    /* Else what lies between other memory stays with the process. */
    (void)malloc_trim(0);
#endif
}

void
freezer_free(struct freezer *freezer)
{
    if (!freezer)
        return;
    assert(!freezer->stores);
    freezer->given_back = 0;
    rest(freezer);
    free(freezer);
}

struct freezer_bytes
freezer_bytes(const struct freezer *freezer)
{
    return freezer->bytes;
}

/* Lists -------------------------------------------------------------------- */

void
freezer_list_move(struct freezer_list *list, struct history_store *store)
{
    struct freezer_list *from = store->list;
    if (from) {
        *(store->older ? &store->older->newer : &from->oldest) = store->newer;
        *(store->newer ? &store->newer->older : &from->newest) = store->older;
    }
    store->list = list;
    store->older = NULL;
    store->newer = NULL;
    if (!list)
        return;
    store->older = list->newest;
    *(list->newest ? &list->newest->newer : &list->oldest) = store;
    list->newest = store;
}

/* The oldest one, when it was not used for long enough. */
static struct history_store *
coldest(const struct freezer *freezer, const struct freezer_list *list)
{
    struct history_store *store = list->oldest;
    return store && freezer->tick - store->tick >= COLD_TICKS ? store : NULL;
}

/* Work --------------------------------------------------------------------- */

bool
freezer_is_idle(const struct freezer *freezer)
{
    return !freezer->plain.oldest && !freezer->unpacked.oldest;
}

void
freezer_tick(struct freezer *freezer)
{
    freezer->tick++;
}

bool
freezer_work(struct freezer *freezer)
{
    struct history_store *store = NULL;
    while ((store = coldest(freezer, &freezer->unpacked)))
        history_store_let_go(store);
    for (size_t done = 0;
         done < SLICE_BYTES && (store = coldest(freezer, &freezer->plain));
         done += store->text_bytes)
        (void)history_store_pack(store);
    if (coldest(freezer, &freezer->plain))
        return true;
    rest(freezer);
    return false;
}

void
freezer_trim(struct freezer *freezer, size_t max_bytes)
{
    while (freezer->bytes.unpacked > max_bytes)
        history_store_let_go(freezer->unpacked.oldest);
}

/* Compression -------------------------------------------------------------- */

char *
freezer_scratch(struct freezer *freezer, size_t len)
{
    return space_for(&freezer->scratch, len);
}

/* Compresses a part to where there is room for it; its bytes. */
static size_t
compress(struct freezer *freezer, const struct freezer_part *part, char *bytes,
         size_t room)
{
    size_t len = ZSTD_compressCCtx(freezer->packer, bytes, room, part->bytes,
                                   part->len, LEVEL);
    /* It fails for want of room or of memory only. */
    if (ZSTD_isError(len))
        xalloc_failed();
    return len;
}

char *
freezer_pack(struct freezer *freezer, const struct freezer_part *first,
             const struct freezer_part *second, size_t *ret_first_bytes,
             size_t *ret_second_bytes)
{
    if (!freezer->packer)
        freezer->packer = ZSTD_createCCtx();
    if (!freezer->packer)
        return NULL;
    size_t room = ZSTD_compressBound(first->len);
    size_t all_room = room + ZSTD_compressBound(second->len);
    char *bytes = space_for(&freezer->output, all_room);
    size_t len = compress(freezer, first, bytes, room);
    *ret_first_bytes = len;
    *ret_second_bytes = compress(freezer, second, bytes + len, all_room - len);
    len += *ret_second_bytes;
    if ((double)len > WORTH_SHARE * (double)(first->len + second->len))
        return NULL;
    char *packed = xmalloc(len);
    memcpy(packed, bytes, len);
    return packed;
}

void
freezer_unpack(struct freezer *freezer, const struct freezer_part *packed,
               char *bytes, size_t len)
{
    if (!freezer->unpacker)
        freezer->unpacker = ZSTD_createDCtx();
    size_t got = freezer->unpacker
                     ? ZSTD_decompressDCtx(freezer->unpacker, bytes, len,
                                           packed->bytes, packed->len)
                     : 0;
    /* What was compressed here comes back, unless there is no memory. */
    if (got != len)
        xalloc_failed();
}
