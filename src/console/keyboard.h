#pragma once

#include "base/error.h"
#include "console/watchdog.h"

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

/* The pty of a QEMU chardev, used as a keyboard. It is open while it is held,
 * while bytes wait for the guest and for KEYBOARD_LINGER_MS after the last
 * byte; everything that comes out of it is read at once, for an open pty that
 * nobody reads freezes the guest. */
struct keyboard;

/* ms; QEMU looks once a second whether somebody opened its pty, and what was
 * written to one that was closed again before that look is lost. Once QEMU has
 * seen it open, it reads what was written even after the close. */
#define KEYBOARD_LINGER_MS 2500
/* ms; how often a pty that cannot be opened is tried again while held. */
#define KEYBOARD_RETRY_MS 2000
/* ms; a pty that gets a few bytes at a time is read this often. It holds
 * 17 KiB or more. */
#define KEYBOARD_DRAIN_PAUSE_MS 10

/* Every handler may free the keyboard. */
struct keyboard_handlers {
    /* It was opened or closed. */
    void (*on_state)(void *data);
    /* What the guest printed, the pty's version: incomplete after opening. */
    void (*on_drained)(void *data, const char *bytes, size_t len);
    void (*on_trouble)(void *data, const struct error *error);
};

struct keyboard *keyboard_new(uv_loop_t *loop, struct watchdog *watchdog,
                              const struct keyboard_handlers *handlers,
                              void *data);
void keyboard_free(struct keyboard *keyboard);

/* path: "/dev/pts/7", or NULL when QEMU is gone; what waits is dropped then.
 * Its identity is noted: numbers of ptys are reused, and one that became
 * somebody else's is never opened. */
void keyboard_set_path(struct keyboard *keyboard, const char *path);

/* Counted. */
void keyboard_hold(struct keyboard *keyboard);
void keyboard_release(struct keyboard *keyboard);

/* Writes at once what the pty takes and queues the rest. Refused as a whole
 * when more than max_pending bytes would wait, and when there is no pty. */
bool keyboard_type(struct keyboard *keyboard, const char *bytes, size_t len,
                   size_t max_pending, struct error *error);
size_t keyboard_pending(const struct keyboard *keyboard);

bool keyboard_is_open(const struct keyboard *keyboard);

/* Reads what is there now; for a caller that knows that something is. Returns
 * the bytes. The keyboard may be closed after. */
size_t keyboard_drain(struct keyboard *keyboard);

/* ms since the pty was opened; 0 while closed. */
uint64_t keyboard_open_ms(const struct keyboard *keyboard);

/* After the watchdog took descriptors away: opens the pty again if it was
 * this one's and it is still needed. Returns whether it was this one's; the
 * handlers may have freed the keyboard then. */
bool keyboard_check_taken(struct keyboard *keyboard);
