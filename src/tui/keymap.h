#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "tui/actions.h"

#include <stdbool.h>
#include <stddef.h>

/* Which keys mean what: in each mode a key is bound to an action. */
enum keymap_mode {
    KEYMAP_CONSOLE,    /* typing goes to a guest */
    KEYMAP_DEAD,       /* the focused guest does not run: nobody to type to */
    KEYMAP_PREFIX,     /* after the prefix key */
    KEYMAP_SIDEBAR,    /* the list of guests has the keyboard */
    KEYMAP_SCROLLBACK, /* moving in a console's history */
    KEYMAP_PAST,       /* moving in a console's record */
    KEYMAP_DIALOG,     /* a question waits */
    KEYMAP_MENU,       /* a list to choose from */
    KEYMAP_VIEWER,     /* help and other texts */
    KEYMAP_RECORDS,    /* the list of alerts, the timeline */
    KEYMAP_PROMPT,     /* a line is asked for in the status line */
    KEYMAP_MODE_COUNT
};

/* The modes' names in keymap files, and what they are, for the help. */
struct keymap_mode_info {
    const char *name;
    const char *heading;
};
extern const struct keymap_mode_info keymap_modes[KEYMAP_MODE_COUNT];

/* A key as keymap files write it, with the modifiers in order and the name in
 * its one spelling: "C-]", "M-x", "PageUp", "C-M-Left". */
#define KEYMAP_KEY_MAX_BYTES 32

struct keymap_binding {
    char key[KEYMAP_KEY_MAX_BYTES];
    const struct action *action;
};

struct keymap;

/* Loads a keymap as resource_load finds it. Bindings that it does not have
 * come from the one it inherits, and "default" is inherited when it names
 * none; null unbinds. Mistakes are appended to problems, and never keep it
 * from working. */
struct keymap *keymap_load(const char *name, const char *config_dir,
                           struct buffer *problems);
void keymap_free(struct keymap *keymap);

/* The key that leads every action while a guest is typed to ("C-]"). */
const char *keymap_prefix(const struct keymap *keymap);

/* What key (in its one spelling) does in mode; NULL: nothing. */
const struct action *keymap_find(const struct keymap *keymap,
                                 enum keymap_mode mode, const char *key);

/* The bindings of a mode in the file's order. "Prefix" stands in no binding:
 * it was replaced by the key. */
const struct keymap_binding *keymap_bindings(const struct keymap *keymap,
                                             enum keymap_mode mode,
                                             size_t *ret_count);

/* The first key bound to the action of that name; NULL when there is none. */
const char *keymap_key_of(const struct keymap *keymap, enum keymap_mode mode,
                          const char *action);

/* Writes text's one spelling. Refuses what is no key. */
bool keymap_normalise(const char *text, char key[KEYMAP_KEY_MAX_BYTES],
                      struct error *error);
