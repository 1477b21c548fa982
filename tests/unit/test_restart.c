#include "server-fixture.h"

/* Start order and restarts, by a real server; the guests are shell scripts on
 * terminals. */

static int
set_up(void **state)
{
    (void)fixture_set_up(state);
    struct fixture *f = *state;
    client_call(&f->client, "events-subscribe", NULL);
    return 0;
}

static json_t *
query(struct fixture *f, const char *guest)
{
    return client_call(&f->client, "guest-query",
                       json_pack("{s:s}", "guest", guest));
}

/* Applies a fleet of scripts: what stands between the braces of "guests". */
static int
send_fleet(struct fixture *f, const char *guests, bool wait)
{
    char *text = xasprintf("{\"version\": 1, \"guests\": {%s}}", guests);
    int id = client_send(&f->client, "fleet-apply",
                         json_pack("{s:s,s:s,s:b,s:b}", "file", "/f.json",
                                   "text", text, "start", 1, "wait", wait));
    free(text);
    return id;
}

/* The same, until its first guests are defined: the file is read beside the
 * loop, and the answer comes when all are started. */
static int
begin_fleet(struct fixture *f, const char *guests)
{
    int id = send_fleet(f, guests, true);
    json_decref(client_event(&f->client, "GUEST_CHANGED"));
    return id;
}

static json_t *
apply(struct fixture *f, const char *guests, bool wait)
{
    json_t *reply = client_reply(&f->client, send_fleet(f, guests, wait));
    json_t *value = json_object_get(reply, "return");
    if (!value)
        fail_msg("%s", text_of(json_object_get(reply, "error"), "desc"));
    return json_object_get(value, "guests");
}

static void
type(struct fixture *f, const char *guest, const char *text)
{
    client_call(&f->client, "console-send",
                json_pack("{s:s,s:s}", "guest", guest, "text", text));
}

static json_t *
wait_state(struct fixture *f, const char *guest, const char *state)
{
    return client_call(&f->client, "guest-wait",
                       json_pack("{s:s,s:[s],s:i}", "guest", guest, "states",
                                 state, "timeout-ms", WORLD_DEADLINE_MS));
}

/* Waits until a GUEST_CHANGED of the guest is as accept wants it; its data,
 * the caller's. */
static json_t *
wait_change(struct fixture *f, const char *guest,
            bool (*accept)(const json_t *object))
{
    for (;;) {
        json_t *event = client_event(&f->client, "GUEST_CHANGED");
        json_t *data = json_incref(json_object_get(event, "data"));
        json_decref(event);
        if (!strcmp(text_of(data, "name"), guest) && accept(data))
            return data;
        json_decref(data);
    }
}

static json_t *
wait_alert(struct fixture *f, const char *rule)
{
    for (;;) {
        json_t *event = client_event(&f->client, "ALERT");
        json_t *data = json_incref(json_object_get(event, "data"));
        json_decref(event);
        if (!strcmp(text_of(data, "rule"), rule))
            return data;
        json_decref(data);
    }
}

/* Kills the server and starts another one in its place. */
static void
replace_server(struct fixture *f)
{
    client_close(&f->client);
    kill(f->world.pid, SIGKILL);
    (void)world_wait(&f->world);
    world_start(&f->world);
    client_open(&f->client, &f->world);
    client_call(&f->client, "events-subscribe", NULL);
}

#define SCRIPT(text) "{\"exec\": [\"/bin/sh\", \"-c\", \"" text "\"]"
#define LOGIN_LATER                                                            \
    SCRIPT("stty raw -echo; head -c1; printf 'a login: '; exec cat") "}"
#define STAYS SCRIPT("exec cat")

/* Start order -------------------------------------------------------------- */

static void
guest_waits_until_another_has_come_far_enough(void **state)
{
    struct fixture *f = *state;
    /* the one that waits stands first */
    int id = begin_fleet(f, "\"b\": " STAYS ", \"after\": [\"a\"], \"until\": "
                            "\"login\"}, \"a\": " LOGIN_LATER);
    (void)wait_state(f, "a", "running");
    json_t *guest = query(f, "b");
    assert_string_equal(text_of(guest, "state"), "defined");
    assert_string_equal(text_of(guest, "waiting"), "waiting for a: login");
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(guest, "after"), 0)),
        "a");
    type(f, "a", "x");
    json_t *reply = client_reply(&f->client, id);
    json_t *rows = json_object_get(json_object_get(reply, "return"), "guests");
    assert_int_equal(json_array_size(rows), 2);
    assert_string_equal(text_of(json_array_get(rows, 0), "action"), "started");
    assert_null(json_object_get(json_array_get(rows, 0), "waiting"));
    guest = query(f, "b");
    assert_string_equal(text_of(guest, "state"), "running");
    assert_string_equal(text_of(guest, "waiting"), "");
}

