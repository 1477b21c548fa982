#pragma once

#include "base/error.h"
#include "console/terminal.h"

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

/* A console as it was at some moment of its record: a terminal of its own that
 * the log is replayed into up to there, with the sizes it had. Replayed in
 * slices, one a loop turn, so that nobody waits; queries are never answered.
 *
 * The first moment is replayed from as far back as PAST_MAX_BYTES, at least
 * from the boot before it or from where its scrollback begins. On the way the
 * terminal is copied every PAST_KEYFRAME_BYTES, so that any other moment of
 * that part of the record is only so much replaying away, and is the very same
 * as if all of it had been replayed. */
struct past;
struct console;

/* Bytes that are replayed at most for one moment. */
#define PAST_MAX_BYTES (UINT64_C(16) << 20)
/* Bytes a turn: about 1 ms of interpreting. */
#define PAST_SLICE_BYTES (64u << 10)
/* Bytes between two copies of the terminal, and most of them: those that are
 * farthest from the moment go first. They share their scrollback's memory. */
#define PAST_KEYFRAME_BYTES (UINT64_C(512) << 10)
#define PAST_KEYFRAMES_MAX ((size_t)40)
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
/* Bytes that were replayed so far, for all moments together: for tests. */
uint64_t past_replayed_bytes(const struct past *past);
