#include "tui/pane.h"

#include "base/xalloc.h"
#include "tui/copy-mode.h"
#include "tui/deck-internal.h"
#include "tui/mouse-guest.h"
#include "tui/pane-direct.h"
#include "tui/pane-draw.h"
#include "tui/scrub.h"
#include "tui/state.h"

#include <stdlib.h>
#include <string.h>

static int
on_expose(TickitWindow *window, TickitEventFlags flags, void *info, void *user)
{
    (void)window;
    (void)flags;
    TickitExposeEventInfo *expose = info;
    pane_draw(user, expose->rb, &expose->rect);
    return 1;
}

struct pane *
pane_new(struct deck *deck, const char *guest, const char *console,
         bool is_first)
{
    struct pane *pane = xcalloc(1, sizeof(*pane));
    pane->deck = deck;
    pane->guest = xstrdup(guest);
    pane->console = xstrdup(console);
    pane->target =
        is_first ? xstrdup(guest) : xasprintf("%s:%s", guest, console);
    pane_seen(pane);
    mirror_view_init(&pane->view, 1, 1);
    /* below what may be open by then */
    pane->window = tickit_window_new(
        deck->root, (TickitRect){.lines = 1, .cols = 1},
        (TickitWindowFlags)(TICKIT_WINDOW_HIDDEN | TICKIT_WINDOW_LOWEST));
    tickit_window_bind_event(pane->window, TICKIT_WINDOW_ON_EXPOSE, 0,
                             on_expose, pane);
    return pane;
}

struct mirror_guest *
pane_guest(const struct pane *pane)
{
    return mirror_fleet_find(&pane->deck->fleet, pane->guest);
}

void
pane_seen(struct pane *pane)
{
    const struct mirror_guest *guest = pane_guest(pane);
    pane->seen_ms = guest ? guest->activity_ms : 0;
}

int
pane_rows(const struct pane *pane)
{
    bool is_bare = pane->deck->options->is_single;
    int rows = pane->rect.rows - (is_bare ? 0 : 1);
    return rows < 1 ? 1 : rows;
}

static void
close_view(struct deck *deck, int64_t view_id)
{
    if (deck->connection)
        connection_execute(deck->connection, "view-close",
                           json_pack("{s:I}", "view", (json_int_t)view_id),
                           NULL, NULL);
}

static void
on_view_opened(void *user, json_t *value, const struct error *error)
{
    struct pane *pane = user;
    pane->opens_pending--;
    int64_t view_id =
        error ? 0 : json_integer_value(json_object_get(value, "view"));
    if (pane->state != PANE_OPENING || pane->opens_pending > 0) {
        /* hidden meanwhile, or a later request is the one that counts */
        if (view_id)
            close_view(pane->deck, view_id);
        return;
    }
    if (error) {
        pane->state = PANE_HIDDEN;
        /* a guest without a console yet is nothing to complain about */
        if (error->code != ERROR_CODE_STATE &&
            error->code != ERROR_CODE_NOT_FOUND)
            status_message(pane->deck, DECK_ERROR, "%s: %s", pane->target,
                           error->text);
        return;
    }
    pane->state = PANE_OPEN;
    pane->view_id = view_id;
}

static void
open_view(struct pane *pane)
{
    struct deck *deck = pane->deck;
    if (!deck->connection || !pane->console[0])
        return;
    pane->state = PANE_OPENING;
    pane->opens_pending++;
    pane->unacknowledged = 0;
    copy_mode_drop(pane);
    json_t *arguments =
        json_pack("{s:s, s:i, s:i, s:b, s:b}", "guest", pane->target, "rows",
                  pane_rows(pane), "cols", pane->rect.cols, "focus",
                  deck->focus == pane, "resize", !deck->options->is_read_only);
    json_object_set_new(arguments, "away", json_boolean(deck->is_away));
    connection_execute(deck->connection, "view-open", arguments, on_view_opened,
                       pane);
}

void
pane_change_view(struct pane *pane, json_t *arguments)
{
    if (pane->state != PANE_OPEN || !pane->deck->connection) {
        json_decref(arguments);
        return;
    }
    json_object_set_new(arguments, "view", json_integer(pane->view_id));
    connection_execute(pane->deck->connection, "view-change", arguments, NULL,
                       NULL);
}

