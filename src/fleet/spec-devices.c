/* The reader of disks. */
#include "base/xalloc.h"
#include "fleet/spec-internal.h"

#include <string.h>

#define MAX_DISKS 64

static const char *const disk_fields[] = {"file", "format", "interface",
                                          "readonly"};
static const char *const disk_formats[] = {"raw", "qcow2", "vmdk", "vdi",
                                           "vhdx"};
static const char *const disk_interfaces[] = {"virtio", "scsi", "sata", "nvme",
                                              "ide"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
read_disk_object(struct spec_reader *reader, struct spec_disk *disk,
                 const json_t *value, const struct place *place)
{
    spec_check_members(reader, value, place, disk_fields, COUNT(disk_fields));
    struct place at_file = {place, "file", 0};
    struct place at_format = {place, "format", 0};
    struct place at_interface = {place, "interface", 0};
    struct place at_readonly = {place, "readonly", 0};
    const json_t *file = spec_member(value, "file");
    if (file)
        disk->file = spec_take_path(reader, file, &at_file);
    else
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "\"file\" is missing");
    const json_t *format = spec_member(value, "format");
    if (format)
        disk->format =
            spec_take_choice(reader, format, &at_format, "a disk format",
                             disk_formats, COUNT(disk_formats));
    const json_t *interface = spec_member(value, "interface");
    if (interface)
        disk->interface = spec_take_choice(reader, interface, &at_interface,
                                           "a disk interface", disk_interfaces,
                                           COUNT(disk_interfaces));
    const json_t *readonly = spec_member(value, "readonly");
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
    return spec_is_among(dot + 1, disk_formats, COUNT(disk_formats)) ? dot + 1
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
