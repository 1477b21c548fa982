#pragma once

#include "base/error.h"

#include <stdbool.h>

#include <jansson.h>

struct request;

/* The method console-fit: types `stty rows R cols C` with the console's size
 * when a shell waits for a command there. */
bool fit_run(struct request *request, const json_t *arguments,
             struct error *error);
