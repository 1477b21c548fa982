#include "base/clock.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "tui/broadcast.h"
#include "tui/company.h"
#include "tui/copy-mode.h"
#include "tui/countdown.h"
#include "tui/deck-internal.h"
#include "tui/draw.h"
#include "tui/menu.h"
#include "tui/pane.h"
#include "tui/pasting.h"
#include "tui/prompt.h"
#include "tui/records.h"
#include "tui/scrub.h"
#include "tui/state.h"
#include "tui/viewer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long a message stays, ms. What went wrong is read more than once. */
#define MESSAGE_INFO_MS 4000
#define MESSAGE_ERROR_MS 12000
/* After how long one has been read by who goes on to something else. */
#define MESSAGE_READ_MS 1500
/* Room for one key and what it does. */
#define HINT_COLS 14
/* Guests whose progress is shown there. */
#define PASTES_SHOWN_MAX 3

/* The last line: where typing goes, what just happened or what keys there
 * are, and the fleet in numbers. */

static const struct {
    enum theme_role role;
    /* what the hints offer: pairs of action and word, in this order */
    const char *hints[20];
} mode_looks[KEYMAP_MODE_COUNT] = {
    [KEYMAP_CONSOLE] = {THEME_STATUS_CONSOLE, {NULL}},
    [KEYMAP_DEAD] = {THEME_STATUS_SCROLLBACK,
                     {"start", "start", "report", "report", "remove", "remove",
                      "prefix", "commands"}},
    [KEYMAP_PREFIX] = {THEME_STATUS_PREFIX,
                       {"help", "help", "detach", "detach", "sidebar",
                        "sidebar", "zoom", "zoom", "focus-next", "next",
                        "scrollback", "scrollback", "page-next", "next page"}},
    [KEYMAP_SIDEBAR] = {THEME_STATUS_SIDEBAR,
                        {"choose", "open", "help", "help", "start", "start",
                         "shutdown", "shut down", "kill", "force off", "pause",
                         "pause", "reset", "reset", "restart", "restart",
                         "remove", "remove"}},
    [KEYMAP_SCROLLBACK] = {THEME_STATUS_SCROLLBACK,
                           {"leave", "leaves", "page-up", "page up", "select",
                            "select", "select-lines", "lines", "copy", "copies",
                            "search-forward", "search", "top", "oldest",
                            "bottom", "newest"}},
    [KEYMAP_PAST] = {THEME_STATUS_PAST,
                     {"leave", "now", "past-play", "play", "past-back", "-10s",
                      "past-boot-previous", "boot", "help", "help"}},
    [KEYMAP_DIALOG] = {THEME_STATUS_PREFIX,
                       {"accept", "yes", "leave", "no", "move-right",
                        "the other", "choose", "chooses"}},
    [KEYMAP_MENU] = {THEME_STATUS_PREFIX,
                     {"leave", "cancels", "choose", "runs"}},
    [KEYMAP_RECORDS] = {THEME_STATUS_SIDEBAR,
                        {"leave", "closes", "choose", "goes there",
                         "records-filter", "filter", "timeline-around",
                         "around", "records-filter-guest", "one guest",
                         "records-clear", "clear", "records-clear-all", "all"}},
    [KEYMAP_PROMPT] = {THEME_STATUS_PREFIX, {NULL}},
    [KEYMAP_VIEWER] = {THEME_STATUS_SIDEBAR,
                       {"leave", "closes", "page-down", "page down"}},
};

/* " BROADCAST → 3 guests " */
static char *
broadcast_text(const struct deck *deck)
{
    const char **names;
    size_t count = broadcast_targets(deck, &names);
    bool is_here = deck->focus && broadcast_reaches(deck, deck->focus->guest);
    free(names);
    return xasprintf(deck->has_unicode ? " BROADCAST → %zu guest%s%s%s "
                                       : " BROADCAST > %zu guest%s%s%s ",
                     count, count == 1 ? "" : "s", is_here ? "" : ", not ",
                     is_here || !deck->focus ? "" : deck->focus->guest);
}

