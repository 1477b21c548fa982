#include "base/xalloc.h"
#include "server/watcher.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What the watcher told, as "rule@offset:line;". */
struct told {
    struct watcher watcher;
    struct buffer text;
    int gave_up;
};

static void
on_match(void *data, const struct watcher_match *match)
{
    struct told *told = data;
    buffer_printf(&told->text, "%s@%d:%.*s;",
                  ruleset_rule(told->watcher.rules, match->rule)->name,
                  (int)match->offset, (int)match->len, match->line);
}

static void
on_give_up(void *data, size_t rule)
{
    (void)rule;
    ((struct told *)data)->gave_up++;
}

static const struct watcher_handlers handlers = {on_match, on_give_up};

static struct ruleset *
make_rules(const char *json)
{
    struct error error = {0};
    struct buffer problems = {0};
    struct alert_file file = {0};
    if (!alert_file_parse(&file, "rules", json, strlen(json), &error))
        fail_msg("%s", error.text);
    struct ruleset_layer layer = {&file.rules, "user"};
    struct ruleset *rules = ruleset_new(&layer, 1, &problems);
    assert_int_equal(problems.len, 0);
    buffer_finish(&problems);
    alert_file_finish(&file);
    return rules;
}

static void
begin(struct told *told, const char *json)
{
    struct ruleset *rules = make_rules(json);
    *told = (struct told){0};
    watcher_init(&told->watcher, rules);
    ruleset_unref(rules);
}

static void
end(struct told *told)
{
    watcher_finish(&told->watcher);
    buffer_finish(&told->text);
}

static const char *
said(const struct told *told)
{
    return told->text.data ? told->text.data : "";
}

#define RULES                                                                  \
    "{\"rules\": [{\"name\": \"panic\", \"pattern\": \"Kernel panic\"},"       \
    "{\"name\": \"login\", \"pattern\": \"login: ?$\"},"                       \
    "{\"name\": \"any\", \"pattern\": \"^\\\\d\\\\d$\"}]}"
#define FIXED                                                                  \
    "{\"rules\": [{\"name\": \"panic\", \"pattern\": \"Kernel panic\"},"       \
    "{\"name\": \"login\", \"pattern\": \"login: ?$\"}]}"

#define PROMPT                                                                 \
    "{\"rules\": [{\"name\": \"shell\", \"prompt\": true, "                    \
    "\"pattern\": \"~ # ?$\"}]}"

static const struct {
    const char *rules;
    const char *bytes;
    const char *told; /* after the end was settled */
} rows[] = {
    {FIXED, "a\nKernel panic - not syncing\nb\n",
     "panic@2:Kernel panic - not syncing;"},
    {FIXED, "Kernel panic\r\nKernel panic\r\n",
     "panic@0:Kernel panic;panic@14:Kernel panic;"},
    {FIXED, "x Kernel panic Kernel panic\n",
     "panic@0:x Kernel panic Kernel panic;"},
    {FIXED, "\n\nn1 login: ", "login@2:n1 login: ;"},
    {FIXED, "n1 login: root\n", ""},
    {FIXED, "\033[1mKer\033[31mnel pa\033(Bnic\033[0m\n",
     "panic@0:Kernel panic;"},
    {FIXED, "\033]0;Kernel panic\a\n", ""},
    {FIXED, "kernel panic\n", ""}, /* the sieve knows no case, the rule does */
    {FIXED, "Kernel\npanic\n", ""},
    {FIXED, "\033[5;5HKernel panic\033[6;1Hn1 login: ",
     "panic@0:Kernel panic;login@0:n1 login: ;"},
    {PROMPT, "a\n~ # \n~ # ", "shell@7:~ # ;"},
    {PROMPT, "\033[1m~ \033[32m#\033[m ", "shell@0:~ # ;"},
    {PROMPT, "~ # ls\nb\n~ # \n", ""},
    {RULES, "a\n42\n421\n17", "any@2:42;any@9:17;"},
    {RULES, "Kernel panic\n42\nn login: \n",
     "panic@0:Kernel panic;any@13:42;login@16:n login: ;"},
};

static void
lines_are_matched_however_the_bytes_are_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len = strlen(rows[i].bytes);
        for (size_t piece = 1; piece <= len; piece++) {
            struct told told;
            begin(&told, rows[i].rules);
            for (size_t at = 0; at < len; at += piece)
                watcher_feed(&told.watcher, rows[i].bytes + at,
                             piece < len - at ? piece : len - at, at, 0,
                             &handlers, &told);
            watcher_settle(&told.watcher, 0, &handlers, &told);
            if (strcmp(said(&told), rows[i].told) != 0)
                fail_msg("row %zu, pieces of %zu: %s", i, piece, said(&told));
            end(&told);
        }
    }
}

static void
prompt_is_told_once(void **state)
{
    (void)state;
    struct told told;
    begin(&told, FIXED);
    assert_true(
        watcher_feed(&told.watcher, "n login: ", 9, 0, 0, &handlers, &told));
    watcher_settle(&told.watcher, 0, &handlers, &told);
    watcher_settle(&told.watcher, 0, &handlers, &told);
    assert_string_equal(said(&told), "login@0:n login: ;");
    assert_false(
        watcher_feed(&told.watcher, "root\n", 5, 9, 0, &handlers, &told));
    assert_string_equal(said(&told), "login@0:n login: ;");
    end(&told);
}

