#include "server-fixture.h"
#include "server/search.h"

/* Starts a guest that runs a shell script and then waits; returns when it has
 * printed "done". */
static void
start_guest(struct fixture *f, const char *name, const char *script)
{
    char *text = xasprintf("stty raw; %s; printf done; exec cat", script);
    client_start_guest(&f->client, name, text);
    free(text);
    client_expect(&f->client, name, "^done$");
}

static json_int_t
number_of(const json_t *object, const char *member)
{
    return json_integer_value(json_object_get(object, member));
}

static json_t *
line_of(const json_t *answer, size_t index)
{
    json_t *line = json_array_get(json_object_get(answer, "lines"), index);
    assert_non_null(line);
    return line;
}

static size_t
line_count(const json_t *answer)
{
    return json_array_size(json_object_get(answer, "lines"));
}

#define TEN_LINES                                                              \
    "for i in 0 1 2 3 4 5 6 7 8 9; do printf \"line $i\\r\\n\"; done"

static void
lines_of_all_consoles_are_found(void **state)
{
    struct fixture *f = *state;
    start_guest(f, "a", TEN_LINES);
    start_guest(f, "b", "printf 'Line 3 and line 3\\r\\n'");
    json_t *answer = client_call(&f->client, "console-search",
                                 json_pack("{s:s}", "pattern", "line 3"));
    assert_int_equal(line_count(answer), 2);
    assert_string_equal(text_of(line_of(answer, 0), "guest"), "a");
    assert_string_equal(text_of(line_of(answer, 0), "text"), "line 3");
    assert_int_equal(number_of(line_of(answer, 0), "row"), 3);
    json_t *second = line_of(answer, 1);
    assert_string_equal(text_of(second, "guest"), "b");
    json_t *matches = json_object_get(second, "matches");
    assert_int_equal(json_array_size(matches), 2);
    char *dump =
        json_dumps(json_array_get(matches, 1), JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(dump, "{\"at\":[11,6],\"spans\":[[0,11,6]]}");
    free(dump);
    json_t *consoles = json_object_get(answer, "consoles");
    assert_int_equal(json_array_size(consoles), 2);
    assert_int_equal(number_of(json_array_get(consoles, 0), "count"), 1);
    assert_int_equal(number_of(json_array_get(consoles, 0), "dropped"), 0);
}

static void
case_and_kind_of_pattern_are_chosen(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *pattern;
        const char *how; /* "case" */
        int is_regex;
        size_t count;
    } rows[] = {
        {"error", "smart", 0, 2},     {"Error", "smart", 0, 1},
        {"error", "sensitive", 0, 1}, {"ERROR", "insensitive", 0, 2},
        {"e.ror", "smart", 0, 0},     {"e.ror", "smart", 1, 2},
        {"^an", "smart", 1, 2},
    };
    start_guest(f, "a", "printf 'an Error\\r\\nan error\\r\\n'");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *answer = client_call(
            &f->client, "console-search",
            json_pack("{s:s,s:s,s:b}", "pattern", rows[i].pattern, "case",
                      rows[i].how, "regex", rows[i].is_regex));
        if (line_count(answer) != rows[i].count)
            fail_msg("%s, %s: %zu", rows[i].pattern, rows[i].how,
                     line_count(answer));
    }
    assert_non_null(strstr(
        client_fail(&f->client, "console-search",
                    json_pack("{s:s,s:s}", "pattern", "x", "case", "smrt"),
                    "Invalid"),
        "did you mean smart"));
    client_fail(&f->client, "console-search",
                json_pack("{s:s,s:b}", "pattern", "(", "regex", 1), "Invalid");
    client_fail(&f->client, "console-search",
                json_pack("{s:s,s:i}", "pattern", "x", "row", 1), "Invalid");
    client_fail(&f->client, "console-search",
                json_pack("{s:s,s:[s]}", "pattern", "x", "guests", "c"),
                "NotFound");
}

