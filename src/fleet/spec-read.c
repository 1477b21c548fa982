/* The readers of single values. */
#include "base/json.h"
#include "base/nearest.h"
#include "base/paths.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "fleet/layers.h"
#include "fleet/shellwords.h"
#include "fleet/size.h"
#include "fleet/spec-internal.h"
#include "fleet/variables.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Longest value of a one-line option, bytes. */
#define OPTION_MAX_BYTES 1024
/* Longest kernel command line, bytes (Linux takes 2048 on x86_64, no more
 * than 4096 elsewhere). */
#define APPEND_MAX_BYTES 4096
/* Linux takes no argument that is longer (MAX_ARG_STRLEN). */
#define WORD_MAX_BYTES (128u * 1024 - 1)

#define MIN_MEMORY (UINT64_C(1) << 20)
#define MAX_MEMORY (UINT64_C(16) << 40)
#define MAX_HISTORY 1000000

static const char *const archs[] = {
    "aarch64",      "alpha",   "arm",         "avr",      "cris",
    "hppa",         "i386",    "loongarch64", "m68k",     "microblaze",
    "microblazeel", "mips",    "mips64",      "mips64el", "mipsel",
    "nios2",        "or1k",    "ppc",         "ppc64",    "riscv32",
    "riscv64",      "rx",      "s390x",       "sh4",      "sh4eb",
    "sparc",        "sparc64", "tricore",     "x86_64",   "xtensa",
    "xtensaeb",
};

/* What other programs call them. */
static const struct {
    const char *alias;
    const char *arch;
} arch_aliases[] = {
    {"amd64", "x86_64"},  {"x86-64", "x86_64"}, {"x64", "x86_64"},
    {"arm64", "aarch64"}, {"armhf", "arm"},     {"i686", "i386"},
    {"x86", "i386"},      {"ppc64le", "ppc64"},
};

static const char *const accels[] = {"auto", "kvm",  "tcg", "hvf",
                                     "xen",  "whpx", "nvmm"};

static const int bauds[] = {
    50,      75,      110,     134,     150,     200,     300,     600,
    1200,    1800,    2400,    4800,    9600,    19200,   38400,   57600,
    115200,  230400,  460800,  500000,  576000,  921600,  1000000, 1152000,
    1500000, 2000000, 2500000, 3000000, 3500000, 4000000,
};

static char **
text_slot(struct spec_reader *reader, const struct spec_field *field)
{
    return (char **)((char *)reader->spec + field->offset);
}

/* Puts a string into a spec; an earlier one goes. */
static void
keep(char **slot, char *text)
{
    if (!text)
        return;
    free(*slot);
    *slot = text;
}

/* The first character that cannot stand in a one-line value, or 0. */
static uint32_t
find_control(const char *text)
{
    size_t len = strlen(text);
    for (size_t at = 0; at < len;) {
        uint32_t c = 0;
        size_t bytes = utf8_decode(text + at, len - at, &c);
        at += bytes ? bytes : len - at;
        bool is_line_end = c == 0x2028 || c == 0x2029;
        if (c < 0x20 || (c >= 0x7F && c < 0xA0) || is_line_end)
            return c;
    }
    return 0;
}

char *
spec_take_text(struct spec_reader *reader, const json_t *value,
               const struct place *place, size_t max_bytes, unsigned flags)
{
    if (!json_is_string(value)) {
        spec_wrong_type(reader->mistakes, place, value, "a string");
        return NULL;
    }
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);
    const char *problem = NULL;
    if (len == 0 && !(flags & SPEC_TEXT_EMPTY))
        problem = "this is empty";
    else if (strlen(text) != len)
        problem = "this contains a zero character";
    if (problem) {
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE, "%s",
                     problem);
        return NULL;
    }
    if (len > max_bytes) {
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "this is %zu bytes long, %zu are allowed", len, max_bytes);
        return NULL;
    }
    uint32_t control = flags & SPEC_TEXT_LINES ? 0 : find_control(text);
    if (control) {
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     control == '\n' ? "this contains a line end"
                                     : "this contains the control character "
                                       "U+%04" PRIX32,
                     control);
        return NULL;
    }
    return xstrndup(text, len);
}

