#include "server/watch.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "server/alerts-embedded.h"
#include "server/server-internal.h"
#include "server/watch-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The journal's newest records, among which are the alerts that the server
 * before this one had: reading all would hold up its start. */
#define RESTORE_RECORDS 3000

/* A user's rules are a few kilobytes. */
#define RULES_FILE_MAX_BYTES (1u << 20)

/* Alerts ------------------------------------------------------------------- */

static void
record_alert(struct server *server, const struct alert *alert)
{
    json_t *record = json_pack("{s:I,s:s}", "at-ms", (json_int_t)alert->last_ms,
                               "kind", "alert");
    json_t *object = alert_to_json(alert);
    json_object_update_missing(record, object);
    json_decref(object);
    /* a guest that ended is found ended by the next server too */
    if (strcmp(alert->rule, "crashed") == 0)
        json_object_set_new(record, "state", json_string("crashed"));
    lifecycle_record(server, record);
}

static void
on_alert(void *data, const struct alert *alert, enum alerts_news news)
{
    struct server *server = data;
    server_emit(server, "ALERT", alert_to_json(alert));
    if (news != ALERTS_GREW)
        record_alert(server, alert);
}

static const struct alerts_handlers alerts_handlers = {.on_alert = on_alert};

void
watch_raise(struct server *server, const char *guest, const char *console,
            const char *rule, int severity, const char *text)
{
    struct alert_report report = {
        .guest = guest,
        .console = console,
        .rule = rule,
        .message = text,
        .severity = severity,
    };
    (void)alerts_raise(server->watch->alerts, &report);
}

void
watch_notice(struct server *server, const char *level, const char *guest,
             const char *text)
{
    if (!server->watch)
        return;
    if (strcmp(level, "info") != 0) {
        watch_raise(
            server, guest, NULL, "notice",
            strcmp(level, "error") == 0 ? ALERT_CRITICAL : ALERT_WARNING, text);
        return;
    }
    lifecycle_record(server, json_pack("{s:I,s:s,s:s?,s:s,s:s}", "at-ms",
                                       (json_int_t)clock_wall_ms(), "kind",
                                       "notice", "guest", guest, "severity",
                                       level, "text", text));
}

static void
on_hook_trouble(void *data, const char *guest, const char *text)
{
    server_notice(data, "warning", guest, text);
}

/* Puts back what the server before this one knew. */
static void
restore_alerts(struct watch *watch)
{
    struct journal_query all = {
        .severity = ALERT_UNSET,
        .limit = RESTORE_RECORDS,
        .is_complete = true,
    };
    json_t *records = journal_find(watch->journal, &all);
    for (size_t i = 0; i < json_array_size(records); i++) {
        const json_t *record = json_array_get(records, i);
        const char *kind = json_string_value(json_object_get(record, "kind"));
        const json_t *ids = json_object_get(record, "ids");
        if (kind && strcmp(kind, "alert") == 0)
            alerts_restore(watch->alerts, record);
        for (size_t j = 0; kind && j < json_array_size(ids); j++) {
            struct alerts_choice choice = {
                .id = json_integer_value(json_array_get(ids, j)),
                .severity = ALERT_UNSET,
            };
            if (choice.id < 1)
                continue;
            json_decref(strcmp(kind, "seen") == 0
                            ? alerts_see(watch->alerts, &choice)
                            : alerts_clear(watch->alerts, &choice));
        }
    }
    json_decref(records);
}

/* Rules -------------------------------------------------------------------- */

/* The content of the user's rules; false without error when there are none. */
static bool
read_file(const char *path, struct buffer *content, struct error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat info;
    if (fd < 0)
        return errno == ENOENT
                   ? false
                   : error_set_errno(error, errno, "cannot open %s", path);
    if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode) ||
        (size_t)info.st_size > RULES_FILE_MAX_BYTES) {
        (void)close(fd);
        return error_set(error, ERROR_CODE_INVALID,
                         "%s is no regular file of at most %u bytes", path,
                         RULES_FILE_MAX_BYTES);
    }
    buffer_reserve(content, (size_t)info.st_size);
    ssize_t got = read(fd, content->data, (size_t)info.st_size);
    int errnum = errno;
    (void)close(fd);
    if (got < 0)
        return error_set_errno(error, errnum, "cannot read %s", path);
    content->len = (size_t)got;
    return true;
}

