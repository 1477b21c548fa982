#include "base/base64.h"
#include "server-fixture.h"
#include "server/peer.h"

#include <sys/resource.h>
#include <time.h>

/* A guest that says "ready" and then what is typed. */
#define ECHO "stty raw -echo; echo ready; exec cat"

/* --- commands ------------------------------------------------------------- */

static void
bad_commands_are_told_and_the_connection_lives_on(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *line;
        const char *class;
        const char *text;
    } rows[] = {
        {"nonsense\n", "Protocol", "not JSON"},
        {"[]\n", "Protocol", "not a JSON object"},
        {"{\"execute\":\"query-version\",\"id\":\"\xFF\"}\n", "Protocol",
         "UTF-8"},
        {"{}\n", "Protocol", "'execute'"},
        {"{\"execute\":1}\n", "Protocol", "an integer"},
        {"{\"execute\":\"guest-lst\"}\n", "CommandNotFound", "'guest-list'"},
        {"{\"execute\":\"guest-query\"}\n", "Invalid", "'guest' is missing"},
        {"{\"execute\":\"guest-query\",\"arguments\":[]}\n", "Invalid",
         "an array"},
        {"{\"execute\":\"guest-query\",\"arguments\":{\"guest\":1}}\n",
         "Invalid", "an integer, not of type string"},
        {"{\"execute\":\"guest-query\",\"arguments\":{\"guest\":\"x\","
         "\"gest\":1}}\n",
         "Invalid", "did you mean 'guest'"},
        {"{\"execute\":\"guest-query\",\"arguments\":{\"guest\":\"x\"}}\n",
         "NotFound", "'x'"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        client_say(&f->client, rows[i].line, strlen(rows[i].line));
        json_t *reply = client_receive(&f->client);
        json_t *error = json_object_get(reply, "error");
        const char *text = json_string_value(json_object_get(error, "desc"));
        assert_string_equal(json_string_value(json_object_get(error, "class")),
                            rows[i].class);
        if (!strstr(text, rows[i].text))
            fail_msg("%s", text);
        json_decref(reply);
    }
    client_call(&f->client, "query-version", NULL);
}

static void
ids_of_any_type_come_back(void **state)
{
    struct fixture *f = *state;
    static const char *const ids[] = {"1", "\"a\"", "null", "[1,{\"b\":2}]",
                                      "1.5"};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        char *line =
            xasprintf("{\"execute\":\"query-version\",\"id\":%s}\n", ids[i]);
        client_say(&f->client, line, strlen(line));
        free(line);
        json_t *reply = client_receive(&f->client);
        json_t *id = json_loads(ids[i], JSON_DECODE_ANY, NULL);
        assert_true(json_equal(json_object_get(reply, "id"), id));
        json_decref(id);
        json_decref(reply);
    }
}

static void
over_long_line_is_told_and_the_next_one_works(void **state)
{
    struct fixture *f = *state;
    size_t len = 16 << 20;
    char *line = xmalloc(len);
    memset(line, 'x', len);
    line[len - 1] = '\n';
    client_say(&f->client, line, len);
    free(line);
    json_t *reply = client_receive(&f->client);
    json_t *error = json_object_get(reply, "error");
    assert_string_equal(json_string_value(json_object_get(error, "class")),
                        "Limit");
    json_decref(reply);
    client_call(&f->client, "query-version", NULL);
}

