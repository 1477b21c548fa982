#include "base/clock.h"
#include "base/xalloc.h"
#include "tui/broadcast.h"
#include "tui/copy-mode.h"
#include "tui/deck-internal.h"
#include "tui/dialog.h"
#include "tui/menu.h"
#include "tui/pane.h"
#include "tui/prompt.h"
#include "tui/records.h"
#include "tui/scrub.h"
#include "tui/state.h"
#include "tui/viewer.h"
#include "tui/watching.h"

#include <stdlib.h>
#include <string.h>

/* A guest with more consoles than this has the rest in no pane. */
#define CONSOLES_MAX 64

struct pane *
arrange_find_view(struct deck *deck, int64_t view)
{
    for (size_t i = 0; view && i < deck->pane_count; i++) {
        if (deck->panes[i]->state == PANE_OPEN &&
            deck->panes[i]->view_id == view)
            return deck->panes[i];
    }
    return NULL;
}

struct pane *
arrange_first_pane(struct deck *deck, const char *guest)
{
    for (size_t i = 0; i < deck->pane_count; i++) {
        if (strcmp(deck->panes[i]->guest, guest) == 0)
            return deck->panes[i];
    }
    return NULL;
}

struct mirror_guest *
arrange_target(struct deck *deck)
{
    if (deck->is_sidebar_focused && deck->selected < deck->fleet.count)
        return &deck->fleet.guests[deck->selected];
    return deck->focus ? pane_guest(deck->focus) : NULL;
}

void
arrange_cursor(struct deck *deck)
{
    if (deck->focus)
        pane_update_cursor(deck->focus);
    frame_request(deck);
}

/* The pane of that console, among those not yet taken over. A guest's pane
 * without a console becomes its first one's. */
static struct pane *
take_pane(struct deck *deck, const char *guest, const char *console)
{
    for (size_t i = 0; i < deck->pane_count; i++) {
        struct pane *pane = deck->panes[i];
        if (!pane->is_marked_removed || strcmp(pane->guest, guest) != 0)
            continue;
        if (strcmp(pane->console, console) != 0 && pane->console[0] &&
            console[0])
            continue;
        if (strcmp(pane->console, console) != 0 && console[0]) {
            free(pane->console);
            pane->console = xstrdup(console);
        }
        pane->is_marked_removed = false;
        return pane;
    }
    return NULL;
}

static const char *
console_name(const struct mirror_guest *guest, size_t index)
{
    const json_t *consoles = json_object_get(guest->object, "consoles");
    const char *name = json_string_value(
        json_object_get(json_array_get(consoles, index), "name"));
    return name ? name : "";
}

static size_t
console_count(const struct mirror_guest *guest)
{
    size_t count = json_array_size(json_object_get(guest->object, "consoles"));
    if (count == 0)
        return 1; /* a pane to show its card in */
    return count < CONSOLES_MAX ? count : CONSOLES_MAX;
}

/* Notes when a guest ends: its pane looks other then, and keys typed to it a
 * moment ago must not start it again. */
static void
note_end(struct pane *pane)
{
    const struct mirror_guest *guest = pane_guest(pane);
    bool has_ended = guest && state_info(guest->state)->has_ended;
    if (has_ended != pane->has_ended) {
        pane->has_ended = has_ended;
        pane->ended_ms = clock_monotonic_ms();
        if (pane->copy && !has_ended)
            copy_mode_leave(pane);
        pane_changed(pane);
    }
}

static struct pane **
gather_panes(struct deck *deck, size_t *ret_count)
{
    size_t capacity = 0;
    for (size_t i = 0; i < deck->fleet.count; i++)
        capacity += console_count(&deck->fleet.guests[i]);
    struct pane **panes = xcalloc(capacity + 1, sizeof(struct pane *));
    size_t count = 0;
    for (size_t i = 0; i < deck->fleet.count; i++) {
        const struct mirror_guest *guest = &deck->fleet.guests[i];
        for (size_t j = 0; j < console_count(guest); j++) {
            const char *console = console_name(guest, j);
            struct pane *pane = take_pane(deck, guest->name, console);
            if (!pane)
                pane = pane_new(deck, guest->name, console, j == 0);
            pane->number = (int)count + 1;
            panes[count++] = pane;
        }
    }
    *ret_count = count;
    return panes;
}

