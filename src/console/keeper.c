#include "console/keeper.h"

#include "base/xalloc.h"
#include "console/bound.h"
#include "console/console-internal.h"

#include <stdlib.h>

struct keeper {
    struct follower *follower; /* owned */
    struct bound *bound;       /* owned */
};

static void
on_bytes(void *data, const char *bytes, size_t len)
{
    const struct keeper *keeper = data;
    (void)bytes;
    (void)len;
    bound_trim(keeper->bound, follower_offset(keeper->follower));
}

static void
on_caught_up(void *data)
{
    (void)data;
}

static const struct follower_handlers handlers = {
    .on_bytes = on_bytes,
    .on_caught_up = on_caught_up,
};

struct keeper *
keeper_new(struct console_hub *hub, const char *path, uint64_t max_bytes)
{
    struct error ignored = {0};
    struct keeper *keeper = xcalloc(1, sizeof(*keeper));
    struct bound_config config = {.path = path, .max_bytes = max_bytes};
    keeper->follower =
        follower_new(hub->followers, path, 0, &handlers, keeper, &ignored);
    if (!keeper->follower) {
        free(keeper);
        return NULL;
    }
    keeper->bound = bound_new(hub->loop, &config);
    follower_seek(keeper->follower, bound_start(keeper->bound));
    return keeper;
}

void
keeper_free(struct keeper *keeper)
{
    if (!keeper)
        return;
    follower_free(keeper->follower);
    bound_free(keeper->bound);
    free(keeper);
}
