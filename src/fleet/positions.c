#include "fleet/positions.h"

#include "base/buffer.h"
#include "base/text.h"
#include "base/utf8.h"
#include "base/xalloc.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* No node. The top-level value is node 0 and nobody's child. */
#define NONE 0u

/* jansson reads no deeper than this (its JSON_PARSER_MAX_DEPTH). */
#define MAX_DEPTH 2048

/* Columns of a name that a message shows. */
#define KEY_MAX_COLS 60

/* Offsets are of bytes in the text. */
struct node {
    uint32_t key; /* of the name's opening quote; the value's for items */
    uint32_t value;
    uint32_t child; /* the first, or NONE */
    uint32_t next;  /* sibling, or NONE */
};

struct positions {
    const char *text; /* borrowed */
    size_t len;
    struct node *nodes; /* owned */
    size_t count;
    size_t capacity;
};

struct scanner {
    struct positions *positions;
    size_t at;
    unsigned depth;
};

static uint32_t
add_node(struct positions *positions, size_t key, size_t value)
{
    if (positions->count == positions->capacity) {
        positions->capacity = positions->capacity * 2 + 64;
        positions->nodes = xreallocarray(positions->nodes, positions->capacity,
                                         sizeof(*positions->nodes));
    }
    positions->nodes[positions->count] =
        (struct node){.key = (uint32_t)key, .value = (uint32_t)value};
    return (uint32_t)positions->count++;
}

