#include "server/alerts.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/text.h"
#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>

/* Columns of a guest's line and of a message that are kept. */
#define LINE_MAX_COLS 400u
#define MESSAGE_MAX_COLS 400u

struct alerts {
    struct alert **items; /* owned: ALERTS_MAX, oldest first */
    size_t count;
    int64_t next_id;
    struct loop_timer *timer; /* owned: counts that are due */
    const struct alerts_handlers *handlers;
    void *data;
};

static void
free_alert(struct alert *alert)
{
    free(alert->guest);
    free(alert->console);
    free(alert->rule);
    free(alert->message);
    free(alert->line);
    free(alert);
}

static bool
is_same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Telling ------------------------------------------------------------------ */

static void
on_timer(void *data)
{
    struct alerts *alerts = data;
    for (size_t i = 0; i < alerts->count; i++) {
        if (!alerts->items[i]->is_due)
            continue;
        struct alert *alert = alerts->items[i];
        bool has_doubled = alert->count >= 2 * alert->recorded;
        alert->is_due = false;
        if (has_doubled)
            alert->recorded = alert->count;
        alerts->handlers->on_alert(alerts->data, alert,
                                   has_doubled ? ALERTS_DOUBLED : ALERTS_GREW);
    }
}

struct alerts *
alerts_new(uv_loop_t *loop, const struct alerts_handlers *handlers, void *data)
{
    struct alerts *alerts = xcalloc(1, sizeof(*alerts));
    alerts->items = xcalloc(ALERTS_MAX, sizeof(struct alert *));
    alerts->next_id = 1;
    alerts->timer = loop_timer_new(loop, on_timer, alerts);
    alerts->handlers = handlers;
    alerts->data = data;
    return alerts;
}

void
alerts_free(struct alerts *alerts)
{
    if (!alerts)
        return;
    for (size_t i = 0; i < alerts->count; i++)
        free_alert(alerts->items[i]);
    free(alerts->items);
    loop_timer_free(alerts->timer);
    free(alerts);
}

/* The list ----------------------------------------------------------------- */

static void
remove_at(struct alerts *alerts, size_t index)
{
    free_alert(alerts->items[index]);
    alerts->count--;
    memmove(&alerts->items[index], &alerts->items[index + 1],
            (alerts->count - index) * sizeof(struct alert *));
}

/* Makes room for one more of a guest: its oldest goes, or the oldest of all. */
static void
make_room(struct alerts *alerts, const char *guest)
{
    size_t own = 0;
    size_t oldest = ALERTS_MAX;
    for (size_t i = 0; i < alerts->count; i++) {
        if (!is_same(alerts->items[i]->guest, guest))
            continue;
        if (oldest == ALERTS_MAX)
            oldest = i;
        own++;
    }
    if (own >= ALERTS_MAX_PER_GUEST)
        remove_at(alerts, oldest);
    else if (alerts->count == ALERTS_MAX)
        remove_at(alerts, 0);
}

/* message: the report's, made fit to show. */
static struct alert *
find_recent(const struct alerts *alerts, const struct alert_report *report,
            const char *message, int64_t now_ms)
{
    for (size_t i = alerts->count; i > 0; i--) {
        struct alert *alert = alerts->items[i - 1];
        if (is_same(alert->guest, report->guest) &&
            is_same(alert->console, report->console) &&
            strcmp(alert->rule, report->rule) == 0 &&
            strcmp(alert->message, message) == 0)
            return now_ms - alert->last_ms < ALERTS_JOIN_MS ? alert : NULL;
    }
    return NULL;
}

static char *
fit(const char *text, unsigned cols)
{
    return text ? text_printable(text, strlen(text), cols, TEXT_ONE_LINE)
                : NULL;
}

const struct alert *
alerts_raise(struct alerts *alerts, const struct alert_report *report)
{
    int64_t now_ms = clock_wall_ms();
    char *message = fit(report->message, MESSAGE_MAX_COLS);
    struct alert *alert = find_recent(alerts, report, message, now_ms);
    if (alert) {
        free(message);
        alert->count++;
        alert->last_ms = now_ms;
        alert->is_due = true;
        if (!loop_timer_is_armed(alerts->timer))
            loop_timer_start(alerts->timer, ALERTS_TELL_MS);
        return alert;
    }
    make_room(alerts, report->guest);
    alert = xcalloc(1, sizeof(*alert));
    alert->id = alerts->next_id++;
    alert->first_ms = alert->last_ms = now_ms;
    alert->guest = xstrdup(report->guest);
    alert->console = xstrdup(report->console);
    alert->rule = xstrdup(report->rule);
    alert->message = message;
    alert->line = fit(report->line, LINE_MAX_COLS);
    alert->offset = report->offset;
    alert->severity = report->severity;
    alert->count = alert->recorded = 1;
    alerts->items[alerts->count++] = alert;
    alerts->handlers->on_alert(alerts->data, alert, ALERTS_NEW);
    return alert;
}

