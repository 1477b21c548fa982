#include "tui/viewer.h"

#include "base/buffer.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "tui/box.h"
#include "tui/deck-internal.h"
#include "tui/draw.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A text wider than this is hard to read. */
#define VIEWER_COLS_MAX 92

/* Bounds of the first column, that of lines with a tab. It is as wide as what
 * stands in it, but never more than a third of the text; what is wider has a
 * line of its own. */
#define VIEWER_KEY_COLS_MIN 10
#define VIEWER_KEY_COLS_MAX 24
/* Blanks behind it. */
#define VIEWER_KEY_GAP 2

/* So many keys in a row, or more, are shown as the first and the last. */
#define HELP_RUN_MIN 3

/* Longer texts are cut: a report has the last lines of QEMU's words only. */
#define VIEWER_LINES_MAX 4096

struct viewer {
    TickitWindow *window;      /* owned */
    char *title;               /* owned */
    char *text;                /* owned */
    viewer_make_fn make;       /* NULL: the text stays as it is */
    char *subject;             /* owned; NULL: none */
    struct viewer_line *lines; /* owned: the text cut to cols */
    size_t line_count;
    size_t line_capacity;
    size_t top;
    int rows; /* for text */
    int cols;
    int key_cols; /* of the first column */
};

struct viewer_line {
    char *text;    /* owned */
    size_t source; /* which line of the whole text it is part of */
};

const char *
viewer_title(const struct viewer *viewer)
{
    return viewer ? viewer->title : "";
}

static void
draw_line(struct deck *deck, TickitRenderBuffer *rb, int row, const char *line)
{
    int cols = deck->viewer->cols;
    int key_cols = deck->viewer->key_cols;
    TickitPen *text = theme_pen(deck->theme, THEME_OVERLAY);
    const char *tab = strchr(line, '\t');
    if (strncmp(line, "# ", 2) == 0) {
        draw_text(rb, row, 2, cols,
                  theme_pen(deck->theme, THEME_OVERLAY_HEADING), line + 2);
    } else if (tab) {
        char *key = xstrndup(line, (size_t)(tab - line));
        draw_text(rb, row, 3, tab[1] ? key_cols : cols - 1,
                  theme_pen(deck->theme, THEME_OVERLAY_KEY), key);
        free(key);
        draw_text(rb, row, 3 + key_cols, cols - key_cols - 1, text, tab + 1);
    } else {
        draw_text(rb, row, 2, cols, text, line);
    }
}

static int
on_expose(TickitWindow *window, TickitEventFlags flags, void *info, void *user)
{
    (void)window;
    (void)flags;
    TickitExposeEventInfo *expose = info;
    struct deck *deck = user;
    struct viewer *viewer = deck->viewer;
    char *footer =
        viewer->line_count > (size_t)viewer->rows
            ? xasprintf(" %zu-%zu of %zu ", viewer->top + 1,
                        viewer->top + (size_t)viewer->rows, viewer->line_count)
            : xstrdup("");
    box_draw(deck, expose->rb, viewer->rows + 2, viewer->cols + 4,
             viewer->title, footer);
    free(footer);
    for (int i = 0; i < viewer->rows; i++) {
        size_t index = viewer->top + (size_t)i;
        if (index < viewer->line_count)
            draw_line(deck, expose->rb, i + 1, viewer->lines[index].text);
    }
    return 1;
}

static void
add_line(struct viewer *viewer, size_t source, char *text)
{
    if (viewer->line_count == VIEWER_LINES_MAX) {
        free(text);
        return;
    }
    if (viewer->line_count == viewer->line_capacity) {
        viewer->line_capacity = viewer->line_capacity * 2 + 64;
        viewer->lines = xreallocarray(viewer->lines, viewer->line_capacity,
                                      sizeof(*viewer->lines));
    }
    viewer->lines[viewer->line_count++] = (struct viewer_line){text, source};
}

