#include "cli/moment.h"

#include "base/clock.h"
#include "cli/options.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Seconds; nobody has logs from before 1970. */
#define MAX_SECONDS INT64_C(100000000000)

/* Digits at *text, at most max of them. */
static bool
take_digits(const char **text, size_t min, size_t max, int64_t *ret_value)
{
    int64_t value = 0;
    size_t count = 0;
    for (; count < max && isdigit((unsigned char)(*text)[count]); count++)
        value = value * 10 + ((*text)[count] - '0');
    if (count < min)
        return false;
    *text += count;
    *ret_value = value;
    return true;
}

/* "1h30m" as seconds. */
static bool
take_duration(const char *text, int64_t *ret_seconds)
{
    static const struct {
        char letter;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    int64_t sum = 0;
    if (!*text)
        return false;
    while (*text) {
        int64_t value = 0;
        int64_t seconds = 0;
        if (!take_digits(&text, 1, 9, &value))
            return false;
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
            if (*text == units[i].letter)
                seconds = units[i].seconds;
        }
        if (!*text)
            seconds = 1;
        else
            text++;
        if (!seconds)
            return false;
        sum += value * seconds;
        if (sum > MAX_SECONDS)
            return false;
    }
    *ret_seconds = sum;
    return true;
}

/* "2026-03-01". */
static bool
take_date(const char **text, struct tm *when)
{
    const char *at = *text;
    int64_t year = 0;
    int64_t month = 0;
    int64_t day = 0;
    if (!take_digits(&at, 4, 4, &year) || *at++ != '-' ||
        !take_digits(&at, 2, 2, &month) || *at++ != '-' ||
        !take_digits(&at, 2, 2, &day) || month < 1 || month > 12 || day < 1 ||
        day > 31)
        return false;
    when->tm_year = (int)year - 1900;
    when->tm_mon = (int)month - 1;
    when->tm_mday = (int)day;
    *text = at;
    return true;
}

/* "14:05", "14:05:30", "14:05:30.25". */
static bool
take_clock(const char **text, struct tm *when, int64_t *ret_ms)
{
    const char *at = *text;
    int64_t hour = 0;
    int64_t minute = 0;
    int64_t second = 0;
    if (!take_digits(&at, 1, 2, &hour) || *at++ != ':' ||
        !take_digits(&at, 2, 2, &minute) || hour > 23 || minute > 59)
        return false;
    if (*at == ':') {
        at++;
        if (!take_digits(&at, 2, 2, &second) || second > 60)
            return false;
    }
    if (*at == '.') {
        at++;
        for (int64_t unit = 100; isdigit((unsigned char)*at); at++) {
            *ret_ms += (*at - '0') * unit;
            unit /= 10;
        }
    }
    when->tm_hour = (int)hour;
    when->tm_min = (int)minute;
    when->tm_sec = (int)second;
    *text = at;
    return true;
}

static bool
take_calendar(const char *text, int64_t now_ms, int64_t *ret_ms)
{
    struct tm when;
    time_t now = (time_t)(now_ms / 1000);
    int64_t ms = 0;
    if (!localtime_r(&now, &when))
        return false;
    when.tm_hour = when.tm_min = when.tm_sec = 0;
    bool is_relative = true;
    if (!strcmp(text, "yesterday"))
        when.tm_mday--;
    else if (strcmp(text, "today") != 0)
        is_relative = false;
    if (is_relative)
        text += strlen(text);
    bool has_date = !is_relative && take_date(&text, &when);
    if (has_date && (*text == 'T' || *text == ' ') && text[1])
        text++;
    else if (has_date && *text)
        return false;
    if (!is_relative && (!has_date || *text) && !take_clock(&text, &when, &ms))
        return false;
    bool is_utc = has_date && *text == 'Z';
    if (text[is_utc ? 1 : 0])
        return false;
    when.tm_isdst = -1;
    struct tm given = when;
    time_t seconds = is_utc ? timegm(&when) : mktime(&when);
    /* the 31st of February is the 3rd of March, and not what was meant */
    if (seconds < 0 || (has_date && when.tm_mon != given.tm_mon))
        return false;
    *ret_ms = (int64_t)seconds * 1000 + ms;
    return true;
}

bool
moment_parse(const char *text, int64_t now_ms, int64_t *ret_ms,
             struct error *error)
{
    int64_t seconds = 0;
    const char *at = text + 1;
    if (!strcmp(text, "now")) {
        *ret_ms = now_ms;
        return true;
    }
    if (text[0] == '@' && take_digits(&at, 1, 11, &seconds) && !*at) {
        *ret_ms = seconds * 1000;
        return true;
    }
    if (take_duration(text, &seconds)) {
        *ret_ms = now_ms > seconds * 1000 ? now_ms - seconds * 1000 : 0;
        return true;
    }
    if (take_calendar(text, now_ms, ret_ms))
        return true;
    return error_set(error, ERROR_CODE_INVALID,
                     "\"%.40s\" is no time (try 10m, 1h30m, 14:05, "
                     "yesterday, \"2026-03-01 14:05\")",
                     text);
}

void
moment_format(int64_t ms, enum moment_style style, char text[MOMENT_MAX_BYTES])
{
    struct tm when;
    time_t seconds = (time_t)(ms / 1000);
    text[0] = '\0';
    if (!localtime_r(&seconds, &when))
        return;
    size_t len = strftime(text, MOMENT_MAX_BYTES, "%Y-%m-%d %H:%M:%S", &when);
    if (style == MOMENT_FULL)
        (void)snprintf(text + len, MOMENT_MAX_BYTES - len, ".%03d",
                       (int)(ms % 1000));
}

bool
moment_of_option(const struct options *given, const char *option,
                 int64_t now_ms, int64_t *ret_ms, struct error *error)
{
    return moment_parse(options_text(given, option), now_ms, ret_ms, error) ||
           error_prefix(error, "--%s", option);
}

bool
moment_check_range(int64_t since_ms, int64_t until_ms, struct error *error)
{
    char since[MOMENT_MAX_BYTES];
    char until[MOMENT_MAX_BYTES];
    if (since_ms <= until_ms)
        return true;
    moment_format(since_ms, MOMENT_DATE, since);
    moment_format(until_ms, MOMENT_DATE, until);
    return error_set(error, ERROR_CODE_INVALID,
                     "--since (%s) is later than --until (%s)", since, until);
}

bool
moment_put_range(json_t *object, const struct options *given,
                 struct error *error)
{
    static const char *const names[] = {"since", "until"};
    static const char *const members[] = {"since-ms", "until-ms"};
    int64_t now_ms = clock_wall_ms();
    int64_t ms[] = {0, INT64_MAX};
    for (size_t i = 0; i < 2; i++) {
        if (!options_has(given, names[i]))
            continue;
        if (!moment_of_option(given, names[i], now_ms, &ms[i], error))
            return false;
        json_object_set_new(object, members[i],
                            json_integer(ms[i] < 0 ? 0 : ms[i]));
    }
    return moment_check_range(ms[0], ms[1], error);
}
