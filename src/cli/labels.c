#include "cli/labels.h"

#include "base/xalloc.h"
#include "cli/cli.h"
#include "cli/guests.h"
#include "cli/session.h"

#include <stdlib.h>
#include <string.h>

/* One part of a selector: NAME or NAME=VALUE. */
static bool
matches_part(const json_t *labels, char *part)
{
    char *value = strchr(part, '=');
    if (value)
        *value++ = '\0';
    const char *there = json_string_value(json_object_get(labels, part));
    return there && (!value || !strcmp(there, value));
}

bool
labels_match(const json_t *guest, const char *selector)
{
    const json_t *labels = json_object_get(guest, "labels");
    char *text = xstrdup(selector);
    char *rest = NULL;
    bool ok = true;
    for (char *part = strtok_r(text, ",", &rest); part && ok;
         part = strtok_r(NULL, ",", &rest))
        ok = matches_part(labels, part);
    free(text);
    return ok;
}

static bool
is_argument(const struct cli *cli, const char *name)
{
    for (int i = 0; i < cli->options.argument_count; i++) {
        if (!strcmp(cli->options.arguments[i], name))
            return true;
    }
    return false;
}

/* Puts the guests that match behind the arguments; how many there are. */
static size_t
add_matching(struct cli *cli, const json_t *guests, const char *selector)
{
    struct options *options = &cli->options;
    size_t found = 0;
    for (size_t i = 0; i < json_array_size(guests); i++) {
        const json_t *guest = json_array_get(guests, i);
        const char *name = guests_text(guest, "name");
        if (!labels_match(guest, selector))
            continue;
        found++;
        if (is_argument(cli, name))
            continue;
        size_t count = (size_t)options->argument_count;
        options->arguments = xreallocarray(options->arguments, count + 2,
                                           sizeof(*options->arguments));
        options->arguments[count] = (char *)name;
        options->arguments[count + 1] = NULL;
        options->argument_count++;
    }
    return found;
}

bool
labels_select(struct cli *cli, json_t **ret_keep, struct error *error)
{
    bool has_option = false;
    for (size_t i = 0; i < cli->command->option_count; i++)
        has_option =
            has_option || !strcmp(cli->command->options[i].name, "label");
    const char *selector =
        has_option ? options_text(&cli->options, "label") : NULL;
    if (!selector)
        return true;
    if (!*selector || *selector == '=' || *selector == ',')
        return error_set(error, ERROR_CODE_INVALID,
                         "--label: \"%s\" is not NAME=VALUE", selector);
    struct session *session = session_open(cli, CONNECTION_START_SERVER, error);
    json_t *guests = session ? guests_list(session, error) : NULL;
    session_close(session);
    if (!guests)
        return false;
    *ret_keep = guests;
    return add_matching(cli, guests, selector) > 0 ||
           error_set(error, ERROR_CODE_NOT_FOUND, "no guest has the label %s",
                     selector);
}
