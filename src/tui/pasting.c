#include "tui/pasting.h"

#include "base/base64.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "client/expand.h"
#include "tui/broadcast.h"
#include "tui/deck-internal.h"
#include "tui/pane.h"
#include "tui/pasting-internal.h"

#include <stdlib.h>
#include <string.h>

/* A paste goes to the server in pieces: base64 and JSON make it longer, and a
 * line to the server may have 4 MiB. */
#define PIECE_BYTES (256u << 10)

/* Progress ----------------------------------------------------------------- */

static struct deck_paste *
find(const struct deck *deck, json_int_t id)
{
    for (struct deck_paste *paste = deck->pastes; paste; paste = paste->next) {
        if (paste->id == id)
            return paste;
    }
    return NULL;
}

static void
drop(struct deck *deck, const struct deck_paste *gone)
{
    struct deck_paste **link = &deck->pastes;
    while (*link && *link != gone)
        link = &(*link)->next;
    if (!*link)
        return;
    struct deck_paste *paste = *link;
    *link = paste->next;
    free(paste->guest);
    free(paste->console);
    free(paste);
}

static void
show(struct deck *deck)
{
    for (size_t i = 0; i < deck->pane_count; i++)
        pane_title_changed(deck->panes[i]);
    sidebar_changed(deck);
    status_changed(deck);
}

/* What is to be said of its end. */
static void
tell_end(struct deck *deck, const struct deck_paste *paste, const char *state,
         const json_t *data)
{
    const char *problem = json_string_value(json_object_get(data, "error"));
    json_int_t dropped = json_integer_value(json_object_get(data, "dropped"));
    if (strcmp(state, "failed") == 0)
        status_message(deck, DECK_ERROR, "%s",
                       problem ? problem : "not pasted");
    else if (strcmp(state, "cancelled") == 0)
        status_message(deck, DECK_WARNING,
                       "%s: the paste was cancelled after %lld of %lld bytes%s",
                       paste->guest, (long long)paste->bytes,
                       (long long)paste->total,
                       dropped ? "; what was typed behind it was dropped" : "");
    else if (paste->is_long)
        status_message(deck, DECK_INFO, "%s: pasted %lld bytes", paste->guest,
                       (long long)paste->bytes);
}

static struct deck_paste *
add(struct deck *deck, json_int_t id, const char *guest, const char *console)
{
    struct deck_paste *paste = xcalloc(1, sizeof(*paste));
    paste->id = id;
    paste->guest = xstrdup(guest);
    paste->console = xstrdup(console);
    paste->next = deck->pastes;
    deck->pastes = paste;
    return paste;
}

void
pasting_event(struct deck *deck, const json_t *data)
{
    json_int_t id = json_integer_value(json_object_get(data, "paste"));
    const char *guest = json_string_value(json_object_get(data, "guest"));
    const char *console = json_string_value(json_object_get(data, "console"));
    const char *state = json_string_value(json_object_get(data, "state"));
    if (!guest || !console || !state || !text_is_name(guest) ||
        !text_is_name(console))
        return;
    struct deck_paste *paste = find(deck, id);
    bool is_over =
        strcmp(state, "running") != 0 && strcmp(state, "waiting") != 0;
    if (!paste)
        paste = add(deck, id, guest, console);
    paste->is_long = paste->is_long || !is_over;
    paste->bytes = json_integer_value(json_object_get(data, "bytes"));
    paste->total = json_integer_value(json_object_get(data, "total"));
    if (is_over) {
        tell_end(deck, paste, state, data);
        drop(deck, paste);
    }
    show(deck);
}

void
pasting_load(struct deck *deck, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        pasting_event(deck, json_array_get(list, i));
}

int
pasting_percent(const struct deck *deck, const char *guest, const char *console)
{
    const struct deck_paste *oldest = NULL;
    for (const struct deck_paste *paste = deck->pastes; paste;
         paste = paste->next) {
        if (strcmp(paste->guest, guest) == 0 &&
            (!console || strcmp(paste->console, console) == 0))
            oldest = paste;
    }
    if (!oldest)
        return -1;
    if (oldest->total <= 0 || oldest->bytes >= oldest->total)
        return oldest->total <= 0 ? 0 : 100;
    return (int)((double)oldest->bytes * 100.0 / (double)oldest->total);
}

bool
pasting_is_running(const struct deck *deck)
{
    if (!deck->pastes)
        return false;
    if (!deck->is_broadcasting)
        return deck->focus && pasting_percent(deck, deck->focus->guest,
                                              deck->focus->console) >= 0;
    for (const struct deck_paste *paste = deck->pastes; paste;
         paste = paste->next) {
        if (broadcast_reaches(deck, paste->guest))
            return true;
    }
    return false;
}

