/* The reader of disks. */
#include "base/text.h"
#include "base/xalloc.h"
#include "fleet/spec-internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_DISKS 64
#define WORD_MAX_BYTES 1024
/* What IDE, virtio and NVMe have room for. */
#define SERIAL_MAX_BYTES 20
/* Less is no disk; more is beyond what a qcow2 image can have. */
#define MIN_DISK_BYTES (UINT64_C(64) << 10)
#define MAX_DISK_BYTES (UINT64_C(1) << 50)

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const disk_fields[] = {
    "file",   "base",  "size",    "format",   "interface",
    "serial", "cache", "discard", "readonly", "name",
};
static const char *const disk_formats[] = {"raw", "qcow2", "vmdk", "vdi",
                                           "vhdx"};
static const char *const disk_interfaces[] = {"virtio", "scsi", "sata",
                                              "nvme",   "ide",  "pflash"};
static const char *const disk_caches[] = {"writeback", "none", "writethrough",
                                          "directsync", "unsafe"};

/* One disk being read. */
struct item {
    struct spec_reader *reader;
    struct spec_disk *disk;
    const struct place *place;
};

static void
complain(const struct item *item, const char *key, const char *text)
{
    struct place at = {item->place, key, 0};
    mistakes_add(item->reader->mistakes, key ? &at : item->place,
                 key ? POSITIONS_PART_KEY : POSITIONS_PART_VALUE, "%s", text);
}

static void
read_size(const struct item *item, const json_t *value)
{
    struct place at = {item->place, "size", 0};
    uint64_t bytes = 0;
    if (!spec_take_size(item->reader, value, &at, &bytes))
        return;
    if (bytes < MIN_DISK_BYTES)
        mistakes_add(item->reader->mistakes, &at, POSITIONS_PART_VALUE,
                     "less than 64K is too little for a disk");
    else if (bytes > MAX_DISK_BYTES)
        mistakes_add(item->reader->mistakes, &at, POSITIONS_PART_VALUE,
                     "more than 1024T is too much for a disk");
    else
        item->disk->size_bytes = (bytes + 511) / 512 * 512;
}

/* Text of letters, digits, '.', '_' and '-'. */
static void
read_serial(const struct item *item, const json_t *value)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "abcdefghijklmnopqrstuvwxyz0123456789._-";
    struct place at = {item->place, "serial", 0};
    char *text = spec_take_text(item->reader, value, &at, WORD_MAX_BYTES,
                                SPEC_TEXT_ONE_LINE);
    if (text && strspn(text, allowed) == strlen(text) &&
        strlen(text) <= SERIAL_MAX_BYTES) {
        item->disk->serial = text;
        return;
    }
    if (text)
        mistakes_add(item->reader->mistakes, &at, POSITIONS_PART_VALUE,
                     "a disk's serial number has at most %d letters, digits, "
                     "'.', '_' and '-'",
                     SERIAL_MAX_BYTES);
    free(text);
}

static void
read_name(const struct item *item, const json_t *value)
{
    struct place at = {item->place, "name", 0};
    char *text = spec_take_text(item->reader, value, &at, WORD_MAX_BYTES,
                                SPEC_TEXT_ONE_LINE);
    if (text && text_is_name(text)) {
        item->disk->name = text;
        return;
    }
    char *shown = text ? spec_show(text) : NULL;
    if (text)
        mistakes_add(item->reader->mistakes, &at, POSITIONS_PART_VALUE,
                     "\"%s\" is not a name (letters, digits, '.', '_' and "
                     "'-', a letter or digit first, at most 48)",
                     shown);
    free(shown);
    free(text);
}

static bool
read_flag(const struct item *item, const json_t *object, const char *name)
{
    const json_t *value = spec_member(object, name);
    struct place at = {item->place, name, 0};
    if (value && !json_is_boolean(value))
        spec_wrong_type(item->reader->mistakes, &at, value, "a boolean");
    return json_is_true(value);
}

static char *
read_choice(const struct item *item, const json_t *object, const char *name,
            const char *what, const char *const *words, size_t count)
{
    const json_t *value = spec_member(object, name);
    struct place at = {item->place, name, 0};
    return value
               ? spec_take_choice(item->reader, value, &at, what, words, count)
               : NULL;
}

static char *
read_path(const struct item *item, const json_t *object, const char *name)
{
    const json_t *value = spec_member(object, name);
    struct place at = {item->place, name, 0};
    return value ? spec_take_path(item->reader, value, &at) : NULL;
}

