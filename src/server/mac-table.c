#include "server/mac-table.h"

#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Sets of places: an address can stand in any place of one set. */
#define SETS 1024u
#define WAYS 4u

struct mac_table {
    struct mac_entry entries[SETS][WAYS];
    uint64_t key; /* of the hash, so that no guest can choose its set */
};

struct mac_table *
mac_table_new(void)
{
    struct mac_table *table = xcalloc(1, sizeof(*table));
    while (getrandom(&table->key, sizeof(table->key), 0) !=
           (ssize_t)sizeof(table->key))
        continue;
    return table;
}

void
mac_table_free(struct mac_table *table)
{
    free(table);
}

/* The address and the key, well mixed (splitmix64's last steps). */
static size_t
set_of(const struct mac_table *table, const uint8_t *mac)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < MAC_BYTES; i++)
        hash = hash << 8 | mac[i];
    hash += table->key;
    hash = (hash ^ hash >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    hash = (hash ^ hash >> 27) * UINT64_C(0x94d049bb133111eb);
    return (size_t)((hash ^ hash >> 31) % SETS);
}

static bool
is_current(const struct mac_entry *entry, uint64_t now_ms)
{
    return entry->port &&
           (entry->is_fixed || now_ms - entry->heard_ms < MAC_TABLE_AGE_MS);
}

static struct mac_entry *
find(struct mac_entry *set, const uint8_t *mac)
{
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].port && !memcmp(set[i].mac, mac, MAC_BYTES))
            return &set[i];
    }
    return NULL;
}

/* A place that is free, whose address is not heard any more, or, so that one
 * port's addresses do not keep others out for long, the port's own. */
static struct mac_entry *
find_room(struct mac_entry *set, const void *port, uint64_t now_ms)
{
    struct mac_entry *own = NULL;
    for (size_t i = 0; i < WAYS; i++) {
        if (!is_current(&set[i], now_ms))
            return &set[i];
        if (set[i].port == port && !set[i].is_fixed)
            own = &set[i];
    }
    return own;
}

static size_t
count_of(const struct mac_table *table, const void *port, uint64_t now_ms)
{
    size_t count = 0;
    for (size_t i = 0; i < SETS; i++) {
        for (size_t j = 0; j < WAYS; j++)
            count += table->entries[i][j].port == port &&
                     is_current(&table->entries[i][j], now_ms);
    }
    return count;
}

bool
mac_table_learn(struct mac_table *table, const uint8_t *mac, const void *port,
                size_t *learned, uint64_t now_ms)
{
    struct mac_entry *set = table->entries[set_of(table, mac)];
    struct mac_entry *entry = find(set, mac);
    if (entry && entry->is_fixed)
        return entry->port == port;
    if (entry && entry->port == port) {
        entry->heard_ms = now_ms;
        return true;
    }
    /* Counted anew only when there seem to be too many. */
    if (*learned >= MAC_TABLE_PORT_MAX)
        *learned = count_of(table, port, now_ms);
    if (*learned >= MAC_TABLE_PORT_MAX)
        return true;
    if (!entry)
        entry = find_room(set, port, now_ms);
    if (!entry)
        return true;
    if (entry->port != port)
        (*learned)++;
    memcpy(entry->mac, mac, MAC_BYTES);
    entry->port = port;
    entry->heard_ms = now_ms;
    return true;
}

void
mac_table_fix(struct mac_table *table, const uint8_t *mac, const void *port)
{
    struct mac_entry *set = table->entries[set_of(table, mac)];
    struct mac_entry *entry = find(set, mac);
    for (size_t i = 0; !entry && i < WAYS; i++) {
        if (!set[i].port)
            entry = &set[i];
    }
    for (size_t i = 0; !entry && i < WAYS; i++) {
        if (!set[i].is_fixed)
            entry = &set[i];
    }
    if (!entry || entry->is_fixed)
        return; /* two cards with one address: the first has it */
    *entry = (struct mac_entry){.is_fixed = true, .port = port};
    memcpy(entry->mac, mac, MAC_BYTES);
}

const void *
mac_table_find(const struct mac_table *table, const uint8_t *mac,
               uint64_t now_ms)
{
    const struct mac_entry *set = table->entries[set_of(table, mac)];
    for (size_t i = 0; i < WAYS; i++) {
        if (is_current(&set[i], now_ms) && !memcmp(set[i].mac, mac, MAC_BYTES))
            return set[i].port;
    }
    return NULL;
}

void
mac_table_forget(struct mac_table *table, const void *port)
{
    for (size_t i = 0; i < SETS; i++) {
        for (size_t j = 0; j < WAYS; j++) {
            if (table->entries[i][j].port == port)
                table->entries[i][j] = (struct mac_entry){0};
        }
    }
}

const struct mac_entry *
mac_table_next(const struct mac_table *table, size_t *at, uint64_t now_ms)
{
    while (*at < (size_t)SETS * WAYS) {
        size_t index = (*at)++;
        const struct mac_entry *entry =
            &table->entries[index / WAYS][index % WAYS];
        if (is_current(entry, now_ms))
            return entry;
    }
    return NULL;
}
