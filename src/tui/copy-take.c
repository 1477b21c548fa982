#include "tui/copy-take.h"

#include "base/xalloc.h"
#include "tui/clipboard.h"
#include "tui/deck-internal.h"
#include "tui/save.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* What is said when the clipboard was set. */
#define CLIPBOARD_SENT "OSC 52"

/* A text that was asked for. */
struct copy_take {
    struct deck *deck;      /* borrowed */
    struct copy_take *next; /* in deck->takes */
    char *path;             /* owned; NULL: into a buffer */
    unsigned flags;         /* enum copy_take_flags */
};

static void
take_free(struct copy_take *take)
{
    struct copy_take **link = &take->deck->takes;
    while (*link && *link != take)
        link = &(*link)->next;
    if (*link)
        *link = take->next;
    free(take->path);
    free(take);
}

void
copy_take_finish(struct deck *deck)
{
    while (deck->takes)
        take_free(deck->takes);
}

/* Sends text to the operator's clipboard; returns what is to be said about it:
 * how it went, or why it did not. */
static const char *
send_clipboard(struct deck *deck, const char *text, size_t len)
{
    struct clipboard_place place = {
        .term = getenv("TERM"),
        .tmux = getenv("TMUX"),
        .sty = getenv("STY"),
        .is_linux_vt = term_abilities(deck->term).is_linux_vt,
    };
    unsigned ways = clipboard_ways(deck->options->clipboard, &place);
    if (!ways)
        return deck->options->clipboard == CLIPBOARD_OFF
                   ? "OSC 52 is off"
                   : "this terminal has no OSC 52";
    if (len > CLIPBOARD_MAX_BYTES)
        return "too long for OSC 52";
    struct buffer sequence = {0};
    clipboard_encode(ways, text, len, &sequence);
    bool ok = outgoing_add(&deck->outgoing, sequence.data, sequence.len);
    buffer_finish(&sequence);
    frame_request(deck);
    return ok ? CLIPBOARD_SENT : "no OSC 52: the terminal is slow";
}

static void
tell_copied(struct deck *deck, const struct copy_take *take, json_t *value)
{
    const json_t *text = json_object_get(value, "text");
    long long lines = json_integer_value(json_object_get(value, "lines"));
    long long number = json_integer_value(json_object_get(value, "buffer"));
    const char *clipboard =
        send_clipboard(deck, json_string_value(text), json_string_length(text));
    const char *done = take->flags & COPY_TAKE_APPEND ? "added" : "copied";
    const char *plural = lines == 1 ? "" : "s";
    if (strcmp(clipboard, CLIPBOARD_SENT) == 0)
        status_message(deck, DECK_INFO, "%s %lld line%s, " CLIPBOARD_SENT, done,
                       lines, plural);
    else
        status_message(deck, DECK_INFO, "%s %lld line%s to buffer %lld; %s",
                       done, lines, plural, number, clipboard);
}

static void
save_text(struct deck *deck, const struct copy_take *take, json_t *value)
{
    const json_t *text = json_object_get(value, "text");
    long long lines = json_integer_value(json_object_get(value, "lines"));
    struct error error = {0};
    unsigned flags = take->flags & COPY_TAKE_REPLACE ? SAVE_REPLACE : SAVE_NEW;
    if (save_text_file(take->path, json_string_value(text),
                       json_string_length(text), flags, &error))
        status_message(deck, DECK_INFO, "saved %lld line%s to %s", lines,
                       lines == 1 ? "" : "s", take->path);
    else
        status_message(deck, DECK_ERROR, "not saved: %s", error.text);
}

static void
on_text(void *user, json_t *value, const struct error *error)
{
    struct copy_take *take = user;
    struct deck *deck = take->deck;
    const json_t *text = json_object_get(value, "text");
    if (error)
        status_message(deck, DECK_ERROR, "not copied: %s", error->text);
    else if (!json_is_string(text) || json_string_length(text) == 0)
        status_message(deck, DECK_WARNING,
                       "not copied: there is no text in the selection");
    else if (take->path)
        save_text(deck, take, value);
    else
        tell_copied(deck, take, value);
    take_free(take);
}

static void
ask(struct deck *deck, const char *target,
    const struct selection_extent *extent, const char *path, unsigned flags)
{
    if (!deck->connection) {
        status_message(deck, DECK_ERROR,
                       "not copied: there is no server at present");
        return;
    }
    struct copy_take *take = xcalloc(1, sizeof(*take));
    take->deck = deck;
    take->flags = flags;
    take->path = path ? xstrdup(path) : NULL;
    take->next = deck->takes;
    deck->takes = take;
    json_t *arguments =
        json_pack("{s:s,s:I,s:I,s:i,s:b}", "guest", target, "first",
                  (json_int_t)extent->first, "last", (json_int_t)extent->last,
                  "first-col", extent->first_col, "block", extent->is_block);
    if (extent->is_lines)
        json_object_set_new(arguments, "whole-lines", json_true());
    if (extent->last_col != INT_MAX)
        json_object_set_new(arguments, "last-col",
                            json_integer(extent->last_col));
    if (!path)
        json_object_set_new(
            arguments, "buffer",
            json_string(flags & COPY_TAKE_APPEND ? "append" : "new"));
    connection_execute(deck->connection, "console-text", arguments, on_text,
                       take);
}

void
copy_take(struct deck *deck, const char *target,
          const struct selection_extent *extent, unsigned flags)
{
    ask(deck, target, extent, NULL, flags);
}

void
copy_take_to_file(struct deck *deck, const char *target,
                  const struct selection_extent *extent, const char *path,
                  unsigned flags)
{
    ask(deck, target, extent, path, flags);
}
