#include "fleet/spec.h"

#include "base/json.h"
#include "base/nearest.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "fleet/placeholders.h"
#include "fleet/shellwords.h"
#include "fleet/spec-internal.h"
#include "fleet/synonyms.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Columns of a value that a message shows. */
#define SHOWN_COLS 60

/* What no kind but one has; the first that an entry has is its kind. */
static const char *const kind_names[] = {
    [SPEC_KIND_QEMU] = "qemu",     [SPEC_KIND_COMMAND] = "command",
    [SPEC_KIND_EXEC] = "exec",     [SPEC_KIND_DEVICE] = "device",
    [SPEC_KIND_SOCKET] = "socket",
};
static_assert(sizeof(kind_names) / sizeof(kind_names[0]) == SPEC_KIND_COUNT,
              "every kind has a name");

const char *
spec_kind_name(enum spec_kind kind)
{
    return (unsigned)kind < SPEC_KIND_COUNT ? kind_names[kind] : "unknown";
}

char *
spec_show(const char *text)
{
    return text_printable(text, strlen(text), SHOWN_COLS, TEXT_ONE_LINE);
}

const struct spec_field *
spec_find_field(const char *name)
{
    for (size_t i = 0; i < spec_fields_count; i++) {
        if (!strcmp(spec_fields[i].name, name))
            return &spec_fields[i];
    }
    return NULL;
}

void
spec_unknown_field(struct mistakes *mistakes, const struct place *place,
                   const char *const *names, size_t count)
{
    const char *near = synonym_find(place->key, names, count);
    if (!near)
        near = nearest_name(place->key, names, count);
    char *shown = spec_show(place->key);
    mistakes_add(mistakes, place, POSITIONS_PART_KEY,
                 near ? "unknown field \"%s\" (did you mean \"%s\"?)"
                      : "unknown field \"%s\"",
                 shown, near);
    free(shown);
}

void
spec_wrong_type(struct mistakes *mistakes, const struct place *place,
                const json_t *value, const char *wanted)
{
    mistakes_add(mistakes, place, POSITIONS_PART_VALUE, "this is %s, not %s",
                 json_type_text(value), wanted);
}

/* What an entry has besides the fields of a guest. */
static const char *const entry_words[] = {"template", "count"};
#define ENTRY_WORDS (sizeof(entry_words) / sizeof(entry_words[0]))

void
spec_unknown_entry_field(struct mistakes *mistakes, const struct place *place)
{
    const char **names =
        xcalloc(spec_fields_count + ENTRY_WORDS, sizeof(*names));
    size_t count = 0;
    for (; count < spec_fields_count; count++)
        names[count] = spec_fields[count].name;
    for (size_t i = 0; i < ENTRY_WORDS; i++)
        names[count++] = entry_words[i];
    spec_unknown_field(mistakes, place, names, count);
    free(names);
}

static bool
has(const json_t *entry, const char *name)
{
    const json_t *value = json_object_get(entry, name);
    return value && !json_is_null(value);
}

enum spec_kind
spec_find_kind(const struct spec_entry *entry, struct mistakes *mistakes)
{
    enum spec_kind found = SPEC_KIND_QEMU;
    for (int kind = SPEC_KIND_COMMAND; kind < SPEC_KIND_COUNT; kind++) {
        if (!has(entry->fields, kind_names[kind]))
            continue;
        struct place place = {entry->place, kind_names[kind], 0};
        if (found != SPEC_KIND_QEMU)
            mistakes_add(mistakes, &place, POSITIONS_PART_KEY,
                         "a guest has \"%s\" or \"%s\", not both",
                         kind_names[found], kind_names[kind]);
        else
            found = (enum spec_kind)kind;
    }
    return found;
}

static bool
is_kind_name(const char *name)
{
    for (int kind = SPEC_KIND_COMMAND; kind < SPEC_KIND_COUNT; kind++) {
        if (!strcmp(name, kind_names[kind]))
            return true;
    }
    return false;
}

bool
spec_has_field(enum spec_kind kind, const char *name)
{
    const struct spec_field *field = spec_find_field(name);
    return field && field->kinds & SPEC_KINDS(kind);
}

