#include "tui/actions-internal.h"
#include "tui/console-menu.h"

static void
run_console_menu(struct deck *deck, int argument)
{
    (void)argument;
    console_menu_open(deck);
}

static const struct action rows[] = {
    {"console-menu", "send a break, SysRq, Ctrl-Alt-Delete", run_console_menu,
     0},
};

const struct action_table actions_typing = {
    .rows = rows,
    .count = sizeof(rows) / sizeof(*rows),
};
