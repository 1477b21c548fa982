/* Disks of all ways to say them. */
#include "base/xalloc.h"
#include "qemu/import-drives.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* -drive's keys that fields say; others keep the drive in args. */
static const char *const drive_keys[] = {
    "file",  "format",   "if",    "media",   "id",
    "index", "readonly", "cache", "discard", NULL};
static const char *const flash_keys[] = {"file", "format", "if", "readonly",
                                         "unit", "index",  "id", NULL};
static const char *const blockdev_keys[] = {
    "driver",        "node-name", "file.driver", "read-only", "",
    "file.filename", "discard",   "filename",    "file",      NULL};

/* Devices that are a disk on an interface of ours. */
static const struct disk_device {
    const char *driver;
    const char *interface;
    bool is_cdrom;
} disk_devices[] = {
    {"ide-cd", "ide", true},
    {"ide-hd", "ide", false},
    {"nvme", "nvme", false},
    {"scsi-cd", "scsi", true},
    {"scsi-hd", "scsi", false},
    {"virtio-blk", "virtio", false},
    {"virtio-blk-ccw", "virtio", false},
    {"virtio-blk-device", "virtio", false},
    {"virtio-blk-pci", "virtio", false},
};

/* Whether it is a file's name, not a protocol's. */
static bool
is_plain_file(const char *file)
{
    return file && file[0] && strcspn(file, ":") >= strcspn(file, "/");
}

static bool
is_on(const struct keyval *keyval, const char *key)
{
    return keyval_is_on(keyval, key);
}

static const char *
default_interface(const struct importer *importer)
{
    return import_is_pc(importer) ? "ide" : "virtio";
}

/* -hda FILE and the like. */
static void
collect_short(struct drives *drives, struct import_item *item, bool is_cdrom)
{
    struct drive drive = {.item = item,
                          .interface = default_interface(drives->importer),
                          .is_readonly = is_cdrom};
    const char *file = item->value ? item->value : item->word;
    drive.file = is_plain_file(file) ? xstrdup(file) : NULL;
    if (is_cdrom && drive.file) {
        static char raw[] = "format=raw,media=cdrom";
        keyval_parse(&drive.keyval, raw);
    }
    drives->items[drives->count++] = drive;
}

static void
collect_drive(struct drives *drives, struct import_item *item)
{
    struct drive drive = {.item = item};
    keyval_parse(&drive.keyval, item->value);
    const char *interface = keyval_get(&drive.keyval, "if", false);
    const char *media = keyval_get(&drive.keyval, "media", false);
    const char *file = keyval_get(&drive.keyval, "file", false);
    bool is_cdrom = media && !strcmp(media, "cdrom");
    drive.is_readonly = is_cdrom || is_on(&drive.keyval, "readonly");
    drive.is_flash = interface && !strcmp(interface, "pflash");
    if (!interface)
        drive.interface = default_interface(drives->importer);
    else if (!strcmp(interface, "virtio") || !strcmp(interface, "ide"))
        drive.interface = interface;
    bool is_known =
        drive.interface || (interface && !strcmp(interface, "none"));
    /* A read-only disk of IDE is a CD-ROM to us. */
    if (drive.interface && !strcmp(drive.interface, "ide") && !is_cdrom &&
        drive.is_readonly)
        is_known = false;
    if (drive.is_flash ? import_has_only(&drive.keyval, flash_keys)
                       : is_known && import_has_only(&drive.keyval, drive_keys))
        drive.file = is_plain_file(file) ? xstrdup(file) : NULL;
    drive.id = xstrdup(keyval_get(&drive.keyval, "id", false));
    drives->items[drives->count++] = drive;
}

/* A -blockdev's value as pairs: "file.filename" for JSON's object in an object.
 */
static bool
read_blockdev(const char *value, struct keyval *ret)
{
    if (value[0] != '{') {
        keyval_parse(ret, value);
        return true;
    }
    json_t *object = json_loads(value, JSON_REJECT_DUPLICATES, NULL);
    json_t *file = json_incref(json_object_get(object, "file"));
    const char *name = NULL;
    json_t *member = NULL;
    if (json_is_object(file)) {
        json_object_del(object, "file");
        json_object_foreach(file, name, member)
        {
            char *key = xasprintf("file.%s", name);
            json_object_set(object, key, member);
            free(key);
        }
    }
    json_decref(file);
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    bool ok = text && import_read_device(text, ret);
    free(text);
    json_decref(object);
    return ok;
}

