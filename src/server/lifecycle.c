#include "base/buffer.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "server/api.h"
#include "server/server-internal.h"
#include "server/watch-internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The numbers of pseudo-terminals (Linux, devices.txt). */
#define PTS_FIRST_MAJOR 136
#define PTS_LAST_MAJOR 143
#define TTY_MAJOR 4

void
lifecycle_record(struct server *server, json_t *record)
{
    struct error error = {0};
    if (!server->watch) {
        json_decref(record);
        return;
    }
    server_emit(server, "JOURNAL", json_incref(record));
    (void)journal_add(server->watch->journal, record, &error);
    if (error.code)
        watch_raise(server, NULL, NULL, "journal", ALERT_WARNING, error.text);
}

/* States ------------------------------------------------------------------- */

static const struct state_words {
    const char *state;
    const char *text;
    int severity;
} state_words[] = {
    {"defined", "defined", ALERT_INFO},
    {"paused", "paused", ALERT_INFO},
    {"shutting-down", "shutting down", ALERT_INFO},
    {"guest-panicked", "stopped by QEMU: the guest's kernel panicked",
     ALERT_WARNING},
    {"io-error", "stopped by QEMU: a disk failed", ALERT_WARNING},
    {"watchdog", "stopped by QEMU: the watchdog fired", ALERT_WARNING},
};

static const char *
text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

/* How it came to run: by a start, after a pause, or it was found so. */
static const char *
running_text(const struct member *member, const json_t *guest)
{
    if (strcmp(member->recorded_state, "paused") == 0)
        return "resumed";
    if (strcmp(member->recorded_state, "shutting-down") == 0)
        return "goes on running: its shutdown was stopped, or in vain";
    if (json_is_true(json_object_get(guest, "adopted")))
        return "adopted: it went on without a server";
    return "started";
}

static void
record_state(struct server *server, const struct member *member,
             const char *state, const char *text, int severity)
{
    lifecycle_record(server,
                     json_pack("{s:I,s:s,s:s,s:s,s:s,s:o}", "at-ms",
                               (json_int_t)clock_wall_ms(), "kind", "state",
                               "guest", guest_name(member->guest), "severity",
                               alert_severity_name(severity), "state", state,
                               "text", json_from_text(text)));
}

static void
tell_state(struct server *server, struct member *member, const char *state)
{
    json_t *guest = guest_to_json(member->guest);
    const char *summary = text_of(json_object_get(guest, "exit"), "summary");
    if (strcmp(state, "crashed") == 0) {
        char *text = xasprintf("crashed: %s", summary);
        watch_raise(server, guest_name(member->guest), NULL, "crashed",
                    ALERT_CRITICAL, text);
        free(text);
    } else if (strcmp(state, "stopped") == 0) {
        char *text = xasprintf("ended: %s", summary);
        record_state(server, member, state, text, ALERT_INFO);
        free(text);
    } else if (strcmp(state, "running") == 0) {
        record_state(server, member, state, running_text(member, guest),
                     ALERT_INFO);
    } else if (strcmp(state, "lost") != 0) { /* that is a notice already */
        const char *text = state;
        int severity = ALERT_INFO;
        for (size_t i = 0; i < sizeof(state_words) / sizeof(*state_words);
             i++) {
            if (strcmp(state_words[i].state, state) != 0)
                continue;
            text = state_words[i].text;
            severity = state_words[i].severity;
        }
        record_state(server, member, state, text, severity);
    }
    json_decref(guest);
}

void
lifecycle_state(struct server *server, struct member *member)
{
    const char *state = guest_state_name(member->guest);
    /* an adopted guest that runs as it did is worth a word once */
    bool is_first = !member->is_state_known;
    if (strcmp(state, "starting") == 0)
        return;
    member->is_state_known = true;
    bool is_found_running = is_first && guest_is_active(member->guest);
    if (!is_found_running && strcmp(state, member->recorded_state) == 0)
        return;
    tell_state(server, member, state);
    free(member->recorded_state);
    member->recorded_state = xstrdup(state);
}

