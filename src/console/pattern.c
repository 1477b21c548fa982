#include "console/pattern.h"

#include "base/utf8.h"
#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* Bytes of the stack that compiled patterns run on. */
#define JIT_STACK_MIN_BYTES ((size_t)32 << 10)
#define JIT_STACK_MAX_BYTES ((size_t)512 << 10)
/* KiB of heap that a pattern may use which is not compiled. */
#define HEAP_LIMIT_KIB 4096u

struct pattern {
    pcre2_code *code;             /* owned */
    pcre2_match_data *match_data; /* owned */
    pcre2_match_context *context; /* owned */
    pcre2_jit_stack *stack;       /* owned; NULL: not compiled */
    unsigned overruns;
};

/* Whether somebody who typed the pattern meant upper case: a letter behind a
 * backslash is none of the text's. */
static bool
has_upper_case(const char *text, size_t len, unsigned flags)
{
    for (size_t at = 0; at < len;) {
        uint32_t codepoint = 0;
        size_t bytes = utf8_decode(text + at, len - at, &codepoint);
        if (!bytes)
            return false;
        if (codepoint == '\\' && !(flags & PATTERN_LITERAL)) {
            at += at + 1 < len ? 2 : 1;
            continue;
        }
        if (utf8_is_upper(codepoint))
            return true;
        at += bytes;
    }
    return false;
}

static pcre2_code *
compile(const char *text, size_t len, unsigned flags, struct error *error)
{
    int number = 0;
    PCRE2_SIZE place = 0;
    uint32_t options =
        PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C;
    bool ignores_case = flags & PATTERN_INSENSITIVE;
    if (flags & PATTERN_SMART)
        ignores_case = !has_upper_case(text, len, flags);
    if (flags & PATTERN_LITERAL)
        options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_LITERAL;
    if (ignores_case)
        options |= PCRE2_CASELESS;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)text, len, options, &number, &place, NULL);
    if (code)
        return code;
    PCRE2_UCHAR words[256];
    (void)pcre2_get_error_message(number, words, sizeof(words));
    error_set(error, ERROR_CODE_INVALID,
              "the pattern \"%s\" is no regular expression: %s, at character "
              "%zu",
              text, (const char *)words, (size_t)place + 1);
    return NULL;
}

struct pattern *
pattern_new(const char *text, unsigned flags, struct error *error)
{
    size_t len = strlen(text);
    if (len == 0) {
        error_set(error, ERROR_CODE_INVALID, "the pattern is empty");
        return NULL;
    }
    if (len > PATTERN_MAX_BYTES) {
        error_set(error, ERROR_CODE_LIMIT,
                  "the pattern is longer than %d bytes", PATTERN_MAX_BYTES);
        return NULL;
    }
    pcre2_code *code = compile(text, len, flags, error);
    if (!code)
        return NULL;
    struct pattern *pattern = xcalloc(1, sizeof(*pattern));
    pattern->code = code;
    pattern->match_data = pcre2_match_data_create_from_pattern(code, NULL);
    pattern->context = pcre2_match_context_create(NULL);
    if (!pattern->match_data || !pattern->context)
        abort();
    (void)pcre2_set_match_limit(pattern->context, PATTERN_MATCH_LIMIT);
    (void)pcre2_set_depth_limit(pattern->context, PATTERN_MATCH_LIMIT);
    (void)pcre2_set_heap_limit(pattern->context, HEAP_LIMIT_KIB);
    if (pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) == 0) {
        pattern->stack = pcre2_jit_stack_create(JIT_STACK_MIN_BYTES,
                                                JIT_STACK_MAX_BYTES, NULL);
        pcre2_jit_stack_assign(pattern->context, NULL, pattern->stack);
    }
    return pattern;
}

void
pattern_free(struct pattern *pattern)
{
    if (!pattern)
        return;
    pcre2_code_free(pattern->code);
    pcre2_match_data_free(pattern->match_data);
    pcre2_match_context_free(pattern->context);
    pcre2_jit_stack_free(pattern->stack);
    free(pattern);
}

/* Looks at one piece. */
static bool
find_in(struct pattern *pattern, const char *piece, size_t len, size_t from,
        uint32_t options, struct pattern_match *ret_match)
{
    int found = pcre2_match(pattern->code, (PCRE2_SPTR)piece, len, from,
                            options, pattern->match_data, pattern->context);
    if (found < 0) {
        pattern->overruns += found != PCRE2_ERROR_NOMATCH;
        return false;
    }
    const PCRE2_SIZE *places = pcre2_get_ovector_pointer(pattern->match_data);
    size_t start = places[0];
    size_t end = places[1];
    /* \K may have moved the start, even behind the end */
    if (start < from)
        start = from;
    *ret_match = (struct pattern_match){.start = start,
                                        .end = end > start ? end : start};
    return true;
}

/* Where a piece that starts at a place ends: not within a character. */
static size_t
piece_end(const char *line, size_t len, size_t start)
{
    if (len - start <= PATTERN_PIECE_BYTES)
        return len;
    size_t end = start + PATTERN_PIECE_BYTES;
    while (end > start + PATTERN_PIECE_BYTES - 4 &&
           ((unsigned char)line[end] & 0xC0) == 0x80)
        end--;
    return end;
}

bool
pattern_find(struct pattern *pattern, const char *line, size_t len, size_t from,
             struct pattern_match *ret_match)
{
    if (len <= PATTERN_PIECE_BYTES)
        return from <= len && find_in(pattern, line, len, from, 0, ret_match);
    size_t step = PATTERN_PIECE_BYTES - PATTERN_OVERLAP_BYTES;
    for (size_t start = 0; start < len;) {
        size_t end = piece_end(line, len, start);
        size_t next = end == len ? len : start + step;
        while (next < len && ((unsigned char)line[next] & 0xC0) == 0x80)
            next--;
        uint32_t options = start > 0 ? PCRE2_NOTBOL : 0;
        options |= end < len ? PCRE2_NOTEOL : 0;
        struct pattern_match match;
        /* what starts in the next piece's part is left to that one */
        if (from <= (next < len ? next - 1 : len) &&
            find_in(pattern, line + start, end - start,
                    from > start ? from - start : 0, options, &match) &&
            (next == len || start + match.start < next)) {
            *ret_match = (struct pattern_match){.start = start + match.start,
                                                .end = start + match.end};
            return true;
        }
        start = next;
    }
    return false;
}

unsigned
pattern_overruns(const struct pattern *pattern)
{
    return pattern->overruns;
}

bool
pattern_has_overrun(const struct pattern *pattern, struct error *error)
{
    if (pattern->overruns < PATTERN_MAX_OVERRUNS)
        return false;
    error_set(error, ERROR_CODE_LIMIT,
              "the pattern takes too long to match these lines; use a simpler "
              "one (no repeated group that holds a repetition)");
    return true;
}
