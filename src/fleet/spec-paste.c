/* The reader of how pastes go when nobody says otherwise. */
#include "fleet/spec-internal.h"

#include <stdlib.h>

static const char *const paste_members[] = {
    "bracketed", "cps", "lps", "timeout", "wait-echo", "wait-prompt",
};
static const char *const brackets[] = {"auto", "off", "on"};

static void
read_number(struct spec_reader *reader, const json_t *object,
            const struct place *parent, const char *name, json_int_t max,
            int64_t *ret_number)
{
    struct place at = {parent, name, 0};
    const json_t *value = spec_member(object, name);
    json_int_t number = 0;
    if (value && spec_take_integer(reader, value, &at, 0, max, &number))
        *ret_number = number;
}

static void
read_echo(struct spec_reader *reader, const json_t *object,
          const struct place *parent)
{
    struct place at = {parent, "wait-echo", 0};
    const json_t *value = spec_member(object, "wait-echo");
    if (value && !json_is_boolean(value))
        spec_wrong_type(reader->mistakes, &at, value, "true or false");
    reader->spec->paste.waits_for_echo = json_is_true(value);
}

static void
read_prompt(struct spec_reader *reader, const json_t *object,
            const struct place *parent)
{
    struct place at = {parent, "wait-prompt", 0};
    const json_t *value = spec_member(object, "wait-prompt");
    char *text = value ? spec_take_pattern(reader, value, &at) : NULL;
    free(reader->spec->paste.prompt);
    reader->spec->paste.prompt = text;
}

void
spec_read_paste(struct spec_reader *reader, const struct spec_field *field,
                const json_t *value, const struct place *place)
{
    struct spec_paste *paste = &reader->spec->paste;
    int64_t timeout_s = paste->timeout_ms / 1000;
    (void)field;
    if (!json_is_object(value)) {
        spec_wrong_type(reader->mistakes, place, value,
                        "an object, such as {\"lps\": 5}");
        return;
    }
    spec_check_members(reader, value, place, paste_members,
                       sizeof(paste_members) / sizeof(paste_members[0]));
    read_number(reader, value, place, "cps", SPEC_MAX_PASTE_CPS, &paste->cps);
    read_number(reader, value, place, "lps", SPEC_MAX_PASTE_LPS, &paste->lps);
    read_number(reader, value, place, "timeout", SPEC_MAX_PASTE_TIMEOUT_S,
                &timeout_s);
    paste->timeout_ms = timeout_s * 1000;
    read_echo(reader, value, place);
    read_prompt(reader, value, place);
    struct place at = {place, "bracketed", 0};
    const json_t *how = spec_member(value, "bracketed");
    free(paste->bracketed);
    paste->bracketed =
        how ? spec_take_choice(reader, how, &at, "a way to paste in brackets",
                               brackets, sizeof(brackets) / sizeof(brackets[0]))
            : NULL;
}
