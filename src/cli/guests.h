#pragma once

#include "cli/session.h"

#include <stddef.h>

#include <jansson.h>

/* Guest objects of the API, shown to people. */

/* The guests that are there, in the server's order: a new reference to an
 * array of guest objects, or NULL with error set. */
json_t *guests_list(struct session *session, struct error *error);

/* The names that a command line gives, from the argument number first on. New
 * reference. */
json_t *guests_named(const struct options *given, int first);

/* Whether target names a guest ("n1") or one of its consoles ("n1:hvc0"). */
bool guests_check_console(struct session *session, const char *target,
                          struct error *error);

/* A member of a guest object that is text; "" when it is absent. Borrowed. */
const char *guests_text(const json_t *guest, const char *member);
/* A number; 0 when absent. */
json_int_t guests_number(const json_t *guest, const char *member);

/* Whether it has a process (or a connection) now. */
bool guests_is_active(const json_t *guest);

/* Whether it does not, but is to be started soon: held back, or restarted. */
bool guests_is_pending(const json_t *guest);

/* "n1: running". guest: an object, or NULL when nothing is known. */
void guests_print_state(const char *name, const json_t *guest);

/* "n1: login after 12.3 s". */
void guests_print_stage(const char *name, const json_t *guest);

/* Tells an error about a guest, which it names; returns the exit code. */
int guests_fail(const char *name, const struct error *error);

/* The table of `ls`. */
void guests_print_table(const json_t *guests);

/* Why it ended, as the deck's card says it: what happened, the last lines of
 * QEMU's stderr, the command line, advice. To stderr. Nothing when there is no
 * exit report. */
void guests_print_card(const json_t *guest);
