#pragma once

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* A question that a QEMU binary answers by itself and ends: its version, the
 * names it knows. */

/* The longest that an answer is waited for: takes 0.3 s on an idle machine. */
#define ASK_TIMEOUT_MS 20000

/* Runs program with options (NULL-terminated, borrowed) and appends what it
 * says on standard output and error, up to max_bytes. Waits for it: not for the
 * loop. False with error, "PROGRAM -machine help fails: …", when it cannot be
 * run, fails or does not end in time. */
bool ask_program(const char *program, const char *const *options,
                 size_t max_bytes, struct buffer *output, struct error *error);
