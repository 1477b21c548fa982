#include "fleet/forward.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* What people write, what QEMU gets with port 4000 for a chosen one, and how
 * it is written again. */
static const struct {
    const char *text;
    const char *qemu;
    const char *again;
} good[] = {
    {"2222:22", "tcp:127.0.0.1:2222-:22", "tcp:127.0.0.1:2222:22"},
    {"tcp:2222:22", "tcp:127.0.0.1:2222-:22", "tcp:127.0.0.1:2222:22"},
    {"udp:5353:53", "udp:127.0.0.1:5353-:53", "udp:127.0.0.1:5353:53"},
    {"auto:22", "tcp:127.0.0.1:4000-:22", "tcp:127.0.0.1:auto:22"},
    {"0:22", "tcp:127.0.0.1:4000-:22", "tcp:127.0.0.1:auto:22"},
    {"udp:auto:53", "udp:127.0.0.1:4000-:53", "udp:127.0.0.1:auto:53"},
    {"0.0.0.0:80:80", "tcp:0.0.0.0:80-:80", "tcp:0.0.0.0:80:80"},
    {"tcp:10.0.0.1:65535:1", "tcp:10.0.0.1:65535-:1", "tcp:10.0.0.1:65535:1"},
    {"tcp:127.0.0.1:auto:22", "tcp:127.0.0.1:4000-:22",
     "tcp:127.0.0.1:auto:22"},
    {"tcp::2222-:22", "tcp:0.0.0.0:2222-:22", "tcp:0.0.0.0:2222:22"},
    {"tcp:127.0.0.1:2222-10.0.2.16:22", "tcp:127.0.0.1:2222-10.0.2.16:22",
     "tcp:127.0.0.1:2222-10.0.2.16:22"},
    {"udp:auto-10.0.2.16:53", "udp:0.0.0.0:4000-10.0.2.16:53",
     "udp:0.0.0.0:auto-10.0.2.16:53"},
};

static void
what_people_write_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct forward forward = {0};
        struct error error = {0};
        char text[FORWARD_TEXT_BYTES];
        if (!forward_parse(good[i].text, &forward, &error))
            fail_msg("%s: %s", good[i].text, error.text);
        int port = forward.host_port ? forward.host_port : 4000;
        forward_to_qemu(&forward, port, text);
        assert_string_equal(text, good[i].qemu);
        forward_to_text(&forward, forward.host_port, text);
        assert_string_equal(text, good[i].again);
        forward_finish(&forward);
        /* What is written is read as the same. */
        assert_true(forward_parse(text, &forward, &error));
        forward_to_qemu(&forward, port, text);
        assert_string_equal(text, good[i].qemu);
        forward_finish(&forward);
    }
}

static const char *const bad[] = {
    "",
    "22",
    ":22",
    "2222:",
    "2222:0",
    "2222:auto",
    "65536:22",
    "2222:65536",
    "-1:22",
    "+2:22",
    " 2222:22",
    "2222:22 ",
    "02222222222222:22",
    "sctp:2222:22",
    "tcp:2222:22,hostfwd=tcp::1-:1",
    "localhost:2222:22",
    "::1:2222:22",
    "[::1]:2222:22",
    "tcp:127.0.0.1:2222-localhost:22",
    "1.2.3:2222:22",
    "0x7f.1:2222:22",
    "tcp::2222-",
    "tcp:-",
    "2222:22;id",
    "\033[31m:22",
};

static void
what_is_no_forward_is_refused_and_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct forward forward = {.guest_port = 7};
        struct error error = {0};
        if (forward_parse(bad[i], &forward, &error))
            fail_msg("\"%s\" was taken", bad[i]);
        assert_int_equal(error.code, ERROR_CODE_INVALID);
        assert_int_equal(forward.guest_port, 7);
        assert_null(strchr(error.text, '\033'));
    }
}

static void
the_same_port_clashes_where_addresses_meet(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        const char *b;
        bool clashes;
    } rows[] = {
        {"2222:22", "2222:80", true},
        {"2222:22", "udp:2222:22", false},
        {"2222:22", "2223:22", false},
        {"127.0.0.1:2222:22", "127.0.0.2:2222:22", false},
        {"127.0.0.1:2222:22", "0.0.0.0:2222:22", true},
        {"0.0.0.0:2222:22", "127.0.0.1:2222:22", true},
        {"auto:22", "auto:22", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct forward a = {0};
        struct forward b = {0};
        assert_true(forward_parse(rows[i].a, &a, NULL));
        assert_true(forward_parse(rows[i].b, &b, NULL));
        if (forward_clashes(&a, a.host_port, &b, b.host_port) !=
            rows[i].clashes)
            fail_msg("%s and %s", rows[i].a, rows[i].b);
        forward_finish(&a);
        forward_finish(&b);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_people_write_is_read),
        cmocka_unit_test(what_is_no_forward_is_refused_and_named),
        cmocka_unit_test(the_same_port_clashes_where_addresses_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
