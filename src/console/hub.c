#include "base/xalloc.h"
#include "console/console-internal.h"

#include <assert.h>
#include <stdlib.h>

/* Histories: what nobody read or wrote for this long is compressed, a little
 * at a time. */
#define FREEZER_PERIOD_MS 1000
#define FREEZER_PAUSE_MS 10
/* Bytes that stay at hand in between, because somebody read them: 64 consoles
 * with 10 000 lines are searched twice without unpacking them twice. */
#define FREEZER_UNPACKED_BYTES ((size_t)128 << 20)

static void
on_freezing(void *data)
{
    struct console_hub *hub = data;
    if (!hub->is_freezing)
        freezer_tick(hub->freezer);
    hub->is_freezing = freezer_work(hub->freezer);
    /* Here, for the next check may be far: the loop sleeps before it. */
    if (!freezer_is_idle(hub->freezer))
        loop_timer_start(hub->freezing, hub->is_freezing ? FREEZER_PAUSE_MS
                                                         : FREEZER_PERIOD_MS);
}

/* At the end of each turn, when nobody holds a history's text any more. */
static void
check_freezer(struct console_hub *hub)
{
    freezer_trim(hub->freezer, FREEZER_UNPACKED_BYTES);
    if (!freezer_is_idle(hub->freezer) && !loop_timer_is_armed(hub->freezing))
        loop_timer_start(hub->freezing, FREEZER_PERIOD_MS);
}

static void
on_check(uv_check_t *check)
{
    struct console_hub *hub = check->data;
    hub->turn++;
    check_freezer(hub);
    watchdog_turn(hub->watchdog);
    unsigned taken = watchdog_taken_count(hub->watchdog);
    if (taken == hub->taken_count)
        return;
    hub->taken_count = taken;
    /* From the beginning after each one, for its handlers may free any. */
    struct console *at = hub->first;
    while (at)
        at = keyboard_check_taken(at->keyboard) ? hub->first : at->next;
}

static void
on_check_closed(uv_handle_t *handle)
{
    free(handle);
}

struct console_hub *
console_hub_new(uv_loop_t *loop, struct error *error)
{
    struct console_hub *hub = xcalloc(1, sizeof(*hub));
    hub->loop = loop;
    hub->followers = follower_set_new(loop, error);
    if (!hub->followers) {
        free(hub);
        return NULL;
    }
    hub->freezer = freezer_new();
    hub->freezing = loop_timer_new(loop, on_freezing, hub);
    hub->watchdog = watchdog_new(WATCHDOG_LATE_MS);
    hub->fds.scratch = xmalloc(FDSOURCE_SLICE_BYTES);
    hub->check = xcalloc(1, sizeof(*hub->check));
    uv_check_init(loop, hub->check);
    hub->check->data = hub;
    uv_check_start(hub->check, on_check);
    /* It counts turns; it is no reason to go on turning. */
    uv_unref((uv_handle_t *)hub->check);
    return hub;
}

void
console_hub_free(struct console_hub *hub)
{
    if (!hub)
        return;
    assert(!hub->first);
    uv_close((uv_handle_t *)hub->check, on_check_closed);
    follower_set_free(hub->followers);
    loop_timer_free(hub->freezing);
    freezer_free(hub->freezer);
    watchdog_free(hub->watchdog);
    free(hub->fds.scratch);
    free(hub);
}
