#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* How far cloud-init is in a guest's present boot, and what of it failed: by
 * the lines that it prints on the console. They are a guest's words. */

/* Failures that are kept; further ones are counted. */
#define CLOUD_PROGRESS_MAX_FAILURES 8

/* Zeroed is one that has seen nothing. cloud_progress_finish frees its parts.
 */
struct cloud_progress {
    char phase[24];   /* "init-local", "modules:final", "finished"; "": none */
    int64_t since_ms; /* wall clock: when that began */
    char *failures[CLOUD_PROGRESS_MAX_FAILURES]; /* owned; fit to show */
    size_t failure_count;
};

/* Takes in a line of plain text; true when something became known. now_ms: wall
 * clock. */
bool cloud_progress_line(struct cloud_progress *progress, const char *line,
                         int64_t now_ms);
/* Whether it has said that it is done: nothing more is to come in this boot. */
bool cloud_progress_has_finished(const struct cloud_progress *progress);
void cloud_progress_finish(struct cloud_progress *progress);

/* {"phase", "since-ms", "failures": [TEXT], "failure-count"}, or null when
 * nothing was seen. New reference. */
json_t *cloud_progress_to_json(const struct cloud_progress *progress);
