#pragma once

#include "base/error.h"

/* Which QEMU a binary is. */

/* The oldest that guestmux is written for. */
#define QEMU_MIN_MAJOR 6
#define QEMU_MIN_MINOR 2

struct qemu_version {
    int major; /* 0: it does not say */
    int minor;
    char text[256]; /* "7.2.22 (Debian 1:7.2+dfsg-7)", fit to show; or empty */
};

/* Runs the program with --version, for 5 s at most. Waits for it: not for the
 * loop. False with error when it cannot be run, or fails. */
bool qemu_version_read(const char *program, struct qemu_version *ret_version,
                       struct error *error);
