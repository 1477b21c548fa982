#pragma once

#include "base/error.h"
#include "fleet/fleet.h"
#include "qemu/names.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Looks for what would keep a fleet's guests from starting: QEMU missing or
 * old, machines, CPUs and devices that it does not know, files missing or not
 * readable, formats that are not what they are said to be, images in use,
 * shared by two guests or below what guestmux made, ports and displays taken,
 * KVM, memory. It changes nothing, and starts nothing but QEMU --version and
 * its lists of names. */

enum preflight_severity {
    PREFLIGHT_SEVERITY_ERROR,   /* the guest will not start */
    PREFLIGHT_SEVERITY_WARNING, /* it may not do what is meant */
    PREFLIGHT_SEVERITY_NOTE,    /* what was rewritten in a command */
    PREFLIGHT_SEVERITY_COUNT
};

struct preflight_finding {
    enum preflight_severity severity;
    const char *guest; /* borrowed from the fleet */
    const char *field; /* a literal; NULL: the guest as a whole */
    int index;         /* item of the field, or -1 */
    char *text;        /* owned; fit to show */
};

/* A QEMU that guests run. */
struct preflight_qemu {
    char *program; /* owned: its path */
    char *version; /* owned: "7.2.22 (Debian …)", or empty: it does not say */
    struct names names[NAMES_COUNT]; /* those that it was asked for */
    bool is_silent[NAMES_COUNT];     /* asked, and it did not tell */
};

/* An image that a guest opens. */
struct preflight_use {
    dev_t device;
    ino_t inode;
    char *path;              /* owned */
    const struct spec *spec; /* borrowed */
    const char *field;       /* borrowed: "disks" … */
    int index;
    bool is_writer;
    bool is_unlocked; /* it writes without the locks */
    bool is_output;   /* no image to it: QEMU empties it */
    size_t order;     /* in the file */
};

/* An image below a guest's: nobody may write to it. */
struct preflight_lower {
    dev_t device;
    ino_t inode;
    char *path;              /* owned */
    const struct spec *spec; /* borrowed from the fleet */
    int item;                /* of its disks */
};

/* Zero-initialise it. */
struct preflight {
    /* The directory of the server's guests' images; NULL: it is not looked at.
     * Borrowed during preflight_run. */
    const char *data_dir;
    struct preflight_finding *findings; /* owned; in the files' order */
    size_t count;
    size_t counts[PREFLIGHT_SEVERITY_COUNT];
    struct preflight_qemu *qemus; /* owned; each program once */
    size_t qemu_count;
    struct preflight_use *uses; /* owned */
    size_t use_count;
    struct preflight_lower *lowers; /* owned */
    size_t lower_count;
};

/* Adds what is found. fleet: borrowed as long as preflight is in use. Reads
 * the first bytes of disk images; may wait for a slow file system, and for QEMU
 * to tell its version and names: not for the loop. */
void preflight_run(struct preflight *preflight, const struct fleet *fleet);
void preflight_finish(struct preflight *preflight);

/* Whether every guest's command and args can be taken over, which the parser of
 * fleet files cannot tell. Looks at no file. error has a line for each that
 * cannot: "FILE:LINE:COL: guests.n1.command: …". */
bool preflight_check_commands(const struct fleet *fleet, struct error *error);

/* "FILE:LINE:COL: guests.n1.kernel: error: …". The caller frees it. */
char *preflight_line(const struct fleet *fleet,
                     const struct preflight_finding *finding);

const char *preflight_severity_name(enum preflight_severity severity);