/* Columns of what stands before a line's tab, -1 without one. */
static int
key_cols(const char *line)
{
    size_t len = strcspn(line, "\t\n");
    return line[len] == '\t' ? (int)utf8_text_cols(line, len) : -1;
}

/* What is too long goes on in the next line, below where it began. */
static void
add_wrapped(struct viewer *viewer, size_t source, const char *line)
{
    const char *tab = strchr(line, '\t');
    int indent = tab ? viewer->key_cols + 2 : 0;
    size_t head = tab ? (size_t)(tab + 1 - line) : 0;
    const char *rest = line + head;
    if (tab && *rest && key_cols(line) + VIEWER_KEY_GAP > viewer->key_cols) {
        add_line(viewer, source, xstrndup(line, head));
        line = "\t";
        head = 1;
    }
    do {
        size_t len = draw_wrap_point(rest, viewer->cols - indent);
        add_line(viewer, source,
                 xasprintf("%.*s%.*s", (int)head, line, (int)len, rest));
        rest += len;
        /* an empty first column keeps the second where it is */
        if (tab) {
            line = "\t";
            head = 1;
        }
    } while (*rest);
}

static void
drop_lines(struct viewer *viewer)
{
    for (size_t i = 0; i < viewer->line_count; i++)
        free(viewer->lines[i].text);
    viewer->line_count = 0;
}

static void
measure_keys(struct viewer *viewer)
{
    int limit = viewer->cols / 3;
    if (limit > VIEWER_KEY_COLS_MAX)
        limit = VIEWER_KEY_COLS_MAX;
    viewer->key_cols = VIEWER_KEY_COLS_MIN;
    for (const char *at = viewer->text; *at; at++) {
        int cols = key_cols(at) + VIEWER_KEY_GAP;
        if (cols > viewer->key_cols && cols <= limit)
            viewer->key_cols = cols;
        at += strcspn(at, "\n");
        if (!*at)
            break;
    }
}

static void
wrap_lines(struct viewer *viewer)
{
    drop_lines(viewer);
    measure_keys(viewer);
    size_t source = 0;
    for (const char *at = viewer->text; *at; source++) {
        size_t len = strcspn(at, "\n");
        char *line = xstrndup(at, len);
        add_wrapped(viewer, source, line);
        free(line);
        at += len + (at[len] == '\n');
    }
}

/* Gives the window the size that its lines want. */
static void
place_window(struct deck *deck)
{
    struct viewer *viewer = deck->viewer;
    int rows = 0;
    int cols = 0;
    tickit_term_get_size(term_tickit(deck->term), &rows, &cols);
    int wanted = (int)viewer->line_count;
    viewer->rows = wanted < rows - 4 ? wanted : rows - 4;
    if (viewer->rows < 1)
        viewer->rows = 1;
    TickitRect rect = {
        .top = (rows - 1 - viewer->rows - 2) / 2,
        .left = (cols - viewer->cols - 4) / 2,
        .lines = viewer->rows + 2,
        .cols = viewer->cols + 4,
    };
    if (rect.top < 0)
        rect.top = 0;
    if (rect.left < 0)
        rect.left = 0;
    tickit_window_set_geometry(viewer->window, rect);
    viewer_scroll(deck, 0);
}

void
viewer_place(struct deck *deck)
{
    struct viewer *viewer = deck->viewer;
    if (!viewer)
        return;
    int rows = 0;
    int cols = 0;
    tickit_term_get_size(term_tickit(deck->term), &rows, &cols);
    viewer->cols = cols - 8 < VIEWER_COLS_MAX ? cols - 8 : VIEWER_COLS_MAX;
    if (viewer->cols < 1)
        viewer->cols = 1;
    /* the line that is read stays at the top */
    size_t source = viewer->top < viewer->line_count
                        ? viewer->lines[viewer->top].source
                        : 0;
    wrap_lines(viewer);
    viewer->top = 0;
    while (viewer->top + 1 < viewer->line_count &&
           viewer->lines[viewer->top].source < source)
        viewer->top++;
    place_window(deck);
}