/* Makes pane the one that is marked, and shown when not all are. */
static void
mark_pane(struct deck *deck, struct pane *pane)
{
    struct pane *before = deck->focus;
    if (before && before != pane) {
        copy_mode_leave(before);
        scrub_close(before);
        pane_tell_focus(before, false);
    }
    deck->focus = pane;
    for (size_t i = 0; i < deck->fleet.count; i++) {
        if (strcmp(deck->fleet.guests[i].name, pane->guest) == 0)
            deck->selected = i;
    }
}

/* The pane of "guest" (its first console) or "guest:console", or NULL. */
static struct pane *
find_named_pane(struct deck *deck, const char *name)
{
    const char *colon = strchr(name, ':');
    if (!colon)
        return arrange_first_pane(deck, name);
    size_t len = (size_t)(colon - name);
    for (size_t i = 0; i < deck->pane_count; i++) {
        struct pane *pane = deck->panes[i];
        if (strlen(pane->guest) == len &&
            strncmp(pane->guest, name, len) == 0 &&
            strcmp(pane->console, colon + 1) == 0)
            return pane;
    }
    return NULL;
}

/* Keeps the focus where it was, or where it would be. */
static void
repair_focus(struct deck *deck, size_t old_index)
{
    bool is_found = false;
    for (size_t i = 0; i < deck->pane_count; i++)
        is_found |= deck->panes[i] == deck->focus;
    if (is_found && deck->focus)
        return;
    deck->focus = NULL;
    if (deck->pane_count == 0)
        return;
    struct pane *pane = NULL;
    if (!deck->has_chosen_focus && deck->options->focus)
        pane = find_named_pane(deck, deck->options->focus);
    if (!pane)
        pane = deck->panes[old_index < deck->pane_count ? old_index
                                                        : deck->pane_count - 1];
    deck->has_chosen_focus = true;
    if (deck->is_sidebar_focused)
        mark_pane(deck, pane);
    else
        arrange_focus(deck, pane);
}

void
arrange_fleet(struct deck *deck)
{
    size_t old_index = 0;
    for (size_t i = 0; i < deck->pane_count; i++) {
        deck->panes[i]->is_marked_removed = true;
        if (deck->panes[i] == deck->focus)
            old_index = i;
    }
    size_t count;
    struct pane **panes = gather_panes(deck, &count);
    for (size_t i = 0; i < deck->pane_count; i++) {
        struct pane *pane = deck->panes[i];
        if (!pane->is_marked_removed)
            continue;
        if (deck->last_focus == pane)
            deck->last_focus = NULL;
        if (deck->sidebar_origin == pane)
            deck->sidebar_origin = NULL;
        if (deck->focus == pane)
            deck->focus = NULL;
        pane_bury(pane);
    }
    free(deck->panes);
    deck->panes = panes;
    deck->pane_count = count;
    if (deck->selected >= deck->fleet.count)
        deck->selected = deck->fleet.count ? deck->fleet.count - 1 : 0;
    for (size_t i = 0; i < count; i++)
        note_end(panes[i]);
    repair_focus(deck, old_index);
    broadcast_check(deck);
    arrange_layout(deck);
}

size_t
arrange_focus_index(const struct deck *deck)
{
    for (size_t i = 0; i < deck->pane_count; i++) {
        if (deck->panes[i] == deck->focus)
            return i;
    }
    return 0;
}

static void
place_window(TickitWindow *window, const struct layout_rect *rect)
{
    if (rect->rows <= 0 || rect->cols <= 0) {
        tickit_window_hide(window);
        return;
    }
    tickit_window_set_geometry(window, (TickitRect){
                                           .top = rect->row,
                                           .left = rect->col,
                                           .lines = rect->rows,
                                           .cols = rect->cols,
                                       });
    tickit_window_show(window);
}

static unsigned
layout_flags(const struct deck *deck)
{
    unsigned flags = 0;
    if (deck->is_zoomed)
        flags |= LAYOUT_ZOOMED;
    if (deck->is_sidebar_wanted)
        flags |= LAYOUT_SIDEBAR;
    if (deck->is_sidebar_focused)
        flags |= LAYOUT_SIDEBAR_FOCUS;
    if (deck->options->is_single)
        flags |= LAYOUT_BARE;
    return flags;
}

