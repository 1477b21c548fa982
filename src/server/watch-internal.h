#pragma once

#include "server/hooks.h"
#include "server/watch.h"

/* What watch.c, lifecycle.c and silence.c share. */

struct watch {
    struct journal *journal; /* owned */
    struct alerts *alerts;   /* owned */
    struct hooks *hooks;     /* owned */
    struct alert_file own;   /* the program's own rules */
    struct alert_file user;  /* the user's */
    char *problems;          /* owned: what is wrong with the user's; or NULL */
    struct ruleset *rules;   /* a reference: of guests without rules of their
                              * own */
    struct loop_timer *settle_timer;  /* owned: unfinished lines */
    struct loop_timer *silence_timer; /* owned: the next silence */
};
