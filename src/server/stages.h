#pragma once

#include "fleet/stage.h"
#include "server/watcher.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The stages of guests' boots: found in what consoles print by built-in rules
 * (stages-default.json, whose messages are stages' names), told, and flagged
 * when a guest sits in one for too long. */
struct stages;
struct server;
struct member;

/* Most of a log that is looked at for what a guest printed while no server was
 * there, bytes: its newest part. */
#define STAGES_CATCH_UP_BYTES (512u << 10)

/* What is kept about a console. Zeroed is one that printed nothing yet. */
struct stages_console {
    struct watcher watcher; /* its rules are NULL until it prints something */
    uint64_t boot;          /* where in the log the boot began that it reads */
    bool is_settling;       /* an unfinished line waits */
    bool is_caught_up;      /* what it printed before this server was read */
};

/* What is kept about a guest. */
struct stages_member {
    enum stage told; /* in the journal */
    int64_t told_ms; /* when that was reached */
    int64_t base_ms; /* wall clock: the stay in the stage counts from here */
    bool is_stalled; /* it was too long, and an alert told so */
    bool was_paused;
};

/* A mistake in the built-in rules is an alert. */
struct stages *stages_new(struct server *server);
void stages_free(struct stages *stages);

/* A guest came, or its definition is another one. */
void stages_member_added(struct server *server, struct member *member);
/* What its definition says of long stays may be otherwise. */
void stages_member_updated(struct server *server, struct member *member);
/* Something about it changed: its stage may have. */
void stages_member_changed(struct server *server, struct member *member);
void stages_finish_console(struct stages_console *console);

/* Live output of a console. */
void stages_output(struct server *server, struct member *member, size_t index,
                   const char *bytes, size_t len, uint64_t offset);
/* A console's screen changed: its replay may be over. */
void stages_on_screen(struct server *server, struct member *member,
                      size_t index);
