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

struct dialog {
    TickitWindow *window; /* owned */
    char *title;          /* owned, as are all below */
    char *question;
    char *accept;
    char *method;
    char *guest;
    char *flag;        /* or NULL */
    json_t *arguments; /* owned: more of them, or NULL */
    int rows;
    int cols;
    bool is_accept_chosen; /* Cancel otherwise */
};

static void
draw_buttons(struct deck *deck, TickitRenderBuffer *rb)
{
    const struct dialog *dialog = deck->dialog;
    TickitPen *plain = theme_pen(deck->theme, THEME_BUTTON);
    TickitPen *chosen = theme_pen(deck->theme, THEME_BUTTON_SELECTED);
    int row = dialog->rows - 2;
    int accept_cols =
        (int)utf8_text_cols(dialog->accept, strlen(dialog->accept)) + 4;
    int cancel_cols = (int)strlen(DIALOG_CANCEL_TEXT) + 4;
    int col = (dialog->cols - cancel_cols - accept_cols - 3) / 2;
    /* brackets show the choice where colours do not */
    draw_format(
        rb, row, col, cancel_cols, dialog->is_accept_chosen ? plain : chosen,
        dialog->is_accept_chosen ? "  %s  " : "[ %s ]", DIALOG_CANCEL_TEXT);
    draw_format(rb, row, col + cancel_cols + 3, accept_cols,
                dialog->is_accept_chosen ? chosen : plain,
                dialog->is_accept_chosen ? "[ %s ]" : "  %s  ", dialog->accept);
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
    const char *line = dialog->question;
    for (int row = 2; row < dialog->rows - 3 && *line; row++) {
        size_t len = strcspn(line, "\n");
        char *text = xstrndup(line, len);
        draw_text(expose->rb, row, 3, dialog->cols - 6,
                  theme_pen(deck->theme, THEME_OVERLAY), text);
        free(text);
        line += len + (line[len] == '\n');
    }
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
    int lines = 1;
    for (const char *at = dialog->question; *at; at++)
        lines += *at == '\n';
    dialog->rows = lines + 5;
    dialog->cols = cols - 4 < DIALOG_COLS_MAX ? cols - 4 : DIALOG_COLS_MAX;
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
    dialog->flag = xstrdup(request->flag);
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
    free(dialog->flag);
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
    if (dialog->flag)
        json_object_set_new(arguments, dialog->flag, json_true());
    if (dialog->arguments)
        json_object_update(arguments, dialog->arguments);
    link_command(deck, dialog->method, arguments);
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
