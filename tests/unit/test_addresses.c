#include "server/addresses.h"
#include "server/ci-info.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Rows of cloud-init's table, as they stand on consoles. */
static const struct {
    const char *line;
    const char *device;
    const char *address;
    const char *mac;
} good[] = {
    {"ci-info: |  ens3  | True |  10.0.2.15   | 255.255.255.0 | global | "
     "52:54:00:12:34:56 |",
     "ens3", "10.0.2.15", "52:54:00:12:34:56"},
    {"[    9.123456] cloud-init[312]: ci-info: | enp0s2 | True | "
     "fe80::5054:ff:fe12:3456/64 | . | link | 52:54:00:12:34:56 |",
     "enp0s2", "fe80::5054:ff:fe12:3456", "52:54:00:12:34:56"},
    {"ci-info: |   lo   | True | 127.0.0.1 | 255.0.0.0 | host | . |", "lo",
     "127.0.0.1", ""},
};

static const char *const bad[] = {
    "",
    "ci-info: ",
    "ci-info: +--------+------+-----------+",
    "ci-info: | Device |  Up  | Address | Mask | Scope | Hw-Address |",
    "ci-info: |  ens3  | False | . | . | . | 52:54:00:12:34:56 |",
    "ci-info: |  ens3  | True | . | . | . | 52:54:00:12:34:56 |",
    "ci-info: |  ens3  | True | 10.0.2.15 | 255.255.255.0 | global",
    "ci-info: |  ens3  | True | 10.0.2.999 | 255.255.255.0 | global | . |",
    "ci-info: |  0  | 0.0.0.0 | 10.0.2.2 | 0.0.0.0 |  ens3  |  UG  |",
    "ci-info: | a;b | True | 10.0.2.15 | 255.255.255.0 | global | . |",
    "ci-info: | \033[31m | True | 10.0.2.15 | 255.255.255.0 | global | . |",
    "ci-info: |xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    "xxxxxxxx| True | 10.0.2.15 | 255.255.255.0 | global | . |",
};

static void
rows_of_cloud_inits_table_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct ci_info info;
        if (!ci_info_parse(good[i].line, &info))
            fail_msg("%s", good[i].line);
        assert_string_equal(info.device, good[i].device);
        assert_string_equal(info.address, good[i].address);
        assert_string_equal(info.mac, good[i].mac);
    }
}

static void
other_lines_are_no_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct ci_info info;
        if (ci_info_parse(bad[i], &info))
            fail_msg("%s: %s", bad[i], info.address);
    }
}

static void
neighbours_are_found_by_their_mac(void **state)
{
    (void)state;
    static const char table[] =
        "IP address       HW type     Flags       HW address            Mask   "
        "  Device\n"
        "192.168.1.7      0x1         0x2         52:54:00:AA:bb:01     *      "
        "  br0\n"
        "192.168.1.8      0x1         0x0         52:54:00:aa:bb:02     *      "
        "  br0\n"
        "192.168.1.9      0x1         0x2         52:54:00:aa:bb:03     *      "
        "  tap0";
    char ip[ADDRESSES_IPV4_BYTES];
    assert_true(addresses_find_neighbour(table, "52:54:00:aa:bb:01", ip));
    assert_string_equal(ip, "192.168.1.7");
    /* An entry that is not complete says nothing. */
    assert_false(addresses_find_neighbour(table, "52:54:00:aa:bb:02", ip));
    assert_true(addresses_find_neighbour(table, "52:54:00:aa:bb:03", ip));
    assert_string_equal(ip, "192.168.1.9");
    assert_false(addresses_find_neighbour(table, "52:54:00:aa:bb:04", ip));
    assert_false(addresses_find_neighbour("", "52:54:00:aa:bb:04", ip));
    assert_false(addresses_find_neighbour("\n\n\n", "52:54:00:aa:bb:04", ip));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_cloud_inits_table_are_read),
        cmocka_unit_test(other_lines_are_no_rows),
        cmocka_unit_test(neighbours_are_found_by_their_mac),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
