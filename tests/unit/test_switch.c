#include "server/snoop.h"
#include "server/switch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What a port got. */
struct end {
    size_t frames;
    size_t last_len;
    uint8_t last[SWITCH_FRAME_MAX];
    bool is_full;
};

static bool
take(void *data, const uint8_t *frame, size_t len)
{
    struct end *end = data;
    if (end->is_full)
        return false;
    end->frames++;
    end->last_len = len;
    memcpy(end->last, frame, len);
    return true;
}

#define PORTS 3

struct bench {
    struct net_switch *net_switch;
    struct end ends[PORTS];
    struct switch_port *ports[PORTS];
};

/* 02:00:00:00:00:NN */
static void
set_mac(uint8_t *mac, uint8_t number)
{
    memset(mac, 0, MAC_BYTES);
    mac[0] = 2;
    mac[5] = number;
}

/* Cards 1, 2 and 3, each of another owner. */
static void
set_up(struct bench *bench)
{
    memset(bench, 0, sizeof(*bench));
    bench->net_switch = switch_new();
    for (size_t i = 0; i < PORTS; i++) {
        uint8_t mac[MAC_BYTES];
        set_mac(mac, (uint8_t)(i + 1));
        bench->ports[i] = switch_add(bench->net_switch, take, &bench->ends[i],
                                     mac, &bench->ends[i]);
    }
}

static void
tear_down(struct bench *bench)
{
    for (size_t i = 0; i < PORTS; i++)
        switch_remove(bench->ports[i]);
    switch_free(bench->net_switch);
}

static void
send_len(struct bench *bench, size_t port, uint8_t to, uint8_t from, size_t len,
         uint64_t now_ms)
{
    static uint8_t frame[70000];
    memset(frame, 0, sizeof(frame));
    if (to == 255)
        memset(frame, 0xff, MAC_BYTES);
    else
        set_mac(frame, to);
    set_mac(frame + MAC_BYTES, from);
    frame[12] = 0x88; /* an experiment's type */
    frame[13] = 0xb5;
    switch_take(bench->ports[port], frame, len, now_ms);
}

static void
send_frame(struct bench *bench, size_t port, uint8_t to, uint8_t from,
           uint64_t now_ms)
{
    send_len(bench, port, to, from, 64, now_ms);
}

static void
require_frames(const struct bench *bench, size_t a, size_t b, size_t c)
{
    assert_int_equal(bench->ends[0].frames, a);
    assert_int_equal(bench->ends[1].frames, b);
    assert_int_equal(bench->ends[2].frames, c);
}

static void
frames_go_to_the_card_they_are_for(void **state)
{
    (void)state;
    struct bench bench;
    set_up(&bench);
    send_frame(&bench, 0, 2, 1, 0);
    require_frames(&bench, 0, 1, 0);
    send_frame(&bench, 1, 1, 2, 0);
    require_frames(&bench, 1, 1, 0);
    send_frame(&bench, 2, 255, 3, 0);
    require_frames(&bench, 2, 2, 0);
    /* To itself, which is no way. */
    send_frame(&bench, 0, 1, 1, 0);
    require_frames(&bench, 2, 2, 0);
    const struct switch_counts *counts = switch_counts(bench.ports[0]);
    assert_int_equal(counts->from_frames, 2);
    assert_int_equal(counts->from_bytes, 128);
    assert_int_equal(counts->to_frames, 2);
    assert_int_equal(counts->to_bytes, 128);
    tear_down(&bench);
}

static void
addresses_are_learned_and_age(void **state)
{
    (void)state;
    struct bench bench;
    set_up(&bench);
    send_frame(&bench, 0, 50, 1, 0); /* not known: to all */
    require_frames(&bench, 0, 1, 1);
    send_frame(&bench, 2, 1, 50, 1000); /* a nested guest behind the third */
    require_frames(&bench, 1, 1, 1);
    send_frame(&bench, 0, 50, 1, 2000);
    require_frames(&bench, 1, 1, 2);
    /* It moves when it is heard elsewhere. */
    send_frame(&bench, 1, 1, 50, 3000);
    send_frame(&bench, 0, 50, 1, 3000);
    require_frames(&bench, 2, 2, 2);
    /* Not heard for five minutes: to all again. */
    send_frame(&bench, 0, 50, 1, 3000 + MAC_TABLE_AGE_MS);
    require_frames(&bench, 2, 3, 3);
    /* A card's own does not age. */
    send_frame(&bench, 0, 2, 1, 3000 + MAC_TABLE_AGE_MS * 10);
    require_frames(&bench, 2, 4, 3);
    tear_down(&bench);
}

