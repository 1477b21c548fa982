#pragma once

#include "client/mirror.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is said of a guest's life beside its state: how far its boot
 * is, what it waits for, when it is started again. */

/* Instead of the state in the list, at most 8 columns; NULL: the state it is.
 * Constant, or written to text. */
const char *life_label(const struct mirror_guest *guest, int64_t now_ms,
                       char *text, size_t size);

/* Behind the state in a pane's title; "": nothing. */
void life_title(const struct mirror_guest *guest, int64_t now_ms, char *text,
                size_t size);

/* What will become of a guest that does not run: "waiting for n1: login",
 * "restarts in 4s (2 of 5)"; "": nothing. */
void life_plan(const struct mirror_guest *guest, int64_t now_ms, char *text,
               size_t size);
bool life_is_pending(const struct mirror_guest *guest);
/* After how long what is said reads differently, ms; -1: it does not. */
int64_t life_lasts_ms(const struct mirror_guest *guest, int64_t now_ms);

/* Seconds until the present step of its shutdown is over; -1: none is under
 * way. */
int64_t life_shutdown_s(const struct mirror_guest *guest, int64_t now_ms);
/* Whether it is forced off in the end, which any key still stops. */
bool life_is_forced(const struct mirror_guest *guest);
/* What comes when the step's time is over, "forced off" in … A literal. */
const char *life_shutdown_next(const struct mirror_guest *guest);

/* A line among the facts: "login after 12s"; "": nothing. */
void life_fact(const struct mirror_guest *guest, char *text, size_t size);
