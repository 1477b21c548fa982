#pragma once

#include "base/error.h"
#include "qemu/process.h"

#include <sys/types.h>

/* The bare start of a program; process.h's process_spawn is what callers want.
 */

/* PATH for programs when this process has none. */
#define SPAWN_DEFAULT_PATH                                                     \
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Starts config's program and returns a pidfd (close-on-exec), or -1 with
 * error. *ret_pid: the child, for the caller to wait for. */
int spawn_program(const struct process_config *config, pid_t *ret_pid,
                  struct error *error);

/* The environment that a program gets: NULL-terminated "NAME=value", owned
 * (each string and the array). */
char **spawn_environment(const struct process_config *config);
