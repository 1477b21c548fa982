#include "fleet/placeholders.h"

#include "base/buffer.h"
#include "base/xalloc.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Most digits of N in {index+N}. */
#define MAX_DIGITS 9

/* A placeholder at the beginning of a text. */
struct hole {
    size_t len;   /* with its braces */
    bool is_name; /* else it is an index */
    long more;    /* N */
};

static bool
find_hole(const char *text, struct hole *hole)
{
    *hole = (struct hole){0};
    if (!strncmp(text, "{name}", 6)) {
        hole->len = 6;
        hole->is_name = true;
        return true;
    }
    if (strncmp(text, "{index", 6) != 0)
        return false;
    size_t at = 6;
    if (text[at] == '+' && isdigit((unsigned char)text[at + 1])) {
        size_t digits = strspn(text + at + 1, "0123456789");
        if (digits > MAX_DIGITS)
            return false;
        hole->more = strtol(text + at + 1, NULL, 10);
        at += 1 + digits;
    }
    hole->len = at + 1;
    return text[at] == '}';
}

/* What stands at the beginning of a text. */
enum part {
    PART_PLAIN,  /* one byte */
    PART_HOLE,   /* to be replaced */
    PART_ESCAPE, /* a placeholder in a second pair of braces */
    PART_COPY,   /* a variable's: as it is, dollar sign and all */
};

static enum part
find_part(const char *text, struct hole *hole)
{
    if (text[0] == '$' && find_hole(text + 1, hole))
        return PART_COPY;
    if (text[0] != '{')
        return PART_PLAIN;
    if (find_hole(text, hole))
        return PART_HOLE;
    if (find_hole(text + 1, hole) && text[1 + hole->len] == '}')
        return PART_ESCAPE;
    return PART_PLAIN;
}

/* How long the part is in the text. */
static size_t
part_length(enum part part, const struct hole *hole)
{
    static const size_t extra[] = {
        [PART_PLAIN] = 1, [PART_HOLE] = 0, [PART_ESCAPE] = 2, [PART_COPY] = 1};
    return extra[part] + (part == PART_PLAIN ? 0 : hole->len);
}

bool
placeholders_has_index(const char *text)
{
    while (*text) {
        struct hole hole;
        enum part part = find_part(text, &hole);
        if (part == PART_HOLE && !hole.is_name)
            return true;
        text += part_length(part, &hole);
    }
    return false;
}

static bool
has_any(const char *text)
{
    while (*text) {
        struct hole hole;
        enum part part = find_part(text, &hole);
        if (part == PART_HOLE || part == PART_ESCAPE)
            return true;
        text += part_length(part, &hole);
    }
    return false;
}

bool
placeholders_are_in(const json_t *value)
{
    if (json_is_string(value))
        return has_any(json_string_value(value));
    bool found = false;
    for (size_t i = 0; i < json_array_size(value) && !found; i++)
        found = placeholders_are_in(json_array_get(value, i));
    const char *name = NULL;
    json_t *member = NULL;
    json_object_foreach((json_t *)value, name, member) found =
        found || placeholders_are_in(member);
    return found;
}

char *
placeholders_expand(const char *text, const char *name, int index)
{
    struct buffer out = {0};
    while (*text) {
        struct hole hole;
        enum part part = find_part(text, &hole);
        size_t len = part_length(part, &hole);
        bool has_no_value = part == PART_HOLE && !hole.is_name && index < 0;
        if (has_no_value || out.len + len > PLACEHOLDERS_MAX_BYTES) {
            buffer_finish(&out);
            return NULL;
        }
        if (part == PART_ESCAPE)
            buffer_append(&out, text + 1, len - 2);
        else if (part != PART_HOLE)
            buffer_append(&out, text, len);
        else if (hole.is_name)
            buffer_append_text(&out, name);
        else
            buffer_printf(&out, "%ld", index + hole.more);
        text += len;
    }
    return buffer_steal(&out);
}

char *
placeholders_escape(const char *text)
{
    struct buffer out = {0};
    while (*text) {
        struct hole hole;
        enum part part = find_part(text, &hole);
        size_t len = part == PART_ESCAPE ? 1 : part_length(part, &hole);
        if (part == PART_HOLE)
            buffer_printf(&out, "{%.*s}", (int)len, text);
        else
            buffer_append(&out, text, len);
        text += len;
    }
    return buffer_steal(&out);
}

static void
fill_string(json_t *value, const char *name, int index,
            const struct place *place, struct mistakes *mistakes)
{
    const char *text = json_string_value(value);
    if (strlen(text) != json_string_length(value) || !has_any(text))
        return;
    char *expanded = placeholders_expand(text, name, index);
    if (expanded)
        (void)json_string_set(value, expanded);
    else if (index < 0 && placeholders_has_index(text))
        mistakes_add(mistakes, place, POSITIONS_PART_VALUE,
                     "{index} has no value here: the guest has no \"count\"");
    else
        mistakes_add(mistakes, place, POSITIONS_PART_VALUE,
                     "this is longer than %u bytes with its {name} and {index} "
                     "expanded",
                     PLACEHOLDERS_MAX_BYTES);
    free(expanded);
}

void
placeholders_fill(json_t *value, const char *name, int index,
                  const struct place *place, struct mistakes *mistakes)
{
    if (json_is_string(value)) {
        fill_string(value, name, index, place, mistakes);
        return;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        struct place item = {place, NULL, i};
        placeholders_fill(json_array_get(value, i), name, index, &item,
                          mistakes);
    }
    const char *key = NULL;
    json_t *member = NULL;
    json_object_foreach(value, key, member)
    {
        struct place at = {place, key, 0};
        placeholders_fill(member, name, index, &at, mistakes);
    }
}
