#pragma once

#include "tui/pasting.h"

/* What `pasting*.c` share. */

/* A paste that the server told of. */
struct deck_paste {
    struct deck_paste *next; /* newest first */
    json_int_t id;
    char *guest;   /* owned */
    char *console; /* owned */
    json_int_t bytes;
    json_int_t total;
    bool is_long; /* it was told of before its end */
};

/* What is to be pasted where, and how. */
struct pasting_job {
    const char *bytes;
    size_t len;
    const char *const *targets;
    size_t count;
    const json_t *options; /* console-paste's arguments beside; or NULL */
    bool is_expanded;      /* {name} and {index} are filled in */
};

/* pasting.c: begins; all is copied. */
void pasting_send(struct deck *deck, const struct pasting_job *job);

/* pasting-offer.c: forgets a paste whose pace is being asked for. */
void pasting_offer_finish(struct deck *deck);
