#pragma once

#include <stdbool.h>
#include <stdint.h>

struct deck;
struct pane;
struct records_row;

/* What fills the lists of records.h, and where their rows lead. */

/* The alerts, as the server told them. */
void records_fill_alerts(struct deck *deck);

/* Opens the timeline with what is newest. */
void records_open_timeline(struct deck *deck);
/* Opens it around a moment; target (may be NULL) and offset (-1: none): the
 * line to choose. */
void records_open_around(struct deck *deck, int64_t at_ms, const char *target,
                         int64_t offset);
/* Opens it around a line of a console. by: how number tells which one: "row",
 * an absolute row that is part of it, or "line", its own. */
void records_open_here(struct deck *deck, const char *target, const char *by,
                       int64_t number);

/* The operator came near an end of the timeline: what lies beyond is fetched.
 */
void records_timeline_moved(struct deck *deck, bool is_near_first,
                            bool is_near_last);
/* A filter was chosen: of all that there is, not only of what was fetched. */
void records_timeline_filter(struct deck *deck);

/* Shows where the line of a row stands in its console's history, or when it was
 * printed, once it has left that. */
void records_jump(struct deck *deck, struct pane *pane,
                  const struct records_row *row);
/* Forgets what the server did not answer yet. */
void records_jump_finish(struct deck *deck);
