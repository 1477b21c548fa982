#include "base/clock.h"
#include "base/xalloc.h"
#include "tui/deck-internal.h"
#include "tui/pane.h"
#include "tui/sidebar.h"
#include "tui/state.h"

#include <stdlib.h>
#include <string.h>

/* The sidebar's rows out of the fleet and the panes. */

static unsigned
row_flags(const struct deck *deck, const struct mirror_guest *guest)
{
    unsigned flags = 0;
    for (size_t i = 0; i < deck->pane_count; i++) {
        const struct pane *pane = deck->panes[i];
        if (strcmp(pane->guest, guest->name) != 0)
            continue;
        if (pane == deck->focus)
            flags |= SIDEBAR_CURRENT;
        if (pane->has_bell)
            flags |= SIDEBAR_BELL;
        if (pane->state == PANE_HIDDEN && guest->activity_ms > pane->seen_ms)
            flags |= SIDEBAR_ACTIVITY;
    }
    return flags;
}

static struct sidebar_row *
make_rows(const struct deck *deck)
{
    struct sidebar_row *rows = xcalloc(deck->fleet.count + 1, sizeof(*rows));
    for (size_t i = 0; i < deck->fleet.count; i++) {
        const struct mirror_guest *guest = &deck->fleet.guests[i];
        rows[i] = (struct sidebar_row){
            .name = guest->name,
            .state = guest->state,
            .started_ms = guest->started_ms,
            .flags = row_flags(deck, guest),
        };
    }
    return rows;
}

void
sidebar_view_expose(struct deck *deck, TickitRenderBuffer *rb, int rows,
                    int cols)
{
    struct sidebar_row *list = make_rows(deck);
    const char *server = deck->options->paths->server;
    bool is_default = !server || strcmp(server, "default") == 0;
    char *heading =
        is_default ? xstrdup("guestmux") : xasprintf("guestmux %s", server);
    deck->sidebar_top =
        sidebar_scroll(deck->sidebar_top, deck->selected, deck->fleet.count,
                       sidebar_capacity(rows));
    struct sidebar_model model = {
        .heading = heading,
        .rows = list,
        .count = deck->fleet.count,
        .selected = deck->selected,
        .top = deck->sidebar_top,
        .now_ms = clock_wall_ms(),
        .flags = (deck->is_sidebar_focused ? SIDEBAR_FOCUS : 0u) |
                 (deck->has_unicode ? SIDEBAR_UNICODE : 0u),
    };
    sidebar_draw(rb, deck->theme, &model, rows, cols);
    free(heading);
    free(list);
}

void
sidebar_changed(struct deck *deck)
{
    if (deck->layout.sidebar.rows > 0) {
        tickit_window_expose(deck->sidebar_win, NULL);
        frame_request(deck);
    }
}

bool
sidebar_row_at(const struct deck *deck, int row, size_t *ret_index)
{
    if (row < 1 || deck->sidebar_top + (size_t)(row - 1) >= deck->fleet.count)
        return false;
    *ret_index = deck->sidebar_top + (size_t)(row - 1);
    return true;
}

int
sidebar_view_cols(const struct deck *deck)
{
    struct sidebar_row *rows = make_rows(deck);
    int cols = sidebar_wanted_cols(rows, deck->fleet.count);
    free(rows);
    return cols;
}

int64_t
sidebar_view_lasts_ms(const struct deck *deck)
{
    int64_t now = clock_wall_ms();
    int64_t lasts = -1;
    size_t capacity = sidebar_capacity(deck->layout.sidebar.rows);
    for (size_t i = 0;
         i < capacity && deck->sidebar_top + i < deck->fleet.count; i++) {
        const struct mirror_guest *guest =
            &deck->fleet.guests[deck->sidebar_top + i];
        if (guest->started_ms <= 0 || state_info(guest->state)->has_ended)
            continue;
        int64_t next = sidebar_uptime_lasts_ms(now - guest->started_ms);
        if (lasts < 0 || next < lasts)
            lasts = next;
    }
    return lasts;
}
