#pragma once

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What happens to a QEMU console whose log cannot grow. QEMU says nothing and
 * goes on; the pty has what the log lacks. So while the disk is nearly full, or
 * nothing in the log answers to somebody's typing, the pty is held open and
 * read, and its bytes are counted against the log's growth. Bytes that the log
 * lacks while it stands still are content from then on, until it grows again;
 * a mark says how many are missing. */
struct console;

/* Free bytes below which a disk is nearly full, and above which it is not any
 * more. */
#define LOSS_LOW_BYTES (16u << 20)
#define LOSS_ENOUGH_BYTES (32u << 20)
/* ms; the disk is looked at this often at most, when the log grows. */
#define LOSS_SPACE_PAUSE_MS 1000
/* ms; a log that stands still this long while the pty brings bytes has lost
 * them. QEMU writes both in one go, the pty first. */
#define LOSS_STILL_MS 300
/* ms; typing that nothing in the log answers to is suspicious after this. */
#define LOSS_ANSWER_MS 500
/* ms; QEMU takes what is typed this long after the pty was opened at the
 * latest: it looks once a second. */
#define LOSS_OPENING_MS 1200
/* The pty's bytes that are kept for comparison. */
#define LOSS_RECENT_BYTES (256u << 10)

enum loss_state {
    LOSS_STATE_OFF, /* the log is the content, the pty's output discarded */
    LOSS_STATE_WATCHING, /* the log is the content, the pty is compared */
    LOSS_STATE_GAP,      /* the pty is the content */
};

struct loss {
    enum loss_state state;
    struct loop_timer *check;  /* while watching: the log stands still? */
    struct loop_timer *answer; /* after typing */
    uint64_t typed_end;        /* the log's size when something was typed */
    uint64_t space_ms;         /* when the disk was last looked at */
    bool is_low;               /* the disk is nearly full */
    bool is_holding;           /* the keyboard, because of that or of a gap */
    bool is_balancing;         /* inside is_balanced */
    bool is_based;             /* recent and base belong together */
    struct buffer recent;      /* from the pty, since the log had base bytes */
    uint64_t base;
    uint64_t still_end; /* the log's size when check was armed */
    bool is_behind;     /* and whether it lacked bytes then */
    uint64_t gap_bytes; /* from the pty, shown since the gap began */
};

void loss_init(struct console *console);
void loss_finish(struct console *console);

/* The pty was opened or closed, or QEMU is gone. */
void loss_keyboard_changed(struct console *console);

/* Somebody typed. */
void loss_typed(struct console *console);

/* The log grew. Returns whether its bytes are content; otherwise they were
 * shown already. */
bool loss_log_grew(struct console *console);

/* The pty brought bytes. */
void loss_drained(struct console *console, const char *bytes, size_t len);
