#include "base/xalloc.h"
#include "server/api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool
is_name(const char *text)
{
    size_t len = strlen(text);
    return len && strspn(text, "abcdefghijklmnopqrstuvwxyz-_") == len &&
           text[0] != '-' && text[len - 1] != '-';
}

/* One line, a capital, no full stop: it stands in tables. */
static void
assert_summary(const char *summary)
{
    assert_non_null(summary);
    size_t len = strlen(summary);
    assert_true(len > 3 && len < 100);
    assert_null(strpbrk(summary, "\n\t"));
    assert_true(summary[len - 1] != '.');
}

static void
every_method_and_argument_says_what_it_is(void **state)
{
    (void)state;
    const struct method *method = NULL;
    size_t count = 0;
    for (size_t i = 0; (method = api_method(i)); i++) {
        assert_true(is_name(method->name));
        assert_summary(method->summary);
        assert_true(method->run != NULL);
        bool was_optional = false;
        for (size_t j = 0;
             j < METHOD_MAX_ARGUMENTS && method->arguments[j].name; j++) {
            const struct method_argument *argument = &method->arguments[j];
            assert_true(is_name(argument->name));
            assert_summary(argument->summary);
            assert_true((unsigned)argument->type < ARGUMENT_TYPE_COUNT);
            assert_true(argument->min <= argument->max);
            if (argument->min || argument->max)
                assert_int_equal(argument->type, ARGUMENT_INTEGER);
            /* required ones come first */
            bool is_required = (argument->flags & ARGUMENT_REQUIRED) != 0;
            assert_false(is_required && was_optional);
            was_optional = !is_required;
            for (size_t k = 0; k < j; k++)
                assert_string_not_equal(argument->name,
                                        method->arguments[k].name);
        }
        count++;
    }
    assert_true(count >= 30);
    assert_null(api_method(count));
    assert_null(api_method(SIZE_MAX));
}

static void
no_two_methods_have_one_name(void **state)
{
    (void)state;
    const struct method *method = NULL;
    const struct method *other = NULL;
    for (size_t i = 0; (method = api_method(i)); i++) {
        for (size_t j = 0; j < i && (other = api_method(j)); j++)
            assert_string_not_equal(method->name, other->name);
    }
}

/* The part before the first dash is the group; a group is not interrupted. */
static void
methods_of_a_group_stand_together(void **state)
{
    (void)state;
    static const char *const groups[] = {"guest-", "console-", "view-",
                                         "keyboard-"};
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        int changes = 0;
        bool was_inside = false;
        const struct method *method = NULL;
        for (size_t j = 0; (method = api_method(j)); j++) {
            bool is_inside =
                !strncmp(method->name, groups[i], strlen(groups[i])) &&
                strcmp(method->name, "guest-define") != 0;
            changes += is_inside && !was_inside;
            was_inside = is_inside;
        }
        assert_int_equal(changes, 1);
    }
}

static void
every_method_of_the_contract_is_there(void **state)
{
    (void)state;
    static const char *const names[] = {
        "qmp_capabilities", "query-version",  "query-commands",
        "query-server",     "server-quit",    "events-subscribe",
        "fleet-apply",      "guest-list",     "guest-query",
        "guest-define",     "guest-command",  "guest-start",
        "guest-shutdown",   "guest-kill",     "guest-pause",
        "guest-resume",     "guest-reset",    "guest-restart",
        "guest-remove",     "guest-qmp",      "guest-wait",
        "console-send",     "console-wait",   "console-capture",
        "console-log",      "console-resize", "view-open",
        "view-change",      "view-ack",       "view-close",
        "client-set",       "query-clients",  "keyboard-take",
        "keyboard-release", "console-fit",    "fleet-start",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct method *method = NULL;
        size_t at = 0;
        while ((method = api_method(at)) && strcmp(method->name, names[i]) != 0)
            at++;
        if (!method)
            fail_msg("%s", names[i]);
    }
}

/* What a read-only client may call. */
static void
nothing_that_changes_a_guest_is_for_read_only_clients(void **state)
{
    (void)state;
    static const char *const changing[] = {
        "console-send",     "console-resize", "console-fit",   "keyboard-take",
        "guest-start",      "guest-shutdown", "guest-kill",    "guest-pause",
        "guest-resume",     "guest-reset",    "guest-restart", "guest-remove",
        "guest-qmp",        "guest-define",   "fleet-apply",   "server-quit",
        "keyboard-release", "fleet-start",
    };
    static const char *const looking[] = {
        "guest-list",      "console-log", "console-wait", "view-open",
        "console-capture", "view-ack",    "client-set",   "query-clients",
    };
    const struct method *method = NULL;
    for (size_t i = 0; (method = api_method(i)); i++) {
        bool may_look = method->flags & METHOD_READS;
        for (size_t j = 0; j < sizeof(changing) / sizeof(changing[0]); j++) {
            if (!strcmp(method->name, changing[j]) && may_look)
                fail_msg("%s is for read-only clients", method->name);
        }
        for (size_t j = 0; j < sizeof(looking) / sizeof(looking[0]); j++) {
            if (!strcmp(method->name, looking[j]) && !may_look)
                fail_msg("%s is not for read-only clients", method->name);
        }
    }
}

