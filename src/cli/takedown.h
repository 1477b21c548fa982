#pragma once

#include "cli/session.h"

#include <stdbool.h>
#include <stddef.h>

/* Shutting several guests down: those that come after others first, with the
 * time that is left shown on a terminal, where any key stops it. */
struct takedown_options {
    uint64_t timeout_ms; /* for the power button; 0: what each guest's
                          * definition says */
    bool is_forced;      /* then they are forced off */
    bool is_killed;      /* at once, instead of the button */
    bool *ret_ended;     /* of each whether it ended: this is told of those only
                          * that did not; NULL: of all */
    json_t *answers;     /* with ret_ended and --json: errors are added, and
                          * nothing is printed */
};

/* guests: the array of guest-list. Tells what came of each, in the order of the
 * names; returns the exit status. */
int takedown_run(struct cli *cli, struct session *session,
                 const char *const *names, size_t count, const json_t *guests,
                 const struct takedown_options *options);
