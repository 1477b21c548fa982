#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* What all consoles printed and what happened to their guests, by time: read
 * from the logs, their indexes of times, and the journal. The logs are read and
 * cut into lines in a thread of their own; the loop only gathers where to read.
 */
struct timeline;
struct guest;
struct journal;
struct server;
struct request;

/* Rows of an answer: by default, and at most. The newest count. */
#define TIMELINE_DEFAULT_ROWS 1000
#define TIMELINE_MAX_ROWS 10000
/* Bytes of one log that are looked at: its newest within the time, or its
 * oldest. */
#define TIMELINE_LOG_BYTES ((uint64_t)8 << 20)
/* Columns of a line that are told. */
#define TIMELINE_LINE_COLS 500u
/* Timelines that are made at once. */
#define TIMELINE_MAX_RUNNING 4

struct timeline_options {
    int64_t since_ms;       /* 0: from the first */
    int64_t until_ms;       /* 0: to the last */
    const char *pattern;    /* NULL: every line; borrowed for the call */
    unsigned pattern_flags; /* enum pattern_flags */
    size_t limit;
    bool wants_oldest; /* the oldest rows count, not the newest */
    int64_t around_ms; /* the rows nearest to this moment count, half of them
                        * before it; 0: none */
    const struct guest *around_guest; /* … to this line; NULL: to none; only
                                       * compared */
    size_t around_console;
    uint64_t around_offset;
    bool has_names; /* the pattern may be in a console's name too */
};

/* NULL when the pattern is bad. */
struct timeline *timeline_new(const struct timeline_options *options,
                              struct error *error);
void timeline_free(struct timeline *timeline);

/* Adds a console's log; index: of the console. */
void timeline_add_console(struct timeline *timeline, struct guest *guest,
                          size_t index);
/* Adds what the journal has of these guests (an array of names, stolen; NULL:
 * of all). */
void timeline_add_journal(struct timeline *timeline,
                          const struct journal *journal, json_t *guests);

/* Answers the request in a later loop turn, and frees itself. */
void timeline_start(struct timeline *timeline, struct server *server,
                    struct request *request);
