/* The reader of network cards. */
#include "base/nearest.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "fleet/spec-internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NICS 32
#define MAX_FORWARDS 64 /* of one card */
#define MAX_OPTIONS 64
#define WORD_MAX_BYTES 1024
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Members that go to QEMU's -netdev as they are, and under which name. */
struct passed {
    const char *member;
    const char *option;
    bool is_path;
};

/* What each type of network has besides model, mac and options. */
static const struct nic_type {
    const char *name;
    bool has_forwards;
    struct passed passed[5];
} nic_types[] = {
    {"user", true, {{NULL, NULL, false}}},
    {"tap",
     false,
     {{"name", "ifname", false},
      {"script", "script", true},
      {"downscript", "downscript", true},
      {"bridge", "br", false},
      {"helper", "helper", true}}},
    {"bridge", false, {{"bridge", "br", false}, {"helper", "helper", true}}},
    {"socket", false, {{NULL, NULL, false}}},
    {"stream", false, {{NULL, NULL, false}}},
    {"dgram", false, {{NULL, NULL, false}}},
    {"vmnet-shared", false, {{NULL, NULL, false}}},
    {"vmnet-host", false, {{NULL, NULL, false}}},
    {"vmnet-bridged", false, {{"name", "ifname", false}}},
};

static const char *const all_members[] = {
    "type",   "network",    "model",  "mac",    "hostfwd", "name",
    "script", "downscript", "bridge", "helper", "options"};
static const char *const forward_members[] = {"protocol", "host", "host-port",
                                              "guest", "guest-port"};

/* Words ------------------------------------------------------------------- */

/* Six pairs of hexadecimal digits, and not a group's address. */
static bool
is_mac(const char *text)
{
    for (int i = 0; i < 17; i++) {
        if (i % 3 == 2 ? text[i] != ':' : !isxdigit((unsigned char)text[i]))
            return false;
    }
    return text[17] == '\0' && !(strtol(text, NULL, 16) & 1);
}

static char *
take_mac(struct spec_reader *reader, const json_t *value,
         const struct place *place)
{
    char *text = spec_take_text(reader, value, place, WORD_MAX_BYTES,
                                SPEC_TEXT_ONE_LINE);
    if (!text || is_mac(text))
        return text;
    char *shown = spec_show(text);
    mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                 "\"%s\" is not a card's MAC address (try "
                 "52:54:00:12:34:56)",
                 shown);
    free(shown);
    free(text);
    return NULL;
}

/* A word of the characters that QEMU's names have. what, example: for the
 * message. */
static char *
take_word(struct spec_reader *reader, const json_t *value,
          const struct place *place, const char *what, const char *example)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "abcdefghijklmnopqrstuvwxyz0123456789._-";
    char *text = spec_take_text(reader, value, place, WORD_MAX_BYTES,
                                SPEC_TEXT_ONE_LINE);
    if (!text || strspn(text, allowed) == strlen(text))
        return text;
    char *shown = spec_show(text);
    mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                 "\"%s\" is not %s (try %s)", shown, what, example);
    free(shown);
    free(text);
    return NULL;
}

/* Forwarded ports --------------------------------------------------------- */

/* A port, or "auto" where that is allowed. */
static int
take_port(struct spec_reader *reader, const json_t *object,
          const struct place *place, const char *name, bool may_be_auto)
{
    struct place at = {place, name, 0};
    const json_t *value = spec_member(object, name);
    json_int_t port = json_integer_value(value);
    if (may_be_auto && (!value || (json_is_string(value) &&
                                   !strcmp(json_string_value(value), "auto"))))
        return 0;
    if (!value)
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "\"%s\" is missing", name);
    else if (!json_is_integer(value))
        spec_wrong_type(reader->mistakes, &at, value,
                        may_be_auto ? "a port or \"auto\"" : "a port");
    else if (port < (may_be_auto ? 0 : 1) || port > 65535)
        mistakes_add(reader->mistakes, &at, POSITIONS_PART_VALUE,
                     "%" JSON_INTEGER_FORMAT " is not a port (1 to 65535)",
                     port);
    else
        return (int)port;
    return -1;
}

