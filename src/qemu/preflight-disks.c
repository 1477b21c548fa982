/* Disks, the CD-ROM and the seed. */
#include "base/xalloc.h"
#include "qemu/argv.h"
#include "qemu/cloud-config.h"
#include "qemu/image-header.h"
#include "qemu/image.h"
#include "qemu/overlays.h"
#include "qemu/preflight-internal.h"
#include "qemu/prepare.h"
#include "qemu/process.h"
#include "qemu/qcow2.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A base, and whether what is to be made over it is as large. */
static void
check_base(const struct preflight_check *check, const struct spec_disk *disk,
           int item)
{
    struct image_header header = {0};
    char there[IMAGE_SIZE_BYTES];
    if (!preflight_check_file(check, disk->base, R_OK, "disks", item))
        return;
    if (image_header_read(disk->base, disk->format, &header)) {
        image_size_text(header.virtual_bytes, there);
        if (disk->size_bytes && disk->size_bytes < header.virtual_bytes)
            preflight_add(check, PREFLIGHT_SEVERITY_ERROR, "disks", item,
                          "the size is less than that of %s, which has %s",
                          disk->base, there);
    } else if (disk->format) {
        preflight_add(check, PREFLIGHT_SEVERITY_ERROR, "disks", item,
                      "%s is not a %s image", disk->base, disk->format);
    }
    image_header_finish(&header);
    const char *data_dir = check->preflight->data_dir;
    if (data_dir && overlays_have(data_dir, disk->base))
        preflight_add(check, PREFLIGHT_SEVERITY_ERROR, "disks", item,
                      "%s is the disk of a guest, which changes when that "
                      "guest runs: copy it first, or use `guestmux clone "
                      "--full`",
                      disk->base);
    preflight_note_base(check, disk->base, item);
    preflight_check_chain(check, disk->base, item);
}

/* The image that was made before. */
static void
check_image(const struct preflight_check *check, const struct spec_disk *disk,
            int item)
{
    const char *home = check->preflight->data_dir;
    if (!home)
        return;
    char *data_dir = xasprintf("%s/%s", home, check->spec->name);
    char *path = argv_disk_path(disk, data_dir);
    struct qcow2_header header = {0};
    struct error error = {0};
    bool is_there = false;
    if (!prepare_look_at_made(check->spec, disk, data_dir, &header, &is_there,
                              &error))
        preflight_add(check, PREFLIGHT_SEVERITY_ERROR, "disks", item, "%s",
                      error.text);
    else if (is_there)
        preflight_check_use(
            check, path, disk->is_readonly ? IMAGE_USE_READS : IMAGE_USE_WRITES,
            "disks", item);
    qcow2_header_finish(&header);
    free(path);
    free(data_dir);
}

static void
check_made_disk(const struct preflight_check *check,
                const struct spec_disk *disk, int item)
{
    struct error error = {0};
    char *program = process_find_program("qemu-img", &error);
    if (!program)
        preflight_add(check, PREFLIGHT_SEVERITY_ERROR, "disks", item,
                      "%s (Debian: qemu-utils)", error.text);
    free(program);
    if (disk->base)
        check_base(check, disk, item);
    /* that the base is gone is told already */
    if (!disk->base || access(disk->base, R_OK) == 0)
        check_image(check, disk, item);
}

static void
check_disk(const struct preflight_check *check, size_t index)
{
    const struct spec_disk *disk = &check->spec->disks[index];
    int mode = disk->is_readonly ? R_OK : R_OK | W_OK;
    int item = (int)index;
    if (spec_disk_is_made(disk)) {
        check_made_disk(check, disk, item);
        return;
    }
    if (!preflight_check_file(check, disk->file, mode, "disks", item))
        return;
    preflight_check_use(check, disk->file,
                        disk->is_readonly ? IMAGE_USE_READS : IMAGE_USE_WRITES,
                        "disks", item);
    if (!disk->format || !strcmp(disk->format, "qcow2"))
        preflight_check_chain(check, disk->file, item);
    bool has_magic = qcow2_is_one(disk->file);
    if (!disk->format)
        preflight_add(check, PREFLIGHT_SEVERITY_WARNING, "disks", item,
                      "QEMU has to guess the format of %s; write \"format\": "
                      "\"%s\"",
                      disk->file, has_magic ? "qcow2" : "raw");
    else if (!strcmp(disk->format, "qcow2") && !has_magic)
        preflight_add(check, PREFLIGHT_SEVERITY_ERROR, "disks", item,
                      "%s is not a qcow2 image", disk->file);
    else if (!strcmp(disk->format, "raw") && has_magic)
        preflight_add(check, PREFLIGHT_SEVERITY_WARNING, "disks", item,
                      "%s is a qcow2 image, but its format is said to be raw",
                      disk->file);
}

/* What would be wrong with its seed. */
static void
check_seed(const struct preflight_check *check)
{
    struct cloud_files files = {0};
    struct error error = {0};
    if (cloud_files_build(check->spec, "check", &files, &error))
        cloud_files_finish(&files);
    else
        preflight_add(check, PREFLIGHT_SEVERITY_ERROR, "cloud-init", -1, "%s",
                      error.text);
}

void
preflight_check_disks(const struct preflight_check *check)
{
    const struct spec *spec = check->spec;
    for (size_t i = 0; i < spec->disk_count; i++)
        check_disk(check, i);
    if (spec->cdrom &&
        preflight_check_file(check, spec->cdrom, R_OK, "cdrom", -1))
        preflight_check_use(check, spec->cdrom, IMAGE_USE_READS, "cdrom", -1);
    if (spec->cloud_init)
        check_seed(check);
}
