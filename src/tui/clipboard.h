#pragma once

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* The operator's own clipboard, by the terminal's leave: OSC 52 (XTerm Control
 * Sequences, "Operating System Commands"), which goes to the terminal that the
 * deck runs in, through tmux and screen if they are in between. Knows no
 * descriptor. */

/* The longest text that is sent so, bytes. Terminals set limits of their own
 * between 75 kB and some MB (XTerm's and hterm's are the lowest), and drop what
 * is longer without a word. */
#define CLIPBOARD_MAX_BYTES 74000u

enum clipboard_when {
    CLIPBOARD_AUTO, /* where it does no harm */
    CLIPBOARD_ON,
    CLIPBOARD_OFF,
};

/* "auto", "on", "off". */
bool clipboard_parse(const char *text, enum clipboard_when *ret_when,
                     struct error *error);

/* The ways that a sequence goes, a set: in doubt it is sent in two, and the one
 * that is not understood is dropped by who reads it. */
enum clipboard_way {
    CLIPBOARD_PLAIN = 1 << 0,
    CLIPBOARD_TMUX = 1 << 1,   /* as a DCS that tmux passes on */
    CLIPBOARD_SCREEN = 1 << 2, /* as DCSs that screen passes on */
};

/* What is known about the terminal; strings are the environment's, or NULL. */
struct clipboard_place {
    const char *term; /* TERM */
    const char *tmux; /* TMUX */
    const char *sty;  /* STY: screen */
    bool is_linux_vt;
};

/* enum clipboard_way; 0: not at all. */
unsigned clipboard_ways(enum clipboard_when when,
                        const struct clipboard_place *place);

/* Appends what sets the clipboard to text. */
void clipboard_encode(unsigned ways, const char *text, size_t len,
                      struct buffer *out);
