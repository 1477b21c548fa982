#include "qemu/import.h"

#include "base/json.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "fleet/arch.h"
#include "fleet/placeholders.h"
#include "fleet/shellwords.h"
#include "fleet/spec.h"
#include "qemu/argv.h"
#include "qemu/cmdline.h"
#include "qemu/import-internal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* Guests of one import; a fleet has no more. */
#define MAX_GUESTS 1024

/* Machines whose default devices are known, by the beginning of their names.
 * arch NULL: PCs of both widths. */
static const struct {
    const char *arch;
    const char *prefix;
} machines[] = {
    {"aarch64", "virt"}, {"arm", "virt"},  {"riscv64", "virt"},
    {"riscv32", "virt"}, {"x86_64", "pc"}, {"i386", "pc"},
    {"x86_64", "q35"},   {"i386", "q35"},
};

void
import_init(struct import *import)
{
    *import = (struct import){.guests = json_object()};
}

void
import_finish(struct import *import)
{
    json_decref(import->guests);
    shellwords_free(import->notes);
    *import = (struct import){0};
}

void
import_add_note(char ***notes, size_t *count, char *text)
{
    if (*count >= IMPORT_MAX_NOTES) {
        free(text);
        return;
    }
    *notes = xreallocarray(*notes, *count + 2, sizeof(**notes));
    (*notes)[(*count)++] = text;
    (*notes)[*count] = NULL;
}

void
import_note(struct importer *importer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    import_add_note(&importer->notes, &importer->note_count,
                    xvasprintf(format, args));
    va_end(args);
}

void
import_give_up(struct importer *importer, const char *format, ...)
{
    if (importer->give_up)
        return;
    va_list args;
    va_start(args, format);
    importer->give_up = xvasprintf(format, args);
    va_end(args);
}

bool
import_is(const struct import_item *item, const char *name)
{
    return !item->is_done && item->name && item->value &&
           !strcmp(item->name, name);
}

struct import_item *
import_next(struct importer *importer, const char *name, int *at)
{
    for (size_t i = (size_t)*at + 1; i < importer->count; i++) {
        if (import_is(&importer->items[i], name)) {
            *at = (int)i;
            return &importer->items[i];
        }
    }
    return NULL;
}

json_t *
import_text(const char *text)
{
    char *escaped = placeholders_escape(text);
    json_t *string = json_from_text(escaped);
    free(escaped);
    return string;
}

json_t *
import_path(const char *path)
{
    struct buffer out = {0};
    for (const char *at = path; *at; at++)
        buffer_printf(&out, "%s%c", !strncmp(at, "${", 2) ? "$" : "", *at);
    json_t *string = import_text(out.data ? out.data : "");
    buffer_finish(&out);
    return string;
}

void
import_set_text(struct importer *importer, const char *field, const char *text)
{
    json_object_set_new(importer->entry, field, import_text(text));
}

bool
import_has_only(const struct keyval *keyval, const char *const *names)
{
    for (size_t i = 0; i < keyval->count; i++) {
        const char *key = keyval->pairs[i].key ? keyval->pairs[i].key : "";
        bool is_known = false;
        for (size_t k = 0; names[k]; k++)
            is_known = is_known || !strcmp(names[k], key);
        if (!is_known)
            return false;
    }
    return true;
}

bool
import_is_q35(const struct importer *importer)
{
    const char *machine = importer->machine;
    return machine &&
           (!strcmp(machine, "q35") || !strncmp(machine, "pc-q35-", 7));
}

bool
import_is_pc(const struct importer *importer)
{
    const char *machine = importer->machine;
    bool is_x86 =
        !strcmp(importer->arch, "x86_64") || !strcmp(importer->arch, "i386");
    return is_x86 &&
           (!machine || !strcmp(machine, "pc") ||
            !strncmp(machine, "pc-i440fx-", 10) || import_is_q35(importer));
}

bool
import_read_device(const char *value, struct keyval *ret)
{
    if (value[0] != '{') {
        keyval_parse(ret, value);
        return true;
    }
    json_t *object = json_loads(value, JSON_REJECT_DUPLICATES, NULL);
    struct buffer text = {0};
    const char *name = NULL;
    json_t *member = NULL;
    bool ok = json_is_object(object);
    json_object_foreach(object, name, member)
    {
        buffer_printf(&text, "%s%s=", text.len ? "," : "", name);
        if (json_is_string(member))
            keyval_append_value(&text, json_string_value(member));
        else if (json_is_boolean(member))
            buffer_append_text(&text, json_is_true(member) ? "on" : "off");
        else if (json_is_integer(member))
            buffer_printf(&text, "%" JSON_INTEGER_FORMAT,
                          json_integer_value(member));
        else
            ok = false;
    }
    keyval_parse(ret, ok && text.data ? text.data : "");
    buffer_finish(&text);
    json_decref(object);
    return ok;
}

