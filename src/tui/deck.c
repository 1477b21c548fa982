#include "tui/deck.h"

#include "base/utf8.h"
#include "base/xalloc.h"
#include "tui/broadcast.h"
#include "tui/copy-save.h"
#include "tui/copy-search.h"
#include "tui/copy-take.h"
#include "tui/deck-internal.h"
#include "tui/dialog.h"
#include "tui/draw.h"
#include "tui/menu.h"
#include "tui/pane.h"
#include "tui/pasting.h"
#include "tui/pens.h"
#include "tui/prompt.h"
#include "tui/records-fill.h"
#include "tui/records.h"
#include "tui/search.h"
#include "tui/viewer.h"
#include "tui/watching.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <malloc.h>

void
deck_leave(struct deck *deck, enum deck_end end, const char *text)
{
    if (deck->is_ending)
        return;
    deck->is_ending = true;
    deck->end = end;
    deck->end_text = xstrdup(text);
    uv_stop(&deck->loop);
}

const char *
deck_server_name(const struct deck *deck)
{
    const char *server = deck->options->paths->server;
    return !server || strcmp(server, "default") == 0 ? "" : server;
}

const char *
deck_server_option(const struct deck *deck)
{
    return deck_server_name(deck)[0] ? " -L " : "";
}

/* The largest terminals' buffers; a usual one's is half a MiB. */
#define DECK_KEPT_BYTES (8 << 20)

/* -- what lies behind the windows -- */

static void
draw_too_small(struct deck *deck, TickitRenderBuffer *rb, int rows, int cols)
{
    TickitPen *pen = theme_pen(deck->theme, THEME_WARNING);
    draw_format(rb, rows / 2, 0, cols, pen, "too small: %dx%d, need %dx%d",
                cols, rows, LAYOUT_COLS_MIN, LAYOUT_ROWS_MIN);
}

static void
draw_empty(struct deck *deck, TickitRenderBuffer *rb, int rows, int cols)
{
    static const char *const commands[][2] = {
        {"up", "boots those of guestmux.json"},
        {"run -- QEMU…", "boots one by its command line"},
    };
    int left = deck->layout.sidebar.cols + 3;
    int row = rows / 2 - 3;
    draw_text(rb, row, left, cols - left, theme_pen(deck->theme, THEME_ACCENT),
              "No guests yet.");
    row += 2;
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        draw_format(rb, row++, left, cols - left,
                    theme_pen(deck->theme, THEME_TEXT), "guestmux%s%s %s",
                    deck_server_option(deck), deck_server_name(deck),
                    commands[i][0]);
        draw_text(rb, row++, left + 2, cols - left - 2,
                  theme_pen(deck->theme, THEME_MUTED), commands[i][1]);
    }
}

static void
draw_column(struct deck *deck, TickitRenderBuffer *rb, int col, int row,
            int rows, bool is_focus)
{
    TickitPen *pen =
        theme_pen(deck->theme, is_focus ? THEME_BORDER_FOCUS : THEME_BORDER);
    const char *stroke = is_focus ? "┃" : "│";
    if (!deck->has_unicode)
        stroke = "|";
    for (int i = 0; i < rows; i++)
        draw_text(rb, row + i, col, 1, pen, stroke);
}

static void
draw_borders(struct deck *deck, TickitRenderBuffer *rb, int cols)
{
    const struct layout *layout = &deck->layout;
    const struct layout_rect *sidebar = &layout->sidebar;
    if (sidebar->rows > 0 && sidebar->cols < cols)
        draw_column(deck, rb, sidebar->cols, sidebar->row, sidebar->rows,
                    deck->is_sidebar_focused);
    for (size_t i = 0; i < layout->count; i++) {
        const struct layout_rect *rect = &layout->panes[i];
        if (rect->col > sidebar->cols + 1)
            draw_column(deck, rb, rect->col - 1, rect->row, rect->rows, false);
    }
    for (size_t i = 0; i < layout->count && !deck->is_sidebar_focused; i++) {
        const struct layout_rect *rect = &layout->panes[i];
        if (deck->panes[layout->first + i] != deck->focus || layout->count < 2)
            continue;
        if (rect->col > 0)
            draw_column(deck, rb, rect->col - 1, rect->row, rect->rows, true);
        if (rect->col + rect->cols < cols)
            draw_column(deck, rb, rect->col + rect->cols, rect->row, rect->rows,
                        true);
    }
}