static void
without_wait_the_answer_says_who_is_held_back(void **state)
{
    struct fixture *f = *state;
    json_t *rows = apply(f,
                         "\"b\": " STAYS ", \"after\": [\"a\"], \"until\": "
                         "\"login\"}, \"a\": " LOGIN_LATER,
                         false);
    const json_t *row = json_array_get(rows, 0);
    assert_string_equal(text_of(row, "action"), "waiting");
    assert_string_equal(text_of(row, "waiting"), "waiting for a: login");
    /* once more changes nothing */
    rows = apply(f,
                 "\"b\": " STAYS ", \"after\": [\"a\"], \"until\": "
                 "\"login\"}, \"a\": " LOGIN_LATER,
                 false);
    assert_string_equal(text_of(json_array_get(rows, 0), "action"), "waiting");
}

static void
guest_is_not_started_when_the_other_dies(void **state)
{
    struct fixture *f = *state;
    int id = begin_fleet(
        f,
        "\"a\": " SCRIPT(
            "stty raw -echo; head -c1; exit 3") "}, \"b\": " STAYS
                                                ", \"after\": [\"a\"], \"until\": \"login\"}, \"c\": " STAYS
                                                ", \"after\": [\"b\"]}");
    (void)wait_state(f, "a", "running");
    type(f, "a", "x");
    json_t *reply = client_reply(&f->client, id);
    json_t *rows = json_object_get(json_object_get(reply, "return"), "guests");
    const json_t *row = json_array_get(rows, 1);
    assert_string_equal(text_of(row, "action"), "failed");
    assert_string_equal(text_of(row, "error"),
                        "b was not started: it comes after a (login), which is "
                        "crashed: sh exited with status 3; start a first, or b "
                        "alone with `guestmux start b`");
    /* and who comes after that one neither */
    row = json_array_get(rows, 2);
    assert_non_null(strstr(text_of(row, "error"),
                           "it comes after b (running), which is defined"));
    assert_string_equal(text_of(query(f, "c"), "state"), "defined");
}

static void
guest_is_not_started_when_the_other_takes_too_long(void **state)
{
    struct fixture *f = *state;
    json_t *rows = apply(f,
                         "\"b\": " STAYS ", \"after\": [\"a\"], \"until\": "
                         "{\"stage\": \"login\", \"timeout\": 1}}, "
                         "\"a\": " LOGIN_LATER,
                         true);
    assert_string_equal(text_of(json_array_get(rows, 0), "error"),
                        "b was not started: waiting for a: login for longer "
                        "than 1 s (until.timeout); `guestmux start b` starts "
                        "it all the same");
}

static void
alone_it_is_refused_with_what_to_do(void **state)
{
    struct fixture *f = *state;
    (void)apply(f, "\"a\": " STAYS "}", true);
    client_call(&f->client, "guest-kill",
                json_pack("{s:s,s:b}", "guest", "a", "wait", 1));
    char *text = xstrdup("{\"version\": 1, \"guests\": {\"a\": " STAYS
                         "}, \"b\": " STAYS ", \"after\": \"a\"}}}");
    json_t *value = client_call(&f->client, "fleet-apply",
                                json_pack("{s:s,s:s,s:b,s:b,s:[s]}", "file",
                                          "/f.json", "text", text, "start", 1,
                                          "wait", 1, "guests", "b"));
    free(text);
    const json_t *row = json_array_get(json_object_get(value, "guests"), 0);
    assert_non_null(strstr(text_of(row, "error"),
                           "it comes after a (running), which is stopped: "
                           "forced off as asked; start a first, or b alone"));
    /* by itself it starts at once */
    client_call(&f->client, "guest-start", json_pack("{s:s}", "guest", "b"));
    (void)wait_state(f, "b", "running");
}

