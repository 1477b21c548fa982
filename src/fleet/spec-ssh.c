/* The reader of how a guest is reached by ssh. */
#include "base/xalloc.h"
#include "fleet/shellwords.h"
#include "fleet/spec-internal.h"

#include <stdlib.h>
#include <string.h>

#define USER_MAX_BYTES 256
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define SSH_PORT 22 /* where the definition says no other */

int
spec_ssh_port(const struct spec *spec)
{
    return spec->ssh.port ? spec->ssh.port : SSH_PORT;
}

static const char *const ssh_members[] = {"user", "port", "key", "options"};

/* A user's name: what ssh could take for an option or a host is none. */
static char *
take_user(struct spec_reader *reader, const json_t *value,
          const struct place *place)
{
    char *text = spec_take_text(reader, value, place, USER_MAX_BYTES,
                                SPEC_TEXT_ONE_LINE);
    if (!text || (*text && *text != '-' && !strpbrk(text, " @:/\\\"'$`")))
        return text;
    char *shown = spec_show(text);
    mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                 "\"%s\" is not a user's name (try debian)", shown);
    free(shown);
    free(text);
    return NULL;
}

static void
read_port(struct spec_reader *reader, const json_t *value,
          const struct place *place)
{
    if (!json_is_integer(value))
        spec_wrong_type(reader->mistakes, place, value, "a port");
    else if (json_integer_value(value) < 1 || json_integer_value(value) > 65535)
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "%" JSON_INTEGER_FORMAT " is not a port (1 to 65535)",
                     json_integer_value(value));
    else
        reader->spec->ssh.port = (int)json_integer_value(value);
}

/* Each is for an -o of ssh's: "Name=value" or "Name value". */
static void
read_options(struct spec_reader *reader, const json_t *value,
             const struct place *place)
{
    if (!json_is_array(value)) {
        spec_wrong_type(reader->mistakes, place, value,
                        "an array such as [\"ForwardAgent=yes\"]");
        return;
    }
    char **options = spec_take_words(reader, value, place);
    for (size_t i = 0; options && options[i]; i++) {
        struct place item = {place, NULL, i};
        if (!strpbrk(options[i], "= ") || strpbrk(options[i], "\n\r"))
            mistakes_add(reader->mistakes, &item, POSITIONS_PART_VALUE,
                         "this is not an option of ssh's (try "
                         "\"ForwardAgent=yes\")");
    }
    shellwords_free(reader->spec->ssh.options);
    reader->spec->ssh.options = options;
}

void
spec_read_ssh(struct spec_reader *reader, const struct spec_field *field,
              const json_t *value, const struct place *place)
{
    (void)field;
    struct spec_ssh *ssh = &reader->spec->ssh;
    if (!json_is_object(value)) {
        spec_wrong_type(reader->mistakes, place, value,
                        "an object, such as {\"user\": \"debian\"}");
        return;
    }
    spec_check_members(reader, value, place, ssh_members, COUNT(ssh_members));
    struct place at_user = {place, "user", 0};
    struct place at_port = {place, "port", 0};
    struct place at_key = {place, "key", 0};
    struct place at_options = {place, "options", 0};
    const json_t *user = spec_member(value, "user");
    const json_t *port = spec_member(value, "port");
    const json_t *key = spec_member(value, "key");
    const json_t *options = spec_member(value, "options");
    if (user && !ssh->user)
        ssh->user = take_user(reader, user, &at_user);
    if (port)
        read_port(reader, port, &at_port);
    if (key && !ssh->key)
        ssh->key = spec_take_path(reader, key, &at_key);
    if (options)
        read_options(reader, options, &at_options);
}

void
spec_free_ssh(struct spec_ssh *ssh)
{
    free(ssh->user);
    free(ssh->key);
    shellwords_free(ssh->options);
}