struct drive *
import_find_drive(struct drives *drives, const char *id)
{
    for (size_t i = 0; id && i < drives->count; i++) {
        if (drives->items[i].id && !strcmp(drives->items[i].id, id))
            return &drives->items[i];
    }
    return NULL;
}

static bool
has_snapshot(const struct importer *importer)
{
    bool found = false;
    for (size_t i = 0; i < importer->count; i++)
        found = found || (importer->items[i].name &&
                          !strcmp(importer->items[i].name, "snapshot"));
    return found;
}

static void
collect_blockdev(struct drives *drives, struct import_item *item)
{
    struct drive drive = {.item = item, .is_blockdev = true};
    bool is_read = read_blockdev(item->value, &drive.keyval);
    const char *driver = keyval_get(&drive.keyval, "driver", true);
    const char *protocol = keyval_get(&drive.keyval, "file.driver", false);
    const char *file = keyval_get(&drive.keyval, "file.filename", false);
    struct drive *below =
        import_find_drive(drives, keyval_get(&drive.keyval, "file", false));
    if (driver && !strcmp(driver, "file"))
        file = keyval_get(&drive.keyval, "filename", false);
    else if (below && below->is_blockdev && below->file &&
             !strcmp(keyval_get(&below->keyval, "driver", true), "file"))
        file = below->file;
    else if (!protocol || strcmp(protocol, "file") != 0)
        file = NULL;
    if (below && file == below->file)
        drive.below = below->item;
    drive.is_readonly = is_on(&drive.keyval, "read-only");
    /* -snapshot counts for -drive alone, which a disk of ours becomes */
    if (is_read && driver && !has_snapshot(drives->importer) &&
        import_has_only(&drive.keyval, blockdev_keys))
        drive.file = is_plain_file(file) ? xstrdup(file) : NULL;
    drive.id = xstrdup(keyval_get(&drive.keyval, "node-name", false));
    drives->items[drives->count++] = drive;
}

static void
collect(struct drives *drives)
{
    static const char *const disks[] = {"hda", "hdb", "hdc", "hdd"};
    struct importer *importer = drives->importer;
    drives->items = xcalloc(importer->count + 1, sizeof(*drives->items));
    for (size_t i = 0; i < importer->count; i++) {
        struct import_item *item = &importer->items[i];
        if (!item->name && !item->is_done)
            collect_short(drives, item, false);
        for (size_t k = 0; k < COUNT(disks); k++) {
            if (import_is(item, disks[k]))
                collect_short(drives, item, false);
        }
        if (import_is(item, "cdrom"))
            collect_short(drives, item, true);
        else if (import_is(item, "drive"))
            collect_drive(drives, item);
        else if (import_is(item, "blockdev"))
            collect_blockdev(drives, item);
    }
}

const char *
import_drive_format(const struct drive *drive)
{
    if (!drive->is_blockdev)
        return keyval_get(&drive->keyval, "format", false);
    const char *driver = keyval_get(&drive->keyval, "driver", true);
    return driver && !strcmp(driver, "file") ? "raw" : driver;
}

/* Adds it to "disks". serial: may be NULL. */
static void
add_disk(struct drives *drives, struct drive *drive, const char *interface,
         const char *serial)
{
    const char *cache = keyval_get(&drive->keyval, "cache", false);
    const char *discard = keyval_get(&drive->keyval, "discard", false);
    const char *format = import_drive_format(drive);
    json_t *disk = json_object();
    json_object_set_new(disk, "file", import_path(drive->file));
    if (format)
        json_object_set_new(disk, "format", json_string(format));
    if (strcmp(interface, "virtio") != 0)
        json_object_set_new(disk, "interface", json_string(interface));
    if (cache)
        json_object_set_new(disk, "cache", json_string(cache));
    if (discard)
        json_object_set_new(
            disk, "discard",
            json_boolean(!strcmp(discard, "unmap") || !strcmp(discard, "on")));
    if (serial)
        json_object_set_new(disk, "serial", json_string(serial));
    if (drive->is_readonly)
        json_object_set_new(disk, "readonly", json_true());
    json_array_append_new(drives->importer->disks, disk);
    drive->item->is_done = true;
    if (drive->below)
        drive->below->is_done = true;
}

