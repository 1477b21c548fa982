#include "fleet/alert-rules.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include "base/nearest.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "fleet/shellwords.h"
#include "fleet/spec-internal.h"
#include "fleet/syntax.h"

#include <stdlib.h>
#include <string.h>

#include <pcre2.h>

/* The version of alerts.json's form. */
#define FILE_VERSION 1

static const char *const severity_names[ALERT_SEVERITY_COUNT] = {
    [ALERT_INFO] = "info",
    [ALERT_WARNING] = "warning",
    [ALERT_CRITICAL] = "critical",
};

const char *
alert_severity_name(int severity)
{
    return severity >= 0 && severity < ALERT_SEVERITY_COUNT
               ? severity_names[severity]
               : "off";
}

bool
alert_severity_parse(const char *text, int *ret_severity)
{
    for (int i = 0; i < ALERT_SEVERITY_COUNT; i++) {
        if (strcmp(text, severity_names[i]) == 0) {
            *ret_severity = i;
            return true;
        }
    }
    return false;
}

static void
finish_rule(struct alert_rule *rule)
{
    free(rule->name);
    free(rule->pattern);
    free(rule->message);
    shellwords_free(rule->run);
    *rule = (struct alert_rule){0};
}

void
alert_rules_finish(struct alert_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++)
        finish_rule(&rules->items[i]);
    free(rules->items);
    *rules = (struct alert_rules){0};
}

void
alert_file_finish(struct alert_file *file)
{
    alert_rules_finish(&file->rules);
    *file = (struct alert_file){.bell = ALERT_UNSET, .notify = ALERT_UNSET};
}

/* Members ------------------------------------------------------------------ */

/* A rule being read. */
struct rule_reader {
    struct spec_reader spec; /* its mistakes; it has no spec */
    struct alert_rule *rule;
};

static void
read_name(struct rule_reader *reader, const json_t *value,
          const struct place *place)
{
    char *name = spec_take_text(&reader->spec, value, place,
                                ALERT_MESSAGE_MAX_BYTES, SPEC_TEXT_ONE_LINE);
    if (name && !text_is_name(name)) {
        char *shown = spec_show(name);
        mistakes_add(reader->spec.mistakes, place, POSITIONS_PART_VALUE,
                     "\"%s\" is not a name (letters, digits, '.', '_' and "
                     "'-', a letter or digit first, at most 48)",
                     shown);
        free(shown);
        free(name);
        return;
    }
    reader->rule->name = name;
}

char *
spec_take_pattern(struct spec_reader *reader, const json_t *value,
                  const struct place *place)
{
    char *pattern = spec_take_text(reader, value, place,
                                   ALERT_PATTERN_MAX_BYTES, SPEC_TEXT_LINES);
    int number = 0;
    PCRE2_SIZE at = 0;
    if (!pattern)
        return NULL;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, strlen(pattern),
                                     PCRE2_UTF | PCRE2_MATCH_INVALID_UTF |
                                         PCRE2_NEVER_BACKSLASH_C,
                                     &number, &at, NULL);
    if (code) {
        pcre2_code_free(code);
        return pattern;
    }
    PCRE2_UCHAR text[256];
    (void)pcre2_get_error_message(number, text, sizeof(text));
    mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                 "this is no regular expression: %s, at character %zu",
                 (const char *)text, (size_t)at + 1);
    free(pattern);
    return NULL;
}

static void
read_pattern(struct rule_reader *reader, const json_t *value,
             const struct place *place)
{
    char *pattern = spec_take_pattern(&reader->spec, value, place);
    if (pattern)
        reader->rule->pattern = pattern;
}

static void
read_message(struct rule_reader *reader, const json_t *value,
             const struct place *place)
{
    reader->rule->message =
        spec_take_text(&reader->spec, value, place, ALERT_MESSAGE_MAX_BYTES,
                       SPEC_TEXT_ONE_LINE);
}

/* A severity, or, when has_off, "off". */
static void
take_severity(struct mistakes *mistakes, const json_t *value,
              const struct place *place, bool has_off, int *ret_severity)
{
    const char *text = json_string_value(value);
    if (!text) {
        spec_wrong_type(mistakes, place, value, "a string");
        return;
    }
    if (has_off && strcmp(text, "off") == 0) {
        *ret_severity = ALERT_UNSET;
        return;
    }
    if (alert_severity_parse(text, ret_severity))
        return;
    char *shown = spec_show(text);
    mistakes_add(mistakes, place, POSITIONS_PART_VALUE,
                 "\"%s\" is not a severity (%sinfo, warning or critical)",
                 shown, has_off ? "off, " : "");
    free(shown);
}

