#pragma once

#include "base/error.h"
#include "base/paths.h"

#include <stdbool.h>

/* The server: owns the guests of one user and server name, and answers the API
 * on a unix socket. */

enum server_flags {
    SERVER_FOREGROUND = 1 << 0, /* stays while there is nothing to do */
};

struct server_options {
    const struct paths *paths; /* borrowed */
    int ready_fd;   /* told when the server listens: one byte 0, or an error's
                     * text, or nothing when another server is there; closed
                     * then. -1: nobody waits */
    unsigned flags; /* enum server_flags */
};

/* Runs until it is asked to leave (server-quit, SIGTERM, SIGINT); the guests go
 * on. Returns true when it left as asked. When another server of that name is
 * there already: false with ERROR_CODE_EXISTS, and nothing of that server is
 * touched. */
bool server_run(const struct server_options *options, struct error *error);
