#pragma once

#include "base/error.h"
#include "server/search.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Searching a console's log on disk, in a thread: the file has what the
 * scrollback has no more. One request looks at a part of it, and tells where to
 * go on. */
struct console;
struct request;
struct server;

/* Bytes of the log that one request looks at. */
#define LOG_SEARCH_MAX_BYTES ((uint64_t)16 << 20)
/* Searches that run at once; more are refused. */
#define LOG_SEARCH_MAX_RUNNING 64u

struct log_search_options {
    const char *pattern;
    unsigned pattern_flags; /* enum pattern_flags */
    uint64_t offset;        /* of the log, where to begin */
    size_t max_lines;
    size_t context_before;
    size_t context_after;
};

/* Answers the request when it is done. False when the pattern is bad, or too
 * many searches run. */
bool log_search_start(struct server *server, struct request *request,
                      const struct console *console,
                      const struct log_search_options *options,
                      struct error *error);