static void
extreme_numbers_are_refused_or_harmless(void **state)
{
    struct fixture *f = *state;
    static const char *const commands[] = {
        "{\"execute\":\"console-log\",\"id\":-1,\"arguments\":{\"guest\":\"g\","
        "\"offset\":%s}}\n",
        "{\"execute\":\"console-log\",\"id\":-1,\"arguments\":{\"guest\":\"g\","
        "\"max-bytes\":%s}}\n",
        "{\"execute\":\"console-wait\",\"id\":-1,\"arguments\":{\"guest\":"
        "\"g\",\"pattern\":\"x\",\"timeout-ms\":1,\"after\":%s}}\n",
        "{\"execute\":\"console-wait\",\"id\":-1,\"arguments\":{\"guest\":"
        "\"g\",\"pattern\":\"ready\",\"since-boot\":true,\"timeout-ms\":%s}}\n",
        "{\"execute\":\"console-capture\",\"id\":-1,\"arguments\":{\"guest\":"
        "\"g\",\"history\":%s}}\n",
        "{\"execute\":\"console-resize\",\"id\":-1,\"arguments\":{\"guest\":"
        "\"g\",\"rows\":24,\"cols\":%s}}\n",
        "{\"execute\":\"view-open\",\"id\":-1,\"arguments\":{\"guest\":"
        "\"g\",\"rows\":%s,\"cols\":80,\"resize\":true}}\n",
        "{\"execute\":\"view-close\",\"id\":-1,\"arguments\":{\"view\":%s}}\n",
        "{\"execute\":\"view-ack\",\"id\":-1,\"arguments\":{\"view\":1,"
        "\"frame\":%s}}\n",
        "{\"execute\":\"view-change\",\"id\":-1,\"arguments\":{\"view\":1,"
        "\"scroll\":%s}}\n",
        "{\"execute\":\"guest-wait\",\"id\":-1,\"arguments\":{\"guest\":\"g\","
        "\"states\":[\"paused\"],\"timeout-ms\":%s}}\n",
    };
    static const char *const numbers[] = {
        "-9223372036854775808", "-9223372036854775807", "-1",   "1",
        "2147483648",           "9223372036854775807",  "1e30", "\"1\"",
    };
    client_start_guest(&f->client, "g", ECHO);
    client_expect(&f->client, "g", "ready");
    size_t count = sizeof(numbers) / sizeof(numbers[0]);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        for (size_t j = 0; j < count; j++) {
            struct buffer line = {0};
            const char *place = strstr(commands[i], "%s");
            buffer_append(&line, commands[i], (size_t)(place - commands[i]));
            buffer_append_text(&line, numbers[j]);
            buffer_append_text(&line, place + 2);
            client_say(&f->client, line.data, line.len);
            buffer_finish(&line);
        }
    }
    client_call(&f->client, "query-version", NULL);
}

static void
quiet_methods_answer_only_failures_without_an_id(void **state)
{
    struct fixture *f = *state;
    client_start_guest(&f->client, "g", ECHO);
    static const char good[] = "{\"execute\":\"console-send\",\"arguments\":"
                               "{\"guest\":\"g\",\"text\":\"x\"}}\n";
    static const char bad[] = "{\"execute\":\"console-send\",\"arguments\":"
                              "{\"guest\":\"h\",\"text\":\"x\"}}\n";
    client_say(&f->client, good, sizeof(good) - 1);
    client_say(&f->client, bad, sizeof(bad) - 1);
    json_t *reply = client_receive(&f->client);
    assert_non_null(json_object_get(reply, "error"));
    json_decref(reply);
    json_t *value =
        client_call(&f->client, "console-send",
                    json_pack("{s:s,s:s}", "guest", "g", "text", "y"));
    assert_true(json_is_integer(json_object_get(value, "cursor")));
}

/* --- guests --------------------------------------------------------------- */

static void
defining_answers_with_the_guest_started_or_not(void **state)
{
    struct fixture *f = *state;
    for (int start = 0; start <= 1; start++) {
        for (int wait = 0; wait <= 1; wait++) {
            char *name = xasprintf("g%d%d", start, wait);
            json_t *guest =
                client_call(&f->client, "guest-define",
                            json_pack("{s:s,s:{s:[s]},s:s,s:b,s:b}", "name",
                                      name, "spec", "exec", "cat", "directory",
                                      "/", "start", start, "wait", wait));
            assert_string_equal(
                json_string_value(json_object_get(guest, "name")), name);
            assert_string_equal(
                json_string_value(json_object_get(guest, "state")),
                start ? "running" : "defined");
            free(name);
        }
    }
    const char *text = client_fail(
        &f->client, "guest-define",
        json_pack("{s:s,s:{s:[s]},s:s,s:b,s:b}", "name", "bad", "spec", "exec",
                  "/no/such/program", "directory", "/", "start", 1, "wait", 1),
        "IO");
    assert_non_null(strstr(text, "/no/such/program"));
}

static void
pasted_end_mark_cannot_end_the_paste(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text;
        const char *typed;
    } rows[] = {
        {"a\nb", "a\nb"},
        {"a\033[201~b", "ab"},
        {"a\033[20\033[201~1~b", "ab"},
        {"\033\033[201~[201~", ""},
        {"\033[20\033[20\033[201~1~1~x", "x"},
        {"a\033[200~b", "a\033[200~b"},
        {"\033[201", "\033[201"},
        {"\033[201~", ""},
    };
    client_start_guest(&f->client, "g",
                       "stty raw -echo; printf 'ready\\033[?2004h'; "
                       "exec cat");
    client_expect(&f->client, "g", "ready");
    json_t *value = client_call(&f->client, "console-log",
                                json_pack("{s:s}", "guest", "g"));
    json_int_t offset =
        json_integer_value(json_object_get(value, "next-offset"));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        client_call(&f->client, "console-send",
                    json_pack("{s:s,s:s,s:b}", "guest", "g", "text",
                              rows[i].text, "paste", 1));
        char *wanted = xasprintf("\033[200~%s\033[201~", rows[i].typed);
        struct buffer got = {0};
        while (got.len < strlen(wanted)) {
            value =
                client_call(&f->client, "console-log",
                            json_pack("{s:s,s:I,s:i}", "guest", "g", "offset",
                                      offset, "wait-ms", WORLD_DEADLINE_MS));
            json_t *data = json_object_get(value, "data");
            assert_true(base64_decode(json_string_value(data),
                                      json_string_length(data), &got));
            offset = json_integer_value(json_object_get(value, "next-offset"));
        }
        assert_string_equal(got.data, wanted);
        buffer_finish(&got);
        free(wanted);
    }
}

