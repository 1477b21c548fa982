#pragma once

#include "tui/selection.h"

struct deck;

/* Getting a part of a console's text from the server, and where it goes: into a
 * buffer of the server, to the operator's clipboard, into a file. The status
 * line says what came of it. */

enum copy_take_flags {
    COPY_TAKE_NEW = 0,          /* into a new buffer, and the clipboard */
    COPY_TAKE_APPEND = 1 << 0,  /* to the newest buffer instead */
    COPY_TAKE_REPLACE = 1 << 1, /* the file may exist */
};

/* target: the console, as the API names it. */
void copy_take(struct deck *deck, const char *target,
               const struct selection_extent *extent, unsigned flags);
/* Writes it to a file instead, with a newline at its end. "~/" is the home
 * directory. Without COPY_TAKE_REPLACE the file must not exist yet. */
void copy_take_to_file(struct deck *deck, const char *target,
                       const struct selection_extent *extent, const char *path,
                       unsigned flags);
/* Forgets what the server did not answer yet. */
void copy_take_finish(struct deck *deck);
