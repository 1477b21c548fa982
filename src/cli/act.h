#pragma once

#include "cli/session.h"

/* One method on each of several guests at once: start, kill, down … */
struct act {
    const char *method;
    json_t *arguments;   /* borrowed: besides "guest"; NULL: none */
    uint64_t timeout_ms; /* of the server's own wait; the reply is given some
                          * more. SESSION_NO_TIMEOUT: no limit */
    const char *done;    /* what is told instead of the guest's state,
                          * or NULL */
};

/* Tells what came of one guest: its state or error; or adds that to answers.
 * Returns the exit status. */
int act_report(const char *guest, const struct act *act, json_t *value,
               const struct error *error, json_t *answers);

/* Runs it on the guests and tells of each what came of it, in their order: "n1:
 * running", an error, or with --json an array of the answers. Returns the exit
 * status: failure outdoes timeout. */
int act_on_guests(struct cli *cli, struct session *session,
                  const char *const *names, size_t count,
                  const struct act *act);

/* The same on the guests that the command's arguments name, with a session of
 * its own. */
int act_on_arguments(struct cli *cli, const struct act *act);

/* The same on one guest. */
int act_on_one(struct cli *cli, const char *guest, const struct act *act);

/* Asks "WHAT n1, n2 (CONSEQUENCE)?", unless --yes was given; without a terminal
 * it is done unasked. consequence: may be NULL. */
bool act_confirm(const struct cli *cli, const char *const *names, size_t count,
                 const char *what, const char *consequence);

/* The same about the guests that the command's arguments name. */
bool act_confirm_arguments(const struct cli *cli, const char *what,
                           const char *consequence);
