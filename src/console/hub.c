#include "base/xalloc.h"
#include "console/console-internal.h"

#include <assert.h>
#include <stdlib.h>

static void
on_check(uv_check_t *check)
{
    struct console_hub *hub = check->data;
    hub->turn++;
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
    watchdog_free(hub->watchdog);
    free(hub->fds.scratch);
    free(hub);
}
