#pragma once

#include "guest/guest.h"

/* What is done to a guest's disks. Each begins it and returns at once, as the
 * actions of guest.h do. While an image of a guest that does not run is worked
 * on, the guest is held: it cannot be started or removed. */

/* Index of a disk by its name; -1 with error, which names those that there
 * are. NULL: the only one. */
int guest_find_disk(const struct guest *guest, const char *name,
                    struct error *error);

/* Grows a disk: the image of a guest that is off, or through the monitor. Done:
 * it has that size. */
bool guest_resize_disk(struct guest *guest, size_t index, uint64_t bytes,
                       guest_done_fn on_done, void *data, struct error *error);

/* Puts a fresh image in the place of one that guestmux made; what was written
 * to that is lost, once the new one is whole. Refused while the guest runs. */
bool guest_reset_disk(struct guest *guest, size_t index, guest_done_fn on_done,
                      void *data, struct error *error);

enum guest_clone_flags {
    GUEST_CLONE_FULL = 1 << 0, /* with what is on the disks */
};

struct guest_clone_plan {
    const char *name;                 /* of the new guest */
    unsigned flags;                   /* enum guest_clone_flags */
    const struct spec *const *others; /* all guests' definitions */
    size_t other_count;
};

/* Makes the definition of another guest that can run beside this one, and if
 * asked copies of the disks. plan: borrowed during the call. Refused when they
 * would share what only one guest can have. spec: the caller's from then on;
 * NULL with error. told: borrowed: {"changes": texts, what is not as in this
 * one, "warnings": texts, what the two still have in common}. */
typedef void (*guest_cloned_fn)(void *data, struct spec *spec,
                                const json_t *told, const struct error *error);
bool guest_clone(struct guest *guest, const struct guest_clone_plan *plan,
                 guest_cloned_fn on_done, void *data, struct error *error);

/* Gives the guest a new instance-id, so that cloud-init takes it for a new
 * machine when it boots next. The caller frees it; NULL with error. */
char *guest_renew_instance(struct guest *guest, struct error *error);

/* Deletes what guestmux made for a guest that does not run: images, seed,
 * instance-id. Other files stay, and keep the directory. */
void guest_remove_data(const struct guest *guest);
/* Deletes its seed alone: it can hold the hash of a password. */
void guest_remove_seed(const struct guest *guest);