/* What a disk's new place is, where it cannot be the old one. */
static void
note_place(struct drives *drives, const struct drive *drive, size_t place)
{
    const char *name = drive->item->name;
    const char *media = keyval_get(&drive->keyval, "media", false);
    bool is_cdrom = media && !strcmp(media, "cdrom");
    bool is_drive = name && !strcmp(name, "drive");
    const char *moved = (size_t)drive->place == place
                            ? ""
                            : ", in the next place instead of its own";
    if (name && !is_drive)
        import_note(drives->importer, "-%s %s: a disk on %s%s%s", name,
                    drive->item->value, drive->interface,
                    is_cdrom ? ", a CD-ROM" : "", moved);
    else if (is_drive && moved[0])
        import_note(drives->importer, "-drive %s: a disk on %s%s",
                    drive->item->value, drive->interface, moved);
}

/* Those that QEMU puts on an interface by itself. */
static void
take_simple(struct drives *drives, const char *interface)
{
    size_t taken = 0;
    for (size_t i = 0; i < drives->count; i++) {
        struct drive *drive = &drives->items[i];
        if (drive->item->is_done || !drive->file || !drive->interface ||
            strcmp(drive->interface, interface) != 0)
            continue;
        add_disk(drives, drive, drive->interface, NULL);
        note_place(drives, drive, taken++);
    }
}

/* Our ids: a controller of SATA has six ports. */
static bool
is_own_sata(const char *bus)
{
    return bus && !strncmp(bus, "gmsata", 6);
}

/* The id of the only virtio-scsi controller without options, or NULL. */
static struct import_item *
find_scsi(struct importer *importer, char **ret_id)
{
    static const char *const known[] = {"", "driver", "id", NULL};
    struct import_item *found = NULL;
    int at = -1;
    struct import_item *item = NULL;
    while ((item = import_next(importer, "device", &at))) {
        struct keyval keyval = {0};
        bool is_read = import_read_device(item->value, &keyval);
        const char *driver = keyval_get(&keyval, "driver", true);
        if (is_read && driver && !strncmp(driver, "virtio-scsi", 11) &&
            !found && import_has_only(&keyval, known)) {
            found = item;
            free(*ret_id);
            const char *id = keyval_get(&keyval, "id", false);
            *ret_id = xstrdup(id ? id : "");
        }
        keyval_finish(&keyval);
    }
    return found;
}

/* Whether a scsi device's bus is that controller's. */
static bool
is_on_bus(const char *bus, const char *id)
{
    size_t len = id ? strlen(id) : 0;
    return !bus || (id && !strncmp(bus, id, len) && !strcmp(bus + len, ".0"));
}

/* Whether a bus and unit of IDE are those that the field's next disk gets: on a
 * PC of the old kind, two buses of two. */
static bool
is_next_ide(const struct keyval *keyval, size_t ide_disks)
{
    const char *bus = keyval_get(keyval, "bus", false);
    const char *unit = keyval_get(keyval, "unit", false);
    char *next = xasprintf("ide.%zu:%zu", ide_disks / 2, ide_disks % 2);
    char *said = xasprintf("%s:%s", bus ? bus : "", unit ? unit : "");
    bool is_next = (!bus && !unit) || !strcmp(next, said);
    free(said);
    free(next);
    return is_next;
}

/* The interface that a -device puts a drive on, or NULL: one that no field
 * says. */
