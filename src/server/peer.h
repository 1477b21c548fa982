#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <jansson.h>

/* One client's connection, and the commands it waits for. */
struct peer;
struct server;
struct view;
struct method;

/* Longest line that a client may send, bytes: a 1 MiB paste in base64 fits
 * twice. */
#define PEER_LINE_MAX_BYTES (4u << 20)
/* Bytes queued for a client that does not read, above which no events are
 * added: it gets one GUEST_LIST with the newest state when it reads again. */
#define PEER_EVENT_QUEUE_BYTES (256u << 10)
/* … above which its commands are not read any more. */
#define PEER_COMMAND_QUEUE_BYTES (1u << 20)
/* … above which it is disconnected. Reached by single large replies only: two
 * frames a view are under way at most. */
#define PEER_QUEUE_MAX_BYTES (64u << 20)
/* Commands of one client that wait for something; more are refused. */
#define PEER_MAX_REQUESTS 1024
/* Clients of one server; more are told so and let go. */
#define PEER_MAX_COUNT 500

/* Columns of a client's name. */
#define PEER_NAME_MAX_COLS 48u

/* Greets a client on a connected descriptor. */
void peer_new(struct server *server, int fd);
/* Closes the connection; the memory goes at the end of the loop turn. */
void peer_close(struct peer *peer);
/* Frees the peers that were closed. */
void peer_sweep(struct server *server);
void peer_free_all(struct server *server);

void peer_send(struct peer *peer, const json_t *message);
/* The same for a message that is a whole line already, with its line end. */
void peer_send_line(struct peer *peer, const char *line, size_t len);
/* An event's line, already encoded; dropped (and remembered as lost) when the
 * peer lags. */
void peer_send_event(struct peer *peer, const char *line, size_t len);
void peer_subscribe(struct peer *peer);
bool peer_is_subscribed(const struct peer *peer);
struct peer *peer_next(const struct peer *peer);
/* Which process it was when it connected (SO_PEERCRED). */
bool peer_credentials(const struct peer *peer, pid_t *ret_pid, uid_t *ret_uid);

/* Whether its connection is there. */
bool peer_is_open(const struct peer *peer);
/* A number of its own, from 1. */
int64_t peer_id(const struct peer *peer);
/* What it calls itself, fit to show; its process's number before it did. */
const char *peer_name(const struct peer *peer);
/* "deck", "send" …; "" before it said. */
const char *peer_program(const struct peer *peer);
/* Wall clock, ms. */
int64_t peer_since_ms(const struct peer *peer);
/* Whether it may only look. There is no way back. */
bool peer_is_readonly(const struct peer *peer);
void peer_set_readonly(struct peer *peer);
/* name, program: foreign text; NULL: as before. */
void peer_set_identity(struct peer *peer, const char *name,
                       const char *program);

/* --- requests ---------------------------------------------------------------
 */

/* A command that a peer waits for. Answered exactly once, at once or later, by
 * request_return or request_fail, which free it. It outlives its peer: then the
 * answer goes nowhere. */
struct request;

struct server *request_server(const struct request *request);
/* NULL when the peer is gone. */
struct peer *request_peer(const struct request *request);
/* Called when the peer goes before the answer; it must answer or drop what
 * waits (request_fail). One at a time; NULL takes it back. */
void request_on_cancel(struct request *request, void (*fn)(void *data),
                       void *data);
/* value is stolen; NULL means {}. */
void request_return(struct request *request, json_t *value);
void request_fail(struct request *request, const struct error *error);
/* Answers {}, or fails when there is an error: a guest_done_fn whose data is
 * the request. */
void request_done(void *request, const struct error *error);
