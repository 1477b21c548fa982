#include "base/json.h"
#include "base/xalloc.h"
#include "cli/cli.h"
#include "cli/clone.h"
#include "cli/cmd.h"
#include "cli/output.h"
#include "cli/rows.h"

#include <stdlib.h>

static const struct option options[] = {
    {
        .name = "full",
        .type = OPTION_FLAG,
        .summary = "copy what is on the disks",
    },
    ROW_JSON,
};

int
clone_guest(struct cli *cli, struct session *session, const char *guest,
            const char *name)
{
    bool is_full = options_has(&cli->options, "full");
    struct error error = {0};
    json_t *value = NULL;
    json_t *arguments = json_object();
    json_object_set_new(arguments, "guest", json_from_text(guest));
    json_object_set_new(arguments, "name", json_from_text(name));
    json_object_set_new(arguments, "full", json_boolean(is_full));
    if (!session_call(session, "guest-clone", arguments, SESSION_NO_TIMEOUT,
                      &value, &error))
        return session_fail(session, &error);
    if (options_has(&cli->options, "json")) {
        output_json(value);
    } else {
        char *line = xasprintf("%s: defined like %s%s", name, guest,
                               is_full ? ", with what is on its disks" : "");
        output_line(line);
        free(line);
    }
    const json_t *changes = json_object_get(value, "changes");
    for (size_t i = 0;
         !options_has(&cli->options, "json") && i < json_array_size(changes);
         i++) {
        char *line =
            xasprintf("    %s", json_string_value(json_array_get(changes, i)));
        output_line(line);
        free(line);
    }
    const json_t *warnings = json_object_get(value, "warnings");
    for (size_t i = 0; i < json_array_size(warnings); i++)
        cli_warn("%s: %s", name,
                 json_string_value(json_array_get(warnings, i)));
    json_decref(value);
    return COMMAND_DONE;
}

static int
run(struct cli *cli)
{
    struct error error = {0};
    struct session *session =
        session_open(cli, CONNECTION_START_SERVER, &error);
    if (!session)
        return cli_fail(&error);
    int status = clone_guest(cli, session, cli->options.arguments[0],
                             cli->options.arguments[1]);
    session_close(session);
    return status;
}

const struct command cmd_clone = {
    .name = "clone",
    .usage = "GUEST NAME",
    .summary = "Define another guest like one that is off",
    .text =
        "The new guest has fresh images over the same bases; with --full "
        "copies of what is on the disks, your own images too, and of the "
        "firmware's variables. It gets MAC addresses, an instance-id, a "
        "host's name, forwarded ports, a VNC display, UUIDs, and other names "
        "and ports of sockets and files in `args`, and tells them; what "
        "only one guest can have (a tap device, a device of this machine, an "
        "image in `args`) it refuses. The fleet file stays as it is.",
    COMMAND_OPTIONS(options),
    .min_arguments = 2,
    .max_arguments = 2,
    .argument = COMMAND_ARGUMENT_GUEST,
    .run = run,
};