static const char *
device_interface(const struct keyval *keyval, const struct drive *drive,
                 const char *scsi_id, size_t ide_disks)
{
    static const char *const known[] = {"",    "driver", "drive", "id",
                                        "bus", "serial", "unit",  NULL};
    const char *driver = keyval_get(keyval, "driver", true);
    const char *bus = keyval_get(keyval, "bus", false);
    for (size_t i = 0; driver && i < COUNT(disk_devices); i++) {
        const struct disk_device *device = &disk_devices[i];
        if (strcmp(device->driver, driver) != 0)
            continue;
        bool is_scsi = !strcmp(device->interface, "scsi");
        bool is_ide = !strcmp(device->interface, "ide");
        bool is_sata = is_ide && is_own_sata(bus);
        bool fits =
            import_has_only(keyval, known) &&
            (is_scsi  ? scsi_id && is_on_bus(bus, scsi_id)
             : is_ide ? is_sata || is_next_ide(keyval, ide_disks)
                      : !bus && !keyval_get(keyval, "unit", false)) &&
            (!(is_scsi || is_ide) || device->is_cdrom == drive->is_readonly);
        return !fits ? NULL : is_sata ? "sata" : device->interface;
    }
    return NULL;
}

/* What our own "cdrom" gives comes back as it was. */
static void
take_own_cdrom(struct drives *drives, struct drive *drive)
{
    json_object_set_new(drives->importer->entry, "cdrom",
                        import_path(drive->file));
    drive->item->is_done = true;
}

/* A SCSI disk without a serial number calls itself by its drive's id. */
static void
note_scsi(struct importer *importer, const struct drive *drive,
          const char *interface, const char *serial)
{
    if (!strcmp(interface, "scsi") && !serial && !drive->is_blockdev &&
        strncmp(drive->id, "gmdisk", 6) != 0)
        import_note(importer,
                    "%s: what the guest has in /dev/disk/by-id ends in gmdisk "
                    "and a number instead of %s; \"serial\" gives it a name",
                    drive->file, drive->id);
}

/* The pairs of -drive if=none or -blockdev with a -device. */
static void
take_pairs(struct drives *drives)
{
    struct importer *importer = drives->importer;
    char *scsi_id = NULL;
    struct import_item *scsi = find_scsi(importer, &scsi_id);
    size_t scsi_disks = 0;
    size_t sata_disks = 0;
    size_t ide_disks = 0;
    int at = -1;
    struct import_item *item = NULL;
    while ((item = import_next(importer, "device", &at))) {
        struct keyval keyval = {0};
        bool is_read = import_read_device(item->value, &keyval);
        struct drive *drive =
            import_find_drive(drives, keyval_get(&keyval, "drive", false));
        const char *interface =
            is_read && drive && drive->file && !drive->item->is_done
                ? device_interface(&keyval, drive, scsi_id, ide_disks)
                : NULL;
        const char *serial = keyval_get(&keyval, "serial", false);
        if (serial && !strncmp(serial, "gmdisk", 6))
            serial = NULL; /* NVMe's, which must have one */
        if (interface) {
            if (!strcmp(drive->id, "gmcdrom"))
                take_own_cdrom(drives, drive);
            else
                add_disk(drives, drive, interface, serial);
            note_scsi(importer, drive, interface, serial);
            item->is_done = true;
            scsi_disks += !strcmp(interface, "scsi");
            sata_disks += !strcmp(interface, "sata");
            ide_disks += !strcmp(interface, "ide");
        }
        keyval_finish(&keyval);
    }
    free(scsi_id);
    if (scsi && scsi_disks)
        scsi->is_done = true;
    at = -1;
    while (sata_disks && (item = import_next(importer, "device", &at)))
        item->is_done = !strncmp(item->value, "ahci,id=gmsata", 14);
}

void
import_disks(struct importer *importer)
{
    struct drives drives = {.importer = importer};
    collect(&drives);
    import_place_drives(&drives);
    import_firmware(&drives);
    /* in the order in which QEMU makes them */
    take_simple(&drives, "ide");
    take_pairs(&drives);
    take_simple(&drives, "virtio");
    for (size_t i = 0; i < drives.count; i++) {
        keyval_finish(&drives.items[i].keyval);
        free(drives.items[i].id);
        free(drives.items[i].file);
    }
    free(drives.items);
}
