#pragma once

#include "base/error.h"
#include "base/paths.h"

#include <uv.h>

/* The API socket: one server per user and name, by a lock that the system
 * takes back when its holder dies. */
struct listener;

/* fd: a connected, non-blocking socket of a process of the same user; the
 * callee's. */
typedef void (*listener_fn)(void *data, int fd);

/* Takes the lock (RUNTIME/lock), removes a stale socket, binds RUNTIME/api.sock
 * (0600) and listens. ERROR_CODE_EXISTS when another server holds the lock. */
struct listener *listener_new(uv_loop_t *loop, const struct paths *paths,
                              listener_fn on_connect, void *data,
                              struct error *error);

/* Removes the socket and lets go of the lock. NULL is fine. */
void listener_free(struct listener *listener);