/* From words to items -------------------------------------------------------
 */

static void
parse_items(struct importer *importer, char *const *words)
{
    importer->items =
        xcalloc(shellwords_count(words) + 1, sizeof(*importer->items));
    for (; *words; words++) {
        struct import_item *item = &importer->items[importer->count++];
        item->word = words[0];
        item->name = cmdline_option_name(item->word);
        if (!item->name)
            continue;
        if (!cmdline_find_option(item->name)->is_flag && words[1])
            item->value = *++words;
    }
}

/* The type of the last -machine that says one. */
static void
find_machine(struct importer *importer)
{
    for (size_t i = 0; i < importer->count; i++) {
        const struct import_item *item = &importer->items[i];
        if (!import_is(item, "machine") && !import_is(item, "M"))
            continue;
        struct keyval keyval;
        keyval_parse(&keyval, item->value);
        const char *type = keyval_get(&keyval, "type", true);
        if (type) {
            free(importer->machine);
            importer->machine = xstrdup(type);
        }
        keyval_finish(&keyval);
    }
}

static bool
knows_machine(const struct importer *importer)
{
    const char *machine = importer->machine;
    if (!machine)
        return import_is_pc(importer);
    for (size_t i = 0; i < COUNT(machines); i++) {
        if (!strcmp(machines[i].arch, importer->arch) &&
            !strncmp(machines[i].prefix, machine, strlen(machines[i].prefix)))
            return true;
    }
    return false;
}

/* From items to an entry ----------------------------------------------------
 */

static void
set_program(struct importer *importer)
{
    char *usual = xasprintf("qemu-system-%s", importer->arch);
    if (strcmp(importer->arch, "x86_64") != 0)
        import_set_text(importer, "arch", importer->arch);
    if (strcmp(usual, importer->program) != 0)
        import_set_text(importer, "qemu", importer->program);
    free(usual);
}

static void
set_array(struct importer *importer, const char *field, json_t *array,
          bool may_be_empty)
{
    if (may_be_empty || json_array_size(array))
        json_object_set(importer->entry, field, array);
}

/* What no field took goes to args, in its order. */
static void
keep_rest(struct importer *importer)
{
    for (size_t i = 0; i < importer->count; i++) {
        const struct import_item *item = &importer->items[i];
        if (item->is_done)
            continue;
        json_array_append_new(importer->args, import_text(item->word));
        if (item->value)
            json_array_append_new(importer->args, import_text(item->value));
    }
}

static void
build_fields(struct importer *importer)
{
    set_program(importer);
    import_options(importer);
    import_consoles(importer);
    import_disks(importer);
    import_nics(importer);
    import_devices(importer);
    keep_rest(importer);
    set_array(importer, "disks", importer->disks, false);
    set_array(importer, "nics", importer->nics, true);
    set_array(importer, "consoles", importer->consoles, false);
    set_array(importer, "usb", importer->usb, false);
    set_array(importer, "devices", importer->devices, false);
    set_array(importer, "args", importer->args, false);
}

/* The command line as it is. */
static json_t *
build_command(struct importer *importer, char *const *words)
{
    /* What was noted of the way to QEMU's name stays true. */
    json_t *command = json_array();
    for (; *words; words++)
        json_array_append_new(command, import_text(*words));
    for (size_t i = importer->first_note; i < importer->note_count; i++)
        free(importer->notes[i]);
    importer->note_count = importer->first_note;
    import_note(importer, "kept as a command: %s", importer->give_up);
    return json_pack("{s:o}", "command", command);
}

static void
importer_finish(struct importer *importer)
{
    json_t *const values[] = {
        importer->entry,   importer->disks, importer->nics,     importer->usb,
        importer->devices, importer->args,  importer->consoles, importer->env};
    for (size_t i = 0; i < COUNT(values); i++)
        json_decref(values[i]);
    shellwords_free(importer->notes);
    free(importer->items);
    free(importer->machine);
    free(importer->give_up);
}

/* Names that differ in upper and lower case only are one in a fleet file. */
static bool
is_name_taken(const struct import *import, const char *wanted)
{
    const char *name = NULL;
    json_t *guest = NULL;
    json_object_foreach(import->guests, name, guest)
    {
        if (!strcasecmp(name, wanted))
            return true;
    }
    return false;
}

char *
import_free_name(const struct import *import, const char *wanted, bool is_stem)
{
    if (!is_stem && !is_name_taken(import, wanted))
        return xstrdup(wanted);
    for (int i = is_stem ? 0 : 2;; i++) {
        char *name = xasprintf("%s%d", wanted, i);
        if (!is_name_taken(import, name))
            return name;
        free(name);
    }
}

