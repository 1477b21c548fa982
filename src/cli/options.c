#include "cli/options.h"

#include "base/nearest.h"
#include "base/xalloc.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct options_given {
    const struct option *option; /* borrowed */
    const char *text;            /* borrowed; NULL for a flag */
    int64_t number;
};

static const struct option *
find_long(const struct options *options, const char *name, size_t len)
{
    for (size_t i = 0; i < options->table_count; i++) {
        const struct option_table *table = &options->tables[i];
        for (size_t j = 0; j < table->count; j++) {
            const char *known = table->rows[j].name;
            if (strncmp(known, name, len) == 0 && known[len] == '\0')
                return &table->rows[j];
        }
    }
    return NULL;
}

static const struct option *
find_short(const struct options *options, char letter)
{
    for (size_t i = 0; i < options->table_count; i++) {
        const struct option_table *table = &options->tables[i];
        for (size_t j = 0; j < table->count; j++) {
            if (table->rows[j].letter == letter)
                return &table->rows[j];
        }
    }
    return NULL;
}

static bool
unknown_long(const struct options *options, const char *name,
             struct error *error)
{
    const char *names[128];
    size_t count = 0;
    for (size_t i = 0; i < options->table_count; i++) {
        const struct option_table *table = &options->tables[i];
        for (size_t j = 0; j < table->count && count < 128; j++) {
            if (!(table->rows[j].flags & OPTION_HIDDEN))
                names[count++] = table->rows[j].name;
        }
    }
    const char *near = nearest_name(name, names, count);
    if (near)
        return error_set(error, ERROR_CODE_INVALID,
                         "no option --%s; did you mean --%s?", name, near);
    return error_set(error, ERROR_CODE_INVALID,
                     "no option --%s (what is no option goes behind --)", name);
}

static bool
read_integer(const struct option *option, const char *text, int64_t *ret_number,
             struct error *error)
{
    char *end = NULL;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno || end == text || *end || number < option->min ||
        number > option->max)
        return error_set(error, ERROR_CODE_INVALID,
                         "--%s: \"%s\" is no number from %" PRId64
                         " to %" PRId64,
                         option->name, text, option->min, option->max);
    *ret_number = number;
    return true;
}

/* "12", "0.5": a decimal number of seconds as ms, rounded up. */
static bool
read_seconds(const struct option *option, const char *text, int64_t *ret_number,
             struct error *error)
{
    char *end = NULL;
    double seconds = strtod(text, &end);
    bool is_decimal = strspn(text, "0123456789.") == strlen(text);
    if (!is_decimal || end == text || *end ||
        !(seconds * 1000.0 >= (double)option->min &&
          seconds * 1000.0 <= (double)option->max))
        return error_set(error, ERROR_CODE_INVALID,
                         "--%s: \"%s\" is no number of seconds from %g to %g",
                         option->name, text, (double)option->min / 1000.0,
                         (double)option->max / 1000.0);
    *ret_number = (int64_t)(seconds * 1000.0 + 0.999);
    return true;
}

static bool
read_value(const struct option *option, const char *text, int64_t *ret_number,
           struct error *error)
{
    switch ((enum option_type)option->type) {
    case OPTION_INTEGER:
        return read_integer(option, text, ret_number, error);
    case OPTION_SECONDS:
        return read_seconds(option, text, ret_number, error);
    case OPTION_FLAG:
    case OPTION_TEXT:
    case OPTION_TYPE_COUNT:
        break;
    }
    return true;
}

static bool
add_given(struct options *options, const struct option *option,
          const char *text, struct error *error)
{
    struct options_given given = {.option = option, .text = text};
    if (text && !read_value(option, text, &given.number, error))
        return false;
    options->given =
        xreallocarray(options->given, options->given_count + 1, sizeof(given));
    options->given[options->given_count++] = given;
    return true;
}

/* The words that are left to read. */
struct words {
    char *const *argv;
    int argc;
    int at;
};

