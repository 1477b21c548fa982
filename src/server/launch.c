#include "server/launch.h"

#include "base/json.h"
#include "base/xalloc.h"
#include "guest/guest.h"
#include "server/peer.h"
#include "server/server-internal.h"

#include <stdlib.h>

struct launch {
    struct server *server;   /* borrowed */
    struct request *request; /* owned; NULL once answered */
    json_t *rows;            /* owned: array */
    json_t *gone;            /* owned: array */
    size_t pending;          /* starts whose end is not known */
    bool is_complete;        /* launch_go was called */
};

/* What one start reports to. */
struct start {
    struct launch *launch; /* borrowed: lives while starts are pending */
    size_t row;
};

struct launch *
launch_new(struct request *request)
{
    struct launch *launch = xcalloc(1, sizeof(*launch));
    launch->server = request_server(request);
    launch->request = request;
    launch->rows = json_array();
    launch->gone = json_array();
    return launch;
}

void
launch_add_row(struct launch *launch, const char *name, const char *action)
{
    json_array_append_new(
        launch->rows, json_pack("{s:s,s:s}", "name", name, "action", action));
}

void
launch_set_changes(struct launch *launch, json_t *changes)
{
    size_t last = json_array_size(launch->rows) - 1;
    json_object_set_new(json_array_get(launch->rows, last), "changes", changes);
}

void
launch_set_gone(struct launch *launch, json_t *gone)
{
    json_decref(launch->gone);
    launch->gone = gone;
}

static void
set_failed(struct launch *launch, size_t row, const struct error *error)
{
    json_t *object = json_array_get(launch->rows, row);
    json_object_set_new(object, "action", json_string("failed"));
    json_object_set_new(object, "class",
                        json_string(error_code_name(error->code)));
    json_object_set_new(object, "error", json_from_text(error->text));
}

void
launch_fail_row(struct launch *launch, const struct error *error)
{
    set_failed(launch, json_array_size(launch->rows) - 1, error);
}

static void
answer(struct launch *launch)
{
    if (!launch->request)
        return;
    request_return(launch->request,
                   json_pack("{s:O,s:[],s:O}", "guests", launch->rows,
                             "warnings", "gone", launch->gone));
    launch->request = NULL;
}

static void
free_if_over(struct launch *launch)
{
    if (launch->pending || !launch->is_complete)
        return;
    answer(launch);
    json_decref(launch->rows);
    json_decref(launch->gone);
    free(launch);
}

static void
on_started(void *data, const struct error *error)
{
    struct start *start = data;
    struct launch *launch = start->launch;
    json_t *row = json_array_get(launch->rows, start->row);
    json_object_del(row, "waiting");
    json_object_set_new(row, "action", json_string("started"));
    if (error)
        set_failed(launch, start->row, error);
    free(start);
    launch->pending--;
    free_if_over(launch);
}

/* A guest that is held back says so until it is started. */
void
launch_wait(struct launch *launch, const struct member *member, size_t row)
{
    json_t *object = json_array_get(launch->rows, row);
    const char *text = order_text(member);
    json_object_set_new(object, "action",
                        json_string(text ? "waiting" : "started"));
    if (text)
        json_object_set_new(object, "waiting", json_string(text));
}

void
launch_start(struct launch *launch, struct guest *guest, unsigned flags,
             size_t row)
{
    struct member *member = registry_member(launch->server, guest);
    struct error error = {0};
    struct start *start = xcalloc(1, sizeof(*start));
    start->launch = launch;
    start->row = row;
    launch->pending++;
    if (order_start(launch->server, member, flags, on_started, start, &error)) {
        launch_wait(launch, member, row);
        return;
    }
    launch->pending--;
    set_failed(launch, row, &error);
    free(start);
}

void
launch_go(struct launch *launch, bool wait)
{
    launch->is_complete = true;
    if (!wait)
        answer(launch);
    free_if_over(launch);
}
