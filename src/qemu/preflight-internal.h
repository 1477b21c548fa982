#pragma once

#include "qemu/preflight.h"

/* Shared by preflight*.c: one guest being looked at. */
struct preflight_check {
    struct preflight *preflight;
    const struct spec *spec;
};

void preflight_add(const struct preflight_check *check,
                   enum preflight_severity severity, const char *field,
                   int index, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* KVM, for a guest that will not do without. */
void preflight_check_kvm(const struct preflight_check *check,
                         const char *field);

/* Files that a guest names, and KVM where its words ask for it. */
void preflight_check_files(const struct preflight_check *check);

/* Whether a file is there and may be read; mode: R_OK, or with W_OK. */
bool preflight_check_file(const struct preflight_check *check, const char *path,
                          int mode, const char *field, int index);

/* preflight-hardware.c: the firmware's files, and what devices read. */
void preflight_check_hardware(const struct preflight_check *check);

/* preflight-disks.c: disks, the CD-ROM, what the seed is made of. */
void preflight_check_disks(const struct preflight_check *check);

/* What several guests want at once. */
void preflight_check_shared(struct preflight *preflight,
                            const struct fleet *fleet);
