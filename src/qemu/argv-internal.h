#pragma once

#include "base/buffer.h"
#include "fleet/spec.h"
#include "qemu/argv.h"
#include "qemu/firmware.h"

#include <stddef.h>

/* A growing list of arguments; shared by argv*.c. */
struct argv_list {
    char **words; /* owned, NULL-terminated once anything was added */
    size_t count;
    size_t capacity;
};

void argv_add(struct argv_list *list, const char *word);
/* Adds a formatted word. */
void argv_add_format(struct argv_list *list, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Adds what a buffer holds, and empties it. */
void argv_add_buffer(struct argv_list *list, struct buffer *buffer);

/* Adds both, unless value is NULL. */
void argv_add_pair(struct argv_list *list, const char *option,
                   const char *value);

/* argv-disks.c: disks, the CD-ROM, the seed. */
void argv_add_disks(struct argv_list *list, const struct spec *spec,
                    const char *data_dir);

/* argv-nics.c: network cards, and the guest agent's port. */
void argv_add_nics(struct argv_list *list, const struct spec *spec,
                   const struct argv_runtime *runtime);
void argv_add_agent(struct argv_list *list, const struct spec *spec,
                    const struct argv_runtime *runtime);
/* Whether the cards make QEMU run programs: helpers, scripts. */
bool argv_nics_spawn(const struct spec *spec);

/* argv-console.c: the chardevs, and what a guest described by fields has its
 * consoles on; the kernel's command line, with the consoles' size where it is
 * fixed. */
void argv_add_chardevs(struct argv_list *list,
                       const struct argv_runtime *runtime, size_t count);
void argv_add_consoles(struct argv_list *list, const struct spec *spec);
void argv_add_append(struct argv_list *list, const struct spec *spec);

/* argv-hardware.c: -machine as the firmware wants it, the firmware's flash, and
 * display, USB, random bytes, further devices. */
void argv_add_machine(struct argv_list *list, const struct spec *spec,
                      const struct firmware *firmware);
void argv_add_firmware(struct argv_list *list, const struct firmware *firmware);
void argv_add_hardware(struct argv_list *list, const struct spec *spec);

/* How many words at argv_build's end are the user's own, from args. */
size_t argv_count_own(const struct spec *spec);

/* "pci", "ccw" or "device": how a machine's virtio devices end. */
const char *argv_virtio_bus(const struct spec *spec);
/* The architecture that the spec's QEMU emulates. Borrowed. */
const char *argv_arch(const struct spec *spec);
/* What -machine gets, or NULL. Borrowed. */
const char *argv_machine(const struct spec *spec);
