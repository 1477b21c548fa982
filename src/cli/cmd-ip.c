#include "base/address.h"
#include "base/clock.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/guests.h"
#include "cli/output.h"
#include "cli/rows.h"
#include "cli/session.h"

#include <stdio.h>
#include <string.h>

static const struct option options[] = {
    {
        .name = "all",
        .letter = 'a',
        .type = OPTION_FLAG,
        .summary = "loopback and link-local addresses, too",
    },
    ROW_JSON,
};

/* "3s ago": how old what a source said is. */
static void
format_age(const json_t *row, char *text, size_t size)
{
    int64_t age_ms = clock_wall_ms() - guests_number(row, "seen-ms");
    char age[32];
    clock_format_duration(age_ms > 0 ? age_ms / 1000 : 0, age, sizeof(age));
    (void)snprintf(text, size, "%s ago", age);
}

static void
add_address(struct output_table *table, const json_t *row)
{
    char age[48];
    char where[128];
    const char *network = guests_text(row, "network");
    format_age(row, age, sizeof(age));
    if (*network)
        (void)snprintf(where, sizeof(where), "network %.48s", network);
    else
        (void)snprintf(where, sizeof(where), "%.32s",
                       guests_text(row, "interface"));
    const char *cells[] = {guests_text(row, "address"),
                           guests_text(row, "source"), age, where};
    output_table_add(table, cells);
    if (!json_is_true(json_object_get(row, "reachable")))
        output_table_style(table, 0, OUTPUT_DIM);
}

static void
add_forward(struct output_table *table, const json_t *row)
{
    char from[96];
    char to[96];
    (void)snprintf(from, sizeof(from), "%.45s:%d", guests_text(row, "host"),
                   (int)guests_number(row, "host-port"));
    (void)snprintf(to, sizeof(to), "to its %s port %d",
                   guests_text(row, "protocol"),
                   (int)guests_number(row, "guest-port"));
    const char *cells[] = {from, "forward", "", to};
    output_table_add(table, cells);
}

/* Returns how many rows there are. */
static size_t
print(const struct cli *cli, const json_t *value)
{
    static const char *const head[] = {"ADDRESS", "SOURCE", "SEEN", "WHERE"};
    const json_t *addresses = json_object_get(value, "addresses");
    const json_t *forwards = json_object_get(value, "forwards");
    bool is_all = options_has(&cli->options, "all");
    struct output_table *table = output_table_new(4);
    size_t count = json_array_size(forwards);
    output_table_add(table, head);
    for (size_t i = 0; i < json_array_size(forwards); i++)
        add_forward(table, json_array_get(forwards, i));
    for (size_t i = 0; i < json_array_size(addresses); i++) {
        const json_t *row = json_array_get(addresses, i);
        if (!is_all && !address_is_useful(guests_text(row, "address")) &&
            !json_is_true(json_object_get(row, "reachable")))
            continue;
        add_address(table, row);
        count++;
    }
    if (count)
        output_table_print(table);
    return count;
}

static int
tell(const struct cli *cli, const json_t *value)
{
    if (options_has(&cli->options, "json")) {
        output_json(value);
        return COMMAND_DONE;
    }
    if (print(cli, value))
        return COMMAND_DONE;
    struct error error = {0};
    error_set(&error, ERROR_CODE_NOT_FOUND,
              "no address of %s is known yet: it is told by the guest agent "
              "(\"agent\": true), by cloud-init's table on the console, by its "
              "traffic on the fleet's own networks, and by the host's "
              "neighbour table",
              cli->options.arguments[0]);
    return cli_fail(&error);
}

static int
run(struct cli *cli)
{
    json_t *arguments = json_object();
    json_object_set_new(arguments, "guest",
                        json_from_text(cli->options.arguments[0]));
    return session_ask(cli, "query-addresses", arguments,
                       SESSION_REPLY_TIMEOUT_MS, tell);
}

const struct command cmd_ip = {
    .name = "ip",
    .usage = "GUEST",
    .summary = "Show a guest's addresses, and who said so when",
    .text =
        "Sources are the guest agent (agent), cloud-init's table on the "
        "console (console), what the guest says on the fleet's own networks "
        "by ARP and DHCP (lan), the host's neighbour table for taps and "
        "bridges (neighbours; IPv6, too), and forwarded ports (forward). What the host "
        "cannot reach is dim.",
    COMMAND_OPTIONS(options),
    .min_arguments = 1,
    .max_arguments = 1,
    .argument = COMMAND_ARGUMENT_GUEST,
    .run = run,
};