static int
on_root_expose(TickitWindow *window, TickitEventFlags flags, void *info,
               void *user)
{
    (void)flags;
    struct deck *deck = user;
    TickitExposeEventInfo *expose = info;
    TickitRect all = tickit_window_get_geometry(window);
    tickit_renderbuffer_setpen(expose->rb, theme_pen(deck->theme, THEME_TEXT));
    tickit_renderbuffer_eraserect(expose->rb, &expose->rect);
    if (deck->layout.is_too_small)
        draw_too_small(deck, expose->rb, all.lines, all.cols);
    else if (deck->has_fleet && deck->pane_count == 0)
        draw_empty(deck, expose->rb, all.lines, all.cols);
    draw_borders(deck, expose->rb, all.cols);
    return 1;
}

static int
on_sidebar_expose(TickitWindow *window, TickitEventFlags flags, void *info,
                  void *user)
{
    (void)flags;
    TickitRect all = tickit_window_get_geometry(window);
    TickitExposeEventInfo *expose = info;
    sidebar_view_expose(user, expose->rb, all.lines, all.cols);
    return 1;
}

static int
on_status_expose(TickitWindow *window, TickitEventFlags flags, void *info,
                 void *user)
{
    (void)flags;
    TickitExposeEventInfo *expose = info;
    status_expose(user, expose->rb, tickit_window_cols(window));
    return 1;
}

/* -- signals -- */

static const int watched_signals[] = {SIGWINCH, SIGTERM, SIGHUP,
                                      SIGINT,   SIGQUIT, SIGCONT};

static void
on_signal(uv_signal_t *handle, int number)
{
    struct deck *deck = handle->data;
    if (number == SIGWINCH) {
        if (term_update_size(deck->term)) {
            arrange_layout(deck);
            frame_expose_all(deck);
        }
    } else if (number == SIGCONT) {
        /* whoever had the terminal meanwhile left it in its own modes */
        term_redraw(deck->term);
        frame_expose_all(deck);
    } else {
        deck_leave(deck, DECK_END_SIGNAL, NULL);
    }
}

static void
start_signals(struct deck *deck)
{
    for (size_t i = 0; i < sizeof(watched_signals) / sizeof(int); i++) {
        uv_signal_init(&deck->loop, &deck->signals[i]);
        deck->signals[i].data = deck;
        uv_signal_start(&deck->signals[i], on_signal, watched_signals[i]);
    }
}

static void
stop_signals(struct deck *deck)
{
    for (size_t i = 0; i < sizeof(watched_signals) / sizeof(int); i++)
        uv_close((uv_handle_t *)&deck->signals[i], NULL);
}

/* -- beginning and end -- */

static void
load_looks(struct deck *deck)
{
    struct buffer problems = {0};
    const struct deck_options *options = deck->options;
    const char *config_dir = options->paths->config_dir;
    const char *no_colour = getenv("NO_COLOR");
    struct term_abilities abilities = term_abilities(deck->term);
    bool has_colour = abilities.colours > 0 && !(no_colour && no_colour[0]);
    deck->has_unicode = abilities.has_unicode && !abilities.is_linux_vt;
    deck->theme = theme_load(options->theme, config_dir, has_colour, &problems);
    deck->keymap = keymap_load(options->keymap, config_dir, &problems);
    /* one message each, the first mistake on top */
    char *text = buffer_steal(&problems);
    char *rest = text;
    while (rest && *rest) {
        char *line = strsep(&rest, "\n");
        status_message(deck, DECK_WARNING, "%s", line);
    }
    free(text);
}