void
pane_forget_view(struct pane *pane)
{
    pane->state = PANE_HIDDEN;
    pane->view_id = 0;
    pane->opens_pending = 0;
    pane->unacknowledged = 0;
    copy_mode_drop(pane);
    scrub_forget(pane);
}

void
pane_hide(struct pane *pane)
{
    if (pane->state == PANE_OPEN)
        close_view(pane->deck, pane->view_id);
    pane->state = PANE_HIDDEN;
    pane->view_id = 0;
    copy_mode_drop(pane);
    scrub_forget(pane);
    pane->has_frame = false;
    if (pane->window)
        tickit_window_hide(pane->window);
}

void
pane_place(struct pane *pane, const struct layout_rect *rect)
{
    bool has_moved = memcmp(&pane->rect, rect, sizeof(*rect)) != 0;
    pane->rect = *rect;
    TickitRect place = {
        .top = rect->row,
        .left = rect->col,
        .lines = rect->rows,
        .cols = rect->cols,
    };
    tickit_window_set_geometry(pane->window, place);
    tickit_window_show(pane->window);
    if (has_moved || pane->state == PANE_HIDDEN) {
        mirror_view_resize(&pane->view, pane_rows(pane),
                           copy_mode_view_cols(pane));
        pane->awaits_size = true;
    }
    if (pane->state == PANE_HIDDEN)
        open_view(pane);
    else if (has_moved)
        pane_change_view(pane, json_pack("{s:i, s:i}", "rows", pane_rows(pane),
                                         "cols", copy_mode_view_cols(pane)));
    if (has_moved)
        copy_mode_placed(pane);
}

void
pane_bury(struct pane *pane)
{
    struct deck *deck = pane->deck;
    pane_hide(pane);
    tickit_window_close(pane->window);
    tickit_window_unref(pane->window);
    pane->window = NULL;
    pane->next = deck->graveyard;
    deck->graveyard = pane;
}

void
pane_free(struct pane *pane)
{
    if (!pane)
        return;
    scrub_forget(pane);
    if (pane->window) {
        tickit_window_close(pane->window);
        tickit_window_unref(pane->window);
    }
    copy_mode_drop(pane);
    mirror_view_finish(&pane->view);
    free(pane->guest);
    free(pane->console);
    free(pane->target);
    free(pane);
}

/* Exposes the rows that changed, neighbours together. */
void
pane_expose_dirty(struct pane *pane)
{
    int title = pane->deck->options->is_single ? 0 : 1;
    int first = -1;
    for (int row = 0; row <= pane->view.rows; row++) {
        bool is_dirty = row < pane->view.rows && pane->view.lines[row].is_dirty;
        if (is_dirty) {
            pane->view.lines[row].is_dirty = false;
            if (first < 0)
                first = row;
        } else if (first >= 0) {
            TickitRect rect = {
                .top = first + title,
                .lines = row - first,
                .cols = pane->rect.cols,
            };
            tickit_window_expose(pane->window, &rect);
            first = -1;
        }
    }
    pane->view.shift_pending = 0;
}

static void
acknowledge(struct pane *pane, int64_t frame)
{
    connection_execute_quiet(pane->deck->connection, "view-ack",
                             json_pack("{s:I, s:I}", "view",
                                       (json_int_t)pane->view_id, "frame",
                                       (json_int_t)frame));
}

void
pane_screen(struct pane *pane, const json_t *data)
{
    struct error error = {0};
    int64_t history = pane->view.history;
    int64_t scroll = pane->view.scroll;
    int64_t top = pane->view.top;
    int size = pane->view.console_rows * 65536 + pane->view.console_cols;
    bool has_title =
        json_object_get(data, "title") || json_object_get(data, "origin");
    if (!mirror_view_apply(&pane->view, data, &error)) {
        status_message(pane->deck, DECK_ERROR, "%s: %s", pane->target,
                       error.text);
        return;
    }
    /* acknowledged once it is drawn: a terminal that takes no bytes gets no
     * more frames until it does, and the way to the screen is not held up */
    pane->unacknowledged = pane->view.frame;
    bool is_sized = pane->awaits_size && json_object_get(data, "size");
    pane->awaits_size = pane->awaits_size && !is_sized;
    if (is_sized ||
        size != pane->view.console_rows * 65536 + pane->view.console_cols)
        pane_changed(pane); /* the console's edge is elsewhere */
    if (!pane->has_frame) {
        pane->has_frame = true;
        pane_changed(pane);
    }
    if (!pane_direct_is_possible(pane))
        pane_expose_dirty(pane);
    has_title |=
        size != pane->view.console_rows * 65536 + pane->view.console_cols;
    if (has_title || pane->view.scroll != scroll ||
        (pane->copy && pane->view.history != history))
        pane_title_changed(pane);
    if (json_object_get(data, "moved"))
        copy_mode_moved(pane, json_object_get(data, "moved"), top);
    copy_mode_screen(pane);
    if (json_object_get(data, "moment"))
        scrub_on_moment(pane,
                        json_array_size(json_object_get(data, "moment")) > 0);
    if (pane == pane->deck->focus) {
        pane_update_cursor(pane);
        pane->deck->is_focus_due = true;
    }
    frame_request(pane->deck);
}