/* Where paths at a place start: the directory of the file it stands in. */
static const char *
directory_of(const struct spec_reader *reader, const struct place *place)
{
    struct layers_spot spot;
    const struct layers *layers = reader->mistakes->layers;
    const struct layer *layer =
        layers ? layers_find(layers, place, &spot) : NULL;
    return layer ? layer->document->directory : reader->spec->directory;
}

/* Writes the path down in the entry when what stands there means another one
 * for who reads it later: in another directory, with another environment. */
static void
settle_path(const struct spec_reader *reader, const json_t *value,
            const char *directory, const char *path)
{
    const char *text = json_string_value(value);
    if (!reader->variables || text[0] == '\0' ||
        (!strchr(text, '$') && !strcmp(directory, reader->spec->directory)))
        return;
    (void)json_string_set((json_t *)value, path);
}

char *
spec_take_path(struct spec_reader *reader, const json_t *value,
               const struct place *place)
{
    char *text =
        spec_take_text(reader, value, place, PATH_MAX - 1, SPEC_TEXT_ONE_LINE);
    if (!text)
        return NULL;
    const char *directory = directory_of(reader, place);
    char *problem = NULL;
    char *path = variables_path(reader->variables, text, directory, &problem);
    if (path &&
        (find_control(path) || !utf8_is_valid(path, strlen(path), NULL)))
        problem = xstrdup("this is no path with its variables expanded: there "
                          "are control characters in it, or it is not UTF-8");
    if (problem)
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE, "%s",
                     problem);
    else
        settle_path(reader, value, directory, path);
    free(text);
    if (!problem)
        return path;
    free(problem);
    free(path);
    return NULL;
}

char **
spec_take_words(struct spec_reader *reader, const json_t *value,
                const struct place *place)
{
    size_t count = json_array_size(value);
    if (count > SHELLWORDS_MAX_WORDS) {
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "there are %zu words, at most %d are allowed", count,
                     SHELLWORDS_MAX_WORDS);
        return NULL;
    }
    char **words = xcalloc(count + 1, sizeof(*words));
    size_t bytes = 0;
    bool ok = true;
    for (size_t i = 0; i < count; i++) {
        struct place item = {place, NULL, i};
        char *word =
            spec_take_text(reader, json_array_get(value, i), &item,
                           WORD_MAX_BYTES, SPEC_TEXT_LINES | SPEC_TEXT_EMPTY);
        ok = ok && word;
        words[i] = word ? word : xstrdup("");
        bytes += strlen(words[i]);
    }
    if (bytes > SHELLWORDS_MAX_BYTES) {
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "the words are %zu bytes long, at most %u are allowed",
                     bytes, SHELLWORDS_MAX_BYTES);
        ok = false;
    }
    if (ok)
        return words;
    shellwords_free(words);
    return NULL;
}

/* A number in quotes is most people's mistake. */
static void
wrong_integer(struct spec_reader *reader, const json_t *value,
              const struct place *place)
{
    const char *text = json_string_value(value);
    size_t len = text ? strspn(text, "0123456789") : 0;
    bool is_plain = len && len < 10 && (!text[len] || !strcmp(text + len, "s"));
    char *wanted = is_plain
                       ? xasprintf("an integer (write %.*s)", (int)len, text)
                       : xstrdup("an integer");
    spec_wrong_type(reader->mistakes, place, value, wanted);
    free(wanted);
}

bool
spec_take_integer(struct spec_reader *reader, const json_t *value,
                  const struct place *place, json_int_t min, json_int_t max,
                  json_int_t *ret_number)
{
    if (!json_is_integer(value)) {
        wrong_integer(reader, value, place);
        return false;
    }
    json_int_t number = json_integer_value(value);
    if (number < min || number > max) {
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "%" JSON_INTEGER_FORMAT
                     " is not within %" JSON_INTEGER_FORMAT
                     " and %" JSON_INTEGER_FORMAT,
                     number, min, max);
        return false;
    }
    *ret_number = number;
    return true;
}

void
spec_read_option(struct spec_reader *reader, const struct spec_field *field,
                 const json_t *value, const struct place *place)
{
    char *text = spec_take_text(reader, value, place, OPTION_MAX_BYTES,
                                SPEC_TEXT_ONE_LINE);
    keep(text_slot(reader, field), text);
}