void
lifecycle_removed(struct server *server, const struct member *member)
{
    if (!server->is_stopping)
        record_state(server, member, "removed", "removed from the list",
                     ALERT_INFO);
}

/* Deeds -------------------------------------------------------------------- */

/* Reads a small file of /proc; "" when there is none. */
static void
read_proc(pid_t pid, const char *name, char *text, size_t size)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    text[0] = '\0';
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t got = read(fd, text, size - 1);
    (void)close(fd);
    text[got > 0 ? (size_t)got : 0] = '\0';
}

/* The terminal of a process, by the seventh field of its stat (proc(5)). */
static void
add_terminal(pid_t pid, struct buffer *who)
{
    char stat[1024];
    int number = 0;
    read_proc(pid, "stat", stat, sizeof(stat));
    const char *at = strrchr(stat, ')');
    if (!at || sscanf(at + 1, " %*c %*d %*d %*d %d", &number) != 1 || !number)
        return;
    int major = number >> 8 & 0xfff;
    int minor = (number & 0xff) | (number >> 12 & 0xfff00);
    if (major >= PTS_FIRST_MAJOR && major <= PTS_LAST_MAJOR)
        buffer_printf(who, ", pts/%d", (major - PTS_FIRST_MAJOR) * 256 + minor);
    else if (major == TTY_MAJOR)
        buffer_printf(who, ", tty%d", minor);
}

char *
lifecycle_who(const struct peer *peer)
{
    pid_t pid = 0;
    uid_t uid = 0;
    struct buffer who = {0};
    if (!peer || !peer_credentials(peer, &pid, &uid))
        return xstrdup("somebody");
    const char *user = getenv("USER");
    if (uid == 0)
        buffer_append_text(&who, "root");
    else if (uid == geteuid() && user)
        buffer_append_text(&who, user);
    else
        buffer_printf(&who, "user %u", (unsigned)uid);
    if (pid > 0) {
        char name[32];
        read_proc(pid, "comm", name, sizeof(name));
        name[strcspn(name, "\n")] = '\0';
        add_terminal(pid, &who);
        if (name[0])
            buffer_printf(&who, ", %s[%d]", name, (int)pid);
    }
    char *text = text_printable(who.data, who.len, 80, TEXT_ONE_LINE);
    buffer_finish(&who);
    return text;
}

static void
record_deed(struct server *server, const struct peer *peer, const char *method,
            const char *guest, const char *deed, json_t *ids)
{
    char *who = lifecycle_who(peer);
    char *text = xasprintf("%s (%s)", deed, who);
    lifecycle_record(server,
                     json_pack("{s:I,s:s,s:s?,s:s,s:s,s:s,s:o,s:O*}", "at-ms",
                               (json_int_t)clock_wall_ms(), "kind", "action",
                               "guest", guest, "severity", "info", "action",
                               method, "who", who, "text", json_from_text(text),
                               "ids", ids));
    free(text);
    free(who);
}

void
lifecycle_deed(struct server *server, const struct peer *peer,
               const struct method *method, const json_t *arguments)
{
    const char *guest = argument_string(arguments, "guest");
    if (!guest)
        guest = argument_string(arguments, "name");
    if (method->deed)
        record_deed(server, peer, method->name, guest, method->deed, NULL);
}

void
lifecycle_cleared(struct server *server, const struct peer *peer, json_t *ids)
{
    size_t count = json_array_size(ids);
    char *deed = xasprintf("cleared %zu alert%s", count, count == 1 ? "" : "s");
    if (count)
        record_deed(server, peer, "alert-clear", NULL, deed, ids);
    free(deed);
}

void
lifecycle_seen(struct server *server, json_t *ids)
{
    if (json_array_size(ids))
        lifecycle_record(server, json_pack("{s:I,s:s,s:O}", "at-ms",
                                           (json_int_t)clock_wall_ms(), "kind",
                                           "seen", "ids", ids));
}