/* A guest that has printed 300 000 lines, and "flooded". */
static void
start_flooded(struct fixture *f)
{
    client_start_guest(&f->client, "g",
                       "stty raw -echo; i=0; while [ $i -lt 300000 ]; do "
                       "echo old $i; i=$((i+1)); done; echo flooded; exec cat");
    client_expect(&f->client, "g", "flooded");
}

/* Output that came while the server was not there is replayed; what is waited
 * for "from now on" comes after all of it. */
static void
wait_during_a_replay_sees_nothing_old(void **state)
{
    struct fixture *f = *state;
    start_flooded(f);
    client_close(&f->client);
    kill(f->world.pid, SIGKILL);
    (void)world_wait(&f->world);
    world_start(&f->world);
    client_open(&f->client, &f->world);
    client_fail(&f->client, "console-wait",
                json_pack("{s:s,s:s,s:i}", "guest", "g", "pattern", "old",
                          "timeout-ms", 20000),
                "State");
}

/* However late the server comes to look at it. */
static void
what_is_there_in_time_is_found_after_it(void **state)
{
    struct fixture *f = *state;
    start_flooded(f);
    json_t *found =
        client_call(&f->client, "console-wait",
                    json_pack("{s:s,s:s,s:i,s:i}", "guest", "g", "pattern",
                              "flooded", "after", 0, "timeout-ms", 1));
    assert_string_equal(json_string_value(json_object_get(found, "line")),
                        "flooded");
    client_fail(&f->client, "console-wait",
                json_pack("{s:s,s:s,s:i,s:i}", "guest", "g", "pattern", "never",
                          "after", 0, "timeout-ms", 1),
                "Timeout");
}

static void
waits_cost_no_descriptors(void **state)
{
    struct fixture *f = *state;
    client_start_guest(&f->client, "g", ECHO);
    client_expect(&f->client, "g", "ready");
    struct rlimit limit = {.rlim_cur = 64, .rlim_max = 64};
    assert_int_equal(prlimit(f->world.pid, RLIMIT_NOFILE, &limit, NULL), 0);
    int first = f->client.next_id + 1;
    for (int i = 0; i < 200; i++)
        client_send(&f->client, "console-wait",
                    json_pack("{s:s,s:s,s:b}", "guest", "g", "pattern", "magic",
                              "since-boot", i % 2));
    client_call(&f->client, "console-send",
                json_pack("{s:s,s:s}", "guest", "g", "text", "magic"));
    json_t *reply = client_receive(&f->client);
    int seen = 0;
    while (reply) {
        if (json_integer_value(json_object_get(reply, "id")) >= first) {
            assert_non_null(json_object_get(reply, "return"));
            seen++;
        }
        json_decref(reply);
        reply = seen < 200 ? client_receive(&f->client) : NULL;
    }
}

static void
pattern_that_takes_for_ever_fails_and_holds_nobody_up(void **state)
{
    struct fixture *f = *state;
    client_start_guest(&f->client, "g",
                       "i=0; while [ $i -lt 5000 ]; do echo "
                       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!; "
                       "i=$((i+1)); done; exec cat");
    const char *text =
        client_fail(&f->client, "console-wait",
                    json_pack("{s:s,s:s,s:b}", "guest", "g", "pattern",
                              "^(a+)+$", "since-boot", 1),
                    "Limit");
    assert_non_null(strstr(text, "simpler"));
}