/* One match after the other, down and up, as a client walks them. */
static void
next_matches_are_found_from_a_place(void **state)
{
    struct fixture *f = *state;
    start_guest(f, "a", TEN_LINES "; printf 'line x line y\\r\\n'");
    json_int_t row = 0;
    json_int_t col = -1;
    int found = 0;
    for (;; found++) {
        json_t *answer = client_call(&f->client, "console-search",
                                     json_pack("{s:s,s:s,s:I,s:I,s:i}", "guest",
                                               "a", "pattern", "line", "row",
                                               row, "col", col, "max", 1));
        if (!line_count(answer))
            break;
        json_t *match =
            json_array_get(json_object_get(line_of(answer, 0), "matches"), 0);
        json_t *span = json_array_get(json_object_get(match, "spans"), 0);
        json_int_t next_row = json_integer_value(json_array_get(span, 0));
        json_int_t next_col = json_integer_value(json_array_get(span, 1));
        assert_true(next_row > row || (next_row == row && next_col > col));
        row = next_row;
        col = next_col;
    }
    assert_int_equal(found, 12);
    assert_int_equal(row, 10);
    assert_int_equal(col, 7);
    for (found = 0;; found++) {
        json_t *answer =
            client_call(&f->client, "console-search",
                        json_pack("{s:s,s:s,s:I,s:I,s:i,s:b}", "guest", "a",
                                  "pattern", "line", "row", row, "col", col,
                                  "max", 1, "backwards", 1));
        if (!line_count(answer))
            break;
        json_t *matches = json_object_get(line_of(answer, 0), "matches");
        json_t *match = json_array_get(matches, json_array_size(matches) - 1);
        json_t *span = json_array_get(json_object_get(match, "spans"), 0);
        row = json_integer_value(json_array_get(span, 0));
        col = json_integer_value(json_array_get(span, 1));
    }
    assert_int_equal(found, 11);
    assert_int_equal(row, 0);
}

static void
newest_lines_come_first_backwards(void **state)
{
    struct fixture *f = *state;
    start_guest(f, "a",
                "i=0; while [ $i -lt 2000 ]; do printf \"number $i\\r\\n\"; "
                "i=$((i+1)); done");
    json_t *answer = client_call(&f->client, "console-search",
                                 json_pack("{s:s,s:i,s:b}", "pattern", "number",
                                           "max", 300, "backwards", 1));
    assert_int_equal(line_count(answer), 300);
    for (size_t i = 0; i < 300; i++) {
        char wanted[32];
        (void)snprintf(wanted, sizeof(wanted), "number %zu", 1999 - i);
        assert_string_equal(text_of(line_of(answer, i), "text"), wanted);
    }
    json_t *console = json_array_get(json_object_get(answer, "consoles"), 0);
    assert_true(json_is_true(json_object_get(console, "more")));
    /* all of them, and context that stays within what there is */
    answer =
        client_call(&f->client, "console-search",
                    json_pack("{s:s,s:i,s:i,s:b,s:b}", "pattern",
                              "^number (0|1999)$", "context-before", 2,
                              "context-after", 1, "regex", 1, "backwards", 1));
    assert_int_equal(line_count(answer), 2);
    char *dump =
        json_dumps(json_object_get(line_of(answer, 0), "before"), JSON_COMPACT);
    assert_string_equal(dump,
                        "[[1997,\"number 1997\",1],[1998,\"number 1998\",1]]");
    free(dump);
    dump =
        json_dumps(json_object_get(line_of(answer, 0), "after"), JSON_COMPACT);
    assert_string_equal(dump, "[[2000,\"done\",1]]");
    free(dump);
    assert_int_equal(
        json_array_size(json_object_get(line_of(answer, 1), "before")), 0);
    answer =
        client_call(&f->client, "console-search",
                    json_pack("{s:s,s:b}", "pattern", "number 1", "count", 1));
    assert_int_equal(line_count(answer), 0);
    console = json_array_get(json_object_get(answer, "consoles"), 0);
    assert_int_equal(number_of(console, "count"), 1111);
}