static void
nobody_takes_the_address_of_another_card(void **state)
{
    (void)state;
    struct bench bench;
    set_up(&bench);
    send_frame(&bench, 2, 1, 2, 0);
    send_frame(&bench, 2, 255, 2, 0);
    require_frames(&bench, 0, 0, 0);
    assert_int_equal(switch_counts(bench.ports[2])->foreign, 2);
    send_frame(&bench, 0, 2, 1, 0);
    require_frames(&bench, 0, 1, 0);
    /* Another card of the same guest may (bonding). */
    uint8_t mac[MAC_BYTES];
    struct end end = {0};
    set_mac(mac, 9);
    struct switch_port *second =
        switch_add(bench.net_switch, take, &end, mac, &bench.ends[1]);
    uint8_t frame[64] = {0};
    set_mac(frame, 1);
    set_mac(frame + MAC_BYTES, 2);
    switch_take(second, frame, sizeof(frame), 0);
    assert_int_equal(switch_counts(second)->foreign, 0);
    require_frames(&bench, 1, 1, 0);
    switch_remove(second);
    tear_down(&bench);
}

static void
malformed_frames_go_nowhere(void **state)
{
    (void)state;
    struct bench bench;
    set_up(&bench);
    static const size_t lengths[] = {0,     1,    6, 13, SWITCH_FRAME_MAX + 1,
                                     65535, 69632};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        send_len(&bench, 0, 2, 1, lengths[i], 0);
    uint8_t frame[64] = {0};
    set_mac(frame, 2);
    switch_take(bench.ports[0], frame, sizeof(frame), 0); /* from nobody */
    memset(frame + MAC_BYTES, 0xff, MAC_BYTES);           /* from everybody */
    switch_take(bench.ports[0], frame, sizeof(frame), 0);
    require_frames(&bench, 0, 0, 0);
    assert_int_equal(switch_counts(bench.ports[0])->bad, 9);
    /* The shortest and the longest that are passed on. */
    send_len(&bench, 0, 2, 1, SWITCH_FRAME_MIN, 0);
    send_len(&bench, 0, 2, 1, SWITCH_FRAME_MAX, 0);
    require_frames(&bench, 0, 2, 0);
    assert_int_equal(bench.ends[1].last_len, SWITCH_FRAME_MAX);
    /* Pause frames and the like are for the bridge. */
    static const uint8_t reserved[] = {0x01, 0x80, 0xc2, 0, 0, 0x01};
    memcpy(frame, reserved, sizeof(reserved));
    set_mac(frame + MAC_BYTES, 1);
    switch_take(bench.ports[0], frame, sizeof(frame), 0);
    require_frames(&bench, 0, 2, 0);
    tear_down(&bench);
}

static void
what_goes_to_all_is_limited(void **state)
{
    (void)state;
    struct bench bench;
    set_up(&bench);
    uint64_t now = 1000000;
    for (unsigned i = 0; i < SWITCH_FLOOD_BURST + 1000; i++)
        send_frame(&bench, 0, 255, 1, now);
    assert_int_equal(bench.ends[1].frames, SWITCH_FLOOD_BURST);
    assert_int_equal(switch_counts(bench.ports[0])->flooding, 1000);
    /* Others are not held back, nor is what goes to one. */
    send_frame(&bench, 1, 255, 2, now);
    assert_int_equal(bench.ends[0].frames, 1);
    send_frame(&bench, 0, 2, 1, now);
    assert_int_equal(bench.ends[1].frames, SWITCH_FLOOD_BURST + 1);
    /* A second later there is room for a second's. */
    for (unsigned i = 0; i < SWITCH_FLOOD_BURST; i++)
        send_frame(&bench, 0, 255, 1, now + 1000);
    assert_int_equal(bench.ends[1].frames,
                     SWITCH_FLOOD_BURST + 1 + SWITCH_FLOOD_RATE);
    tear_down(&bench);
}

