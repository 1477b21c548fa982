#include "cli/guests.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "cli/cli.h"
#include "cli/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *
guests_list(struct session *session, struct error *error)
{
    json_t *reply = NULL;
    if (!session_call(session, "guest-list", NULL, SESSION_REPLY_TIMEOUT_MS,
                      &reply, error))
        return NULL;
    json_t *guests = json_incref(json_object_get(reply, "guests"));
    json_decref(reply);
    if (!json_is_array(guests)) {
        json_decref(guests);
        error_set(error, ERROR_CODE_PROTOCOL, "the server sent no guest list");
        return NULL;
    }
    return guests;
}

json_t *
guests_named(const struct options *given, int first)
{
    json_t *names = json_array();
    for (int i = first; i < given->argument_count; i++)
        json_array_append_new(names, json_from_text(given->arguments[i]));
    return names;
}

bool
guests_check_console(struct session *session, const char *target,
                     struct error *error)
{
    json_t *guest = NULL;
    size_t len = strcspn(target, ":");
    json_t *arguments =
        json_pack("{s:o}", "guest", json_from_bytes(target, len));
    if (!session_call(session, "guest-query", arguments,
                      SESSION_REPLY_TIMEOUT_MS, &guest, error))
        return false;
    bool is_found = target[len] == '\0';
    const json_t *consoles = json_object_get(guest, "consoles");
    for (size_t i = 0; !is_found && i < json_array_size(consoles); i++)
        is_found = strcmp(guests_text(json_array_get(consoles, i), "name"),
                          target + len + 1) == 0;
    if (!is_found)
        error_set(error, ERROR_CODE_NOT_FOUND,
                  "guest '%s' has no console '%.64s'",
                  guests_text(guest, "name"), target + len + 1);
    json_decref(guest);
    return is_found;
}

/* Whether the first line of the text has the guest's name as a word. */
static bool
is_named(const char *text, const char *guest)
{
    static const char in_names[] = "abcdefghijklmnopqrstuvwxyz"
                                   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t len = strlen(guest);
    const char *end = text + strcspn(text, "\n");
    for (const char *at = strstr(text, guest); at && at < end;
         at = strstr(at + 1, guest)) {
        if ((at == text || !strchr(in_names, at[-1])) &&
            (at[len] == '\0' || !strchr(in_names, at[len])))
            return true;
    }
    return false;
}

int
guests_fail(const char *name, const struct error *error)
{
    struct error told = *error;
    if (!is_named(told.text, name))
        error_prefix(&told, "%s", name);
    return cli_fail(&told);
}

const char *
guests_text(const json_t *guest, const char *member)
{
    const char *text = json_string_value(json_object_get(guest, member));
    return text ? text : "";
}

json_int_t
guests_number(const json_t *guest, const char *member)
{
    return json_integer_value(json_object_get(guest, member));
}

bool
guests_is_active(const json_t *guest)
{
    static const char *const inactive[] = {"", "defined", "stopped", "crashed",
                                           "lost"};
    const char *state = guests_text(guest, "state");
    for (size_t i = 0; i < sizeof(inactive) / sizeof(inactive[0]); i++) {
        if (strcmp(state, inactive[i]) == 0)
            return false;
    }
    return true;
}

bool
guests_is_pending(const json_t *guest)
{
    return guests_text(guest, "waiting")[0] ||
           guests_number(json_object_get(guest, "restart"), "due-ms");
}

void
guests_print_state(const char *name, const json_t *guest)
{
    const char *state = guests_text(guest, "state");
    char *line = xasprintf("%s: %s", name, state[0] ? state : "done");
    output_line(line);
    free(line);
}

/* When it came to its present stage, ms after its boot began; -1: unknown. */
static json_int_t
stage_after_ms(const json_t *guest)
{
    const char *stage = guests_text(guest, "stage");
    const json_t *stages = json_object_get(guest, "stages");
    for (size_t i = 0; i < json_array_size(stages); i++) {
        const json_t *one = json_array_get(stages, i);
        if (strcmp(guests_text(one, "stage"), stage) == 0)
            return guests_number(one, "after-ms");
    }
    return -1;
}

void
guests_print_stage(const char *name, const json_t *guest)
{
    const char *stage = guests_text(guest, "stage");
    json_int_t after_ms = stage_after_ms(guest);
    char *line = after_ms < 0 ? xasprintf("%s: %s", name, stage)
                              : xasprintf("%s: %s after %.1f s", name, stage,
                                          (double)after_ms / 1000.0);
    output_line(line);
    free(line);
}

/* "kernel +2s": the stage, and how long after the boot's beginning it came. */
static void
format_stage(const json_t *guest, char *text, unsigned size)
{
    char after[32];
    json_int_t after_ms = stage_after_ms(guest);
    text[0] = '\0';
    if (after_ms < 0)
        return;
    clock_format_duration(after_ms / 1000, after, sizeof(after));
    (void)snprintf(text, size, "%s +%s", guests_text(guest, "stage"), after);
}

