/* The readers of what is said about a guest's life. */
#include "base/nearest.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "fleet/shellwords.h"
#include "fleet/spec-internal.h"

#include <stdlib.h>
#include <string.h>

static const char *const policies[] = {
    [LIFECYCLE_NEVER] = "never",
    [LIFECYCLE_ON_FAILURE] = "on-failure",
    [LIFECYCLE_ALWAYS] = "always",
};

const char *
lifecycle_policy_name(enum lifecycle_policy policy)
{
    return (unsigned)policy < LIFECYCLE_POLICY_COUNT ? policies[policy]
                                                     : "unknown";
}

void
lifecycle_init(struct lifecycle *lifecycle)
{
    *lifecycle = (struct lifecycle){
        .until_timeout_s = 600,
        .restart = {.delay_s = 1,
                    .max_delay_s = 60,
                    .limit = 5,
                    .window_s = 600},
        .shutdown = {.button_s = 60,
                     .repeat_s = 5,
                     .agent_s = 30,
                     .quit_s = 5,
                     .term_s = 5},
        .stall_s = {[STAGE_FIRMWARE] = 120,
                    [STAGE_BOOT_LOADER] = 120,
                    [STAGE_KERNEL] = 180,
                    [STAGE_INIT] = 300,
                    [STAGE_CLOUD_INIT] = 900},
    };
}

void
lifecycle_finish(struct lifecycle *lifecycle)
{
    shellwords_free(lifecycle->after);
    lifecycle->after = NULL;
}

#define AT(member) offsetof(struct spec, lifecycle.member)
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* An object of such members and nothing else; wanted: "an object, such as …".
 */
static void
read_object(struct spec_reader *reader, const struct spec_member *rows,
            size_t count, const json_t *value, const struct place *place,
            const char *wanted)
{
    if (json_is_object(value))
        spec_read_members(reader, rows, count, NULL, value, place);
    else
        spec_wrong_type(reader->mistakes, place, value, wanted);
}

/* Start order -------------------------------------------------------------- */

static void
take_after(struct spec_reader *reader, const json_t *value,
           const struct place *place)
{
    char **names = spec_take_words(reader, value, place);
    bool ok = names != NULL;
    for (size_t i = 0; names && names[i]; i++) {
        struct place item = {place, NULL, i};
        if (text_is_name(names[i]))
            continue;
        char *shown = spec_show(names[i]);
        mistakes_add(reader->mistakes, &item, POSITIONS_PART_VALUE,
                     "\"%s\" is not a guest's name", shown);
        free(shown);
        ok = false;
    }
    if (!ok || !names[0]) {
        shellwords_free(names);
        return;
    }
    shellwords_free(reader->spec->lifecycle.after);
    reader->spec->lifecycle.after = names;
}

void
spec_read_after(struct spec_reader *reader, const struct spec_field *field,
                const json_t *value, const struct place *place)
{
    (void)field;
    if (json_is_string(value)) {
        json_t *one = json_pack("[O]", value);
        take_after(reader, one, place);
        json_decref(one);
    } else if (!json_is_array(value)) {
        spec_wrong_type(reader->mistakes, place, value,
                        "an array of guests' names");
    } else if (json_array_size(value) > LIFECYCLE_MAX_AFTER) {
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "there are %zu names, at most %d are allowed",
                     json_array_size(value), LIFECYCLE_MAX_AFTER);
    } else {
        take_after(reader, value, place);
    }
}

static void
take_until(struct spec_reader *reader, const json_t *value,
           const struct place *place)
{
    char *text = spec_take_text(reader, value, place, 64, SPEC_TEXT_ONE_LINE);
    const char *near = NULL;
    enum stage stage = STAGE_OFF;
    if (!text)
        return;
    if (!strcmp(text, "running") ||
        (stage_parse(text, &stage, &near) && stage != STAGE_OFF)) {
        reader->spec->lifecycle.until = stage;
    } else {
        char *shown = spec_show(text);
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "\"%s\" is not a stage to wait for (try %s)", shown,
                     near && strcmp(near, "off") != 0 ? near : "login");
        free(shown);
    }
    free(text);
}

void
spec_read_until(struct spec_reader *reader, const struct spec_field *field,
                const json_t *value, const struct place *place)
{
    static const struct spec_member rows[] = {
        {"timeout", AT(until_timeout_s), 1, LIFECYCLE_MAX_S},
    };
    (void)field;
    const json_t *stage = json_object_get(value, "stage");
    if (!json_is_object(value)) {
        take_until(reader, value, place);
        return;
    }
    spec_read_members(reader, rows, 1, "stage", value, place);
    struct place at = {place, "stage", 0};
    if (stage)
        take_until(reader, stage, &at);
}