/* " pasting n1 34% n2 12% " */
static char *
pasting_text(const struct deck *deck)
{
    struct buffer text = {0};
    const char **names;
    size_t count = broadcast_targets(deck, &names);
    size_t shown = 0;
    buffer_append_text(&text, " pasting");
    for (size_t i = 0; i < count && shown < PASTES_SHOWN_MAX; i++) {
        char *guest = xstrndup(names[i], strcspn(names[i], ":"));
        int percent = pasting_percent(deck, guest, NULL);
        if (percent >= 0) {
            buffer_printf(&text, " %s %d%%", names[i], percent);
            shown++;
        }
        free(guest);
    }
    buffer_append_byte(&text, ' ');
    free(names);
    return buffer_steal(&text);
}

/* " typing → control0 (ttyS0) " */
static char *
badge_text(const struct deck *deck, enum keymap_mode mode)
{
    const struct pane *pane = deck->focus;
    const char *name = pane ? pane->target : "nothing";
    if (!deck->connection)
        return xstrdup(" no server ");
    switch (mode) {
    case KEYMAP_CONSOLE:
        if (!pane)
            return xstrdup(" no guests ");
        if (deck->options->is_read_only || company_is_mute(pane))
            return xasprintf(" watching %s ", name);
        if (pasting_is_running(deck))
            return pasting_text(deck);
        if (deck->is_broadcasting)
            return broadcast_text(deck);
        return xasprintf(deck->has_unicode ? " typing → %s %s "
                                           : " typing > %s %s ",
                         name, pane->console);
    case KEYMAP_DEAD:
        return xasprintf(" %s does not run ", name);
    case KEYMAP_PREFIX:
        return xasprintf(" %s … ", keymap_prefix(deck->keymap));
    case KEYMAP_SIDEBAR:
        return xstrdup(" keys → guest list ");
    case KEYMAP_SCROLLBACK:
        return copy_mode_badge(pane);
    case KEYMAP_PAST:
        return xasprintf(" past of %s ", name);
    case KEYMAP_DIALOG:
        return xstrdup(" question ");
    case KEYMAP_MENU:
        return xasprintf(" %s ", menu_title(deck->menu));
    case KEYMAP_RECORDS:
        return xasprintf(" %s ", records_title(deck->records));
    default:
        return xasprintf(" %s ", viewer_title(deck->viewer));
    }
}

/* How many guests are in each state that occurs. */
static void
append_states(const struct deck *deck, struct buffer *text)
{
    static const char *const shown[] = {"running", "paused", "crashed",
                                        "stopped"};
    for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++) {
        int count = 0;
        for (size_t j = 0; j < deck->fleet.count; j++)
            count += strcmp(deck->fleet.guests[j].state, shown[i]) == 0;
        if (count > 0)
            buffer_printf(text, "%s %d  ",
                          state_glyph(state_info(shown[i]), deck->has_unicode),
                          count);
    }
}

/* The fleet in numbers and where we are, or only that, as far as there is room
 * beside what a key does. Returns the column where it begins. */
static int
draw_numbers(struct deck *deck, TickitRenderBuffer *rb, int from, int cols)
{
    struct buffer states = {0};
    char place[64] = "";
    append_states(deck, &states);
    if (deck->is_zoomed)
        (void)snprintf(place, sizeof(place), "zoom ");
    else if (deck->layout.page_count > 1)
        (void)snprintf(place, sizeof(place), "page %zu/%zu ",
                       deck->layout.page + 1, deck->layout.page_count);
    buffer_append_text(&states, place);
    char *whole = buffer_steal(&states);
    const char *const texts[] = {whole, place};
    int col = cols;
    for (size_t i = 0; i < 2 && col == cols; i++) {
        int width = (int)utf8_text_cols(texts[i], strlen(texts[i]));
        if (width > 0 && cols - width > from + HINT_COLS) {
            col = cols - width;
            draw_text(rb, 0, col, width, theme_pen(deck->theme, THEME_STATUS),
                      texts[i]);
        }
    }
    free(whole);
    return col;
}

