#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

/* Moments as people write them, in the local time zone. */

/* Reads one: how long ago ("90s", "10m", "2h", "3d", "1w", and sums of those,
 * "1h30m"; a bare number counts seconds), "now", "today", "yesterday", a time
 * of today ("14:05", "14:05:30"), a date ("2026-03-01"), both ("2026-03-01
 * 14:05", also with a T between and a Z behind, which is UTC), or "@SECONDS"
 * since 1970. now_ms: the present, ms since 1970. */
bool moment_parse(const char *text, int64_t now_ms, int64_t *ret_ms,
                  struct error *error);

/* The moment that an option gives, read at now_ms; mistakes name the option.
 * The option has to be there. */
struct options;
bool moment_of_option(const struct options *given, const char *option,
                      int64_t now_ms, int64_t *ret_ms, struct error *error);
/* Puts --since and --until into an object, as "since-ms" and "until-ms" since
 * 1970; nothing when they were not given. */
bool moment_put_range(json_t *object, const struct options *given,
                      struct error *error);
/* Nothing lies between a moment and an earlier one: that is a mistake. */
bool moment_check_range(int64_t since_ms, int64_t until_ms,
                        struct error *error);

enum moment_style {
    MOMENT_FULL, /* 2026-03-01 14:05:30.250 */
    MOMENT_DATE, /* 2026-03-01 14:05:30 */
};
#define MOMENT_MAX_BYTES 40
void moment_format(int64_t ms, enum moment_style style,
                   char text[MOMENT_MAX_BYTES]);
