#include "tui/broadcast.h"

#include "base/xalloc.h"
#include "tui/deck-internal.h"
#include "tui/pane.h"
#include "tui/state.h"

#include <stdlib.h>
#include <string.h>

static size_t
find_mark(const struct deck *deck, const char *guest)
{
    size_t i = 0;
    while (i < deck->mark_count && strcmp(deck->marks[i], guest) != 0)
        i++;
    return i;
}

bool
broadcast_is_marked(const struct deck *deck, const char *guest)
{
    return find_mark(deck, guest) < deck->mark_count;
}

static void
add_mark(struct deck *deck, const char *guest)
{
    deck->marks =
        xreallocarray(deck->marks, deck->mark_count + 1, sizeof(char *));
    deck->marks[deck->mark_count++] = xstrdup(guest);
}

static void
drop_mark(struct deck *deck, size_t index)
{
    free(deck->marks[index]);
    deck->mark_count--;
    memmove(deck->marks + index, deck->marks + index + 1,
            (deck->mark_count - index) * sizeof(char *));
}

static bool
runs(const struct mirror_guest *guest)
{
    return guest && !state_info(guest->state)->has_ended;
}

/* Marks show in the list, in titles and in the status line. */
static void
show(struct deck *deck)
{
    for (size_t i = 0; i < deck->pane_count; i++)
        pane_title_changed(deck->panes[i]);
    sidebar_changed(deck);
    status_changed(deck);
}

void
broadcast_mark(struct deck *deck, const char *guest)
{
    size_t index = find_mark(deck, guest);
    if (index < deck->mark_count)
        drop_mark(deck, index);
    else
        add_mark(deck, guest);
    broadcast_check(deck);
    show(deck);
}

void
broadcast_mark_all(struct deck *deck)
{
    bool had_marks = deck->mark_count > 0;
    while (deck->mark_count > 0)
        drop_mark(deck, deck->mark_count - 1);
    for (size_t i = 0; !had_marks && i < deck->fleet.count; i++)
        add_mark(deck, deck->fleet.guests[i].name);
    broadcast_check(deck);
    show(deck);
}

static size_t
count_running(const struct deck *deck)
{
    size_t count = 0;
    for (size_t i = 0; i < deck->fleet.count; i++)
        count += runs(&deck->fleet.guests[i]) &&
                 broadcast_is_marked(deck, deck->fleet.guests[i].name);
    return count;
}

void
broadcast_end(struct deck *deck)
{
    if (!deck->is_broadcasting)
        return;
    deck->is_broadcasting = false;
    show(deck);
}

void
broadcast_toggle(struct deck *deck)
{
    size_t count = count_running(deck);
    if (deck->is_broadcasting) {
        broadcast_end(deck);
        status_message(deck, DECK_INFO, "typing goes to one console again");
        return;
    }
    if (deck->options->is_read_only) {
        status_message(deck, DECK_WARNING,
                       "read-only: typing is off in this deck");
        return;
    }
    if (count == 0) {
        const char *key = keymap_key_of(deck->keymap, KEYMAP_SIDEBAR, "mark");
        status_message(deck, DECK_WARNING,
                       "no running guest is marked: %s in the list marks one",
                       key ? key : "an action");
        return;
    }
    deck->is_broadcasting = true;
    show(deck);
}

bool
broadcast_reaches(const struct deck *deck, const char *guest)
{
    return deck->is_broadcasting && broadcast_is_marked(deck, guest);
}

size_t
broadcast_marked(const struct deck *deck, const char ***ret_names)
{
    const char **names = xcalloc(deck->fleet.count + 1, sizeof(*names));
    size_t count = 0;
    for (size_t i = 0; i < deck->fleet.count; i++) {
        const struct mirror_guest *guest = &deck->fleet.guests[i];
        if (runs(guest) && broadcast_is_marked(deck, guest->name))
            names[count++] = guest->name;
    }
    *ret_names = names;
    return count;
}

size_t
broadcast_targets(const struct deck *deck, const char ***ret_names)
{
    if (deck->is_broadcasting)
        return broadcast_marked(deck, ret_names);
    *ret_names = xcalloc(1, sizeof(**ret_names));
    (*ret_names)[0] = deck->focus ? deck->focus->target : NULL;
    return deck->focus ? 1 : 0;
}

void
broadcast_check(struct deck *deck)
{
    for (size_t i = deck->mark_count; i > 0; i--) {
        struct mirror_guest *guest =
            mirror_fleet_find(&deck->fleet, deck->marks[i - 1]);
        if (runs(guest) || (guest && !deck->is_broadcasting))
            continue;
        if (deck->is_broadcasting)
            status_message(deck, DECK_WARNING,
                           "%s does not run any more: left out of what is "
                           "typed to the marked",
                           deck->marks[i - 1]);
        drop_mark(deck, i - 1);
        show(deck);
    }
    if (deck->is_broadcasting && count_running(deck) == 0) {
        broadcast_end(deck);
        status_message(deck, DECK_WARNING,
                       "no marked guest is left: typing goes to one console "
                       "again");
    }
}

void
broadcast_finish(struct deck *deck)
{
    while (deck->mark_count > 0)
        drop_mark(deck, deck->mark_count - 1);
    free(deck->marks);
    deck->marks = NULL;
}
