#include "tui/copy-mode.h"
#include "tui/deck-internal.h"
#include "tui/dialog.h"
#include "tui/menu.h"
#include "tui/mouse-guest.h"
#include "tui/pane.h"
#include "tui/records.h"
#include "tui/scrub.h"
#include "tui/viewer.h"

/* Rows that one notch of the wheel moves; what terminals do themselves. */
#define WHEEL_ROWS 3

static bool
is_inside(const struct layout_rect *rect, int row, int col)
{
    return row >= rect->row && row < rect->row + rect->rows &&
           col >= rect->col && col < rect->col + rect->cols;
}

static struct pane *
pane_at(const struct deck *deck, int row, int col)
{
    for (size_t i = 0; i < deck->layout.count; i++) {
        if (is_inside(&deck->layout.panes[i], row, col))
            return deck->panes[deck->layout.first + i];
    }
    return NULL;
}

/* A click in the list selects; a click on what is selected opens it. */
static void
click_sidebar(struct deck *deck, int row)
{
    size_t index;
    if (!sidebar_row_at(deck, row - deck->layout.sidebar.row, &index)) {
        arrange_focus_sidebar(deck, true);
        return;
    }
    struct pane *pane =
        arrange_first_pane(deck, deck->fleet.guests[index].name);
    if (deck->is_sidebar_focused && deck->selected == index && pane) {
        arrange_focus(deck, pane);
        return;
    }
    arrange_focus_sidebar(deck, true);
    arrange_select(deck, index);
}

/* Whether a full-screen program wants the wheel as arrow keys (mode 1007). */
static bool
wants_arrows(const struct pane *pane)
{
    const unsigned both =
        (unsigned)MIRROR_MODE_ALTERNATE_SCREEN | MIRROR_MODE_ALTERNATE_SCROLL;
    return (pane->view.modes & both) == both && !pane->copy && !pane->scrub &&
           !pane->deck->options->is_read_only && !company_is_mute(pane);
}

static void
send_arrows(struct pane *pane, const char *name, int count)
{
    json_t *keys = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(keys, json_string(name));
    if (pane->deck->connection)
        connection_execute_quiet(
            pane->deck->connection, "console-send",
            json_pack("{s:s, s:O}", "guest", pane->target, "keys", keys));
    json_decref(keys);
}

static void
turn_wheel(struct deck *deck, const TickitMouseEventInfo *event)
{
    int rows = event->button == TICKIT_MOUSEWHEEL_UP ? WHEEL_ROWS : -WHEEL_ROWS;
    if (deck->viewer) {
        viewer_scroll(deck, -rows);
        return;
    }
    if (deck->menu && !deck->dialog) {
        menu_move(deck, rows > 0 ? -1 : 1);
        return;
    }
    if (deck->records) {
        records_move(deck, -rows);
        return;
    }
    struct pane *pane = pane_at(deck, event->line, event->col);
    if (!pane || deck->dialog)
        return;
    if (event->mod & (TICKIT_MOD_CTRL | TICKIT_MOD_ALT)) {
        pane_pan(pane, -rows, 0);
        return;
    }
    bool is_guests = wants_arrows(pane) && !(event->mod & TICKIT_MOD_SHIFT);
    if (!is_guests && rows > 0 && pane->view.history == 0)
        return;
    if (pane != deck->focus || deck->is_sidebar_focused)
        arrange_focus(deck, pane);
    if (is_guests)
        send_arrows(pane, rows > 0 ? "Up" : "Down", WHEEL_ROWS);
    else if (pane->scrub) /* its rows are not the live scrollback's */
        scrub_scroll(pane, rows);
    else
        copy_mode_wheel(pane, rows);
}

/* Whether something lies over the consoles, or a line is asked for, which is
 * about the console that has the focus. */
static bool
has_overlay(const struct deck *deck)
{
    return deck->dialog || deck->menu || deck->prompt || deck->viewer ||
           deck->records;
}

static void
click_overlay(struct deck *deck, const TickitMouseEventInfo *event)
{
    if (deck->dialog)
        dialog_click(deck, event->line, event->col);
    else if (deck->menu)
        menu_click(deck, event->line, event->col);
    else if (!deck->prompt && deck->viewer)
        viewer_click(deck, event->line, event->col);
    else if (!deck->prompt)
        records_click(deck, event->line);
}

void
mouse_event(struct deck *deck, const TickitMouseEventInfo *event)
{
    struct pane *under = pane_at(deck, event->line, event->col);
    if (mouse_guest_event(deck, under, event))
        return;
    if (event->type == TICKIT_MOUSEEV_WHEEL) {
        turn_wheel(deck, event);
        return;
    }
    if (event->type == TICKIT_MOUSEEV_RELEASE)
        copy_mouse_release(deck);
    if (event->button != 1)
        return;
    bool is_press = event->type == TICKIT_MOUSEEV_PRESS;
    if (has_overlay(deck)) {
        if (is_press)
            click_overlay(deck, event);
        return;
    }
    if (event->type == TICKIT_MOUSEEV_DRAG)
        copy_mouse_drag(deck, event);
    if (!is_press)
        return;
    if (is_inside(&deck->layout.sidebar, event->line, event->col)) {
        click_sidebar(deck, event->line);
        return;
    }
    if (!under)
        return;
    arrange_focus(deck, under);
    copy_mouse_press(deck, under, event);
}
