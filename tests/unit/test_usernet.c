#include "guest/ports.h"
#include "qemu/usernet.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* QEMU 7.2's words. */
static const char words[] =
    "Hub -1 (gmnet2):\r\n"
    "  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ "
    "SendQ\r\n"
    "  TCP[HOST_FORWARD]   9       127.0.0.1 23456       10.0.2.15    22     0 "
    "    0\r\n"
    "  UDP[HOST_FORWARD]  14               * 23458       10.0.2.16    80     0 "
    "    0\r\n"
    "  TCP[ESTABLISHED]   15       127.0.0.1 50000       10.0.2.15    22     0 "
    "    0\r\n"
    "  ICMP[10 sec]       16       10.0.2.15     -         1.1.1.1     -     0 "
    "    0\r\n"
    "Hub -1 (gmnet3):\r\n"
    "  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ "
    "SendQ\r\n"
    "  TCP[HOST_FORWARD]  17       127.0.0.1    80       10.0.2.15    80     0 "
    "    0\r\n";

static void
forwards_are_found_in_qemus_words(void **state)
{
    (void)state;
    struct usernet_forward forwards[8];
    char netdev[USERNET_NAME_BYTES];
    assert_int_equal(usernet_parse(words, forwards, 8), 3);
    assert_string_equal(forwards[0].netdev, "gmnet2");
    assert_string_equal(forwards[0].host_address, "127.0.0.1");
    assert_int_equal(forwards[0].host_port, 23456);
    assert_string_equal(forwards[0].guest_address, "10.0.2.15");
    assert_int_equal(forwards[0].guest_port, 22);
    assert_false(forwards[0].is_udp);
    assert_true(forwards[1].is_udp);
    assert_string_equal(forwards[1].host_address, "0.0.0.0");
    assert_string_equal(forwards[2].netdev, "gmnet3");
    assert_int_equal(usernet_parse(words, forwards, 2), 2);
    assert_true(usernet_first(words, netdev));
    assert_string_equal(netdev, "gmnet2");
}

static void
odd_words_give_nothing(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "",
        "\n\n",
        "invalid command name 'info usernet'",
        "Hub -1 (",
        "Hub -1 ():\n TCP[HOST_FORWARD] 9 1.1.1.1 1 1.1.1.1 1",
        "Hub -1 (a b; quit):\n TCP[HOST_FORWARD] 9 1.1.1.1 1 1.1.1.1 1",
        "TCP[HOST_FORWARD] 9 1.1.1.1 1 1.1.1.1 1",
        "Hub -1 (n):\n TCP[HOST_FORWARD] 9 1.1.1.1 0 1.1.1.1 1",
        "Hub -1 (n):\n TCP[HOST_FORWARD] 9 1.1.1.1 99999999999 1.1.1.1 1",
        "Hub -1 (n):\n TCP[HOST_FORWARD] 9 1.1.1.1 1",
        "Hub -1 (n):\n XXX[HOST_FORWARD] 9 1.1.1.1 1 1.1.1.1 1",
    };
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        struct usernet_forward forwards[2];
        if (usernet_parse(odd[i], forwards, 2) != 0)
            fail_msg("%s", odd[i]);
    }
}

/* A listening socket on a port of the system's choice. */
static int
listen_somewhere(int *ret_port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    *ret_port = ntohs(at.sin_port);
    return fd;
}

static void
a_port_in_use_is_told(void **state)
{
    (void)state;
    int port = 0;
    int fd = listen_somewhere(&port);
    struct error error = {0};
    assert_false(ports_check("127.0.0.1", port, false, &error));
    assert_int_equal(error.code, ERROR_CODE_EXISTS);
    assert_non_null(strstr(error.text, "is in use"));
    assert_false(ports_check("0.0.0.0", port, false, NULL));
    assert_true(ports_check("127.0.0.1", port, true, NULL));
    (void)close(fd);
    assert_true(ports_check("127.0.0.1", port, false, NULL));
    memset(&error, 0, sizeof(error));
    assert_false(ports_check("192.0.2.1", port, false, &error));
    assert_int_equal(error.code, ERROR_CODE_IO);
}

static void
chosen_ports_are_free_stable_and_not_given_twice(void **state)
{
    (void)state;
    struct ports *ports = ports_new();
    int a = 0;
    int b = 0;
    int first = ports_choose(ports, &a, "127.0.0.1", false, "x", NULL);
    assert_true(first >= 20000 && first < 32000);
    assert_int_equal(ports_choose(ports, &a, "127.0.0.1", false, "x", NULL),
                     first);
    ports_hold(ports, first, &a);
    assert_int_equal(ports_choose(ports, &a, "127.0.0.1", false, "x", NULL),
                     first);
    int second = ports_choose(ports, &b, "127.0.0.1", false, "x", NULL);
    assert_int_not_equal(second, first);
    ports_hold(ports, second, &b);
    ports_release_all(ports, &a);
    assert_int_equal(ports_choose(ports, &b, "127.0.0.1", false, "x", NULL),
                     first);
    ports_free(ports);
    assert_int_equal(ports_choose(NULL, &b, "127.0.0.1", false, "x", NULL),
                     first);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forwards_are_found_in_qemus_words),
        cmocka_unit_test(odd_words_give_nothing),
        cmocka_unit_test(a_port_in_use_is_told),
        cmocka_unit_test(chosen_ports_are_free_stable_and_not_given_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