void
viewer_open(struct deck *deck, const char *title, const char *text)
{
    viewer_close(deck);
    struct viewer *viewer = xcalloc(1, sizeof(*viewer));
    viewer->title = xstrdup(title);
    viewer->text = xstrdup(text);
    viewer->window = box_open(deck, on_expose);
    deck->viewer = viewer;
    viewer_place(deck);
    arrange_cursor(deck);
    status_changed(deck);
}

void
viewer_open_live(struct deck *deck, const char *title, viewer_make_fn make,
                 const char *subject)
{
    char *text = make(deck, subject);
    if (!text)
        return;
    viewer_open(deck, title, text);
    free(text);
    deck->viewer->make = make;
    deck->viewer->subject = subject ? xstrdup(subject) : NULL;
}

/* Keeps in its place what is read: the line at the top is looked for near where
 * it was. */
static void
restore_top(struct viewer *viewer, const char *line, size_t top)
{
    viewer->top = top;
    for (size_t away = 0; top > 0 && away < viewer->line_count; away++) {
        if (top >= away && top - away < viewer->line_count &&
            strcmp(viewer->lines[top - away].text, line) == 0) {
            viewer->top = top - away;
            return;
        }
        if (top + away < viewer->line_count &&
            strcmp(viewer->lines[top + away].text, line) == 0) {
            viewer->top = top + away;
            return;
        }
    }
}

/* What it is about is gone: the text stays, and says so. */
static void
go_stale(struct deck *deck, struct viewer *viewer)
{
    char *title = xasprintf("%s, as it was last", viewer->title);
    free(viewer->title);
    viewer->title = title;
    viewer->make = NULL;
    viewer_scroll(deck, 0);
}

void
viewer_refresh(struct deck *deck, const char *subject)
{
    struct viewer *viewer = deck->viewer;
    if (!viewer || !viewer->make ||
        (subject && viewer->subject && strcmp(subject, viewer->subject) != 0))
        return;
    char *text = viewer->make(deck, viewer->subject);
    if (!text)
        go_stale(deck, viewer);
    if (!text || strcmp(text, viewer->text) == 0) {
        free(text);
        return;
    }
    free(viewer->text);
    viewer->text = text;
    size_t top = viewer->top;
    char *line =
        xstrdup(top < viewer->line_count ? viewer->lines[top].text : "");
    int rows = viewer->rows;
    wrap_lines(viewer);
    restore_top(viewer, line, top);
    free(line);
    place_window(deck);
    /* a smaller box shows what was below it */
    if (viewer->rows < rows)
        frame_expose_all(deck);
}

void
viewer_click(struct deck *deck, int line, int col)
{
    if (!box_take_click(deck->viewer->window, &line, &col))
        viewer_close(deck);
}

void
viewer_close(struct deck *deck)
{
    struct viewer *viewer = deck->viewer;
    if (!viewer)
        return;
    deck->viewer = NULL;
    box_close(deck, viewer->window);
    free(viewer->title);
    free(viewer->text);
    free(viewer->subject);
    drop_lines(viewer);
    free(viewer->lines);
    free(viewer);
}

int
viewer_page_rows(const struct deck *deck)
{
    return deck->viewer ? deck->viewer->rows : 1;
}

void
viewer_scroll(struct deck *deck, int rows)
{
    struct viewer *viewer = deck->viewer;
    if (!viewer)
        return;
    long top = (long)viewer->top + rows;
    long last = (long)viewer->line_count - viewer->rows;
    if (top > last)
        top = last;
    if (top < 0)
        top = 0;
    viewer->top = (size_t)top;
    tickit_window_expose(viewer->window, NULL);
    frame_request(deck);
}