static void
place_panes(struct deck *deck)
{
    const struct layout *layout = &deck->layout;
    for (size_t i = 0; i < deck->pane_count; i++) {
        struct pane *pane = deck->panes[i];
        if (i >= layout->first && i < layout->first + layout->count)
            continue;
        if (pane->state != PANE_HIDDEN)
            pane_seen(pane);
        pane_hide(pane);
    }
    for (size_t i = 0; i < layout->count; i++) {
        struct pane *pane = deck->panes[layout->first + i];
        pane->has_bell = false;
        pane_seen(pane);
        pane_place(pane, &layout->panes[i]);
    }
}

static bool
is_same_rect(const struct layout_rect *a, const struct layout_rect *b)
{
    return a->row == b->row && a->col == b->col && a->rows == b->rows &&
           a->cols == b->cols;
}

static bool
is_same_layout(const struct layout *a, const struct layout *b)
{
    if (a->is_too_small != b->is_too_small || a->first != b->first ||
        a->count != b->count || a->page_count != b->page_count ||
        !is_same_rect(&a->sidebar, &b->sidebar) ||
        !is_same_rect(&a->status, &b->status))
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (!is_same_rect(&a->panes[i], &b->panes[i]))
            return false;
    }
    return true;
}

void
arrange_layout(struct deck *deck)
{
    struct layout_request request = {
        .pane_count = deck->pane_count,
        .focus = arrange_focus_index(deck),
        .sidebar_cols = sidebar_view_cols(deck),
        .flags = layout_flags(deck),
    };
    tickit_term_get_size(term_tickit(deck->term), &request.rows, &request.cols);
    struct layout before = deck->layout;
    layout_compute(&deck->layout, &request);
    place_window(deck->sidebar_win, &deck->layout.sidebar);
    deck->is_status_over = false;
    place_window(deck->status_win, &deck->layout.status);
    place_panes(deck);
    records_place(deck);
    viewer_place(deck);
    menu_place(deck);
    dialog_place(deck);
    if (!is_same_layout(&before, &deck->layout)) {
        frame_expose_all(deck);
        frame_update_clock(deck);
    }
    if (deck->prompt)
        prompt_update_cursor(deck);
    else if (deck->focus && deck->focus->window)
        tickit_window_take_focus(deck->focus->window);
    arrange_cursor(deck);
    status_changed(deck);
}

void
arrange_focus(struct deck *deck, struct pane *pane)
{
    bool had_sidebar = deck->is_sidebar_focused;
    /* from the sidebar, the pane before is the one that it was entered from */
    struct pane *before = had_sidebar ? deck->sidebar_origin : deck->focus;
    if (deck->focus == pane && before == pane && !had_sidebar)
        return;
    if (before && before != pane)
        deck->last_focus = before;
    deck->is_sidebar_focused = false;
    mark_pane(deck, pane);
    arrange_layout(deck);
    pane_tell_focus(pane, true);
    watching_touch(deck, pane);
    frame_expose_all(deck);
}

void
arrange_select(struct deck *deck, size_t index)
{
    deck->selected = index;
    struct pane *pane =
        index < deck->fleet.count
            ? arrange_first_pane(deck, deck->fleet.guests[index].name)
            : NULL;
    if (pane && strcmp(deck->focus ? deck->focus->guest : "", pane->guest) != 0)
        mark_pane(deck, pane);
    arrange_layout(deck);
    frame_expose_all(deck);
}

void
arrange_focus_sidebar(struct deck *deck, bool is_focused)
{
    if (deck->is_sidebar_focused == is_focused || deck->options->is_single)
        return;
    deck->is_sidebar_focused = is_focused;
    deck->sidebar_origin = is_focused ? deck->focus : NULL;
    if (deck->focus) {
        mark_pane(deck, deck->focus);
        pane_tell_focus(deck->focus, !is_focused);
    }
    arrange_layout(deck);
    frame_expose_all(deck);
}

void
arrange_finish(struct deck *deck)
{
    for (size_t i = 0; i < deck->pane_count; i++)
        pane_free(deck->panes[i]);
    free(deck->panes);
    deck->panes = NULL;
    deck->pane_count = 0;
    deck->focus = NULL;
    while (deck->graveyard) {
        struct pane *next = deck->graveyard->next;
        pane_free(deck->graveyard);
        deck->graveyard = next;
    }
}
