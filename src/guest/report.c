#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "guest/guest-internal.h"
#include "qemu/argv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How much of QEMU's stderr is told: its end. */
#define STDERR_MAX_BYTES 16384u
#define STDERR_MAX_LINES 12u
#define STDERR_MAX_COLS 400u

/* QMP's ShutdownCause (qapi/run-state.json), for people. */
static const struct reason_row {
    const char *reason;
    const char *text;
    enum guest_state state;
} reason_rows[] = {
    {"guest-shutdown", "the guest shut down", GUEST_STATE_STOPPED},
    {"guest-reset", "the guest rebooted, and QEMU was told not to",
     GUEST_STATE_STOPPED},
    {"guest-panic", "the guest's kernel panicked", GUEST_STATE_CRASHED},
    {"host-error", "QEMU met an error that it could not go on with",
     GUEST_STATE_CRASHED},
    {"host-qmp-quit", "QEMU was told to quit by its monitor",
     GUEST_STATE_STOPPED},
    {"host-qmp-system-reset", "QEMU was reset, and told not to go on",
     GUEST_STATE_STOPPED},
    {"host-signal", "QEMU was ended by a signal (SIGTERM, SIGINT or SIGHUP)",
     GUEST_STATE_STOPPED},
    {"host-ui", "QEMU's window was closed", GUEST_STATE_STOPPED},
    {"subsystem-reset", "the guest was reset, and QEMU was told not to go on",
     GUEST_STATE_STOPPED},
};

/* Reads the end of stderr.log; the first, cut line is left out. The caller
 * frees it. */
static char *
read_end(const char *path, size_t *ret_len)
{
    *ret_len = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    off_t size = lseek(fd, 0, SEEK_END);
    off_t from =
        size > (off_t)STDERR_MAX_BYTES ? size - (off_t)STDERR_MAX_BYTES : 0;
    char *text = xmalloc(STDERR_MAX_BYTES);
    ssize_t got = pread(fd, text, STDERR_MAX_BYTES, from);
    (void)close(fd);
    size_t len = got > 0 ? (size_t)got : 0;
    const char *start = from > 0 ? memchr(text, '\n', len) : NULL;
    if (start) {
        len -= (size_t)(start + 1 - text);
        memmove(text, start + 1, len);
    }
    *ret_len = len;
    return text;
}

json_t *
report_stderr(const struct guest *guest)
{
    /* What every start says of each console's pty. */
    static const char chatter[] = "char device redirected to ";
    json_t *lines = json_array();
    char *path = store_path(guest, "stderr.log");
    size_t len = 0;
    char *raw = read_end(path, &len);
    free(path);
    if (!raw)
        return lines;
    char *text = text_printable(raw, len, STDERR_MAX_COLS, TEXT_KEEP_LINES);
    free(raw);
    for (char *line = text; line;) {
        char *end = strchr(line, '\n');
        if (end)
            *end = '\0';
        if (*line && strncmp(line, chatter, strlen(chatter)) != 0)
            json_array_append_new(lines, json_from_text(line));
        if (json_array_size(lines) > STDERR_MAX_LINES)
            json_array_remove(lines, 0);
        line = end ? end + 1 : NULL;
    }
    free(text);
    return lines;
}

/* Whether QEMU left its pidfile behind: it removes it whenever it ends by
 * itself, so a kill or an abort is told from an exit even when nobody was
 * there to take its status. */
static bool
has_left_pidfile(const struct guest *guest)
{
    bool is_used = false;
    for (char **word = guest->run->argv; word && *word; word++)
        is_used = is_used || !strcmp(*word, "-pidfile");
    char *path = store_path(guest, "qemu.pid");
    bool is_there = access(path, F_OK) == 0;
    free(path);
    return is_used && is_there;
}

/* Whether its monitor ever answered, to this server or an earlier one. */
static bool
was_ready(const struct run *run)
{
    return run->is_ready || run->qmp_uuid;
}

/* The program's name as messages say it: "QEMU", or "ipmitool". */
static const char *
program_name(const struct guest *guest)
{
    if (guest_has_qemu(guest))
        return "QEMU";
    char *const *argv = guest->run->argv;
    if (!argv || !argv[0])
        return "the program";
    const char *slash = strrchr(argv[0], '/');
    return slash ? slash + 1 : argv[0];
}

static char *
summarise_unknown(const struct guest *guest, enum guest_state *ret_state)
{
    const struct run *run = guest->run;
    *ret_state = GUEST_STATE_STOPPED;
    if (run->is_host_rebooted)
        return xasprintf("%s ended with the machine: it was rebooted since",
                         program_name(guest));
    if (!guest_has_qemu(guest))
        return xasprintf("%s ended with the server that ran it",
                         program_name(guest));
    const char *why = run->is_unwatched ? "no server was there when it ended"
                                        : "it was started by an earlier server";
    if (has_left_pidfile(guest)) {
        *ret_state = GUEST_STATE_CRASHED;
        return xasprintf("QEMU was killed or aborted; how is not known, for %s",
                         why);
    }
    if (!was_ready(run)) {
        *ret_state = GUEST_STATE_CRASHED;
        return xasprintf("QEMU exited before its monitor answered; its status "
                         "is not known, for %s",
                         why);
    }
    return xasprintf("QEMU ended by itself; its exit status is not known, for "
                     "%s",
                     why);
}

