#include "base/buffer.h"
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/guests.h"
#include "cli/output.h"
#include "cli/rows.h"
#include "cli/session.h"

#include <stdio.h>
#include <stdlib.h>

static const struct option options[] = {
    ROW_JSON,
};

enum column {
    COLUMN_CLIENT,
    COLUMN_PROGRAM,
    COLUMN_SINCE,
    COLUMN_LOOKS_AT,
    COLUMN_NOTE,
    COLUMN_COUNT,
};

/* Consoles in one cell; more are counted. */
#define SHOWN_CONSOLES 4

/* "n1:ttyS0, n2:ttyS0, 3 more" of an array of names, or of views. */
static char *
join_consoles(const json_t *list)
{
    struct buffer text = {0};
    size_t count = json_array_size(list);
    for (size_t i = 0; i < count && i < SHOWN_CONSOLES; i++) {
        const json_t *item = json_array_get(list, i);
        const char *comma = i ? ", " : "";
        if (json_is_string(item))
            buffer_printf(&text, "%s%s", comma, json_string_value(item));
        else
            buffer_printf(&text, "%s%s:%s", comma, guests_text(item, "guest"),
                          guests_text(item, "console"));
    }
    if (count > SHOWN_CONSOLES)
        buffer_printf(&text, ", %zu more", count - SHOWN_CONSOLES);
    return buffer_steal(&text);
}

static void
append_note(struct buffer *note, const char *what, const json_t *consoles)
{
    if (!json_array_size(consoles))
        return;
    char *text = join_consoles(consoles);
    buffer_printf(note, "%s%s %s", note->len ? "; " : "", what, text);
    free(text);
}

static void
add_row(struct output_table *table, const json_t *client)
{
    struct buffer note = {0};
    char since[32];
    int64_t age_ms = clock_wall_ms() - guests_number(client, "since-ms");
    clock_format_duration(age_ms > 0 ? age_ms / 1000 : 0, since, sizeof(since));
    char *views = join_consoles(json_object_get(client, "views"));
    if (json_is_true(json_object_get(client, "read-only")))
        buffer_append_text(&note, "read-only");
    append_note(&note, "types to", json_object_get(client, "types"));
    append_note(&note, "has the keyboard of", json_object_get(client, "holds"));
    const char *cells[COLUMN_COUNT] = {
        [COLUMN_CLIENT] = guests_text(client, "name"),
        [COLUMN_PROGRAM] = guests_text(client, "program"),
        [COLUMN_SINCE] = since,
        [COLUMN_LOOKS_AT] = views[0] ? views : "-",
        [COLUMN_NOTE] = note.data,
    };
    output_table_add(table, cells);
    buffer_finish(&note);
    free(views);
}

static void
print(const json_t *clients)
{
    static const char *const head[COLUMN_COUNT] = {"CLIENT", "PROGRAM", "SINCE",
                                                   "LOOKS AT", "NOTE"};
    struct output_table *table = output_table_new(COLUMN_COUNT);
    output_table_add(table, head);
    for (size_t i = 0; i < json_array_size(clients); i++) {
        const json_t *client = json_array_get(clients, i);
        if (!json_is_true(json_object_get(client, "self")))
            add_row(table, client);
    }
    output_table_print(table);
}

static int
tell(const struct cli *cli, const json_t *clients)
{
    if (options_has(&cli->options, "json"))
        output_json(clients);
    else if (json_array_size(clients) > 1)
        print(clients);
    else
        (void)fprintf(stderr, "nobody else is here\n");
    return COMMAND_DONE;
}

static int
run(struct cli *cli)
{
    return session_ask(cli, "query-clients", NULL, SESSION_REPLY_TIMEOUT_MS,
                       tell);
}

const struct command cmd_clients = {
    .name = "clients",
    .usage = "",
    .summary = "List who is connected, and what they look at",
    .text = "A client is called by its user and terminal, and where it came "
            "from by ssh; GUESTMUX_NAME says otherwise.",
    COMMAND_OPTIONS(options),
    .run = run,
};
