#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* Starts several guests at once for one request, and answers it when all are
 * ready or have failed. */
struct launch;
struct request;
struct guest;

/* request: answered by launch_go's end with {"guests": rows, "warnings": …}. */
struct launch *launch_new(struct request *request);

/* Adds a guest's row {"name", "action"}; action: borrowed, static. */
void launch_add_row(struct launch *launch, const char *name,
                    const char *action);

/* Adds to the row that was added last what its definition changed: value is
 * stolen. */
void launch_set_changes(struct launch *launch, json_t *changes);
/* Adds to the answer the names of guests that are no longer in the file. gone:
 * stolen. */
void launch_set_gone(struct launch *launch, json_t *gone);

/* Marks the row that was added last as failed. */
void launch_fail_row(struct launch *launch, const struct error *error);

/* Starts a guest, whose row it is (flags: enum order_flags); its action becomes
 * "started", "waiting" with what for, or "failed" with the error's text. */
void launch_start(struct launch *launch, struct guest *guest, unsigned flags,
                  size_t row);

/* What became of a guest that was told to start, whose row it is: it is
 * started, or held back. */
struct member;
void launch_wait(struct launch *launch, const struct member *member,
                 size_t row);

/* All were added: answers now, or, when wait is set, once all are ready. Frees
 * the launch in the end. */
void launch_go(struct launch *launch, bool wait);
