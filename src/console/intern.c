#include "console/intern.h"

#include "base/xalloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Values a new set has room for. */
#define INTERN_START_CAPACITY 32u

static uint32_t
hash_value(const unsigned char *value, size_t bytes)
{
    uint64_t hash = 0x9E3779B97F4A7C15u;
    for (size_t i = 0; i < bytes; i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, value + i, sizeof(word));
        hash = (hash ^ word) * 0xFF51AFD7ED558CCDu;
        hash ^= hash >> 32;
    }
    return (uint32_t)hash;
}

static bool
is_same(const unsigned char *a, const unsigned char *b, size_t bytes)
{
    uint64_t difference = 0;
    for (size_t i = 0; i < bytes; i += sizeof(uint64_t)) {
        uint64_t words[2];
        memcpy(&words[0], a + i, sizeof(words[0]));
        memcpy(&words[1], b + i, sizeof(words[1]));
        difference |= words[0] ^ words[1];
    }
    return difference == 0;
}

static unsigned char *
value_at(const struct intern *intern, uint32_t number)
{
    return intern->values + (size_t)number * intern->value_bytes;
}

/* The slot that holds the value, or the free one where it belongs. */
static uint32_t
find_slot(const struct intern *intern, const void *value)
{
    uint32_t mask = intern->slot_count - 1;
    uint32_t slot = hash_value(value, intern->value_bytes) & mask;
    while (intern->slots[slot] &&
           !is_same(value_at(intern, intern->slots[slot] - 1), value,
                    intern->value_bytes))
        slot = (slot + 1) & mask;
    return slot;
}

static void
set_capacity(struct intern *intern, uint32_t capacity)
{
    intern->values =
        xreallocarray(intern->values, capacity, intern->value_bytes);
    intern->free_list =
        xreallocarray(intern->free_list, capacity, sizeof(uint32_t));
    free(intern->slots);
    intern->slot_count = capacity * 4;
    intern->slots = xcalloc(intern->slot_count, sizeof(uint32_t));
    intern->capacity = capacity;
}

/* Enters the numbers below used that are not marked free into empty slots. */
static void
fill_slots(struct intern *intern, const unsigned char *is_dead)
{
    for (uint32_t number = 0; number < intern->used; number++)
        if (!is_dead || !is_dead[number])
            intern->slots[find_slot(intern, value_at(intern, number))] =
                number + 1;
}

void
intern_init(struct intern *intern, size_t value_bytes, uint32_t sweep_at)
{
    assert(value_bytes % sizeof(uint64_t) == 0);
    *intern = (struct intern){
        .value_bytes = value_bytes, .sweep_at = sweep_at, .used = 1, .live = 1};
    set_capacity(intern, INTERN_START_CAPACITY);
    memset(intern->values, 0, value_bytes);
    fill_slots(intern, NULL);
}

void
intern_finish(struct intern *intern)
{
    free(intern->values);
    free(intern->slots);
    free(intern->free_list);
    free(intern->marks);
    *intern = (struct intern){0};
}

static void *
copy_memory(const void *memory, size_t count, size_t bytes)
{
    void *copy = xreallocarray(NULL, count, bytes);
    memcpy(copy, memory, count * bytes);
    return copy;
}

void
intern_copy(struct intern *copy, const struct intern *intern)
{
    assert(!intern->marks);
    *copy = *intern;
    copy->values =
        copy_memory(intern->values, intern->capacity, intern->value_bytes);
    copy->slots =
        copy_memory(intern->slots, intern->slot_count, sizeof(uint32_t));
    copy->free_list =
        copy_memory(intern->free_list, intern->capacity, sizeof(uint32_t));
}

uint32_t
intern_add(struct intern *intern, const void *value)
{
    uint32_t slot = find_slot(intern, value);
    if (intern->slots[slot])
        return intern->slots[slot] - 1;
    uint32_t number;
    if (intern->free_count) {
        number = intern->free_list[--intern->free_count];
    } else {
        if (intern->used == intern->capacity) {
            set_capacity(intern, intern->capacity * 2);
            fill_slots(intern, NULL);
            slot = find_slot(intern, value);
        }
        number = intern->used++;
    }
    memcpy(value_at(intern, number), value, intern->value_bytes);
    intern->slots[slot] = number + 1;
    intern->live++;
    return number;
}

const void *
intern_value(const struct intern *intern, uint32_t number)
{
    assert(number < intern->used);
    return value_at(intern, number);
}

bool
intern_is_due(const struct intern *intern)
{
    return intern->live >= intern->sweep_at;
}

void
intern_begin_sweep(struct intern *intern)
{
    free(intern->marks);
    intern->marks = xcalloc(intern->used, 1);
    intern->marks[0] = 1;
}

void
intern_mark(struct intern *intern, uint32_t number)
{
    assert(number < intern->used);
    intern->marks[number] = 1;
}

void
intern_end_sweep(struct intern *intern)
{
    intern->free_count = 0;
    for (uint32_t number = intern->used; number-- > 0;) {
        intern->marks[number] = !intern->marks[number];
        if (intern->marks[number])
            intern->free_list[intern->free_count++] = number;
    }
    memset(intern->slots, 0, intern->slot_count * sizeof(uint32_t));
    fill_slots(intern, intern->marks);
    free(intern->marks);
    intern->marks = NULL;
    intern->live = intern->used - intern->free_count;
    if (intern->live > intern->sweep_at / 2)
        intern->sweep_at *= 2;
}
