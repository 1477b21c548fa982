#pragma once

struct deck;
struct pane;

/* What fills the lists of records.h, and where their rows lead. */

/* The alerts, as the server told them. */
void records_fill_alerts(struct deck *deck);

/* Shows the last place in a console's history where this line stands. */
void records_jump(struct deck *deck, struct pane *pane, const char *line);
