#include "base/loop.h"
#include "base/xalloc.h"
#include "scratch.h"
#include "until.h"
#include "wire/codec.h"
#include "wire/stream.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#define MAX_LINE_BYTES 4096
#define MAX_QUEUE_BYTES (8u << 20)

enum when { NEVER, ON_MESSAGE, ON_FAULT, ON_CLOSE, ON_DRAINED };

/* A stream on one end of a socket pair; the test is the peer. */
struct fixture {
    uv_loop_t loop;
    struct stream *stream;
    int peer;
    int messages;
    int faults;
    int closes;
    int drains;
    bool has_error; /* on_close had one */
    struct error error;
    int64_t last;    /* "n" of the last message */
    enum when frees; /* handler that frees the stream */
    int pause_after; /* messages; 0: never */
    int work_ms;     /* that each message takes */
    int echoes;      /* replies sent for each message */
    int wanted;
};

static void
note(struct fixture *f, enum when when)
{
    if (f->frees != when)
        return;
    stream_free(f->stream);
    stream_free(NULL);
    f->stream = NULL;
}

static void
on_message(void *data, json_t *message)
{
    struct fixture *f = data;
    int64_t number = json_integer_value(json_object_get(message, "n"));
    assert_true(number == 0 || number == f->last + 1);
    f->last = number;
    f->messages++;
    uint64_t start = clock_monotonic_ms();
    while (clock_monotonic_ms() - start < (uint64_t)f->work_ms)
        continue;
    for (int i = 0; i < f->echoes && f->stream; i++)
        stream_send(f->stream, message);
    if (f->messages == f->pause_after)
        stream_set_reading(f->stream, false);
    note(f, ON_MESSAGE);
}

static void
on_fault(void *data, const struct error *error)
{
    struct fixture *f = data;
    f->faults++;
    f->error = *error;
    note(f, ON_FAULT);
}

static void
on_close(void *data, const struct error *error)
{
    struct fixture *f = data;
    f->closes++;
    f->has_error = error != NULL;
    if (error)
        f->error = *error;
    note(f, ON_CLOSE);
}

static void
on_drained(void *data)
{
    struct fixture *f = data;
    f->drains++;
    assert_int_equal(stream_pending_bytes(f->stream), 0);
    note(f, ON_DRAINED);
}

static const struct stream_handlers handlers = {
    .on_message = on_message,
    .on_fault = on_fault,
    .on_close = on_close,
    .on_drained = on_drained,
};

static int
set_up(void **state)
{
    static const struct stream_limits limits = {
        .max_line_bytes = MAX_LINE_BYTES,
        .max_queue_bytes = MAX_QUEUE_BYTES,
    };
    struct fixture *f = xcalloc(1, sizeof(*f));
    int fds[2];
    uv_loop_init(&f->loop);
    assert_int_equal(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
        0);
    f->peer = fds[1];
    f->stream = stream_new(&f->loop, fds[0], &limits, &handlers, f);
    f->wanted = 1;
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    stream_free(f->stream);
    if (f->peer >= 0)
        close(f->peer);
    assert_true(until_closed(&f->loop));
    free(f);
    return 0;
}

static bool
has_messages(void *data)
{
    struct fixture *f = data;
    return f->messages >= f->wanted;
}

static bool
has_closed(void *data)
{
    return ((struct fixture *)data)->closes > 0;
}

static bool
has_drained(void *data)
{
    return ((struct fixture *)data)->drains > 0;
}

static void
turn(struct fixture *f, int turns)
{
    for (int i = 0; i < turns; i++)
        uv_run(&f->loop, UV_RUN_NOWAIT);
}

static void
say(struct fixture *f, const char *text)
{
    size_t len = strlen(text);
    assert_int_equal(write(f->peer, text, len), len);
}

/* Numbered messages in one write. */
static void
say_numbers(struct fixture *f, int from, int to)
{
    struct buffer text = {0};
    for (int i = from; i <= to; i++)
        buffer_printf(&text, "{\"n\":%d}\n", i);
    say(f, text.data);
    buffer_finish(&text);
}

/* Reads all there is; returns how many bytes. */
static size_t
hear(struct fixture *f)
{
    char bytes[65536];
    size_t total = 0;
    ssize_t got = 0;
    while ((got = read(f->peer, bytes, sizeof(bytes))) > 0)
        total += (size_t)got;
    return total;
}

