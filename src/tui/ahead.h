#pragma once

#include "tui/input.h"

#include <stdbool.h>

/* What is typed ahead of the server's answer to a key before, when it means
 * something else then: behind a text that is pasted, or in a list. It waits,
 * and counts in its order. */
struct deck;

struct ahead {
    struct ahead_event *first; /* owned */
    struct ahead_event *last;
    struct loop_timer *timer; /* owned */
    bool is_held;
};

/* How long an answer is waited for, ms: a deck without a server can be left. */
#define AHEAD_MS 2000u

/* From now on input waits, until the answer is there. */
void ahead_hold(struct deck *deck);
void ahead_release(struct deck *deck);
/* Whether the event waits; it is copied. */
bool ahead_take(struct deck *deck, const struct input_event *event);
void ahead_finish(struct deck *deck);
