#include "tui/life.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

/* Stages on the way to a login, as they look in the list. A firmware is not
 * among them: it is all that is known of many systems that run well. */
static const struct stage_row {
    const char *stage;
    const char *label;
} stage_rows[] = {
    {"boot-loader", "loader"},
    {"kernel", "kernel"},
    {"init", "init"},
    {"cloud-init", "cloud"},
};

static const char *
text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

/* The row of the stage that a running guest is in, or NULL. */
static const struct stage_row *
boot_row(const struct mirror_guest *guest)
{
    const char *stage = text_of(guest->object, "stage");
    if (strcmp(guest->state, "running") != 0)
        return NULL;
    for (size_t i = 0; i < sizeof(stage_rows) / sizeof(*stage_rows); i++) {
        if (strcmp(stage_rows[i].stage, stage) == 0)
            return &stage_rows[i];
    }
    return NULL;
}

/* Seconds until it is started again; -1: it is not. */
static int64_t
restart_in_s(const struct mirror_guest *guest, int64_t now_ms)
{
    const json_t *due =
        json_object_get(json_object_get(guest->object, "restart"), "due-ms");
    if (!json_is_integer(due))
        return -1;
    int64_t left_ms = json_integer_value(due) - now_ms;
    return left_ms > 0 ? (left_ms + 999) / 1000 : 0;
}

int64_t
life_shutdown_s(const struct mirror_guest *guest, int64_t now_ms)
{
    const json_t *until =
        json_object_get(json_object_get(guest->object, "shutdown"), "until-ms");
    if (!json_is_integer(until))
        return -1;
    int64_t left_ms = json_integer_value(until) - now_ms;
    return left_ms > 0 ? (left_ms + 999) / 1000 : 0;
}

bool
life_is_forced(const struct mirror_guest *guest)
{
    const json_t *shutdown = json_object_get(guest->object, "shutdown");
    const char *step = text_of(shutdown, "step");
    return json_is_true(json_object_get(shutdown, "forced")) &&
           (strcmp(step, "button") == 0 || strcmp(step, "agent") == 0);
}

const char *
life_shutdown_next(const struct mirror_guest *guest)
{
    const json_t *shutdown = json_object_get(guest->object, "shutdown");
    if (strcmp(text_of(shutdown, "next"), "agent") == 0)
        return "its agent is asked";
    return life_is_forced(guest) ? "forced off" : "given up";
}

bool
life_is_pending(const struct mirror_guest *guest)
{
    return text_of(guest->object, "waiting")[0] || restart_in_s(guest, 0) >= 0;
}

int64_t
life_lasts_ms(const struct mirror_guest *guest, int64_t now_ms)
{
    return restart_in_s(guest, now_ms) > 0 || life_shutdown_s(guest, now_ms) > 0
               ? 1000
               : -1;
}

void
life_plan(const struct mirror_guest *guest, int64_t now_ms, char *text,
          size_t size)
{
    int64_t seconds = restart_in_s(guest, now_ms);
    const json_t *restart = json_object_get(guest->object, "restart");
    json_int_t limit = json_integer_value(json_object_get(restart, "limit"));
    char wait[32];
    text[0] = '\0';
    if (text_of(guest->object, "waiting")[0])
        (void)snprintf(text, size, "%s", text_of(guest->object, "waiting"));
    else if (json_is_true(json_object_get(restart, "gave-up")))
        (void)snprintf(text, size, "not restarted any more (%lld of %lld)",
                       (long long)limit, (long long)limit);
    if (seconds < 0)
        return;
    clock_format_duration(seconds, wait, sizeof(wait));
    if (limit)
        (void)snprintf(
            text, size, "restarts in %s (%lld of %lld)", wait,
            (long long)json_integer_value(json_object_get(restart, "count")) +
                1,
            (long long)limit);
    else
        (void)snprintf(text, size, "restarts in %s", wait);
}

const char *
life_label(const struct mirror_guest *guest, int64_t now_ms, char *text,
           size_t size)
{
    const struct stage_row *row = boot_row(guest);
    int64_t seconds = restart_in_s(guest, now_ms);
    if (text_of(guest->object, "waiting")[0])
        return "waiting";
    if (life_is_forced(guest)) {
        (void)snprintf(text, size, "off %ds",
                       (int)(life_shutdown_s(guest, now_ms) % 10000));
        return text;
    }
    if (seconds < 0)
        return row ? row->label : NULL;
    if (seconds < 1000)
        (void)snprintf(text, size, "in %ds", (int)seconds);
    else
        (void)snprintf(text, size, "in %dm", (int)(seconds / 60 % 10000));
    return text;
}

/* The stage in words, with how far cloud-init has come in it; a start's step
 * while there is no process yet. */
static void
boot_title(const struct mirror_guest *guest, char *text, size_t size)
{
    const struct stage_row *row = boot_row(guest);
    const json_t *cloud = json_object_get(guest->object, "cloud-init");
    const char *phase = text_of(cloud, "phase");
    const char *step = text_of(guest->object, "step");
    if (step[0])
        (void)snprintf(text, size, "%s", step);
    else if (row && phase[0] && strcmp(row->stage, "cloud-init") == 0)
        (void)snprintf(text, size, "%s %s", row->stage, phase);
    else if (row)
        (void)snprintf(text, size, "%s", row->stage);
}

void
life_title(const struct mirror_guest *guest, int64_t now_ms, char *text,
           size_t size)
{
    int64_t seconds = life_shutdown_s(guest, now_ms);
    char left[32];
    life_plan(guest, now_ms, text, size);
    if (seconds >= 0) {
        clock_format_duration(seconds, left, sizeof(left));
        (void)snprintf(text, size, "%s in %s", life_shutdown_next(guest), left);
    } else {
        boot_title(guest, text, size);
    }
}

void
life_fact(const struct mirror_guest *guest, char *text, size_t size)
{
    const char *stage = text_of(guest->object, "stage");
    const json_t *stages = json_object_get(guest->object, "stages");
    text[0] = '\0';
    for (size_t i = 0; i < json_array_size(stages); i++) {
        const json_t *one = json_array_get(stages, i);
        char after[32];
        if (strcmp(text_of(one, "stage"), stage) != 0)
            continue;
        clock_format_duration(
            json_integer_value(json_object_get(one, "after-ms")) / 1000, after,
            sizeof(after));
        (void)snprintf(text, size, "%s after %s%s", stage, after,
                       json_is_true(json_object_get(guest->object, "stalled"))
                           ? ", hangs"
                           : "");
    }
}
