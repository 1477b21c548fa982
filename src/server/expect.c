#include "server/expect.h"

#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include "base/text.h"
#include "base/xalloc.h"
#include "console/plain.h"

#include <pcre2.h>

/* Longest pattern, bytes. */
#define PATTERN_MAX_BYTES 4096

struct expect {
    pcre2_code *code;             /* owned */
    pcre2_match_data *match_data; /* owned */
    pcre2_match_context *context; /* owned */
    struct plain plain;           /* owned */
    uint64_t seen;                /* offset behind the last byte looked at */
    unsigned overruns;            /* lines that reached the match limit */
    struct expect_match match;    /* owned texts */
};

struct expect *
expect_new(const char *pattern, unsigned flags, uint64_t offset,
           struct error *error)
{
    size_t len = strlen(pattern);
    if (len > PATTERN_MAX_BYTES) {
        error_set(error, ERROR_CODE_LIMIT,
                  "the pattern is longer than %d bytes", PATTERN_MAX_BYTES);
        return NULL;
    }
    int number = 0;
    PCRE2_SIZE place = 0;
    uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF;
    if (flags & EXPECT_LITERAL)
        options |= PCRE2_LITERAL;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)pattern, len, options, &number, &place, NULL);
    if (!code) {
        PCRE2_UCHAR text[256];
        (void)pcre2_get_error_message(number, text, sizeof(text));
        error_set(error, ERROR_CODE_INVALID,
                  "the pattern \"%s\" is no regular expression: %s, at "
                  "character %zu",
                  pattern, (const char *)text, (size_t)place + 1);
        return NULL;
    }
    struct expect *expect = xcalloc(1, sizeof(*expect));
    expect->code = code;
    expect->match_data = pcre2_match_data_create_from_pattern(code, NULL);
    expect->context = pcre2_match_context_create(NULL);
    if (!expect->match_data || !expect->context)
        abort();
    pcre2_set_match_limit(expect->context, EXPECT_MATCH_LIMIT);
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
    pcre2_code_free(expect->code);
    pcre2_match_data_free(expect->match_data);
    pcre2_match_context_free(expect->context);
    plain_finish(&expect->plain);
    forget_match(expect);
    free(expect);
}

static bool
try_line(struct expect *expect)
{
    const char *line = expect->plain.line.data;
    size_t len = expect->plain.line.len;
    int found = pcre2_match(expect->code, (PCRE2_SPTR)(line ? line : ""), len,
                            0, 0, expect->match_data, expect->context);
    if (found < 0) {
        expect->overruns += found != PCRE2_ERROR_NOMATCH;
        return false;
    }
    const PCRE2_SIZE *places = pcre2_get_ovector_pointer(expect->match_data);
    size_t start = places[0] < places[1] ? places[0] : places[1];
    forget_match(expect);
    expect->match.line =
        text_printable(line ? line : "", len, 0, TEXT_ONE_LINE);
    expect->match.text = text_printable((line ? line : "") + start,
                                        places[1] - start, 0, TEXT_ONE_LINE);
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

bool
expect_has_given_up(const struct expect *expect, struct error *error)
{
    if (expect->overruns < EXPECT_MAX_OVERRUNS)
        return false;
    error_set(error, ERROR_CODE_LIMIT,
              "the pattern takes too long to match the lines of this console; "
              "use a simpler one (no repeated group that holds a repetition)");
    return true;
}