static void
description_is_the_table(void **state)
{
    (void)state;
    json_t *list = api_describe();
    const struct method *method = NULL;
    size_t i = 0;
    for (; (method = api_method(i)); i++) {
        json_t *entry = json_array_get(list, i);
        assert_string_equal(json_string_value(json_object_get(entry, "name")),
                            method->name);
        json_t *arguments = json_object_get(entry, "arguments");
        for (size_t j = 0; j < json_array_size(arguments); j++) {
            json_t *argument = json_array_get(arguments, j);
            const struct method_argument *row = &method->arguments[j];
            assert_string_equal(
                json_string_value(json_object_get(argument, "name")),
                row->name);
            assert_string_equal(
                json_string_value(json_object_get(argument, "type")),
                argument_type_name(row->type));
            assert_int_equal(
                json_is_true(json_object_get(argument, "required")),
                row->flags & ARGUMENT_REQUIRED);
        }
        size_t count = json_array_size(arguments);
        assert_true(count == METHOD_MAX_ARGUMENTS ||
                    !method->arguments[count].name);
    }
    assert_int_equal(json_array_size(list), i);
    json_decref(list);
}

static const struct {
    const char *command;
    bool is_known; /* the method is there */
    enum error_code code;
    const char *text; /* NULL: it is right */
} checks[] = {
    {"{\"execute\":\"guest-list\"}", true, 0, NULL},
    {"{\"execute\":\"guest-list\",\"arguments\":{}}", true, 0, NULL},
    {"{\"execute\":\"guest-list\",\"arguments\":null}", true, 0, NULL},
    {"{\"execute\":\"guest-start\",\"arguments\":{\"guest\":\"a\"}}", true, 0,
     NULL},
    {"{\"execute\":\"guest-start\",\"arguments\":{\"guest\":\"a\","
     "\"wait\":null}}",
     true, 0, NULL},
    {"{\"execute\":\"guest-wait\",\"arguments\":{\"guest\":\"a\",\"states\":"
     "[\"running\"],\"timeout-ms\":5}}",
     true, 0, NULL},
    {"{}", false, ERROR_CODE_PROTOCOL, "no member 'execute'"},
    {"{\"execute\":null}", false, ERROR_CODE_PROTOCOL, "null, not a string"},
    {"{\"execute\":[]}", false, ERROR_CODE_PROTOCOL, "an array"},
    {"{\"execute\":\"\"}", false, ERROR_CODE_NOT_FOUND, "query-commands"},
    {"{\"execute\":\"stop\"}", false, ERROR_CODE_NOT_FOUND, "'stop'"},
    {"{\"execute\":\"guest-strat\"}", false, ERROR_CODE_NOT_FOUND,
     "did you mean 'guest-start'"},
    {"{\"execute\":\"guest-start\",\"arguments\":[]}", true, ERROR_CODE_INVALID,
     "guest-start: argument 'arguments' is an array, not an object"},
    {"{\"execute\":\"guest-start\"}", true, ERROR_CODE_INVALID,
     "guest-start: argument 'guest' is missing"},
    {"{\"execute\":\"guest-start\",\"arguments\":{\"guest\":null}}", true,
     ERROR_CODE_INVALID, "'guest' is missing"},
    {"{\"execute\":\"guest-start\",\"arguments\":{\"guest\":7}}", true,
     ERROR_CODE_INVALID, "'guest' is an integer, not of type string"},
    {"{\"execute\":\"guest-start\",\"arguments\":{\"guest\":\"a\","
     "\"wait\":1}}",
     true, ERROR_CODE_INVALID, "'wait' is an integer, not of type boolean"},
    {"{\"execute\":\"guest-start\",\"arguments\":{\"guest\":\"a\","
     "\"wiat\":true}}",
     true, ERROR_CODE_INVALID, "no argument 'wiat' (did you mean 'wait'?)"},
    {"{\"execute\":\"guest-list\",\"arguments\":{\"x\":1}}", true,
     ERROR_CODE_INVALID, "guest-list: there is no argument 'x'"},
    {"{\"execute\":\"guest-wait\",\"arguments\":{\"guest\":\"a\",\"states\":"
     "\"running\"}}",
     true, ERROR_CODE_INVALID, "'states' is a string, not of type array of"},
    {"{\"execute\":\"guest-wait\",\"arguments\":{\"guest\":\"a\",\"states\":"
     "[\"running\",1]}}",
     true, ERROR_CODE_INVALID, "'states' is an array"},
    {"{\"execute\":\"guest-wait\",\"arguments\":{\"guest\":\"a\",\"states\":"
     "[],\"timeout-ms\":-1}}",
     true, ERROR_CODE_INVALID, "'timeout-ms' is -1, not within 0 and "},
    {"{\"execute\":\"guest-wait\",\"arguments\":{\"guest\":\"a\",\"states\":"
     "[],\"timeout-ms\":1.5}}",
     true, ERROR_CODE_INVALID, "'timeout-ms' is a fraction"},
    {"{\"execute\":\"view-open\",\"arguments\":{\"guest\":\"a\",\"rows\":0,"
     "\"cols\":80}}",
     true, ERROR_CODE_INVALID, "'rows' is 0, not within 1 and 1000"},
    {"{\"execute\":\"view-open\",\"arguments\":{\"guest\":\"a\",\"rows\":24,"
     "\"cols\":2001}}",
     true, ERROR_CODE_INVALID, "'cols' is 2001, not within 1 and 2000"},
    {"{\"execute\":\"guest-define\",\"arguments\":{\"name\":\"a\",\"spec\":"
     "\"x\",\"directory\":\"/\"}}",
     true, ERROR_CODE_INVALID, "'spec' is a string, not of type object"},
};

