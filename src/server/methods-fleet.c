#include "base/json.h"
#include "base/xalloc.h"
#include "fleet/fleet.h"
#include "server/api.h"
#include "server/fleet-reading.h"
#include "server/launch.h"
#include "server/sequence.h"
#include "server/server-internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool
is_wanted(const json_t *names, const char *name)
{
    if (!names)
        return true;
    for (size_t i = 0; i < json_array_size(names); i++) {
        if (!strcmp(json_string_value(json_array_get(names, i)), name))
            return true;
    }
    return false;
}

/* A running guest takes at once what needs no restart, the rest when it has
 * ended. */
static const char *
apply_to_running(struct server *server, struct guest *guest,
                 const struct spec *spec, struct error *error)
{
    struct spec *live = spec_with_live_fields(guest_spec(guest), spec);
    bool is_all = spec_is_equal(live, spec);
    bool has_news = !spec_is_equal(live, guest_spec(guest));
    if (!has_news)
        spec_free(live);
    else if (!registry_take_live(server, guest, live, error))
        return NULL;
    if (!guest_plan(guest, is_all ? NULL : spec_copy(spec), error))
        return NULL;
    return is_all ? "applied" : "differs";
}

/* A guest of another fleet keeps its definition and its disks. The same files
 * may be reached from several fleet files, and a fleet may have moved. */
static bool
check_fleet(const struct guest *guest, const struct spec *spec,
            const char *fleet, struct error *error)
{
    const char *other = guest_fleet(guest);
    if (!other[0] || !strcmp(other, fleet) ||
        !strcmp(guest_spec(guest)->directory, spec->directory) ||
        access(other, F_OK) < 0)
        return true;
    return error_set(error, ERROR_CODE_DENIED,
                     "%s is a guest of another fleet, %s, whose disks it would "
                     "take: give it another name here, or start this fleet on "
                     "a server of its own (-L NAME); `guestmux rm %s` forgets "
                     "the other one",
                     spec->name, other, spec->name);
}

/* Defines or updates one guest of a fleet's file and says what was done; NULL
 * with error. A guest of another fleet is not *ret_guest. */
static const char *
apply_spec(struct server *server, const struct spec *spec, const char *fleet,
           struct guest **ret_guest, struct error *error)
{
    struct guest *guest = registry_find(server, spec->name, NULL);
    if (guest && !check_fleet(guest, spec, fleet, error))
        return NULL;
    *ret_guest = guest;
    if (!guest) {
        guest = guest_new(&server->context, spec_copy(spec), error);
        if (!guest)
            return NULL;
        registry_add(server, guest);
        *ret_guest = guest;
        return "defined";
    }
    if (spec_is_equal(guest_spec(guest), spec))
        return guest_plan(guest, NULL, error) ? "unchanged" : NULL;
    if (guest_is_active(guest))
        return apply_to_running(server, guest, spec, error);
    return registry_update(server, guest, spec_copy(spec), error) ? "updated"
                                                                  : NULL;
}

/* Guests that are to be started. */
struct starts {
    struct start_row {
        struct guest *guest; /* borrowed */
        size_t row;
    } * items; /* owned */
    size_t count;
};

static void
plan_start(struct launch *launch, struct member *member, struct starts *starts,
           size_t row)
{
    struct guest *guest = member->guest;
    if (order_text(member)) { /* it starts when it can */
        launch_wait(launch, member, row);
        return;
    }
    order_expect(member);
    starts->items =
        xreallocarray(starts->items, starts->count + 1, sizeof(*starts->items));
    starts->items[starts->count++] = (struct start_row){guest, row};
}

/* What a definition changes of the one that the guest has; [] for a new one. */
static json_t *
changes_of(struct server *server, const struct spec *spec)
{
    struct guest *guest = registry_find(server, spec->name, NULL);
    return guest ? spec_changes(guest_spec(guest), spec) : json_array();
}

/* The guests that this file defined once, and does no more. */
static json_t *
find_gone(struct server *server, const struct fleet *fleet)
{
    json_t *gone = json_array();
    for (size_t i = 0; i < server->member_count; i++) {
        const struct guest *guest = server->members[i]->guest;
        if (!strcmp(guest_fleet(guest), fleet->file) &&
            !fleet_find(fleet, guest_name(guest)))
            json_array_append_new(gone, json_string(guest_name(guest)));
    }
    return gone;
}

