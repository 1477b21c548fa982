/* The readers of disks and nics. */
#include "base/json.h"
#include "base/nearest.h"
#include "base/xalloc.h"
#include "fleet/shellwords.h"
#include "fleet/spec-internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DISKS 64
#define MAX_NICS 32
#define WORD_MAX_BYTES 1024

static const char *const disk_fields[] = {"file", "format", "interface",
                                          "readonly"};
static const char *const disk_formats[] = {"raw", "qcow2", "vmdk", "vdi",
                                           "vhdx"};
static const char *const disk_interfaces[] = {"virtio", "scsi", "sata", "nvme",
                                              "ide"};
static const char *const nic_fields[] = {"type", "model", "mac"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool
is_among(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(word, words[i]))
            return true;
    }
    return false;
}

static void
check_fields(struct spec_reader *reader, const json_t *object,
             const struct place *place, const char *const *names, size_t count)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)object, name, value)
    {
        struct place member = {place, name, 0};
        if (!is_among(name, names, count))
            spec_unknown_field(reader->mistakes, &member, names, count);
    }
}

/* One of a few words; what: "a disk format". */
static char *
take_choice(struct spec_reader *reader, const json_t *value,
            const struct place *place, const char *what,
            const char *const *words, size_t count)
{
    char *text = spec_take_text(reader, value, place, WORD_MAX_BYTES,
                                SPEC_TEXT_ONE_LINE);
    if (!text || is_among(text, words, count))
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

/* The member, or NULL when it is absent or null. */
static const json_t *
member(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_null(value) ? NULL : value;
}

static void
read_disk_object(struct spec_reader *reader, struct spec_disk *disk,
                 const json_t *value, const struct place *place)
{
    check_fields(reader, value, place, disk_fields, COUNT(disk_fields));
    struct place at_file = {place, "file", 0};
    struct place at_format = {place, "format", 0};
    struct place at_interface = {place, "interface", 0};
    struct place at_readonly = {place, "readonly", 0};
    const json_t *file = member(value, "file");
    if (file)
        disk->file = spec_take_path(reader, file, &at_file);
    else
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "\"file\" is missing");
    const json_t *format = member(value, "format");
    if (format)
        disk->format = take_choice(reader, format, &at_format, "a disk format",
                                   disk_formats, COUNT(disk_formats));
    const json_t *interface = member(value, "interface");
    if (interface)
        disk->interface =
            take_choice(reader, interface, &at_interface, "a disk interface",
                        disk_interfaces, COUNT(disk_interfaces));
    const json_t *readonly = member(value, "readonly");
    if (readonly && !json_is_boolean(readonly))
        spec_wrong_type(reader->mistakes, &at_readonly, readonly, "a boolean");
    disk->is_readonly = json_is_true(readonly);
}

/* Formats that a file's name tells for sure; "img" says nothing. */
static const char *
format_of_name(const char *file)
{
    const char *dot = file ? strrchr(file, '.') : NULL;
    if (!dot)
        return NULL;
    if (!strcmp(dot, ".iso"))
        return "raw";
    return is_among(dot + 1, disk_formats, COUNT(disk_formats)) ? dot + 1
                                                                : NULL;
}

void
spec_read_disks(struct spec_reader *reader, const struct spec_field *field,
                const json_t *value, const struct place *place)
{
    (void)field;
    struct spec *spec = reader->spec;
    size_t count = json_array_size(value);
    if (!json_is_array(value)) {
        spec_wrong_type(reader->mistakes, place, value, "an array of disks");
        return;
    }
    if (count > MAX_DISKS || spec->disks) {
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "there are %zu disks, at most %d are allowed", count,
                     MAX_DISKS);
        return;
    }
    spec->disks = xcalloc(count + 1, sizeof(*spec->disks));
    spec->disk_count = count;
    for (size_t i = 0; i < count; i++) {
        struct place item = {place, NULL, i};
        struct spec_disk *disk = &spec->disks[i];
        const json_t *entry = json_array_get(value, i);
        if (json_is_object(entry))
            read_disk_object(reader, disk, entry, &item);
        else if (json_is_string(entry))
            disk->file = spec_take_path(reader, entry, &item);
        else
            spec_wrong_type(reader->mistakes, &item, entry,
                            "a path or an object");
        if (!disk->format)
            disk->format = xstrdup(format_of_name(disk->file));
        if (!disk->interface)
            disk->interface = xstrdup("virtio");
    }
}

