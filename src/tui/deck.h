#pragma once

#include "base/error.h"
#include "base/paths.h"
#include "tui/clipboard.h"

#include <stdbool.h>

#include <uv.h>

/* The full-screen deck: runs until the operator leaves. */

enum deck_end {
    DECK_END_DETACHED,    /* the operator left; all goes on */
    DECK_END_SERVER_GONE, /* the connection ended */
    DECK_END_SIGNAL,      /* SIGTERM, SIGHUP: the terminal is restored */
    DECK_END_SSH,   /* the terminal is for `guestmux ssh` now; the message is
                     * the guest's name */
    DECK_END_FAILED /* error is set: no terminal, too dumb … */
};

struct deck_options {
    const struct paths *paths; /* borrowed */
    int fd;                    /* connected to the server; the deck's now */
    bool is_read_only;
    const char *theme;             /* name or path; NULL: the default */
    const char *keymap;            /* name or path; NULL: the default */
    const char *focus;             /* guest to focus first, or NULL */
    enum clipboard_when clipboard; /* whether copying reaches the terminal's */
    bool is_single; /* one console without the deck's furniture */
};

/* Takes over the terminal on standard input and output; gives it back as it
 * was on every way out. message: set to what should be said after leaving (the
 * caller frees it), or NULL. */
enum deck_end deck_run(const struct deck_options *options, char **ret_message,
                       struct error *error);
