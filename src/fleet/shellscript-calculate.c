/* What a script calculates with numbers that it says: $((N + 1)), $(seq N). */
#include "base/xalloc.h"
#include "fleet/shellscript-internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Numbers beyond it are left to a shell; no product of two overflows. */
#define MAX_NUMBER 1000000000
/* Parentheses within parentheses. */
#define MAX_DEPTH 16
/* Numbers of one seq. */
#define MAX_SEQUENCE 1024

struct calculation {
    struct script_reader *reader;
    const char *at;
    int depth;
    bool is_wrong; /* it is something else, or too large */
};

static long long add_all(struct calculation *sum);

static long long
wrong(struct calculation *sum)
{
    sum->is_wrong = true;
    return 0;
}

static char
next_of(struct calculation *sum)
{
    sum->at += strspn(sum->at, " \t\n");
    return sum->at[0];
}

/* A text that is a plain number. */
static long long
number_of(struct calculation *sum, const char *text, size_t len)
{
    if (len == 0 || len > 9 || (len > 1 && text[0] == '0'))
        return wrong(sum);
    return strtoll(text, NULL, 10);
}

static long long
variable_of(struct calculation *sum, size_t len)
{
    const struct script_variable *found =
        script_find(sum->reader, sum->at, len);
    sum->at += len;
    if (!found || found->problem || found->values.count != 1)
        return wrong(sum);
    const char *text = found->values.items[0];
    if (text[strspn(text, "0123456789")])
        return wrong(sum);
    return number_of(sum, text, strlen(text));
}

/* A number, a variable, or what is in parentheses. */
static long long
one(struct calculation *sum)
{
    char c = next_of(sum);
    if (c == '(' && sum->depth < MAX_DEPTH) {
        sum->at++;
        sum->depth++;
        long long value = add_all(sum);
        sum->depth--;
        if (next_of(sum) != ')')
            return wrong(sum);
        sum->at++;
        return value;
    }
    if (c == '-' && sum->depth < MAX_DEPTH) {
        sum->at++;
        sum->depth++;
        long long value = one(sum);
        sum->depth--;
        return -value;
    }
    bool is_braced = !strncmp(sum->at, "${", 2);
    sum->at += is_braced ? 2 : c == '$';
    size_t len = script_name_length(sum->at);
    if (len) {
        long long value = variable_of(sum, len);
        if (is_braced && *sum->at++ != '}')
            return wrong(sum);
        return value;
    }
    len = strspn(sum->at, "0123456789");
    const char *digits = sum->at;
    sum->at += len;
    return is_braced ? wrong(sum) : number_of(sum, digits, len);
}

static long long
multiply_all(struct calculation *sum)
{
    long long value = one(sum);
    for (char c; !sum->is_wrong && (c = next_of(sum)) && strchr("*/%", c);) {
        sum->at++;
        long long other = one(sum);
        if (sum->is_wrong || (c != '*' && other == 0))
            return wrong(sum);
        value = c == '*'   ? value * other
                : c == '/' ? value / other
                           : value % other;
        if (llabs(value) > MAX_NUMBER)
            return wrong(sum);
    }
    return value;
}

static long long
add_all(struct calculation *sum)
{
    long long value = multiply_all(sum);
    for (char c; !sum->is_wrong && (c = next_of(sum)) && strchr("+-", c);) {
        sum->at++;
        long long other = multiply_all(sum);
        value += c == '+' ? other : -other;
        if (llabs(value) > MAX_NUMBER)
            return wrong(sum);
    }
    return value;
}

/* "((2200 + i))", at is at the first parenthesis. */
static bool
calculate(struct script_reader *reader, bool *ret_ok)
{
    char text[24];
    struct calculation sum = {reader, reader->text + reader->at + 2, 0, false};
    long long value = add_all(&sum);
    if (sum.is_wrong || next_of(&sum) != ')' || sum.at[1] != ')')
        return false;
    for (const char *c = reader->text + reader->at; c < sum.at; c++)
        reader->line += *c == '\n';
    reader->at = (size_t)(sum.at - reader->text) + 2;
    (void)snprintf(text, sizeof(text), "%lld", value);
    *ret_ok = script_put_value(reader, text, true);
    return true;
}

/* "(seq 3)", "(seq 0 2)". */
static bool
count_up(struct script_reader *reader, bool *ret_ok)
{
    const char *here = reader->text + reader->at;
    int first = 1;
    int last = 0;
    int end = -1;
    (void)sscanf(here, "(seq %7d %7d)%n", &first, &last, &end);
    if (end < 0) {
        first = 1;
        (void)sscanf(here, "(seq %7d)%n", &last, &end);
    }
    if (end < 0 || last < first || last - first >= MAX_SEQUENCE)
        return false;
    struct buffer text = {0};
    for (int i = first; i <= last; i++)
        buffer_printf(&text, "%s%d", i == first ? "" : " ", i);
    reader->at += (size_t)end;
    *ret_ok = script_put_value(reader, text.data, false);
    buffer_finish(&text);
    return true;
}

bool
script_calculate(struct script_reader *reader, bool *ret_ok)
{
    const char *here = reader->text + reader->at;
    return !strncmp(here, "((", 2) ? calculate(reader, ret_ok)
                                   : count_up(reader, ret_ok);
}
