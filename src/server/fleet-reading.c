#include "server/fleet-reading.h"

#include "base/xalloc.h"
#include "fleet/variables.h"
#include "qemu/preflight.h"
#include "server/server-internal.h"

#include <stdlib.h>
#include <string.h>

struct fleet_reading {
    struct fleet_reading *next; /* of those that wait */
    struct server *server;      /* borrowed */
    json_t *arguments;          /* owned: a copy that nobody else touches */
    fleet_reading_fn on_done;
    void *data;
    struct fleet *fleet; /* the thread's results */
    struct error error;
    uv_work_t work;
};

/* The thread --------------------------------------------------------------- */

static bool
check_names(const struct fleet *fleet, const json_t *names, struct error *error)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (!fleet_find(fleet, name))
            return error_set(error, ERROR_CODE_NOT_FOUND,
                             "%s has no guest '%.64s'", fleet->file, name);
    }
    return true;
}

static void
read_fleet(uv_work_t *work)
{
    struct fleet_reading *reading = work->data;
    const json_t *arguments = reading->arguments;
    const char *text = json_string_value(json_object_get(arguments, "text"));
    /* This process's environment is nobody's: the client sends its own. */
    json_t *none = json_object();
    const json_t *sent = json_object_get(arguments, "variables");
    struct variables variables = {json_is_object(sent) ? sent : none, NULL};
    struct fleet_source source = {
        .file = json_string_value(json_object_get(arguments, "file")),
        .text = text,
        .len = text ? strlen(text) : 0,
        .variables = &variables,
    };
    struct fleet *fleet = fleet_load(&source, &reading->error);
    json_decref(none);
    bool ok = fleet &&
              check_names(fleet, json_object_get(arguments, "guests"),
                          &reading->error) &&
              preflight_check_commands(fleet, &reading->error);
    if (ok)
        reading->fleet = fleet;
    else
        fleet_free(fleet);
}

/* The loop ----------------------------------------------------------------- */

static void start_next(struct server *server);

static void
on_read(uv_work_t *work, int status)
{
    struct fleet_reading *reading = work->data;
    struct server *server = reading->server;
    (void)status;
    server->fleet_reading_count--;
    start_next(server);
    reading->on_done(reading->data, reading->fleet, &reading->error);
    json_decref(reading->arguments);
    free(reading);
}

static void
start_next(struct server *server)
{
    struct fleet_reading *reading = server->fleet_readings;
    if (!reading || server->fleet_reading_count >= FLEET_READING_MAX)
        return;
    server->fleet_readings = reading->next;
    server->fleet_reading_count++;
    reading->work.data = reading;
    (void)uv_queue_work(&server->loop, &reading->work, read_fleet, on_read);
}

void
fleet_reading_begin(struct server *server, const json_t *arguments,
                    fleet_reading_fn on_done, void *data)
{
    struct fleet_reading *reading = xcalloc(1, sizeof(*reading));
    reading->server = server;
    reading->arguments = json_deep_copy(arguments);
    reading->on_done = on_done;
    reading->data = data;
    struct fleet_reading **last = &server->fleet_readings;
    while (*last)
        last = &(*last)->next;
    *last = reading;
    start_next(server);
}