static void
output_without_a_line_end_is_looked_at(void **state)
{
    (void)state;
    struct told told;
    begin(&told, FIXED);
    char blanks[1000];
    memset(blanks, ' ', sizeof(blanks));
    uint64_t offset = 0;
    for (int i = 0; i < 100; i++, offset += sizeof(blanks))
        watcher_feed(&told.watcher, blanks, sizeof(blanks), offset, 0,
                     &handlers, &told);
    assert_true(told.watcher.tail.len < 3 * WATCHER_LINE_BYTES);
    watcher_feed(&told.watcher, "Kernel panic", 12, offset, 0, &handlers,
                 &told);
    watcher_settle(&told.watcher, 0, &handlers, &told);
    assert_non_null(strstr(said(&told), "Kernel panic;"));
    end(&told);
}

static void
flood_of_matches_is_bounded(void **state)
{
    (void)state;
    struct told told;
    begin(&told, FIXED);
    static const char line[] = "Kernel panic\n";
    uint64_t offset = 0;
    for (int i = 0; i < 3 * WATCHER_TRIALS; i++, offset += sizeof(line) - 1)
        watcher_feed(&told.watcher, line, sizeof(line) - 1, offset, 5000,
                     &handlers, &told);
    size_t len = told.text.len;
    /* another rule's line in the same second */
    watcher_feed(&told.watcher, "login: \n", 8, offset, 5000, &handlers, &told);
    assert_non_null(strstr(said(&told) + len, "login@"));
    offset += 8;
    len = told.text.len;
    watcher_feed(&told.watcher, line, sizeof(line) - 1, offset, 6000, &handlers,
                 &told);
    assert_true(told.text.len > len); /* another second, other trials */
    size_t count = 0;
    for (size_t i = 0; i < len; i++)
        count += told.text.data[i] == ';';
    assert_int_equal(count, WATCHER_TRIALS + 1);
    end(&told);
}

static void
rule_that_takes_too_long_is_given_up(void **state)
{
    (void)state;
    struct told told;
    begin(&told, "{\"rules\": [{\"name\": \"slow\", \"pattern\": "
                 "\"(x+x+)+\\\\d?y end\"}]}");
    char line[64];
    memset(line, 'x', sizeof(line));
    memcpy(line + 50, "z  y end\n", 9);
    uint64_t offset = 0;
    for (int i = 0; i < 40; i++, offset += 59)
        watcher_feed(&told.watcher, line, 59, offset, 0, &handlers, &told);
    assert_int_equal(told.gave_up, 1);
    assert_string_equal(said(&told), "");
    end(&told);
}

static void
bytes_that_are_missing_end_the_line(void **state)
{
    (void)state;
    struct told told;
    begin(&told, FIXED);
    watcher_feed(&told.watcher, "Kernel ", 7, 0, 0, &handlers, &told);
    watcher_feed(&told.watcher, "panic\n", 6, 100, 0, &handlers, &told);
    assert_string_equal(said(&told), "");
    watcher_feed(&told.watcher, "Kernel panic\n", 13, 106, 0, &handlers, &told);
    assert_string_equal(said(&told), "panic@106:Kernel panic;");
    end(&told);
}

static void
layers_join_by_name(void **state)
{
    (void)state;
    struct error error = {0};
    struct buffer problems = {0};
    static const char *const texts[] = {
        "{\"rules\": [{\"name\": \"a\", \"pattern\": \"aaa\", \"message\": "
        "\"first\"}, {\"name\": \"b\", \"pattern\": \"bbb\"}]}",
        "{\"rules\": [{\"name\": \"a\", \"severity\": \"critical\"}, "
        "{\"name\": \"b\", \"enabled\": false}, {\"name\": \"c\"}, "
        "{\"name\": \"d\", \"pattern\": \"ddd\", \"run\": [\"true\"]}]}",
        "{\"rules\": [{\"name\": \"d\", \"run\": []}]}",
    };
    struct alert_file files[3] = {0};
    struct ruleset_layer layers[3];
    for (size_t i = 0; i < 3; i++) {
        assert_true(alert_file_parse(&files[i], "f", texts[i], strlen(texts[i]),
                                     &error));
        layers[i] = (struct ruleset_layer){&files[i].rules, "user"};
    }
    struct ruleset *rules = ruleset_new(layers, 3, &problems);
    assert_int_equal(ruleset_count(rules), 2);
    const struct rule *rule = ruleset_rule(rules, 0);
    assert_string_equal(rule->name, "a");
    assert_string_equal(rule->message, "first");
    assert_string_equal(rule->pattern, "aaa");
    assert_int_equal(rule->severity, ALERT_CRITICAL);
    rule = ruleset_rule(rules, 1);
    assert_string_equal(rule->message, "d");
    assert_int_equal(rule->severity, ALERT_WARNING);
    assert_null(rule->run);
    assert_string_equal(problems.data, "user rule \"c\" has no pattern, and "
                                       "none is known by this name");
    ruleset_unref(rules);
    buffer_finish(&problems);
    for (size_t i = 0; i < 3; i++)
        alert_file_finish(&files[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_matched_however_the_bytes_are_split),
        cmocka_unit_test(prompt_is_told_once),
        cmocka_unit_test(output_without_a_line_end_is_looked_at),
        cmocka_unit_test(flood_of_matches_is_bounded),
        cmocka_unit_test(rule_that_takes_too_long_is_given_up),
        cmocka_unit_test(bytes_that_are_missing_end_the_line),
        cmocka_unit_test(layers_join_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
