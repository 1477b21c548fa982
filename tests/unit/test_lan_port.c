#include "scratch.h"
#include "server/lan-port.h"
#include "until.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

/* A QEMU's end of the cable, and what the port told. */
struct cable {
    uv_loop_t loop;
    uint8_t *scratch;
    char *directory;
    char *path;
    int listener;
    int qemu; /* -1: not connected */
    struct lan_port *port;
    size_t frames;
    size_t bytes;
    size_t longs;
    size_t batches;
    size_t changes;
    size_t wanted; /* frames that are waited for */
    uint8_t first[8];
};

static void
on_frame(void *data, const uint8_t *frame, size_t len)
{
    struct cable *cable = data;
    if (cable->frames++ == 0 && len >= sizeof(cable->first))
        memcpy(cable->first, frame, sizeof(cable->first));
    cable->bytes += len;
}

static void
on_long(void *data)
{
    struct cable *cable = data;
    cable->longs++;
}

static void
on_batch(void *data)
{
    struct cable *cable = data;
    cable->batches++;
    lan_port_flush(cable->port);
}

static void
on_change(void *data)
{
    struct cable *cable = data;
    cable->changes++;
}

static const struct lan_port_handlers handlers = {on_frame, on_long, on_batch,
                                                  on_change};

static void
listen_again(struct cable *cable)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    memcpy(at.sun_path, cable->path, strlen(cable->path) + 1);
    (void)unlink(cable->path);
    cable->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(cable->listener, (struct sockaddr *)&at, sizeof(at)),
                     0);
    assert_int_equal(listen(cable->listener, 1), 0);
}

static int
set_up(void **state)
{
    struct cable *cable = xcalloc(1, sizeof(*cable));
    uv_loop_init(&cable->loop);
    cable->scratch = xcalloc(1, LAN_PORT_SCRATCH_BYTES);
    cable->directory = scratch_new();
    cable->path = scratch_path(cable->directory, "net0");
    listen_again(cable);
    cable->port = lan_port_new(&cable->loop, cable->scratch, &handlers, cable);
    lan_port_connect(cable->port, cable->path);
    assert_true(lan_port_is_connected(cable->port));
    cable->qemu = accept(cable->listener, NULL, NULL);
    *state = cable;
    return 0;
}

static int
tear_down(void **state)
{
    struct cable *cable = *state;
    lan_port_free(cable->port);
    assert_true(until_closed(&cable->loop));
    (void)close(cable->qemu);
    (void)close(cable->listener);
    free(cable->scratch);
    free(cable->path);
    scratch_remove(cable->directory);
    free(cable);
    return 0;
}

static void
write_all(const struct cable *cable, const void *bytes, size_t len)
{
    assert_int_equal(send(cable->qemu, bytes, len, MSG_NOSIGNAL), len);
}

static void
write_frame(const struct cable *cable, size_t len)
{
    static uint8_t wire[4 + 70000];
    memset(wire, 'f', sizeof(wire));
    wire[0] = 0;
    wire[1] = (uint8_t)(len >> 16);
    wire[2] = (uint8_t)(len >> 8);
    wire[3] = (uint8_t)len;
    write_all(cable, wire, 4 + len);
}

static bool
has_frames(void *data)
{
    const struct cable *cable = data;
    return cable->frames >= cable->wanted;
}

static bool
is_let_go(void *data)
{
    const struct cable *cable = data;
    return !lan_port_is_connected(cable->port);
}

static bool
is_connected(void *data)
{
    return !is_let_go(data);
}

static void
frames_arrive_whole_however_they_are_cut(void **state)
{
    struct cable *cable = *state;
    static const uint8_t wire[] = {0,   0,   0,   10,  '0', '1', '2', '3',
                                   '4', '5', '6', '7', '8', '9', 0,   0,
                                   0,   0,   0,   0,   0,   1,   'x'};
    for (size_t cut = 1; cut < sizeof(wire); cut++) {
        cable->frames = 0;
        cable->bytes = 0;
        write_all(cable, wire, cut);
        uv_run(&cable->loop, UV_RUN_NOWAIT);
        write_all(cable, wire + cut, sizeof(wire) - cut);
        cable->wanted = 3;
        assert_true(run_until(&cable->loop, has_frames, cable));
        assert_int_equal(cable->frames, 3);
        assert_int_equal(cable->bytes, 11);
        assert_memory_equal(cable->first, "01234567", 8);
    }
    assert_true(lan_port_is_connected(cable->port));
}