static void
removing_a_guest_ends_what_waits_for_it(void **state)
{
    struct fixture *f = *state;
    struct client other;
    client_open(&other, &f->world);
    client_start_guest(&f->client, "g", "echo ready; exec cat");
    client_expect(&f->client, "g", "ready");
    client_call(&other, "view-open",
                json_pack("{s:s,s:i,s:i,s:b}", "guest", "g", "rows", 10, "cols",
                          40, "focus", 1));
    json_decref(client_event(&other, "SCREEN"));
    client_call(&f->client, "guest-kill",
                json_pack("{s:s,s:b}", "guest", "g", "wait", 1));
    int id = client_send(
        &other, "guest-wait",
        json_pack("{s:s,s:[s]}", "guest", "g", "states", "running"));
    client_call(&other, "query-version", NULL);
    client_call(&f->client, "guest-remove", json_pack("{s:s}", "guest", "g"));
    /* its view stays, shows nothing more, and can be used and closed */
    json_t *reply = client_reply(&other, id);
    assert_non_null(json_object_get(reply, "error"));
    client_call(&other, "view-change",
                json_pack("{s:i,s:i,s:i,s:b,s:i}", "view", 1, "rows", 5, "cols",
                          5, "resize", 1, "scroll", 3));
    client_call(&other, "view-close", json_pack("{s:i}", "view", 1));
    client_close(&other);
}

/* A definition that changes makes new consoles, whose rows a view must not take
 * for the old ones'. */
static void
view_shows_the_console_of_a_new_definition(void **state)
{
    struct fixture *f = *state;
    static const char fleet[] = "{\"version\":1,\"guests\":{\"g\":{\"exec\":"
                                "[\"/bin/sh\",\"-c\",\"echo %s\"]}}}";
    for (int i = 0; i < 2; i++) {
        char *text = xasprintf(fleet, i ? "second" : "first");
        client_call(&f->client, "fleet-apply",
                    json_pack("{s:s,s:s,s:b,s:b}", "file", "/fleet.json",
                              "text", text, "start", 1, "wait", 1));
        free(text);
        client_call(&f->client, "guest-wait",
                    json_pack("{s:s,s:[s,s],s:i}", "guest", "g", "states",
                              "stopped", "crashed", "timeout-ms",
                              WORLD_DEADLINE_MS));
        if (i == 0)
            client_call(&f->client, "view-open",
                        json_pack("{s:s,s:i,s:i,s:b}", "guest", "g", "rows", 5,
                                  "cols", 20, "focus", 1));
        const char *word = i ? "second" : "first";
        for (int frame = 1;; frame++) {
            json_t *event = client_event(&f->client, "SCREEN");
            char *shown = json_dumps(event, 0);
            json_t *data = json_object_get(event, "data");
            client_call(&f->client, "view-ack",
                        json_pack("{s:O,s:O}", "view",
                                  json_object_get(data, "view"), "frame",
                                  json_object_get(data, "frame")));
            bool is_there = strstr(shown, word) != NULL;
            free(shown);
            json_decref(event);
            if (is_there)
                break;
        }
    }
}

static json_t *
console_text_of(struct client *client, json_t *arguments)
{
    json_object_set_new(arguments, "guest", json_string("g"));
    return client_call(client, "console-text", arguments);
}

static void
text_between_two_places_is_told_and_kept(void **state)
{
    struct fixture *f = *state;
    client_start_guest(&f->client, "g",
                       "stty -echo; for i in 1 2 3 4 5; do echo line $i; done; "
                       "echo ready; exec cat");
    client_expect(&f->client, "g", "ready");
    json_t *value = console_text_of(
        &f->client, json_pack("{s:i,s:i,s:i,s:i,s:s}", "first", 1, "last", 2,
                              "first-col", 2, "last-col", 5, "buffer", "new"));
    assert_string_equal(json_string_value(json_object_get(value, "text")),
                        "ne 2\nline 3");
    assert_int_equal(json_integer_value(json_object_get(value, "lines")), 2);
    assert_int_equal(json_integer_value(json_object_get(value, "buffer")), 1);
    value = console_text_of(&f->client,
                            json_pack("{s:i,s:i,s:b,s:i,s:i,s:s}", "first", 0,
                                      "last", 1, "block", 1, "first-col", 5,
                                      "last-col", 5, "buffer", "append"));
    assert_string_equal(json_string_value(json_object_get(value, "text")),
                        "1\n2");
    value = client_call(&f->client, "buffer-get", NULL);
    assert_string_equal(json_string_value(json_object_get(value, "text")),
                        "ne 2\nline 3\n1\n2");
    assert_string_equal(json_string_value(json_object_get(value, "from")), "g");
    /* rows that do not exist, or are too many */
    client_fail(
        &f->client, "console-text",
        json_pack("{s:s,s:i,s:i}", "guest", "g", "first", 5000, "last", 6000),
        "NotFound");
    client_fail(&f->client, "console-text",
                json_pack("{s:s,s:i,s:i}", "guest", "g", "first", 3, "last", 2),
                "NotFound");
    client_fail(&f->client, "console-text",
                json_pack("{s:s,s:i,s:i,s:s}", "guest", "g", "first", 0, "last",
                          2, "buffer", "x"),
                "Invalid");
}

