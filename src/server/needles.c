#include "server/needles.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Groups within groups; deeper ones are not looked into. */
#define DEPTH_MAX 16

/* A pattern being read. What is not understood makes the whole fail: a text too
 * many costs time, one too few would lose a match. */
struct reader {
    const char *at;
    int depth;
    bool is_beyond; /* something was not understood */
};

/* How often the last atom occurs. */
enum times {
    TIMES_ONCE,
    TIMES_SOME, /* at least once */
    TIMES_ANY,  /* possibly never */
};

/* Whether a "{" begins a quantifier; its end, and whether it can be zero. */
static bool
is_braces(const char *at, const char **ret_end, bool *ret_zero)
{
    const char *from = ++at;
    at += strspn(at, "0123456789");
    if (at == from)
        return false; /* "{,3}" is text for this PCRE2, and any for the next */
    *ret_zero = strtoul(from, NULL, 10) == 0;
    if (*at == ',')
        at += 1 + strspn(at + 1, "0123456789");
    *ret_end = at + 1;
    return *at == '}';
}

static enum times
read_times(struct reader *reader)
{
    const char *end = NULL;
    bool is_zero = false;
    enum times times = TIMES_ONCE;
    if (*reader->at == '?' || *reader->at == '*') {
        times = TIMES_ANY;
        reader->at++;
    } else if (*reader->at == '+') {
        times = TIMES_SOME;
        reader->at++;
    } else if (*reader->at == '{' && is_braces(reader->at, &end, &is_zero)) {
        times = is_zero ? TIMES_ANY : TIMES_SOME;
        reader->at = end;
    } else {
        return TIMES_ONCE;
    }
    if (*reader->at == '?' || *reader->at == '+')
        reader->at++; /* lazy, possessive */
    return times;
}

static size_t
shortest(const struct needles *needles)
{
    size_t least = needles->count ? NEEDLES_MAX_BYTES : 0;
    for (size_t i = 0; i < needles->count; i++) {
        size_t len = strlen(needles->items[i]);
        if (len < least)
            least = len;
    }
    return least;
}

/* Keeps the better of two: the one whose shortest text is longer. */
static void
keep_better(struct needles *best, const struct needles *other)
{
    if (shortest(other) > shortest(best))
        *best = *other;
}

/* The run of plain characters that is being gathered. */
struct run {
    char text[NEEDLES_MAX_BYTES + 1];
    size_t len;
};

static void
end_run(struct run *run, struct needles *best)
{
    struct needles single = {.count = 1};
    if (run->len) {
        memcpy(single.items[0], run->text, run->len);
        single.items[0][run->len] = '\0';
        keep_better(best, &single);
    }
    run->len = 0;
}

static void
add_character(struct reader *reader, struct run *run, struct needles *best,
              char character)
{
    enum times times = read_times(reader);
    if (times == TIMES_ANY || (unsigned char)character >= 0x80 ||
        (unsigned char)character < 0x20) {
        end_run(run, best);
        return;
    }
    if (run->len == NEEDLES_MAX_BYTES)
        end_run(run, best);
    run->text[run->len++] = (char)tolower((unsigned char)character);
    if (times == TIMES_SOME)
        end_run(run, best);
}

/* Passes a class; false at the pattern's end. */
static void
skip_class(struct reader *reader)
{
    const char *at = reader->at + 1;
    if (*at == '^')
        at++;
    if (*at == ']')
        at++;
    while (*at && *at != ']') {
        if (*at == '\\' && at[1]) {
            at++;
        } else if (*at == '[' && strchr(":.=", at[1]) && at[1]) {
            const char *end = strchr(at + 2, ']');
            at = end ? end : at;
        }
        at++;
    }
    if (*at)
        reader->at = at + 1;
    else
        reader->is_beyond = true;
}

