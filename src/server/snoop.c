#include "server/snoop.h"

#include <arpa/inet.h>
#include <string.h>

#define ETHERNET_BYTES 14u

/* A 16-bit number as networks write it. */
static unsigned
number(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

/* An address that a card can have. */
static bool
is_host_ipv4(const uint8_t *bytes)
{
    return bytes[0] != 0 && bytes[0] != 127 && bytes[0] < 224;
}

static bool
is_host_ipv6(const uint8_t *bytes)
{
    static const uint8_t none[16] = {0};
    return bytes[0] != 0xff && memcmp(bytes, none, 15) != 0;
}

static bool
take(struct snoop_address *address, enum snoop_source source,
     const uint8_t *mac, const uint8_t *bytes, size_t len)
{
    *address = (struct snoop_address){.source = source, .is_ipv6 = len == 16};
    memcpy(address->mac, mac, sizeof(address->mac));
    memcpy(address->bytes, bytes, len);
    return true;
}

/* RFC 826, for Ethernet and IPv4. Only what the sender says of itself. */
static bool
snoop_arp(const uint8_t *frame, const uint8_t *arp, size_t len,
          struct snoop_address *address)
{
    static const uint8_t kind[] = {0, 1, 8, 0, 6, 4};
    if (len < 28 || memcmp(arp, kind, sizeof(kind)) != 0 ||
        memcmp(arp + 8, frame + 6, 6) != 0 || !is_host_ipv4(arp + 14))
        return false;
    return take(address, SNOOP_SOURCE_ARP, arp + 8, arp + 14, 4);
}

/* Whether the options (RFC 2132) of a DHCP message say that it is an ACK. */
static bool
is_ack(const uint8_t *options, size_t len)
{
    for (size_t i = 0; i < len && options[i] != 255;) {
        if (options[i] == 0) {
            i++;
            continue;
        }
        if (i + 2 > len || i + 2 + options[i + 1] > len)
            return false;
        if (options[i] == 53)
            return options[i + 1] == 1 && options[i + 2] == 5;
        i += 2u + options[i + 1];
    }
    return false;
}

/* RFC 2131: a server's ACK over Ethernet. */
static bool
snoop_dhcp(const uint8_t *dhcp, size_t len, struct snoop_address *address)
{
    static const uint8_t cookie[] = {99, 130, 83, 99};
    if (len < 240 || dhcp[0] != 2 || dhcp[1] != 1 || dhcp[2] != 6 ||
        memcmp(dhcp + 236, cookie, sizeof(cookie)) != 0 ||
        !is_host_ipv4(dhcp + 16) || !is_ack(dhcp + 240, len - 240))
        return false;
    return take(address, SNOOP_SOURCE_DHCP, dhcp + 28, dhcp + 16, 4);
}

static bool
snoop_ipv4(const uint8_t *ip, size_t len, struct snoop_address *address)
{
    if (len < 28 || ip[9] != 17 || ip[0] >> 4 != 4)
        return false;
    size_t header = (size_t)(ip[0] & 15u) * 4u;
    bool is_whole = (number(ip + 6) & 0x3fff) == 0; /* no fragment */
    if (!is_whole || header < 20 || header + 8 > len)
        return false;
    const uint8_t *udp = ip + header;
    return number(udp) == 67 && number(udp + 2) == 68 &&
           snoop_dhcp(udp + 8, len - header - 8, address);
}

/* RFC 4861: a neighbour advertisement. */
static bool
snoop_ipv6(const uint8_t *frame, const uint8_t *ip, size_t len,
           struct snoop_address *address)
{
    if (len < 64 || ip[6] != 58 || ip[40] != 136 || !is_host_ipv6(ip + 48))
        return false;
    return take(address, SNOOP_SOURCE_NDP, frame + 6, ip + 48, 16);
}

bool
snoop_frame(const uint8_t *frame, size_t len, struct snoop_address *ret_address)
{
    const uint8_t *payload = frame + ETHERNET_BYTES;
    size_t rest = len - ETHERNET_BYTES;
    switch (number(frame + 12)) {
    case 0x0806:
        return snoop_arp(frame, payload, rest, ret_address);
    case 0x0800:
        return snoop_ipv4(payload, rest, ret_address);
    case 0x86dd:
        return snoop_ipv6(frame, payload, rest, ret_address);
    default:
        return false;
    }
}

void
snoop_format(const struct snoop_address *address, char text[SNOOP_TEXT_BYTES])
{
    if (!inet_ntop(address->is_ipv6 ? AF_INET6 : AF_INET, address->bytes, text,
                   SNOOP_TEXT_BYTES))
        text[0] = '\0';
}

const char *
snoop_source_name(enum snoop_source source)
{
    static const char *const names[] = {
        [SNOOP_SOURCE_ARP] = "arp",
        [SNOOP_SOURCE_DHCP] = "dhcp",
        [SNOOP_SOURCE_NDP] = "ndp",
    };
    return names[source];
}
