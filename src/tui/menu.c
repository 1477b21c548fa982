#include "tui/menu.h"

#include "base/utf8.h"
#include "base/xalloc.h"
#include "tui/box.h"
#include "tui/deck-internal.h"
#include "tui/draw.h"

#include <stdlib.h>
#include <string.h>

/* Columns of an entry's key, with the blanks around it. */
#define KEY_COLS 6
/* Columns beside the content: frame and a blank on each side. */
#define FRAME_COLS 4
/* Wide enough for a sentence. */
#define COLS_MAX 76
#define COLS_MIN 34
/* A note that would be shorter is left out. */
#define NOTE_COLS_MIN 8

struct entry {
    char *key; /* owned, as are the others; or NULL */
    char *text;
    char *note; /* or NULL */
    unsigned flags;
};

struct menu {
    TickitWindow *window; /* owned */
    char *title;          /* owned */
    char *text;           /* owned; "" for none */
    struct entry *entries;
    size_t count;
    size_t chosen;
    size_t top; /* the first entry shown */
    int text_rows;
    int note_col; /* where the notes begin */
    int rows;     /* of the window */
    int cols;
    void (*on_choose)(struct deck *deck, size_t index, void *data);
    void (*on_end)(void *data);
    void *data;
};

const char *
menu_title(const struct menu *menu)
{
    return menu ? menu->title : "";
}

/* How many entries are shown at a time. */
static size_t
shown_count(const struct menu *menu)
{
    int rows = menu->rows - 2 - menu->text_rows;
    return rows > 0 ? (size_t)rows : 0;
}

static int
text_cols(const char *text)
{
    return text ? (int)utf8_text_cols(text, strlen(text)) : 0;
}

/* Drawing ------------------------------------------------------------------ */

static void
draw_entry(struct deck *deck, TickitRenderBuffer *rb, int row, size_t index)
{
    const struct menu *menu = deck->menu;
    const struct entry *entry = &menu->entries[index];
    bool is_chosen = index == menu->chosen;
    int cols = menu->cols - FRAME_COLS;
    if (entry->flags & MENU_HEADING) {
        draw_text(rb, row, 2, cols,
                  theme_pen(deck->theme, THEME_OVERLAY_HEADING), entry->text);
        return;
    }
    TickitPen *muted = tickit_pen_clone(theme_pen(deck->theme, THEME_MUTED));
    tickit_pen_copy(muted, theme_pen(deck->theme, THEME_OVERLAY), false);
    TickitPen *text =
        entry->flags & MENU_OFF ? muted : theme_pen(deck->theme, THEME_OVERLAY);
    TickitPen *key = theme_pen(deck->theme, THEME_OVERLAY_KEY);
    TickitPen *note = muted;
    if (is_chosen) {
        text = key = note = theme_pen(deck->theme, THEME_BUTTON_SELECTED);
        draw_fill(rb, row, 1, menu->cols - 2, text);
        /* the mark shows the choice where colours do not */
        draw_text(rb, row, 1, 1, text, ">");
    }
    if (entry->key)
        draw_text(rb, row, 3, KEY_COLS - 2, key, entry->key);
    draw_text(rb, row, KEY_COLS + 1, cols - KEY_COLS + 1, text, entry->text);
    int room = menu->cols - 2 - menu->note_col;
    if (entry->note && room >= NOTE_COLS_MIN)
        draw_text(rb, row, menu->note_col, room, note, entry->note);
    tickit_pen_unref(muted);
}

static void
draw_lines(struct deck *deck, TickitRenderBuffer *rb)
{
    const struct menu *menu = deck->menu;
    const char *line = menu->text;
    for (int row = 1; row < menu->text_rows && *line; row++) {
        size_t len = strcspn(line, "\n");
        char *text = xstrndup(line, len);
        draw_text(rb, row, 2, menu->cols - FRAME_COLS,
                  theme_pen(deck->theme, THEME_OVERLAY), text);
        free(text);
        line += len + (line[len] == '\n');
    }
}