static void
send_big(struct fixture *f, size_t bytes)
{
    char *text = xmalloc(bytes);
    memset(text, 'x', bytes);
    text[bytes - 1] = '\n';
    stream_send_bytes(f->stream, text, bytes);
    free(text);
}

static void
hang_up(struct fixture *f)
{
    close(f->peer);
    f->peer = -1;
}

/* --- reading -------------------------------------------------------------- */

static void
messages_come_in_order_however_they_are_cut(void **state)
{
    struct fixture *f = *state;
    static const char text[] = "{\"n\":1}\n\n{\"n\":2}\r\n{\"n\":3}\n{\"n\":4";
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        assert_int_equal(write(f->peer, text + i, 1), 1);
        turn(f, 2);
    }
    f->wanted = 3;
    assert_true(run_until(&f->loop, has_messages, f));
    turn(f, 5);
    assert_int_equal(f->messages, 3);
    f->wanted = 4;
    say(f, "}\n");
    assert_true(run_until(&f->loop, has_messages, f));
    assert_int_equal(f->faults + f->closes, 0);
}

static void
faulty_line_does_not_end_the_stream(void **state)
{
    struct fixture *f = *state;
    say(f, "nonsense\n[]\n{\"n\":1}\n");
    assert_true(run_until(&f->loop, has_messages, f));
    assert_int_equal(f->faults, 2);
    assert_int_equal(f->closes, 0);
}

static void
over_long_line_is_told_before_it_ends(void **state)
{
    struct fixture *f = *state;
    char text[MAX_LINE_BYTES + 2];
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    say(f, text);
    while (!f->faults)
        uv_run(&f->loop, UV_RUN_ONCE);
    assert_int_equal(f->error.code, ERROR_CODE_LIMIT);
    say(f, "xxx\n{\"n\":1}\n");
    assert_true(run_until(&f->loop, has_messages, f));
    assert_int_equal(f->faults, 1);
}

static void
paused_stream_gives_no_message_that_was_read_already(void **state)
{
    struct fixture *f = *state;
    f->pause_after = 3;
    say_numbers(f, 1, 10);
    f->wanted = 3;
    assert_true(run_until(&f->loop, has_messages, f));
    turn(f, 10);
    assert_int_equal(f->messages, 3);
    say_numbers(f, 11, 12);
    turn(f, 10);
    assert_int_equal(f->messages, 3);
    stream_set_reading(f->stream, true);
    assert_int_equal(f->messages, 3);
    f->wanted = 12;
    assert_true(run_until(&f->loop, has_messages, f));
}

struct ticker {
    int count;
    struct loop_timer *timer;
};

static void
on_tick(void *data)
{
    struct ticker *ticker = data;
    ticker->count++;
    loop_timer_start(ticker->timer, 1);
}

static void
flood_of_messages_leaves_the_loop_its_turns(void **state)
{
    struct fixture *f = *state;
    struct ticker ticker = {0};
    ticker.timer = loop_timer_new(&f->loop, on_tick, &ticker);
    loop_timer_start(ticker.timer, 1);
    f->work_ms = 1;
    f->wanted = 200;
    say_numbers(f, 1, 200);
    assert_true(run_until(&f->loop, has_messages, f));
    assert_true(ticker.count >= 20);
    loop_timer_free(ticker.timer);
}

/* --- the end -------------------------------------------------------------- */

static void
peer_that_closes_is_told_once_after_its_messages(void **state)
{
    struct fixture *f = *state;
    f->work_ms = 1;
    say_numbers(f, 1, 20);
    hang_up(f);
    assert_true(run_until(&f->loop, has_closed, f));
    turn(f, 10);
    assert_int_equal(f->messages, 20);
    assert_int_equal(f->closes, 1);
    assert_false(f->has_error);
    /* sending goes nowhere, quietly */
    stream_send_bytes(f->stream, "x\n", 2);
    stream_set_reading(f->stream, false);
    stream_set_reading(f->stream, true);
    turn(f, 5);
    assert_int_equal(f->closes, 1);
}

/* The system tells of the lost bytes with an error that hides the message. */
static void
last_words_are_heard_of_a_peer_that_left_bytes_unread(void **state)
{
    struct fixture *f = *state;
    stream_send_bytes(f->stream, "{}\n", 3);
    say_numbers(f, 1, 20);
    hang_up(f);
    assert_true(run_until(&f->loop, has_closed, f));
    assert_int_equal(f->messages, 20);
    assert_false(f->has_error);
}