/* Reads the user's file and joins it with the program's own. */
static void
load_rules(struct server *server)
{
    struct watch *watch = server->watch;
    struct buffer content = {0};
    struct buffer problems = {0};
    struct error error = {0};
    char *path = xasprintf("%s/alerts.json", server->paths->config_dir);
    alert_file_finish(&watch->user);
    if (read_file(path, &content, &error))
        (void)alert_file_parse(&watch->user, path, content.data, content.len,
                               &error);
    if (error.code)
        buffer_append_text(&problems, error.text);
    free(path);
    buffer_finish(&content);
    struct ruleset_layer layers[] = {
        {&watch->own.rules, "default"},
        {&watch->user.rules, "user"},
    };
    ruleset_unref(watch->rules);
    watch->rules = ruleset_new(layers, 2, &problems);
    free(watch->problems);
    watch->problems = problems.len ? buffer_steal(&problems) : NULL;
    buffer_finish(&problems);
}

/* One alert a line: each names its place. */
static void
raise_lines(struct server *server, const char *guest, const char *rule,
            const char *lines)
{
    char *copy = xstrdup(lines);
    char *rest = copy;
    while (rest && *rest)
        watch_raise(server, guest, NULL, rule, ALERT_WARNING,
                    strsep(&rest, "\n"));
    free(copy);
}

struct ruleset *
watch_rules(struct server *server, struct member *member)
{
    struct watch *watch = server->watch;
    const struct spec *spec = guest_spec(member->guest);
    if (member->rules)
        return member->rules;
    if (!spec->alerts.count) {
        member->rules = ruleset_ref(watch->rules);
        return member->rules;
    }
    struct buffer problems = {0};
    struct buffer known = {0}; /* told when they were read */
    struct ruleset_layer layers[] = {
        {&watch->own.rules, "default"},
        {&watch->user.rules, "user"},
    };
    ruleset_unref(ruleset_new(layers, 2, &known));
    struct ruleset_layer all[] = {
        layers[0], layers[1], {&spec->alerts, "guest"}};
    member->rules = ruleset_new(all, 3, &problems);
    if (problems.len > known.len)
        raise_lines(server, guest_name(member->guest), "rules",
                    problems.data + known.len + (known.len != 0));
    buffer_finish(&problems);
    buffer_finish(&known);
    return member->rules;
}

static void
forget_rules(struct member *member)
{
    for (size_t i = 0; i < member->console_count; i++)
        watcher_finish(&member->consoles[i].watch.watcher);
    ruleset_unref(member->rules);
    member->rules = NULL;
}

struct ruleset *
watch_common_rules(const struct server *server)
{
    return server->watch->rules;
}

const char *
watch_reload(struct server *server)
{
    load_rules(server);
    for (size_t i = 0; i < server->member_count; i++)
        forget_rules(server->members[i]);
    return watch_problems(server);
}

const char *
watch_problems(const struct server *server)
{
    return server->watch->problems ? server->watch->problems : "";
}

const struct alert_file *
watch_settings(const struct server *server)
{
    return &server->watch->user;
}

struct alerts *
watch_alerts(const struct server *server)
{
    return server->watch->alerts;
}

const struct journal *
watch_journal(const struct server *server)
{
    return server->watch->journal;
}

/* Output ------------------------------------------------------------------- */

/* Where a match happened. */
struct spot {
    struct server *server;
    struct member *member;
    size_t index;
};

static void
on_match(void *data, const struct watcher_match *match)
{
    const struct spot *spot = data;
    const struct watcher *watcher =
        &spot->member->consoles[spot->index].watch.watcher;
    const struct rule *rule = ruleset_rule(watcher->rules, match->rule);
    char *line = xstrndup(match->line, match->len);
    struct alert_report report = {
        .guest = guest_name(spot->member->guest),
        .console = guest_console_name(spot->member->guest, spot->index),
        .rule = rule->name,
        .message = rule->message,
        .line = line,
        .offset = match->offset,
        .severity = rule->severity,
    };
    struct watch *watch = spot->server->watch;
    const struct alert *alert = alerts_raise(watch->alerts, &report);
    if (rule->run && alert->count == 1)
        hooks_run(watch->hooks, alert, rule->run, rule->timeout_s);
    free(line);
}

static void
on_give_up(void *data, size_t rule)
{
    const struct spot *spot = data;
    const struct watcher *watcher =
        &spot->member->consoles[spot->index].watch.watcher;
    char *text =
        xasprintf("alert rule \"%s\" takes too long to match the lines of this "
                  "guest, and is off until rules are read again; use a simpler "
                  "pattern (no repeated group that holds a repetition)",
                  ruleset_rule(watcher->rules, rule)->name);
    watch_raise(spot->server, guest_name(spot->member->guest), NULL, "rules",
                ALERT_WARNING, text);
    free(text);
}