/* While a guest is typed to only the prefix does anything: what follows it. */
static void
draw_prefix_hints(struct deck *deck, TickitRenderBuffer *rb, TickitPen *strong,
                  int col, int to)
{
    static const char *const hints[] = {"help", "help", "sidebar", "guests",
                                        "zoom", "zoom", "detach",  "detach"};
    const char *prefix = keymap_prefix(deck->keymap);
    TickitPen *status = theme_pen(deck->theme, THEME_STATUS);
    for (size_t i = 0; i < sizeof(hints) / sizeof(*hints); i += 2) {
        const char *key = keymap_key_of(deck->keymap, KEYMAP_PREFIX, hints[i]);
        if (!key || col + (int)strlen(prefix) + (int)strlen(key) +
                            (int)strlen(hints[i + 1]) + 2 >=
                        to)
            return;
        col += draw_format(rb, 0, col, to - col, strong, "%s %s", prefix, key);
        col += 3 + draw_text(rb, 0, col + 1, to - col, status, hints[i + 1]);
    }
}

const char *
status_word(const struct deck *deck, const char *action, const char *word)
{
    const struct mirror_guest *guest = deck->selected < deck->fleet.count
                                           ? &deck->fleet.guests[deck->selected]
                                           : NULL;
    if (strcmp(action, "pause") == 0 && guest &&
        state_info(guest->state)->role == THEME_STATE_PAUSED)
        return "resume";
    if (strcmp(action, "past-play") == 0 && deck->focus &&
        scrub_is_playing(deck->focus))
        return "pause";
    return word;
}

static void
draw_hints(struct deck *deck, TickitRenderBuffer *rb, enum keymap_mode mode,
           int from, int to)
{
    TickitPen *status = theme_pen(deck->theme, THEME_STATUS);
    TickitPen *strong = tickit_pen_clone(status);
    tickit_pen_set_bool_attr(strong, TICKIT_PEN_BOLD, true);
    int col = from + 1;
    for (size_t i = 0; mode_looks[mode].hints[i]; i += 2) {
        const char *action = mode_looks[mode].hints[i];
        const char *word =
            status_word(deck, action, mode_looks[mode].hints[i + 1]);
        const char *key = keymap_key_of(deck->keymap, mode, action);
        if (!key)
            continue;
        if (col + (int)strlen(key) + (int)strlen(word) + 1 >= to)
            break;
        col += draw_text(rb, 0, col, to - col, strong, key);
        col += 1 + draw_text(rb, 0, col + 1, to - col - 1, status, word) + 2;
    }
    if (mode == KEYMAP_CONSOLE)
        draw_prefix_hints(deck, rb, strong, col, to);
    tickit_pen_unref(strong);
}

void
status_expose(struct deck *deck, TickitRenderBuffer *rb, int cols)
{
    static const enum theme_role level_roles[] = {
        [DECK_INFO] = THEME_INFO,
        [DECK_WARNING] = THEME_WARNING,
        [DECK_ERROR] = THEME_ERROR,
    };
    enum keymap_mode mode = typing_mode(deck);
    if (mode == KEYMAP_PROMPT) {
        draw_fill(rb, 0, 0, cols, theme_pen(deck->theme, THEME_STATUS));
        prompt_draw(deck, rb, cols);
        return;
    }
    enum theme_role role =
        deck->connection ? mode_looks[mode].role : THEME_STATUS_ALARM;
    bool is_pasting = mode == KEYMAP_CONSOLE && pasting_is_running(deck);
    if (mode == KEYMAP_CONSOLE && deck->is_broadcasting)
        role = THEME_STATUS_ALARM;
    else if (is_pasting)
        role = THEME_STATUS_PREFIX;
    char *badge = badge_text(deck, mode);
    draw_fill(rb, 0, 0, cols, theme_pen(deck->theme, THEME_STATUS));
    int col = draw_text(rb, 0, 0, cols, theme_pen(deck->theme, role), badge);
    free(badge);

    char countdown[128];
    if (countdown_text(deck, countdown, sizeof(countdown))) {
        draw_text(rb, 0, col + 1, cols - col - 2,
                  theme_pen(deck->theme, THEME_WARNING), countdown);
        return;
    }
    if (deck->is_message_shown && deck->message_count > 0) {
        const struct deck_message *message =
            &deck->messages[deck->message_count - 1];
        col +=
            1 + draw_text(rb, 0, col + 1, cols - col - 2,
                          theme_pen(deck->theme, level_roles[message->level]),
                          message->text);
        /* what the keys do is told beside it, where there is room */
        if (!is_pasting)
            draw_hints(deck, rb, mode, col + 2, cols);
        return;
    }
    if (mode == KEYMAP_PAST) {
        col += scrub_draw_bar(deck->focus, rb, col, cols);
        draw_hints(deck, rb, mode, col, cols);
        return;
    }
    if (is_pasting) {
        draw_text(rb, 0, col + 1, cols - col - 2,
                  theme_pen(deck->theme, THEME_STATUS),
                  "Escape cancels; what is typed waits");
        return;
    }
    int numbers = draw_numbers(deck, rb, col, cols);
    draw_hints(deck, rb, mode, col, numbers - 1);
}