/* An escape; the character it stands for, or 0 for anything else. */
static char
read_escape(struct reader *reader)
{
    char letter = reader->at[1];
    if (!letter) {
        reader->is_beyond = true;
        return 0;
    }
    reader->at += 2;
    if (!isalnum((unsigned char)letter))
        return letter;
    /* those that take nothing after them */
    if (!strchr("aefnrtdDwWsSvVhHRXbBAzZGKC", letter))
        reader->is_beyond = true;
    return 0;
}

static bool read_choice(struct reader *reader, struct needles *found);

/* What follows "(" of a group whose content counts. */
static bool
enter_group(struct reader *reader)
{
    reader->at++;
    if (reader->at[0] == '*')
        return false;
    if (reader->at[0] != '?')
        return true;
    reader->at++;
    if (reader->at[0] == ':' || reader->at[0] == '>') {
        reader->at++;
        return true;
    }
    if (reader->at[0] == 'P')
        reader->at++;
    if (reader->at[0] == '<' && isalpha((unsigned char)reader->at[1])) {
        reader->at += strcspn(reader->at, ">");
        if (*reader->at)
            reader->at++;
        return true;
    }
    return false;
}

/* "(?i)" and the like: options that change no text's meaning here. */
static bool
skip_options(struct reader *reader)
{
    const char *at = reader->at;
    if (strncmp(at, "(?", 2) != 0)
        return false;
    size_t len = strspn(at + 2, "imsU-");
    if (!len || at[2 + len] != ')')
        return false;
    reader->at = at + 3 + len;
    return true;
}

static void
read_group(struct reader *reader, struct needles *best)
{
    struct needles inner = {0};
    if (skip_options(reader))
        return;
    if (!enter_group(reader) || reader->depth == DEPTH_MAX) {
        reader->is_beyond = true;
        return;
    }
    reader->depth++;
    bool has_needles = read_choice(reader, &inner);
    reader->depth--;
    if (*reader->at != ')') {
        reader->is_beyond = true;
        return;
    }
    reader->at++;
    if (read_times(reader) != TIMES_ANY && has_needles)
        keep_better(best, &inner);
}

/* One alternative: the best of what it has to contain. */
static struct needles
read_branch(struct reader *reader)
{
    struct needles best = {0};
    struct run run = {.len = 0};
    while (!reader->is_beyond && *reader->at && !strchr("|)", *reader->at)) {
        char character = *reader->at;
        if (character == '(') {
            end_run(&run, &best);
            read_group(reader, &best);
        } else if (character == '[') {
            end_run(&run, &best);
            skip_class(reader);
            (void)read_times(reader);
        } else if (strchr(".^$", character)) {
            end_run(&run, &best);
            reader->at++;
            (void)read_times(reader);
        } else if (character == '\\') {
            char plain = read_escape(reader);
            add_character(reader, &run, &best, plain);
        } else {
            reader->at++;
            add_character(reader, &run, &best, character);
        }
    }
    end_run(&run, &best);
    return best;
}

/* Alternatives up to a ")" or the end: each has to have some, and all count. */
static bool
read_choice(struct reader *reader, struct needles *found)
{
    bool has_all = true;
    found->count = 0;
    for (;;) {
        struct needles branch = read_branch(reader);
        has_all = has_all && branch.count > 0 &&
                  shortest(&branch) >= NEEDLES_MIN_BYTES &&
                  found->count + branch.count <= NEEDLES_MAX;
        for (size_t i = 0; has_all && i < branch.count; i++)
            memcpy(found->items[found->count++], branch.items[i],
                   sizeof(branch.items[i]));
        if (reader->is_beyond || *reader->at != '|')
            return has_all;
        reader->at++;
    }
}

bool
needles_find(struct needles *needles, const char *pattern)
{
    struct reader reader = {.at = pattern};
    /* with x, blanks are no text; it may be set by a verb too */
    bool ok = read_choice(&reader, needles) && !reader.is_beyond &&
              !*reader.at && needles->count > 0;
    if (!ok)
        needles->count = 0;
    return ok;
}