static void
user_can_start_or_stop_what_waits(void **state)
{
    struct fixture *f = *state;
    int id = begin_fleet(f, "\"a\": " LOGIN_LATER ", \"b\": " STAYS
                            ", \"after\": [\"a\"], \"until\": \"login\"}, "
                            "\"c\": " STAYS
                            ", \"after\": [\"a\"], \"until\": \"login\"}");
    (void)wait_state(f, "a", "running");
    client_call(&f->client, "guest-start", json_pack("{s:s}", "guest", "b"));
    (void)wait_state(f, "b", "running");
    (void)client_send(&f->client, "guest-shutdown",
                      json_pack("{s:s}", "guest", "c"));
    json_t *reply = client_reply(&f->client, id);
    json_t *rows = json_object_get(json_object_get(reply, "return"), "guests");
    assert_string_equal(text_of(json_array_get(rows, 1), "action"), "started");
    assert_string_equal(text_of(json_array_get(rows, 2), "error"),
                        "c was told not to start");
    assert_string_equal(text_of(query(f, "c"), "waiting"), "");
}

static void
next_server_goes_on_holding(void **state)
{
    struct fixture *f = *state;
    char *path = xasprintf("%s/console.sock", f->world.directory);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path) + 1);
    assert_int_equal(
        bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(listener, 4), 0);
    char *guests = xasprintf("\"a\": {\"socket\": \"%s\"}, \"b\": " STAYS
                             ", \"after\": [\"a\"], \"until\": \"login\"}",
                             path);
    (void)apply(f, guests, false);
    int first = accept(listener, NULL, NULL);
    (void)wait_state(f, "a", "running");
    replace_server(f);
    int second = accept(listener, NULL, NULL);
    assert_string_equal(text_of(query(f, "b"), "waiting"),
                        "waiting for a: login");
    assert_int_equal(write(second, "\r\na login: ", 11), 11);
    (void)wait_state(f, "b", "running");
    close(first);
    close(second);
    close(listener);
    free(guests);
    free(path);
}

/* Restarts ----------------------------------------------------------------- */

static bool
is_due(const json_t *object)
{
    return json_is_integer(
        json_object_get(json_object_get(object, "restart"), "due-ms"));
}

static bool
has_given_up(const json_t *object)
{
    return json_is_true(
        json_object_get(json_object_get(object, "restart"), "gave-up"));
}

static bool
runs_again(const json_t *object)
{
    return !strcmp(text_of(object, "state"), "running") &&
           json_integer_value(json_object_get(
               json_object_get(object, "restart"), "count")) > 0;
}

#define FAILS_WHEN_TOLD                                                        \
    SCRIPT("stty raw -echo; head -c1; exit 7") ", \"restart\": "

static void
guest_that_fails_is_started_again(void **state)
{
    struct fixture *f = *state;
    (void)apply(f, "\"a\": " FAILS_WHEN_TOLD "\"on-failure\"}", true);
    type(f, "a", "x");
    json_t *guest = wait_change(f, "a", is_due);
    const json_t *restart = json_object_get(guest, "restart");
    assert_string_equal(text_of(restart, "policy"), "on-failure");
    assert_int_equal(json_integer_value(json_object_get(restart, "limit")), 5);
    assert_string_equal(text_of(guest, "state"), "crashed");
    json_decref(guest);
    json_decref(wait_change(f, "a", runs_again));
}

static void
delays_double_up_to_the_limit(void **state)
{
    struct fixture *f = *state;
    (void)apply(f,
                "\"a\": " SCRIPT("exit 7") ", \"restart\": {\"policy\": "
                                           "\"on-failure\", \"delay\": 1, "
                                           "\"max-delay\": 2, \"limit\": 2}}",
                true);
    json_t *first = wait_change(f, "a", is_due);
    json_decref(first);
    json_t *alert = wait_alert(f, "restart-limit");
    assert_string_equal(text_of(alert, "severity"), "critical");
    assert_string_equal(text_of(alert, "text"),
                        "ended again after 2 restarts within 600 s, and is not "
                        "started any more; see `guestmux logs a`, then "
                        "`guestmux start a`");
    json_decref(alert);
    json_t *records =
        json_object_get(client_call(&f->client, "event-list",
                                    json_pack("{s:s}", "kind", "notice")),
                        "events");
    const char *const wanted[] = {"restarts in 1 s (1 of 2 within 600 s)",
                                  "restarts in 2 s (2 of 2 within 600 s)"};
    size_t found = 0;
    for (size_t i = 0; i < json_array_size(records) && found < 2; i++) {
        const char *text = text_of(json_array_get(records, i), "text");
        found += text && !strcmp(text, wanted[found]);
    }
    assert_int_equal(found, 2);
    json_t *guest = query(f, "a");
    assert_false(is_due(guest));
    assert_string_equal(text_of(guest, "state"), "crashed");
    assert_true(has_given_up(guest));
    /* until it is started again */
    (void)client_call(&f->client, "guest-start",
                      json_pack("{s:s}", "guest", "a"));
    json_decref(wait_change(f, "a", is_due));
    assert_false(has_given_up(query(f, "a")));
}