/* "restarts in 4s (2 of 5)", or that it does no more; false: neither. */
static bool
format_restart(const json_t *guest, char *text, unsigned size)
{
    const json_t *restart = json_object_get(guest, "restart");
    json_int_t due_ms = guests_number(restart, "due-ms");
    char limit[64] = "";
    char wait[32];
    if (json_is_true(json_object_get(restart, "gave-up"))) {
        (void)snprintf(text, size, "not restarted any more: %s",
                       guests_text(json_object_get(guest, "exit"), "summary"));
        return true;
    }
    if (!due_ms)
        return false;
    int64_t left_ms = due_ms - clock_wall_ms();
    clock_format_duration(left_ms > 0 ? (left_ms + 999) / 1000 : 0, wait,
                          sizeof(wait));
    if (guests_number(restart, "limit"))
        (void)snprintf(limit, sizeof(limit), " (%lld of %lld)",
                       (long long)guests_number(restart, "count") + 1,
                       (long long)guests_number(restart, "limit"));
    (void)snprintf(text, size, "restarts in %s%s", wait, limit);
    return true;
}

/* "4m12s" since a wall clock time, "" for none. */
static void
format_since(json_int_t then_ms, char *text, unsigned size)
{
    text[0] = '\0';
    int64_t now_ms = clock_wall_ms();
    if (then_ms > 0)
        clock_format_duration(now_ms > then_ms ? (now_ms - then_ms) / 1000 : 0,
                              text, size);
}

static json_int_t
newest_activity(const json_t *guest)
{
    json_int_t newest = 0;
    const json_t *consoles = json_object_get(guest, "consoles");
    for (size_t i = 0; i < json_array_size(consoles); i++) {
        json_int_t at =
            guests_number(json_array_get(consoles, i), "activity-ms");
        newest = at > newest ? at : newest;
    }
    return newest;
}

static char *
console_names(const json_t *guest)
{
    char *names = xstrdup("");
    const json_t *consoles = json_object_get(guest, "consoles");
    for (size_t i = 0; i < json_array_size(consoles); i++) {
        char *longer =
            xasprintf("%s%s%s", names, i ? "," : "",
                      guests_text(json_array_get(consoles, i), "name"));
        free(names);
        names = longer;
    }
    return names;
}

/* Where the state stands in the table. */
#define STATE_COL 1

static void
add_row(struct output_table *table, const json_t *guest)
{
    char uptime[32] = "";
    char activity[32] = "";
    char pid[32] = "";
    char stage[64] = "";
    if (guests_is_active(guest))
        format_since(guests_number(guest, "started-ms"), uptime,
                     sizeof(uptime));
    if (guests_is_active(guest))
        format_stage(guest, stage, sizeof(stage));
    format_since(newest_activity(guest), activity, sizeof(activity));
    if (guests_number(guest, "pid"))
        (void)snprintf(pid, sizeof(pid), "%lld",
                       (long long)guests_number(guest, "pid"));
    char *consoles = console_names(guest);
    const char *note = guests_text(guest, "problem");
    if (!note[0])
        note = guests_text(guest, "step");
    if (!note[0] && !guests_is_active(guest))
        note = guests_text(json_object_get(guest, "exit"), "summary");
    char plan[128] = "";
    if (guests_text(guest, "waiting")[0])
        note = guests_text(guest, "waiting");
    else if (format_restart(guest, plan, sizeof(plan)))
        note = plan;
    if (!note[0] && json_array_size(json_object_get(guest, "changes")))
        note = "defined otherwise: a restart applies it";
    if (!note[0] && json_is_true(json_object_get(guest, "stalled")))
        note = "its boot hangs: see alerts";
    const char *const cells[] = {
        guests_text(guest, "name"),   guests_text(guest, "state"),
        stage[0] ? stage : "-",       uptime[0] ? uptime : "-",
        pid[0] ? pid : "-",           consoles,
        activity[0] ? activity : "-", note,
    };
    output_table_add(table, cells);
    output_table_style(table, STATE_COL,
                       output_state_style(guests_text(guest, "state")));
    free(consoles);
}

void
guests_print_table(const json_t *guests)
{
    static const char *const head[] = {"NAME", "STATE",    "STAGE",    "UPTIME",
                                       "PID",  "CONSOLES", "ACTIVITY", "NOTE"};
    size_t cols = sizeof(head) / sizeof(head[0]);
    struct output_table *table = output_table_new(cols);
    output_table_add(table, head);
    for (size_t i = 0; i < json_array_size(guests); i++)
        add_row(table, json_array_get(guests, i));
    output_table_print(table);
}

static void
print_foreign(const char *indent, const char *text)
{
    char *printable = text_printable(text, strlen(text), 0, TEXT_ONE_LINE);
    (void)fprintf(stderr, "%s%s\n", indent, printable);
    free(printable);
}

void
guests_print_card(const json_t *guest)
{
    const json_t *report = json_object_get(guest, "exit");
    if (!json_is_object(report))
        return;
    (void)fflush(stdout);
    char *head = xasprintf("%s: %s", guests_text(guest, "name"),
                           guests_text(report, "summary"));
    print_foreign("guestmux: ", head);
    free(head);
    const json_t *lines = json_object_get(report, "stderr");
    for (size_t i = 0; i < json_array_size(lines); i++) {
        const char *line = json_string_value(json_array_get(lines, i));
        if (line)
            print_foreign("  | ", line);
    }
    if (guests_text(report, "command")[0])
        print_foreign("  command: ", guests_text(report, "command"));
    if (guests_text(report, "advice")[0])
        print_foreign("  advice: ", guests_text(report, "advice"));
}