/* Adds a mistake for a field that belongs to other kinds of guest. */
static void
wrong_kind(struct spec_reader *reader, const struct spec_field *field,
           const struct place *place)
{
    if (is_kind_name(field->name))
        return; /* spec_find_kind told it */
    /* A template does not say whose it is. */
    bool is_inherited = mistakes_is_inherited(reader->mistakes, place);
    char *guest =
        is_inherited ? xasprintf(" (in %s)", reader->spec->name) : xstrdup("");
    if (reader->spec->kind == SPEC_KIND_QEMU)
        mistakes_add(reader->mistakes, place, POSITIONS_PART_KEY,
                     "\"%s\" goes only with \"device\"%s", field->name, guest);
    else
        mistakes_add(reader->mistakes, place, POSITIONS_PART_KEY,
                     "\"%s\" does not go with \"%s\", which stands instead "
                     "of QEMU's fields%s",
                     field->name, kind_names[reader->spec->kind], guest);
    free(guest);
}

static void
read_fields(struct spec_reader *reader, const struct spec_entry *entry)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(entry->fields, name, value)
    {
        struct place place = {entry->place, name, 0};
        const struct spec_field *field = spec_find_field(name);
        if (!field)
            spec_unknown_entry_field(reader->mistakes, &place);
        else if (json_is_null(value))
            continue;
        else if (!(field->kinds & SPEC_KINDS(reader->spec->kind)))
            wrong_kind(reader, field, &place);
        else
            field->read(reader, field, value, &place);
        /* A guest is the same whatever is remarked about it. */
        if (field && field->read != spec_read_comment)
            json_object_set(reader->spec->source, name, value);
    }
}

/* Tells that a field lacks its kernel: where it stands, or where the guest
 * does that inherits it. */
static void
miss_kernel(struct spec_reader *reader, const struct spec_entry *entry,
            const char *name)
{
    struct place place = {entry->place, name, 0};
    if (!mistakes_is_inherited(reader->mistakes, &place)) {
        mistakes_add(reader->mistakes, &place, POSITIONS_PART_KEY,
                     "\"%s\" goes only with \"kernel\"", name);
        return;
    }
    /* A copy, so that it is not told at the default. */
    struct place guest = *entry->place;
    place.parent = &guest;
    mistakes_add(reader->mistakes, &place, POSITIONS_PART_KEY,
                 "\"%s\", which it inherits, goes only with \"kernel\" (null "
                 "takes it away)",
                 name);
}

/* A machine has two flash chips, and UEFI is in them. */
static void
check_flash(struct spec_reader *reader, const struct spec_entry *entry)
{
    const struct spec *spec = reader->spec;
    struct place disks = {entry->place, "disks", 0};
    for (size_t i = 0; i < spec->disk_count; i++) {
        struct place item = {&disks, NULL, i};
        const char *interface = spec->disks[i].interface;
        if ((spec->uefi || spec->flash_code) && interface &&
            !strcmp(interface, "pflash"))
            mistakes_add(reader->mistakes, &item, POSITIONS_PART_VALUE,
                         "\"firmware\" is in the machine's flash already");
    }
}

/* What no field can see by itself. */
static void
check_together(struct spec_reader *reader, const struct spec_entry *entry)
{
    const struct spec *spec = reader->spec;
    const char *const after_kernel[] = {"initrd", "append"};
    for (size_t i = 0; spec->kind == SPEC_KIND_QEMU && i < 2; i++) {
        if (!spec->kernel && !has(entry->fields, "kernel") &&
            json_object_get(spec->source, after_kernel[i]))
            miss_kernel(reader, entry, after_kernel[i]);
    }
    if (spec->accel && spec->machine && strstr(spec->machine, "accel=")) {
        struct place place = {entry->place, "machine", 0};
        mistakes_add(reader->mistakes, &place, POSITIONS_PART_VALUE,
                     "the accelerator is said twice: here and in \"accel\"");
    }
    check_flash(reader, entry);
    spec_check_consoles(reader, entry->place);
}

/* Without a name. */
static struct spec *
new_spec(const char *directory)
{
    struct spec *spec = xcalloc(1, sizeof(*spec));
    spec->directory = xstrdup(directory);
    spec->source = json_object();
    spec->baud = SPEC_DEFAULT_BAUD;
    spec->history_lines = SPEC_DEFAULT_HISTORY;
    spec->log_max_bytes = SPEC_DEFAULT_LOG_BYTES;
    spec->paste.timeout_ms = SPEC_DEFAULT_PASTE_TIMEOUT_MS;
    lifecycle_init(&spec->lifecycle);
    return spec;
}

