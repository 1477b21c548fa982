#include "base/xalloc.h"
#include "tui/deck-internal.h"
#include "tui/pane.h"
#include "tui/records-fill.h"
#include "tui/records.h"
#include "tui/watching.h"

#include <stdlib.h>
#include <string.h>

/* The list of alerts. */

/* "n1", or "n1:hvc0" when that is not the guest's first console. */
static char *
target_of(const struct deck *deck, const struct mirror_alert *alert)
{
    for (size_t i = 0; alert->console && i < deck->pane_count; i++) {
        const struct pane *pane = deck->panes[i];
        if (strcmp(pane->guest, alert->guest ? alert->guest : "") == 0 &&
            strcmp(pane->console, alert->console) == 0)
            return xstrdup(pane->target);
    }
    return xstrdup(alert->guest);
}

static void
fill_row(const struct deck *deck, const struct mirror_alert *alert,
         struct records_row *row)
{
    char count[32] = "";
    if (alert->count > 1)
        (void)snprintf(count, sizeof(count), " (%lld times)",
                       (long long)alert->count);
    *row = (struct records_row){
        .guest = xstrdup(alert->guest),
        .target = target_of(deck, alert),
        .mark = xstrdup(watching_mark(deck, alert->severity)),
        .text =
            xasprintf("%s%s%s%s", alert->text, count, alert->line ? ": " : "",
                      alert->line ? alert->line : ""),
        .at_ms = alert->at_ms,
        .offset = alert->line ? alert->offset : -1,
        .id = alert->id,
        .role = (enum theme_role)watching_role(alert->severity),
        .is_strong = !alert->is_seen,
    };
}

void
records_fill_alerts(struct deck *deck)
{
    const struct mirror_alerts *alerts = watching_alerts(deck);
    struct records_row *rows = xcalloc(alerts->count + 1, sizeof(*rows));
    for (size_t i = 0; i < alerts->count; i++)
        fill_row(deck, &alerts->items[i], &rows[i]);
    records_set(deck, rows, alerts->count, SIZE_MAX);
}
