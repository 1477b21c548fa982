#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Looks for a pattern in the text that a console prints: the lines as a person
 * reads them, without escape sequences, \r and \b carried out. Lines are cut at
 * EXPECT_LINE_MAX_BYTES. */
struct expect;

#define EXPECT_LINE_MAX_BYTES 4096

struct expect_match {
    char *line;      /* owned by the expect; UTF-8, fit to show */
    char *text;      /* owned by the expect: what matched */
    uint64_t offset; /* behind the last byte that was looked at for it */
};

enum expect_flags {
    EXPECT_LITERAL = 1 << 0, /* the pattern is plain text */
};

/* What one line may cost is limited as for any pattern (console/pattern.h).
 * offset: of the log, from where on the text counts. */
struct expect *expect_new(const char *pattern, unsigned flags, uint64_t offset,
                          struct error *error);
void expect_free(struct expect *expect);

/* Looks at bytes of the console, of which the first stands at offset. Returns
 * the match once there is one (borrowed), else NULL. Bytes before what was seen
 * already are skipped. */
const struct expect_match *expect_feed(struct expect *expect, const char *bytes,
                                       size_t len, uint64_t offset);

/* How often a line was not looked at to the end, since that takes too long. */
unsigned expect_skipped(const struct expect *expect);

/* Whether the pattern was given up because it takes too long to match: error
 * (may be NULL) says so, and expect_feed looks at nothing more. */
bool expect_has_given_up(const struct expect *expect, struct error *error);