/* Six pairs of hexadecimal digits, and not a group's address. */
static bool
is_mac(const char *text)
{
    for (int i = 0; i < 17; i++) {
        if (i % 3 == 2 ? text[i] != ':' : !isxdigit((unsigned char)text[i]))
            return false;
    }
    return text[17] == '\0' && !(strtol(text, NULL, 16) & 1);
}

static char *
take_mac(struct spec_reader *reader, const json_t *value,
         const struct place *place)
{
    char *text = spec_take_text(reader, value, place, WORD_MAX_BYTES,
                                SPEC_TEXT_ONE_LINE);
    if (!text || is_mac(text))
        return text;
    char *shown = spec_show(text);
    mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                 "\"%s\" is not a card's MAC address (try "
                 "52:54:00:12:34:56)",
                 shown);
    free(shown);
    free(text);
    return NULL;
}

static char *
take_model(struct spec_reader *reader, const json_t *value,
           const struct place *place)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "abcdefghijklmnopqrstuvwxyz0123456789._-";
    char *text = spec_take_text(reader, value, place, WORD_MAX_BYTES,
                                SPEC_TEXT_ONE_LINE);
    if (!text || strspn(text, allowed) == strlen(text))
        return text;
    char *shown = spec_show(text);
    mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                 "\"%s\" is not a card's model (try virtio-net-pci)", shown);
    free(shown);
    free(text);
    return NULL;
}

static void
read_nic_object(struct spec_reader *reader, struct spec_nic *nic,
                const json_t *value, const struct place *place)
{
    static const char *const types[] = {"user"};
    check_fields(reader, value, place, nic_fields, COUNT(nic_fields));
    struct place at_type = {place, "type", 0};
    struct place at_model = {place, "model", 0};
    struct place at_mac = {place, "mac", 0};
    const json_t *type = member(value, "type");
    const json_t *model = member(value, "model");
    const json_t *mac = member(value, "mac");
    nic->type = type ? take_choice(reader, type, &at_type,
                                   "known here; for other networks give "
                                   "QEMU's -nic value as a string",
                                   types, COUNT(types))
                     : xstrdup("user");
    if (model)
        nic->model = take_model(reader, model, &at_model);
    if (mac)
        nic->mac = take_mac(reader, mac, &at_mac);
}

static void
read_nic(struct spec_reader *reader, struct spec_nic *nic, const json_t *value,
         const struct place *place)
{
    if (json_is_object(value)) {
        read_nic_object(reader, nic, value, place);
    } else if (!json_is_string(value)) {
        spec_wrong_type(reader->mistakes, place, value,
                        "a string or an object");
    } else if (!strcmp(json_string_value(value), "user")) {
        nic->type = xstrdup("user");
    } else {
        nic->text = spec_take_text(reader, value, place, WORD_MAX_BYTES,
                                   SPEC_TEXT_ONE_LINE);
        if (nic->text && !strcmp(nic->text, "none"))
            mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                         "for no network at all, leave the array empty: "
                         "\"nics\": []");
    }
}

void
spec_read_nics(struct spec_reader *reader, const struct spec_field *field,
               const json_t *value, const struct place *place)
{
    (void)field;
    struct spec *spec = reader->spec;
    size_t count = json_array_size(value);
    if (!json_is_array(value)) {
        spec_wrong_type(reader->mistakes, place, value,
                        "an array of network cards");
        return;
    }
    if (count > MAX_NICS || spec->nics) {
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "there are %zu network cards, at most %d are allowed",
                     count, MAX_NICS);
        return;
    }
    spec->has_nics = true;
    spec->nics = xcalloc(count + 1, sizeof(*spec->nics));
    spec->nic_count = count;
    for (size_t i = 0; i < count; i++) {
        struct place item = {place, NULL, i};
        read_nic(reader, &spec->nics[i], json_array_get(value, i), &item);
    }
}