static void
buffers_are_set_listed_and_deleted(void **state)
{
    struct fixture *f = *state;
    client_fail(&f->client, "buffer-get", NULL, "NotFound");
    client_call(&f->client, "buffer-set", json_pack("{s:s}", "text", "one"));
    client_call(&f->client, "buffer-set", json_pack("{s:s}", "text", "two"));
    json_t *value = client_call(&f->client, "buffer-list", NULL);
    json_t *list = json_object_get(value, "buffers");
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(list, 0), "preview")),
        "two");
    client_call(&f->client, "buffer-delete", json_pack("{s:i}", "number", 2));
    value = client_call(&f->client, "buffer-get", NULL);
    assert_string_equal(json_string_value(json_object_get(value, "text")),
                        "one");
    client_fail(&f->client, "buffer-delete", json_pack("{s:i}", "number", 2),
                "NotFound");
}

/* However much is printed, and then the newest state. */
static void
view_that_is_not_acknowledged_gets_two_frames(void **state)
{
    struct fixture *f = *state;
    struct client other;
    client_open(&other, &f->world);
    client_start_guest(&f->client, "g",
                       "stty -echo; echo ready; read x; i=0; "
                       "while [ $i -lt 3000 ]; do echo line $i; "
                       "i=$((i+1)); done; echo flooded; exec cat");
    client_expect(&f->client, "g", "ready");
    client_call(
        &other, "view-open",
        json_pack("{s:s,s:i,s:i}", "guest", "g", "rows", 10, "cols", 20));
    client_call(&f->client, "console-send",
                json_pack("{s:s,s:s}", "guest", "g", "text", "x\n"));
    client_expect(&f->client, "g", "flooded");
    json_decref(client_event(&other, "SCREEN"));
    json_decref(client_event(&other, "SCREEN"));
    client_call(&f->client, "console-send",
                json_pack("{s:s,s:s}", "guest", "g", "text", "newest\n"));
    client_expect(&f->client, "g", "newest");
    /* neither a frame that was not sent nor an old one is an answer */
    client_call(&other, "view-ack",
                json_pack("{s:i,s:i}", "view", 1, "frame", 3));
    client_call(&other, "view-ack",
                json_pack("{s:i,s:i}", "view", 1, "frame", 0));
    client_call(&other, "query-version", NULL);
    assert_int_equal(json_array_size(other.events), 0);
    client_call(&other, "view-ack",
                json_pack("{s:i,s:i}", "view", 1, "frame", 2));
    json_t *event = client_event(&other, "SCREEN");
    char *shown = json_dumps(event, 0);
    assert_non_null(strstr(shown, "newest"));
    free(shown);
    json_decref(event);
    client_close(&other);
}

/* --- clients -------------------------------------------------------------- */

static void
client_that_goes_in_mid_command_leaves_nothing_behind(void **state)
{
    struct fixture *f = *state;
    client_start_guest(&f->client, "g", ECHO);
    client_expect(&f->client, "g", "ready");
    for (int round = 0; round < 20; round++) {
        struct client other;
        client_open(&other, &f->world);
        client_send(&other, "events-subscribe", NULL);
        client_send(&other, "view-open",
                    json_pack("{s:s,s:i,s:i,s:b,s:b}", "guest", "g", "rows",
                              10 + round, "cols", 40, "focus", 1, "resize", 1));
        client_send(&other, "console-wait",
                    json_pack("{s:s,s:s}", "guest", "g", "pattern", "never"));
        client_send(&other, "guest-wait",
                    json_pack("{s:s,s:[s]}", "guest", "g", "states", "lost"));
        client_send(&other, "console-log",
                    json_pack("{s:s,s:i,s:i}", "guest", "g", "offset", 1000000,
                              "wait-ms", 100000));
        client_send(&other, round % 2 ? "guest-restart" : "guest-shutdown",
                    json_pack("{s:s,s:b,s:i}", "guest", "g", "wait", 1,
                              "timeout-ms", 1 + round));
        if (round % 2)
            client_call(&other, "query-version", NULL);
        if (round % 3)
            client_say(&other, "{\"execute\":\"guest-li", 20);
        client_close(&other);
        client_call(&f->client, "guest-list", NULL);
        (void)client_reply(
            &f->client,
            client_send(&f->client, "guest-start",
                        json_pack("{s:s,s:b}", "guest", "g", "wait", 1)));
    }
    /* the others' ends are noticed a moment later */
    json_t *value = NULL;
    do
        value = client_call(&f->client, "query-server", NULL);
    while (json_integer_value(json_object_get(value, "peers")) != 1);
}