/* A place to begin with from which as much as possible is in view. */
static int
clamp_origin(int origin, int hidden)
{
    if (origin > hidden)
        origin = hidden;
    return origin < 0 ? 0 : origin;
}

void
pane_pan(struct pane *pane, int rows, int cols)
{
    struct mirror_view *view = &pane->view;
    int hidden_rows = view->console_rows - view->rows;
    int hidden_cols = view->console_cols - pane->rect.cols;
    if (pane->copy && (rows != 0 || hidden_cols > 0)) {
        copy_mode_pan(pane, rows, cols);
        return;
    }
    if (hidden_rows <= 0 && hidden_cols <= 0) {
        status_message(pane->deck, DECK_INFO, "all of %s is in view",
                       pane->target);
        return;
    }
    /* the next key counts from where this one goes */
    view->origin_row = clamp_origin(view->origin_row + rows, hidden_rows);
    view->origin_col = clamp_origin(view->origin_col + cols, hidden_cols);
    pane_change_view(pane, json_pack("{s:i, s:i}", "row", view->origin_row,
                                     "column", view->origin_col));
    pane_title_changed(pane);
}

void
pane_drawn(struct pane *pane)
{
    if (pane->unacknowledged && pane->state == PANE_OPEN &&
        pane->deck->connection)
        acknowledge(pane, pane->unacknowledged);
    pane->unacknowledged = 0;
}

void
pane_tell_focus(struct pane *pane, bool is_focused)
{
    pane_change_view(pane, json_pack("{s:b, s:b}", "focus", is_focused, "away",
                                     pane->deck->is_away));
}

void
pane_changed(struct pane *pane)
{
    if (pane->window)
        tickit_window_expose(pane->window, NULL);
    frame_request(pane->deck);
}

void
pane_title_changed(struct pane *pane)
{
    TickitRect rect = {.lines = 1, .cols = pane->rect.cols};
    if (pane->window && !pane->deck->options->is_single)
        tickit_window_expose(pane->window, &rect);
    frame_request(pane->deck);
}

/* Where the cursor stands in the view; false when it is not to be seen. */
static bool
find_cursor(const struct pane *pane, int *ret_row, int *ret_col)
{
    const struct deck *deck = pane->deck;
    const struct mirror_view *view = &pane->view;
    if (deck->focus != pane || !pane->has_frame || !deck->connection)
        return false;
    if (pane->copy)
        return typing_mode(deck) == KEYMAP_SCROLLBACK &&
               copy_mode_cursor(pane, ret_row, ret_col);
    *ret_row = view->cursor_row;
    *ret_col = view->cursor_col;
    return typing_mode(deck) == KEYMAP_CONSOLE && pane_guest(pane) &&
           view->is_cursor_visible && view->cursor_row >= 0 &&
           view->cursor_row < view->rows;
}

void
pane_update_cursor(struct pane *pane)
{
    int title = pane->deck->options->is_single ? 0 : 1;
    int row = 0;
    int col = 0;
    if (!pane->window)
        return;
    bool is_shown = find_cursor(pane, &row, &col);
    if (col >= pane->rect.cols)
        col = pane->rect.cols - 1;
    if (is_shown)
        tickit_window_set_cursor_position(pane->window, row + title, col);
    tickit_window_set_cursor_visible(pane->window, is_shown);
    if (pane->deck->focus != pane)
        return;
    bool is_guests = is_shown && !pane->copy;
    term_set_cursor_shape(pane->deck->term,
                          is_guests ? pane->view.cursor_shape : 0);
    mouse_guest_update(pane->deck);
}
