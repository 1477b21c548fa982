#pragma once

#include "base/error.h"
#include "console/terminal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

/* One console of a guest: its content (followed from the log that QEMU
 * writes, or from a descriptor that this process reads and logs itself), its
 * emulator, and its keyboard. Everything happens on the loop's thread but the
 * watchdog's closing of ptys. */
struct console;
struct freezer;
struct marks;
struct times;

/* What the consoles of one server share: the inotify descriptor, the watchdog
 * thread, the scratch buffers. One per process. */
struct console_hub;
struct console_hub *console_hub_new(uv_loop_t *loop, struct error *error);
void console_hub_free(struct console_hub *hub); /* after its consoles */

struct console_handlers {
    /* The screen or the history changed (called at most once per loop turn and
     * console). */
    void (*on_change)(void *data);
    /* Bytes that were just interpreted, live ones only; offset: of the first
     * byte in the log. For `wait --for`, alerts, `logs -f`. May be NULL. */
    void (*on_output)(void *data, const char *bytes, size_t len,
                      uint64_t offset);
    void (*on_bell)(void *data);
    /* The guest ended a frame (mode 2026), and more bytes may follow before
     * on_change: the screen is whole now. It may only be read. May be NULL. */
    void (*on_frame)(void *data);
    void (*on_title)(void *data, const char *title);
    /* The descriptor of an fd console ended: end of file, or errnum. */
    void (*on_end)(void *data, int errnum);
    /* Something the operator should know: the log cannot grow, the pty cannot
     * be opened … */
    void (*on_trouble)(void *data, const struct error *error);
    /* The guest took the last byte that waited (console_input_pending), after
     * it had taken no more for a while. May be NULL. */
    void (*on_input_taken)(void *data);
};

struct console_config {
    const char *log_path;   /* copied; made 0600 when missing */
    const char *marks_path; /* copied; sizes and boots beside the log */
    const char *times_path; /* copied; when what was printed; NULL: nowhere */
    uint64_t log_max_bytes; /* the log is kept within this; 0: it grows */
    int rows;
    int cols;
    size_t history_lines;
    const struct console_handlers *handlers; /* borrowed: lives as long */
    void *data;
};

/* Opens the log and starts to read it from its beginning: in steps that never
 * hold the loop for more than a few ms, queries unanswered, sizes changed where
 * the marks say they changed. Where the replay ends live content begins. */
struct console *console_new(struct console_hub *hub,
                            const struct console_config *config,
                            struct error *error);
void console_free(struct console *console);
/* Other bounds of the scrollback and the log, from now on. */
void console_set_bounds(struct console *console, size_t history_lines,
                        uint64_t log_max_bytes);

/* Content: exactly one of these says where it comes from. ---------------- */

/* QEMU writes the log and has a pty at pts_path ("/dev/pts/7"), which is opened
 * only while somebody has the keyboard (console_hold_keyboard) or typed a
 * moment ago. Call again with NULL when QEMU is gone; NULL also closes
 * the descriptor of console_set_fd. */
void console_set_pty(struct console *console, const char *pts_path);

/* QEMU runs, and its pty will be told (console_set_pty): what is typed until
 * then waits. */
void console_expect_pty(struct console *console);

/* The content is read from fd (a pty master, a serial device, a socket), fed
 * to the emulator and appended to the log by us; typing goes to fd. fd becomes
 * the console's: non-blocking, closed when it ends or by console_free. */
bool console_set_fd(struct console *console, int fd, struct error *error);

/* Notes in the marks that a new boot begins at the log's end, and resets the
 * emulator. */
void console_mark_boot(struct console *console);
/* The same for a reset at that moment (wall clock, ms; 0: now), unless a boot
 * begins there already. When the firmware's first words are in the log already
 * it begins with them. */
void console_mark_reset(struct console *console, int64_t at_ms);
/* Bytes that the log has since then, taken by the emulator or not. */
uint64_t console_boot_bytes(const struct console *console);
/* How many of them were there at that moment (wall clock, ms), as far as this
 * server had looked. */
uint64_t console_boot_bytes_at(const struct console *console, int64_t at_ms);

/* Keyboard ------------------------------------------------------------------
 */

/* Counted: while somebody has the console in focus the pty is open (what the
 * guest prints is thrown away there), so that typing is taken at once, and the
 * log is read at every change instead of every 10 ms. */
void console_hold_keyboard(struct console *console);
void console_release_keyboard(struct console *console);

/* Most bytes of typing and pasting that wait for a guest that does not read. */
#define CONSOLE_INPUT_MAX_BYTES (4u << 20)

/* Queues bytes for the guest; opens the pty when it is closed and keeps it
 * open until QEMU has taken them. Refused beyond CONSOLE_INPUT_MAX_BYTES, and
 * when there is nothing to type into. */
bool console_type(struct console *console, const char *bytes, size_t len,
                  struct error *error);
/* Forgets what waits for the guest. What its own machine has taken already is
 * not called back. */
void console_discard_input(struct console *console);

/* Sends a break on the serial line of an fd console; typing waits behind it.
 * Refused where there is no such line: QEMU's chardevs take theirs through the
 * monitor. */
bool console_send_break(struct console *console, struct error *error);
size_t console_input_pending(const struct console *console);

/* ms until what was typed has reached a guest that takes input; 0: it has. */
uint64_t console_input_settles_ms(const struct console *console);

/* Whether what is typed reaches a pty or descriptor that is open now. */
bool console_keyboard_is_open(const struct console *console);

/* The emulator ------------------------------------------------------------- */

/* Resizes the emulator; noted in the marks with the log's offset. For an fd
 * that is a pty, TIOCSWINSZ too. */
void console_resize(struct console *console, int rows, int cols);

/* Borrowed. For reading; only the console writes and resizes it. */
struct terminal *console_terminal(struct console *console);

/* What compresses its history, and may do so with others'. */
struct freezer *console_freezer(const struct console *console);

/* Whether the replay of the log's present content is still under way. */
bool console_is_replaying(const struct console *console);

/* Offset behind the last byte interpreted: the cursor of `send` and `wait`. */
uint64_t console_offset(const struct console *console);

/* Where the present boot begins in the log. */
uint64_t console_boot_offset(const struct console *console);

/* Where the log's first line begins that is still there as a whole: before it
 * content was taken away to keep the log within its bound. */
uint64_t console_log_start(const struct console *console);

/* Sizes, boots and gaps of the log: borrowed. */
const struct marks *console_marks(const struct console *console);

/* When the log's content was printed: borrowed; NULL when there is no index. */
struct times *console_times(const struct console *console);

/* Another number each time that the log was cut or replaced: offsets of before
 * mean nothing then. */
unsigned console_log_number(const struct console *console);

/* The log, for `logs` and `wait --since-boot`: borrowed. */
const char *console_log_path(const struct console *console);

/* Wall clock, ms, of the last output, also to an earlier server; 0 when there
 * was none. */
int64_t console_last_output_ms(const struct console *console);
