#include "server/stages.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "console/render.h"
#include "server/addresses.h"
#include "server/alerts-embedded.h"
#include "server/server-internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Columns of a guest's last line in an alert. */
#define LAST_LINE_COLS 200u

struct stages {
    struct ruleset *rules;           /* a reference */
    struct loop_timer *settle_timer; /* owned: unfinished lines */
    struct loop_timer *stall_timer;  /* owned: the next stay that is too long */
};

/* Finding ------------------------------------------------------------------ */

/* Where something was found. */
struct spot {
    struct server *server;
    struct member *member;
    size_t console;
    int64_t at_ms; /* wall clock: when it was printed */
};

static void
take_address(const struct spot *spot, const char *line)
{
    addresses_console_line(spot->server, spot->member, line, spot->at_ms);
}

static void
take_progress(const struct spot *spot, const char *line)
{
    struct cloud_progress *cloud = &spot->member->consoles[spot->console].cloud;
    if (cloud_progress_line(cloud, line, spot->at_ms))
        registry_note_change(spot->server, spot->member);
}

/* Rules whose lines say more than a stage. */
static const struct {
    const char *rule;
    void (*take)(const struct spot *spot, const char *line);
} readers[] = {
    {"cloud-init-address", take_address},
    {"cloud-init-failure", take_progress},
    {"cloud-init-phase", take_progress},
};

static void
on_match(void *data, const struct watcher_match *match)
{
    const struct spot *spot = data;
    const struct rule *rule =
        ruleset_rule(spot->server->stages->rules, match->rule);
    enum stage stage = STAGE_OFF;
    if (stage_parse(rule->message, &stage, NULL))
        (void)guest_note_stage(spot->member->guest, stage, spot->at_ms);
    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        if (!strcmp(readers[i].rule, rule->name))
            readers[i].take(spot, match->line);
    }
}

static void
on_give_up(void *data, size_t rule)
{
    (void)data;
    (void)rule; /* the built-in rules never come so far */
}

static const struct watcher_handlers watcher_handlers = {
    .on_match = on_match,
    .on_give_up = on_give_up,
};

/* Whether cloud-init has begun in this boot, or will, and is not done. */
static bool
is_cloud_init_due(const struct member *member)
{
    for (size_t i = 0; i < member->console_count; i++) {
        if (cloud_progress_has_finished(&member->consoles[i].cloud))
            return false;
    }
    return guest_stage_ms(member->guest, STAGE_CLOUD_INIT) ||
           guest_spec(member->guest)->cloud_init;
}

/* A QEMU guest that can be logged in to says nothing more of its boot until it
 * is reset, but for cloud-init, which goes on beside the login prompt: packages
 * that it installs take minutes. */
static bool
is_watched(const struct member *member)
{
    enum spec_kind kind = guest_spec(member->guest)->kind;
    bool has_resets = kind == SPEC_KIND_QEMU || kind == SPEC_KIND_COMMAND;
    return guest_is_active(member->guest) &&
           (!has_resets || !guest_stage_ms(member->guest, STAGE_LOGIN) ||
            is_cloud_init_due(member));
}

/* Where the present boot begins. What was printed before that, and is looked at
 * only now, or stands there as an unfinished line, tells nothing of it. */
static uint64_t
begin_boot(const struct member *member, size_t index)
{
    struct stages_console *state = &member->consoles[index].stages;
    const struct console *console = guest_console(member->guest, index);
    uint64_t boot = console ? console_boot_offset(console) : 0;
    if (boot != state->boot) {
        watcher_finish(&state->watcher);
        state->is_settling = false;
        state->boot = boot;
    }
    return boot;
}

static void
feed(struct spot *spot, struct stages_console *console, const char *bytes,
     size_t len, uint64_t offset)
{
    struct server *server = spot->server;
    if (!console->watcher.rules)
        watcher_init(&console->watcher, server->stages->rules);
    console->is_settling =
        watcher_feed(&console->watcher, bytes, len, offset,
                     uv_now(&server->loop), &watcher_handlers, spot);
    if (console->is_settling &&
        !loop_timer_is_armed(server->stages->settle_timer))
        loop_timer_start(server->stages->settle_timer, WATCH_SETTLE_MS);
}

/* Looks at what the guest printed from its last known stage on, while no server
 * was there. When it was printed is known for its end only. */
