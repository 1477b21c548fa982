#include "tui/dialog.h"

#include "base/utf8.h"
#include "base/xalloc.h"
#include "tui/box.h"
#include "tui/deck-internal.h"
#include "tui/draw.h"

#include <stdlib.h>
#include <string.h>

#define DIALOG_CANCEL_TEXT "Cancel"

/* Wide enough for a sentence, narrow enough for the smallest screen. */
#define DIALOG_COLS_MAX 64

/* What stands around a button's text: "[ " and " ]". */
#define BRACKETS_COLS 4

struct dialog {
    TickitWindow *window; /* owned */
    char *title;          /* owned, as are all below */
    char *question;
    char *accept;
    char *method;
    char *guest;
    char *doing;       /* or NULL */
    json_t *arguments; /* owned: more of them, or NULL */
    int rows;
    int cols;
    bool is_accept_chosen; /* Cancel otherwise */
    bool has_blanks;       /* above and below the question */
};

/* Where the buttons are in the window. */
struct buttons {
    int row;
    int cancel_col;
    int cancel_cols;
    int accept_col;
    int accept_cols;
};

static struct buttons
place_buttons(const struct dialog *dialog)
{
    struct buttons at = {
        .row = dialog->rows - 2,
        .cancel_cols = (int)strlen(DIALOG_CANCEL_TEXT) + BRACKETS_COLS,
        .accept_cols =
            (int)utf8_text_cols(dialog->accept, strlen(dialog->accept)) +
            BRACKETS_COLS,
    };
    at.cancel_col = (dialog->cols - at.cancel_cols - at.accept_cols - 3) / 2;
    at.accept_col = at.cancel_col + at.cancel_cols + 3;
    return at;
}

static void
draw_buttons(struct deck *deck, TickitRenderBuffer *rb)
{
    const struct dialog *dialog = deck->dialog;
    struct buttons at = place_buttons(dialog);
    TickitPen *plain = theme_pen(deck->theme, THEME_BUTTON);
    TickitPen *chosen = theme_pen(deck->theme, THEME_BUTTON_SELECTED);
    /* brackets show the choice where colours do not */
    draw_format(rb, at.row, at.cancel_col, at.cancel_cols,
                dialog->is_accept_chosen ? plain : chosen,
                dialog->is_accept_chosen ? "  %s  " : "[ %s ]",
                DIALOG_CANCEL_TEXT);
    draw_format(rb, at.row, at.accept_col, at.accept_cols,
                dialog->is_accept_chosen ? chosen : plain,
                dialog->is_accept_chosen ? "[ %s ]" : "  %s  ", dialog->accept);
}

/* The question's lines, wrapped; drawn from a row on unless rb is NULL. Returns
 * how many there are. */
static int
wrap_question(struct deck *deck, TickitRenderBuffer *rb, int row)
{
    const struct dialog *dialog = deck->dialog;
    int cols = dialog->cols - 6;
    int lines = 0;
    for (const char *at = dialog->question; *at; lines++) {
        size_t whole = strcspn(at, "\n");
        char *line = xstrndup(at, whole);
        size_t len = draw_wrap_point(line, cols);
        line[len] = '\0';
        if (rb && row + lines < dialog->rows - 2)
            draw_text(rb, row + lines, 3, cols,
                      theme_pen(deck->theme, THEME_OVERLAY), line);
        free(line);
        at += len + (at[len] == '\n');
    }
    return lines;
}

static int
on_expose(TickitWindow *window, TickitEventFlags flags, void *info, void *user)
{
    (void)window;
    (void)flags;
    TickitExposeEventInfo *expose = info;
    struct deck *deck = user;
    const struct dialog *dialog = deck->dialog;
    box_draw(deck, expose->rb, dialog->rows, dialog->cols, dialog->title, "");
    wrap_question(deck, expose->rb, dialog->has_blanks ? 2 : 1);
    draw_buttons(deck, expose->rb);
    return 1;
}

void
dialog_place(struct deck *deck)
{
    struct dialog *dialog = deck->dialog;
    if (!dialog)
        return;
    int rows = 0;
    int cols = 0;
    tickit_term_get_size(term_tickit(deck->term), &rows, &cols);
    int room = rows - 1; /* the last row says what the keys do */
    dialog->cols = cols - 4 < DIALOG_COLS_MAX ? cols - 4 : DIALOG_COLS_MAX;
    /* the frame and the buttons; a blank row on each side of the question,
     * where there is room */
    dialog->rows = wrap_question(deck, NULL, 0) + 3;
    dialog->has_blanks = dialog->rows + 2 <= room;
    if (dialog->has_blanks)
        dialog->rows += 2;
    if (dialog->rows > room)
        dialog->rows = room > 4 ? room : 4;
    TickitRect rect = {
        .top = rows > dialog->rows ? (rows - dialog->rows) / 2 : 0,
        .left = (cols - dialog->cols) / 2,
        .lines = dialog->rows,
        .cols = dialog->cols,
    };
    tickit_window_set_geometry(dialog->window, rect);
    tickit_window_expose(dialog->window, NULL);
    frame_request(deck);
}

void
dialog_open(struct deck *deck, const struct dialog_request *request)
{
    dialog_close(deck);
    struct dialog *dialog = xcalloc(1, sizeof(*dialog));
    dialog->title = xstrdup(request->title);
    dialog->question = xstrdup(request->question);
    dialog->accept = xstrdup(request->accept);
    dialog->method = xstrdup(request->method);
    dialog->guest = xstrdup(request->guest);
    dialog->doing = xstrdup(request->doing);
    dialog->arguments = json_deep_copy(request->arguments);
    dialog->window = box_open(deck, on_expose);
    deck->dialog = dialog;
    dialog_place(deck);
    arrange_cursor(deck);
    status_changed(deck);
}

void
dialog_close(struct deck *deck)
{
    struct dialog *dialog = deck->dialog;
    if (!dialog)
        return;
    deck->dialog = NULL;
    box_close(deck, dialog->window);
    free(dialog->title);
    free(dialog->question);
    free(dialog->accept);
    free(dialog->method);
    free(dialog->guest);
    free(dialog->doing);
    json_decref(dialog->arguments);
    free(dialog);
}

void
dialog_move(struct deck *deck, int steps)
{
    if (steps % 2 != 0)
        deck->dialog->is_accept_chosen = !deck->dialog->is_accept_chosen;
    tickit_window_expose(deck->dialog->window, NULL);
    frame_request(deck);
}

void
dialog_accept(struct deck *deck)
{
    struct dialog *dialog = deck->dialog;
    json_t *arguments = json_pack("{s:s}", "guest", dialog->guest);
    if (dialog->arguments)
        json_object_update(arguments, dialog->arguments);
    if (dialog->doing)
        status_doing(deck, dialog->doing, dialog->guest);
    link_command(deck, dialog->method, arguments);
    dialog_close(deck);
}

void
dialog_click(struct deck *deck, int line, int col)
{
    if (!box_take_click(deck->dialog->window, &line, &col))
        return;
    struct buttons at = place_buttons(deck->dialog);
    if (line != at.row)
        return;
    if (col >= at.accept_col && col < at.accept_col + at.accept_cols)
        dialog_accept(deck);
    else if (col >= at.cancel_col && col < at.cancel_col + at.cancel_cols)
        dialog_close(deck);
}

void
dialog_choose(struct deck *deck)
{
    if (deck->dialog->is_accept_chosen)
        dialog_accept(deck);
    else
        dialog_close(deck);
}
