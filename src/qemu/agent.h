#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>
#include <uv.h>

/* A client of the guest agent (QEMU's docs/interop/qemu-ga-ref): JSON lines
 * over a virtio serial port, whose other end is a unix socket of QEMU's. What
 * answers is a program in the guest, and taken for hostile: replies are bounded
 * in size and time, and never believed to belong to a question before the agent
 * has proved to be in step (guest-sync-delimited). Nothing in here blocks. */
struct agent;

/* Longest reply taken, bytes. */
#define AGENT_MAX_LINE_BYTES (256u << 10)
/* Most bytes read for one question. */
#define AGENT_MAX_READ_BYTES (1u << 20)
/* Questions that wait for the one under way. */
#define AGENT_MAX_WAITING 16
/* ms; what a question may take when its caller names no limit. */
#define AGENT_TIMEOUT_MS 5000u

/* path: QEMU's socket, copied. */
struct agent *agent_new(uv_loop_t *loop, const char *path);
/* What waits for a reply is called with ERROR_CODE_STATE. NULL is fine. */
void agent_free(struct agent *agent);

enum agent_flags {
    AGENT_REPLIES = 0,
    AGENT_SILENT = 1 << 0, /* no reply comes on success: guest-shutdown */
};

/* value: borrowed; NULL on error, and after AGENT_SILENT. */
typedef void (*agent_reply_fn)(void *data, const json_t *value,
                               const struct error *error);

/* Asks; on_reply is called exactly once, in a later loop turn or by agent_free.
 * arguments: stolen, may be NULL. timeout_ms 0: AGENT_TIMEOUT_MS. Refused, with
 * error, when too many wait already: on_reply is not called then. */
bool agent_ask(struct agent *agent, const char *command, json_t *arguments,
               unsigned flags, uint64_t timeout_ms, agent_reply_fn on_reply,
               void *data, struct error *error);
