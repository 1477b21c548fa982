#include "console/stops.h"

#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>

void
stops_finish(struct stops *stops)
{
    free(stops->items);
    *stops = (struct stops){0};
}

static uint64_t
spacing_of(const struct stops *stops)
{
    return stops->spacing ? stops->spacing : STOPS_SPACING_BYTES;
}

size_t
stops_split(const struct stops *stops, uint64_t offset, const char *bytes,
            size_t len, bool *ret_is_due)
{
    uint64_t due = offset;
    *ret_is_due = false;
    if (stops->count)
        due = stops->items[stops->count - 1].offset + spacing_of(stops);
    if (due > offset + len)
        return len;
    /* the next line begins at due at the earliest */
    size_t from = due > offset ? (size_t)(due - offset) - 1 : 0;
    const char *end = memchr(bytes + from, '\n', len - from);
    if (!end)
        return len;
    *ret_is_due = true;
    return (size_t)(end - bytes) + 1;
}

/* Drops every other one. */
static void
thin_out(struct stops *stops)
{
    size_t kept = 0;
    for (size_t i = 0; i < stops->count; i += 2)
        stops->items[kept++] = stops->items[i];
    stops->count = kept;
    stops->spacing = spacing_of(stops) * 2;
}

void
stops_add(struct stops *stops, uint64_t offset, uint64_t id)
{
    if (stops->count == STOPS_MAX)
        thin_out(stops);
    if (stops->count == stops->capacity) {
        stops->capacity = stops->capacity * 2 + 16;
        stops->items =
            xreallocarray(stops->items, stops->capacity, sizeof(*stops->items));
    }
    stops->items[stops->count++] = (struct stop){.offset = offset, .id = id};
}

void
stops_cut(struct stops *stops, uint64_t offset)
{
    while (stops->count && stops->items[stops->count - 1].offset >= offset)
        stops->count--;
}

size_t
stops_until(const struct stops *stops, uint64_t offset)
{
    size_t low = 0;
    size_t high = stops->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (stops->items[middle].offset <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
