#pragma once

#include "qemu/cmdline-internal.h"
#include "qemu/import.h"
#include "qemu/keyval.h"

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* One command line on its way into an entry; shared by import*.c. */

struct import_item {
    const char *word;  /* borrowed: "-serial" */
    const char *name;  /* borrowed: without dashes; NULL: a lone word */
    const char *value; /* borrowed, or NULL */
    bool is_done;      /* it is in the entry, or was noted */
};

struct importer {
    json_t *entry; /* owned */
    struct import_item *items;
    size_t count;
    const char *program; /* borrowed */
    const char *arch;    /* borrowed */
    char *machine;       /* owned: the type, or NULL: QEMU's default */
    char **notes;        /* owned */
    size_t note_count;
    size_t first_note; /* notes before it are about the way to QEMU's name */
    bool has_nodefaults;
    bool has_net;  /* some option says what networks there are */
    json_t *disks; /* owned, as the following */
    json_t *nics;
    json_t *usb;
    json_t *devices;
    json_t *args;
    json_t *consoles;
    json_t *env;
    char *give_up; /* owned: why it has to stay a command, or NULL */
};

void import_note(struct importer *importer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Why fields cannot say it; the first one counts. */
void import_give_up(struct importer *importer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The next item of an option, after *at (-1: from the beginning), or NULL.
 * Those that are done are left out. */
struct import_item *import_next(struct importer *importer, const char *name,
                                int *at);
/* The same for one with a value. */
bool import_is(const struct import_item *item, const char *name);

/* Whether a guest can have it as a name, with a number behind it, too. */
#define IMPORT_NAME_MAX_BYTES 44
bool import_is_name(const char *text);

/* A string that the fleet file's reader turns back into text: placeholders
 * ("{name}") and, in paths, variables ("${") are made literal. New reference.
 */
json_t *import_text(const char *text);
json_t *import_path(const char *path);
void import_set_text(struct importer *importer, const char *field,
                     const char *text);

/* Whether all keys are among names ("" is the first value without a key). */
bool import_has_only(const struct keyval *keyval, const char *const *names);

/* Whether the machine is a PC ("pc", "q35" and theirs), or one of them. */
bool import_is_pc(const struct importer *importer);
bool import_is_q35(const struct importer *importer);

/* Reads a -device's value; a JSON one becomes the same pairs. false: it has
 * parts that pairs cannot say. */
bool import_read_device(const char *value, struct keyval *ret);

/* Whether a fleet file may have this entry, and the rest of guestmux takes it.
 */
bool import_is_entry_good(const json_t *entry, struct error *error);

/* Where a command stands and what stands before it. */
struct import_origin {
    const char *where;        /* "" or "line 3: " */
    char *const *assignments; /* "NAME=value"; NULL: none */
};

/* Adds the guest of one command. name: NULL: one is found. */
bool import_one(struct import *import, char *const *words,
                const struct import_origin *origin, const char *name,
                struct error *error);
/* A free name: the wanted one, or with is_stem or when that is taken with a
 * number behind it. The caller frees it. */
char *import_free_name(const struct import *import, const char *wanted,
                       bool is_stem);
/* text: moved. */
void import_add_note(char ***notes, size_t *count, char *text);

/* import-program.c: "NAME=value" for "env", unless a fleet file may not set it;
 * then it is noted. */
void import_take_variable(struct importer *importer, const char *word);
bool import_is_assignment(const char *word);
/* QEMU's name behind what only says how to start it, or NULL.
 * importer: gets the variables and notes of what stands before it; may be NULL.
 */
char *const *import_find_program(struct importer *importer, char *const *words);

/* import-text.c: which word of a command is a script for a shell of its own;
 * for shellscript_read_nested. */
int import_find_text(char *const *words, int from, const char **ret_argument);
/* Steps over assignments and wrappers before a command. importer: gets their
 * notes and variables; may be NULL. */
char *const *import_skip_wrappers(struct importer *importer,
                                  char *const *words);

/* import-options.c: options that are a field each. */
void import_options(struct importer *importer);
/* import-consoles.c: serial ports, consoles, monitors, displays. */
void import_consoles(struct importer *importer);
/* import-disks.c: disks and firmware. */
void import_disks(struct importer *importer);
/* import-nics.c */
void import_nics(struct importer *importer);
/* import-devices.c: display, USB, random bytes, and what is left. */
void import_devices(struct importer *importer);