bool
import_is_name(const char *text)
{
    return text_is_name(text) && strlen(text) <= IMPORT_NAME_MAX_BYTES;
}

/* The name that -name gives, if it is one here. The caller frees it. */
static char *
own_name(const struct importer *importer)
{
    char *name = NULL;
    for (size_t i = 0; i < importer->count; i++) {
        const struct import_item *item = &importer->items[i];
        if (!item->name || !item->value || strcmp(item->name, "name") != 0)
            continue;
        struct keyval keyval;
        keyval_parse(&keyval, item->value);
        free(name);
        name = xstrdup(keyval_get(&keyval, "guest", true));
        keyval_finish(&keyval);
    }
    if (name && import_is_name(name))
        return name;
    free(name);
    return NULL;
}

static void
add_guest(struct import *import, struct importer *importer, const char *where,
          const char *name)
{
    char *own = name ? NULL : own_name(importer);
    char *chosen = import_free_name(import,
                                    name  ? name
                                    : own ? own
                                          : "vm",
                                    !name && !own);
    json_t *comment = json_array();
    for (size_t i = 0; i < importer->note_count; i++) {
        import_add_note(
            &import->notes, &import->note_count,
            xasprintf("%s%s: %s", where, chosen, importer->notes[i]));
        json_array_append_new(comment, import_text(importer->notes[i]));
    }
    json_t *entry = json_object();
    if (json_array_size(comment))
        json_object_set(entry, "comment", comment);
    for (size_t i = 0; i < spec_fields_count; i++) {
        json_t *value = json_object_get(importer->entry, spec_fields[i].name);
        if (value)
            json_object_set(entry, spec_fields[i].name, value);
    }
    json_object_set_new(import->guests, chosen, entry);
    json_decref(comment);
    free(chosen);
    free(own);
}

static struct importer
importer_new(void)
{
    return (struct importer){
        .entry = json_object(),
        .disks = json_array(),
        .nics = json_array(),
        .usb = json_array(),
        .devices = json_array(),
        .args = json_array(),
        .consoles = json_array(),
        .env = json_object(),
        .notes = xcalloc(1, sizeof(char *)),
    };
}

/* Makes an entry of fields, or one that is the command. words: from QEMU's name
 * on. */
static bool
build(struct importer *importer, char *const *words, struct error *error)
{
    importer->first_note = importer->note_count;
    importer->program = words[0];
    importer->arch = arch_of_program(words[0]);
    parse_items(importer, words + 1);
    find_machine(importer);
    for (size_t i = 0; i < importer->count; i++)
        importer->has_nodefaults =
            importer->has_nodefaults ||
            (importer->items[i].name &&
             !strcmp(importer->items[i].name, "nodefaults"));
    if (!importer->has_nodefaults && !knows_machine(importer))
        import_give_up(importer, "which devices its machine has without "
                                 "-nodefaults is not known here");
    else
        build_fields(importer);
    struct error problem = {0};
    if (!importer->give_up && !import_is_entry_good(importer->entry, &problem))
        import_give_up(importer, "its fields would be refused: %s",
                       problem.text);
    if (importer->give_up) {
        json_t *entry = build_command(importer, words);
        json_decref(importer->entry);
        importer->entry = entry;
    }
    if (json_object_size(importer->env))
        json_object_set(importer->entry, "env", importer->env);
    return !importer->give_up || import_is_entry_good(importer->entry, error);
}

bool
import_one(struct import *import, char *const *words,
           const struct import_origin *origin, const char *name,
           struct error *error)
{
    if (json_object_size(import->guests) >= MAX_GUESTS)
        return error_set(error, ERROR_CODE_LIMIT,
                         "more than %d guests are too many for a fleet",
                         MAX_GUESTS);
    for (char *const *word = words; *word; word++) {
        json_t *text = json_string(*word);
        json_decref(text);
        if (!text)
            return error_set(error, ERROR_CODE_INVALID,
                             "the command is not valid UTF-8");
    }
    struct importer importer = importer_new();
    for (size_t i = 0; origin->assignments && origin->assignments[i]; i++)
        import_take_variable(&importer, origin->assignments[i]);
    char *const *program = import_find_program(&importer, words);
    bool ok = false;
    if (program)
        ok = build(&importer, program, error);
    else
        error_set(error, ERROR_CODE_INVALID,
                  words[0] ? "\"%s\" is not a QEMU" : "there is no command",
                  words[0]);
    if (ok)
        add_guest(import, &importer, origin->where, name);
    importer_finish(&importer);
    return ok;
}

bool
import_words(struct import *import, char *const *words, const char *name,
             struct error *error)
{
    struct import_origin origin = {"", NULL};
    return import_one(import, words, &origin, name, error);
}

json_t *
import_to_fleet(const struct import *import)
{
    return json_pack("{s:i, s:O}", "version", 1, "guests", import->guests);
}
