#pragma once

#include "qemu/import-internal.h"

/* The drives of one command line; shared by import-disks.c and
 * import-firmware.c. */

/* What a drive says, however it is written. All borrowed from keyval. */
struct drive {
    struct import_item *item;
    struct import_item *below; /* a -blockdev of the file itself, or NULL */
    struct keyval keyval;      /* owned: of -drive, or of a -blockdev */
    char *id;                  /* owned: what a device names; NULL: none */
    char *file;                /* owned; NULL: one that is no field */
    const char *interface;     /* a field's: "ide"; NULL: said by a device */
    int place;                 /* QEMU's index on that interface */
    bool is_readonly;
    bool is_blockdev;
    bool is_flash;
};

struct drives {
    struct importer *importer;
    struct drive *items; /* owned */
    size_t count;
};

/* By its id; NULL: there is none. */
struct drive *import_find_drive(struct drives *drives, const char *id);
/* A drive's format, or NULL. -blockdev's driver says it; a file without one is
 * raw. Borrowed. */
const char *import_drive_format(const struct drive *drive);

/* import-firmware.c: those in flash that the field "firmware" says. */
void import_firmware(struct drives *drives);

/* import-places.c: drives that have an interface get QEMU's index on it and
 * come in its order; what has to stay beside one that is no field stays. */
void import_place_drives(struct drives *drives);
