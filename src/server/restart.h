#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* Restarts by policy: guests that ended by themselves are started again after a
 * delay that doubles, up to a limit. Who was stopped on purpose stays so. */
struct server;
struct member;
struct loop_timer;

/* Most restarts that are counted. */
#define RESTART_MAX_TIMES 1000

/* What is kept about a guest, in its directory too. Times: wall clock, ms. */
struct restart_member {
    struct loop_timer *timer; /* owned; NULL: never needed */
    struct due *due;          /* owned: what the timer is told */
    int64_t due_ms;           /* 0: no restart is due */
    int64_t *times;           /* owned: of the restarts within the window */
    size_t count;
    unsigned tries;  /* since it last ran for a good while */
    bool gave_up;    /* the limit was reached; until it runs again */
    bool was_active; /* when last looked at */
    bool was_held;   /* by the server before this one: order.h */
    bool is_again;   /* it is being shut down to be started again … */
    bool was_again;  /* … by the server before this one */
    bool was_ending; /* its shutdown was under way when last looked at */
};

/* A guest came: what its last server planned goes on. */
void restart_member_added(struct server *server, struct member *member);
/* Something about it changed: it may have ended. */
void restart_member_changed(struct server *server, struct member *member);
void restart_finish(struct member *member);

bool restart_is_due(const struct member *member);
/* Nothing is due any more, and the count begins anew. Whether something was. */
bool restart_forget(struct server *server, struct member *member);

/* It is shut down to be started again, or no more: what a later server
 * finishes.
 */
void restart_expect(struct server *server, struct member *member, bool again);

/* Writes down what is wanted with the guest: restarts, and that it waits. */
void restart_keep(struct member *member);

/* Adds "restart" to the API's guest object. */
void restart_describe(const struct member *member, json_t *object);