static void
read_severity(struct rule_reader *reader, const json_t *value,
              const struct place *place)
{
    take_severity(reader->spec.mistakes, value, place, false,
                  &reader->rule->severity);
}

static void
read_run(struct rule_reader *reader, const json_t *value,
         const struct place *place)
{
    if (!json_is_array(value)) {
        spec_wrong_type(reader->spec.mistakes, place, value,
                        "an array of strings: a program and its arguments");
        return;
    }
    char **words = spec_take_words(&reader->spec, value, place);
    if (words && words[0] && words[0][0] != '/' &&
        (!words[0][0] || strchr(words[0], '/'))) {
        struct place first = {place, NULL, 0};
        mistakes_add(reader->spec.mistakes, &first, POSITIONS_PART_VALUE,
                     "this is neither an absolute path nor the bare name of "
                     "a program");
        shellwords_free(words);
        return;
    }
    reader->rule->run = words;
}

static void
read_timeout(struct rule_reader *reader, const json_t *value,
             const struct place *place)
{
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value))
        spec_wrong_type(reader->spec.mistakes, place, value, "an integer");
    else if (number < 1 || number > ALERT_MAX_TIMEOUT_S)
        mistakes_add(reader->spec.mistakes, place, POSITIONS_PART_VALUE,
                     "%" JSON_INTEGER_FORMAT " is not within 1 and %d", number,
                     ALERT_MAX_TIMEOUT_S);
    else
        reader->rule->timeout_s = (int)number;
}

static bool
take_boolean(struct rule_reader *reader, const json_t *value,
             const struct place *place)
{
    if (json_is_boolean(value))
        return true;
    spec_wrong_type(reader->spec.mistakes, place, value, "true or false");
    return false;
}

static void
read_enabled(struct rule_reader *reader, const json_t *value,
             const struct place *place)
{
    if (take_boolean(reader, value, place))
        reader->rule->is_off = !json_is_true(value);
}

static void
read_prompt(struct rule_reader *reader, const json_t *value,
            const struct place *place)
{
    if (take_boolean(reader, value, place))
        reader->rule->prompt = json_is_true(value);
}

static const struct rule_field {
    const char *name;
    void (*read)(struct rule_reader *reader, const json_t *value,
                 const struct place *place);
} rule_fields[] = {
    {"name", read_name},       {"pattern", read_pattern},
    {"message", read_message}, {"severity", read_severity},
    {"run", read_run},         {"timeout", read_timeout},
    {"prompt", read_prompt},   {"enabled", read_enabled},
};
#define RULE_FIELDS_COUNT (sizeof(rule_fields) / sizeof(*rule_fields))

static void
read_member(struct rule_reader *reader, const json_t *value,
            const struct place *place)
{
    const char *names[RULE_FIELDS_COUNT];
    for (size_t i = 0; i < RULE_FIELDS_COUNT; i++) {
        names[i] = rule_fields[i].name;
        if (strcmp(place->key, names[i]) == 0) {
            rule_fields[i].read(reader, value, place);
            return;
        }
    }
    spec_unknown_field(reader->spec.mistakes, place, names, RULE_FIELDS_COUNT);
}

/* Rules -------------------------------------------------------------------- */

static bool
is_named(const struct alert_rules *rules, const char *name)
{
    for (size_t i = 0; i < rules->count; i++) {
        const char *taken = rules->items[i].name;
        if (taken && strcmp(taken, name) == 0)
            return true;
    }
    return false;
}

/* Reads one rule and adds it, unless there is a mistake in it. */
static void
read_rule(struct alert_rules *rules, const json_t *value,
          const struct place *place, struct mistakes *mistakes)
{
    size_t before = mistakes->count + mistakes->dropped;
    struct alert_rule rule = {.severity = ALERT_UNSET, .prompt = ALERT_UNSET};
    struct rule_reader reader = {.spec = {.mistakes = mistakes}, .rule = &rule};
    const char *key = NULL;
    json_t *member = NULL;
    if (!json_is_object(value)) {
        spec_wrong_type(mistakes, place, value, "an object: an alert rule");
        return;
    }
    json_object_foreach((json_t *)value, key, member)
    {
        struct place at = {place, key, 0};
        read_member(&reader, member, &at);
    }
    if (!json_object_get(value, "name"))
        mistakes_add(mistakes, place, POSITIONS_PART_VALUE,
                     "\"name\" is missing");
    else if (rule.name && is_named(rules, rule.name))
        mistakes_add(mistakes, place, POSITIONS_PART_VALUE,
                     "there is a rule \"%s\" before it", rule.name);
    if (mistakes->count + mistakes->dropped == before)
        rules->items[rules->count++] = rule;
    else
        finish_rule(&rule);
}

