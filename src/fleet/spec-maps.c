/* The readers of objects of texts: labels and environment. */
#include "base/text.h"
#include "base/xalloc.h"
#include "fleet/shellwords.h"
#include "fleet/spec-internal.h"

#include <stdlib.h>
#include <string.h>

#define MAX_LABELS 64
#define LABEL_MAX_BYTES 63
#define MAX_VARIABLES 64
#define VARIABLE_MAX_BYTES 4096

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* Checks that a value is an object of at most max members; what: "labels". */
static bool
check_object(struct spec_reader *reader, const json_t *value,
             const struct place *place, size_t max, const char *example,
             const char *what)
{
    if (!json_is_object(value)) {
        spec_wrong_type(reader->mistakes, place, value, example);
        return false;
    }
    if (json_object_size(value) <= max)
        return true;
    mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                 "there are %zu %s, at most %zu are allowed",
                 json_object_size(value), what, max);
    return false;
}

/* A letter or digit, then also . _ - and /. */
static bool
is_label_name(const char *name)
{
    size_t len = strlen(name);
    return len > 0 && len <= LABEL_MAX_BYTES &&
           strspn(name, LETTERS "0123456789._-/") == len &&
           !strchr("._-/", name[0]);
}

static void
read_label(struct spec_reader *reader, const json_t *value,
           const struct place *place)
{
    if (!is_label_name(place->key)) {
        char *shown = spec_show(place->key);
        mistakes_add(reader->mistakes, place, POSITIONS_PART_KEY,
                     "\"%s\" is not a label's name (letters, digits, '.', '_', "
                     "'-' and '/', a letter or digit first, at most %d)",
                     shown, LABEL_MAX_BYTES);
        free(shown);
    }
    char *text = spec_take_text(reader, value, place, LABEL_MAX_BYTES,
                                SPEC_TEXT_ONE_LINE | SPEC_TEXT_EMPTY);
    if (text && strchr(text, ','))
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "a label has no comma, which stands between labels");
    free(text);
}

void
spec_read_labels(struct spec_reader *reader, const struct spec_field *field,
                 const json_t *value, const struct place *place)
{
    (void)field;
    const char *name = NULL;
    json_t *text = NULL;
    if (!check_object(reader, value, place, MAX_LABELS,
                      "an object of texts, such as {\"role\": \"worker\"}",
                      "labels"))
        return;
    json_object_foreach((json_t *)value, name, text)
    {
        struct place at = {place, name, 0};
        read_label(reader, text, &at);
    }
    json_decref(reader->spec->labels);
    reader->spec->labels = json_incref((json_t *)value);
}

/* What makes a program load code of somebody's choice. */
static bool
loads_code(const char *name)
{
    static const char *const names[] = {"QEMU_MODULE_DIR", "GCONV_PATH"};
    return !strncmp(name, "LD_", 3) || !strncmp(name, "DYLD_", 5) ||
           spec_is_among(name, names, 2);
}

static bool
is_variable_name(const char *name)
{
    return name[0] && strspn(name, LETTERS "0123456789_") == strlen(name) &&
           !strchr("0123456789", name[0]);
}

/* "NAME=VALUE", or NULL after a mistake. */
static char *
read_variable(struct spec_reader *reader, const json_t *value,
              const struct place *place)
{
    const char *name = place->key;
    char *shown = spec_show(name);
    bool ok = is_variable_name(name) && !loads_code(name);
    if (!is_variable_name(name))
        mistakes_add(reader->mistakes, place, POSITIONS_PART_KEY,
                     "\"%s\" is not a variable's name (letters, digits and "
                     "'_', no digit first)",
                     shown);
    else if (!ok)
        mistakes_add(reader->mistakes, place, POSITIONS_PART_KEY,
                     "%s is not set for guests: it makes programs load code",
                     shown);
    free(shown);
    char *text = spec_take_text(reader, value, place, VARIABLE_MAX_BYTES,
                                SPEC_TEXT_LINES | SPEC_TEXT_EMPTY);
    char *word = ok && text ? xasprintf("%s=%s", name, text) : NULL;
    free(text);
    return word;
}

void
spec_read_env(struct spec_reader *reader, const struct spec_field *field,
              const json_t *value, const struct place *place)
{
    (void)field;
    const char *name = NULL;
    json_t *text = NULL;
    if (!check_object(reader, value, place, MAX_VARIABLES,
                      "an object of texts, such as {\"TZ\": \"UTC\"}",
                      "variables"))
        return;
    char **words = xcalloc(json_object_size(value) + 1, sizeof(*words));
    size_t count = 0;
    json_object_foreach((json_t *)value, name, text)
    {
        struct place at = {place, name, 0};
        char *word = read_variable(reader, text, &at);
        if (word)
            words[count++] = word;
    }
    shellwords_free(reader->spec->env);
    reader->spec->env = words;
}
