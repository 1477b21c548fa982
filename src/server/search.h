#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Searching what consoles show and have in their scrollback. It is done in
 * slices of a loop turn, on the histories as they are then: places are counted
 * from the very first row ("dropped + index"), so that what comes and goes
 * meanwhile moves none of them. */
struct search;
struct server;
struct request;

/* What all searches of a server together take of a loop turn, ms. */
#define SEARCH_SLICE_MS 3
/* What one request may take in all; a pattern that needs longer is given up. */
#define SEARCH_MAX_MS 10000
/* Lines of one console in an answer: by default, and at most. */
#define SEARCH_DEFAULT_LINES 1000
#define SEARCH_MAX_LINES 10000
/* Lines of all consoles in an answer, shared out evenly; a console has so many
 * at least. Each costs some us in the loop when the answer is written. */
#define SEARCH_ANSWER_LINES ((size_t)1000)
#define SEARCH_SHARE_LINES ((size_t)16)
/* Lines of context on either side. */
#define SEARCH_MAX_CONTEXT 100
/* Matches told of one line. */
#define SEARCH_MAX_MATCHES 256
/* Bytes of an answer's lines; then it says that there are more. */
#define SEARCH_MAX_BYTES ((size_t)4 << 20)

enum search_flags {
    SEARCH_BACKWARDS = 1 << 0, /* from the newest line up */
    SEARCH_COUNT = 1 << 1,     /* no lines, only how many */
    SEARCH_HAS_PLACE = 1 << 2, /* only what lies behind a place, or before it */
    SEARCH_ONE_LINE = 1 << 3,  /* one line alone */
};

struct search_options {
    const char *pattern;
    unsigned pattern_flags; /* enum pattern_flags */
    unsigned flags;         /* enum search_flags */
    uint64_t row;           /* the place; -1 is before the first column */
    int64_t col;
    uint64_t line;    /* SEARCH_ONE_LINE: its id */
    size_t max_lines; /* of each console */
    size_t context_before;
    size_t context_after;
};

/* A search without consoles; NULL when the pattern is bad. */
struct search *search_new(struct server *server,
                          const struct search_options *options,
                          struct error *error);
/* Before it was started; NULL is fine. */
void search_free(struct search *search);
/* Adds a console. guest: copied. */
void search_add(struct search *search, const char *guest, size_t console);
/* Answers the request in a later loop turn, and frees itself. */
void search_start(struct search *search, struct request *request);