static void
client_that_lost_events_is_told_how_things_are(void **state)
{
    struct fixture *f = *state;
    struct client other;
    client_open(&other, &f->world);
    client_call(&other, "events-subscribe", NULL);
    char *long_word = xmalloc(60001);
    memset(long_word, 'x', 60000);
    long_word[60000] = '\0';
    client_call(&f->client, "guest-define",
                json_pack("{s:s,s:{s:[s,s]},s:s}", "name", "g", "spec", "exec",
                          "false", long_word, "directory", "/"));
    free(long_word);
    /* each report of a death has the command line */
    for (int i = 0; i < 20; i++) {
        client_call(&f->client, "guest-start",
                    json_pack("{s:s}", "guest", "g"));
        client_call(
            &f->client, "guest-wait",
            json_pack("{s:s,s:[s]}", "guest", "g", "states", "crashed"));
    }
    client_call(&f->client, "guest-remove", json_pack("{s:s}", "guest", "g"));
    json_t *event = client_event(&other, "GUEST_LIST");
    json_t *guests = json_object_get(json_object_get(event, "data"), "guests");
    assert_int_equal(json_array_size(guests), 0);
    json_decref(event);
    client_start_guest(&f->client, "h", ECHO);
    json_decref(client_event(&other, "GUEST_CHANGED"));
    client_close(&other);
}

