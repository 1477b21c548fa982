#pragma once

#include <stdint.h>

struct deck;
struct pane;

/* What fills the lists of records.h, and where their rows lead. */

/* The alerts, as the server told them. */
void records_fill_alerts(struct deck *deck);

/* Opens the timeline with what is newest. */
void records_open_timeline(struct deck *deck);
/* Opens it around a moment; target (may be NULL) and offset (-1: none): the
 * line to choose. */
void records_open_around(struct deck *deck, int64_t at_ms, const char *target,
                         int64_t offset);
/* Opens it around the newest line of a console that contains text. */
void records_open_here(struct deck *deck, const struct pane *pane,
                       const char *text);

/* Shows the last place in a console's history where this line stands. */
void records_jump(struct deck *deck, struct pane *pane, const char *line);
