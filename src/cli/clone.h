#pragma once

#include "cli/session.h"

/* Clones a guest that is off, with --full if that was given, and tells what
 * came of it. Returns the exit status. */
int clone_guest(struct cli *cli, struct session *session, const char *guest,
                const char *name);