/* What follows the end ----------------------------------------------------- */

static void
take_policy(struct spec_reader *reader, const json_t *value,
            const struct place *place)
{
    if (!json_is_string(value)) {
        spec_wrong_type(reader->mistakes, place, value,
                        "a policy (never, on-failure or always)");
        return;
    }
    char *text = spec_take_text(reader, value, place, 64, SPEC_TEXT_ONE_LINE);
    if (!text)
        return;
    for (int i = 0; i < LIFECYCLE_POLICY_COUNT; i++) {
        if (strcmp(policies[i], text) != 0)
            continue;
        reader->spec->lifecycle.restart.policy = (enum lifecycle_policy)i;
        free(text);
        return;
    }
    const char *near = nearest_name(text, policies, LIFECYCLE_POLICY_COUNT);
    char *shown = spec_show(text);
    mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                 "\"%s\" is not a policy (%s%s)", shown,
                 near ? "did you mean " : "never, on-failure or always",
                 near ? near : "");
    free(shown);
    free(text);
}

void
spec_read_restart(struct spec_reader *reader, const struct spec_field *field,
                  const json_t *value, const struct place *place)
{
    static const struct spec_member rows[] = {
        {"delay", AT(restart.delay_s), 1, LIFECYCLE_MAX_S},
        {"max-delay", AT(restart.max_delay_s), 1, LIFECYCLE_MAX_S},
        {"limit", AT(restart.limit), 0, 1000},
        {"window", AT(restart.window_s), 1, LIFECYCLE_MAX_S},
    };
    (void)field;
    const json_t *policy = json_object_get(value, "policy");
    struct place at = {place, "policy", 0};
    if (!json_is_object(value)) {
        take_policy(reader, value, place);
        return;
    }
    struct lifecycle *life = &reader->spec->lifecycle;
    spec_read_members(reader, rows, COUNT(rows), "policy", value, place);
    if (!spec_member(value, "max-delay") &&
        life->restart.max_delay_s < life->restart.delay_s)
        life->restart.max_delay_s = life->restart.delay_s;
    if (life->restart.max_delay_s < life->restart.delay_s)
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "\"delay\" (%d) is more than \"max-delay\" (%d)",
                     life->restart.delay_s, life->restart.max_delay_s);
    if (policy)
        take_policy(reader, policy, &at);
    else if (!reader->is_part)
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "\"policy\" is missing (never, on-failure or always)");
}

/* Shutting down, staying --------------------------------------------------- */

void
spec_read_shutdown(struct spec_reader *reader, const struct spec_field *field,
                   const json_t *value, const struct place *place)
{
    static const struct spec_member rows[] = {
        {"button", AT(shutdown.button_s), 1, LIFECYCLE_MAX_S},
        {"repeat", AT(shutdown.repeat_s), 1, LIFECYCLE_MAX_S},
        {"agent", AT(shutdown.agent_s), 1, LIFECYCLE_MAX_S},
        {"force", AT(shutdown.is_forced), 0, 0},
        {"quit", AT(shutdown.quit_s), 1, LIFECYCLE_MAX_S},
        {"term", AT(shutdown.term_s), 1, LIFECYCLE_MAX_S},
    };
    (void)field;
    read_object(reader, rows, COUNT(rows), value, place,
                "an object, such as {\"button\": 30, \"force\": true}");
}

void
spec_read_stall(struct spec_reader *reader, const struct spec_field *field,
                const json_t *value, const struct place *place)
{
    static const struct spec_member rows[] = {
        {"firmware", AT(stall_s[STAGE_FIRMWARE]), 0, LIFECYCLE_MAX_S},
        {"boot-loader", AT(stall_s[STAGE_BOOT_LOADER]), 0, LIFECYCLE_MAX_S},
        {"kernel", AT(stall_s[STAGE_KERNEL]), 0, LIFECYCLE_MAX_S},
        {"init", AT(stall_s[STAGE_INIT]), 0, LIFECYCLE_MAX_S},
        {"cloud-init", AT(stall_s[STAGE_CLOUD_INIT]), 0, LIFECYCLE_MAX_S},
    };
    (void)field;
    read_object(reader, rows, COUNT(rows), value, place,
                "an object, such as {\"kernel\": 60}");
}
