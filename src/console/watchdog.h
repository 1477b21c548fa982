#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/* A thread that closes ptys when the loop is stuck. An open pty that nobody
 * reads freezes its guest, so when a guarded one has had unread bytes for
 * late_ms and the loop made no turn in that time, the thread takes all guarded
 * ones away.
 *
 * The thread costs nothing while the ptys are quiet: it sleeps in epoll on
 * them, one shot, and is armed again only after it saw the loop alive. */
struct watchdog;

/* ms; the design's "late by two seconds". */
#define WATCHDOG_LATE_MS 2000

/* late_ms: at least 4. The thread starts with the first guarded descriptor, so
 * a process may fork before that. */
struct watchdog *watchdog_new(unsigned late_ms);
/* After everything was released. Waits for the thread. */
void watchdog_free(struct watchdog *watchdog);

/* The loop is alive: called once a turn. Cheap. */
void watchdog_turn(struct watchdog *watchdog);

/* Guards fd, which stays the caller's but is closed by watchdog_close only. A
 * descriptor that was taken away keeps its number: from then on it is one end
 * of a pipe from which nothing comes (EAGAIN) and that takes nothing (EBADF),
 * so that a use of it that is under way hits no stranger's file. */
bool watchdog_guard(struct watchdog *watchdog, int fd, struct error *error);

/* Ends the guard and closes fd. The caller removed it from the loop before. */
void watchdog_close(struct watchdog *watchdog, int fd);

/* Whether fd was taken away. */
bool watchdog_is_taken(struct watchdog *watchdog, int fd);

/* How many descriptors were taken away since the start: when it changes, ask
 * for each. Cheap. */
unsigned watchdog_taken_count(struct watchdog *watchdog);
