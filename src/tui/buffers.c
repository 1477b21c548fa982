#include "tui/buffers.h"

#include "base/text.h"
#include "base/xalloc.h"
#include "tui/copy-mode.h"
#include "tui/deck-internal.h"
#include "tui/menu.h"
#include "tui/pane.h"

#include <stdlib.h>
#include <string.h>

/* Buffers that the list has; the first ten have a digit as their key. */
#define LIST_MAX 50
#define KEYS "0123456789"

/* What a list was opened for. */
struct choice {
    struct pane *pane; /* borrowed; in the graveyard perhaps */
    int64_t numbers[LIST_MAX];
};

/* Columns of a text that the list has, so that there is room for what is said
 * about it. */
#define TEXT_COLS 40

static void
paste_text(struct pane *pane, json_t *value, const struct error *error)
{
    struct deck *deck = pane->deck;
    const json_t *text = json_object_get(value, "text");
    if (error || !json_is_string(text)) {
        status_message(deck, DECK_WARNING, "not pasted: %s",
                       error ? error->text : "the buffer has no text");
        return;
    }
    if (deck->focus != pane) {
        status_message(deck, DECK_WARNING, "not pasted: the focus moved");
        return;
    }
    copy_mode_leave(pane);
    typing_paste(deck, json_string_value(text), json_string_length(text));
}

static void
on_text(void *user, json_t *value, const struct error *error)
{
    struct pane *pane = user;
    paste_text(pane, value, error);
    ahead_release(pane->deck);
}

/* number: 0 is the newest. */
static void
paste_number(struct pane *pane, int64_t number)
{
    struct deck *deck = pane->deck;
    if (!deck->connection)
        return;
    json_t *arguments = json_object();
    if (number)
        json_object_set_new(arguments, "number", json_integer(number));
    connection_execute(deck->connection, "buffer-get", arguments, on_text,
                       pane);
    ahead_hold(deck);
}

/* The console that is pasted into, or NULL with a word why not. */
static struct pane *
find_target(struct deck *deck)
{
    struct pane *pane = deck->focus;
    if (!deck->connection || !pane)
        return NULL;
    if (deck->options->is_read_only || pane->has_ended) {
        status_message(deck, DECK_WARNING, "not pasted: %s %s",
                       pane->has_ended ? pane->target : "this deck",
                       pane->has_ended ? "does not run" : "is read-only");
        return NULL;
    }
    if (deck->is_sidebar_focused)
        arrange_focus(deck, pane);
    return pane;
}

void
buffers_paste(struct deck *deck)
{
    struct pane *pane = find_target(deck);
    if (pane)
        paste_number(pane, 0);
}

static void
on_choose(struct deck *deck, size_t index, void *data)
{
    const struct choice *choice = data;
    if (deck->focus == choice->pane)
        paste_number(choice->pane, choice->numbers[index]);
}

static void
open_list(struct pane *pane, const json_t *list)
{
    struct choice *choice = xcalloc(1, sizeof(*choice));
    struct menu_entry entries[LIST_MAX] = {0};
    char keys[sizeof(KEYS) - 1][2];
    char *notes[LIST_MAX];
    char *texts[LIST_MAX];
    size_t count = json_array_size(list);
    if (count > LIST_MAX)
        count = LIST_MAX;
    choice->pane = pane;
    for (size_t i = 0; i < count; i++) {
        const json_t *buffer = json_array_get(list, i);
        long long lines = json_integer_value(json_object_get(buffer, "lines"));
        const char *from = json_string_value(json_object_get(buffer, "from"));
        const char *preview =
            json_string_value(json_object_get(buffer, "preview"));
        choice->numbers[i] =
            json_integer_value(json_object_get(buffer, "number"));
        notes[i] = xasprintf("%lld line%s%s%s", lines, lines == 1 ? "" : "s",
                             from ? ", " : "", from ? from : "");
        texts[i] = preview && preview[0]
                       ? text_printable(preview, strlen(preview), TEXT_COLS,
                                        TEXT_ONE_LINE)
                       : xstrdup("(blank)");
        entries[i].text = texts[i];
        entries[i].note = notes[i];
        if (i < sizeof(keys) / sizeof(keys[0])) {
            keys[i][0] = KEYS[i];
            keys[i][1] = '\0';
            entries[i].key = keys[i];
        }
    }
    struct menu_request request = {
        .title = "paste",
        .entries = entries,
        .count = count,
        .on_choose = on_choose,
        .on_end = free,
        .data = choice,
    };
    menu_open(pane->deck, &request);
    for (size_t i = 0; i < count; i++) {
        free(notes[i]);
        free(texts[i]);
    }
}

static void
on_list(void *user, json_t *value, const struct error *error)
{
    struct pane *pane = user;
    const json_t *list = json_object_get(value, "buffers");
    if (error)
        status_message(pane->deck, DECK_ERROR, "%s", error->text);
    else if (json_array_size(list) == 0)
        status_message(pane->deck, DECK_INFO, "nothing was copied yet");
    else if (pane->deck->focus == pane)
        open_list(pane, list);
    ahead_release(pane->deck);
}

void
buffers_choose(struct deck *deck)
{
    struct pane *pane = find_target(deck);
    if (!pane)
        return;
    connection_execute(deck->connection, "buffer-list", NULL, on_list, pane);
    ahead_hold(deck);
}
