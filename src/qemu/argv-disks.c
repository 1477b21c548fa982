/* The arguments for disks, the CD-ROM and the seed. */
#include "base/xalloc.h"
#include "qemu/argv-internal.h"
#include "qemu/keyval.h"

#include <stdlib.h>
#include <string.h>

/* Ports of QEMU's AHCI controller. */
#define AHCI_PORTS 6
/* Drives on a channel of the old IDE controller. */
#define IDE_UNITS 2

/* One drive of a guest: a disk of its own, or what belongs to it besides. */
struct drive {
    const struct spec_disk *disk;
    char *path; /* owned */
    char id[32];
};

/* All of them, in the order in which the guest sees each kind. */
struct drives {
    struct drive *items; /* owned */
    size_t count;
};

char *
argv_disk_path(const struct spec_disk *disk, const char *data_dir)
{
    if (disk->file)
        return xstrdup(disk->file);
    return xasprintf("%s/%s.qcow2", data_dir ? data_dir : "", disk->name);
}

char *
argv_seed_path(const char *data_dir)
{
    return xasprintf("%s/seed.iso", data_dir ? data_dir : "");
}

static bool
is_a(const struct drive *drive, const char *interface)
{
    return !strcmp(drive->disk->interface, interface);
}

/* How many drives before index have its interface. */
static size_t
rank(const struct drives *drives, size_t index)
{
    size_t before = 0;
    for (size_t i = 0; i < index; i++)
        before += is_a(&drives->items[i], drives->items[index].disk->interface);
    return before;
}

static void
add_drive(struct argv_list *list, const struct drives *drives, size_t index)
{
    const struct drive *drive = &drives->items[index];
    const struct spec_disk *disk = drive->disk;
    /* What guestmux makes is qcow2; the format of a file may be unknown. */
    const char *format = spec_disk_is_made(disk) ? "qcow2" : disk->format;
    struct buffer text = {0};
    if (is_a(drive, "pflash"))
        buffer_printf(&text,
                      "if=pflash,unit=%zu,id=%s,file=", rank(drives, index),
                      drive->id);
    else
        buffer_printf(&text, "if=none,id=%s,file=", drive->id);
    keyval_append_value(&text, drive->path);
    if (format)
        buffer_printf(&text, ",format=%s", format);
    if (disk->cache)
        buffer_printf(&text, ",cache=%s", disk->cache);
    if (disk->discards)
        buffer_append_text(&text, ",discard=unmap");
    if (disk->is_readonly)
        buffer_append_text(&text, ",readonly=on");
    argv_add(list, "-drive");
    argv_add_buffer(list, &text);
}

/* IDE has no read-only disks; what is read-only there is a CD-ROM. */
static const char *
drive_kind(const struct drive *drive)
{
    return drive->disk->is_readonly ? "cd" : "hd";
}

/* The controller that the first drive of a kind brings along. */
static void
add_controller(struct argv_list *list, const struct drive *drive, size_t number,
               const char *bus)
{
    if (is_a(drive, "scsi") && number == 0) {
        argv_add(list, "-device");
        argv_add_format(list, "virtio-scsi-%s,id=gmscsi", bus);
    } else if (is_a(drive, "sata") && number % AHCI_PORTS == 0) {
        argv_add(list, "-device");
        argv_add_format(list, "ahci,id=gmsata%zu", number / AHCI_PORTS);
    }
}

/* Whether the machine is a PC with the old IDE controller: other controllers'
 * ports must not be taken for its. */
static bool
machine_has_ide(const struct spec *spec)
{
    const char *machine = argv_machine(spec);
    return machine && !strncmp(machine, "pc", 2) &&
           strncmp(machine, "pc-q35", strlen("pc-q35")) != 0 &&
           strchr(",-", machine[2]);
}

