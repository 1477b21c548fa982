#pragma once

#include "base/error.h"
#include "console/watchdog.h"

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

/* The pty of a QEMU chardev, used as a keyboard. It is open while it is held,
 * while bytes wait for the guest and for KEYBOARD_LINGER_MS after the last
 * byte.
 *
 * An open pty that nobody reads freezes the guest. So does a closed one of
 * which QEMU has not noticed the closing: it looks only while the guest's UART
 * takes input, so a key typed into a guest that does not read (a kernel that
 * boots) is enough; the log then gets every byte five times over. Both were
 * tried with QEMU 7.2. Therefore the pty's line discipline is made to throw
 * away what comes out of it (KEYBOARD_MODE_DISCARD): nobody has to read, and
 * it stays so after a close, a SIGSTOP or a SIGKILL. */
struct keyboard;

enum keyboard_mode {
    /* The kernel throws away what the guest prints: a canonical input line
     * that no character ends is cut at 4095 bytes, without limit to what
     * follows (n_tty). */
    KEYBOARD_MODE_DISCARD,
    /* What the guest prints is read at once and handed out. */
    KEYBOARD_MODE_DRAIN,
};

/* ms; QEMU looks once a second whether somebody opened its pty; what was
 * written to one that was closed before is taken only when it is opened again.
 * Once QEMU has seen it open, it reads what was written even after the close
 * (tried, also with a paused guest). */
#define KEYBOARD_LINGER_MS 2500
/* ms; after the open and after the last byte, until QEMU has surely read what
 * was typed if the guest takes input: the second from above, and some. */
#define KEYBOARD_SETTLE_MS 1100
/* ms; how often a pty that cannot be opened is tried again while held. */
#define KEYBOARD_RETRY_MS 2000
/* ms; a pty that gets a few bytes at a time is read this often. It holds
 * 17 KiB or more. */
#define KEYBOARD_DRAIN_PAUSE_MS 10

/* Every handler may free the keyboard. */
struct keyboard_handlers {
    /* It was opened or closed. */
    void (*on_state)(void *data);
    /* What the guest printed, in KEYBOARD_MODE_DRAIN; incomplete for a second
     * after opening. */
    void (*on_drained)(void *data, const char *bytes, size_t len);
    void (*on_trouble)(void *data, const struct error *error);
    /* The pty took the last byte that waited, after it had taken no more for a
     * while. */
    void (*on_taken)(void *data);
};

struct keyboard *keyboard_new(uv_loop_t *loop, struct watchdog *watchdog,
                              const struct keyboard_handlers *handlers,
                              void *data);
void keyboard_free(struct keyboard *keyboard);

/* path: "/dev/pts/7", or NULL when QEMU is gone; what waits is dropped then.
 * Its identity is noted: numbers of ptys are reused, and one that became
 * somebody else's is never opened. */
void keyboard_set_path(struct keyboard *keyboard, const char *path);

/* A path will follow: what is typed until then waits for it, and is dropped
 * when there turns out to be none (keyboard_set_path with NULL). */
void keyboard_expect(struct keyboard *keyboard);

/* KEYBOARD_MODE_DISCARD in the beginning. What came before the change is
 * thrown away. */
void keyboard_set_mode(struct keyboard *keyboard, enum keyboard_mode mode);
enum keyboard_mode keyboard_mode(const struct keyboard *keyboard);

/* Counted. */
void keyboard_hold(struct keyboard *keyboard);
void keyboard_release(struct keyboard *keyboard);

/* Writes at once what the pty takes and queues the rest. Refused as a whole
 * when more than max_pending bytes would wait, and when there is no pty. */
bool keyboard_type(struct keyboard *keyboard, const char *bytes, size_t len,
                   size_t max_pending, struct error *error);
/* Forgets what waits, and what lies in the pty and QEMU has not read yet. */
void keyboard_discard(struct keyboard *keyboard);
size_t keyboard_pending(const struct keyboard *keyboard);

/* Whether there is a pty, open or not. */
bool keyboard_has_path(const struct keyboard *keyboard);
bool keyboard_is_open(const struct keyboard *keyboard);

/* In KEYBOARD_MODE_DRAIN, reads what is there now. Returns the bytes. The
 * keyboard may be closed after. */
size_t keyboard_drain(struct keyboard *keyboard);

/* ms since the pty was opened; 0 while closed. */
uint64_t keyboard_open_ms(const struct keyboard *keyboard);

/* ms until what was typed has reached a guest that takes input; 0: it has.
 * KEYBOARD_SETTLE_MS while the pty is closed. */
uint64_t keyboard_settles_ms(const struct keyboard *keyboard);

/* After the watchdog took descriptors away: opens the pty again if it was
 * this one's and it is still needed. Returns whether it was this one's; the
 * handlers may have freed the keyboard then. */
bool keyboard_check_taken(struct keyboard *keyboard);
