/* The arguments for disks. */
#include "base/xalloc.h"
#include "qemu/argv-internal.h"
#include "qemu/keyval.h"

#include <stdlib.h>
#include <string.h>

/* Ports of QEMU's AHCI controller. */
#define AHCI_PORTS 6

static void
add_drive(struct argv_list *list, const struct spec_disk *disk, size_t index)
{
    struct buffer text = {0};
    buffer_printf(&text, "if=none,id=gmdisk%zu,file=", index);
    keyval_append_value(&text, disk->file);
    if (disk->format)
        buffer_printf(&text, ",format=%s", disk->format);
    if (disk->is_readonly)
        buffer_append_text(&text, ",readonly=on");
    argv_add(list, "-drive");
    argv_add_buffer(list, &text);
}

/* How many disks before index have its interface. */
static size_t
rank(const struct spec *spec, size_t index)
{
    size_t before = 0;
    for (size_t i = 0; i < index; i++)
        before +=
            !strcmp(spec->disks[i].interface, spec->disks[index].interface);
    return before;
}

/* IDE has no read-only disks; what is read-only there is a CD-ROM. */
static const char *
drive_kind(const struct spec_disk *disk)
{
    return disk->is_readonly ? "cd" : "hd";
}

static void
add_disk(struct argv_list *list, const struct spec *spec, size_t index)
{
    const struct spec_disk *disk = &spec->disks[index];
    size_t number = rank(spec, index);
    const char *bus = argv_virtio_bus(spec);
    add_drive(list, disk, index);
    if (!strcmp(disk->interface, "scsi") && number == 0) {
        argv_add(list, "-device");
        argv_add_format(list, "virtio-scsi-%s,id=gmscsi", bus);
    } else if (!strcmp(disk->interface, "sata") && number % AHCI_PORTS == 0) {
        argv_add(list, "-device");
        argv_add_format(list, "ahci,id=gmsata%zu", number / AHCI_PORTS);
    }
    argv_add(list, "-device");
    if (!strcmp(disk->interface, "scsi"))
        argv_add_format(list, "scsi-%s,bus=gmscsi.0,drive=gmdisk%zu",
                        drive_kind(disk), index);
    else if (!strcmp(disk->interface, "sata"))
        argv_add_format(list, "ide-%s,bus=gmsata%zu.%zu,drive=gmdisk%zu",
                        drive_kind(disk), number / AHCI_PORTS,
                        number % AHCI_PORTS, index);
    else if (!strcmp(disk->interface, "ide"))
        argv_add_format(list, "ide-%s,drive=gmdisk%zu", drive_kind(disk),
                        index);
    else if (!strcmp(disk->interface, "nvme"))
        argv_add_format(list, "nvme,drive=gmdisk%zu,serial=gmdisk%zu", index,
                        index);
    else
        argv_add_format(list, "virtio-blk-%s,drive=gmdisk%zu", bus, index);
}

void
argv_add_disks(struct argv_list *list, const struct spec *spec)
{
    for (size_t i = 0; i < spec->disk_count; i++)
        add_disk(list, spec, i);
}