static void
client_that_floods_commands_does_not_hold_up_others(void **state)
{
    struct fixture *f = *state;
    client_start_guest(&f->client, "g",
                       "i=0; while [ $i -lt 20000 ]; do echo line $i of many; "
                       "i=$((i+1)); done; echo flooded; exec cat");
    client_expect(&f->client, "g", "flooded");
    struct client other;
    client_open(&other, &f->world);
    struct buffer flood = {0};
    for (int i = 0; i < 1000; i++)
        buffer_append_text(&flood,
                           "{\"execute\":\"console-capture\",\"arguments\":"
                           "{\"guest\":\"g\",\"history\":10000}}\n");
    /* as much as the socket takes: the server stops reading, since nobody
     * reads the answers */
    (void)send(other.fd, flood.data, flood.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    uint64_t start = world_cpu_ms(&f->world);
    for (int i = 0; i < 10; i++)
        client_call(&f->client, "guest-list", NULL);
    assert_true(world_cpu_ms(&f->world) - start < 5000);
    json_t *value = client_call(&f->client, "query-server", NULL);
    assert_true(json_integer_value(json_object_get(value, "memory-bytes")) <
                (json_int_t)1 << 30);
    /* who reads again gets the answers */
    for (int i = 0; i < 3; i++) {
        json_t *reply = client_receive(&other);
        assert_non_null(json_object_get(reply, "return"));
        json_decref(reply);
    }
    buffer_finish(&flood);
    client_close(&other);
}

static void
waits_of_one_client_are_limited(void **state)
{
    struct fixture *f = *state;
    client_start_guest(&f->client, "g", ECHO);
    for (int i = 0; i < 5000; i++)
        client_send(&f->client, "guest-wait",
                    json_pack("{s:s,s:[s]}", "guest", "g", "states", "paused"));
    json_t *reply = client_receive(&f->client);
    json_t *error = json_object_get(reply, "error");
    assert_string_equal(json_string_value(json_object_get(error, "class")),
                        "Limit");
    json_decref(reply);
}

static void
server_without_descriptors_is_there_again_when_they_are(void **state)
{
    struct fixture *f = *state;
    struct rlimit before;
    assert_int_equal(prlimit(f->world.pid, RLIMIT_NOFILE, NULL, &before), 0);
    struct rlimit limit = {.rlim_cur = 40, .rlim_max = before.rlim_max};
    assert_int_equal(prlimit(f->world.pid, RLIMIT_NOFILE, &limit, NULL), 0);
    int fds[100];
    for (int i = 0; i < 100; i++)
        fds[i] = world_connect(&f->world);
    /* the client that is there is served; the loop does not spin */
    client_call(&f->client, "query-version", NULL);
    struct timespec first = {0};
    struct timespec second = {0};
    clockid_t clock = 0;
    assert_int_equal(clock_getcpuclockid(f->world.pid, &clock), 0);
    assert_int_equal(clock_gettime(clock, &first), 0);
    client_fail(&f->client, "guest-wait",
                json_pack("{s:s,s:[s]}", "guest", "x", "states", "paused"),
                "NotFound");
    (void)poll(NULL, 0, 500);
    assert_int_equal(clock_gettime(clock, &second), 0);
    int64_t spent_ms = (second.tv_sec - first.tv_sec) * 1000 +
                       (second.tv_nsec - first.tv_nsec) / 1000000;
    assert_true(spent_ms < 200);
    for (int i = 0; i < 100; i++)
        close(fds[i]);
    assert_int_equal(prlimit(f->world.pid, RLIMIT_NOFILE, &before, NULL), 0);
    struct client other;
    client_open(&other, &f->world);
    client_call(&other, "query-version", NULL);
    client_close(&other);
}

static void
clients_beyond_the_limit_are_told_so(void **state)
{
    struct fixture *f = *state;
    int fds[PEER_MAX_COUNT];
    for (int i = 1; i < PEER_MAX_COUNT; i++)
        fds[i] = world_connect(&f->world);
    struct client other = {.fd = world_connect(&f->world)};
    codec_init(&other.codec, 65536);
    json_t *message = client_receive(&other);
    json_t *error = json_object_get(message, "error");
    assert_string_equal(json_string_value(json_object_get(error, "class")),
                        "Limit");
    json_decref(message);
    assert_null(client_receive(&other));
    client_close(&other);
    for (int i = 1; i < PEER_MAX_COUNT; i++)
        close(fds[i]);
    json_t *value = NULL;
    do
        value = client_call(&f->client, "query-server", NULL);
    while (json_integer_value(json_object_get(value, "peers")) != 1);
    client_open(&other, &f->world);
    client_close(&other);
}

static void
bells_and_titles_without_end_are_a_trickle_of_events(void **state)
{
    struct fixture *f = *state;
    struct client other;
    client_open(&other, &f->world);
    client_call(&other, "events-subscribe", NULL);
    client_start_guest(&f->client, "g",
                       "stty raw; i=0; while [ $i -lt 20000 ]; do "
                       "printf '\\a\\033]0;%d\\a' $i; "
                       "i=$((i+1)); done; echo flooded; exec cat");
    uint64_t start = clock_monotonic_ms();
    client_expect(&f->client, "g", "flooded");
    uint64_t took_ms = clock_monotonic_ms() - start;
    client_call(&other, "query-version", NULL);
    size_t bells = 0;
    size_t changes = 0;
    for (size_t i = 0; i < json_array_size(other.events); i++) {
        json_t *event = json_array_get(other.events, i);
        bells += client_is_event(event, "CONSOLE_BELL");
        changes += client_is_event(event, "GUEST_CHANGED");
    }
    assert_true(bells >= 1 && bells <= took_ms / 100 + 2);
    assert_true(changes <= took_ms / 100 + 8);
    /* the last title comes through */
    for (;;) {
        json_t *event = client_event(&other, "GUEST_CHANGED");
        char *text = json_dumps(event, 0);
        bool is_last = strstr(text, "\"title\": \"19999\"") != NULL;
        free(text);
        json_decref(event);
        if (is_last)
            break;
    }
    client_close(&other);
}

static void
capture_too_large_for_an_answer_is_refused(void **state)
{
    struct fixture *f = *state;
    /* a colour of its own for every cell */
    client_call(&f->client, "guest-define",
                json_pack("{s:s,s:{s:[s,s,s]},s:s}", "name", "g", "spec",
                          "exec", "/bin/sh", "-c",
                          "awk 'BEGIN { for (i = 0; i < 480000; i++) "
                          "printf \"\\033[38;2;%d;%d;%d;48;2;%d;%d;%dmx\", "
                          "i%256, i%255, i%254, i%253, i%252, i%251; "
                          "print \"flooded\" }'; exec cat",
                          "directory", "/"));
    client_call(
        &f->client, "console-resize",
        json_pack("{s:s,s:i,s:i}", "guest", "g", "rows", 24, "cols", 400));
    client_call(&f->client, "guest-start",
                json_pack("{s:s,s:b}", "guest", "g", "wait", 1));
    client_expect(&f->client, "g", "flooded");
    const char *text = client_fail(
        &f->client, "console-capture",
        json_pack("{s:s,s:i,s:b}", "guest", "g", "history", 10000, "ansi", 1),
        "Limit");
    assert_non_null(strstr(text, "rows"));
    client_call(
        &f->client, "console-capture",
        json_pack("{s:s,s:i,s:b}", "guest", "g", "history", 100, "ansi", 1));
}

/* --- the end -------------------------------------------------------------- */

static void
server_ends_with_actions_and_waits_under_way(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 4; i++) {
        char *name = xasprintf("g%d", i);
        client_start_guest(&f->client, name,
                           "trap '' TERM HUP; echo ready; cat; cat");
        client_expect(&f->client, name, "ready");
        client_send(&f->client, "guest-shutdown",
                    json_pack("{s:s,s:b}", "guest", name, "wait", 1));
        client_send(&f->client, "guest-restart",
                    json_pack("{s:s,s:b,s:b}", "guest", name, "force", i % 2,
                              "wait", 1));
        client_send(&f->client, "console-wait",
                    json_pack("{s:s,s:s}", "guest", name, "pattern", "never"));
        client_send(&f->client, "view-open",
                    json_pack("{s:s,s:i,s:i,s:b}", "guest", name, "rows", 5,
                              "cols", 20, "focus", 1));
        free(name);
    }
    client_send(&f->client, "server-quit", NULL);
    assert_int_equal(world_wait(&f->world), 0);
}

