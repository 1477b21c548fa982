#include "base/buffer.h"
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
    ROW_JSON,
};

/* Sums a number over a network's cards. */
static json_int_t
sum(const json_t *cards, const char *member)
{
    json_int_t all = 0;
    for (size_t i = 0; i < json_array_size(cards); i++)
        all += guests_number(json_array_get(cards, i), member);
    return all;
}

static json_int_t
lost_of(const json_t *card)
{
    return guests_number(card, "lost") + guests_number(card, "bad") +
           guests_number(card, "foreign") + guests_number(card, "flooding");
}

static void
print_list(const json_t *networks)
{
    static const char *const head[] = {"NETWORK", "CARDS", "FRAMES", "BYTES",
                                       "FLEET"};
    struct output_table *table = output_table_new(5);
    output_table_add(table, head);
    for (size_t i = 0; i < json_array_size(networks); i++) {
        const json_t *network = json_array_get(networks, i);
        const json_t *cards = json_object_get(network, "cards");
        char numbers[3][24];
        (void)snprintf(numbers[0], sizeof(numbers[0]), "%zu",
                       json_array_size(cards));
        (void)snprintf(numbers[1], sizeof(numbers[1]), "%lld",
                       (long long)sum(cards, "sent-frames"));
        (void)snprintf(numbers[2], sizeof(numbers[2]), "%lld",
                       (long long)sum(cards, "sent-bytes"));
        const char *cells[] = {guests_text(network, "name"), numbers[0],
                               numbers[1], numbers[2],
                               guests_text(network, "directory")};
        output_table_add(table, cells);
    }
    output_table_print(table);
}

/* "10.1.0.1, fe80::1" of a card. */
static void
join_addresses(const json_t *card, struct buffer *out)
{
    const json_t *list = json_object_get(card, "addresses");
    for (size_t i = 0; i < json_array_size(list); i++)
        buffer_printf(out, "%s%s", out->len ? ", " : "",
                      guests_text(json_array_get(list, i), "address"));
}

static void
add_card(struct output_table *table, const json_t *card)
{
    struct buffer addresses = {0};
    char name[80];
    char numbers[5][24];
    static const char *const members[] = {"sent-frames", "sent-bytes",
                                          "received-frames", "received-bytes"};
    for (size_t i = 0; i < 4; i++)
        (void)snprintf(numbers[i], sizeof(numbers[i]), "%lld",
                       (long long)guests_number(card, members[i]));
    (void)snprintf(numbers[4], sizeof(numbers[4]), "%lld",
                   (long long)lost_of(card));
    (void)snprintf(name, sizeof(name), "%.48s:%lld", guests_text(card, "guest"),
                   (long long)guests_number(card, "nic"));
    bool is_connected = json_is_true(json_object_get(card, "connected"));
    join_addresses(card, &addresses);
    const char *cells[] = {
        name,
        guests_text(card, "mac"),
        is_connected ? guests_text(card, "link") : "off",
        numbers[0],
        numbers[1],
        numbers[2],
        numbers[3],
        numbers[4],
        addresses.data,
    };
    output_table_add(table, cells);
    if (strcmp(cells[2], "up") != 0)
        output_table_style(table, 2, OUTPUT_YELLOW);
    buffer_finish(&addresses);
}

static void
print_network(const json_t *network)
{
    static const char *const head[] = {"CARD",  "MAC",     "LINK",
                                       "SENT",  "BYTES",   "RECEIVED",
                                       "BYTES", "DROPPED", "ADDRESSES"};
    const json_t *cards = json_object_get(network, "cards");
    char *title = NULL;
    struct buffer text = {0};
    buffer_printf(&text, "%s of %s", guests_text(network, "name"),
                  guests_text(network, "directory"));
    title = text.data;
    output_line(title);
    struct output_table *table = output_table_new(9);
    output_table_add(table, head);
    for (size_t i = 0; i < json_array_size(cards); i++)
        add_card(table, json_array_get(cards, i));
    output_table_print(table);
    buffer_finish(&text);
}

/* The verb: "info" with everything, else a list. */
static bool
is_detailed(const struct cli *cli)
{
    return cli->options.argument_count > 0 &&
           strcmp(cli->options.arguments[0], "info") == 0;
}

static int
tell(const struct cli *cli, const json_t *networks)
{
    size_t count = json_array_size(networks);
    if (options_has(&cli->options, "json"))
        output_json(networks);
    else if (count == 0)
        (void)fprintf(stderr, "no guest is on a network of a fleet's own\n");
    else if (!is_detailed(cli))
        print_list(networks);
    else
        for (size_t i = 0; i < count; i++)
            print_network(json_array_get(networks, i));
    return COMMAND_DONE;
}

static int
run(struct cli *cli)
{
    struct error error = {0};
    const struct options *given = &cli->options;
    const char *verb = given->argument_count > 0 ? given->arguments[0] : "ls";
    if (!is_detailed(cli) && strcmp(verb, "ls") != 0) {
        error_set(&error, ERROR_CODE_INVALID,
                  "network does ls or info, not \"%.64s\"", verb);
        return cli_fail_usage(cli, &error);
    }
    json_t *arguments = json_object();
    if (given->argument_count > 1)
        json_object_set_new(arguments, "name",
                            json_from_text(given->arguments[1]));
    return session_ask(cli, "query-networks", arguments,
                       SESSION_REPLY_TIMEOUT_MS, tell);
}

const struct command cmd_network = {
    .name = "network",
    .usage = "[ls | info] [NETWORK]",
    .summary = "Show the fleets' own networks: who is on them, and counts",
    .text = "ls, the default, lists them; info lists their cards, with what "
            "they sent and received, what was dropped, and the addresses that "
            "they were heard to have. --json has the counts of what was "
            "dropped apart, and the Ethernet addresses that were learned.",
    COMMAND_OPTIONS(options),
    .min_arguments = 0,
    .max_arguments = 2,
    .run = run,
};
