/* Conditions, loops and functions of a script. Loops over known words are read
 * once for each of them. */
#include "base/xalloc.h"
#include "fleet/shellscript-internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* Words of "{1..9}" and "$(seq 9)". */
#define MAX_RANGE 1024

/* Words that begin or end something around a command; depth: how deep in it the
 * next command is. */
static const struct {
    const char *word;
    int depth;
} reserved[] = {
    {"if", 1},    {"then", 0},  {"elif", 0}, {"else", 0},  {"fi", -1},
    {"while", 1}, {"until", 1}, {"do", 0},   {"done", -1}, {"esac", -1},
    {"{", 1},     {"}", -1},    {"!", 0},    {"time", 0},
};

/* The loop that the next command ends, if it is one that is read again. */
static struct script_loop *
innermost(struct script_reader *reader)
{
    struct script_loop *loop =
        reader->loop_count ? &reader->loops[reader->loop_count - 1] : NULL;
    return loop && loop->depth == reader->depth ? loop : NULL;
}

static void
set_turn(struct script_reader *reader, struct script_loop *loop)
{
    struct script_words value = {0};
    script_add(&value, xstrdup(loop->words.items[loop->turn]));
    script_set(reader, loop->name, strlen(loop->name), SCRIPT_SET_TURN, &value,
               NULL);
}

/* "do": the body begins here. */
static void
begin_body(struct script_reader *reader)
{
    struct script_loop *loop = innermost(reader);
    if (loop && !loop->body_at) {
        loop->body_at = reader->at;
        loop->body_line = reader->line;
    }
}

/* "done": true: the loop has another turn. */
static bool
begin_turn(struct script_reader *reader)
{
    struct script_loop *loop = innermost(reader);
    if (!loop)
        return false;
    if (loop->body_at && ++loop->turn < loop->words.count) {
        set_turn(reader, loop);
        reader->at = loop->body_at;
        reader->line = loop->body_line;
        return true;
    }
    script_words_finish(&loop->words);
    free(loop->name);
    reader->loop_count--;
    return false;
}

bool
script_take_reserved(struct script_reader *reader, const char *word)
{
    for (size_t i = 0; i < COUNT(reserved); i++) {
        if (strcmp(reserved[i].word, word) != 0)
            continue;
        if (!strcmp(word, "do"))
            begin_body(reader);
        if (!strcmp(word, "done") && begin_turn(reader))
            return true;
        if (reserved[i].depth < 0)
            reader->depth -= reader->depth > 0;
        else
            reader->depth += (unsigned)reserved[i].depth;
        return true;
    }
    return false;
}

/* "{1..3}" becomes three words, any other stays. */
static void
add_word(struct script_words *words, const char *word)
{
    int first = 0;
    int last = 0;
    int end = -1;
    (void)sscanf(word, "{%7d..%7d}%n", &first, &last, &end);
    bool is_range = end > 0 && !word[end] && abs(last - first) < MAX_RANGE;
    if (!is_range) {
        script_add(words, xstrdup(word));
        return;
    }
    for (int i = first;; i += last < first ? -1 : 1) {
        script_add(words, xasprintf("%d", i));
        if (i == last)
            return;
    }
}

/* "for NAME in WORDS": read again for each word when all are known. */
static bool
begin_loop(struct script_reader *reader)
{
    char **words = reader->words.items;
    if (strcmp(words[0], "for") != 0 || reader->words.count < 4 ||
        strcmp(words[2], "in") != 0 || reader->problem ||
        reader->loop_count == SCRIPT_MAX_LOOPS)
        return false;
    struct script_loop *loop = &reader->loops[reader->loop_count++];
    *loop =
        (struct script_loop){.name = xstrdup(words[1]), .depth = reader->depth};
    for (size_t i = 3; i < reader->words.count; i++)
        add_word(&loop->words, words[i]);
    set_turn(reader, loop);
    return true;
}

/* Takes a text off, and blanks before it. False: it is not there. */
static bool
take(const char **at, const char *text)
{
    *at += strspn(*at, " \t");
    size_t len = strlen(text);
    bool is_there = !strncmp(*at, text, len);
    *at += is_there ? len : 0;
    return is_there;
}

static bool
take_number(const char **at, int *ret)
{
    int len = -1;
    (void)sscanf(*at, " %7d%n", ret, &len);
    *at += len > 0 ? len : 0;
    return len > 0;
}

/* "((i = 0; i < 3; i++))": from the first number up to, and without, the last.
 * *at: at its variable; moved behind it. */
static bool
read_count(const char **at, const char *name, int *ret_first, int *ret_end)
{
    bool ok = take(at, name) && take(at, "=") && take_number(at, ret_first) &&
              take(at, ";") && take(at, name) && take(at, "<");
    bool is_within = ok && take(at, "=");
    ok = ok && take_number(at, ret_end) && take(at, ";");
    ok = ok && (take(at, "++")
                    ? take(at, name)
                    : take(at, name) && (take(at, "++") ||
                                         (take(at, "+=") && take(at, "1"))));
    *ret_end += is_within;
    return ok && take(at, "))") && *ret_end > *ret_first &&
           *ret_end - *ret_first <= MAX_RANGE;
}

bool
script_begin_counting(struct script_reader *reader)
{
    const char *start = reader->text + reader->at + 2;
    const char *at = start;
    start += strspn(start, " \t");
    char *name = xstrndup(start, script_name_length(start));
    int first = 0;
    int end = 0;
    bool is_read = name[0] && read_count(&at, name, &first, &end);
    script_add(&reader->words, name);
    if (!is_read) {
        script_skip_nested(reader, '(', ')');
        return true; /* a loop over something, for script_begin_block */
    }
    reader->at = (size_t)(at - reader->text);
    script_add(&reader->words, xstrdup("in"));
    for (int i = first; i < end; i++)
        script_add(&reader->words, xasprintf("%d", i));
    return true;
}

bool
script_begin_block(struct script_reader *reader)
{
    char **words = reader->words.items;
    size_t count = reader->words.count;
    bool is_loop =
        count >= 2 && (!strcmp(words[0], "for") || !strcmp(words[0], "select"));
    bool is_case = count >= 1 && !strcmp(words[0], "case");
    bool is_read = count >= 2 && !strcmp(words[0], "read");
    reader->depth += is_loop || is_case;
    if (is_loop && begin_loop(reader))
        return true;
    if (!is_loop && !is_read)
        return false;
    struct script_words none = {0};
    script_set(reader, words[1], strlen(words[1]), 0, &none,
               is_loop ? xasprintf("it is the variable of a loop (line %u) "
                                   "that only a shell can run",
                                   reader->command_line)
                       : xstrdup("it is read when the script runs"));
    return false;
}

void
script_blocks_finish(struct script_reader *reader)
{
    for (size_t i = 0; i < reader->loop_count; i++) {
        script_words_finish(&reader->loops[i].words);
        free(reader->loops[i].name);
    }
}