static void
commands_are_checked_against_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        json_t *message = json_loads(checks[i].command, 0, NULL);
        assert_non_null(message);
        const struct method *method = NULL;
        json_t *arguments = NULL;
        struct error error = {0};
        bool ok = api_check(message, &method, &arguments, &error);
        if (ok != !checks[i].text || error.code != checks[i].code ||
            (!ok && !strstr(error.text, checks[i].text)))
            fail_msg("%s: %s", checks[i].command, error.text);
        assert_int_equal(method != NULL, checks[i].is_known);
        if (ok)
            assert_true(json_is_object(arguments));
        json_decref(message);
    }
}

static void
zero_character_in_a_string_is_refused(void **state)
{
    (void)state;
    json_t *message =
        json_pack("{s:s,s:{s:o}}", "execute", "guest-query", "arguments",
                  "guest", json_stringn_nocheck("a\0b", 3));
    const struct method *method = NULL;
    json_t *arguments = NULL;
    struct error error = {0};
    assert_false(api_check(message, &method, &arguments, &error));
    assert_int_equal(error.code, ERROR_CODE_INVALID);
    assert_non_null(strstr(error.text, "zero character"));
    json_decref(message);
}

static void
long_foreign_names_make_short_errors(void **state)
{
    (void)state;
    char *name = xmalloc(1 << 20);
    memset(name, 'x', 1 << 20);
    name[(1 << 20) - 1] = '\0';
    json_t *messages[] = {
        json_pack("{s:s}", "execute", name),
        json_pack("{s:s,s:{s:i}}", "execute", "guest-list", "arguments", name,
                  1),
    };
    for (size_t i = 0; i < 2; i++) {
        const struct method *method = NULL;
        json_t *arguments = NULL;
        struct error error = {0};
        assert_false(api_check(messages[i], &method, &arguments, &error));
        assert_true(strlen(error.text) < 256);
        json_decref(messages[i]);
    }
    free(name);
}

static void
values_of_arguments_have_their_defaults(void **state)
{
    (void)state;
    json_t *object = json_pack("{s:s,s:i,s:b,s:n}", "text", "x", "number", 7,
                               "flag", 1, "null");
    assert_string_equal(argument_string(object, "text"), "x");
    assert_null(argument_string(object, "absent"));
    assert_null(argument_string(object, "null"));
    assert_int_equal(argument_integer(object, "number", 1), 7);
    assert_int_equal(argument_integer(object, "absent", 1), 1);
    assert_int_equal(argument_integer(object, "null", 1), 1);
    assert_true(argument_boolean(object, "flag"));
    assert_false(argument_boolean(object, "absent"));
    assert_false(argument_boolean(object, "null"));
    json_decref(object);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_method_and_argument_says_what_it_is),
        cmocka_unit_test(no_two_methods_have_one_name),
        cmocka_unit_test(methods_of_a_group_stand_together),
        cmocka_unit_test(every_method_of_the_contract_is_there),
        cmocka_unit_test(nothing_that_changes_a_guest_is_for_read_only_clients),
        cmocka_unit_test(description_is_the_table),
        cmocka_unit_test(commands_are_checked_against_the_table),
        cmocka_unit_test(zero_character_in_a_string_is_refused),
        cmocka_unit_test(long_foreign_names_make_short_errors),
        cmocka_unit_test(values_of_arguments_have_their_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
