#include "fleet/alert-rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
file_is_read(void **state)
{
    (void)state;
    static const char text[] =
        "{\"version\": 1, \"bell\": \"critical\", \"notify\": \"off\",\n"
        " \"notify-with\": \"osc777\", \"rules\": [\n"
        "  {\"name\": \"a\", \"pattern\": \"x+\", \"severity\": \"critical\",\n"
        "   \"message\": \"hm\", \"run\": [\"true\", \"1\"], \"timeout\": 5,\n"
        "   \"prompt\": true},\n"
        "  {\"name\": \"b\", \"enabled\": false}]}";
    struct alert_file file = {0};
    struct error error = {0};
    if (!alert_file_parse(&file, "f", text, sizeof(text) - 1, &error))
        fail_msg("%s", error.text);
    assert_int_equal(file.bell, ALERT_CRITICAL);
    assert_int_equal(file.notify, ALERT_UNSET);
    assert_true(file.is_notify_777);
    assert_int_equal(file.rules.count, 2);
    const struct alert_rule *rule = &file.rules.items[0];
    assert_string_equal(rule->name, "a");
    assert_string_equal(rule->pattern, "x+");
    assert_string_equal(rule->message, "hm");
    assert_int_equal(rule->severity, ALERT_CRITICAL);
    assert_string_equal(rule->run[1], "1");
    assert_int_equal(rule->timeout_s, 5);
    assert_int_equal(rule->prompt, 1);
    assert_true(file.rules.items[1].is_off);
    assert_int_equal(file.rules.items[1].severity, ALERT_UNSET);
    alert_file_finish(&file);
}

static const struct {
    const char *text;
    const char *message;
    size_t count; /* of the rules that are right */
} rows[] = {
    {"{\"rules\": [{\"name\": \"a\", \"pattern\": \"(\"}]}",
     "f:1:37: rules[0].pattern: this is no regular expression: missing closing "
     "parenthesis, at character 2",
     0},
    {"{\"rules\": [\n{\"pattern\": \"x\"},\n{\"name\": \"b\"}]}",
     "f:2:1: rules[0]: \"name\" is missing", 1},
    {"{\"rules\": [{\"name\": \"a\", \"paterns\": \"x\"}]}",
     "f:1:26: rules[0].paterns: unknown field \"paterns\" (did you mean "
     "\"pattern\"?)",
     0},
    {"{\"rules\": [{\"name\": \"a\", \"severity\": \"bad\"}]}",
     "f:1:38: rules[0].severity: \"bad\" is not a severity (info, warning or "
     "critical)",
     0},
    {"{\"rules\": [{\"name\": \"a b\"}]}",
     "f:1:21: rules[0].name: \"a b\" is not a name (letters, digits, '.', '_' "
     "and '-', a letter or digit first, at most 48)",
     0},
    {"{\"rules\": [{\"name\": \"a\"}, {\"name\": \"a\"}]}",
     "f:1:27: rules[1]: there is a rule \"a\" before it", 1},
    {"{\"rules\": [{\"name\": \"a\", \"run\": \"sh -c x\"}]}",
     "f:1:33: rules[0].run: this is a string, not an array of strings: a "
     "program and its arguments",
     0},
    {"{\"rules\": [{\"name\": \"a\", \"run\": [\"./x\"]}]}",
     "f:1:34: rules[0].run[0]: this is neither an absolute path nor the bare "
     "name of a program",
     0},
    {"{\"rules\": [{\"name\": \"a\", \"prompt\": \"# $\"}]}",
     "f:1:36: rules[0].prompt: this is a string, not true or false", 0},
    {"{\"rules\": [{\"name\": \"a\", \"timeout\": 0}]}",
     "f:1:37: rules[0].timeout: 0 is not within 1 and 3600", 0},
    {"{\"bell\": \"loud\"}",
     "f:1:10: bell: \"loud\" is not a severity (off, info, warning or "
     "critical)",
     0},
    {"{\"notify-with\": 9}",
     "f:1:17: notify-with: this is neither \"osc9\" nor \"osc777\"", 0},
    {"{\"version\": 2}", "f:1:13: version: this guestmux reads version 1", 0},
    {"{\"rule\": []}",
     "f:1:2: rule: unknown field \"rule\" (did you mean \"rules\"?)", 0},
    {"[]", "f:1:1: this is an array, not an object with \"rules\"", 0},
};

static void
mistakes_are_told_and_the_rest_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct alert_file file = {0};
        struct error error = {0};
        assert_false(alert_file_parse(&file, "f", rows[i].text,
                                      strlen(rows[i].text), &error));
        assert_string_equal(error.text, rows[i].message);
        assert_int_equal(file.rules.count, rows[i].count);
        alert_file_finish(&file);
    }
}

static void
what_is_no_json_is_told(void **state)
{
    (void)state;
    struct alert_file file = {0};
    struct error error = {0};
    assert_false(alert_file_parse(&file, "f", "{\"rules\": [}", 12, &error));
    assert_non_null(strstr(error.text, "f:1:12"));
    alert_file_finish(&file);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_is_read),
        cmocka_unit_test(mistakes_are_told_and_the_rest_counts),
        cmocka_unit_test(what_is_no_json_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
