/* The reader of what cloud-init is told. */
#include "base/xalloc.h"
#include "fleet/shellwords.h"
#include "fleet/spec-internal.h"

#include <stdlib.h>
#include <string.h>

/* cloud-init's sources refuse more. */
#define TEXT_MAX_BYTES (1u << 20)
#define WORD_MAX_BYTES 1024
/* RSA keys of 16384 bits have 2800 characters. */
#define KEY_MAX_BYTES 8192
#define MAX_KEYS 256
/* A DNS name (RFC 1035). */
#define HOSTNAME_MAX_BYTES 253
#define LABEL_MAX_BYTES 63
/* What useradd takes. */
#define USER_MAX_BYTES 32

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *const spec_document_names[SPEC_DOCUMENT_COUNT] = {
    [SPEC_DOCUMENT_USER_DATA] = "user-data",
    [SPEC_DOCUMENT_META_DATA] = "meta-data",
    [SPEC_DOCUMENT_NETWORK_CONFIG] = "network-config",
    [SPEC_DOCUMENT_VENDOR_DATA] = "vendor-data",
};

static const char *const cloud_fields[] = {
    "user-data", "meta-data", "network-config", "vendor-data",
    "hostname",  "user",      "password",       "ssh-keys",
};

/* Text that is no path: it has lines, or begins as user data does. */
static bool
is_inline(const char *text)
{
    return text[0] == '#' || strchr(text, '\n') || text[0] == '\0';
}

static void
read_document(struct spec_reader *reader, struct spec_document *document,
              const json_t *value, const struct place *place)
{
    if (json_is_object(value)) {
        document->object = json_deep_copy(value);
        return;
    }
    if (!json_is_string(value)) {
        spec_wrong_type(reader->mistakes, place, value,
                        "a path, a text of several lines, or an object");
        return;
    }
    if (is_inline(json_string_value(value)))
        document->text = spec_take_text(reader, value, place, TEXT_MAX_BYTES,
                                        SPEC_TEXT_LINES | SPEC_TEXT_EMPTY);
    else
        document->path = spec_take_path(reader, value, place);
}

static bool
is_hostname(const char *text)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "abcdefghijklmnopqrstuvwxyz0123456789-";
    if (strlen(text) > HOSTNAME_MAX_BYTES)
        return false;
    for (;;) {
        size_t len = strspn(text, letters);
        if (len == 0 || len > LABEL_MAX_BYTES || text[0] == '-' ||
            text[len - 1] == '-')
            return false;
        if (text[len] == '\0')
            return true;
        if (text[len] != '.')
            return false;
        text += len + 1;
    }
}

static bool
is_user(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    size_t len = strlen(text);
    return len <= USER_MAX_BYTES && strspn(text, letters) == len &&
           !strchr("0123456789-", text[0]);
}

/* A word that has a form of its own. */
static char *
take_word(struct spec_reader *reader, const json_t *value,
          const struct place *place, bool (*is_right)(const char *text),
          const char *what)
{
    char *text = spec_take_text(reader, value, place, WORD_MAX_BYTES,
                                SPEC_TEXT_ONE_LINE);
    if (!text || is_right(text))
        return text;
    char *shown = spec_show(text);
    mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                 "\"%s\" is not %s", shown, what);
    free(shown);
    free(text);
    return NULL;
}

bool
spec_is_ssh_key(const char *text)
{
    static const char *const kinds[] = {"ssh-", "ecdsa-", "sk-ssh-",
                                        "sk-ecdsa-"};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        if (!strncmp(text, kinds[i], strlen(kinds[i])))
            return strchr(text, ' ') != NULL;
    }
    return false;
}

