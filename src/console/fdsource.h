#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

/* A descriptor that is a console in both directions: the master of a program's
 * pty, a serial device, a socket. */
struct fdsource;

/* Bytes read at most before the rest of the loop has its turn: about half a
 * millisecond of interpreting. Less of a console in nobody's focus, for there
 * may be many that flood at a time. */
#define FDSOURCE_SLICE_BYTES (64u << 10)
#define FDSOURCE_COLD_SLICE_BYTES (16u << 10)
/* ms; output that comes in small pieces to a console in nobody's focus is read
 * this often. */
#define FDSOURCE_COLD_PAUSE_MS 10
/* While somebody types, and so many ms after, that goes for floods too, and a
 * slice is small: whoever types is served first (3 MB/s are left for eight
 * consoles that flood). */
#define FDSOURCE_TYPING_MS 500
#define FDSOURCE_YIELD_SLICE_BYTES (4u << 10)

/* A console in focus that goes on and on in small pieces, as a UART makes them,
 * is read at once so many times, then every FDSOURCE_HOT_PAUSE_MS, until it was
 * quiet for FDSOURCE_REST_MS or somebody types into it. */
#define FDSOURCE_HOT_CREDIT 32
#define FDSOURCE_HOT_PAUSE_MS 3
#define FDSOURCE_REST_MS 20

/* What all sources of a server share. */
struct fdsource_shared {
    char *scratch;     /* FDSOURCE_SLICE_BYTES to read into */
    uint64_t typed_ms; /* monotonic: when somebody typed last; 0: never */
};

/* Every handler may free the source. */
struct fdsource_handlers {
    void (*on_bytes)(void *data, const char *bytes, size_t len);
    /* The last one. errnum 0: end of file. */
    void (*on_end)(void *data, int errnum);
    /* It took the last byte that waited, after it had taken no more for a
     * while. */
    void (*on_taken)(void *data);
};

enum fdsource_pace {
    FDSOURCE_PACE_STOPPED, /* as in the beginning: nothing is read */
    FDSOURCE_PACE_COLD,
    FDSOURCE_PACE_HOT,
};

/* Takes fd over on success: makes it non-blocking and close-on-exec, closes
 * it at its end or when freed. shared: borrowed, lives as long. */
struct fdsource *fdsource_new(uv_loop_t *loop, int fd,
                              const struct fdsource_shared *shared,
                              const struct fdsource_handlers *handlers,
                              void *data, struct error *error);
void fdsource_free(struct fdsource *source);

void fdsource_set_pace(struct fdsource *source, enum fdsource_pace pace);

/* Writes at once what the descriptor takes and queues the rest. Refused as a
 * whole when more than max_pending bytes would wait. */
bool fdsource_type(struct fdsource *source, const char *bytes, size_t len,
                   size_t max_pending, struct error *error);
/* Forgets what waits, and what the system has not passed on yet. */
void fdsource_discard(struct fdsource *source);
size_t fdsource_pending(const struct fdsource *source);

/* Whether it has not ended yet. */
bool fdsource_is_open(const struct fdsource *source);

/* ms; how long the line is held low. Receivers want 10 bit times; so long as
 * tcsendbreak does. */
#define FDSOURCE_BREAK_MS 300

/* Sends a break on a serial line; what is typed meanwhile waits behind it.
 * Refused for what is none (a pty, a socket). */
bool fdsource_send_break(struct fdsource *source, struct error *error);

/* Tells a pty's program its window size; nothing for other descriptors. */
void fdsource_resize(struct fdsource *source, int rows, int cols);