void
spec_read_append(struct spec_reader *reader, const struct spec_field *field,
                 const json_t *value, const struct place *place)
{
    char *text = spec_take_text(reader, value, place, APPEND_MAX_BYTES,
                                SPEC_TEXT_ONE_LINE | SPEC_TEXT_EMPTY);
    keep(text_slot(reader, field), text);
}

void
spec_read_path(struct spec_reader *reader, const struct spec_field *field,
               const json_t *value, const struct place *place)
{
    keep(text_slot(reader, field), spec_take_path(reader, value, place));
}

void
spec_read_program(struct spec_reader *reader, const struct spec_field *field,
                  const json_t *value, const struct place *place)
{
    const char *text = json_string_value(value);
    if (text && strchr(text, '/'))
        spec_read_path(reader, field, value, place);
    else
        spec_read_option(reader, field, value, place);
}

void
spec_read_arch(struct spec_reader *reader, const struct spec_field *field,
               const json_t *value, const struct place *place)
{
    char *text = spec_take_text(reader, value, place, OPTION_MAX_BYTES,
                                SPEC_TEXT_ONE_LINE);
    size_t count = sizeof(archs) / sizeof(archs[0]);
    for (size_t i = 0; text && i < count; i++) {
        if (!strcmp(text, archs[i])) {
            keep(text_slot(reader, field), text);
            return;
        }
    }
    if (!text)
        return;
    const char *near = nearest_name(text, archs, count);
    for (size_t i = 0; i < sizeof(arch_aliases) / sizeof(arch_aliases[0]);
         i++) {
        if (!strcmp(text, arch_aliases[i].alias))
            near = arch_aliases[i].arch;
    }
    char *shown = spec_show(text);
    mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                 "\"%s\" is not an architecture that QEMU emulates (try %s)",
                 shown, near ? near : "x86_64");
    free(shown);
    free(text);
}

void
spec_read_accel(struct spec_reader *reader, const struct spec_field *field,
                const json_t *value, const struct place *place)
{
    char *text = spec_take_text(reader, value, place, OPTION_MAX_BYTES,
                                SPEC_TEXT_ONE_LINE);
    if (!text)
        return;
    size_t len = strcspn(text, ",");
    for (size_t i = 0; i < sizeof(accels) / sizeof(accels[0]); i++) {
        bool is_bare = text[len] == '\0' || i > 0;
        if (strlen(accels[i]) == len && !strncmp(text, accels[i], len) &&
            is_bare) {
            keep(text_slot(reader, field), text);
            return;
        }
    }
    char *shown = spec_show(text);
    mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                 "\"%s\" is not an accelerator (auto, kvm, hvf or tcg)", shown);
    free(shown);
    free(text);
}

void
spec_read_history(struct spec_reader *reader, const struct spec_field *field,
                  const json_t *value, const struct place *place)
{
    (void)field;
    json_int_t number = 0;
    if (spec_take_integer(reader, value, place, 0, MAX_HISTORY, &number))
        reader->spec->history_lines = (size_t)number;
}

void
spec_read_silence(struct spec_reader *reader, const struct spec_field *field,
                  const json_t *value, const struct place *place)
{
    (void)field;
    json_int_t number = 0;
    if (spec_take_integer(reader, value, place, 0, SPEC_MAX_SILENCE_S, &number))
        reader->spec->silence_s = (int)number;
}

bool
spec_take_size(struct spec_reader *reader, const json_t *value,
               const struct place *place, uint64_t *ret_bytes)
{
    if (json_is_integer(value)) {
        json_int_t mib = json_integer_value(value);
        *ret_bytes = mib < 0 ? 0
                     : mib > (json_int_t)(UINT64_MAX >> 21)
                         ? UINT64_MAX
                         : (uint64_t)mib << 20;
        return true;
    }
    if (!json_is_string(value)) {
        spec_wrong_type(reader->mistakes, place, value,
                        "a size (\"2G\", or a whole number of MiB)");
        return false;
    }
    const char *text = json_string_value(value);
    if (strlen(text) == json_string_length(value) &&
        size_parse(text, ret_bytes))
        return true;
    char *shown = spec_show(text);
    char suggestion[16];
    size_suggest(text, suggestion);
    mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                 "\"%s\" is not a size (try %s)", shown, suggestion);
    free(shown);
    return false;
}