static bool
take_long(struct options *options, struct words *words, struct error *error)
{
    const char *word = words->argv[words->at++] + 2;
    const char *equals = strchr(word, '=');
    size_t len = equals ? (size_t)(equals - word) : strlen(word);
    const struct option *option = find_long(options, word, len);
    if (!option) {
        char *name = xstrndup(word, len);
        unknown_long(options, name, error);
        free(name);
        return false;
    }
    if (option->type == OPTION_FLAG) {
        if (equals)
            return error_set(error, ERROR_CODE_INVALID, "--%s takes no value",
                             option->name);
        return add_given(options, option, NULL, error);
    }
    if (equals)
        return add_given(options, option, equals + 1, error);
    if (words->at == words->argc)
        return error_set(error, ERROR_CODE_INVALID, "--%s wants a value (%s)",
                         option->name, option->value);
    return add_given(options, option, words->argv[words->at++], error);
}

/* "-d", "-df FILE", "-fFILE". */
static bool
take_short(struct options *options, struct words *words, struct error *error)
{
    const char *word = words->argv[words->at++] + 1;
    for (; *word; word++) {
        const struct option *option = find_short(options, *word);
        if (!option)
            return error_set(error, ERROR_CODE_INVALID,
                             "no option -%c (what is no option goes behind "
                             "--)",
                             *word);
        if (option->type == OPTION_FLAG) {
            if (!add_given(options, option, NULL, error))
                return false;
            continue;
        }
        if (word[1])
            return add_given(options, option, word + 1, error);
        if (words->at == words->argc)
            return error_set(error, ERROR_CODE_INVALID,
                             "-%c wants a value (%s)", *word, option->value);
        return add_given(options, option, words->argv[words->at++], error);
    }
    return true;
}

bool
options_parse(struct options *options, const struct option_table *tables,
              size_t table_count, unsigned flags, int argc, char *const *argv,
              struct error *error)
{
    *options = (struct options){.tables = tables, .table_count = table_count};
    options->arguments = xcalloc((size_t)argc + 1, sizeof(char *));
    struct words words = {.argv = argv, .argc = argc};
    bool is_over = false;
    while (words.at < argc) {
        char *word = argv[words.at];
        bool ok = true;
        if (is_over || word[0] != '-' || word[1] == '\0') {
            options->arguments[options->argument_count++] = word;
            words.at++;
            is_over = is_over || (flags & OPTIONS_STOP_AT_ARGUMENT);
        } else if (strcmp(word, "--") == 0) {
            words.at++;
            is_over = true;
        } else if (word[1] == '-') {
            ok = take_long(options, &words, error);
        } else {
            ok = take_short(options, &words, error);
        }
        if (!ok) {
            options_finish(options);
            return false;
        }
    }
    return true;
}

void
options_finish(struct options *options)
{
    if (!options)
        return;
    free(options->given);
    free(options->arguments);
    *options = (struct options){0};
}

/* The last time it was given, or NULL. */
static const struct options_given *
find_given(const struct options *options, const char *name)
{
    assert(find_long(options, name, strlen(name)));
    for (size_t i = options->given_count; i-- > 0;) {
        if (strcmp(options->given[i].option->name, name) == 0)
            return &options->given[i];
    }
    return NULL;
}

bool
options_has(const struct options *options, const char *name)
{
    return find_given(options, name) != NULL;
}

const char *
options_text(const struct options *options, const char *name)
{
    const struct options_given *given = find_given(options, name);
    if (given)
        return given->text;
    return find_long(options, name, strlen(name))->default_value;
}

int64_t
options_number(const struct options *options, const char *name)
{
    const struct options_given *given = find_given(options, name);
    if (given)
        return given->number;
    const struct option *option = find_long(options, name, strlen(name));
    int64_t number = 0;
    if (option->default_value)
        (void)read_value(option, option->default_value, &number, NULL);
    return number;
}