static const struct watcher_handlers watcher_handlers = {
    .on_match = on_match,
    .on_give_up = on_give_up,
};

void
watch_output(struct server *server, struct member *member, size_t index,
             const char *bytes, size_t len, uint64_t offset)
{
    struct watch_console *console = &member->consoles[index].watch;
    struct spot spot = {server, member, index};
    if (!console->watcher.rules)
        watcher_init(&console->watcher, watch_rules(server, member));
    console->is_settling =
        watcher_feed(&console->watcher, bytes, len, offset,
                     uv_now(&server->loop), &watcher_handlers, &spot);
    if (console->is_settling &&
        !loop_timer_is_armed(server->watch->settle_timer))
        loop_timer_start(server->watch->settle_timer, WATCH_SETTLE_MS);
    silence_output(server, member, index);
    if (!console->is_activity_wanted)
        return;
    console->is_activity_wanted = false;
    watch_raise(server, guest_name(member->guest),
                guest_console_name(member->guest, index), "activity",
                ALERT_WARNING, "something was printed");
    registry_note_change(server, member);
}

static void
on_settle(void *data)
{
    struct server *server = data;
    for (size_t i = 0; i < server->member_count; i++) {
        struct member *member = server->members[i];
        for (size_t j = 0; j < member->console_count; j++) {
            struct watch_console *console = &member->consoles[j].watch;
            struct spot spot = {server, member, j};
            if (!console->is_settling || !console->watcher.rules)
                continue;
            console->is_settling = false;
            watcher_settle(&console->watcher, uv_now(&server->loop),
                           &watcher_handlers, &spot);
        }
    }
}

/* Guests ------------------------------------------------------------------- */

static void
set_silence(struct server *server, struct member *member)
{
    int silence_s = guest_spec(member->guest)->silence_s;
    for (size_t i = 0; i < member->console_count; i++)
        silence_set(server, member, i, silence_s);
}

void
watch_member_added(struct server *server, struct member *member)
{
    member->recorded_state =
        journal_last_state(server->watch->journal, guest_name(member->guest));
    set_silence(server, member);
    lifecycle_state(server, member);
}

void
watch_member_removed(struct server *server, struct member *member)
{
    lifecycle_removed(server, member);
}

void
watch_member_updated(struct server *server, struct member *member)
{
    forget_rules(member);
    set_silence(server, member);
}

void
watch_member_changed(struct server *server, struct member *member)
{
    lifecycle_state(server, member);
    silence_state(server, member);
}

void
watch_finish_consoles(struct member_console *consoles, size_t count)
{
    for (size_t i = 0; i < count; i++)
        watcher_finish(&consoles[i].watch.watcher);
}

/* Life --------------------------------------------------------------------- */

struct watch *
watch_new(struct server *server)
{
    struct watch *watch = xcalloc(1, sizeof(*watch));
    struct error error = {0};
    server->watch = watch;
    watch->journal = journal_new(server->paths->state_dir, &error);
    watch->alerts = alerts_new(&server->loop, &alerts_handlers, server);
    watch->hooks = hooks_new(&server->loop, server->paths->server,
                             on_hook_trouble, server);
    watch->settle_timer = loop_timer_new(&server->loop, on_settle, server);
    watch->silence_timer = loop_timer_new(&server->loop, silence_check, server);
    restore_alerts(watch);
    if (error.code)
        watch_raise(server, NULL, NULL, "journal", ALERT_WARNING, error.text);
    struct error fault = {0};
    if (!alert_file_parse(&watch->own, "the default alert rules",
                          embedded_alerts, strlen(embedded_alerts), &fault))
        watch_raise(server, NULL, NULL, "rules", ALERT_WARNING, fault.text);
    load_rules(server);
    if (watch->problems)
        raise_lines(server, NULL, "rules", watch->problems);
    return watch;
}

void
watch_free(struct watch *watch)
{
    if (!watch)
        return;
    hooks_free(watch->hooks);
    alerts_free(watch->alerts);
    journal_free(watch->journal);
    ruleset_unref(watch->rules);
    alert_file_finish(&watch->own);
    alert_file_finish(&watch->user);
    loop_timer_free(watch->settle_timer);
    loop_timer_free(watch->silence_timer);
    free(watch->problems);
    free(watch);
}