/* Ends of a process that nobody asked for and QMP did not explain. */
static char *
summarise_exit(const struct guest *guest, enum guest_state *ret_state)
{
    const struct run *run = guest->run;
    const char *program = program_name(guest);
    const char *when = guest_has_qemu(guest) && !was_ready(run)
                           ? " before its monitor answered"
                           : "";
    *ret_state = GUEST_STATE_CRASHED;
    if (run->exit.signal) {
        char *name = process_signal_name(run->exit.signal);
        char *text = xasprintf("%s was killed by %s%s", program, name, when);
        free(name);
        return text;
    }
    if (!run->exit.is_known)
        return summarise_unknown(guest, ret_state);
    if (run->exit.code == 0 && !*when)
        *ret_state = GUEST_STATE_STOPPED;
    return xasprintf("%s exited with status %d%s", program, run->exit.code,
                     when);
}

static char *
summarise_reason(const struct guest *guest, enum guest_state *ret_state)
{
    const struct run *run = guest->run;
    if (run->exit.is_known && (run->exit.code || run->exit.signal))
        return summarise_exit(guest, ret_state);
    size_t count = sizeof(reason_rows) / sizeof(*reason_rows);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(reason_rows[i].reason, run->reason) != 0)
            continue;
        *ret_state = reason_rows[i].state;
        return xstrdup(reason_rows[i].text);
    }
    *ret_state = GUEST_STATE_STOPPED;
    char *reason = text_printable(run->reason, strlen(run->reason), 60, 0);
    char *text = xasprintf("QEMU ended: %s", reason);
    free(reason);
    return text;
}

/* A device or a socket. */
static char *
summarise_descriptor(const struct guest *guest, enum guest_state *ret_state)
{
    bool is_device = guest->spec->kind == SPEC_KIND_DEVICE;
    int errnum = guest->console_count ? guest->consoles[0].end_errnum : 0;
    *ret_state =
        is_device || errnum ? GUEST_STATE_CRASHED : GUEST_STATE_STOPPED;
    if (errnum)
        return xasprintf("the %s failed: %s",
                         is_device ? "device" : "connection", strerror(errnum));
    return xstrdup(is_device ? "the device went away"
                             : "the other end closed the connection");
}

static char *
summarise(const struct guest *guest, enum guest_state *ret_state)
{
    const struct run *run = guest->run;
    *ret_state = GUEST_STATE_STOPPED;
    if (run->is_let_go)
        return xstrdup("let go as asked");
    if (run->is_kill_asked)
        return xstrdup("forced off as asked");
    if (!run->argv)
        return summarise_descriptor(guest, ret_state);
    if (run->is_shutting_down && !guest_has_qemu(guest))
        return xstrdup("ended as asked");
    if (run->reason && was_ready(run))
        return summarise_reason(guest, ret_state);
    return summarise_exit(guest, ret_state);
}

/* value: stolen. */
static void
set_or_null(json_t *object, const char *name, json_t *value)
{
    json_object_set_new(object, name, value ? value : json_null());
}

json_t *
report_build(const struct guest *guest, enum guest_state *ret_state)
{
    const struct run *run = guest->run;
    const struct process_exit *exit = &run->exit;
    char *summary = summarise(guest, ret_state);
    char *command = run->argv ? argv_to_shell(run->argv) : NULL;
    json_t *lines = guest_has_qemu(guest) ? report_stderr(guest) : json_array();
    char *advice =
        *ret_state == GUEST_STATE_CRASHED ? advice_find(lines) : NULL;
    char *signal = exit->signal ? process_signal_name(exit->signal) : NULL;
    int64_t uptime_ms = clock_wall_ms() - run->started_ms;
    bool has_code = exit->is_known && !exit->signal;
    json_t *report = json_object();
    set_or_null(report, "code", has_code ? json_integer(exit->code) : NULL);
    set_or_null(report, "signal", signal ? json_string(signal) : NULL);
    set_or_null(report, "reason",
                run->reason ? json_from_text(run->reason) : NULL);
    set_or_null(report, "summary", json_from_text(summary));
    set_or_null(report, "stderr", lines);
    set_or_null(
        report, "uptime-ms",
        run->is_unwatched ? NULL : json_integer(uptime_ms > 0 ? uptime_ms : 0));
    set_or_null(report, "command", command ? json_from_text(command) : NULL);
    set_or_null(report, "advice", advice ? json_from_text(advice) : NULL);
    free(signal);
    free(advice);
    free(command);
    free(summary);
    return report;
}
