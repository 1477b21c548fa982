#pragma once

#include "cli/session.h"

#include <stdbool.h>
#include <stddef.h>

/* Starting several guests in their order: those that come after others are held
 * back by the server meanwhile, which is told. */

/* Calls a method that starts guests, and says on stderr which ones are held
 * back while it waits. arguments: stolen. */
bool startup_call(struct session *session, const char *method,
                  json_t *arguments, uint64_t timeout_ms, json_t **ret_result,
                  struct error *error);

struct startup_restart {
    uint64_t timeout_ms; /* for the power button; 0: what each guest's
                          * definition says */
    bool is_killed;      /* instead of shut down */
    bool waits;          /* until all are ready */
    const char *done;    /* what is told instead of a guest's state, or NULL */
};

/* Shuts guests down, those that come after others first, and starts those that
 * ended, or did not run, the other way round. Tells of each what came of it;
 * returns the exit status. */
int startup_restart(struct cli *cli, struct session *session,
                    const char *const *names, size_t count,
                    const struct startup_restart *how);