/* A client finds a line again by its number, however the console was resized
 * since. */
static void
one_line_is_found_by_its_number(void **state)
{
    struct fixture *f = *state;
    start_guest(f, "a",
                TEN_LINES "; seq -f '%g\r' 1 100; " TEN_LINES
                          "; printf '\\033[30S'");
    json_t *answer = client_call(&f->client, "console-search",
                                 json_pack("{s:s}", "pattern", "line 7"));
    assert_int_equal(line_count(answer), 2);
    json_int_t id = number_of(line_of(answer, 1), "line");
    json_int_t row = number_of(line_of(answer, 1), "row");
    client_call(
        &f->client, "console-resize",
        json_pack("{s:s,s:i,s:i}", "guest", "a", "rows", 24, "cols", 3));
    answer = client_call(
        &f->client, "console-search",
        json_pack("{s:s,s:s,s:I}", "guest", "a", "pattern", "7", "line", id));
    assert_int_equal(line_count(answer), 1);
    assert_true(number_of(line_of(answer, 0), "row") > row);
    char *dump = json_dumps(
        json_object_get(
            json_array_get(json_object_get(line_of(answer, 0), "matches"), 0),
            "at"),
        JSON_COMPACT);
    assert_string_equal(dump, "[5,1]");
    free(dump);
}

/* What would take minutes is refused, and the server answers meanwhile. */
static void
expensive_search_holds_nobody_up(void **state)
{
    struct fixture *f = *state;
    start_guest(f, "a",
                "i=0; while [ $i -lt 300 ]; do printf "
                "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\\r"
                "\\n'; i=$((i+1)); done");
    struct client other;
    client_open(&other, &f->world);
    int id =
        client_send(&f->client, "console-search",
                    json_pack("{s:s,s:b}", "pattern", "(a+)+$", "regex", 1));
    uint64_t start_ms = world_cpu_ms(&f->world);
    client_call(&other, "query-version", NULL);
    assert_in_range(world_cpu_ms(&f->world) - start_ms, 0, 2000);
    json_t *reply = client_reply(&f->client, id);
    assert_string_equal(text_of(json_object_get(reply, "error"), "class"),
                        "Limit");
    client_close(&other);
}

/* Clients that go in the middle, and guests that are removed then. */
static void
searches_end_with_their_client_and_their_guest(void **state)
{
    struct fixture *f = *state;
    start_guest(f, "a",
                "i=0; while [ $i -lt 3000 ]; do printf \"number $i\\r\\n\"; "
                "i=$((i+1)); done");
    for (int i = 0; i < 20; i++) {
        struct client other;
        client_open(&other, &f->world);
        (void)client_send(&other, "console-search",
                          json_pack("{s:s}", "pattern", "number"));
        client_close(&other);
    }
    for (int i = 0; i < 20; i++)
        (void)client_send(
            &f->client, "console-search",
            json_pack("{s:s,s:b}", "pattern", "number 9", "backwards", i % 2));
    for (int i = 0; i < 20; i++) {
        /* in any order */
        json_t *reply = client_receive(&f->client);
        assert_int_equal(line_count(json_object_get(reply, "return")), 111);
        json_decref(reply);
    }
    client_call(&f->client, "guest-kill", json_pack("{s:s}", "guest", "a"));
    client_call(&f->client, "guest-wait",
                json_pack("{s:s,s:[s,s]}", "guest", "a", "states", "stopped",
                          "crashed"));
    struct client other;
    client_open(&other, &f->world);
    int id = client_send(&other, "console-search",
                         json_pack("{s:s}", "pattern", "number"));
    client_call(&f->client, "guest-remove", json_pack("{s:s}", "guest", "a"));
    json_t *answer = json_object_get(client_reply(&other, id), "return");
    assert_in_range(line_count(answer), 0, 3000);
    client_close(&other);
}

