#pragma once

#include <stdbool.h>
#include <stddef.h>

struct deck;

/* Guests that are marked in the list, and typing that goes to all of them. Both
 * are this deck's alone and end with it. */

bool broadcast_is_marked(const struct deck *deck, const char *guest);
/* Marks a guest, or takes its mark. */
void broadcast_mark(struct deck *deck, const char *guest);
/* Marks all guests, or none when any is marked. */
void broadcast_mark_all(struct deck *deck);

/* Begins or ends. It does not begin without a marked guest. */
void broadcast_toggle(struct deck *deck);
void broadcast_end(struct deck *deck);

/* Whether what is typed goes to this guest because of its mark. */
bool broadcast_reaches(const struct deck *deck, const char *guest);

/* The consoles that typing goes to: the first ones of the marked guests that
 * run, in the list's order, or the one in focus. The array is the caller's to
 * free, the names are borrowed. */
size_t broadcast_targets(const struct deck *deck, const char ***ret_names);

/* The marked guests that run, whether typing goes to them now or not; the same
 * kind of array. */
size_t broadcast_marked(const struct deck *deck, const char ***ret_names);

/* Forgets marks of guests that are gone, tells of those that ended, and ends
 * when none is left that runs. After each change of the fleet. */
void broadcast_check(struct deck *deck);
void broadcast_finish(struct deck *deck);