static void
apply(struct request *request, const struct fleet *fleet,
      const json_t *arguments)
{
    struct server *server = request_server(request);
    const json_t *names = json_object_get(arguments, "guests");
    bool start = argument_boolean(arguments, "start");
    struct launch *launch = launch_new(request);
    struct starts starts = {0};
    size_t row = 0;
    for (size_t i = 0; i < fleet->guest_count; i++) {
        const struct spec *spec = fleet->guests[i];
        if (!is_wanted(json_is_array(names) ? names : NULL, spec->name))
            continue;
        struct guest *guest = NULL;
        struct error error = {0};
        json_t *changes = changes_of(server, spec);
        const char *action =
            apply_spec(server, spec, fleet->file, &guest, &error);
        launch_add_row(launch, spec->name, action ? action : "failed");
        if (action && !strcmp(action, "differs")) { /* what applied is none */
            json_decref(changes);
            changes = spec_changes(guest_spec(guest), spec);
        }
        launch_set_changes(launch, changes);
        if (guest)
            (void)guest_set_fleet(guest, fleet->file, NULL);
        if (!action)
            launch_fail_row(launch, &error);
        else if (start && !guest_is_active(guest))
            plan_start(launch, registry_member(server, guest), &starts, row);
        row++;
    }
    sequence_follow(server, fleet);
    /* all at once, when each knows of those that it may wait for */
    for (size_t i = 0; i < starts.count; i++)
        launch_start(launch, starts.items[i].guest, 0, starts.items[i].row);
    free(starts.items);
    if (!json_is_array(names))
        launch_set_gone(launch, find_gone(server, fleet));
    launch_go(launch, argument_boolean(arguments, "wait"));
}

/* A fleet file that is being read. */
struct application {
    struct request *request; /* owned */
    json_t *arguments;       /* owned */
};

/* In the journal it stands when it was taken. */
static const struct method apply_deed = {
    .name = "fleet-apply",
    .deed = "applied a fleet file",
};

static void
on_fleet_read(void *data, struct fleet *fleet, const struct error *error)
{
    struct application *application = data;
    struct request *request = application->request;
    struct server *server = request_server(request);
    struct error why = {0};
    if (server->is_stopping)
        error_set(&why, ERROR_CODE_STATE, "the server is leaving");
    else if (!fleet)
        why = *error;
    else if (!request_peer(request)) /* who waited that long gave up */
        error_set(&why, ERROR_CODE_STATE, "who asked for it is gone");
    /* Nothing is defined while anything in the file cannot work. */
    if (!fleet || why.code ||
        !fleet_check_sockets(fleet, server->paths, &why)) {
        request_fail(request, &why);
    } else {
        lifecycle_deed(server, request_peer(request), &apply_deed,
                       application->arguments);
        apply(request, fleet, application->arguments);
    }
    fleet_free(fleet);
    json_decref(application->arguments);
    free(application);
}

static bool
run_apply(struct request *request, const json_t *arguments, struct error *error)
{
    const char *file = argument_string(arguments, "file");
    if (file[0] != '/')
        return error_set(error, ERROR_CODE_INVALID,
                         "argument 'file' is not an absolute path");
    struct application *application = xcalloc(1, sizeof(*application));
    application->request = request;
    application->arguments = json_deep_copy(arguments);
    fleet_reading_begin(request_server(request), arguments, on_fleet_read,
                        application);
    return true;
}

/* Starts those named in their order; who runs already is left alone. */
static bool
run_start(struct request *request, const json_t *arguments, struct error *error)
{
    struct server *server = request_server(request);
    const json_t *names = json_object_get(arguments, "guests");
    struct launch *launch = launch_new(request);
    struct starts starts = {0};
    (void)error;
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        struct error missing = {0};
        struct guest *guest = registry_find(server, name, &missing);
        launch_add_row(launch, name, guest ? "unchanged" : "failed");
        if (!guest)
            launch_fail_row(launch, &missing);
        else if (!guest_is_active(guest))
            plan_start(launch, registry_member(server, guest), &starts, i);
    }
    for (size_t i = 0; i < starts.count; i++)
        launch_start(launch, starts.items[i].guest, ORDER_WITHOUT_ABSENT,
                     starts.items[i].row);
    free(starts.items);
    launch_go(launch, argument_boolean(arguments, "wait"));
    return true;
}

/* A guest that was defined and is being started. */
struct definition {
    struct request *request; /* owned */
    struct server *server;   /* borrowed */
    char *name;              /* owned */
};