/* A flood moves no place: rows are counted from the very first one. */
static void
places_hold_while_output_comes(void **state)
{
    struct fixture *f = *state;
    start_guest(f, "a",
                "i=0; while [ $i -lt 500 ]; do printf \"n $i.\\r\\n\"; "
                "i=$((i+1)); done");
    for (int i = 0; i < 500; i += 83) {
        char *text = xasprintf("n %d.", i);
        json_t *answer = client_call(&f->client, "console-search",
                                     json_pack("{s:s}", "pattern", text));
        assert_int_equal(line_count(answer), 1);
        assert_int_equal(number_of(line_of(answer, 0), "row"), i);
        client_call(&f->client, "console-send",
                    json_pack("{s:s,s:s}", "guest", "a", "text",
                              "more\r\nmore\r\nmore\r\n"));
        free(text);
    }
}

/* Page after page of a log, each with its numbers and its surroundings. */
static void
logs_are_searched_in_pages(void **state)
{
    struct fixture *f = *state;
    start_guest(f, "a",
                "i=0; while [ $i -lt 700 ]; do printf \"number $i\\r\\n\"; "
                "i=$((i+1)); done");
    json_int_t offset = 0;
    json_int_t base = 0;
    size_t found = 0;
    for (json_int_t size = 1; offset < size;) {
        json_t *answer =
            client_call(&f->client, "console-log-search",
                        json_pack("{s:s,s:s,s:I,s:i,s:i,s:i}", "guest", "a",
                                  "pattern", "number", "offset", offset, "max",
                                  30, "context-before", 2, "context-after", 1));
        for (size_t i = 0; i < line_count(answer); i++, found++) {
            char *wanted = xasprintf("number %zu", found);
            assert_string_equal(text_of(line_of(answer, i), "text"), wanted);
            assert_int_equal(base + number_of(line_of(answer, i), "number"),
                             found);
            json_t *before = json_object_get(line_of(answer, i), "before");
            assert_int_equal(json_array_size(before), found < 2 ? found : 2);
            if (found) {
                json_t *last =
                    json_array_get(before, json_array_size(before) - 1);
                assert_int_equal(
                    base + json_integer_value(json_array_get(last, 0)),
                    found - 1);
            }
            free(wanted);
        }
        assert_true(number_of(answer, "next-offset") > offset);
        offset = number_of(answer, "next-offset");
        size = number_of(answer, "size");
        base += number_of(answer, "next-number");
    }
    assert_int_equal(found, 700);
    client_fail(
        &f->client, "console-log-search",
        json_pack("{s:s,s:s,s:b}", "guest", "a", "pattern", "(", "regex", 1),
        "Invalid");
    client_fail(&f->client, "console-log-search",
                json_pack("{s:s,s:s}", "guest", "b", "pattern", "x"),
                "NotFound");
}

/* A thread that still searches when its client goes, or the server ends. */
static void
log_searches_end_with_their_client_and_the_server(void **state)
{
    struct fixture *f = *state;
    start_guest(f, "a",
                "head -c 6000000 /dev/zero | tr '\\0' 'a' | fold -w 900; echo");
    for (int i = 0; i < 10; i++) {
        struct client other;
        client_open(&other, &f->world);
        (void)client_send(&other, "console-log-search",
                          json_pack("{s:s,s:s,s:b}", "guest", "a", "pattern",
                                    "(a|b)*c", "regex", 1));
        client_close(&other);
    }
    (void)client_call(&f->client, "query-version", NULL);
    (void)client_send(&f->client, "console-log-search",
                      json_pack("{s:s,s:s}", "guest", "a", "pattern", "b"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(lines_of_all_consoles_are_found),
        SERVED(case_and_kind_of_pattern_are_chosen),
        SERVED(next_matches_are_found_from_a_place),
        SERVED(newest_lines_come_first_backwards),
        SERVED(one_line_is_found_by_its_number),
        SERVED(expensive_search_holds_nobody_up),
        SERVED(searches_end_with_their_client_and_their_guest),
        SERVED(places_hold_while_output_comes),
        SERVED(logs_are_searched_in_pages),
        SERVED(log_searches_end_with_their_client_and_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