/* A text that an earlier server wrote, which somebody may have edited. */
static char *
text_of(const json_t *object, const char *name, unsigned cols)
{
    return fit(json_string_value(json_object_get(object, name)), cols);
}

static int64_t
number_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

void
alerts_restore(struct alerts *alerts, const json_t *object)
{
    const char *severity =
        json_string_value(json_object_get(object, "severity"));
    int64_t id = number_of(object, "id");
    struct alert known = {.severity = ALERT_INFO};
    if (id < 1 || !severity || !alert_severity_parse(severity, &known.severity))
        return;
    for (size_t i = 0; i < alerts->count; i++) {
        if (alerts->items[i]->id == id) {
            remove_at(alerts, i);
            break;
        }
    }
    known.id = id;
    known.first_ms = number_of(object, "first-ms");
    known.last_ms = number_of(object, "last-ms");
    known.guest = text_of(object, "guest", LINE_MAX_COLS);
    known.console = text_of(object, "console", LINE_MAX_COLS);
    known.rule = text_of(object, "rule", LINE_MAX_COLS);
    known.message = text_of(object, "text", MESSAGE_MAX_COLS);
    known.line = text_of(object, "line", LINE_MAX_COLS);
    known.offset = (uint64_t)number_of(object, "offset");
    known.count = known.recorded = (uint64_t)number_of(object, "count");
    known.is_seen = json_is_true(json_object_get(object, "seen"));
    known.rule = known.rule ? known.rule : xstrdup("unknown");
    known.message = known.message ? known.message : xstrdup(known.rule);
    make_room(alerts, known.guest);
    struct alert *alert = xcalloc(1, sizeof(*alert));
    *alert = known;
    alerts->items[alerts->count++] = alert;
    if (id >= alerts->next_id)
        alerts->next_id = id + 1;
}

/* Choosing ----------------------------------------------------------------- */

static bool
is_chosen(const struct alert *alert, const struct alerts_choice *choice)
{
    return (!choice->guest || is_same(alert->guest, choice->guest)) &&
           (!choice->id || alert->id == choice->id) &&
           alert->last_ms >= choice->since_ms &&
           alert->severity >= choice->severity;
}

json_t *
alerts_list(const struct alerts *alerts, const struct alerts_choice *choice)
{
    json_t *list = json_array();
    for (size_t i = 0; i < alerts->count; i++) {
        if (is_chosen(alerts->items[i], choice))
            json_array_append_new(list, alert_to_json(alerts->items[i]));
    }
    return list;
}

json_t *
alerts_clear(struct alerts *alerts, const struct alerts_choice *choice)
{
    json_t *ids = json_array();
    for (size_t i = alerts->count; i > 0; i--) {
        if (!is_chosen(alerts->items[i - 1], choice))
            continue;
        json_array_append_new(ids, json_integer(alerts->items[i - 1]->id));
        remove_at(alerts, i - 1);
    }
    return ids;
}

json_t *
alerts_see(struct alerts *alerts, const struct alerts_choice *choice)
{
    json_t *ids = json_array();
    for (size_t i = 0; i < alerts->count; i++) {
        struct alert *alert = alerts->items[i];
        if (alert->is_seen || !is_chosen(alert, choice))
            continue;
        alert->is_seen = true;
        json_array_append_new(ids, json_integer(alert->id));
    }
    return ids;
}

json_t *
alert_to_json(const struct alert *alert)
{
    json_t *object = json_pack(
        "{s:I,s:I,s:I,s:s?,s:s?,s:s,s:s,s:o}", "id", (json_int_t)alert->id,
        "first-ms", (json_int_t)alert->first_ms, "last-ms",
        (json_int_t)alert->last_ms, "guest", alert->guest, "console",
        alert->console, "severity", alert_severity_name(alert->severity),
        "rule", alert->rule, "text", json_from_text(alert->message));
    if (alert->line)
        json_object_set_new(object, "line", json_from_text(alert->line));
    if (alert->console)
        json_object_set_new(object, "offset",
                            json_integer((json_int_t)alert->offset));
    json_object_set_new(object, "count",
                        json_integer((json_int_t)alert->count));
    json_object_set_new(object, "seen", json_boolean(alert->is_seen));
    return object;
}
