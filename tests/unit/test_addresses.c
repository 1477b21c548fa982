#include "server/ci-info.h"
#include "server/neighbours.h"

#include <arpa/inet.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
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

/* A dump of the neighbour table, as the kernel answers it. */
struct dump {
    char bytes[4096];
    size_t len;
};

static size_t
put_attribute(char *at, unsigned short type, const void *value, size_t len)
{
    struct rtattr attribute = {.rta_len = (unsigned short)RTA_LENGTH(len),
                               .rta_type = type};
    memcpy(at, &attribute, sizeof(attribute));
    memcpy(at + RTA_LENGTH(0), value, len);
    return RTA_SPACE(len);
}

/* mac: 0 leaves it out, else its last byte. age: in the kernel's ticks. */
static void
put_neighbour(struct dump *dump, const char *address, unsigned char mac,
              unsigned short state, unsigned age)
{
    const unsigned char hardware[] = {0x52, 0x54, 0x00, 0xaa, 0xbb, mac};
    struct nda_cacheinfo times = {.ndm_confirmed = age, .ndm_updated = 500000};
    struct ndmsg message = {
        .ndm_family = AF_INET, .ndm_ifindex = 1, .ndm_state = state};
    unsigned char binary[16];
    size_t bytes = 4;
    if (inet_pton(AF_INET, address, binary) != 1) {
        assert_int_equal(inet_pton(AF_INET6, address, binary), 1);
        message.ndm_family = AF_INET6;
        bytes = 16;
    }
    char *start = dump->bytes + dump->len;
    char *at = start + NLMSG_HDRLEN;
    memcpy(at, &message, sizeof(message));
    at += NLMSG_ALIGN(sizeof(message));
    at += put_attribute(at, NDA_DST, binary, bytes);
    if (mac)
        at += put_attribute(at, NDA_LLADDR, hardware, sizeof(hardware));
    at += put_attribute(at, NDA_CACHEINFO, &times, sizeof(times));
    struct nlmsghdr header = {.nlmsg_len = (unsigned)(at - start),
                              .nlmsg_type = RTM_NEWNEIGH};
    memcpy(start, &header, sizeof(header));
    dump->len += (size_t)(at - start);
}

static struct dump
make_dump(void)
{
    struct dump dump = {0};
    put_neighbour(&dump, "fe80::5054:ff:feaa:bb01", 1, NUD_STALE, 300);
    put_neighbour(&dump, "2001:db8::7", 1, NUD_REACHABLE, 100);
    put_neighbour(&dump, "192.168.1.7", 1, NUD_STALE, 200);
    put_neighbour(&dump, "192.168.1.8", 2, NUD_FAILED, 0);
    put_neighbour(&dump, "192.168.1.9", 0, NUD_REACHABLE, 0);
    put_neighbour(&dump, "ff02::1", 3, NUD_PERMANENT, 0);
    put_neighbour(&dump, "192.168.1.10", 3, NUD_DELAY, 0);
    return dump;
}

static void
neighbours_are_found_by_their_mac(void **state)
{
    (void)state;
    struct dump dump = make_dump();
    struct neighbour found[NEIGHBOURS_MAX];
    assert_int_equal(
        neighbours_find(dump.bytes, dump.len, "52:54:00:AA:bb:01", found), 3);
    assert_string_equal(found[0].address, "192.168.1.7");
    assert_string_equal(found[1].address, "2001:db8::7");
    /* Interface 1 is lo everywhere. */
    assert_string_equal(found[2].address, "fe80::5054:ff:feaa:bb01%lo");
    assert_int_equal(found[0].age_ms, 2000);
    assert_int_equal(found[1].age_ms, 1000);
    /* One that was not found, or has no card, says nothing. */
    assert_int_equal(
        neighbours_find(dump.bytes, dump.len, "52:54:00:aa:bb:02", found), 0);
    assert_int_equal(
        neighbours_find(dump.bytes, dump.len, "52:54:00:aa:bb:00", found), 0);
    assert_int_equal(
        neighbours_find(dump.bytes, dump.len, "52:54:00:aa:bb:03", found), 1);
    assert_string_equal(found[0].address, "192.168.1.10");
    assert_int_equal(neighbours_find("", 0, "52:54:00:aa:bb:03", found), 0);
}

/* Cut anywhere, it is read up to there, and no further. */
static void
a_table_that_is_cut_is_read_so_far(void **state)
{
    (void)state;
    struct dump dump = make_dump();
    struct neighbour found[NEIGHBOURS_MAX];
    for (size_t len = 0; len <= dump.len; len++) {
        char *copy = malloc(len + 1);
        assert_non_null(copy);
        memcpy(copy, dump.bytes, len);
        size_t count = neighbours_find(copy, len, "52:54:00:aa:bb:01", found);
        assert_true(count <= 3);
        free(copy);
    }
    /* Lengths that lie. */
    for (size_t at = 0; at < dump.len; at++) {
        struct dump wrong = dump;
        wrong.bytes[at] = (char)0xff;
        (void)neighbours_find(wrong.bytes, wrong.len, "52:54:00:aa:bb:01",
                              found);
    }
}

static void
no_more_than_some_of_a_card_are_taken(void **state)
{
    (void)state;
    struct dump dump = {0};
    struct neighbour found[NEIGHBOURS_MAX];
    for (int i = 0; i < NEIGHBOURS_MAX + 4; i++) {
        char address[32];
        (void)snprintf(address, sizeof(address), "2001:db8::%x", i + 1);
        put_neighbour(&dump, address, 1, NUD_STALE, 0);
    }
    put_neighbour(&dump, "192.168.1.7", 1, NUD_STALE, 0);
    assert_int_equal(
        neighbours_find(dump.bytes, dump.len, "52:54:00:aa:bb:01", found),
        NEIGHBOURS_MAX);
    assert_string_equal(found[0].address, "192.168.1.7");
}

/* The kernel of this machine answers. */
static void
the_table_of_this_machine_is_read(void **state)
{
    (void)state;
    size_t len = 0;
    char *table = neighbours_read(&len);
    assert_non_null(table);
    assert_true(len >= NLMSG_HDRLEN); /* its end at least */
    free(table);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_cloud_inits_table_are_read),
        cmocka_unit_test(other_lines_are_no_rows),
        cmocka_unit_test(neighbours_are_found_by_their_mac),
        cmocka_unit_test(a_table_that_is_cut_is_read_so_far),
        cmocka_unit_test(no_more_than_some_of_a_card_are_taken),
        cmocka_unit_test(the_table_of_this_machine_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
