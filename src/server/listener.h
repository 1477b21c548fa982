#pragma once

#include "base/error.h"
#include "base/paths.h"

#include <uv.h>

/* The API socket: one server per user and name, by locks that the system takes
 * back when their holder dies. */
struct listener;

/* fd: a connected, non-blocking socket of a process of the same user; the
 * callee's. */
typedef void (*listener_fn)(void *data, int fd);

/* Takes the locks (RUNTIME/lock and the state directory's), removes a stale
 * socket, binds RUNTIME/api.sock (0600), listens, and links to it from the
 * state directory (paths_state_socket). ERROR_CODE_EXISTS when another server
 * holds the runtime directory's lock, ERROR_CODE_STATE when one holds the
 * other's.
 *
 * When its socket vanishes (the runtime directory does, at the last logout) the
 * listener makes it anew a moment later, in the state directory if need be. */
struct listener *listener_new(uv_loop_t *loop, const struct paths *paths,
                              listener_fn on_connect, void *data,
                              struct error *error);

/* Removes the socket and lets go of the locks. NULL is fine. */
void listener_free(struct listener *listener);