static void
last_words_are_heard_though_nothing_can_be_sent_any_more(void **state)
{
    struct fixture *f = *state;
    f->echoes = 1;
    f->work_ms = 1;
    say_numbers(f, 1, 20);
    hang_up(f);
    stream_send_bytes(f->stream, "{}\n", 3);
    assert_true(run_until(&f->loop, has_closed, f));
    assert_int_equal(f->messages, 20);
    assert_int_equal(f->closes, 1);
    assert_false(f->has_error);
}

static void
last_words_are_heard_of_a_peer_that_was_paused(void **state)
{
    struct fixture *f = *state;
    f->pause_after = 2;
    f->wanted = 2;
    say_numbers(f, 1, 10);
    assert_true(run_until(&f->loop, has_messages, f));
    send_big(f, 1 << 20);
    turn(f, 5);
    hang_up(f);
    assert_true(run_until(&f->loop, has_closed, f));
    assert_int_equal(f->messages, 10);
    assert_false(f->has_error);
}

static void
peer_that_stops_writing_gets_what_is_queued(void **state)
{
    struct fixture *f = *state;
    size_t bytes = 4 << 20;
    send_big(f, bytes);
    say_numbers(f, 1, 1);
    shutdown(f->peer, SHUT_WR);
    size_t heard = 0;
    while (!f->closes) {
        uv_run(&f->loop, UV_RUN_NOWAIT);
        heard += hear(f);
    }
    heard += hear(f);
    assert_int_equal(heard, bytes);
    assert_int_equal(f->messages, 1);
    assert_false(f->has_error);
}

/* --- writing -------------------------------------------------------------- */

static void
what_the_socket_does_not_take_is_queued_and_drained(void **state)
{
    struct fixture *f = *state;
    size_t bytes = 4 << 20;
    send_big(f, bytes);
    assert_true(stream_pending_bytes(f->stream) > 0);
    assert_true(stream_pending_bytes(f->stream) < bytes);
    turn(f, 10);
    assert_int_equal(f->drains, 0);
    size_t heard = 0;
    while (!f->drains) {
        uv_run(&f->loop, UV_RUN_NOWAIT);
        heard += hear(f);
    }
    heard += hear(f);
    assert_int_equal(heard, bytes);
    assert_int_equal(f->drains, 1);
    turn(f, 10);
    assert_int_equal(f->drains, 1);
}

static void
drained_is_told_though_a_later_send_wrote_the_rest(void **state)
{
    struct fixture *f = *state;
    send_big(f, 300000);
    while (stream_pending_bytes(f->stream)) {
        (void)hear(f);
        stream_send_bytes(f->stream, "{}\n", 3);
    }
    assert_int_equal(f->drains, 0);
    (void)hear(f);
    assert_true(run_until(&f->loop, has_drained, f));
    turn(f, 10);
    assert_int_equal(f->drains, 1);
}

static void
what_is_taken_at_once_drains_nothing(void **state)
{
    struct fixture *f = *state;
    stream_send_bytes(f->stream, "{}\n", 3);
    json_t *message = json_object();
    stream_send(f->stream, message);
    json_decref(message);
    turn(f, 10);
    assert_int_equal(f->drains, 0);
    char text[16] = "";
    assert_int_equal(read(f->peer, text, sizeof(text)), 6);
    assert_string_equal(text, "{}\n{}\n");
}

static void
queue_beyond_its_limit_ends_the_stream_with_an_error(void **state)
{
    struct fixture *f = *state;
    send_big(f, 2 * MAX_QUEUE_BYTES);
    assert_int_equal(f->closes, 0);
    say_numbers(f, 1, 5);
    assert_true(run_until(&f->loop, has_closed, f));
    assert_true(f->has_error);
    assert_int_equal(f->error.code, ERROR_CODE_LIMIT);
    /* its commands are not carried out: it would not see the replies */
    turn(f, 5);
    assert_int_equal(f->messages, 0);
    assert_int_equal(stream_pending_bytes(f->stream), 0);
}

static void
commands_behind_an_over_long_reply_are_not_carried_out(void **state)
{
    struct fixture *f = *state;
    f->echoes = 1000000; /* of 8 bytes: the limit is reached */
    say_numbers(f, 1, 5);
    f->wanted = 1;
    assert_true(run_until(&f->loop, has_closed, f));
    assert_true(f->has_error);
    turn(f, 5);
    assert_true(f->messages <= 3);
}

