#include "tui/copy-save.h"

#include "base/xalloc.h"
#include "tui/copy-take.h"
#include "tui/deck-internal.h"
#include "tui/menu.h"
#include "tui/prompt.h"
#include "tui/save.h"

#include <stdlib.h>

/* What is to be saved, while it is asked where to. */
struct copy_save {
    char *target; /* owned */
    char *path;   /* owned; NULL before it was told */
    struct selection_extent extent;
};

void
copy_save_finish(struct deck *deck)
{
    struct copy_save *save = deck->save;
    deck->save = NULL;
    if (!save)
        return;
    free(save->target);
    free(save->path);
    free(save);
}

static void
write_file(struct deck *deck, unsigned flags)
{
    struct copy_save *save = deck->save;
    copy_take_to_file(deck, save->target, &save->extent, save->path, flags);
    copy_save_finish(deck);
}

static void ask_path(struct deck *deck, const char *text);

enum answer {
    ANSWER_REPLACE,
    ANSWER_OTHER,
};

static void
on_answer(struct deck *deck, size_t index, void *data)
{
    (void)data;
    if (!deck->save)
        return;
    if (index == ANSWER_REPLACE)
        write_file(deck, COPY_TAKE_REPLACE);
    else
        ask_path(deck, deck->save->path);
}

static void
ask_replace(struct deck *deck)
{
    static const struct menu_entry entries[] = {
        [ANSWER_REPLACE] = {.key = "y", .text = "replace it"},
        [ANSWER_OTHER] = {.key = "n", .text = "choose another name"},
    };
    char *text = xasprintf("%s exists already.\n", deck->save->path);
    struct menu_request request = {
        .title = "save",
        .text = text,
        .entries = entries,
        .count = sizeof(entries) / sizeof(entries[0]),
        .on_choose = on_answer,
    };
    menu_open(deck, &request);
    /* not at once with Enter what takes something away */
    menu_move(deck, ANSWER_OTHER);
    free(text);
}

static void
on_path(struct deck *deck, const char *text, void *data)
{
    (void)data;
    if (!deck->save)
        return;
    if (!text[0]) {
        copy_save_finish(deck);
        return;
    }
    free(deck->save->path);
    deck->save->path = xstrdup(text);
    if (save_exists(text))
        ask_replace(deck);
    else
        write_file(deck, COPY_TAKE_NEW);
}

static void
ask_path(struct deck *deck, const char *text)
{
    struct prompt_request request = {
        .label = "save to",
        .history = "save",
        .text = text,
        .on_accept = on_path,
    };
    prompt_open(deck, &request);
}

void
copy_save_ask(struct deck *deck, const char *target,
              const struct selection_extent *extent)
{
    copy_save_finish(deck);
    deck->save = xcalloc(1, sizeof(*deck->save));
    deck->save->target = xstrdup(target);
    deck->save->extent = *extent;
    ask_path(deck, NULL);
}
