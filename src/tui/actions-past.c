#include "tui/actions-internal.h"
#include "tui/copy-mode.h"
#include "tui/deck-internal.h"
#include "tui/pane.h"
#include "tui/scrub.h"

static void
run_past(struct deck *deck, int argument)
{
    (void)argument;
    struct pane *pane = deck->focus;
    if (!pane)
        return;
    if (deck->is_sidebar_focused)
        arrange_focus(deck, pane);
    copy_mode_leave(pane);
    scrub_open(pane);
    arrange_cursor(deck);
}

/* argument: seconds. */
static void
run_step(struct deck *deck, int argument)
{
    if (deck->focus)
        scrub_step(deck->focus, (int64_t)argument * 1000);
}

static void
run_boot(struct deck *deck, int argument)
{
    if (deck->focus)
        scrub_to_boot(deck->focus, argument > 0);
}

static void
run_end(struct deck *deck, int argument)
{
    if (deck->focus && argument > 0)
        scrub_to_end(deck->focus);
    else if (deck->focus)
        scrub_to_start(deck->focus);
}

static void
run_play(struct deck *deck, int argument)
{
    (void)argument;
    if (deck->focus)
        scrub_play(deck->focus);
}

static void
run_speed(struct deck *deck, int argument)
{
    if (deck->focus)
        scrub_change_speed(deck->focus, argument);
}

static const struct action rows[] = {
    {"past", "look at the console's past", run_past, 0},
    {"past-back", "10 seconds back", run_step, -10},
    {"past-back-minute", "a minute back", run_step, -60},
    {"past-boot-next", "to the next boot", run_boot, 1},
    {"past-boot-previous", "to the boot before", run_boot, -1},
    {"past-faster", "play faster", run_speed, 1},
    {"past-forward", "10 seconds forward", run_step, 10},
    {"past-forward-minute", "a minute forward", run_step, 60},
    {"past-now", "to the end of the record", run_end, 1},
    {"past-play", "play, or pause", run_play, 0},
    {"past-slower", "play slower", run_speed, -1},
    {"past-start", "to the start of the record", run_end, -1},
};

const struct action_table actions_past = {
    .rows = rows,
    .count = sizeof(rows) / sizeof(*rows),
};
