#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* Who looks at a console, who types into it, and who has its keyboard alone:
 * told by CONSOLE_CLIENTS events. */
struct server;
struct peer;
struct guest;

/* Typing counts as going on so long after a key, ms. */
#define CLIENTS_TYPING_MS 3000
/* Least time between two CONSOLE_CLIENTS of one console, ms. */
#define CLIENTS_INTERVAL_MS 250
/* A change is told so late, ms: what changes with it goes along, and what it
 * is about goes first. */
#define CLIENTS_DELAY_MS 20
/* Names of clients in one event. */
#define CLIENTS_MAX_NAMES 8

/* A view of the console came or went. */
void clients_changed(struct server *server, const struct guest *guest,
                     size_t console);
/* A client is called otherwise now. */
void clients_renamed(struct server *server, const struct peer *peer);
/* The client (NULL: gone already) typed. */
void clients_typed(struct server *server, const struct peer *peer,
                   const struct guest *guest, size_t console);
/* The client is gone: what it held is free. */
void clients_forget(struct server *server, const struct peer *peer);

/* Whether the client may type there; error (Denied) says why not. */
bool clients_may_type(struct server *server, const struct peer *peer,
                      const struct guest *guest, size_t console,
                      struct error *error);
/* Gives the client the keyboard alone, whoever had it. */
bool clients_take(struct server *server, const struct peer *peer,
                  const struct guest *guest, size_t console,
                  struct error *error);
bool clients_release(struct server *server, const struct peer *peer,
                     const struct guest *guest, size_t console,
                     struct error *error);

/* Fired by clients_timer: sends what is due. */
void clients_send_due(void *server);
/* Tells one client how things are everywhere. */
void clients_tell_all(struct server *server, struct peer *peer);

/* All clients, for query-clients; self is the one that asks. New reference. */
json_t *clients_list(struct server *server, const struct peer *self);