static char
peek(const struct scanner *scanner)
{
    return scanner->at < scanner->positions->len
               ? scanner->positions->text[scanner->at]
               : '\0';
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void
skip_space(struct scanner *scanner)
{
    while (is_space(peek(scanner)))
        scanner->at++;
}

static void
skip_string(struct scanner *scanner)
{
    scanner->at++;
    while (scanner->at < scanner->positions->len && peek(scanner) != '"')
        scanner->at += peek(scanner) == '\\' ? 2 : 1;
    scanner->at++;
}

/* A number, true, false or null; at least one byte, so that every text comes
 * to an end. */
static void
skip_word(struct scanner *scanner)
{
    do
        scanner->at++;
    while (scanner->at < scanner->positions->len && !is_space(peek(scanner)) &&
           !strchr(",:]}", peek(scanner)));
}

static void scan_value(struct scanner *scanner, uint32_t node);

/* One member or item; its node is hung on after last (or as parent's first
 * child). Returns it. */
static uint32_t
scan_child(struct scanner *scanner, uint32_t parent, uint32_t last,
           bool is_member)
{
    struct positions *positions = scanner->positions;
    size_t key = scanner->at;
    if (is_member && peek(scanner) == '"') {
        skip_string(scanner);
        skip_space(scanner);
        scanner->at += peek(scanner) == ':';
        skip_space(scanner);
    }
    uint32_t child = add_node(positions, key, scanner->at);
    if (last == NONE)
        positions->nodes[parent].child = child;
    else
        positions->nodes[last].next = child;
    scan_value(scanner, child);
    return child;
}

static void
scan_value(struct scanner *scanner, uint32_t node)
{
    char open = peek(scanner);
    if (open == '"') {
        skip_string(scanner);
        return;
    }
    if ((open != '{' && open != '[') || scanner->depth >= MAX_DEPTH) {
        skip_word(scanner);
        return;
    }
    scanner->at++;
    scanner->depth++;
    uint32_t last = NONE;
    for (;;) {
        skip_space(scanner);
        if (scanner->at >= scanner->positions->len)
            break;
        if (peek(scanner) == (open == '{' ? '}' : ']')) {
            scanner->at++;
            break;
        }
        if (peek(scanner) == ',')
            scanner->at++;
        else
            last = scan_child(scanner, node, last, open == '{');
    }
    scanner->depth--;
}

struct positions *
positions_new(const char *text, size_t len)
{
    struct positions *positions = xcalloc(1, sizeof(*positions));
    positions->text = text;
    positions->len = len < UINT32_MAX / 2 ? len : UINT32_MAX / 2;
    struct scanner scanner = {.positions = positions};
    skip_space(&scanner);
    scan_value(&scanner, add_node(positions, scanner.at, scanner.at));
    return positions;
}

void
positions_free(struct positions *positions)
{
    if (!positions)
        return;
    free(positions->nodes);
    free(positions);
}

static int
hex4(const char *text)
{
    int value = 0;
    for (int i = 0; i < 4; i++) {
        char c = text[i];
        if (!isxdigit((unsigned char)c))
            return -1;
        int digit = isdigit((unsigned char)c) ? c - '0' : (c | 32) - 'a' + 10;
        value = value * 16 + digit;
    }
    return value;
}

/* Appends what the escape after a backslash at text stands for (RFC 8259,
 * section 7); returns its length. */
static size_t
append_escape(struct buffer *out, const char *text, size_t len)
{
    static const char names[] = "bfnrt";
    static const char values[] = "\b\f\n\r\t";
    const char *name = len ? strchr(names, text[0]) : NULL;
    if (len && text[0] != 'u') {
        buffer_append_byte(out, name ? values[name - names] : text[0]);
        return 1;
    }
    int high = len >= 5 ? hex4(text + 1) : -1;
    if (high < 0)
        return len ? 1 : 0;
    uint32_t codepoint = (uint32_t)high;
    size_t used = 5;
    if (codepoint >= 0xD800 && codepoint < 0xDC00 && len >= 11 &&
        text[5] == '\\' && text[6] == 'u') {
        int low = hex4(text + 7);
        if (low >= 0xDC00 && low < 0xE000) {
            codepoint = 0x10000 + ((codepoint - 0xD800) << 10) +
                        ((uint32_t)low - 0xDC00);
            used = 11;
        }
    }
    char bytes[4];
    buffer_append(out, bytes, utf8_encode(codepoint, bytes));
    return used;
}

/* The name whose opening quote is at offset; the caller frees it. */
static char *
decode_key(const struct positions *positions, size_t offset)
{
    struct buffer out = {0};
    const char *text = positions->text;
    size_t at = offset + 1;
    while (at < positions->len && text[at] != '"') {
        if (text[at] != '\\')
            buffer_append_byte(&out, text[at++]);
        else
            at +=
                1 + append_escape(&out, text + at + 1, positions->len - at - 1);
    }
    return buffer_steal(&out);
}

static bool
is_key(const struct positions *positions, size_t offset, const char *key)
{
    size_t len = strlen(key);
    const char *text = positions->text + offset + 1;
    size_t left = positions->len - offset - 1;
    /* Names are seldom written with escapes. */
    if (left > len && !memcmp(text, key, len) && text[len] == '"' &&
        !memchr(key, '\\', len))
        return true;
    if (!memchr(text, '\\', left < len * 6 + 1 ? left : len * 6 + 1))
        return false;
    char *decoded = decode_key(positions, offset);
    bool is_same = !strcmp(decoded, key);
    free(decoded);
    return is_same;
}

/* The child of node that a place's last step leads to, or NONE. Of members of
 * one name the last counts, as for jansson. */
static uint32_t
find_child(const struct positions *positions, uint32_t node,
           const struct place *place)
{
    uint32_t found = NONE;
    size_t index = 0;
    uint32_t child = positions->nodes[node].child;
    char open = positions->nodes[node].value < positions->len
                    ? positions->text[positions->nodes[node].value]
                    : '\0';
    if (open != (place->key ? '{' : '['))
        return NONE;
    for (; child != NONE; child = positions->nodes[child].next) {
        if (place->key
                ? is_key(positions, positions->nodes[child].key, place->key)
                : index++ == place->index)
            found = child;
    }
    return found;
}

struct position
positions_find(const struct positions *positions, const struct place *place,
               enum positions_part part)
{
    const struct place *steps[64];
    size_t depth = 0;
    for (const struct place *at = place; at; at = at->parent) {
        if (depth < sizeof(steps) / sizeof(steps[0]))
            steps[depth++] = at;
    }
    uint32_t node = 0;
    while (depth) {
        uint32_t child = find_child(positions, node, steps[depth - 1]);
        if (child == NONE)
            break;
        node = child;
        depth--;
    }
    /* A member that is missing is missed where its object is named. */
    bool is_key = part == POSITIONS_PART_KEY || depth > 0;
    size_t offset =
        is_key ? positions->nodes[node].key : positions->nodes[node].value;
    return positions_of_offset(positions->text, positions->len, offset);
}

struct member {
    char *key; /* owned */
    uint32_t node;
};

static int
compare_members(const void *a, const void *b)
{
    const struct member *left = a;
    const struct member *right = b;
    int order = strcmp(left->key, right->key);
    if (order != 0)
        return order;
    return left->node < right->node ? -1 : left->node > right->node;
}

struct duplicates {
    const struct positions *positions;
    positions_duplicate_fn found;
    void *data;
};

static void
tell_duplicates(const struct duplicates *duplicates, uint32_t object,
                const struct place *parent)
{
    const struct positions *positions = duplicates->positions;
    size_t count = 0;
    for (uint32_t child = positions->nodes[object].child; child != NONE;
         child = positions->nodes[child].next)
        count++;
    struct member *members = xcalloc(count ? count : 1, sizeof(*members));
    count = 0;
    for (uint32_t child = positions->nodes[object].child; child != NONE;
         child = positions->nodes[child].next) {
        members[count].node = child;
        members[count++].key =
            decode_key(positions, positions->nodes[child].key);
    }
    qsort(members, count, sizeof(*members), compare_members);
    size_t first = 0;
    for (size_t i = 1; i < count; i++) {
        if (strcmp(members[i].key, members[first].key) != 0) {
            first = i;
            continue;
        }
        struct place place = {.parent = parent, .key = members[i].key};
        const struct node *nodes = positions->nodes;
        duplicates->found(duplicates->data, &place,
                          positions_of_offset(positions->text, positions->len,
                                              nodes[members[first].node].key),
                          positions_of_offset(positions->text, positions->len,
                                              nodes[members[i].node].key));
    }
    for (size_t i = 0; i < count; i++)
        free(members[i].key);
    free(members);
}

static void
walk_duplicates(const struct duplicates *duplicates, uint32_t node,
                const struct place *place)
{
    const struct positions *positions = duplicates->positions;
    uint32_t child = positions->nodes[node].child;
    if (child == NONE)
        return;
    bool is_object = positions->text[positions->nodes[node].value] == '{';
    if (is_object)
        tell_duplicates(duplicates, node, place);
    for (size_t index = 0; child != NONE;
         child = positions->nodes[child].next, index++) {
        if (positions->nodes[child].child == NONE)
            continue;
        struct place step = {.parent = place, .index = index};
        char *key = is_object
                        ? decode_key(positions, positions->nodes[child].key)
                        : NULL;
        step.key = key;
        walk_duplicates(duplicates, child, &step);
        free(key);
    }
}

void
positions_each_duplicate(const struct positions *positions,
                         positions_duplicate_fn found, void *data)
{
    struct duplicates duplicates = {positions, found, data};
    walk_duplicates(&duplicates, 0, NULL);
}

struct position
positions_of_offset(const char *text, size_t len, size_t offset)
{
    struct position position = {1, 1};
    if (offset > len)
        offset = len;
    for (size_t i = 0; i < offset; i++) {
        if (text[i] == '\n') {
            position.line++;
            position.column = 1;
        } else if (((unsigned char)text[i] & 0xC0) != 0x80) {
            position.column++;
        }
    }
    return position;
}

static void
append_place(struct buffer *out, const struct place *place)
{
    if (place->parent)
        append_place(out, place->parent);
    if (!place->key) {
        buffer_printf(out, "[%zu]", place->index);
        return;
    }
    char *key = text_printable(place->key, strlen(place->key), KEY_MAX_COLS,
                               TEXT_ONE_LINE);
    buffer_printf(out, "%s%s", out->len ? "." : "", key);
    free(key);
}

char *
place_text(const struct place *place)
{
    struct buffer out = {0};
    if (place)
        append_place(&out, place);
    return buffer_steal(&out);
}