struct spec *
spec_read(const char *name, const struct spec_entry *entry,
          const char *directory, const struct variables *variables,
          struct mistakes *mistakes)
{
    size_t before = mistakes_count(mistakes);
    if (!text_is_name(name)) {
        char *shown = spec_show(name);
        mistakes_add(mistakes, entry->place, POSITIONS_PART_KEY,
                     "\"%s\" is not a name (letters, digits, '.', '_' and "
                     "'-', a letter or digit first, at most 48)",
                     shown);
        free(shown);
    }
    if (!json_is_object(entry->fields)) {
        spec_wrong_type(mistakes, entry->place, entry->fields,
                        "an object of a guest's fields");
        return NULL;
    }
    struct spec *spec = new_spec(directory);
    struct spec_reader reader = {spec, mistakes, variables, false};
    spec->name = xstrdup(name);
    spec->kind = spec_find_kind(entry, mistakes);
    read_fields(&reader, entry);
    check_together(&reader, entry);
    if (mistakes_count(mistakes) == before)
        return spec;
    spec_free(spec);
    return NULL;
}

struct spec *
spec_read_order(const char *name, const json_t *fields, const char *directory)
{
    struct spec *spec = new_spec(directory);
    struct mistakes *mistakes = mistakes_new(NULL, NULL);
    struct spec_reader reader = {spec, mistakes, NULL, false};
    struct place place = {NULL, "after", 0};
    json_t *value = json_object_get(fields, place.key);
    spec->name = xstrdup(name);
    if (value && !json_is_null(value)) {
        spec_find_field(place.key)->read(&reader, spec_find_field(place.key),
                                         value, &place);
        json_object_set(spec->source, place.key, value);
    }
    mistakes_free(mistakes);
    return spec;
}

/* In objects null takes away what others say. */
static void
drop_nulls(json_t *value)
{
    const char *name = NULL;
    json_t *member = NULL;
    void *next = NULL;
    json_object_foreach_safe(value, next, name, member)
    {
        if (json_is_null(member))
            (void)json_object_del(value, name);
        else
            drop_nulls(member);
    }
}

/* One member of defaults, a template or an entry. */
static void
check_member(struct spec_reader *reader, enum spec_part part,
             const json_t *value, const struct place *place)
{
    const struct spec_field *field = spec_find_field(place->key);
    bool is_default = part == SPEC_PART_DEFAULTS;
    bool is_template_word = !strcmp(place->key, "template");
    bool is_entry_word = is_template_word || !strcmp(place->key, "count");
    if (is_entry_word &&
        (part == SPEC_PART_ENTRY || (is_template_word && !is_default)))
        return;
    if (is_entry_word) {
        mistakes_add(reader->mistakes, place, POSITIONS_PART_KEY,
                     is_default ? "\"%s\" belongs to a guest and cannot be a "
                                  "default"
                                : "\"%s\" belongs to a guest, not to a "
                                  "template",
                     place->key);
    } else if (!field) {
        spec_unknown_entry_field(reader->mistakes, place);
    } else if (is_default && is_kind_name(place->key)) {
        mistakes_add(reader->mistakes, place, POSITIONS_PART_KEY,
                     "\"%s\" belongs to one guest and cannot be a default",
                     place->key);
    } else if (!json_is_null(value) && !placeholders_are_in(value)) {
        json_t *copy = json_deep_copy(value);
        drop_nulls(copy);
        field->read(reader, field, copy, place);
        json_decref(copy);
    }
}

void
spec_check_part(enum spec_part part, const json_t *fields,
                const struct place *place, const char *directory,
                const struct variables *variables, struct mistakes *mistakes)
{
    struct spec *spec = new_spec(directory);
    struct spec_reader reader = {spec, mistakes, variables, true};
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)fields, name, value)
    {
        struct place member = {place, name, 0};
        check_member(&reader, part, value, &member);
    }
    spec_free(spec);
}

