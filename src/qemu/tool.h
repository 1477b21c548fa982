#pragma once

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#include <uv.h>

/* A helper program (qemu-img) that runs to its end beside the loop, with what
 * it says gathered. */
struct tool;

/* What is kept of what it says, bytes. */
#define TOOL_OUTPUT_MAX_BYTES (256u << 10)

/* Called once, on the loop, when the program has ended; the tool is freed
 * after. output: standard output and error, zero-terminated. error: NULL when
 * it exited with 0; else how it ended, without its words. */
typedef void (*tool_done_fn)(void *data, const char *output, size_t len,
                             const struct error *error);

enum tool_flags {
    TOOL_ENDS_WITH_US = 1 << 0, /* it is killed when this process is */
};

/* Starts argv (argv[0]: a name to be found in PATH, or a path; borrowed during
 * the call) with umask 077 and no input. timeout_ms: after that it is killed.
 */
struct tool *tool_start(uv_loop_t *loop, char *const *argv, unsigned flags,
                        uint64_t timeout_ms, tool_done_fn on_done, void *data,
                        struct error *error);

/* Kills it; on_done is not called. NULL is fine. */
void tool_cancel(struct tool *tool);