static void
read_forward_object(struct spec_reader *reader, struct forward *forward,
                    const json_t *value, const struct place *place)
{
    static const char *const protocols[] = {"tcp", "udp"};
    spec_check_members(reader, value, place, forward_members,
                       COUNT(forward_members));
    struct place at_protocol = {place, "protocol", 0};
    struct place at_host = {place, "host", 0};
    struct place at_guest = {place, "guest", 0};
    const json_t *protocol = spec_member(value, "protocol");
    const json_t *host = spec_member(value, "host");
    const json_t *guest = spec_member(value, "guest");
    if (protocol) {
        char *text =
            spec_take_choice(reader, protocol, &at_protocol, "a protocol",
                             protocols, COUNT(protocols));
        forward->is_udp = text && !strcmp(text, "udp");
        free(text);
    }
    forward->host_address =
        host ? spec_take_text(reader, host, &at_host, WORD_MAX_BYTES,
                              SPEC_TEXT_ONE_LINE)
             : xstrdup("127.0.0.1");
    if (guest)
        forward->guest_address = spec_take_text(
            reader, guest, &at_guest, WORD_MAX_BYTES, SPEC_TEXT_ONE_LINE);
    forward->host_port = take_port(reader, value, place, "host-port", true);
    forward->guest_port = take_port(reader, value, place, "guest-port", false);
    struct error error = {0};
    if (!forward_check(forward, &error))
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE, "%s",
                     error.text);
}

static void
read_forward(struct spec_reader *reader, struct forward *forward,
             const json_t *value, const struct place *place)
{
    if (json_is_object(value)) {
        read_forward_object(reader, forward, value, place);
        return;
    }
    if (!json_is_string(value)) {
        spec_wrong_type(reader->mistakes, place, value,
                        "a string such as \"2222:22\", or an object");
        return;
    }
    struct error error = {0};
    char *text = spec_take_text(reader, value, place, WORD_MAX_BYTES,
                                SPEC_TEXT_ONE_LINE);
    if (text && !forward_parse(text, forward, &error))
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE, "%s",
                     error.text);
    free(text);
}

/* Ports of the host that this guest already has. */
static void
check_clash(struct spec_reader *reader, const struct forward *forward,
            const struct place *place)
{
    const struct spec *spec = reader->spec;
    for (size_t i = 0; i < spec->nic_count; i++) {
        const struct spec_nic *nic = &spec->nics[i];
        for (size_t j = 0; j < nic->forward_count; j++) {
            const struct forward *other = &nic->forwards[j];
            if (other == forward)
                return;
            if (!other->host_address || !forward->host_address ||
                !forward_clashes(other, other->host_port, forward,
                                 forward->host_port))
                continue;
            mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                         "port %d of the host is forwarded twice",
                         forward->host_port);
            return;
        }
    }
}

static void
read_forwards(struct spec_reader *reader, struct spec_nic *nic,
              const json_t *value, const struct place *place)
{
    size_t count = json_array_size(value);
    if (!json_is_array(value)) {
        spec_wrong_type(reader->mistakes, place, value,
                        "an array of ports such as [\"2222:22\"]");
        return;
    }
    if (count > MAX_FORWARDS) {
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "there are %zu forwarded ports, at most %d are allowed",
                     count, MAX_FORWARDS);
        return;
    }
    nic->forwards = xcalloc(count + 1, sizeof(*nic->forwards));
    nic->forward_count = count;
    for (size_t i = 0; i < count; i++) {
        struct place item = {place, NULL, i};
        read_forward(reader, &nic->forwards[i], json_array_get(value, i),
                     &item);
        check_clash(reader, &nic->forwards[i], &item);
    }
}

/* Options ----------------------------------------------------------------- */

static void
add_option(struct spec_nic *nic, const char *key, char *value)
{
    nic->options = xreallocarray(nic->options, nic->option_count + 2,
                                 sizeof(*nic->options));
    nic->options[nic->option_count++] = xstrdup(key);
    nic->options[nic->option_count++] = value;
}

/* The value of one of QEMU's own options; NULL after a mistake. */
static char *
take_option(struct spec_reader *reader, const json_t *value,
            const struct place *place)
{
    if (json_is_boolean(value))
        return xstrdup(json_is_true(value) ? "on" : "off");
    if (json_is_integer(value))
        return xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
    if (json_is_string(value))
        return spec_take_text(reader, value, place, WORD_MAX_BYTES,
                              SPEC_TEXT_ONE_LINE | SPEC_TEXT_EMPTY);
    spec_wrong_type(reader->mistakes, place, value,
                    "a string, an integer or a boolean");
    return NULL;
}

