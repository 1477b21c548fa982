#include "tui/cable.h"

#include "base/xalloc.h"
#include "tui/deck-internal.h"
#include "tui/menu.h"
#include "tui/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More cards than a guest has. */
#define CARDS_MAX 64

/* One opening of the menu. */
struct cable {
    char *guest; /* owned: its name */
};

static void
on_end(void *data)
{
    struct cable *cable = data;
    free(cable->guest);
    free(cable);
}

static const json_t *
cards_of(struct deck *deck, const char *guest)
{
    const struct mirror_guest *found = mirror_fleet_find(&deck->fleet, guest);
    return found ? json_object_get(found->object, "nics") : NULL;
}

static bool
is_down(const json_t *card)
{
    const char *link = json_string_value(json_object_get(card, "link"));
    return link && !strcmp(link, "down");
}

static void
toggle(struct deck *deck, const char *guest, size_t index)
{
    bool is_up = is_down(json_array_get(cards_of(deck, guest), index));
    status_message(deck, DECK_INFO, "%s network card %zu of %s",
                   is_up ? "putting in the cable of" : "pulling the cable of",
                   index, guest);
    link_command(deck, "guest-link",
                 json_pack("{s:s,s:I,s:b}", "guest", guest, "nic",
                           (json_int_t)index, "up", is_up));
}

static void
on_choose(struct deck *deck, size_t index, void *data)
{
    const struct cable *cable = data;
    toggle(deck, cable->guest, index);
}

/* "lan0, 52:54:00:12:34:56" */
static char *
card_text(const json_t *card)
{
    const char *network = json_string_value(json_object_get(card, "network"));
    const char *type = json_string_value(json_object_get(card, "type"));
    const char *mac = json_string_value(json_object_get(card, "mac"));
    return xasprintf("%s%s%s",
                     network ? network
                     : type  ? type
                             : "?",
                     mac ? ", " : "", mac ? mac : "");
}

static void
show(struct deck *deck, const char *guest, const json_t *cards)
{
    struct menu_entry entries[CARDS_MAX];
    char *texts[CARDS_MAX];
    char keys[CARDS_MAX][4];
    size_t count = json_array_size(cards);
    if (count > CARDS_MAX)
        count = CARDS_MAX;
    for (size_t i = 0; i < count; i++) {
        const json_t *card = json_array_get(cards, i);
        texts[i] = card_text(card);
        (void)snprintf(keys[i], sizeof(keys[i]), "%u", (unsigned)i % 10);
        entries[i] = (struct menu_entry){
            .key = i < 10 ? keys[i] : NULL,
            .text = texts[i],
            .note = is_down(card) ? "is out: put it in" : "pull it",
        };
    }
    struct cable *cable = xcalloc(1, sizeof(*cable));
    cable->guest = xstrdup(guest);
    char *title = xasprintf("cables of %s", guest);
    struct menu_request request = {
        .title = title,
        .entries = entries,
        .count = count,
        .on_choose = on_choose,
        .on_end = on_end,
        .data = cable,
    };
    menu_open(deck, &request);
    free(title);
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
}

void
cable_open(struct deck *deck)
{
    const struct mirror_guest *guest = arrange_target(deck);
    if (!guest)
        return;
    const json_t *cards = json_object_get(guest->object, "nics");
    if (!link_may_change(deck))
        return;
    if (state_info(guest->state)->has_ended)
        status_message(deck, DECK_WARNING, "%s does not run", guest->name);
    else if (!json_array_size(cards))
        status_message(deck, DECK_WARNING, "%s has no network card",
                       guest->name);
    else if (json_array_size(cards) == 1)
        toggle(deck, guest->name, 0);
    else
        show(deck, guest->name, cards);
}