static void
an_inventor_of_addresses_pushes_nobody_out(void **state)
{
    (void)state;
    struct bench bench;
    set_up(&bench);
    send_frame(&bench, 1, 1, 77, 0); /* behind the second */
    for (uint32_t i = 0; i < 200000; i++) {
        uint8_t frame[64] = {0};
        set_mac(frame, 2);
        frame[MAC_BYTES] = 0x0a;
        memcpy(frame + MAC_BYTES + 1, &i, sizeof(i));
        switch_take(bench.ports[2], frame, sizeof(frame), 0);
    }
    size_t at = 0;
    size_t count = 0;
    void *data = NULL;
    while (switch_next_mac(bench.net_switch, &at, 0, &data))
        count += data == &bench.ends[2];
    assert_in_range(count, 2, MAC_TABLE_PORT_MAX + 1);
    size_t before = bench.ends[1].frames;
    send_frame(&bench, 0, 77, 1, 0);
    assert_int_equal(bench.ends[1].frames, before + 1);
    assert_int_equal(bench.ends[2].frames, 0);
    tear_down(&bench);
}

static void
a_port_that_takes_nothing_loses_its_own_frames_only(void **state)
{
    (void)state;
    struct bench bench;
    set_up(&bench);
    bench.ends[1].is_full = true;
    send_frame(&bench, 0, 255, 1, 0);
    send_frame(&bench, 0, 2, 1, 0);
    require_frames(&bench, 0, 0, 1);
    assert_int_equal(switch_counts(bench.ports[1])->lost, 2);
    tear_down(&bench);
}

static void
what_is_behind_a_port_goes_with_it(void **state)
{
    (void)state;
    struct bench bench;
    set_up(&bench);
    send_frame(&bench, 2, 1, 50, 0);
    switch_remove(bench.ports[2]);
    bench.ports[2] = NULL;
    assert_int_equal(switch_port_count(bench.net_switch), 2);
    send_frame(&bench, 0, 50, 1, 0);
    send_frame(&bench, 0, 3, 1, 0);
    assert_int_equal(bench.ends[1].frames, 2);
    tear_down(&bench);
}

/* Frames with addresses in them ------------------------------------------- */

static size_t
make_arp(uint8_t *frame)
{
    static const uint8_t arp[] = {0, 1, 8, 0, 6, 4,  0, 1, 2,
                                  0, 0, 0, 0, 1, 10, 1, 0, 7};
    memset(frame, 0, 64);
    memset(frame, 0xff, MAC_BYTES);
    set_mac(frame + MAC_BYTES, 1);
    frame[12] = 8;
    frame[13] = 6;
    memcpy(frame + 14, arp, sizeof(arp));
    return 42;
}

static size_t
make_dhcp(uint8_t *frame)
{
    memset(frame, 0, 400);
    memset(frame, 0xff, MAC_BYTES);
    set_mac(frame + MAC_BYTES, 1);
    frame[12] = 8;
    uint8_t *ip = frame + 14;
    ip[0] = 0x45;
    ip[9] = 17;
    ip[21] = 67;
    ip[23] = 68;
    uint8_t *dhcp = ip + 28;
    static const uint8_t head[] = {2, 1, 6};
    static const uint8_t yours[] = {10, 1, 0, 9};
    static const uint8_t cookie[] = {99, 130, 83, 99, 0, 12,
                                     1,  'x', 53, 1,  5, 255};
    memcpy(dhcp, head, sizeof(head));
    memcpy(dhcp + 16, yours, sizeof(yours));
    set_mac(dhcp + 28, 2);
    memcpy(dhcp + 236, cookie, sizeof(cookie));
    return 14 + 28 + 236 + sizeof(cookie);
}

static size_t
make_advertisement(uint8_t *frame)
{
    memset(frame, 0, 100);
    set_mac(frame, 2);
    set_mac(frame + MAC_BYTES, 1);
    frame[12] = 0x86;
    frame[13] = 0xdd;
    frame[14 + 6] = 58;
    frame[14 + 40] = 136;
    static const uint8_t target[] = {0xfe, 0x80, 0, 0, 0, 0, 0, 0,
                                     0,    0,    0, 0, 0, 0, 0, 7};
    memcpy(frame + 14 + 48, target, sizeof(target));
    return 14 + 64;
}

