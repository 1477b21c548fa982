#include "base/xalloc.h"
#include "server/server-internal.h"
#include "server/watch-internal.h"

#include <stdlib.h>

/* Consoles that print nothing. One timer stands for the one whose time is over
 * next; output only notes when it came, and the timer looks again when it
 * fires, so that a console that prints costs one wake-up per its silence, and
 * one that is silent none. */

static bool
is_watched(const struct member *member, const struct watch_console *console)
{
    return console->silence_s > 0 && !console->is_silent &&
           guest_state(member->guest) == GUEST_STATE_RUNNING;
}

/* ms until a watched console's silence is long enough. */
static uint64_t
wait_ms(const struct watch_console *console, uint64_t now_ms)
{
    uint64_t due = console->output_ms + (uint64_t)console->silence_s * 1000;
    return due > now_ms ? due - now_ms : 0;
}

static void
arm(struct server *server)
{
    uint64_t now_ms = uv_now(&server->loop);
    uint64_t next_ms = UINT64_MAX;
    for (size_t i = 0; i < server->member_count; i++) {
        const struct member *member = server->members[i];
        for (size_t j = 0; j < member->console_count; j++) {
            const struct watch_console *console = &member->consoles[j].watch;
            if (!is_watched(member, console))
                continue;
            uint64_t wait = wait_ms(console, now_ms);
            next_ms = wait < next_ms ? wait : next_ms;
        }
    }
    if (next_ms == UINT64_MAX)
        loop_timer_stop(server->watch->silence_timer);
    else
        loop_timer_start(server->watch->silence_timer, next_ms + 1);
}

static void
tell(struct server *server, struct member *member, size_t index)
{
    char *text = xasprintf("nothing was printed for %d s",
                           member->consoles[index].watch.silence_s);
    watch_raise(server, guest_name(member->guest),
                guest_console_name(member->guest, index), "silence",
                ALERT_WARNING, text);
    free(text);
    registry_note_change(server, member);
}

void
silence_check(void *data)
{
    struct server *server = data;
    uint64_t now_ms = uv_now(&server->loop);
    for (size_t i = 0; i < server->member_count; i++) {
        struct member *member = server->members[i];
        for (size_t j = 0; j < member->console_count; j++) {
            struct watch_console *console = &member->consoles[j].watch;
            if (!is_watched(member, console) || wait_ms(console, now_ms) > 0)
                continue;
            console->is_silent = true;
            tell(server, member, j);
        }
    }
    arm(server);
}

void
silence_set(struct server *server, struct member *member, size_t index,
            int silence_s)
{
    struct watch_console *console = &member->consoles[index].watch;
    if (console->silence_s == silence_s)
        return;
    console->silence_s = silence_s;
    console->is_silent = false;
    console->output_ms = uv_now(&server->loop);
    registry_note_change(server, member);
    arm(server);
}

void
silence_output(struct server *server, struct member *member, size_t index)
{
    struct watch_console *console = &member->consoles[index].watch;
    console->output_ms = uv_now(&server->loop);
    if (!console->is_silent)
        return;
    console->is_silent = false;
    registry_note_change(server, member);
    arm(server);
}

void
silence_state(struct server *server, struct member *member)
{
    bool is_running = guest_state(member->guest) == GUEST_STATE_RUNNING;
    if (is_running == member->is_running)
        return;
    /* who does not run is not silent, and its silence begins anew */
    member->is_running = is_running;
    for (size_t i = 0; i < member->console_count; i++) {
        member->consoles[i].watch.is_silent = false;
        member->consoles[i].watch.output_ms = uv_now(&server->loop);
    }
    arm(server);
}
