#include "tui/actions-internal.h"
#include "tui/company.h"
#include "tui/deck-internal.h"
#include "tui/pane.h"

/* What is done to the focused console: its size, its part in view, who types.
 */

static void
on_fit(void *user, json_t *value, const struct error *error)
{
    struct deck *deck = user;
    const char *text =
        error ? NULL : json_string_value(json_object_get(value, "text"));
    const char *reason =
        error ? NULL : json_string_value(json_object_get(value, "reason"));
    if (error)
        status_message(deck, DECK_ERROR, "%s", error->text);
    else if (json_is_true(json_object_get(value, "typed")))
        status_message(deck, DECK_INFO, "typed: %s", text ? text : "");
    else
        status_message(deck, DECK_WARNING, "not typed: %s; it would be: %s",
                       reason ? reason : "", text ? text : "");
}

static void
run_fit(struct deck *deck, int argument)
{
    (void)argument;
    const struct pane *pane = deck->focus;
    if (!pane || !pane->console[0] || !deck->connection ||
        !link_may_change(deck) || !company_may_type(deck, pane))
        return;
    connection_execute(deck->connection, "console-fit",
                       json_pack("{s:s}", "guest", pane->target), on_fit, deck);
}

static void
run_clients(struct deck *deck, int argument)
{
    (void)argument;
    company_show(deck);
}

static void
run_keyboard(struct deck *deck, int argument)
{
    (void)argument;
    company_toggle_keyboard(deck);
}

enum pan {
    PAN_UP,
    PAN_DOWN,
    PAN_LEFT,
    PAN_RIGHT,
};

/* By half of what is in view. */
static void
run_pan(struct deck *deck, int argument)
{
    struct pane *pane = deck->focus;
    if (!pane)
        return;
    int rows = (pane_rows(pane) + 1) / 2;
    int cols = (pane->rect.cols + 1) / 2;
    switch ((enum pan)argument) {
    case PAN_UP:
        pane_pan(pane, -rows, 0);
        break;
    case PAN_DOWN:
        pane_pan(pane, rows, 0);
        break;
    case PAN_LEFT:
        pane_pan(pane, 0, -cols);
        break;
    case PAN_RIGHT:
        pane_pan(pane, 0, cols);
        break;
    }
}

static const struct action rows[] = {
    {"clients", "show who else is here", run_clients, 0},
    {"fit", "tell the guest's shell the console's size", run_fit, 0},
    {"keyboard", "take the console's keyboard, or give it back", run_keyboard,
     0},
    {"pan-down", "show the part below of a console that does not fit", run_pan,
     PAN_DOWN},
    {"pan-left", "show the part at the left of it", run_pan, PAN_LEFT},
    {"pan-right", "show the part at the right of it", run_pan, PAN_RIGHT},
    {"pan-up", "show the part above of it", run_pan, PAN_UP},
};

const struct action_table actions_console = {
    .rows = rows,
    .count = sizeof(rows) / sizeof(*rows),
};