static TickitWindow *
new_window(struct deck *deck, TickitWindowEventFn *on_expose)
{
    TickitWindow *window = tickit_window_new(
        deck->root, (TickitRect){.lines = 1, .cols = 1}, TICKIT_WINDOW_HIDDEN);
    tickit_window_bind_event(window, TICKIT_WINDOW_ON_EXPOSE, 0, on_expose,
                             deck);
    return window;
}

static bool
start(struct deck *deck, struct error *error)
{
    deck->term = term_open(STDIN_FILENO, STDOUT_FILENO, NULL, error);
    if (!deck->term)
        return false;
    load_looks(deck);
    deck->pens = xcalloc(1, sizeof(*deck->pens));
    deck->pens->term = deck->term;
    deck->root = tickit_window_new_root(term_tickit(deck->term));
    tickit_window_bind_event(deck->root, TICKIT_WINDOW_ON_EXPOSE, 0,
                             on_root_expose, deck);
    deck->sidebar_win = new_window(deck, on_sidebar_expose);
    deck->status_win = new_window(deck, on_status_expose);
    deck->is_sidebar_wanted = true;
    deck->is_mouse_on = true;
    term_set_mouse(deck->term, true);
    if (!typing_start(deck, error))
        return false;
    arrange_layout(deck);
    status_changed(deck);
    link_start(deck, deck->options->fd);
    return true;
}

static void
close_window(TickitWindow *window)
{
    if (!window)
        return;
    tickit_window_close(window);
    tickit_window_unref(window);
}

static void
stop(struct deck *deck)
{
    if (deck->term) {
        dialog_close(deck);
        menu_close(deck);
        viewer_close(deck);
        records_close(deck);
    }
    link_stop(deck);
    copy_take_finish(deck);
    records_jump_finish(deck);
    copy_mouse_finish(deck);
    copy_save_finish(deck);
    copy_search_finish(deck);
    outgoing_finish(&deck->outgoing, STDOUT_FILENO);
    typing_stop(deck);
    arrange_finish(deck);
    frame_stop(deck);
    prompt_finish(deck);
    search_finish(deck);
    status_finish(deck);
    watching_finish(deck);
    close_window(deck->sidebar_win);
    close_window(deck->status_win);
    if (deck->root)
        tickit_window_unref(deck->root);
    json_decref(deck->sysrqs);
    broadcast_finish(deck);
    pasting_finish(deck);
    if (deck->pens)
        pens_finish(deck->pens);
    free(deck->pens);
    theme_free(deck->theme);
    keymap_free(deck->keymap);
    term_close(deck->term);
    mirror_fleet_finish(&deck->fleet);
    stop_signals(deck);
}

/* libtickit makes and frees a buffer of the whole screen for every frame that
 * has more than rows of consoles. Given back to the system each time, its pages
 * would come anew for every frame, zeroed: ten times the drawing itself. */
static void
keep_memory(void)
{
#ifdef __GLIBC__
    (void)mallopt(M_MMAP_THRESHOLD, DECK_KEPT_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, DECK_KEPT_BYTES);
#endif
}

enum deck_end
deck_run(const struct deck_options *options, char **ret_message,
         struct error *error)
{
    struct deck *deck = xcalloc(1, sizeof(*deck));
    keep_memory();
    deck->options = options;
    uv_loop_init(&deck->loop);
    /* before curses: it leaves alone what has a handler already */
    start_signals(deck);
    frame_start(deck);
    deck->end = DECK_END_FAILED;
    if (start(deck, error))
        uv_run(&deck->loop, UV_RUN_DEFAULT);
    else if (!deck->connection)
        close(options->fd);
    stop(deck);
    uv_run(&deck->loop, UV_RUN_DEFAULT);
    uv_loop_close(&deck->loop);

    enum deck_end end = deck->end;
    *ret_message = deck->end_text;
    free(deck);
    return end;
}