void
spec_read_memory(struct spec_reader *reader, const struct spec_field *field,
                 const json_t *value, const struct place *place)
{
    (void)field;
    uint64_t bytes = 0;
    if (!spec_take_size(reader, value, place, &bytes))
        return;
    if (bytes < MIN_MEMORY)
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "less than 1M is too little for any guest");
    else if (bytes > MAX_MEMORY)
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "more than 16T is too much for any guest");
    else
        reader->spec->memory_bytes =
            (bytes + (MIN_MEMORY / 2)) / MIN_MEMORY * MIN_MEMORY;
}

static char **
split_command(struct spec_reader *reader, const json_t *value,
              const struct place *place)
{
    char *text = spec_take_text(reader, value, place, SHELLWORDS_MAX_BYTES,
                                SPEC_TEXT_LINES);
    if (!text)
        return NULL;
    struct error error = {0};
    char **words = shellwords_split(text, NULL, &error);
    if (!words)
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE, "%s",
                     error.text);
    free(text);
    return words;
}

static void
keep_words(struct spec_reader *reader, const struct spec_field *field,
           char **words)
{
    char ***slot = (char ***)((char *)reader->spec + field->offset);
    if (!words)
        return;
    shellwords_free(*slot);
    *slot = words;
}

/* A program's words: there must be a program. */
static void
require_program(struct spec_reader *reader, const struct place *place,
                char **words)
{
    if (words && (!words[0] || !words[0][0]))
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "there is no program in it");
}

void
spec_read_words(struct spec_reader *reader, const struct spec_field *field,
                const json_t *value, const struct place *place)
{
    if (!json_is_array(value)) {
        spec_wrong_type(reader->mistakes, place, value, "an array of strings");
        return;
    }
    char **words = spec_take_words(reader, value, place);
    if (field->kinds == SPEC_KINDS(SPEC_KIND_EXEC))
        require_program(reader, place, words);
    keep_words(reader, field, words);
}

void
spec_read_command(struct spec_reader *reader, const struct spec_field *field,
                  const json_t *value, const struct place *place)
{
    if (!json_is_array(value) && !json_is_string(value)) {
        spec_wrong_type(reader->mistakes, place, value,
                        "a string or an array of strings");
        return;
    }
    char **words = json_is_array(value) ? spec_take_words(reader, value, place)
                                        : split_command(reader, value, place);
    require_program(reader, place, words);
    keep_words(reader, field, words);
}

/* Nobody looks at it; it must only be text. */
void
spec_read_comment(struct spec_reader *reader, const struct spec_field *field,
                  const json_t *value, const struct place *place)
{
    (void)field;
    if (json_is_array(value))
        shellwords_free(spec_take_words(reader, value, place));
    else if (!json_is_string(value))
        spec_wrong_type(reader->mistakes, place, value,
                        "a string or an array of strings");
}

void
spec_read_socket(struct spec_reader *reader, const struct spec_field *field,
                 const json_t *value, const struct place *place)
{
    char *path = spec_take_path(reader, value, place);
    if (path && strlen(path) > PATHS_SOCKET_MAX_BYTES) {
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "the path is %zu bytes long, a socket's can have %d",
                     strlen(path), PATHS_SOCKET_MAX_BYTES);
        free(path);
        return;
    }
    keep(text_slot(reader, field), path);
}

void
spec_read_baud(struct spec_reader *reader, const struct spec_field *field,
               const json_t *value, const struct place *place)
{
    (void)field;
    json_int_t number = 0;
    size_t count = sizeof(bauds) / sizeof(bauds[0]);
    if (!spec_take_integer(reader, value, place, bauds[0], bauds[count - 1],
                           &number))
        return;
    int nearest = bauds[0];
    for (size_t i = 0; i < count; i++) {
        if (llabs(bauds[i] - number) < llabs(nearest - number))
            nearest = bauds[i];
    }
    if (nearest == number)
        reader->spec->baud = nearest;
    else
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "%" JSON_INTEGER_FORMAT
                     " is not a serial line's speed (try %d)",
                     number, nearest);
}