/* Where a disk's content is from: one of three. */
static void
check_source(const struct item *item, const json_t *object)
{
    bool has_file = spec_member(object, "file");
    bool has_base = spec_member(object, "base");
    bool has_size = spec_member(object, "size");
    if (!has_file && !has_base && !has_size)
        complain(item, NULL,
                 "\"file\" is missing (or \"base\" for an overlay over an "
                 "image, or \"size\" for an empty disk)");
    else if (has_file && has_base)
        complain(item, "base", "a disk has \"file\" or \"base\", not both");
    else if (has_file && has_size)
        complain(item, "size",
                 "\"size\" goes only with disks that guestmux makes; "
                 "`guestmux disk resize` grows this one");
    if (!has_file && spec_member(object, "readonly"))
        complain(item, "readonly", "\"readonly\" goes only with \"file\"");
    if (!has_file && !has_base && spec_member(object, "format"))
        complain(item, "format",
                 "\"format\" goes only with \"file\" or \"base\": an empty "
                 "disk is qcow2");
}

static void
read_object(const struct item *item, const json_t *object)
{
    struct spec_disk *disk = item->disk;
    spec_check_members(item->reader, object, item->place, disk_fields,
                       COUNT(disk_fields));
    check_source(item, object);
    disk->file = read_path(item, object, "file");
    disk->base = read_path(item, object, "base");
    disk->format = read_choice(item, object, "format", "a disk format",
                               disk_formats, COUNT(disk_formats));
    disk->interface = read_choice(item, object, "interface", "a disk interface",
                                  disk_interfaces, COUNT(disk_interfaces));
    disk->cache = read_choice(item, object, "cache", "a cache mode",
                              disk_caches, COUNT(disk_caches));
    disk->is_readonly = read_flag(item, object, "readonly");
    disk->discards = read_flag(item, object, "discard");
    const json_t *size = spec_member(object, "size");
    const json_t *serial = spec_member(object, "serial");
    const json_t *name = spec_member(object, "name");
    if (size)
        read_size(item, size);
    if (serial)
        read_serial(item, serial);
    if (name)
        read_name(item, name);
    if (serial && disk->interface && !strcmp(disk->interface, "pflash"))
        complain(item, "serial", "flash memory has no serial number");
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
    for (size_t i = 0; i < COUNT(disk_formats); i++) {
        if (!strcmp(dot + 1, disk_formats[i]))
            return disk_formats[i];
    }
    return NULL;
}

/* What is made for two disks must not be one file. */
static void
check_names(struct spec_reader *reader, const struct place *place)
{
    const struct spec *spec = reader->spec;
    for (size_t i = 1; i < spec->disk_count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcasecmp(spec->disks[i].name, spec->disks[k].name) != 0)
                continue;
            struct place item = {place, NULL, i};
            mistakes_add(reader->mistakes, &item, POSITIONS_PART_VALUE,
                         "disks %zu and %zu are both called %s", k, i,
                         spec->disks[i].name);
        }
    }
}

static void
read_item(struct spec_reader *reader, size_t index, const json_t *entry,
          const struct place *place)
{
    struct spec_disk *disk = &reader->spec->disks[index];
    struct item item = {reader, disk, place};
    if (json_is_object(entry))
        read_object(&item, entry);
    else if (json_is_string(entry))
        disk->file = spec_take_path(reader, entry, place);
    else
        spec_wrong_type(reader->mistakes, place, entry, "a path or an object");
    if (!disk->format && disk->file)
        disk->format = xstrdup(format_of_name(disk->file));
    if (!disk->interface)
        disk->interface = xstrdup("virtio");
    if (!disk->name)
        disk->name = xasprintf("disk%zu", index);
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
        read_item(reader, i, json_array_get(value, i), &item);
    }
    check_names(reader, place);
}

bool
spec_disk_is_made(const struct spec_disk *disk)
{
    return !disk->file;
}

void
spec_free_disks(struct spec *spec)
{
    for (size_t i = 0; i < spec->disk_count; i++) {
        struct spec_disk *disk = &spec->disks[i];
        char *const texts[] = {
            disk->name,  disk->file,   disk->base,      disk->format,
            disk->cache, disk->serial, disk->interface,
        };
        for (size_t k = 0; k < COUNT(texts); k++)
            free(texts[k]);
    }
    free(spec->disks);
}
