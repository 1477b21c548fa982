/* The places that QEMU gives to drives without a device: by index, not by where
 * they stand. */
#include "base/xalloc.h"
#include "qemu/import-drives.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* Indexes that are looked at; QEMU has no more disks on a kind of interface. */
#define MAX_INDEX 256
/* -cdrom's place. */
#define CDROM_INDEX 2

static int
key_number(const struct drive *drive, const char *key, int otherwise)
{
    const char *text = keyval_get(&drive->keyval, key, false);
    char *end = NULL;
    long number = text ? strtol(text, &end, 10) : -1;
    return text && *text && !*end && number >= 0 && number < MAX_INDEX
               ? (int)number
               : otherwise;
}

/* The index that its option says, or -1. units: of each of its buses. */
static int
said_index(const struct drive *drive, int units)
{
    const char *name = drive->item->name;
    if (!name)
        return 0; /* a lone image is -hda's */
    if (!strcmp(name, "cdrom"))
        return CDROM_INDEX;
    if (!strncmp(name, "hd", 2))
        return name[2] - 'a';
    int index = key_number(drive, "index", -1);
    int bus = key_number(drive, "bus", 0);
    int unit = key_number(drive, "unit", -1);
    return index >= 0 ? index : unit >= 0 ? bus * units + unit : -1;
}

static bool
is_on(const struct drive *drive, const char *interface)
{
    return drive->interface && !strcmp(drive->interface, interface);
}

/* As QEMU's drive_new() does: who says no index gets the first that is free. */
static void
find_places(struct drives *drives, const char *interface)
{
    bool is_taken[MAX_INDEX] = {false};
    int units = strcmp(interface, "ide") != 0     ? MAX_INDEX
                : import_is_q35(drives->importer) ? 1
                                                  : 2;
    for (size_t i = 0; i < drives->count; i++) {
        struct drive *drive = &drives->items[i];
        if (!is_on(drive, interface))
            continue;
        int index = said_index(drive, units);
        for (int next = 0; index < 0 && next < MAX_INDEX; next++)
            index = is_taken[next] ? -1 : next;
        drive->place = index < 0 || index >= MAX_INDEX ? MAX_INDEX - 1 : index;
        is_taken[drive->place] = true;
    }
}

/* When one of them is no field they all stay, else their places would be
 * others. */
static void
keep_together(struct drives *drives, const char *interface)
{
    bool is_kept = false;
    for (size_t i = 0; i < drives->count; i++)
        is_kept = is_kept || (is_on(&drives->items[i], interface) &&
                              !drives->items[i].file);
    for (size_t i = 0; is_kept && i < drives->count; i++) {
        struct drive *drive = &drives->items[i];
        if (!is_on(drive, interface))
            continue;
        free(drive->file);
        drive->file = NULL;
    }
}

void
import_place_drives(struct drives *drives)
{
    static const char *const interfaces[] = {"ide", "virtio"};
    for (size_t i = 0; i < COUNT(interfaces); i++) {
        find_places(drives, interfaces[i]);
        keep_together(drives, interfaces[i]);
    }
    /* By insertion: those with one place stay in their order. */
    for (size_t i = 1; i < drives->count; i++) {
        struct drive drive = drives->items[i];
        size_t at = i;
        for (; at && drives->items[at - 1].place > drive.place; at--)
            drives->items[at] = drives->items[at - 1];
        drives->items[at] = drive;
    }
}