/* A QEMU that is stopped answers no monitor: a new server waits for it a while,
 * and must hear a signal meanwhile. */
static void
stop_signal_is_heard_while_guests_are_adopted(void **state)
{
    struct fixture *f = *state;
    int id = client_send(&f->client, "guest-define",
                         json_pack("{s:s,s:{s:s,s:s},s:s,s:b,s:b}", "name", "g",
                                   "spec", "accel", "tcg", "memory", "16M",
                                   "directory", "/", "start", 1, "wait", 1));
    json_t *reply = client_reply(&f->client, id);
    json_t *guest = json_object_get(reply, "return");
    pid_t pid = (pid_t)json_integer_value(json_object_get(guest, "pid"));
    if (pid <= 0)
        skip(); /* no QEMU here */
    assert_int_equal(kill(pid, SIGSTOP), 0);
    kill(f->world.pid, SIGKILL);
    (void)world_wait(&f->world);
    char *path = paths_api_socket(&f->world.paths);
    (void)unlink(path);
    free(path); /* the server's process would count it as lost */
    int ready_fd = world_fork(&f->world);
    path = paths_api_socket(&f->world.paths);
    while (access(path, F_OK) < 0)
        (void)poll(NULL, 0, 1);
    kill(f->world.pid, SIGTERM);
    alarm(WORLD_DEADLINE_MS / 1000);
    assert_int_equal(world_wait(&f->world), 0);
    alarm(0);
    close(ready_fd);
    kill(pid, SIGKILL);
    free(path);
}

static void
stop_signal_ends_the_server_and_removes_its_socket(void **state)
{
    struct fixture *f = *state;
    char *path = paths_api_socket(&f->world.paths);
    assert_int_equal(access(path, F_OK), 0);
    kill(f->world.pid, SIGTERM);
    assert_int_equal(world_wait(&f->world), 0);
    assert_int_equal(access(path, F_OK), -1);
    free(path);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(bad_commands_are_told_and_the_connection_lives_on),
        SERVED(ids_of_any_type_come_back),
        SERVED(over_long_line_is_told_and_the_next_one_works),
        SERVED(extreme_numbers_are_refused_or_harmless),
        SERVED(quiet_methods_answer_only_failures_without_an_id),
        SERVED(defining_answers_with_the_guest_started_or_not),
        SERVED(pasted_end_mark_cannot_end_the_paste),
        SERVED(wait_during_a_replay_sees_nothing_old),
        SERVED(what_is_there_in_time_is_found_after_it),
        SERVED(waits_cost_no_descriptors),
        SERVED(pattern_that_takes_for_ever_fails_and_holds_nobody_up),
        SERVED(removing_a_guest_ends_what_waits_for_it),
        SERVED(view_shows_the_console_of_a_new_definition),
        SERVED(text_between_two_places_is_told_and_kept),
        SERVED(buffers_are_set_listed_and_deleted),
        SERVED(view_that_is_not_acknowledged_gets_two_frames),
        SERVED(client_that_goes_in_mid_command_leaves_nothing_behind),
        SERVED(client_that_lost_events_is_told_how_things_are),
        SERVED(client_that_floods_commands_does_not_hold_up_others),
        SERVED(waits_of_one_client_are_limited),
        SERVED(server_without_descriptors_is_there_again_when_they_are),
        SERVED(clients_beyond_the_limit_are_told_so),
        SERVED(bells_and_titles_without_end_are_a_trickle_of_events),
        SERVED(capture_too_large_for_an_answer_is_refused),
        SERVED(server_ends_with_actions_and_waits_under_way),
        SERVED(stop_signal_is_heard_while_guests_are_adopted),
        SERVED(stop_signal_ends_the_server_and_removes_its_socket),
    };
    /* one of them alone: for who looks for a mistake */
    cmocka_set_test_filter(getenv("TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
