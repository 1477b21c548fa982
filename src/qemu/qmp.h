#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>
#include <uv.h>

/* A connection to a QEMU monitor (QEMU's docs/interop/qmp-spec.txt): it
 * connects, negotiates, matches replies, and comes back when it breaks. Nothing
 * in here blocks. */
struct qmp;

/* Longest line taken from QEMU, bytes. */
#define QMP_MAX_LINE_BYTES (16u << 20)
/* Most bytes of commands that wait for a QEMU that does not read. */
#define QMP_MAX_QUEUE_BYTES (4u << 20)
/* ms; what a command may take when its caller names no limit. */
#define QMP_COMMAND_TIMEOUT_MS 30000u
/* ms; after connecting, until a silent monitor is called trouble. */
#define QMP_GREETING_TIMEOUT_MS 5000u

/* What happened, as QEMU tells it; all borrowed. */
struct qmp_event {
    const char *name;
    const json_t *data; /* an object, or NULL */
    int64_t at_ms;      /* wall clock; 0: its clock failed */
};

struct qmp_handlers {
    /* The monitor answered and takes commands; again after each reconnection.
     * What happened in between was not told by events: ask. */
    void (*on_ready)(void *data);
    void (*on_event)(void *data, const struct qmp_event *event);
    /* The connection broke: all that QEMU sent before was told. May be NULL. */
    void (*on_disconnect)(void *data);
    /* The monitor cannot be reached or does not answer: why. Told once for
     * each new reason; trying goes on, on_ready says when it helped. */
    void (*on_trouble)(void *data, const struct error *error);
};

/* Begins to connect to the unix socket at path (copied); the first attempt is
 * made before this returns. A refused connection is tried again after 10 ms,
 * 20 ms … up to once a minute. A connection that is taken but stays silent
 * (QEMU stopped, or the monitor occupied) is kept: when the greeting comes,
 * it goes on, and no timer runs meanwhile. handlers: borrowed, lives as long.
 */
struct qmp *qmp_new(uv_loop_t *loop, const char *path,
                    const struct qmp_handlers *handlers, void *data);

/* The same on a connected non-blocking socket, which becomes the monitor's;
 * it is not connected again when it breaks. */
struct qmp *qmp_new_fd(uv_loop_t *loop, int fd,
                       const struct qmp_handlers *handlers, void *data);

/* Calls what waits for a reply with ERROR_CODE_STATE, then closes. Safe in
 * every handler. NULL is fine. */
void qmp_free(struct qmp *qmp);

/* value: borrowed, never NULL on success. error: NULL on success; QEMU's own
 * refusals are ERROR_CODE_GUEST with its words made fit to show. */
typedef void (*qmp_reply_fn)(void *data, const json_t *value,
                             const struct error *error);

/* Sends a command; on_reply (may be NULL) is called exactly once, in a later
 * loop turn or by qmp_free. arguments: stolen, also on failure; may be NULL.
 * timeout_ms 0: QMP_COMMAND_TIMEOUT_MS. Refused with ERROR_CODE_STATE while
 * the monitor is not ready; on_reply is not called then. */
bool qmp_send(struct qmp *qmp, const char *command, json_t *arguments,
              uint64_t timeout_ms, qmp_reply_fn on_reply, void *data,
              struct error *error);

/* Whether commands are taken. */
bool qmp_is_ready(const struct qmp *qmp);

/* The pid at the other end (SO_PEERCRED): who called listen() last before this
 * connection was made, so this process itself for a listener that was passed
 * to QEMU and connected before QEMU took it. 0 when not connected. */
pid_t qmp_peer_pid(const struct qmp *qmp);

/* Makes a listening socket at path, 0600, to be passed to QEMU. A socket that
 * is there already is replaced only when nobody serves it: else refused with
 * ERROR_CODE_EXISTS and the pid of who does. The caller keeps two servers
 * from doing this for one path at once. Returns a descriptor, or -1. */
int qmp_listen(const char *path, struct error *error);

/* The pid that serves the socket at path, 0 when nobody does (no such file, or
 * a stale one), -1 with error when that cannot be told. */
pid_t qmp_probe(const char *path, struct error *error);