/* A key, a file of keys, or "auto". */
static char *
take_key(struct spec_reader *reader, const json_t *value,
         const struct place *place)
{
    char *text =
        spec_take_text(reader, value, place, KEY_MAX_BYTES, SPEC_TEXT_ONE_LINE);
    if (!text || !strcmp(text, "auto") || spec_is_ssh_key(text))
        return text;
    if (strstr(text, "PRIVATE KEY"))
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "this is a private key; guests get the public one "
                     "(.pub)");
    char *path = strstr(text, "PRIVATE KEY")
                     ? NULL
                     : spec_take_path(reader, value, place);
    free(text);
    return path;
}

static void
read_keys(struct spec_reader *reader, struct spec_cloud_init *cloud,
          const json_t *value, const struct place *place)
{
    size_t count = json_is_array(value) ? json_array_size(value) : 1;
    if (!json_is_array(value) && !json_is_string(value)) {
        spec_wrong_type(reader->mistakes, place, value,
                        "\"auto\", or an array of keys and files of keys");
        return;
    }
    if (count > MAX_KEYS) {
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "there are %zu keys, at most %d are allowed", count,
                     MAX_KEYS);
        return;
    }
    char **keys = xcalloc(count + 1, sizeof(*keys));
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct place item = {place, NULL, i};
        bool is_array = json_is_array(value);
        char *key =
            take_key(reader, is_array ? json_array_get(value, i) : value,
                     is_array ? &item : place);
        if (key)
            keys[kept++] = key;
    }
    cloud->ssh_keys = keys;
}

static void
read_shortcuts(struct spec_reader *reader, struct spec_cloud_init *cloud,
               const json_t *object, const struct place *place)
{
    struct place at = {place, "hostname", 0};
    const json_t *value = spec_member(object, "hostname");
    if (value)
        cloud->hostname = take_word(reader, value, &at, is_hostname,
                                    "a host's name (letters, digits and '-', "
                                    "in parts of at most 63, joined by '.')");
    at.key = "user";
    value = spec_member(object, "user");
    if (value)
        cloud->user = take_word(reader, value, &at, is_user,
                                "a user's name (small letters, digits, '_' "
                                "and '-', at most 32)");
    at.key = "password";
    value = spec_member(object, "password");
    if (value)
        cloud->password = spec_take_text(reader, value, &at, WORD_MAX_BYTES,
                                         SPEC_TEXT_ONE_LINE);
    at.key = "ssh-keys";
    value = spec_member(object, "ssh-keys");
    if (value)
        read_keys(reader, cloud, value, &at);
}

void
spec_read_cloud_init(struct spec_reader *reader, const struct spec_field *field,
                     const json_t *value, const struct place *place)
{
    (void)field;
    if (!json_is_object(value)) {
        spec_wrong_type(reader->mistakes, place, value,
                        "an object, such as {\"user\": \"me\", \"ssh-keys\": "
                        "\"auto\"}");
        return;
    }
    struct spec_cloud_init *cloud = xcalloc(1, sizeof(*cloud));
    spec_free_cloud_init(reader->spec->cloud_init);
    reader->spec->cloud_init = cloud;
    spec_check_members(reader, value, place, cloud_fields, COUNT(cloud_fields));
    for (size_t i = 0; i < SPEC_DOCUMENT_COUNT; i++) {
        const char *name = spec_document_names[i];
        const json_t *document = spec_member(value, name);
        struct place at = {place, name, 0};
        if (document)
            read_document(reader, &cloud->documents[i], document, &at);
    }
    read_shortcuts(reader, cloud, value, place);
}

void
spec_free_cloud_init(struct spec_cloud_init *cloud)
{
    if (!cloud)
        return;
    for (size_t i = 0; i < SPEC_DOCUMENT_COUNT; i++) {
        free(cloud->documents[i].path);
        free(cloud->documents[i].text);
        json_decref(cloud->documents[i].object);
    }
    free(cloud->hostname);
    free(cloud->user);
    if (cloud->password)
        explicit_bzero(cloud->password, strlen(cloud->password));
    free(cloud->password);
    shellwords_free(cloud->ssh_keys);
    free(cloud);
}
