#pragma once

#include "server/alerts.h"

#include <uv.h>

/* The commands of alert rules: run without a shell, in a session of their own,
 * a few at a time, each with a time limit. What a guest printed reaches them by
 * the environment and standard input only, made fit to show. */
struct hooks;

/* Commands that run at once, and that wait for their turn. */
#define HOOKS_MAX_RUNNING 4
#define HOOKS_MAX_WAITING 32
/* ms from SIGTERM to SIGKILL when the time is over. */
#define HOOKS_KILL_MS 2000

/* text: what went wrong with a rule's command. */
typedef void (*hooks_trouble_fn)(void *data, const char *guest,
                                 const char *text);

/* server: the server's name, for GUESTMUX_SERVER; borrowed. */
struct hooks *hooks_new(uv_loop_t *loop, const char *server,
                        hooks_trouble_fn on_trouble, void *data);
/* What runs goes on; what waits is dropped. */
void hooks_free(struct hooks *hooks);

/* Runs words (borrowed for the call) for an alert. */
void hooks_run(struct hooks *hooks, const struct alert *alert,
               char *const *words, int timeout_s);