static int
on_expose(TickitWindow *window, TickitEventFlags flags, void *info, void *user)
{
    (void)window;
    (void)flags;
    TickitExposeEventInfo *expose = info;
    struct deck *deck = user;
    const struct menu *menu = deck->menu;
    size_t shown = shown_count(menu);
    char *footer = menu->count > shown
                       ? xasprintf(" %zu-%zu of %zu ", menu->top + 1,
                                   menu->top + shown, menu->count)
                       : xstrdup("");
    box_draw(deck, expose->rb, menu->rows, menu->cols, menu->title, footer);
    free(footer);
    draw_lines(deck, expose->rb);
    for (size_t i = 0; i < shown && menu->top + i < menu->count; i++)
        draw_entry(deck, expose->rb, 1 + menu->text_rows + (int)i,
                   menu->top + i);
    return 1;
}

/* Placing ------------------------------------------------------------------ */

/* Also sets where the notes begin. */
static int
wanted_cols(struct menu *menu)
{
    int text = 0;
    int note = 0;
    int widest = COLS_MIN;
    for (size_t i = 0; i < menu->count; i++) {
        const struct entry *entry = &menu->entries[i];
        bool is_heading = entry->flags & MENU_HEADING;
        int cols = text_cols(entry->text) - (is_heading ? KEY_COLS : 0);
        text = cols > text ? cols : text;
        cols = text_cols(entry->note);
        note = cols > note ? cols : note;
    }
    menu->note_col = KEY_COLS + 1 + text + 3;
    if (note > 0 && menu->note_col + note + 2 > widest)
        widest = menu->note_col + note + 2;
    if (KEY_COLS + text + FRAME_COLS > widest)
        widest = KEY_COLS + text + FRAME_COLS;
    for (const char *line = menu->text; *line;) {
        size_t len = strcspn(line, "\n");
        int cols = (int)utf8_text_cols(line, len) + FRAME_COLS;
        widest = cols > widest ? cols : widest;
        line += len + (line[len] == '\n');
    }
    return widest < COLS_MAX ? widest : COLS_MAX;
}

/* Scrolls so that the choice is in view, with the heading above it if it is
 * the first below one. */
static void
follow_choice(struct menu *menu)
{
    size_t shown = shown_count(menu);
    size_t first = menu->chosen;
    if (first > 0 && menu->entries[first - 1].flags & MENU_HEADING)
        first--;
    if (first < menu->top)
        menu->top = first;
    if (shown > 0 && menu->chosen >= menu->top + shown)
        menu->top = menu->chosen - shown + 1;
    if (menu->count <= shown)
        menu->top = 0;
    else if (menu->top > menu->count - shown)
        menu->top = menu->count - shown;
}

void
menu_place(struct deck *deck)
{
    struct menu *menu = deck->menu;
    if (!menu)
        return;
    int rows = 0;
    int cols = 0;
    tickit_term_get_size(term_tickit(deck->term), &rows, &cols);
    /* the last row is the status line's, which says what the keys do */
    int room = rows - 1 > 4 ? rows - 1 : 4;
    int wanted = 2 + menu->text_rows + (int)menu->count;
    menu->rows = wanted < room ? wanted : room;
    menu->cols = wanted_cols(menu);
    if (menu->cols > cols - 2)
        menu->cols = cols - 2 > FRAME_COLS ? cols - 2 : FRAME_COLS;
    follow_choice(menu);
    TickitRect rect = {
        .top = (room - menu->rows) / 2,
        .left = cols > menu->cols ? (cols - menu->cols) / 2 : 0,
        .lines = menu->rows,
        .cols = menu->cols,
    };
    tickit_window_set_geometry(menu->window, rect);
    tickit_window_expose(menu->window, NULL);
    frame_request(deck);
}

/* From start to end ------------------------------------------------------- */

static bool
can_be_chosen(const struct menu *menu, size_t index)
{
    return !(menu->entries[index].flags & MENU_HEADING);
}

static void
count_text_rows(struct menu *menu)
{
    if (!menu->text[0])
        return;
    menu->text_rows = 2; /* the last line, and a blank one */
    for (const char *at = menu->text; *at; at++)
        menu->text_rows += *at == '\n';
}

/* An entry's own key, where the keymap has no other use for it: who wants to
 * leave with q, or to go down with j, must not send something to a guest. */
static char *
take_key(const struct deck *deck, const char *key)
{
    return key && !keymap_find(deck->keymap, KEYMAP_MENU, key) ? xstrdup(key)
                                                               : NULL;
}

