#include "client/mirror-alerts.h"

#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>

int
mirror_severity(const char *name)
{
    static const char *const names[] = {"info", "warning", "critical"};
    for (int i = 0; name && i < 3; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
    }
    return MIRROR_SEVERITY_NONE;
}

static const char *
text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static int64_t
number_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

/* Fills it from the API's object; false when that is none. */
static bool
read_alert(struct mirror_alert *alert, const json_t *object)
{
    *alert = (struct mirror_alert){
        .id = number_of(object, "id"),
        .at_ms = number_of(object, "last-ms"),
        .guest = text_of(object, "guest"),
        .console = text_of(object, "console"),
        .text = text_of(object, "text"),
        .line = text_of(object, "line"),
        .offset = number_of(object, "offset"),
        .count = number_of(object, "count"),
        .severity = mirror_severity(text_of(object, "severity")),
        .is_seen = json_is_true(json_object_get(object, "seen")),
    };
    if (alert->id < 1 || !alert->text ||
        alert->severity == MIRROR_SEVERITY_NONE)
        return false;
    /* the object is the event's own and changes no more */
    alert->object = json_incref((json_t *)object);
    return true;
}

void
mirror_alerts_finish(struct mirror_alerts *alerts)
{
    for (size_t i = 0; i < alerts->count; i++)
        json_decref(alerts->items[i].object);
    free(alerts->items);
    *alerts = (struct mirror_alerts){0};
}

static void
take_out(struct mirror_alerts *alerts, size_t index)
{
    json_decref(alerts->items[index].object);
    alerts->count--;
    memmove(&alerts->items[index], &alerts->items[index + 1],
            (alerts->count - index) * sizeof(*alerts->items));
}

static void
put(struct mirror_alerts *alerts, const struct mirror_alert *alert)
{
    for (size_t i = alerts->count; i > 0; i--) {
        if (alerts->items[i - 1].id == alert->id)
            take_out(alerts, i - 1);
    }
    if (alerts->count == MIRROR_ALERTS_MAX)
        take_out(alerts, 0);
    if (!alerts->items)
        alerts->items = xcalloc(MIRROR_ALERTS_MAX, sizeof(*alerts->items));
    alerts->items[alerts->count++] = *alert;
}

void
mirror_alerts_load(struct mirror_alerts *alerts, const json_t *list)
{
    mirror_alerts_finish(alerts);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct mirror_alert alert;
        if (read_alert(&alert, json_array_get(list, i)))
            put(alerts, &alert);
    }
}

static bool
is_among(const json_t *ids, int64_t id)
{
    for (size_t i = 0; i < json_array_size(ids); i++) {
        if (json_integer_value(json_array_get(ids, i)) == id)
            return true;
    }
    return false;
}

bool
mirror_alerts_event(struct mirror_alerts *alerts, const char *event,
                    const json_t *data)
{
    struct mirror_alert alert;
    bool has_changed = false;
    const json_t *ids = json_object_get(data, "ids");
    if (strcmp(event, "ALERT") == 0) {
        has_changed = read_alert(&alert, data);
        if (has_changed)
            put(alerts, &alert);
    } else if (strcmp(event, "ALERTS_CLEARED") == 0) {
        for (size_t i = alerts->count; i > 0; i--) {
            if (!is_among(ids, alerts->items[i - 1].id))
                continue;
            take_out(alerts, i - 1);
            has_changed = true;
        }
    } else if (strcmp(event, "ALERTS_SEEN") == 0) {
        for (size_t i = 0; i < alerts->count; i++) {
            if (!is_among(ids, alerts->items[i].id))
                continue;
            alerts->items[i].is_seen = true;
            has_changed = true;
        }
    }
    return has_changed;
}

const struct mirror_alert *
mirror_alerts_find(const struct mirror_alerts *alerts, int64_t id)
{
    for (size_t i = 0; i < alerts->count; i++) {
        if (alerts->items[i].id == id)
            return &alerts->items[i];
    }
    return NULL;
}

static bool
is_about(const struct mirror_alert *alert, const char *guest,
         const char *console)
{
    return alert->guest && strcmp(alert->guest, guest) == 0 &&
           (!console || !alert->console ||
            strcmp(alert->console, console) == 0);
}

const struct mirror_alert *
mirror_alerts_worst(const struct mirror_alerts *alerts, const char *guest,
                    const char *console)
{
    const struct mirror_alert *worst = NULL;
    for (size_t i = 0; i < alerts->count; i++) {
        const struct mirror_alert *alert = &alerts->items[i];
        if (!alert->is_seen && is_about(alert, guest, console) &&
            (!worst || alert->severity >= worst->severity))
            worst = alert;
    }
    return worst;
}
