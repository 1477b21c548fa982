#pragma once

#include "base/error.h"

/* Connects to the server of another machine: runs `ssh HOST guestmux -L SERVER
 * proxy` and returns the descriptor of its standard input and output,
 * non-blocking; -1 on failure. Waits until the other side's greeting is there,
 * so that ssh's questions are over when the caller takes the terminal. */
int host_connect(const char *host, const char *server, struct error *error);