void
spec_take_alert_rules(struct alert_rules *rules, const json_t *value,
                      const struct place *place, struct mistakes *mistakes)
{
    if (!json_is_array(value)) {
        spec_wrong_type(mistakes, place, value, "an array of alert rules");
        return;
    }
    size_t count = json_array_size(value);
    if (count > ALERT_RULES_MAX) {
        mistakes_add(mistakes, place, POSITIONS_PART_VALUE,
                     "there are %zu rules, at most %d are allowed", count,
                     ALERT_RULES_MAX);
        return;
    }
    alert_rules_finish(rules);
    rules->items = xcalloc(count + 1, sizeof(*rules->items));
    for (size_t i = 0; i < count; i++) {
        struct place item = {place, NULL, i};
        read_rule(rules, json_array_get(value, i), &item, mistakes);
    }
}

void
spec_read_alerts(struct spec_reader *reader, const struct spec_field *field,
                 const json_t *value, const struct place *place)
{
    (void)field;
    spec_take_alert_rules(&reader->spec->alerts, value, place,
                          reader->mistakes);
}

/* The file ----------------------------------------------------------------- */

static const char *const file_fields[] = {"version",     "bell",  "notify",
                                          "notify-with", "rules", "$schema"};
#define FILE_FIELDS_COUNT (sizeof(file_fields) / sizeof(*file_fields))

static void
read_notify_with(struct alert_file *result, const json_t *value,
                 const struct place *place, struct mistakes *mistakes)
{
    const char *text = json_string_value(value);
    if (text && strcmp(text, "osc9") == 0)
        result->is_notify_777 = false;
    else if (text && strcmp(text, "osc777") == 0)
        result->is_notify_777 = true;
    else
        mistakes_add(mistakes, place, POSITIONS_PART_VALUE,
                     "this is neither \"osc9\" nor \"osc777\"");
}

static void
read_file_member(struct alert_file *result, const json_t *value,
                 const struct place *place, struct mistakes *mistakes)
{
    const char *name = place->key;
    if (strcmp(name, "bell") == 0)
        take_severity(mistakes, value, place, true, &result->bell);
    else if (strcmp(name, "notify") == 0)
        take_severity(mistakes, value, place, true, &result->notify);
    else if (strcmp(name, "notify-with") == 0)
        read_notify_with(result, value, place, mistakes);
    else if (strcmp(name, "rules") == 0)
        spec_take_alert_rules(&result->rules, value, place, mistakes);
    else if (strcmp(name, "version") == 0) {
        if (json_integer_value(value) != FILE_VERSION)
            mistakes_add(mistakes, place, POSITIONS_PART_VALUE,
                         "this guestmux reads version %d", FILE_VERSION);
    } else if (strcmp(name, "$schema") != 0) {
        spec_unknown_field(mistakes, place, file_fields, FILE_FIELDS_COUNT);
    }
}

bool
alert_file_parse(struct alert_file *result, const char *file, const char *text,
                 size_t len, struct error *error)
{
    json_error_t fault;
    alert_file_finish(result);
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &fault);
    if (!root) {
        syntax_set_error(file, text, len, &fault, error);
        return false;
    }
    struct positions *positions = positions_new(text, len);
    struct mistakes *mistakes = mistakes_new(file, positions);
    const char *name = NULL;
    json_t *value = NULL;
    if (!json_is_object(root))
        spec_wrong_type(mistakes, NULL, root, "an object with \"rules\"");
    json_object_foreach(root, name, value)
    {
        struct place place = {NULL, name, 0};
        read_file_member(result, value, &place, mistakes);
    }
    bool ok = mistakes_report(mistakes, error);
    mistakes_free(mistakes);
    positions_free(positions);
    json_decref(root);
    return ok;
}
