#pragma once

#include "base/error.h"
#include "console/terminal.h"

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

/* A console as it was at some moment of its record: a terminal of its own that
 * the log is replayed into up to there, with the sizes it had: from the boot
 * before, or as far back as its scrollback takes, whichever is more (but no
 * further than PAST_MAX_BYTES back). Replayed in slices, one a
 * loop turn, so that nobody waits; queries are never answered. */
struct past;
struct console;

/* Bytes that are replayed at most for one moment. */
#define PAST_MAX_BYTES (UINT64_C(16) << 20)
/* Bytes a turn: about 1 ms of interpreting. */
#define PAST_SLICE_BYTES (64u << 10)
/* Lines of scrollback that such a terminal has at most, and bytes of the log
 * that a line is taken to need. */
#define PAST_MAX_HISTORY_LINES ((size_t)100000)
#define PAST_LINE_BYTES 256u

/* The moment that was asked for is there. */
typedef void (*past_ready_fn)(void *data);

/* console: borrowed, lives as long. history_lines: the console's. */
struct past *past_new(uv_loop_t *loop, struct console *console,
                      size_t history_lines, past_ready_fn on_ready, void *data,
                      struct error *error);
/* Also while it replays. NULL is fine. */
void past_free(struct past *past);

/* Goes to where the log ended at offset; what is beyond its end or was taken
 * away is brought within. on_ready comes in a later loop turn. */
void past_seek(struct past *past, uint64_t offset);

/* Whether the terminal shows what was asked for last. */
bool past_is_ready(const struct past *past);
/* Where the log ended at the moment that it goes to. */
uint64_t past_offset(const struct past *past);
/* Borrowed until the next call; another one each time that generation grew. */
struct terminal *past_terminal(struct past *past);
unsigned past_generation(const struct past *past);