/* How many bindings from the first on have keys in a row, as 1 2 3, and do the
 * same thing. */
static size_t
count_run(const struct keymap_binding *bindings, size_t count)
{
    const char *first = bindings[0].key;
    const char *summary = bindings[0].action->summary;
    size_t run = 1;
    while (run < count && strlen(first) == 1 &&
           strlen(bindings[run].key) == 1 &&
           bindings[run].key[0] == first[0] + (int)run &&
           strcmp(bindings[run].action->summary, summary) == 0)
        run++;
    return run;
}

/* The keys of a mode that do the same thing: "j, Down", or "1 … 9". */
static void
append_keys(struct buffer *text, const struct keymap_binding *bindings,
            size_t count, const char *summary)
{
    const char *comma = "";
    for (size_t i = 0; i < count;) {
        if (strcmp(bindings[i].action->summary, summary) != 0) {
            i++;
            continue;
        }
        size_t run = count_run(bindings + i, count - i);
        if (run < HELP_RUN_MIN)
            run = 1;
        buffer_printf(text, "%s%s", comma, bindings[i].key);
        if (run > 1)
            buffer_printf(text, " … %s", bindings[i + run - 1].key);
        comma = ", ";
        i += run;
    }
}

static void
append_mode(const struct deck *deck, struct buffer *text, enum keymap_mode mode)
{
    size_t count;
    const struct keymap_binding *bindings =
        keymap_bindings(deck->keymap, mode, &count);
    if (count == 0)
        return;
    if (mode == KEYMAP_PREFIX)
        buffer_printf(text, "\n# After %s\n", keymap_prefix(deck->keymap));
    else
        buffer_printf(text, "\n# %s\n", keymap_modes[mode].heading);
    for (size_t i = 0; i < count; i++) {
        const char *summary = bindings[i].action->summary;
        size_t first = 0;
        while (strcmp(bindings[first].action->summary, summary) != 0)
            first++;
        if (first < i)
            continue;
        append_keys(text, bindings, count, summary);
        buffer_printf(text, "\t%s\n", summary);
    }
}

char *
viewer_help_text(const struct deck *deck)
{
    static const enum keymap_mode order[] = {
        KEYMAP_PREFIX, KEYMAP_SIDEBAR, KEYMAP_SCROLLBACK, KEYMAP_PAST,
        KEYMAP_DEAD,   KEYMAP_RECORDS, KEYMAP_PROMPT,     KEYMAP_DIALOG,
        KEYMAP_MENU,   KEYMAP_VIEWER,  KEYMAP_CONSOLE,
    };
    static_assert(sizeof(order) / sizeof(*order) == KEYMAP_MODE_COUNT,
                  "help shows every mode");
    struct buffer text = {0};
    buffer_printf(&text,
                  "While a guest is typed to, every key is the guest's, "
                  "Escape included;\n%s leads the commands.\n",
                  keymap_prefix(deck->keymap));
    enum keymap_mode here = typing_mode(deck);
    if (here == KEYMAP_CONSOLE)
        here = KEYMAP_PREFIX;
    append_mode(deck, &text, here);
    for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
        if (order[i] != here)
            append_mode(deck, &text, order[i]);
    }
    return buffer_steal(&text);
}

char *
viewer_messages_text(struct deck *deck, const char *unused)
{
    (void)unused;
    struct buffer text = {0};
    for (size_t i = deck->message_count; i > 0; i--) {
        const struct deck_message *message = &deck->messages[i - 1];
        time_t seconds = (time_t)(message->at_ms / 1000);
        struct tm local;
        char when[32] = "";
        if (localtime_r(&seconds, &local))
            (void)strftime(when, sizeof(when), "%H:%M:%S", &local);
        buffer_printf(&text, "%s\t%s\n", when, message->text);
    }
    if (text.len == 0)
        buffer_append_text(&text, "There were none.\n");
    return buffer_steal(&text);
}
