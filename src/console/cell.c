#include "console/cell.h"

#include "base/utf8.h"

#include <utf8proc.h>

/* Values that may pile up before unused ones are looked for. */
#define POOL_SWEEP_STYLES 4096u
#define POOL_SWEEP_CLUSTERS 4096u

void
cell_pool_init(struct cell_pool *pool)
{
    intern_init(&pool->styles, sizeof(struct style), POOL_SWEEP_STYLES);
    intern_init(&pool->clusters, sizeof(struct cluster), POOL_SWEEP_CLUSTERS);
}

void
cell_pool_finish(struct cell_pool *pool)
{
    intern_finish(&pool->styles);
    intern_finish(&pool->clusters);
}

/* What a character without width is good for, by its category. */
static int
zero_width(uint32_t codepoint)
{
    switch (utf8proc_category((utf8proc_int32_t)codepoint)) {
    case UTF8PROC_CATEGORY_CN: /* newer than our tables: shown as one column */
        return 1;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_LO: /* Hangul vowels and finals */
        return 0;
    default:
        /* ZERO WIDTH NON-JOINER and JOINER shape text; the others hide it */
        return codepoint == 0x200C || codepoint == 0x200D ? 0 : -1;
    }
}

int
cell_width(uint32_t codepoint)
{
    /* most of the text of most people, without a look at the tables */
    if (codepoint >= 0x20 && codepoint < 0x7F)
        return 1;
    if ((codepoint >= 0x4E00 && codepoint <= 0x9FA5) ||
        (codepoint >= 0xAC00 && codepoint <= 0xD7A3))
        return 2;
    int width = utf8_width(codepoint);
    return width ? width : zero_width(codepoint);
}

bool
cell_is_assigned(uint32_t codepoint)
{
    return utf8proc_category((utf8proc_int32_t)codepoint) !=
           UTF8PROC_CATEGORY_CN;
}

uint32_t
cell_combine(struct cell_pool *pool, uint32_t symbol, uint32_t codepoint)
{
    struct cluster cluster = {0};
    if (symbol & CELL_CLUSTER)
        cluster = *(const struct cluster *)intern_value(&pool->clusters,
                                                        symbol & ~CELL_CLUSTER);
    else
        cluster.codepoints[0] = symbol == CELL_EMPTY ? ' ' : symbol;
    for (size_t i = 1; i < CELL_MAX_CODEPOINTS; i++) {
        if (cluster.codepoints[i])
            continue;
        cluster.codepoints[i] = codepoint;
        return CELL_CLUSTER | intern_add(&pool->clusters, &cluster);
    }
    return symbol;
}

size_t
cell_text(const struct cell_pool *pool, uint32_t symbol, char *text)
{
    if (symbol == CELL_TAIL)
        return 0;
    if (!(symbol & CELL_CLUSTER))
        return utf8_encode(symbol == CELL_EMPTY ? ' ' : symbol, text);
    const struct cluster *cluster =
        intern_value(&pool->clusters, symbol & ~CELL_CLUSTER);
    size_t len = 0;
    for (size_t i = 0; i < CELL_MAX_CODEPOINTS && cluster->codepoints[i]; i++)
        len += utf8_encode(cluster->codepoints[i], text + len);
    return len;
}

const struct style *
cell_style(const struct cell_pool *pool, uint32_t number)
{
    return intern_value(&pool->styles, number);
}