static void
read_options(struct spec_reader *reader, struct spec_nic *nic,
             const json_t *value, const struct place *place)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
    const char *name = NULL;
    json_t *member = NULL;
    if (!json_is_object(value) || json_object_size(value) > MAX_OPTIONS) {
        spec_wrong_type(reader->mistakes, place, value,
                        "an object of QEMU's -netdev options");
        return;
    }
    json_object_foreach((json_t *)value, name, member)
    {
        struct place at = {place, name, 0};
        if (!*name || strspn(name, allowed) != strlen(name) ||
            !strcmp(name, "id") || !strcmp(name, "type")) {
            mistakes_add(reader->mistakes, &at, POSITIONS_PART_KEY,
                         "this cannot be an option of -netdev here");
            continue;
        }
        char *text = take_option(reader, member, &at);
        if (text)
            add_option(nic, name, text);
    }
}

/* Cards ------------------------------------------------------------------- */

/* Adds a mistake for each member that the type does not have. */
static void
check_members(struct spec_reader *reader, const json_t *object,
              const struct place *place, const struct nic_type *type)
{
    static const char *const common[] = {"type", "network", "model", "mac"};
    const char *name = NULL;
    json_t *value = NULL;
    spec_check_members(reader, object, place, all_members, COUNT(all_members));
    json_object_foreach((json_t *)object, name, value)
    {
        struct place at = {place, name, 0};
        bool is_lan = spec_member(object, "network") != NULL;
        bool fits = spec_is_among(name, common, COUNT(common)) ||
                    !spec_is_among(name, all_members, COUNT(all_members)) ||
                    json_is_null(value);
        if (!is_lan && type) {
            fits = fits || !strcmp(name, "options") ||
                   (type->has_forwards && !strcmp(name, "hostfwd"));
            for (size_t i = 0;
                 i < COUNT(type->passed) && type->passed[i].member; i++)
                fits = fits || !strcmp(name, type->passed[i].member);
        }
        if (!fits && (is_lan || type))
            mistakes_add(reader->mistakes, &at, POSITIONS_PART_KEY,
                         "\"%s\" does not go with %s%s%s", name,
                         is_lan ? "\"network\"" : "the type \"",
                         is_lan ? "" : type->name, is_lan ? "" : "\"");
    }
}

static const struct nic_type *
take_type(struct spec_reader *reader, struct spec_nic *nic, const json_t *value,
          const struct place *place)
{
    const char *names[COUNT(nic_types)];
    for (size_t i = 0; i < COUNT(nic_types); i++)
        names[i] = nic_types[i].name;
    nic->type = value
                    ? spec_take_choice(reader, value, place,
                                       "a type of network", names, COUNT(names))
                    : xstrdup("user");
    for (size_t i = 0; nic->type && i < COUNT(nic_types); i++) {
        if (!strcmp(nic->type, names[i]))
            return &nic_types[i];
    }
    return NULL;
}

static void
read_passed(struct spec_reader *reader, struct spec_nic *nic,
            const json_t *object, const struct place *place,
            const struct nic_type *type)
{
    for (size_t i = 0; i < COUNT(type->passed) && type->passed[i].member; i++) {
        const struct passed *passed = &type->passed[i];
        const json_t *value = spec_member(object, passed->member);
        struct place at = {place, passed->member, 0};
        if (!value)
            continue;
        /* "no" is QEMU's word for no script. */
        bool is_no =
            json_is_string(value) && !strcmp(json_string_value(value), "no");
        char *text = passed->is_path && !is_no
                         ? spec_take_path(reader, value, &at)
                         : spec_take_text(reader, value, &at, WORD_MAX_BYTES,
                                          SPEC_TEXT_ONE_LINE);
        if (text)
            add_option(nic, passed->option, text);
    }
}

static void
read_nic_object(struct spec_reader *reader, struct spec_nic *nic,
                const json_t *value, const struct place *place)
{
    struct place at_type = {place, "type", 0};
    struct place at_network = {place, "network", 0};
    struct place at_model = {place, "model", 0};
    struct place at_mac = {place, "mac", 0};
    struct place at_hostfwd = {place, "hostfwd", 0};
    struct place at_options = {place, "options", 0};
    const json_t *network = spec_member(value, "network");
    const json_t *model = spec_member(value, "model");
    const json_t *mac = spec_member(value, "mac");
    const json_t *hostfwd = spec_member(value, "hostfwd");
    const json_t *options = spec_member(value, "options");
    const struct nic_type *type = NULL;
    if (network && spec_member(value, "type"))
        mistakes_add(reader->mistakes, &at_type, POSITIONS_PART_KEY,
                     "a card has a \"type\" or is on a \"network\" of the "
                     "fleet's, not both");
    else if (network)
        nic->network =
            take_word(reader, network, &at_network, "a network's name", "lan0");
    else
        type = take_type(reader, nic, spec_member(value, "type"), &at_type);
    check_members(reader, value, place, type);
    if (model)
        nic->model = take_word(reader, model, &at_model, "a card's model",
                               "virtio-net-pci");
    if (mac)
        nic->mac = take_mac(reader, mac, &at_mac);
    if (type)
        read_passed(reader, nic, value, place, type);
    if (type && type->has_forwards && hostfwd)
        read_forwards(reader, nic, hostfwd, &at_hostfwd);
    if (type && options)
        read_options(reader, nic, options, &at_options);
}

