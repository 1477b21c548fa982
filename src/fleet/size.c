#include "fleet/size.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Most digits before and after the point: all that 64 bits could want. */
#define MAX_DIGITS 18

static const struct {
    const char *name;
    unsigned shift;
} units[] = {
    {"", 20},   {"b", 0},    {"k", 10}, {"kb", 10}, {"kib", 10}, {"m", 20},
    {"mb", 20}, {"mib", 20}, {"g", 30}, {"gb", 30}, {"gib", 30}, {"t", 40},
    {"tb", 40}, {"tib", 40}, {"p", 50}, {"pb", 50}, {"pib", 50},
};

static bool
find_unit(const char *text, unsigned *ret_shift)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (!strcasecmp(text, units[i].name)) {
            *ret_shift = units[i].shift;
            return true;
        }
    }
    return false;
}

static const char *
read_digits(const char *text, uint64_t *ret_number, unsigned *ret_count)
{
    uint64_t number = 0;
    unsigned count = 0;
    for (; isdigit((unsigned char)*text) && count <= MAX_DIGITS; text++) {
        number = number * 10 + (uint64_t)(*text - '0');
        count++;
    }
    *ret_number = number;
    *ret_count = count;
    return text;
}

bool
size_parse(const char *text, uint64_t *ret_bytes)
{
    uint64_t whole = 0;
    uint64_t part = 0;
    unsigned digits = 0;
    unsigned part_digits = 0;
    text = read_digits(text, &whole, &digits);
    if (digits == 0 || digits > MAX_DIGITS)
        return false;
    if (*text == '.') {
        text = read_digits(text + 1, &part, &part_digits);
        if (part_digits == 0 || part_digits > MAX_DIGITS)
            return false;
    }
    text += *text == ' ';
    unsigned shift = 0;
    if (!find_unit(text, &shift))
        return false;
    if (whole > (UINT64_MAX >> 1) >> shift)
        return false;
    long double fraction = (long double)part;
    for (unsigned i = 0; i < part_digits; i++)
        fraction /= 10;
    fraction *= (long double)(UINT64_C(1) << shift);
    *ret_bytes = (whole << shift) + (uint64_t)(fraction + 0.5L);
    return true;
}

void
size_suggest(const char *text, char suggestion[16])
{
    size_t len = strspn(text, "0123456789");
    while (len > 1 && text[0] == '0') {
        text++;
        len--;
    }
    if (len == 0 || len > 6 || text[0] == '0')
        memcpy(suggestion, "2G", sizeof("2G"));
    else
        (void)snprintf(suggestion, 16, "%.*s%c", (int)len, text,
                       len > 2 ? 'M' : 'G');
}