bool
pasting_cancel(struct deck *deck)
{
    if (!pasting_is_running(deck) || deck->options->is_read_only)
        return false;
    const char **names;
    size_t count = broadcast_targets(deck, &names);
    for (size_t i = 0; i < count; i++)
        link_command(deck, "console-paste-cancel",
                     json_pack("{s:s}", "guest", names[i]));
    free(names);
    return true;
}

/* Sending ------------------------------------------------------------------ */

/* A text on its way to several guests; its pieces go as the server asks for
 * them. */
struct pasting_text {
    char *bytes; /* owned */
    size_t len;
    unsigned users;
};

struct deck_sender {
    struct deck *deck;         /* borrowed */
    struct deck_sender *next;  /* in the deck's list */
    struct pasting_text *text; /* shared */
    char *target;              /* owned */
    size_t index;              /* among the guests, from 1 */
    size_t at;
    json_t *options;  /* owned: for the first piece */
    json_int_t paste; /* the server's id; 0: not begun */
    bool is_expanded;
};

static void
sender_free(struct deck_sender *sender)
{
    struct deck_sender **link = &sender->deck->senders;
    while (*link != sender)
        link = &(*link)->next;
    *link = sender->next;
    if (--sender->text->users == 0) {
        free(sender->text->bytes);
        free(sender->text);
    }
    json_decref(sender->options);
    free(sender->target);
    free(sender);
}

static void on_piece(void *user, json_t *value, const struct error *error);

static void
send_piece(struct deck_sender *sender)
{
    const char *bytes = sender->text->bytes + sender->at;
    size_t left = sender->text->len - sender->at;
    size_t len = left < PIECE_BYTES ? left : PIECE_BYTES;
    bool is_last = len == left;
    struct buffer text = {0};
    struct buffer encoded = {0};
    if (sender->is_expanded) {
        len -= is_last ? 0 : expand_tail(bytes, len);
        char *name = xstrndup(sender->target, strcspn(sender->target, ":"));
        expand_text(bytes, len, name, sender->index, &text);
        free(name);
    } else {
        buffer_append(&text, bytes, len);
    }
    sender->at += len;
    base64_encode(text.data ? text.data : "", text.len, &encoded);
    json_t *arguments = sender->paste
                            ? json_pack("{s:I}", "paste", sender->paste)
                            : json_copy(sender->options);
    json_object_set_new(arguments, "data",
                        json_string(encoded.data ? encoded.data : ""));
    if (!is_last)
        json_object_set_new(arguments, "more", json_true());
    buffer_finish(&encoded);
    buffer_finish(&text);
    connection_execute(sender->deck->connection,
                       sender->paste ? "console-paste-more" : "console-paste",
                       arguments, on_piece, sender);
}

static void
on_piece(void *user, json_t *value, const struct error *error)
{
    struct deck_sender *sender = user;
    struct deck *deck = sender->deck;
    if (error && error->code != ERROR_CODE_NOT_FOUND)
        status_message(deck, DECK_ERROR, "%s", error->text);
    /* NotFound: it was cancelled, which was told */
    const char *state =
        error ? NULL : json_string_value(json_object_get(value, "state"));
    if (!state || strcmp(state, "cancelled") == 0 ||
        sender->at == sender->text->len || !deck->connection) {
        sender_free(sender);
        return;
    }
    sender->paste = json_integer_value(json_object_get(value, "paste"));
    send_piece(sender);
}

void
pasting_send(struct deck *deck, const struct pasting_job *job)
{
    struct pasting_text *text = xcalloc(1, sizeof(*text));
    text->bytes = xmalloc(job->len + 1);
    memcpy(text->bytes, job->bytes, job->len);
    text->len = job->len;
    text->users = 1;
    for (size_t i = 0; i < job->count && deck->connection; i++) {
        struct deck_sender *sender = xcalloc(1, sizeof(*sender));
        sender->deck = deck;
        sender->text = text;
        text->users++;
        sender->target = xstrdup(job->targets[i]);
        sender->index = i + 1;
        sender->is_expanded = job->is_expanded;
        sender->options =
            job->options ? json_deep_copy(job->options) : json_object();
        json_object_set_new(sender->options, "guest",
                            json_string(job->targets[i]));
        json_object_set_new(sender->options, "total-bytes",
                            json_integer((json_int_t)job->len));
        sender->next = deck->senders;
        deck->senders = sender;
        send_piece(sender);
    }
    if (--text->users == 0) {
        free(text->bytes);
        free(text);
    }
}

void
pasting_forget(struct deck *deck)
{
    while (deck->pastes)
        drop(deck, deck->pastes);
}

void
pasting_finish(struct deck *deck)
{
    pasting_forget(deck);
    pasting_offer_finish(deck);
    struct deck_sender *sender = deck->senders;
    while (sender) {
        struct deck_sender *next = sender->next;
        sender_free(sender);
        sender = next;
    }
}
