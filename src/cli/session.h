#pragma once

#include "base/error.h"
#include "cli/command.h"
#include "client/connection.h"

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

/* A connection used one step at a time: each function runs the loop until what
 * it waits for has come. Ctrl-C ends a wait with an error of
 * COMMAND_INTERRUPTED's kind (session_is_interrupted). */
struct session;

/* How long the server may take to answer what it answers at once, ms. */
#define SESSION_REPLY_TIMEOUT_MS 30000u
/* No limit. */
#define SESSION_NO_TIMEOUT 0u

/* NULL with error set when there is no server and none could be started. */
struct session *session_open(const struct cli *cli, enum connection_start start,
                             struct error *error);
void session_close(struct session *session);

/* Calls a method. arguments: stolen, may be NULL. *ret_value (may be NULL): a
 * new reference. */
bool session_call(struct session *session, const char *method,
                  json_t *arguments, uint64_t timeout_ms, json_t **ret_value,
                  struct error *error);

/* All that a command of one question does: opens a session, calls the method,
 * has tell (may be NULL) say what was answered, and closes the session.
 * arguments: stolen, may be NULL. Returns tell's status, or the failure's,
 * which was told.
 */
typedef int (*session_tell_fn)(const struct cli *cli, const json_t *answer);
int session_ask(const struct cli *cli, const char *method, json_t *arguments,
                uint64_t timeout_ms, session_tell_fn tell);

/* Several at once: begun by session_begin, their ends awaited by
 * session_finish, which frees the call whatever came of it. */
struct session_call;
struct session_call *session_begin(struct session *session, const char *method,
                                   json_t *arguments);
bool session_finish(struct session *session, struct session_call *call,
                    uint64_t timeout_ms, json_t **ret_value,
                    struct error *error);

/* Whether its end has come, so that session_finish does not wait. */
bool session_call_is_done(const struct session_call *call);
/* Waits until any of the calls ends. */
bool session_wait_reply(struct session *session, uint64_t timeout_ms,
                        struct error *error);

/* Waits until any of the calls ends, fd (-1: none) can be read, or timeout_ms
 * are over. */
enum session_news {
    SESSION_NEWS_REPLY,
    SESSION_NEWS_INPUT,
    SESSION_NEWS_TIME,
    SESSION_NEWS_END, /* Ctrl-C, or the server is gone */
};
enum session_news session_wait_news(struct session *session, int fd,
                                    uint64_t timeout_ms);

/* From now on events go to on_event, while the session waits for anything.
 * data: borrowed. */
typedef void (*session_event_fn)(void *user, const char *name, json_t *data);
void session_set_on_event(struct session *session, session_event_fn on_event,
                          void *user);

/* Waits for the server to close the connection (kill-server, --follow). */
bool session_wait_closed(struct session *session, uint64_t timeout_ms,
                         struct error *error);

/* From inside on_event: session_wait_closed returns, as if the server had
 * closed the connection. */
void session_stop_waiting(struct session *session);

bool session_is_interrupted(const struct session *session);

/* What the program exits with after error: the error is told, unless the
 * operator interrupted. */
int session_fail(const struct session *session, const struct error *error);

/* The process that serves the other end, or -1. */
int session_server_pid(const struct session *session);