static void
addresses_are_found_in_frames(void **state)
{
    (void)state;
    static const struct {
        size_t (*make)(uint8_t *frame);
        const char *text;
        const char *source;
        uint8_t card;
    } rows[] = {
        {make_arp, "10.1.0.7", "arp", 1},
        {make_dhcp, "10.1.0.9", "dhcp", 2},
        {make_advertisement, "fe80::7", "ndp", 1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t frame[512];
        uint8_t mac[MAC_BYTES];
        char text[SNOOP_TEXT_BYTES];
        struct snoop_address address;
        size_t len = rows[i].make(frame);
        assert_true(snoop_frame(frame, len, &address));
        snoop_format(&address, text);
        assert_string_equal(text, rows[i].text);
        assert_string_equal(snoop_source_name(address.source), rows[i].source);
        set_mac(mac, rows[i].card);
        assert_memory_equal(address.mac, mac, MAC_BYTES);
        /* Cut anywhere it says nothing, and is not read beyond its end. */
        for (size_t cut = SWITCH_FRAME_MIN; cut < len; cut++) {
            uint8_t *exact = malloc(cut);
            memcpy(exact, frame, cut);
            if (snoop_frame(exact, cut, &address))
                assert_true(rows[i].make == make_dhcp && cut >= len - 1);
            free(exact);
        }
    }
}

static void
frames_that_claim_nonsense_say_nothing(void **state)
{
    (void)state;
    uint8_t frame[512];
    struct snoop_address address;
    size_t len = make_arp(frame);
    frame[14 + 13] = 9; /* the address of somebody else */
    assert_false(snoop_frame(frame, len, &address));
    static const uint8_t hosts[] = {0, 127, 224, 255};
    for (size_t i = 0; i < sizeof(hosts); i++) {
        len = make_arp(frame);
        frame[14 + 14] = hosts[i];
        assert_false(snoop_frame(frame, len, &address));
    }
    len = make_dhcp(frame);
    frame[14 + 6] = 0x20; /* a fragment */
    assert_false(snoop_frame(frame, len, &address));
    len = make_dhcp(frame);
    frame[14] = 0x4f; /* options that are not there, the ports elsewhere */
    assert_false(snoop_frame(frame, len, &address));
    len = make_dhcp(frame);
    frame[14 + 28 + 240 + 2] = 250; /* an option beyond the end */
    assert_false(snoop_frame(frame, len, &address));
    len = make_dhcp(frame);
    frame[14 + 28 + 240 + 6] = 2; /* an offer */
    assert_false(snoop_frame(frame, len, &address));
    len = make_advertisement(frame);
    frame[14 + 48] = 0xff;
    assert_false(snoop_frame(frame, len, &address));
}

static void
random_frames_break_nothing(void **state)
{
    (void)state;
    struct bench bench;
    set_up(&bench);
    uint64_t seed = 7;
    for (int i = 0; i < 50000; i++) {
        uint8_t *frame = malloc(512);
        size_t len = 0;
        for (size_t j = 0; j < 512; j++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
            frame[j] = (uint8_t)(seed >> 56);
        }
        len = frame[0] * 2u;
        static const uint8_t types[][2] = {{8, 0}, {8, 6}, {0x86, 0xdd}};
        memcpy(frame + 12, types[i % 3], 2);
        uint8_t *exact = malloc(len + 1);
        memcpy(exact, frame, len);
        switch_take(bench.ports[i % PORTS], exact, len, (uint64_t)i);
        struct snoop_address address;
        if (len >= SWITCH_FRAME_MIN)
            (void)snoop_frame(exact, len, &address);
        free(exact);
        free(frame);
    }
    tear_down(&bench);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_go_to_the_card_they_are_for),
        cmocka_unit_test(addresses_are_learned_and_age),
        cmocka_unit_test(nobody_takes_the_address_of_another_card),
        cmocka_unit_test(malformed_frames_go_nowhere),
        cmocka_unit_test(what_goes_to_all_is_limited),
        cmocka_unit_test(an_inventor_of_addresses_pushes_nobody_out),
        cmocka_unit_test(a_port_that_takes_nothing_loses_its_own_frames_only),
        cmocka_unit_test(what_is_behind_a_port_goes_with_it),
        cmocka_unit_test(addresses_are_found_in_frames),
        cmocka_unit_test(frames_that_claim_nonsense_say_nothing),
        cmocka_unit_test(random_frames_break_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