/* What QEMU's -nic calls networks, as of QEMU 10. */
static const char *const raw_types[] = {
    "user",  "tap",          "bridge",     "socket",        "stream",
    "dgram", "vde",          "l2tpv3",     "netmap",        "vhost-user",
    "passt", "vmnet-shared", "vmnet-host", "vmnet-bridged", "af-xdp",
    "none",  "vhost-vdpa",
};

/* A value of -nic begins with a type, or with a key. */
static void
check_raw(struct spec_reader *reader, const char *text,
          const struct place *place)
{
    size_t len = strcspn(text, ",");
    char *type = xstrndup(text, len);
    bool ok =
        strchr(type, '=') || spec_is_among(type, raw_types, COUNT(raw_types));
    const char *near = nearest_name(type, raw_types, COUNT(raw_types));
    char *shown = spec_show(type);
    if (!ok && near)
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "\"%s\" is not a type of QEMU's -nic (try %s)", shown,
                     near);
    else if (!ok)
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "\"%s\" is not a type of QEMU's -nic (write "
                     "{\"network\": \"%s\"} for a network of the fleet's own)",
                     shown, shown);
    free(shown);
    free(type);
}

static void
read_nic(struct spec_reader *reader, struct spec_nic *nic, const json_t *value,
         const struct place *place)
{
    if (json_is_object(value)) {
        read_nic_object(reader, nic, value, place);
    } else if (!json_is_string(value)) {
        spec_wrong_type(reader->mistakes, place, value,
                        "a string or an object");
    } else if (!strcmp(json_string_value(value), "user")) {
        nic->type = xstrdup("user");
    } else {
        nic->text = spec_take_text(reader, value, place, WORD_MAX_BYTES,
                                   SPEC_TEXT_ONE_LINE);
        if (nic->text)
            check_raw(reader, nic->text, place);
        if (nic->text && !strcmp(nic->text, "none"))
            mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                         "for no network at all, leave the array empty: "
                         "\"nics\": []");
    }
}

void
spec_read_nics(struct spec_reader *reader, const struct spec_field *field,
               const json_t *value, const struct place *place)
{
    (void)field;
    struct spec *spec = reader->spec;
    size_t count = json_array_size(value);
    if (!json_is_array(value)) {
        spec_wrong_type(reader->mistakes, place, value,
                        "an array of network cards");
        return;
    }
    if (count > MAX_NICS || spec->nics) {
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "there are %zu network cards, at most %d are allowed",
                     count, MAX_NICS);
        return;
    }
    spec->has_nics = true;
    spec->nics = xcalloc(count + 1, sizeof(*spec->nics));
    spec->nic_count = count;
    for (size_t i = 0; i < count; i++) {
        struct place item = {place, NULL, i};
        read_nic(reader, &spec->nics[i], json_array_get(value, i), &item);
    }
}

bool
spec_nic_is_beside_host(const struct spec_nic *nic)
{
    const char *type = nic->text ? nic->text : nic->type;
    return type && (!strncmp(type, "tap", 3) || !strncmp(type, "bridge", 6) ||
                    !strncmp(type, "vmnet", 5));
}

void
spec_free_nics(struct spec *spec)
{
    for (size_t i = 0; i < spec->nic_count; i++) {
        struct spec_nic *nic = &spec->nics[i];
        for (size_t j = 0; j < nic->forward_count; j++)
            forward_finish(&nic->forwards[j]);
        for (size_t j = 0; j < nic->option_count; j++)
            free(nic->options[j]);
        free(nic->forwards);
        free(nic->options);
        free(nic->network);
        free(nic->type);
        free(nic->model);
        free(nic->mac);
        free(nic->text);
    }
    free(spec->nics);
}