/* A bare console has no status line, but what it would say beyond "typing"
 * must be seen: it then covers the last row. */
static void
place_over_console(struct deck *deck)
{
    char countdown[128];
    bool is_wanted = typing_mode(deck) != KEYMAP_CONSOLE ||
                     countdown_text(deck, countdown, sizeof(countdown)) ||
                     pasting_is_running(deck) || deck->is_broadcasting ||
                     deck->is_message_shown || !deck->connection;
    is_wanted = is_wanted && !deck->layout.is_too_small;
    if (is_wanted == deck->is_status_over)
        return;
    deck->is_status_over = is_wanted;
    if (!is_wanted) {
        tickit_window_hide(deck->status_win);
        frame_expose_all(deck);
        return;
    }
    int rows = 0;
    int cols = 0;
    tickit_term_get_size(term_tickit(deck->term), &rows, &cols);
    tickit_window_set_geometry(
        deck->status_win,
        (TickitRect){.top = rows - 1, .lines = 1, .cols = cols});
    tickit_window_raise_to_front(deck->status_win);
    tickit_window_show(deck->status_win);
}

void
status_changed(struct deck *deck)
{
    if (!deck->status_win)
        return;
    if (deck->options->is_single)
        place_over_console(deck);
    tickit_window_expose(deck->status_win, NULL);
    frame_request(deck);
}

static void
on_message_over(void *data)
{
    struct deck *deck = data;
    deck->is_message_shown = false;
    status_changed(deck);
}

void
status_mode_changed(struct deck *deck)
{
    if (!deck->is_message_shown || deck->message_count == 0)
        return;
    const struct deck_message *message =
        &deck->messages[deck->message_count - 1];
    if (message->level != DECK_ERROR &&
        clock_monotonic_ms() - deck->message_ms > MESSAGE_READ_MS)
        on_message_over(deck);
}

void
status_message(struct deck *deck, enum deck_level level, const char *format,
               ...)
{
    va_list args;
    va_start(args, format);
    char *text = xvasprintf(format, args);
    va_end(args);

    if (deck->message_count == DECK_MESSAGES_MAX) {
        free(deck->messages[0].text);
        deck->message_count--;
        memmove(deck->messages, deck->messages + 1,
                deck->message_count * sizeof(*deck->messages));
    }
    deck->messages[deck->message_count++] = (struct deck_message){
        .text = text,
        .level = level,
        .at_ms = clock_wall_ms(),
    };
    deck->is_message_shown = true;
    deck->message_ms = clock_monotonic_ms();
    deck->message_guest[0] = '\0';
    if (!deck->message_timer)
        deck->message_timer =
            loop_timer_new(&deck->loop, on_message_over, deck);
    loop_timer_start(deck->message_timer,
                     level == DECK_INFO ? MESSAGE_INFO_MS : MESSAGE_ERROR_MS);
    status_changed(deck);
    if (deck->viewer)
        viewer_refresh(deck, "");
}

void
status_doing(struct deck *deck, const char *doing, const char *guest)
{
    status_message(deck, DECK_INFO, "%s %s…", doing, guest);
    (void)snprintf(deck->message_guest, sizeof(deck->message_guest), "%s",
                   guest);
}

void
status_guest_changed(struct deck *deck, const char *guest)
{
    if (deck->message_guest[0] && strcmp(deck->message_guest, guest) == 0) {
        deck->message_guest[0] = '\0';
        on_message_over(deck);
    }
}

void
status_finish(struct deck *deck)
{
    loop_timer_free(deck->message_timer);
    deck->message_timer = NULL;
    for (size_t i = 0; i < deck->message_count; i++)
        free(deck->messages[i].text);
    deck->message_count = 0;
}
