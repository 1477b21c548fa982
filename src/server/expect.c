#include "server/expect.h"

#include "base/text.h"
#include "base/xalloc.h"
#include "console/pattern.h"
#include "console/plain.h"

#include <stdlib.h>

struct expect {
    struct pattern *pattern;   /* owned */
    struct plain plain;        /* owned */
    uint64_t seen;             /* offset behind the last byte looked at */
    struct expect_match match; /* owned texts */
};

struct expect *
expect_new(const char *pattern, unsigned flags, uint64_t offset,
           struct error *error)
{
    struct pattern *compiled = pattern_new(
        pattern, flags & EXPECT_LITERAL ? PATTERN_LITERAL : 0, error);
    if (!compiled)
        return NULL;
    struct expect *expect = xcalloc(1, sizeof(*expect));
    expect->pattern = compiled;
    expect->seen = offset;
    return expect;
}

static void
forget_match(struct expect *expect)
{
    free(expect->match.line);
    free(expect->match.text);
    expect->match = (struct expect_match){0};
}

void
expect_free(struct expect *expect)
{
    if (!expect)
        return;
    pattern_free(expect->pattern);
    plain_finish(&expect->plain);
    forget_match(expect);
    free(expect);
}

static bool
try_line(struct expect *expect)
{
    const char *line = expect->plain.line.data ? expect->plain.line.data : "";
    size_t len = expect->plain.line.len;
    struct pattern_match found;
    if (!pattern_find(expect->pattern, line, len, 0, &found))
        return false;
    forget_match(expect);
    expect->match.line = text_printable(line, len, 0, TEXT_ONE_LINE);
    expect->match.text = text_printable(
        line + found.start, found.end - found.start, 0, TEXT_ONE_LINE);
    return true;
}

const struct expect_match *
expect_feed(struct expect *expect, const char *bytes, size_t len,
            uint64_t offset)
{
    if (offset + len <= expect->seen || expect_has_given_up(expect, NULL))
        return NULL;
    if (offset < expect->seen) {
        size_t known = (size_t)(expect->seen - offset);
        bytes += known;
        len -= known;
        offset = expect->seen;
    }
    size_t at = 0;
    while (at < len && !expect_has_given_up(expect, NULL)) {
        bool is_done = false;
        at += plain_feed(&expect->plain, bytes + at, len - at, &is_done);
        bool is_found = (is_done || expect->plain.line.len) && try_line(expect);
        if (is_done)
            plain_next_line(&expect->plain);
        if (is_found) {
            expect->seen = offset + at;
            expect->match.offset = expect->seen;
            return &expect->match;
        }
    }
    expect->seen = offset + len;
    return NULL;
}

unsigned
expect_skipped(const struct expect *expect)
{
    return pattern_overruns(expect->pattern);
}

bool
expect_has_given_up(const struct expect *expect, struct error *error)
{
    return pattern_has_overrun(expect->pattern, error);
}