/* --- freeing -------------------------------------------------------------- */

static void
stream_may_be_freed_in_every_handler(void **state)
{
    for (int when = ON_MESSAGE; when <= ON_DRAINED; when++) {
        struct fixture *f = *state;
        f->frees = (enum when)when;
        switch (when) {
        case ON_MESSAGE:
            say_numbers(f, 1, 10);
            break;
        case ON_FAULT:
            say(f, "x\ny\n{}\n");
            break;
        case ON_CLOSE:
            hang_up(f);
            break;
        default:
            send_big(f, 300000);
            (void)hear(f);
            break;
        }
        while (f->stream) {
            uv_run(&f->loop, UV_RUN_NOWAIT);
            if (f->peer >= 0)
                (void)hear(f);
        }
        turn(f, 5);
        assert_true(f->messages <= 1 && f->faults <= 1);
        assert_true(f->closes == (when == ON_CLOSE));
        tear_down(state);
        set_up(state);
    }
}

static void
freed_stream_closes_its_descriptor_at_once(void **state)
{
    struct fixture *f = *state;
    say_numbers(f, 1, 1);
    stream_free(f->stream);
    f->stream = NULL;
    char byte = 0;
    assert_int_equal(send(f->peer, "x", 1, MSG_NOSIGNAL), -1);
    assert_true(read(f->peer, &byte, 1) <= 0);
    turn(f, 5);
    assert_int_equal(f->messages + f->closes, 0);
}

/* --- connecting ----------------------------------------------------------- */

static void
connecting_tells_what_is_wrong(void **state)
{
    (void)state;
    char *directory = scratch_new();
    char *path = scratch_path(directory, "socket");
    struct error error = {0};
    assert_int_equal(stream_connect_unix(path, &error), -1);
    assert_int_equal(error.errnum, ENOENT);
    assert_non_null(strstr(error.text, path));
    scratch_write(path, "", 0);
    assert_int_equal(stream_connect_unix(path, &error), -1);
    assert_int_equal(error.errnum, ECONNREFUSED);
    (void)unlink(path);

    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 0), 0);
    int first = stream_connect_unix(path, &error);
    assert_true(first >= 0);
    assert_true(fcntl(first, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(first, F_GETFD) & FD_CLOEXEC);
    /* nobody accepts: at last the backlog is full, and nothing waits */
    int more[4];
    int count = 0;
    while (count < 4 && (more[count] = stream_connect_unix(path, &error)) >= 0)
        count++;
    assert_true(count < 4);
    assert_int_equal(error.code, ERROR_CODE_TIMEOUT);
    while (count)
        close(more[--count]);
    close(first);
    close(fd);

    char longest[200];
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(stream_connect_unix(longest, &error), -1);
    assert_int_equal(error.code, ERROR_CODE_LIMIT);
    free(path);
    scratch_remove(directory);
}

#define CONNECTED(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CONNECTED(messages_come_in_order_however_they_are_cut),
        CONNECTED(faulty_line_does_not_end_the_stream),
        CONNECTED(over_long_line_is_told_before_it_ends),
        CONNECTED(paused_stream_gives_no_message_that_was_read_already),
        CONNECTED(flood_of_messages_leaves_the_loop_its_turns),
        CONNECTED(peer_that_closes_is_told_once_after_its_messages),
        CONNECTED(last_words_are_heard_of_a_peer_that_left_bytes_unread),
        CONNECTED(last_words_are_heard_though_nothing_can_be_sent_any_more),
        CONNECTED(last_words_are_heard_of_a_peer_that_was_paused),
        CONNECTED(peer_that_stops_writing_gets_what_is_queued),
        CONNECTED(what_the_socket_does_not_take_is_queued_and_drained),
        CONNECTED(drained_is_told_though_a_later_send_wrote_the_rest),
        CONNECTED(what_is_taken_at_once_drains_nothing),
        CONNECTED(queue_beyond_its_limit_ends_the_stream_with_an_error),
        CONNECTED(commands_behind_an_over_long_reply_are_not_carried_out),
        CONNECTED(stream_may_be_freed_in_every_handler),
        CONNECTED(freed_stream_closes_its_descriptor_at_once),
        cmocka_unit_test(connecting_tells_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
