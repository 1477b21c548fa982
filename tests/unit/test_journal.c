#include "base/buffer.h"
#include "base/xalloc.h"
#include "fleet/alert-rules.h"
#include "scratch.h"
#include "server/journal.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct journal *
open_journal(const char *directory)
{
    struct error error = {0};
    struct journal *journal = journal_new(directory, &error);
    if (error.code)
        fail_msg("%s", error.text);
    return journal;
}

static void
add(struct journal *journal, int64_t at_ms, const char *kind, const char *guest,
    const char *text)
{
    struct error error = {0};
    assert_true(
        journal_add(journal,
                    json_pack("{s:s,s:s,s:I,s:s,s:s}", "kind", kind, "guest",
                              guest, "at-ms", (json_int_t)at_ms, "severity",
                              "warning", "text", text),
                    &error));
}

/* The texts found, joined. The caller frees it. */
static char *
find(const struct journal *journal, const struct journal_query *query)
{
    struct buffer joined = {0};
    json_t *found = journal_find(journal, query);
    for (size_t i = 0; i < json_array_size(found); i++)
        buffer_append_text(&joined, json_string_value(json_object_get(
                                        json_array_get(found, i), "text")));
    json_decref(found);
    return buffer_steal(&joined);
}

static void
expect(const struct journal *journal, struct journal_query query,
       const char *wanted)
{
    char *found = find(journal, &query);
    assert_string_equal(found, wanted);
    free(found);
}

static void
records_survive_and_are_found(void **state)
{
    (void)state;
    char *directory = scratch_new();
    struct journal *journal = open_journal(directory);
    add(journal, 100, "state", "n1", "a");
    add(journal, 200, "alert", "n2", "b");
    add(journal, 300, "action", "n1", "c");
    journal_free(journal);
    journal = open_journal(directory);
    add(journal, 400, "seen", "n1", "d");
    json_t *guests = json_pack("[s]", "n1");
    expect(journal, (struct journal_query){.severity = ALERT_UNSET}, "abc");
    expect(journal, (struct journal_query){.is_complete = true}, "abcd");
    expect(journal, (struct journal_query){.since_ms = 200}, "bc");
    expect(journal, (struct journal_query){.until_ms = 200}, "ab");
    expect(journal, (struct journal_query){.guests = guests}, "ac");
    expect(journal, (struct journal_query){.kind = "alert"}, "b");
    expect(journal, (struct journal_query){.limit = 2}, "bc");
    expect(journal, (struct journal_query){.severity = ALERT_CRITICAL}, "");
    json_decref(guests);
    journal_free(journal);
    scratch_remove(directory);
}

static void
torn_and_foreign_lines_are_passed_over(void **state)
{
    (void)state;
    char *directory = scratch_new();
    char *path = xasprintf("%s/events.jsonl", directory);
    static const char text[] =
        "nonsense\n{\"at-ms\":1,\"kind\":\"state\",\"text\":\"a\"}\n"
        "{\"at-ms\":2,\"kind\"}\n\n{\"at-ms\":3,\"ki";
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
    close(fd);
    struct journal *journal = open_journal(directory);
    add(journal, 4, "state", "n1", "b");
    journal_free(journal);
    journal = open_journal(directory);
    expect(journal, (struct journal_query){.severity = ALERT_UNSET}, "ab");
    journal_free(journal);
    free(path);
    scratch_remove(directory);
}

static void
journal_is_bounded(void **state)
{
    (void)state;
    char *directory = scratch_new();
    struct journal *journal = open_journal(directory);
    char text[1001];
    memset(text, 'x', 1000);
    text[1000] = '\0';
    for (int i = 0; i < 4000; i++)
        add(journal, i + 1, "state", "n1", text);
    char *files[] = {xasprintf("%s/events.jsonl", directory),
                     xasprintf("%s/events.1.jsonl", directory)};
    for (size_t i = 0; i < 2; i++) {
        struct stat info;
        assert_int_equal(stat(files[i], &info), 0);
        assert_true(info.st_size <= JOURNAL_FILE_BYTES);
        assert_int_equal(info.st_mode & 0777, 0600);
        free(files[i]);
    }
    struct journal_query all = {.severity = ALERT_UNSET};
    json_t *found = journal_find(journal, &all);
    size_t count = json_array_size(found);
    assert_true(count > 1500 && count < 2100);
    assert_int_equal(json_integer_value(json_object_get(
                         json_array_get(found, count - 1), "at-ms")),
                     4000);
    json_decref(found);
    journal_free(journal);
    scratch_remove(directory);
}

static void
all_of_a_time_is_copied(void **state)
{
    (void)state;
    char *directory = scratch_new();
    struct journal *journal = open_journal(directory);
    size_t len = 1;
    char *copy = journal_copy(journal, 0, 0, &len);
    assert_int_equal(len, 0);
    free(copy);
    for (int i = 1; i <= JOURNAL_MAX_ANSWER + 500; i++)
        add(journal, i, "state", "n1", "x");
    copy = journal_copy(journal, 2, JOURNAL_MAX_ANSWER + 499, &len);
    size_t lines = 0;
    for (size_t i = 0; i < len; i++)
        lines += copy[i] == '\n';
    assert_int_equal(lines, JOURNAL_MAX_ANSWER + 498);
    assert_memory_equal(copy, "{\"at-ms\":2,", 11);
    assert_memory_equal(copy + len - 2, "}\n", 2);
    free(copy);
    journal_free(journal);
    scratch_remove(directory);
}

static void
last_state_is_the_newest_of_that_guest(void **state)
{
    (void)state;
    char *directory = scratch_new();
    struct error error = {0};
    struct journal *journal = open_journal(directory);
    static const char *const rows[][2] = {
        {"n1", "running"}, {"n1", "paused"}, {"n10", "crashed"}};
    for (size_t i = 0; i < 3; i++)
        assert_true(journal_add(
            journal,
            json_pack("{s:s,s:s}", "guest", rows[i][0], "state", rows[i][1]),
            &error));
    add(journal, 5, "alert", "n1", "\"guest\":\"n1\" \"state\":\"lost\"");
    char *found = journal_last_state(journal, "n1");
    assert_string_equal(found, "paused");
    free(found);
    found = journal_last_state(journal, "n2");
    assert_string_equal(found, "");
    free(found);
    journal_free(journal);
    scratch_remove(directory);
}

static void
a_journal_that_cannot_be_written_works_in_memory(void **state)
{
    (void)state;
    struct error error = {0};
    struct journal *journal = journal_new("/nonexistent/place", &error);
    assert_int_equal(error.code, ERROR_CODE_IO);
    error = (struct error){0};
    assert_false(journal_add(
        journal, json_pack("{s:s,s:s}", "kind", "state", "text", "a"), &error));
    assert_int_equal(error.code, ERROR_CODE_NONE); /* told before */
    expect(journal, (struct journal_query){.severity = ALERT_UNSET}, "a");
    journal_free(journal);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_survive_and_are_found),
        cmocka_unit_test(torn_and_foreign_lines_are_passed_over),
        cmocka_unit_test(journal_is_bounded),
        cmocka_unit_test(all_of_a_time_is_copied),
        cmocka_unit_test(last_state_is_the_newest_of_that_guest),
        cmocka_unit_test(a_journal_that_cannot_be_written_works_in_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