struct spec *
spec_from_json(const char *name, const json_t *entry, const char *directory,
               struct error *error)
{
    struct mistakes *mistakes = mistakes_new(NULL, NULL);
    struct place guests = {NULL, "guests", 0};
    struct place place = {&guests, name, 0};
    /* Without variables nothing is changed in it. */
    struct spec_entry own = {(json_t *)entry, &place};
    struct spec *spec = spec_read(name, &own, directory, NULL, mistakes);
    if (!mistakes_report(mistakes, error)) {
        spec_free(spec);
        spec = NULL;
    }
    mistakes_free(mistakes);
    return spec;
}

void
spec_free(struct spec *spec)
{
    if (!spec)
        return;
    char *const texts[] = {
        spec->name,        spec->directory, spec->qemu,        spec->arch,
        spec->machine,     spec->accel,     spec->cpu,         spec->firmware,
        spec->kernel,      spec->initrd,    spec->append,      spec->device,
        spec->socket,      spec->uefi,      spec->flash_code,  spec->flash_vars,
        spec->flash_store, spec->vga,       spec->vnc_display, spec->vnc_socket,
        spec->rng,         spec->cdrom,
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        free(texts[i]);
    free(spec->paste.prompt);
    free(spec->paste.bracketed);
    spec_free_disks(spec);
    spec_free_cloud_init(spec->cloud_init);
    free(spec->fleet_directory);
    spec_free_nics(spec);
    spec_free_ssh(&spec->ssh);
    shellwords_free(spec->usb);
    shellwords_free(spec->devices);
    shellwords_free(spec->args);
    shellwords_free(spec->consoles);
    shellwords_free(spec->command);
    shellwords_free(spec->env);
    json_decref(spec->labels);
    alert_rules_finish(&spec->alerts);
    lifecycle_finish(&spec->lifecycle);
    json_decref(spec->source);
    free(spec);
}

struct spec *
spec_copy(const struct spec *spec)
{
    /* The source is what the spec was read from without a mistake. */
    json_t *source = json_deep_copy(spec->source);
    struct spec *copy =
        spec_from_json(spec->name, source, spec->directory, NULL);
    json_decref(source);
    assert(copy);
    copy->fleet_directory = xstrdup(spec->fleet_directory);
    return copy;
}

json_t *
spec_save(const struct spec *spec)
{
    json_t *saved =
        json_pack("{s:s, s:o, s:O}", "name", spec->name, "directory",
                  json_from_text(spec->directory), "entry", spec->source);
    if (spec->fleet_directory)
        json_object_set_new(saved, "fleet-directory",
                            json_from_text(spec->fleet_directory));
    return saved;
}

struct spec *
spec_load(const json_t *saved, struct error *error)
{
    const char *name = NULL;
    const char *directory = NULL;
    const char *fleet = NULL;
    json_t *entry = NULL;
    if (!json_get_string(saved, "name", JSON_REQUIRED, &name, error) ||
        !json_get_string(saved, "directory", JSON_REQUIRED, &directory,
                         error) ||
        !json_get_string(saved, "fleet-directory", JSON_OPTIONAL, &fleet,
                         error) ||
        !json_get_object(saved, "entry", JSON_REQUIRED, &entry, error))
        return NULL;
    if (directory[0] != '/') {
        error_set(error, ERROR_CODE_INVALID,
                  "the directory of %s is not an absolute path", name);
        return NULL;
    }
    struct spec *spec = spec_from_json(name, entry, directory, error);
    if (spec)
        spec->fleet_directory = xstrdup(fleet);
    return spec;
}

const char *
spec_network_directory(const struct spec *spec)
{
    return spec->fleet_directory ? spec->fleet_directory : spec->directory;
}

static bool
has_network(const struct spec *spec)
{
    for (size_t i = 0; i < spec->nic_count; i++) {
        if (spec->nics[i].network)
            return true;
    }
    return false;
}

bool
spec_has_same_networks(const struct spec *a, const struct spec *b)
{
    return (!has_network(a) && !has_network(b)) ||
           !strcmp(spec_network_directory(a), spec_network_directory(b));
}

bool
spec_is_equal(const struct spec *a, const struct spec *b)
{
    return !strcmp(a->name, b->name) && !strcmp(a->directory, b->directory) &&
           spec_has_same_networks(a, b) && json_equal(a->source, b->source);
}
