#pragma once

#include "qemu/cmdline.h"

#include <stddef.h>

/* Shared by cmdline*.c: one rewriting at work. */

/* What becomes of one of QEMU's options. */
enum cmdline_action {
    CMDLINE_ACTION_KEEP,
    CMDLINE_ACTION_DROP,
    CMDLINE_ACTION_SERIAL,
    CMDLINE_ACTION_PARALLEL,
    CMDLINE_ACTION_MONITOR,
    CMDLINE_ACTION_MON,
    CMDLINE_ACTION_CHARDEV,
    CMDLINE_ACTION_DEVICE,
    CMDLINE_ACTION_DISPLAY,
    CMDLINE_ACTION_REMOTE, /* -vnc, -spice */
    CMDLINE_ACTION_NOGRAPHIC,
    CMDLINE_ACTION_UUID,
    CMDLINE_ACTION_SANDBOX,
    CMDLINE_ACTION_NET,
    CMDLINE_ACTION_SPAWN, /* may make QEMU run programs */
};

struct cmdline_option {
    const char *name; /* without dashes */
    bool is_flag;     /* takes no value */
    enum cmdline_action action;
    const char *why; /* for the note, where it is dropped */
};

/* The row of an option ("m"); never NULL: one that is not in the table takes a
 * value and is kept. */
const struct cmdline_option *cmdline_find_option(const char *name);

/* One option of the line with its value, or a lone word (a disk image). */
struct cmdline_item {
    const char *word;  /* borrowed: "-serial" */
    const char *value; /* borrowed, or NULL */
    char *new_value;   /* owned: what stands there instead, or NULL */
    const struct cmdline_option *option; /* NULL: a lone word */
    bool is_dropped;
};

/* A -chardev and who uses it. */
struct cmdline_chardev {
    char *id; /* owned */
    bool is_interactive;
    size_t item;
    unsigned consoles;
    unsigned monitors;
    unsigned others;
};

struct cmdline_rewriter {
    struct cmdline *result; /* owned until it is handed over */
    const char *arch;
    unsigned flags;
    struct cmdline_item *items; /* owned */
    size_t item_count;
    struct cmdline_chardev *chardevs; /* owned */
    size_t chardev_count;
    size_t note_count;
    size_t serial_ports; /* as the guest counts them */
    bool has_serial;     /* -serial is given */
    bool has_nodefaults;
    bool adds_serial; /* a -serial of ours goes at the end */
};

void cmdline_note(struct cmdline_rewriter *rewriter, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Whether a backend ("stdio", "vc:80Cx24C" …) is there for a person to look
 * at. */
bool cmdline_is_interactive(const char *backend);

/* Finds the chardevs; to be called first. */
void cmdline_collect_chardevs(struct cmdline_rewriter *rewriter);

/* Gives the serial ports and console devices to guestmux. */
bool cmdline_take_consoles(struct cmdline_rewriter *rewriter,
                           struct error *error);

/* Takes the monitors away, and the chardevs that nobody uses then. */
void cmdline_take_monitors(struct cmdline_rewriter *rewriter);
