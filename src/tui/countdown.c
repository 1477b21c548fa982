#include "tui/countdown.h"

#include "base/clock.h"
#include "tui/deck-internal.h"
#include "tui/life.h"

#include <stdio.h>
#include <string.h>

void
countdown_begin(struct deck *deck, const char *guest)
{
    (void)snprintf(deck->countdown_guest, sizeof(deck->countdown_guest), "%s",
                   guest);
}

/* The guest whose end is counted down, or NULL. What is past forcing, or is
 * never forced, is none. */
static const struct mirror_guest *
counted(struct deck *deck)
{
    const struct mirror_guest *guest =
        deck->countdown_guest[0]
            ? mirror_fleet_find(&deck->fleet, deck->countdown_guest)
            : NULL;
    return guest && life_is_forced(guest) ? guest : NULL;
}

bool
countdown_text(struct deck *deck, char *text, size_t size)
{
    const struct mirror_guest *guest = counted(deck);
    char left[32];
    if (!guest)
        return false;
    clock_format_duration(life_shutdown_s(guest, clock_wall_ms()), left,
                          sizeof(left));
    (void)snprintf(text, size, "%s is forced off in %s: any key stops that",
                   guest->name, left);
    return true;
}

bool
countdown_take_key(struct deck *deck)
{
    const struct mirror_guest *guest = counted(deck);
    if (!guest)
        return false;
    /* what came of it is told by the server */
    link_command(deck, "guest-shutdown-stop",
                 json_pack("{s:s}", "guest", guest->name));
    deck->countdown_guest[0] = '\0';
    status_changed(deck);
    return true;
}
