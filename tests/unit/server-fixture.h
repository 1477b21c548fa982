#pragma once

#include "server-world.h"

/* A server and one client of it. */
struct fixture {
    struct world world;
    struct client client;
};

static inline int
fixture_set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    world_init(&f->world);
    client_open(&f->client, &f->world);
    *state = f;
    return 0;
}

static inline int
fixture_tear_down(void **state)
{
    struct fixture *f = *state;
    client_close(&f->client);
    world_finish(&f->world);
    free(f);
    return 0;
}

/* A row of a test with a server of its own. */
#define SERVED(name)                                                           \
    cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

/* A member that is text; "" when it is none. Borrowed. */
static inline const char *
text_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text ? text : "";
}
