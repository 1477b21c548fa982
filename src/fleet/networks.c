#include "fleet/networks.h"

#include "base/nearest.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "fleet/spec-internal.h"

#include <stdlib.h>

#define MAX_NETWORKS 256

static void
check_network(const char *name, const json_t *value, const struct place *place,
              struct mistakes *mistakes)
{
    if (!text_is_name(name)) {
        char *shown = spec_show(name);
        mistakes_add(mistakes, place, POSITIONS_PART_KEY,
                     "\"%s\" is not a network's name (letters, digits, '.', "
                     "'_' and '-', a letter or digit first, at most 48)",
                     shown);
        free(shown);
    }
    if (!json_is_object(value)) {
        spec_wrong_type(mistakes, place, value, "an object; {} is one");
        return;
    }
    const char *member = NULL;
    json_t *ignored = NULL;
    json_object_foreach((json_t *)value, member, ignored)
    {
        struct place at = {place, member, 0};
        spec_unknown_field(mistakes, &at, NULL, 0);
    }
}

/* A guest's card on a network that is not there. */
static void
check_card(const json_t *networks, const struct place *place, const char *name,
           struct mistakes *mistakes)
{
    size_t count = 0;
    const char **names =
        xcalloc(json_object_size(networks) + 1, sizeof(*names));
    const char *known = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)networks, known, value)
    {
        names[count++] = known;
    }
    const char *near = nearest_name(name, names, count);
    if (near)
        mistakes_add(mistakes, place, POSITIONS_PART_VALUE,
                     "there is no network \"%s\" (did you mean \"%s\"?)", name,
                     near);
    else
        mistakes_add(mistakes, place, POSITIONS_PART_VALUE,
                     "there is no network \"%s\" (write \"networks\": "
                     "{\"%s\": {}} beside \"guests\")",
                     name, name);
    free(names);
}

void
networks_check_cards(const json_t *networks, const json_t *cards,
                     const struct place *guest, struct mistakes *mistakes)
{
    struct place nics = {guest, "nics", 0};
    for (size_t i = 0; i < json_array_size(cards); i++) {
        const char *name = json_string_value(
            json_object_get(json_array_get(cards, i), "network"));
        struct place nic = {&nics, NULL, i};
        struct place place = {&nic, "network", 0};
        if (name && text_is_name(name) && !json_object_get(networks, name))
            check_card(networks, &place, name, mistakes);
    }
}

void
networks_check(const json_t *networks, struct mistakes *mistakes)
{
    struct place place = {NULL, "networks", 0};
    const char *name = NULL;
    json_t *value = NULL;
    if (networks && !json_is_object(networks)) {
        spec_wrong_type(mistakes, &place, networks,
                        "an object of networks by their names");
        return;
    }
    if (json_object_size(networks) > MAX_NETWORKS)
        mistakes_add(mistakes, &place, POSITIONS_PART_VALUE,
                     "there are %zu networks, at most %d are allowed",
                     json_object_size(networks), MAX_NETWORKS);
    json_object_foreach((json_t *)networks, name, value)
    {
        struct place at = {&place, name, 0};
        check_network(name, value, &at, mistakes);
    }
}
