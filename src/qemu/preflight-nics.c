/* Network cards that cannot be on one network, or on one device. */
#include "base/xalloc.h"
#include "qemu/preflight-internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A card of a guest. */
struct card {
    const struct spec *spec;
    const struct spec_nic *nic;
    int index;
};

/* The option of a card's -netdev, or NULL. */
static const char *
option_of(const struct spec_nic *nic, const char *name)
{
    for (size_t i = 0; i + 1 < nic->option_count; i += 2) {
        if (!strcmp(nic->options[i], name))
            return nic->options[i + 1];
    }
    return NULL;
}

/* Whether frames go from one card to the other: on a network of the fleet's, or
 * both out to the host's. */
static bool
are_joined(const struct spec_nic *a, const struct spec_nic *b)
{
    if (a->network || b->network)
        return a->network && b->network && !strcmp(a->network, b->network);
    return a->type && b->type && spec_nic_is_beside_host(a) &&
           spec_nic_is_beside_host(b);
}

static bool
is_tap(const struct spec_nic *nic)
{
    return nic->type && !strcmp(nic->type, "tap");
}

/* What a card shares with an earlier one. */
static void
compare(struct preflight *preflight, const struct card *card,
        const struct card *other)
{
    struct preflight_check check = {preflight, card->spec};
    const struct spec_nic *a = other->nic;
    const struct spec_nic *b = card->nic;
    const char *device = is_tap(b) ? option_of(b, "ifname") : NULL;
    const char *taken = is_tap(a) ? option_of(a, "ifname") : NULL;
    if (a->mac && b->mac && !strcasecmp(a->mac, b->mac) && are_joined(a, b))
        preflight_add(&check, PREFLIGHT_SEVERITY_WARNING, "nics", card->index,
                      "%s is the MAC address of a card of %s on the same "
                      "network, too: leave \"mac\" out, and each gets its own",
                      b->mac, other->spec->name);
    if (device && taken && !strcmp(device, taken))
        preflight_add(&check, PREFLIGHT_SEVERITY_ERROR, "nics", card->index,
                      "the tap device %s is wanted by %s already", device,
                      other->spec->name);
}

void
preflight_check_nics(struct preflight *preflight, const struct fleet *fleet)
{
    struct card *cards = NULL;
    size_t count = 0;
    for (size_t i = 0; i < fleet->guest_count; i++) {
        const struct spec *spec = fleet->guests[i];
        for (size_t k = 0; k < spec->nic_count; k++) {
            struct card card = {spec, &spec->nics[k], (int)k};
            if (!card.nic->mac && !is_tap(card.nic))
                continue;
            for (size_t m = 0; m < count; m++)
                compare(preflight, &card, &cards[m]);
            cards = xreallocarray(cards, count + 1, sizeof(*cards));
            cards[count++] = card;
        }
    }
    free(cards);
}