/* How it went stands in the guest object. */
static void
on_define_started(void *data, const struct error *error)
{
    (void)error;
    struct definition *definition = data;
    struct error missing = {0};
    struct guest *guest =
        registry_find(definition->server, definition->name, &missing);
    if (guest)
        request_return(definition->request,
                       registry_describe(definition->server, guest));
    else
        request_fail(definition->request, &missing);
    free(definition->name);
    free(definition);
}

static bool
start_defined(struct request *request, struct guest *guest, bool wait,
              struct error *error)
{
    struct definition *definition = NULL;
    if (wait) {
        definition = xcalloc(1, sizeof(*definition));
        definition->request = request;
        definition->server = request_server(request);
        definition->name = xstrdup(guest_name(guest));
    }
    bool ok =
        guest_start(guest, wait ? on_define_started : NULL, definition, error);
    if (ok && !wait)
        request_return(request,
                       registry_describe(request_server(request), guest));
    if (!ok && wait) {
        free(definition->name);
        free(definition);
    }
    return ok;
}

static bool
run_define(struct request *request, const json_t *arguments,
           struct error *error)
{
    struct server *server = request_server(request);
    const char *name = argument_string(arguments, "name");
    const char *directory = argument_string(arguments, "directory");
    if (directory[0] != '/')
        return error_set(error, ERROR_CODE_INVALID,
                         "argument 'directory' is not an absolute path");
    if (registry_find(server, name, NULL))
        return error_set(error, ERROR_CODE_EXISTS,
                         "there is a guest '%.64s' already; take another "
                         "name, or remove it first",
                         name);
    struct spec *spec = spec_from_json(name, json_object_get(arguments, "spec"),
                                       directory, error);
    if (!spec)
        return false;
    struct guest *guest = guest_new(&server->context, spec, error);
    if (!guest)
        return false;
    registry_add(server, guest);
    if (!argument_boolean(arguments, "start")) {
        request_return(request,
                       registry_describe(request_server(request), guest));
        return true;
    }
    return start_defined(request, guest, argument_boolean(arguments, "wait"),
                         error);
}

static const struct method methods[] = {
    {
        .name = "fleet-apply",
        .summary = "Defines, and if asked starts, the guests of a fleet file",
        .arguments =
            {
                {"file", ARGUMENT_STRING, ARGUMENT_REQUIRED, 0, 0,
                 "The file's absolute path; relative paths in it start at "
                 "its directory"},
                {"text", ARGUMENT_STRING, 0, 0, 0,
                 "The file's content; without it the server reads the file"},
                {"variables", ARGUMENT_OBJECT, 0, 0, 0,
                 "Environment variables for the paths in it, and their "
                 "values"},
                {"guests", ARGUMENT_STRINGS, 0, 0, 0,
                 "Only these guests of it"},
                {"start", ARGUMENT_BOOLEAN, 0, 0, 0,
                 "Start those that do not run"},
                {"wait", ARGUMENT_BOOLEAN, 0, 0, 0,
                 "Answer when every one is ready or has failed"},
            },
        .run = run_apply,
    },
    {
        .name = "fleet-start",
        .summary = "Starts guests, each when those that it comes after are "
                   "ready",
        .deed = "started guests",
        .arguments =
            {
                {"guests", ARGUMENT_STRINGS, ARGUMENT_REQUIRED, 0, 0,
                 "Their names"},
                {"wait", ARGUMENT_BOOLEAN, 0, 0, 0,
                 "Answer when every one is ready or has failed"},
            },
        .run = run_start,
    },
    {
        .name = "guest-define",
        .summary = "Defines one guest, and starts it if asked",
        .deed = "defined it",
        .arguments =
            {
                {"name", ARGUMENT_STRING, ARGUMENT_REQUIRED, 0, 0, "Its name"},
                {"spec", ARGUMENT_OBJECT, ARGUMENT_REQUIRED, 0, 0,
                 "Fields as in a fleet file's entry"},
                {"directory", ARGUMENT_STRING, ARGUMENT_REQUIRED, 0, 0,
                 "Where relative paths start; absolute"},
                {"start", ARGUMENT_BOOLEAN, 0, 0, 0, "Start it"},
                {"wait", ARGUMENT_BOOLEAN, 0, 0, 0,
                 "Answer when it is ready or has failed"},
            },
        .run = run_define,
    },
};

const struct method_table methods_fleet = {
    .methods = methods,
    .count = sizeof(methods) / sizeof(methods[0]),
};
