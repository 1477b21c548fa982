#include "base/clock.h"
#include "tui/countdown.h"
#include "tui/deck-internal.h"
#include "tui/life.h"
#include "tui/pane-direct.h"
#include "tui/pane.h"
#include "tui/prompt.h"

#include <unistd.h>

/* The least time from one frame to the next, ms. What changes after quiet is
 * drawn at once; the server sends a view at most 60 times a second, so this
 * only gathers the views of several panes. */
#define FRAME_SPACING_MS 8

/* Frames are acknowledged so long after they were drawn, ms: telling the server
 * would wake it before the terminal, and it sends a second frame anyway. */
#define FRAME_ACK_MS 1

/* How soon a terminal that takes no bytes is asked again, ms. */
#define FRAME_STALL_MS 20

/* Rows of consoles that nothing covers, before the windows: what libtickit
 * draws after lies on top, and leaves the cursor where it belongs. */
static void
draw_rows(struct deck *deck)
{
    bool has_drawn = false;
    for (size_t i = 0; i < deck->layout.count; i++) {
        struct pane *pane = deck->panes[deck->layout.first + i];
        if (pane_direct_is_possible(pane))
            has_drawn |= pane_direct_draw(pane);
        else
            pane_expose_dirty(pane);
    }
    if (has_drawn && deck->prompt)
        prompt_update_cursor(deck);
    else if (has_drawn && deck->focus)
        pane_update_cursor(deck->focus);
}

static void
draw(struct deck *deck)
{
    if (!outgoing_pump(&deck->outgoing, STDOUT_FILENO) ||
        !term_is_writable(deck->term)) {
        deck->is_stalled = true;
        loop_timer_start(deck->frame_timer, FRAME_STALL_MS);
        return;
    }
    deck->is_stalled = false;
    deck->is_frame_wanted = false;
    deck->is_focus_due = false;
    draw_rows(deck);
    tickit_window_flush(deck->root);
    term_flush(deck->term);
    deck->last_frame_ms = clock_monotonic_ms();
    if (!loop_timer_is_armed(deck->ack_timer))
        loop_timer_start(deck->ack_timer, FRAME_ACK_MS);
}

/* The focused console's rows alone, between two frames: what is typed shows at
 * once, whatever the other panes print. */
static void
draw_focus(struct deck *deck)
{
    struct pane *pane = deck->focus;
    deck->is_focus_due = false;
    if (!pane || !pane_direct_is_possible(pane) ||
        !term_is_writable(deck->term) || !pane_direct_draw(pane))
        return;
    pane_update_cursor(pane);
    tickit_window_flush(deck->root);
    term_flush(deck->term);
}

static void
on_ack_timer(void *data)
{
    struct deck *deck = data;
    /* what came after the last drawing waits for the next one */
    if (deck->is_frame_wanted)
        return;
    for (size_t i = 0; i < deck->layout.count; i++)
        pane_drawn(deck->panes[deck->layout.first + i]);
}

static void
draw_when_due(struct deck *deck)
{
    if (!deck->is_frame_wanted)
        return;
    uint64_t since = clock_monotonic_ms() - deck->last_frame_ms;
    bool is_waiting = loop_timer_is_armed(deck->frame_timer);
    if (since >= FRAME_SPACING_MS && !is_waiting) {
        draw(deck);
        return;
    }
    if (!is_waiting)
        loop_timer_start(deck->frame_timer, FRAME_SPACING_MS - since);
    if (deck->is_focus_due)
        draw_focus(deck);
}

/* Runs before the loop sleeps: whatever this turn brought is one frame. */
static void
on_prepare(uv_prepare_t *handle)
{
    draw_when_due(handle->data);
}

static void
on_frame_timer(void *data)
{
    struct deck *deck = data;
    if (deck->is_frame_wanted)
        draw(deck);
}

static void
on_clock(void *data)
{
    struct deck *deck = data;
    char countdown[128];
    sidebar_changed(deck);
    if (countdown_text(deck, countdown, sizeof(countdown)))
        status_changed(deck);
    /* a countdown stands in the pane too */
    for (size_t i = 0; i < deck->pane_count; i++) {
        const struct mirror_guest *guest = pane_guest(deck->panes[i]);
        if (guest && life_lasts_ms(guest, clock_wall_ms()) > 0)
            pane_changed(deck->panes[i]);
    }
    frame_update_clock(deck);
}

void
frame_update_clock(struct deck *deck)
{
    int64_t lasts = sidebar_view_lasts_ms(deck);
    if (lasts < 0)
        loop_timer_stop(deck->clock_timer);
    else
        /* one late is better than one early and another one */
        loop_timer_start(deck->clock_timer, (uint64_t)lasts + 1);
}

void
frame_start(struct deck *deck)
{
    uv_prepare_init(&deck->loop, &deck->frame_prepare);
    deck->frame_prepare.data = deck;
    uv_prepare_start(&deck->frame_prepare, on_prepare);
    deck->frame_timer = loop_timer_new(&deck->loop, on_frame_timer, deck);
    deck->ack_timer = loop_timer_new(&deck->loop, on_ack_timer, deck);
    deck->clock_timer = loop_timer_new(&deck->loop, on_clock, deck);
}

void
frame_stop(struct deck *deck)
{
    if (!deck->frame_timer)
        return;
    uv_close((uv_handle_t *)&deck->frame_prepare, NULL);
    loop_timer_free(deck->frame_timer);
    loop_timer_free(deck->ack_timer);
    loop_timer_free(deck->clock_timer);
    deck->frame_timer = NULL;
    deck->ack_timer = NULL;
    deck->clock_timer = NULL;
}

void
frame_request(struct deck *deck)
{
    deck->is_frame_wanted = true;
}

void
frame_expose_all(struct deck *deck)
{
    tickit_window_expose(deck->root, NULL);
    frame_request(deck);
}