static void
add_device(struct argv_list *list, const struct spec *spec,
           const struct drive *drive, size_t number)
{
    const char *bus = argv_virtio_bus(spec);
    bool has_ide = machine_has_ide(spec);
    const char *serial = drive->disk->serial;
    struct buffer text = {0};
    if (is_a(drive, "scsi"))
        buffer_printf(&text, "scsi-%s,bus=gmscsi.0,", drive_kind(drive));
    else if (is_a(drive, "sata"))
        buffer_printf(&text, "ide-%s,bus=gmsata%zu.%zu,", drive_kind(drive),
                      number / AHCI_PORTS, number % AHCI_PORTS);
    else if (is_a(drive, "ide") && has_ide)
        buffer_printf(&text, "ide-%s,bus=ide.%zu,unit=%zu,", drive_kind(drive),
                      number / IDE_UNITS, number % IDE_UNITS);
    else if (is_a(drive, "ide"))
        buffer_printf(&text, "ide-%s,", drive_kind(drive));
    else if (is_a(drive, "nvme"))
        buffer_append_text(&text, "nvme,");
    else
        buffer_printf(&text, "virtio-blk-%s,", bus);
    buffer_printf(&text, "drive=%s", drive->id);
    if (serial)
        buffer_printf(&text, ",serial=%s", serial);
    else if (is_a(drive, "nvme"))
        buffer_printf(&text, ",serial=%s", drive->id); /* it must have one */
    argv_add(list, "-device");
    argv_add_buffer(list, &text);
}

/* What a machine's CD-ROM drives are connected to. */
static char *
cdrom_interface(const struct spec *spec)
{
    const char *machine = argv_machine(spec);
    const char *arch = argv_arch(spec);
    if (strcmp(arch, "x86_64") != 0 && strcmp(arch, "i386") != 0)
        return xstrdup("scsi");
    bool is_q35 = machine && (!strncmp(machine, "q35", strlen("q35")) ||
                              !strncmp(machine, "pc-q35", strlen("pc-q35")));
    bool is_microvm =
        machine && !strncmp(machine, "microvm", strlen("microvm"));
    return xstrdup(is_microvm ? "virtio" : is_q35 ? "sata" : "ide");
}

static void
take(struct drives *drives, const struct spec_disk *disk, char *path,
     const char *id)
{
    struct drive *drive = &drives->items[drives->count++];
    drive->disk = disk;
    drive->path = path;
    size_t len = strlen(id) < sizeof(drive->id) ? strlen(id) : 0;
    memcpy(drive->id, id, len + 1);
}

void
argv_add_disks(struct argv_list *list, const struct spec *spec,
               const char *data_dir)
{
    static char raw[] = "raw";
    static char virtio[] = "virtio";
    struct spec_disk cdrom = {
        .file = spec->cdrom,
        .format = raw,
        .interface = cdrom_interface(spec),
        .is_readonly = true,
    };
    char *seed_path = argv_seed_path(data_dir);
    struct spec_disk seed = {
        .file = seed_path,
        .format = raw,
        .interface = virtio,
        .is_readonly = true,
    };
    struct drives drives = {
        .items = xcalloc(spec->disk_count + 2, sizeof(struct drive)),
    };
    for (size_t i = 0; i < spec->disk_count; i++) {
        char *id = xasprintf(ARGV_DISK_ID, i);
        take(&drives, &spec->disks[i],
             argv_disk_path(&spec->disks[i], data_dir), id);
        free(id);
    }
    if (spec->cdrom)
        take(&drives, &cdrom, xstrdup(spec->cdrom), "gmcdrom");
    if (spec->cloud_init)
        take(&drives, &seed, xstrdup(seed_path), "gmseed");
    for (size_t i = 0; i < drives.count; i++) {
        const struct drive *drive = &drives.items[i];
        size_t number = rank(&drives, i);
        add_drive(list, &drives, i);
        if (!is_a(drive, "pflash")) {
            add_controller(list, drive, number, argv_virtio_bus(spec));
            add_device(list, spec, drive, number);
        }
    }
    for (size_t i = 0; i < drives.count; i++)
        free(drives.items[i].path);
    free(drives.items);
    free(seed_path);
    free(cdrom.interface);
}
