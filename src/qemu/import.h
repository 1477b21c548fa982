#pragma once

#include "base/error.h"

#include <stddef.h>

#include <jansson.h>

/* QEMU command lines as guests of a fleet file that mean the same: fields where
 * there are some, "args" for the rest. Where the order of serial ports or a
 * machine's default devices cannot be said by fields, the guest keeps its
 * command line ("command"). Nothing is left out without a note. */

/* Most notes that are kept of one import; more are counted. */
#define IMPORT_MAX_NOTES 2000

struct import {
    json_t *guests; /* owned: entries by their names, in order */
    char **notes;   /* owned: "line 3: n1: -S: …"; NULL-terminated, or NULL */
    size_t note_count;
};

void import_init(struct import *import);
void import_finish(struct import *import);

/* Adds a guest from the words of one command line, with what is to be dropped
 * in front of QEMU (sudo …). name: the guest's, NULL: its -name, or vm0, vm1 …
 * Nothing is added on failure. */
bool import_words(struct import *import, char *const *words, const char *name,
                  struct error *error);

/* Whether words are a QEMU command: QEMU's name, or what starts it. */
bool import_is_command(char *const *words);

/* Whether they are a shell or tmux with a script in one of them ("sh -c TEXT").
 */
bool import_is_shell(char *const *words);

/* Adds a guest for each QEMU command of a script, also of those that it hands
 * over to a shell of its own; other commands are noted.
 * file: for messages ("FILE:3: …"); NULL: none ("line 3: …"). name: of the
 * first guest, and what the names of the others begin with; may be NULL. error
 * has a line for each command that cannot be taken. */
bool import_script(struct import *import, const char *text, size_t len,
                   const char *file, const char *name, struct error *error);

/* The whole fleet file. New reference. */
json_t *import_to_fleet(const struct import *import);