static void
frames_that_are_too_long_are_passed_over(void **state)
{
    struct cable *cable = *state;
    static const size_t longer[] = {SWITCH_FRAME_MAX + 1, 20000, 65535, 69632};
    for (size_t i = 0; i < sizeof(longer) / sizeof(longer[0]); i++) {
        write_frame(cable, longer[i]);
        write_frame(cable, SWITCH_FRAME_MAX);
        cable->wanted = i + 1;
        assert_true(run_until(&cable->loop, has_frames, cable));
    }
    assert_int_equal(cable->longs, 4);
    assert_int_equal(cable->bytes, 4 * SWITCH_FRAME_MAX);
    assert_true(lan_port_is_connected(cable->port));
}

static void
what_is_no_length_begins_again(void **state)
{
    struct cable *cable = *state;
    write_frame(cable, 64);
    write_all(cable, "\xff\xff\xff\xffxx", 6);
    assert_true(run_until(&cable->loop, is_let_go, cable));
    assert_int_equal(cable->frames, 1);
    (void)close(cable->qemu);
    assert_true(run_until(&cable->loop, is_connected, cable));
    cable->qemu = accept(cable->listener, NULL, NULL);
    write_frame(cable, 64);
    cable->wanted = 2;
    assert_true(run_until(&cable->loop, has_frames, cable));
}

static void
a_qemu_that_listens_again_is_connected_again(void **state)
{
    struct cable *cable = *state;
    uint8_t frame[64] = {0};
    (void)close(cable->qemu);
    (void)close(cable->listener);
    assert_true(run_until(&cable->loop, is_let_go, cable));
    assert_false(lan_port_send(cable->port, frame, sizeof(frame)));
    listen_again(cable);
    assert_true(run_until(&cable->loop, is_connected, cable));
    cable->qemu = accept(cable->listener, NULL, NULL);
    /* And let go when it is to be. */
    lan_port_connect(cable->port, NULL);
    assert_false(lan_port_is_connected(cable->port));
    char byte;
    assert_int_equal(recv(cable->qemu, &byte, 1, 0), 0);
}

static void
a_qemu_that_takes_nothing_costs_a_bounded_queue(void **state)
{
    struct cable *cable = *state;
    uint8_t frame[1514] = {0};
    size_t taken = 0;
    size_t refused = 0;
    for (int i = 0; i < 10000; i++) {
        if (lan_port_send(cable->port, frame, sizeof(frame)))
            taken++;
        else
            refused++;
        lan_port_flush(cable->port);
    }
    assert_true(refused > 0);
    /* The queue and what the sockets hold: far below 10000 frames. */
    assert_true(taken * (sizeof(frame) + 4) <
                LAN_PORT_QUEUE_BYTES + (4u << 20));
    /* All that was taken arrives, whole. */
    size_t got = 0;
    size_t wanted = taken * (sizeof(frame) + 4);
    static uint8_t bytes[65536];
    while (got < wanted) {
        ssize_t n = recv(cable->qemu, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (n > 0)
            got += (size_t)n;
        else
            uv_run(&cable->loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(got, wanted);
    assert_true(lan_port_send(cable->port, frame, sizeof(frame)));
}

static void
random_bytes_break_nothing(void **state)
{
    struct cable *cable = *state;
    uint64_t seed = 11;
    for (int round = 0; round < 200; round++) {
        uint8_t bytes[3000];
        for (size_t i = 0; i < sizeof(bytes); i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
            bytes[i] = (uint8_t)(seed >> 56);
        }
        /* Now and then a length that can be one. */
        bytes[0] = 0;
        bytes[1] = round % 3 == 0;
        (void)send(cable->qemu, bytes, sizeof(bytes),
                   MSG_NOSIGNAL | MSG_DONTWAIT);
        uv_run(&cable->loop, UV_RUN_NOWAIT);
        if (lan_port_is_connected(cable->port))
            continue;
        (void)close(cable->qemu);
        assert_true(run_until(&cable->loop, is_connected, cable));
        cable->qemu = accept(cable->listener, NULL, NULL);
        if (round > 20)
            break; /* each pause is longer than the one before */
    }
}

int
main(void)
{
#define CABLE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CABLE(frames_arrive_whole_however_they_are_cut),
        CABLE(frames_that_are_too_long_are_passed_over),
        CABLE(what_is_no_length_begins_again),
        CABLE(a_qemu_that_listens_again_is_connected_again),
        CABLE(a_qemu_that_takes_nothing_costs_a_bounded_queue),
        CABLE(random_bytes_break_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
