#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* The client's copy of the server's alerts. */

enum mirror_severity {
    MIRROR_SEVERITY_NONE = -1,
    MIRROR_INFO,
    MIRROR_WARNING,
    MIRROR_CRITICAL,
};

/* More than the server keeps; of a server that keeps more, the newest. */
#define MIRROR_ALERTS_MAX 1000

struct mirror_alert {
    json_t *object; /* owned reference; the strings below are its */
    int64_t id;
    int64_t at_ms;       /* when it happened last, wall clock */
    const char *guest;   /* NULL: the server's own */
    const char *console; /* NULL: the guest's own */
    const char *text;    /* never NULL */
    const char *line;    /* the guest's; NULL: none. Foreign text */
    int64_t offset;
    int64_t count;
    int severity; /* enum mirror_severity */
    bool is_seen;
};

struct mirror_alerts {
    struct mirror_alert *items; /* owned, the oldest first */
    size_t count;
};

void mirror_alerts_finish(struct mirror_alerts *alerts);
/* list: the array of alert-list. What is no alert is left out. */
void mirror_alerts_load(struct mirror_alerts *alerts, const json_t *list);
/* Applies ALERT, ALERTS_CLEARED and ALERTS_SEEN; other events do nothing.
 * Returns whether anything changed. */
bool mirror_alerts_event(struct mirror_alerts *alerts, const char *event,
                         const json_t *data);
const struct mirror_alert *
mirror_alerts_find(const struct mirror_alerts *alerts, int64_t id);
/* The worst, and of those the newest, that was not seen: of a guest, and of its
 * console (NULL: any; the guest's own count for each). NULL: there is none. */
const struct mirror_alert *
mirror_alerts_worst(const struct mirror_alerts *alerts, const char *guest,
                    const char *console);
/* "info", "warning", "critical" or anything else. */
int mirror_severity(const char *name);