void
menu_open(struct deck *deck, const struct menu_request *request)
{
    menu_close(deck);
    struct menu *menu = xcalloc(1, sizeof(*menu));
    menu->title = xstrdup(request->title);
    menu->text = xstrdup(request->text ? request->text : "");
    count_text_rows(menu);
    menu->entries = xcalloc(request->count + 1, sizeof(*menu->entries));
    menu->count = request->count;
    for (size_t i = 0; i < request->count; i++)
        menu->entries[i] = (struct entry){
            .key = take_key(deck, request->entries[i].key),
            .text = xstrdup(request->entries[i].text),
            .note = xstrdup(request->entries[i].note),
            .flags = request->entries[i].flags,
        };
    while (menu->chosen + 1 < menu->count && !can_be_chosen(menu, menu->chosen))
        menu->chosen++;
    menu->on_choose = request->on_choose;
    menu->on_end = request->on_end;
    menu->data = request->data;
    menu->window = box_open(deck, on_expose);
    deck->menu = menu;
    menu_place(deck);
    arrange_cursor(deck);
    status_changed(deck);
}

static void
free_menu(struct menu *menu)
{
    for (size_t i = 0; i < menu->count; i++) {
        free(menu->entries[i].key);
        free(menu->entries[i].text);
        free(menu->entries[i].note);
    }
    free(menu->entries);
    free(menu->title);
    free(menu->text);
    free(menu);
}

/* Takes it off the screen; its memory stays. */
static struct menu *
take_down(struct deck *deck)
{
    struct menu *menu = deck->menu;
    deck->menu = NULL;
    box_close(deck, menu->window);
    status_changed(deck);
    return menu;
}

void
menu_close(struct deck *deck)
{
    if (!deck->menu)
        return;
    struct menu *menu = take_down(deck);
    if (menu->on_end)
        menu->on_end(menu->data);
    free_menu(menu);
}

/* Choosing ----------------------------------------------------------------- */

int
menu_page_rows(const struct deck *deck)
{
    return deck->menu ? (int)shown_count(deck->menu) : 1;
}

static void
show_choice(struct deck *deck, size_t index)
{
    deck->menu->chosen = index;
    follow_choice(deck->menu);
    tickit_window_expose(deck->menu->window, NULL);
    frame_request(deck);
}

void
menu_move(struct deck *deck, long steps)
{
    struct menu *menu = deck->menu;
    if (!menu)
        return;
    long step = steps > 0 ? 1 : -1;
    long at = (long)menu->chosen;
    for (; steps != 0; steps -= step) {
        long next = at + step;
        while (next >= 0 && next < (long)menu->count &&
               !can_be_chosen(menu, (size_t)next))
            next += step;
        if (next < 0 || next >= (long)menu->count)
            break;
        at = next;
    }
    show_choice(deck, (size_t)at);
}

static void
run_entry(struct deck *deck, size_t index)
{
    const struct entry *entry = &deck->menu->entries[index];
    if (entry->flags & MENU_HEADING)
        return;
    if (entry->flags & MENU_OFF) {
        status_message(deck, DECK_WARNING, "%s: %s", entry->text,
                       entry->note ? entry->note : "not at present");
        return;
    }
    struct menu *menu = take_down(deck);
    menu->on_choose(deck, index, menu->data);
    if (menu->on_end)
        menu->on_end(menu->data);
    free_menu(menu);
}

void
menu_choose(struct deck *deck)
{
    if (deck->menu && deck->menu->count > 0)
        run_entry(deck, deck->menu->chosen);
}

void
menu_click(struct deck *deck, int line, int col)
{
    const struct menu *menu = deck->menu;
    if (!box_take_click(menu->window, &line, &col)) {
        menu_close(deck);
        return;
    }
    int row = line - 1 - menu->text_rows;
    if (row < 0 || (size_t)row >= shown_count(menu))
        return;
    size_t index = menu->top + (size_t)row;
    if (index >= menu->count || !can_be_chosen(menu, index))
        return;
    if (index == menu->chosen)
        run_entry(deck, index);
    else
        show_choice(deck, index);
}

bool
menu_key(struct deck *deck, const char *key)
{
    const struct menu *menu = deck->menu;
    for (size_t i = 0; menu && i < menu->count; i++) {
        if (!menu->entries[i].key || strcmp(menu->entries[i].key, key) != 0)
            continue;
        run_entry(deck, i);
        return true;
    }
    return false;
}
