#pragma once

#include "client/mirror-alerts.h"

#include <stdbool.h>

#include <jansson.h>

struct deck;
struct pane;

/* The deck's part in watching: alerts and silence, as marks, messages, bells
 * and notifications of the operator's terminal. */
struct watching;

/* Asks the server for alerts and settings: at the beginning, and when events
 * were lost. */
void watching_ask(struct deck *deck);
void watching_finish(struct deck *deck);
/* An event of the server's; other events than those about alerts do nothing. */
void watching_event(struct deck *deck, const char *name, const json_t *data);

const struct mirror_alerts *watching_alerts(const struct deck *deck);
/* The mark of an alert, and its colours. */
const char *watching_mark(const struct deck *deck, int severity);
int watching_role(int severity); /* enum theme_role */

/* The operator did something with a console: its alerts were seen. */
void watching_touch(struct deck *deck, const struct pane *pane);
/* All alerts were seen. */
void watching_see_all(struct deck *deck);
/* Whether the console is silent for longer than it may be; console NULL: any of
 * the guest's. */
bool watching_is_silent(const struct deck *deck, const char *guest,
                        const char *console);
/* A menu of what the focused console can be watched for. */
void watching_menu(struct deck *deck);
