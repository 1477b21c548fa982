#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* Requests that are answered when something happens: a pattern appears on a
 * console, a guest reaches a state, a log grows. Each ends by that, by its time
 * limit, or with its peer. */
struct waiter;
struct server;
struct request;
struct guest;

/* Waits of unlimited length have no timer. */
#define WAITER_NO_TIMEOUT 0
/* Longest time limit, ms: 30 days. */
#define WAITER_MAX_TIMEOUT_MS INT64_C(2592000000)

struct waiter_pattern_options {
    const char *pattern; /* PCRE2 */
    bool is_literal;     /* pattern is plain text */
    uint64_t offset;     /* of the log, from where on the text counts */
    int64_t timeout_ms;
};

/* Answers with {"line", "match", "offset"} when the pattern appears in a line
 * of the console's text (an unfinished one, such as a prompt, counts). False
 * when the pattern is bad. */
bool waiter_add_pattern(struct server *server, struct request *request,
                        struct guest *guest, size_t console,
                        const struct waiter_pattern_options *options,
                        struct error *error);

/* Answers with the guest object once its state is one of states (borrowed: an
 * array of strings). */
bool waiter_add_state(struct server *server, struct request *request,
                      struct guest *guest, const json_t *states,
                      int64_t timeout_ms, struct error *error);

/* … once its boot has come to a stage (by name); fails when it ended. */
bool waiter_add_stage(struct server *server, struct request *request,
                      struct guest *guest, const char *name, int64_t timeout_ms,
                      struct error *error);

/* Calls answer (which must answer the request) once the console's log has bytes
 * beyond offset, the guest ended, or the time is over. */
typedef void (*waiter_log_fn)(struct request *request, struct guest *guest,
                              size_t console, uint64_t offset,
                              int64_t max_bytes);
void waiter_add_log(struct server *server, struct request *request,
                    struct guest *guest, size_t console, uint64_t offset,
                    int64_t max_bytes, int64_t timeout_ms,
                    waiter_log_fn answer);

void waiter_on_output(struct server *server, struct guest *guest,
                      size_t console, const char *bytes, size_t len,
                      uint64_t offset);
/* The console's screen changed, by replayed output too. */
void waiter_on_screen(struct server *server, const struct guest *guest,
                      size_t console);
void waiter_on_guest_change(struct server *server, struct guest *guest);
/* The guest is being removed: what waits for it fails. */
void waiter_forget_guest(struct server *server, struct guest *guest);
