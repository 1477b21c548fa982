/* The readers of what is said about a guest's consoles. */
#include "base/json.h"
#include "base/xalloc.h"
#include "fleet/arch.h"
#include "fleet/shellwords.h"
#include "fleet/spec-internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The limits of the emulator's screen. */
#define MIN_ROWS 1
#define MAX_ROWS 1000
#define MIN_COLS 2
#define MAX_COLS 2000

/* Linux has no more (MAX_NR_HVC_CONSOLES). */
#define MAX_HVC 16
#define MAX_CONSOLES 32
/* With its terminating zero; as qemu/cmdline.h has it. */
#define NAME_MAX_BYTES 15

#define HVC "hvc"

void
spec_read_boolean(struct spec_reader *reader, const struct spec_field *field,
                  const json_t *value, const struct place *place)
{
    bool *slot = (bool *)((char *)reader->spec + field->offset);
    if (json_is_boolean(value))
        *slot = json_is_true(value);
    else
        spec_wrong_type(reader->mistakes, place, value, "true or false");
}

/* The size ----------------------------------------------------------------- */

static bool
take_side(struct spec_reader *reader, const json_t *object, const char *name,
          const struct place *place, int min, int max, int *ret_number)
{
    const json_t *value = json_object_get(object, name);
    struct place member = {place, name, 0};
    if (!value && reader->is_part)
        return false;
    if (!value) {
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "\"%s\" is missing: a size has rows and cols", name);
        return false;
    }
    if (!json_is_integer(value)) {
        spec_wrong_type(reader->mistakes, &member, value, "an integer");
        return false;
    }
    json_int_t number = json_integer_value(value);
    if (number < min || number > max) {
        mistakes_add(reader->mistakes, &member, POSITIONS_PART_VALUE,
                     "%" JSON_INTEGER_FORMAT " is not within %d and %d", number,
                     min, max);
        return false;
    }
    *ret_number = (int)number;
    return true;
}

void
spec_read_console(struct spec_reader *reader, const struct spec_field *field,
                  const json_t *value, const struct place *place)
{
    static const char *const names[] = {"rows", "cols"};
    (void)field;
    if (!json_is_object(value)) {
        spec_wrong_type(reader->mistakes, place, value,
                        "an object of rows and cols");
        return;
    }
    const char *name = NULL;
    json_t *member = NULL;
    bool ok = true;
    json_object_foreach((json_t *)value, name, member)
    {
        struct place at = {place, name, 0};
        if (strcmp(name, names[0]) != 0 && strcmp(name, names[1]) != 0) {
            spec_unknown_field(reader->mistakes, &at, names, 2);
            ok = false;
        }
    }
    int rows = 0;
    int cols = 0;
    ok = take_side(reader, value, names[0], place, MIN_ROWS, MAX_ROWS, &rows) &&
         ok;
    ok = take_side(reader, value, names[1], place, MIN_COLS, MAX_COLS, &cols) &&
         ok;
    if (!ok)
        return;
    reader->spec->console_rows = rows;
    reader->spec->console_cols = cols;
}

/* The channels ------------------------------------------------------------- */

static bool
is_repeated(char *const *words, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (!strcmp(words[i], words[index]))
            return true;
    }
    return false;
}

/* Letters, then a number without zeros in front. */
static bool
is_console_name(const char *name)
{
    size_t letters = 0;
    while (isalpha((unsigned char)name[letters]))
        letters++;
    const char *number = name + letters;
    size_t digits = strspn(number, "0123456789");
    return letters > 0 && digits > 0 && digits < 4 && !number[digits] &&
           letters + digits <= NAME_MAX_BYTES &&
           (number[0] != '0' || digits == 1);
}

void
spec_read_consoles(struct spec_reader *reader, const struct spec_field *field,
                   const json_t *value, const struct place *place)
{
    (void)field;
    if (!json_is_array(value)) {
        spec_wrong_type(reader->mistakes, place, value,
                        "an array of names, such as [\"ttyS0\", \"hvc0\"]");
        return;
    }
    size_t count = json_array_size(value);
    if (count == 0 || count > MAX_CONSOLES) {
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "there are %zu consoles: a guest has 1 to %d", count,
                     MAX_CONSOLES);
        return;
    }
    char **words = spec_take_words(reader, value, place);
    bool ok = words != NULL;
    for (size_t i = 0; words && words[i]; i++) {
        struct place item = {place, NULL, i};
        char *shown = spec_show(words[i]);
        if (!is_console_name(words[i])) {
            mistakes_add(reader->mistakes, &item, POSITIONS_PART_VALUE,
                         "\"%s\" is not a console's name (try ttyS0, hvc0)",
                         shown);
            ok = false;
        } else if (is_repeated(words, i)) {
            mistakes_add(reader->mistakes, &item, POSITIONS_PART_VALUE,
                         "\"%s\" stands here twice", shown);
            ok = false;
        }
        free(shown);
    }
    if (!ok) {
        shellwords_free(words);
        return;
    }
    shellwords_free(reader->spec->consoles);
    reader->spec->consoles = words;
}

static const char *
arch_of(const struct spec *spec)
{
    return spec->arch ? spec->arch : arch_of_program(spec->qemu);
}

/* Whether the kinds's ports below number are there too: QEMU counts them from
 * 0. */
static bool
has_all_below(const struct spec *spec, const char *prefix, unsigned number)
{
    for (unsigned i = 0; i < number; i++) {
        bool has_it = false;
        for (size_t j = 0; spec->consoles[j]; j++) {
            char name[32];
            (void)snprintf(name, sizeof(name), "%.16s%u", prefix, i);
            has_it = has_it || !strcmp(name, spec->consoles[j]);
        }
        if (!has_it)
            return false;
    }
    return true;
}

void
spec_check_consoles(struct spec_reader *reader, const struct place *parent)
{
    const struct spec *spec = reader->spec;
    const char *serial = arch_serial_prefix(arch_of(spec));
    size_t ports = arch_serial_ports(arch_of(spec));
    struct place place = {parent, "consoles", 0};
    for (size_t i = 0; spec->consoles && spec->consoles[i]; i++) {
        const char *name = spec->consoles[i];
        size_t letters = strcspn(name, "0123456789");
        unsigned number = (unsigned)strtoul(name + letters, NULL, 10);
        bool is_serial =
            strlen(serial) == letters && !strncmp(name, serial, letters);
        bool is_hvc = !strncmp(name, HVC, strlen(HVC)) && letters == 3;
        struct place item = {&place, NULL, i};
        size_t limit = is_serial ? ports : is_hvc ? MAX_HVC : 0;
        if (number >= limit) {
            mistakes_add(reader->mistakes, &item, POSITIONS_PART_VALUE,
                         "QEMU's machine for %s has no console \"%s\" (%zu "
                         "serial port%s from %s0 on, virtio consoles %s0 to "
                         "%s%d)",
                         arch_of(spec), name, ports, ports == 1 ? "" : "s",
                         serial, HVC, HVC, MAX_HVC - 1);
        } else if (!has_all_below(spec, is_serial ? serial : HVC, number)) {
            mistakes_add(reader->mistakes, &item, POSITIONS_PART_VALUE,
                         "\"%s\" needs those of its kind with smaller numbers "
                         "beside it",
                         name);
        }
    }
}
