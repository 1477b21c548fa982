#include "tui/actions-internal.h"
#include "tui/broadcast.h"
#include "tui/console-menu.h"
#include "tui/deck-internal.h"

static void
run_console_menu(struct deck *deck, int argument)
{
    (void)argument;
    console_menu_open(deck);
}

static void
run_broadcast(struct deck *deck, int argument)
{
    (void)argument;
    broadcast_toggle(deck);
}

static void
run_mark(struct deck *deck, int argument)
{
    (void)argument;
    const struct mirror_guest *guest = arrange_target(deck);
    if (guest)
        broadcast_mark(deck, guest->name);
}

static void
run_mark_all(struct deck *deck, int argument)
{
    (void)argument;
    broadcast_mark_all(deck);
}

static const struct action rows[] = {
    {"broadcast", "type to all marked guests, and back", run_broadcast, 0},
    {"console-menu", "send a break, SysRq, Ctrl-Alt-Delete", run_console_menu,
     0},
    {"mark", "mark the guest, or take its mark", run_mark, 0},
    {"mark-all", "mark all guests, or none", run_mark_all, 0},
};

const struct action_table actions_typing = {
    .rows = rows,
    .count = sizeof(rows) / sizeof(*rows),
};
