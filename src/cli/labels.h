#pragma once

#include "base/error.h"

#include <stdbool.h>

#include <jansson.h>

struct cli;

/* Guests chosen by their labels, for commands with --label: "NAME=VALUE", or
 * "NAME" for any value; several, with commas between them, must all be so. */

/* Whether a guest object has what a selector asks for. */
bool labels_match(const json_t *guest, const char *selector);

/* When the command was given --label: asks the server which guests are meant,
 * and puts their names behind the arguments. Fails when there is none.
 * *ret_keep holds the names from then on: to be freed by json_decref when the
 * arguments are not used any more; may be NULL. */
bool labels_select(struct cli *cli, json_t **ret_keep, struct error *error);

#define ROW_LABEL                                                              \
    {                                                                          \
        .name = "label", .letter = 'l', .type = OPTION_TEXT,                   \
        .value = "NAME=VALUE[,…]",                                             \
        .summary = "guests whose labels are so, too"                           \
    }
