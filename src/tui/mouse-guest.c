#include "tui/mouse-guest.h"

#include "tui/deck-internal.h"
#include "tui/pane.h"
#include "tui/state.h"

#include <stdio.h>

#define ANY_MOUSE                                                              \
    ((unsigned)MIRROR_MODE_MOUSE_PRESS | MIRROR_MODE_MOUSE_CLICK |             \
     MIRROR_MODE_MOUSE_DRAG | MIRROR_MODE_MOUSE_MOVE)

/* Bits of the button's number in XTerm's SGR form. */
#define SGR_NO_BUTTON 3
#define SGR_SHIFT 4
#define SGR_META 8
#define SGR_CONTROL 16
#define SGR_MOVE 32
#define SGR_MODIFIERS (SGR_SHIFT | SGR_META | SGR_CONTROL)

/* One thing that the mouse did, as view-mouse has it. */
struct doing {
    const char *event;
    int button;
    int modifiers; /* TICKIT_MOD_* */
    int row;       /* on the operator's screen */
    int col;
};

static bool
is_wanted(const struct pane *pane)
{
    const struct deck *deck = pane->deck;
    const struct mirror_guest *guest = pane_guest(pane);
    return pane->state == PANE_OPEN && deck->connection && !deck->dialog &&
           !deck->viewer && !deck->menu && !deck->records && !deck->prompt &&
           !deck->is_prefix && !deck->options->is_read_only && !pane->copy &&
           guest && !state_info(guest->state)->has_ended &&
           (pane->view.modes & ANY_MOUSE);
}

static int
title_rows(const struct pane *pane)
{
    return pane->deck->options->is_single ? 0 : 1;
}

static bool
is_on_console(const struct pane *pane, int row, int col)
{
    const struct layout_rect *rect = &pane->rect;
    return row >= rect->row + title_rows(pane) &&
           row < rect->row + rect->rows && col >= rect->col &&
           col < rect->col + rect->cols;
}

static int
clamp(int value, int count)
{
    return value < 0 ? 0 : value >= count ? count - 1 : value;
}

static void
tell(struct pane *pane, const struct doing *doing)
{
    int row =
        clamp(doing->row - pane->rect.row - title_rows(pane), pane_rows(pane));
    int col = clamp(doing->col - pane->rect.col, pane->rect.cols);
    int modifiers = doing->modifiers;
    connection_execute_quiet(
        pane->deck->connection, "view-mouse",
        json_pack("{s:I, s:s, s:i, s:i, s:i, s:b, s:b, s:b}", "view",
                  (json_int_t)pane->view_id, "event", doing->event, "button",
                  doing->button, "row", row, "col", col, "shift",
                  modifiers & TICKIT_MOD_SHIFT, "meta",
                  modifiers & TICKIT_MOD_ALT, "control",
                  modifiers & TICKIT_MOD_CTRL));
}

/* A press is the guest's until its release, wherever the mouse goes. */
static bool
follow_press(struct deck *deck, const TickitMouseEventInfo *event,
             struct doing *doing)
{
    struct pane *pane = arrange_find_view(deck, deck->mouse_view);
    bool is_drag = event->type == TICKIT_MOUSEEV_DRAG;
    if (!is_drag)
        deck->mouse_view = 0;
    if (!pane || !is_wanted(pane))
        return true;
    doing->event = is_drag ? "move" : "release";
    tell(pane, doing);
    return true;
}

bool
mouse_guest_event(struct deck *deck, struct pane *pane,
                  const TickitMouseEventInfo *event)
{
    struct doing doing = {.event = "press",
                          .button = event->button,
                          .modifiers = event->mod,
                          .row = event->line,
                          .col = event->col};
    if (event->type == TICKIT_MOUSEEV_DRAG ||
        event->type == TICKIT_MOUSEEV_RELEASE)
        return deck->mouse_view && follow_press(deck, event, &doing);
    if (!pane || (event->mod & TICKIT_MOD_SHIFT) || !is_wanted(pane) ||
        !is_on_console(pane, event->line, event->col))
        return false;
    if (pane != deck->focus || deck->is_sidebar_focused)
        arrange_focus(deck, pane);
    if (event->type == TICKIT_MOUSEEV_WHEEL)
        doing.button = event->button == TICKIT_MOUSEWHEEL_UP ? 4 : 5;
    else
        deck->mouse_view = pane->view_id;
    tell(pane, &doing);
    return true;
}

bool
mouse_guest_motion(struct deck *deck, const char *bytes, size_t len)
{
    char text[32];
    int code = 0;
    int col = 0;
    int row = 0;
    char final = 0;
    if (len >= sizeof(text) || len < 3 || bytes[0] != '\033' ||
        bytes[1] != '[' || bytes[2] != '<')
        return false;
    (void)snprintf(text, sizeof(text), "%.*s", (int)len, bytes);
    if (sscanf(text + 3, "%4d;%5d;%5d%c", &code, &col, &row, &final) != 4 ||
        (code & ~SGR_MODIFIERS) != (SGR_MOVE | SGR_NO_BUTTON))
        return false;
    struct pane *pane = deck->focus;
    if (!pane || deck->is_sidebar_focused || !is_wanted(pane) ||
        !is_on_console(pane, row - 1, col - 1))
        return true;
    struct doing doing = {.event = "move",
                          .modifiers =
                              (code & SGR_SHIFT ? TICKIT_MOD_SHIFT : 0) |
                              (code & SGR_META ? TICKIT_MOD_ALT : 0) |
                              (code & SGR_CONTROL ? TICKIT_MOD_CTRL : 0),
                          .row = row - 1,
                          .col = col - 1};
    tell(pane, &doing);
    return true;
}

void
mouse_guest_update(struct deck *deck)
{
    const struct pane *pane = deck->focus;
    /* drags select, where they are not the guest's */
    enum term_tracking tracking = TERM_TRACKING_DRAGS;
    if (pane && !deck->is_sidebar_focused && is_wanted(pane) &&
        (pane->view.modes & MIRROR_MODE_MOUSE_MOVE))
        tracking = TERM_TRACKING_MOVES;
    term_set_tracking(deck->term, tracking);
}
