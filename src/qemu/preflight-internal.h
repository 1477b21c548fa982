#pragma once

#include "qemu/image-words.h"
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

/* preflight-uses.c: whether a file is free for what the guest does with it; it
 * is remembered. field: lives as long as the preflight. */
void preflight_check_use(const struct preflight_check *check, const char *path,
                         enum image_use use, const char *field, int index);

/* preflight-hardware.c: the firmware's files, and what devices read. */
void preflight_check_hardware(const struct preflight_check *check);

/* preflight-disks.c: disks, the CD-ROM, what the seed is made of. */
void preflight_check_disks(const struct preflight_check *check);

/* preflight-chain.c: the images below one, all the way down: that they can be
 * read, are what they are said to be, and do not come back to themselves. */
void preflight_check_chain(const struct preflight_check *check, const char *top,
                           int item);

/* An image that one is to be made over. */
void preflight_note_base(const struct preflight_check *check, const char *base,
                         int item);

/* preflight-host.c: asks a QEMU for its version, once. */
void preflight_note_qemu(const struct preflight_check *check,
                         const char *program, const char *field);

/* preflight-names.c: whether that QEMU knows the guest's machine, CPU, devices
 * and accelerator; each list is asked for once. */
void preflight_check_names(const struct preflight_check *check,
                           const char *program);

/* The guests' memory against this machine's. */
void preflight_check_memory(struct preflight *preflight,
                            const struct fleet *fleet);

/* preflight-ports.c: forwarded ports and VNC displays. */
void preflight_check_ports(struct preflight *preflight,
                           const struct fleet *fleet);

/* preflight-nics.c: cards with one MAC address, or on one tap device. */
void preflight_check_nics(struct preflight *preflight,
                          const struct fleet *fleet);

/* preflight-order.c: stages that are waited for in vain, or by nobody. */
void preflight_check_order(struct preflight *preflight,
                           const struct fleet *fleet);

/* Images that several guests of the fleet open. */
void preflight_check_uses(struct preflight *preflight);

/* What several guests want at once. */
void preflight_check_shared(struct preflight *preflight,
                            const struct fleet *fleet);
