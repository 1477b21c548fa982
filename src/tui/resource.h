#pragma once

#include "base/buffer.h"
#include "base/error.h"

#include <stddef.h>

#include <jansson.h>

/* A theme or keymap file: found by name, or by path. */
struct resource {
    json_t *json; /* owned */
    char *place;  /* owned: the file, or "default theme", for messages */
};

enum resource_kind {
    RESOURCE_THEME,
    RESOURCE_KEYMAP,
};

/* Finds and reads name: a path when it has a slash; else CONFIG/themes (or
 * keymaps)/NAME.json, then the installed one, then, for "default" or NULL, the
 * one inside the program. config_dir: may be NULL. The caller finishes it. */
bool resource_load(struct resource *resource, enum resource_kind kind,
                   const char *name, const char *config_dir,
                   struct error *error);
void resource_finish(struct resource *resource);

/* Appends one line to the problems found in a file, to be shown all at once.
 * problems: lines of text, may be NULL. */
void resource_problem(struct buffer *problems, const char *place,
                      const char *format, ...)
    __attribute__((format(printf, 3, 4)));
