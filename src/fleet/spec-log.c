/* The reader of what is said about console logs. */
#include "fleet/spec-internal.h"

#include <string.h>

/* Less holds no screenful of a boot, and is a few blocks of a disk. */
#define MIN_LOG_BYTES (UINT64_C(64) << 10)
/* A file of ext4 grows no larger. */
#define MAX_LOG_BYTES (UINT64_C(16) << 40)

static const char *const log_fields[] = {"max"};

static void
read_max(struct spec_reader *reader, const json_t *value,
         const struct place *place)
{
    const char *text = json_string_value(value);
    uint64_t bytes = 0;
    if (text && !strcmp(text, "unlimited")) {
        reader->spec->log_max_bytes = 0;
        return;
    }
    if (!spec_take_size(reader, value, place, &bytes))
        return;
    if (bytes > 0 && bytes < MIN_LOG_BYTES)
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "less than 64K is too little for a log (0 is without "
                     "limit)");
    else if (bytes > MAX_LOG_BYTES)
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "more than 16T is too much for a file (0 is without "
                     "limit)");
    else
        reader->spec->log_max_bytes = bytes;
}

void
spec_read_log(struct spec_reader *reader, const struct spec_field *field,
              const json_t *value, const struct place *place)
{
    const char *name = NULL;
    json_t *member = NULL;
    (void)field;
    if (!json_is_object(value)) {
        spec_wrong_type(reader->mistakes, place, value,
                        "an object, such as {\"max\": \"16M\"}");
        return;
    }
    json_object_foreach((json_t *)value, name, member)
    {
        struct place at = {place, name, 0};
        if (strcmp(name, "max") != 0)
            spec_unknown_field(reader->mistakes, &at, log_fields, 1);
        else if (!json_is_null(member))
            read_max(reader, member, &at);
    }
}
