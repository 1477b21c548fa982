/* What the readers of objects within an entry share. */
#include "base/buffer.h"
#include "base/nearest.h"
#include "fleet/spec-internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX_BYTES 1024

bool
spec_is_among(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(word, words[i]))
            return true;
    }
    return false;
}

void
spec_check_members(struct spec_reader *reader, const json_t *object,
                   const struct place *place, const char *const *names,
                   size_t count)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)object, name, value)
    {
        struct place member = {place, name, 0};
        if (!spec_is_among(name, names, count))
            spec_unknown_field(reader->mistakes, &member, names, count);
    }
}

char *
spec_take_choice(struct spec_reader *reader, const json_t *value,
                 const struct place *place, const char *what,
                 const char *const *words, size_t count)
{
    char *text = spec_take_text(reader, value, place, WORD_MAX_BYTES,
                                SPEC_TEXT_ONE_LINE);
    if (!text || spec_is_among(text, words, count))
        return text;
    const char *near = nearest_name(text, words, count);
    struct buffer all = {0};
    for (size_t i = 0; i < count; i++)
        buffer_printf(&all, "%s%s",
                      !i              ? ""
                      : i + 1 < count ? ", "
                                      : " or ",
                      words[i]);
    char *shown = spec_show(text);
    mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                 "\"%s\" is not %s (%s%s)", shown, what, near ? "try " : "",
                 near ? near : all.data);
    buffer_finish(&all);
    free(shown);
    free(text);
    return NULL;
}

const json_t *
spec_member(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_null(value) ? NULL : value;
}

/* Reads one member by its row. */
static void
read_member(struct spec_reader *reader, const struct spec_member *row,
            const json_t *value, const struct place *place)
{
    char *at = (char *)reader->spec + row->offset;
    json_int_t number = 0;
    if (row->max == 0) {
        if (json_is_boolean(value))
            *(bool *)at = json_is_true(value);
        else
            spec_wrong_type(reader->mistakes, place, value, "true or false");
    } else if (spec_take_integer(reader, value, place, row->min, row->max,
                                 &number)) {
        *(int *)at = (int)number;
    }
}

static const struct spec_member *
find_row(const struct spec_member *rows, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(rows[i].name, name))
            return &rows[i];
    }
    return NULL;
}

void
spec_read_members(struct spec_reader *reader, const struct spec_member *rows,
                  size_t count, const char *word, const json_t *value,
                  const struct place *place)
{
    const char *names[SPEC_MAX_MEMBERS + 1];
    const char *name = NULL;
    json_t *member = NULL;
    size_t name_count = 0;
    assert(count <= SPEC_MAX_MEMBERS);
    for (size_t i = 0; i < count; i++)
        names[name_count++] = rows[i].name;
    if (word)
        names[name_count++] = word;
    json_object_foreach((json_t *)value, name, member)
    {
        struct place at = {place, name, 0};
        const struct spec_member *row = find_row(rows, count, name);
        if (row && !json_is_null(member))
            read_member(reader, row, member, &at);
        else if (!row && (!word || strcmp(name, word) != 0))
            spec_unknown_field(reader->mistakes, &at, names, name_count);
    }
}
