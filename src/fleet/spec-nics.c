/* The reader of network cards. */
#include "base/xalloc.h"
#include "fleet/spec-internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NICS 32
#define WORD_MAX_BYTES 1024
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const nic_fields[] = {"type", "model", "mac"};

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

static char *
take_model(struct spec_reader *reader, const json_t *value,
           const struct place *place)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "abcdefghijklmnopqrstuvwxyz0123456789._-";
    char *text = spec_take_text(reader, value, place, WORD_MAX_BYTES,
                                SPEC_TEXT_ONE_LINE);
    if (!text || strspn(text, allowed) == strlen(text))
        return text;
    char *shown = spec_show(text);
    mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                 "\"%s\" is not a card's model (try virtio-net-pci)", shown);
    free(shown);
    free(text);
    return NULL;
}

static void
read_nic_object(struct spec_reader *reader, struct spec_nic *nic,
                const json_t *value, const struct place *place)
{
    static const char *const types[] = {"user"};
    spec_check_members(reader, value, place, nic_fields, COUNT(nic_fields));
    struct place at_type = {place, "type", 0};
    struct place at_model = {place, "model", 0};
    struct place at_mac = {place, "mac", 0};
    const json_t *type = spec_member(value, "type");
    const json_t *model = spec_member(value, "model");
    const json_t *mac = spec_member(value, "mac");
    nic->type = type ? spec_take_choice(reader, type, &at_type,
                                        "known here; for other networks give "
                                        "QEMU's -nic value as a string",
                                        types, COUNT(types))
                     : xstrdup("user");
    if (model)
        nic->model = take_model(reader, model, &at_model);
    if (mac)
        nic->mac = take_mac(reader, mac, &at_mac);
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