static void
catch_up(struct server *server, struct member *member, size_t index,
         uint64_t end)
{
    struct stages_console *state = &member->consoles[index].stages;
    const struct console *console = guest_console(member->guest, index);
    uint64_t from = guest_stage_offset(member->guest, index);
    state->is_caught_up = true;
    (void)begin_boot(member, index);
    /* A log from before the guest was defined anew is of other boots. */
    if (console && console_boot_offset(console) > from)
        from = console_boot_offset(console);
    if (!console || !is_watched(member) || from >= end)
        return;
    if (end - from > STAGES_CATCH_UP_BYTES)
        from = end - STAGES_CATCH_UP_BYTES;
    int fd = open(console_log_path(console),
                  O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return;
    char *bytes = xmalloc((size_t)(end - from));
    ssize_t got = pread(fd, bytes, (size_t)(end - from), (off_t)from);
    (void)close(fd);
    int64_t printed_ms = console_last_output_ms(console);
    struct spot spot = {server, member, index,
                        printed_ms ? printed_ms : clock_wall_ms()};
    if (got > 0)
        feed(&spot, state, bytes, (size_t)got, from);
    free(bytes);
}

void
stages_output(struct server *server, struct member *member, size_t index,
              const char *bytes, size_t len, uint64_t offset)
{
    struct stages_console *console = &member->consoles[index].stages;
    struct spot spot = {server, member, index, clock_wall_ms()};
    if (!is_watched(member))
        return;
    uint64_t boot = begin_boot(member, index);
    if (offset < boot) {
        size_t old = boot - offset < len ? (size_t)(boot - offset) : len;
        bytes += old;
        len -= old;
        offset += old;
    }
    if (!len)
        return;
    if (!console->is_caught_up)
        catch_up(server, member, index, offset);
    feed(&spot, console, bytes, len, offset);
}

void
stages_on_screen(struct server *server, struct member *member, size_t index)
{
    const struct console *console = guest_console(member->guest, index);
    if (member->consoles[index].stages.is_caught_up || !console ||
        console_is_replaying(console))
        return;
    catch_up(server, member, index, console_offset(console));
}

static void
on_settle(void *data)
{
    struct server *server = data;
    for (size_t i = 0; i < server->member_count; i++) {
        struct member *member = server->members[i];
        struct spot spot = {server, member, 0, clock_wall_ms()};
        for (size_t j = 0; j < member->console_count; j++) {
            struct stages_console *console = &member->consoles[j].stages;
            (void)begin_boot(member, j);
            if (!console->is_settling || !console->watcher.rules)
                continue;
            console->is_settling = false;
            spot.console = j;
            watcher_settle(&console->watcher, uv_now(&server->loop),
                           &watcher_handlers, &spot);
        }
    }
}

/* Staying too long --------------------------------------------------------- */

/* When its stay in the present stage is too long, wall clock, ms; 0: never. */
static int64_t
stall_due_ms(const struct member *member)
{
    enum stage stage = guest_stage(member->guest);
    int limit_s = guest_spec(member->guest)->lifecycle.stall_s[stage];
    if (!limit_s || member->stages.is_stalled ||
        guest_state(member->guest) != GUEST_STATE_RUNNING)
        return 0;
    return member->stages.base_ms + (int64_t)limit_s * 1000;
}

static void
arm(struct server *server)
{
    int64_t now_ms = clock_wall_ms();
    int64_t next_ms = 0;
    for (size_t i = 0; i < server->member_count; i++) {
        int64_t due_ms = stall_due_ms(server->members[i]);
        if (due_ms && (!next_ms || due_ms < next_ms))
            next_ms = due_ms;
    }
    if (!next_ms)
        loop_timer_stop(server->stages->stall_timer);
    else
        loop_timer_start(server->stages->stall_timer,
                         next_ms > now_ms ? (uint64_t)(next_ms - now_ms) + 1
                                          : 1);
}

/* The last line that stands on a console's screen, fit to show, or NULL. The
 * caller frees it. */
static char *
last_line(struct console *console)
{
    struct terminal *terminal = console ? console_terminal(console) : NULL;
    for (int row = terminal ? terminal_rows(terminal) - 1 : -1; row >= 0;
         row--) {
        struct buffer text = {0};
        render_rows(terminal, row, row, 0, &text);
        size_t len = text.len;
        while (len && strchr(" \r\n", text.data[len - 1]))
            len--;
        char *line =
            len ? text_printable(text.data, len, LAST_LINE_COLS, TEXT_ONE_LINE)
                : NULL;
        buffer_finish(&text);
        if (line)
            return line;
    }
    return NULL;
}

static void
tell_stalled(struct server *server, struct member *member)
{
    struct guest *guest = member->guest;
    struct console *console = guest_console(guest, 0);
    enum stage stage = guest_stage(guest);
    char duration[32];
    clock_format_duration(guest_spec(guest)->lifecycle.stall_s[stage], duration,
                          sizeof(duration));
    char *line = last_line(console);
    char *text = xasprintf(
        "the boot hangs: for %s it has not come further than %s%s%s", duration,
        stage_name(stage), line ? "; its last line: " : " and printed nothing",
        line ? line : "");
    struct alert_report report = {
        .guest = guest_name(guest),
        .console = guest_console_name(guest, 0),
        .rule = "stalled",
        .message = text,
        .line = line,
        .offset = console ? console_offset(console) : 0,
        .severity = ALERT_WARNING,
    };
    (void)alerts_raise(watch_alerts(server), &report);
    free(text);
    free(line);
    registry_note_change(server, member);
}

static void
on_stall(void *data)
{
    struct server *server = data;
    int64_t now_ms = clock_wall_ms();
    for (size_t i = 0; i < server->member_count; i++) {
        struct member *member = server->members[i];
        int64_t due_ms = stall_due_ms(member);
        if (!due_ms || due_ms > now_ms)
            continue;
        member->stages.is_stalled = true;
        tell_stalled(server, member);
    }
    arm(server);
}

/* Guests ------------------------------------------------------------------- */

static void
record(struct server *server, const struct member *member)
{
    const struct guest *guest = member->guest;
    enum stage stage = member->stages.told;
    int64_t first_ms = guest_stage_ms(guest, STAGE_FIRMWARE);
    int64_t took_ms = member->stages.told_ms - first_ms;
    char *text = first_ms
                     ? xasprintf("reached %s after %.1f s", stage_name(stage),
                                 (double)took_ms / 1000.0)
                     : xasprintf("reached %s", stage_name(stage));
    lifecycle_record(
        server, json_pack("{s:I,s:s,s:s,s:s,s:s,s:s}", "at-ms",
                          (json_int_t)member->stages.told_ms, "kind", "stage",
                          "guest", guest_name(guest), "severity", "info",
                          "stage", stage_name(stage), "text", text));
    free(text);
}

/* What the guest has reached is taken as told. */
static void
take_stage(struct member *member)
{
    struct stages_member *stages = &member->stages;
    stages->told = guest_stage(member->guest);
    stages->told_ms = guest_stage_ms(member->guest, stages->told);
    stages->base_ms = stages->told_ms;
    stages->is_stalled = false;
}

/* What cloud-init said was about the boot before. */
static void
forget_cloud_init(struct member *member)
{
    for (size_t i = 0; i < member->console_count; i++)
        cloud_progress_finish(&member->consoles[i].cloud);
}

void
stages_member_added(struct server *server, struct member *member)
{
    take_stage(member);
    arm(server);
}

void
stages_member_updated(struct server *server, struct member *member)
{
    struct stages_member *stages = &member->stages;
    bool was_stalled = stages->is_stalled;
    stages->is_stalled = false;
    int64_t due_ms = stall_due_ms(member);
    stages->is_stalled = was_stalled && due_ms && due_ms <= clock_wall_ms();
    arm(server);
}

void
stages_member_changed(struct server *server, struct member *member)
{
    struct stages_member *stages = &member->stages;
    enum stage stage = guest_stage(member->guest);
    bool is_running = guest_state(member->guest) == GUEST_STATE_RUNNING;
    bool is_new = stage != stages->told ||
                  guest_stage_ms(member->guest, stage) != stages->told_ms;
    if (is_new) {
        take_stage(member);
        /* that it is on is told with its state */
        if (stage > STAGE_FIRMWARE)
            record(server, member);
        else
            forget_cloud_init(member);
    }
    /* who was paused has not been sitting there */
    if (is_running && stages->was_paused)
        stages->base_ms = clock_wall_ms();
    stages->was_paused = guest_state(member->guest) == GUEST_STATE_PAUSED;
    if (is_new || is_running)
        arm(server);
}

void
stages_finish_console(struct stages_console *console)
{
    watcher_finish(&console->watcher);
}

/* Life --------------------------------------------------------------------- */

struct stages *
stages_new(struct server *server)
{
    struct stages *stages = xcalloc(1, sizeof(*stages));
    struct alert_file file = {0};
    struct error error = {0};
    struct buffer problems = {0};
    if (!alert_file_parse(&file, "the stages' rules", embedded_stages,
                          strlen(embedded_stages), &error))
        watch_raise(server, NULL, NULL, "rules", ALERT_WARNING, error.text);
    struct ruleset_layer layer = {&file.rules, "default"};
    stages->rules = ruleset_new(&layer, 1, &problems);
    stages->settle_timer = loop_timer_new(&server->loop, on_settle, server);
    stages->stall_timer = loop_timer_new(&server->loop, on_stall, server);
    buffer_finish(&problems);
    alert_file_finish(&file);
    return stages;
}

void
stages_free(struct stages *stages)
{
    if (!stages)
        return;
    ruleset_unref(stages->rules);
    loop_timer_free(stages->settle_timer);
    loop_timer_free(stages->stall_timer);
    free(stages);
}
