#include "cli/targets.h"

#include "base/xalloc.h"
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

static void
add(struct targets *targets, const char *name)
{
    targets->names = xreallocarray(targets->names, targets->count + 1,
                                   sizeof(*targets->names));
    targets->names[targets->count++] = name;
}

bool
targets_read(const struct cli *cli, struct targets *targets,
             struct error *error)
{
    const char *to = options_text(&cli->options, "to");
    *targets = (struct targets){.first_word = to ? 0 : 1};
    if (to) {
        char *rest = NULL;
        targets->text = xstrdup(to);
        for (char *name = strtok_r(targets->text, ",", &rest); name;
             name = strtok_r(NULL, ",", &rest))
            add(targets, name);
    } else if (cli->options.argument_count > 0) {
        add(targets, cli->options.arguments[0]);
    }
    if (targets->count > 0)
        return true;
    return error_set(error, ERROR_CODE_INVALID, "%s: name a guest",
                     cli->command->name);
}

void
targets_finish(struct targets *targets)
{
    free(targets->names);
    free(targets->text);
    *targets = (struct targets){0};
}
