/* What the readers of objects within an entry share. */
#include "base/nearest.h"
#include "fleet/spec-internal.h"

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
    char *shown = spec_show(text);
    mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                 "\"%s\" is not %s (try %s)", shown, what,
                 near ? near : words[0]);
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