static void
clean_end_is_restarted_by_always_alone(void **state)
{
    struct fixture *f = *state;
    (void)apply(
        f,
        "\"a\": " SCRIPT(
            "stty raw -echo; head -c1") ", \"restart\": "
                                        "\"on-failure\"}, \"b\": " SCRIPT(
                                            "stty raw -echo; head -c1") ", \"restart\": \"always\"}",
        true);
    type(f, "a", "x");
    (void)wait_state(f, "a", "stopped");
    type(f, "b", "x");
    json_decref(wait_change(f, "b", runs_again));
    assert_false(is_due(query(f, "a")));
}

static void
what_the_user_stopped_stays_so(void **state)
{
    struct fixture *f = *state;
    (void)apply(f, "\"a\": " STAYS ", \"restart\": \"always\"}", true);
    client_call(&f->client, "guest-kill",
                json_pack("{s:s,s:b}", "guest", "a", "wait", 1));
    json_t *guest = query(f, "a");
    assert_string_equal(text_of(guest, "state"), "stopped");
    assert_false(is_due(guest));
    /* nor does the next server start it, not even with autostart */
    replace_server(f);
    assert_string_equal(text_of(query(f, "a"), "state"), "stopped");
}

static void
stop_calls_the_restart_off(void **state)
{
    struct fixture *f = *state;
    (void)apply(f,
                "\"a\": " FAILS_WHEN_TOLD "{\"policy\": \"on-failure\", "
                "\"delay\": 1000, \"max-delay\": 1000}}",
                true);
    type(f, "a", "x");
    json_decref(wait_change(f, "a", is_due));
    json_t *guest = client_call(&f->client, "guest-shutdown",
                                json_pack("{s:s}", "guest", "a"));
    assert_false(is_due(guest));
    assert_string_equal(client_fail(&f->client, "guest-shutdown",
                                    json_pack("{s:s}", "guest", "a"), "State"),
                        "cannot shut down a: it is not running");
}

static void
next_server_keeps_the_countdown(void **state)
{
    struct fixture *f = *state;
    (void)apply(f,
                "\"a\": " FAILS_WHEN_TOLD "{\"policy\": \"on-failure\", "
                "\"delay\": 1000, \"max-delay\": 1000}}",
                true);
    type(f, "a", "x");
    json_t *guest = wait_change(f, "a", is_due);
    json_int_t due = json_integer_value(
        json_object_get(json_object_get(guest, "restart"), "due-ms"));
    json_decref(guest);
    replace_server(f);
    guest = query(f, "a");
    assert_int_equal(json_integer_value(json_object_get(
                         json_object_get(guest, "restart"), "due-ms")),
                     due);
    /* a start by hand ends it */
    client_call(&f->client, "guest-start", json_pack("{s:s}", "guest", "a"));
    assert_false(is_due(wait_state(f, "a", "running")));
}

static void
autostart_starts_with_the_server_in_order(void **state)
{
    struct fixture *f = *state;
    (void)apply(f,
                "\"b\": " STAYS ", \"autostart\": true, \"after\": [\"a\"]}, "
                "\"a\": " STAYS ", \"autostart\": true}, \"c\": " STAYS "}",
                true);
    /* programs end with their server: all have ended unwatched */
    replace_server(f);
    (void)wait_state(f, "a", "running");
    (void)wait_state(f, "b", "running");
    assert_string_equal(text_of(query(f, "c"), "state"), "stopped");
}

#define LISTENING(name)                                                        \
    cmocka_unit_test_setup_teardown(name, set_up, fixture_tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LISTENING(guest_waits_until_another_has_come_far_enough),
        LISTENING(without_wait_the_answer_says_who_is_held_back),
        LISTENING(guest_is_not_started_when_the_other_dies),
        LISTENING(guest_is_not_started_when_the_other_takes_too_long),
        LISTENING(alone_it_is_refused_with_what_to_do),
        LISTENING(user_can_start_or_stop_what_waits),
        LISTENING(next_server_goes_on_holding),
        LISTENING(guest_that_fails_is_started_again),
        LISTENING(delays_double_up_to_the_limit),
        LISTENING(clean_end_is_restarted_by_always_alone),
        LISTENING(what_the_user_stopped_stays_so),
        LISTENING(stop_calls_the_restart_off),
        LISTENING(next_server_keeps_the_countdown),
        LISTENING(autostart_starts_with_the_server_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
