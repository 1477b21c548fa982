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

const char *
life_label(const struct mirror_guest *guest, int64_t now_ms, char *text,
           size_t size)
{
    const struct stage_row *row = boot_row(guest);
    (void)now_ms;
    (void)text;
    (void)size;
    return row ? row->label : NULL;
}

void
life_title(const struct mirror_guest *guest, int64_t now_ms, char *text,
           size_t size)
{
    const struct stage_row *row = boot_row(guest);
    (void)now_ms;
    text[0] = '\0';
    if (row)
        (void)snprintf(text, size, "%s", row->stage);
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
