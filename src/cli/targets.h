#pragma once

#include "base/error.h"

#include <stddef.h>

struct cli;

/* The guests of a command that sends to one (its first argument) or, with --to,
 * to several. */
struct targets {
    char *text;         /* owned: what the names point into */
    const char **names; /* owned array */
    size_t count;
    int first_word; /* the argument behind them */
};

/* Fails when none is named. targets_finish frees it in any case. */
bool targets_read(const struct cli *cli, struct targets *targets,
                  struct error *error);
void targets_finish(struct targets *targets);

#define ROW_TO                                                                 \
    {                                                                          \
        .name = "to", .type = OPTION_TEXT, .value = "GUEST[,GUEST]…",          \
        .summary = "send to each of these instead of to GUEST"                 \
    }
#define ROW_EXPAND                                                             \
    {                                                                          \
        .name = "expand", .type = OPTION_FLAG,                                 \
        .summary = "{name} and {index} in the text become each guest's name "  \
                   "and number, from 1"                                        \
    }
