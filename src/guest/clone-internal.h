#pragma once

#include "base/buffer.h"
#include "fleet/spec.h"
#include "guest/ports.h"

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* A definition on its way to another guest; shared by clone*.c. */

struct clone_entry {
    json_t *entry;           /* owned: changed in place */
    const struct spec *spec; /* borrowed: of the guest that is copied */
    const char *name;        /* borrowed: the new guest's */
    struct ports *ports;     /* borrowed; may be NULL */
    const struct spec *const *others; /* borrowed: all guests' */
    size_t other_count;
    int chosen[64]; /* ports that were chosen for it */
    size_t chosen_count;
    size_t cards;       /* MAC addresses that were made */
    json_t *changes;    /* owned: texts, what is not as in the other guest */
    json_t *warnings;   /* owned: texts, what both still have */
    struct buffer vain; /* lines: what both would have, and cannot */
};

/* Places are texts such as "args[3]". */
void clone_changed(struct clone_entry *clone, const char *place,
                   const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void clone_warn(struct clone_entry *clone, const char *place,
                const char *format, ...) __attribute__((format(printf, 3, 4)));
void clone_refuse(struct clone_entry *clone, const char *place,
                  const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* clone-entry.c: gives the entry what is its own: cards, ports, display,
 * firmware, host's name. False with error: what it cannot share. */
bool clone_change_entry(struct clone_entry *clone, struct error *error);

/* clone-own.c: texts of its own for what only one guest can have. The caller
 * frees them; NULL: it was refused. */

/* A path with the new guest's name in the file's name. */
char *clone_own_path(struct clone_entry *clone, const char *place,
                     const char *path);
/* "5900", "127.0.0.1:5900": with a port that is free. */
char *clone_own_port(struct clone_entry *clone, const char *place,
                     const char *text);
/* A value of hostfwd. */
char *clone_own_forward(struct clone_entry *clone, const char *place,
                        const char *text);
/* A value of -vnc, or of the field. */
char *clone_own_display(struct clone_entry *clone, const char *place,
                        const char *text);
/* A display's number that no other guest has. 0: there is none. */
int clone_free_display(struct clone_entry *clone, const char *host, int after);

/* clone-args.c: changes what the values of QEMU's options say. */

/* "args": words. */
void clone_change_args(struct clone_entry *clone, json_t *args);
/* One value of an option: text, or an object as -device takes it. Gives the
 * changed value, a new reference, or NULL: it is as it was. */
json_t *clone_change_value(struct clone_entry *clone, const char *place,
                           const char *option, const json_t *value);
