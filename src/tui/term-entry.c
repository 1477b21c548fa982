#include "tui/term-entry.h"

#include "base/xalloc.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* term(5): a compiled entry has at most so many bytes. */
#define ENTRY_MAX_BYTES 32768
/* term(5): the magic numbers of entries with 16-bit and with 32-bit numbers. */
#define MAGIC_16 0432
#define MAGIC_32 01036
/* Where strings stand among all (term(5), in the order of term.h). */
#define STRING_CURSOR_ADDRESS 10
#define STRING_CURSOR_DOWN 11

/* The header's 16-bit numbers. */
enum {
    HEADER_MAGIC,
    HEADER_NAME_BYTES,
    HEADER_BOOLEANS,
    HEADER_NUMBERS,
    HEADER_STRINGS,
    HEADER_TABLE_BYTES,
    HEADER_COUNT,
};

static size_t
number_at(const char *entry, size_t at)
{
    const unsigned char *bytes = (const unsigned char *)entry + at;
    return (size_t)(bytes[0] | bytes[1] << 8);
}

/* A string of the table, or NULL. */
static char *
string_at(char *entry, const size_t header[HEADER_COUNT], size_t offsets,
          size_t which)
{
    if (which >= header[HEADER_STRINGS])
        return NULL;
    char *table = entry + offsets + 2 * header[HEADER_STRINGS];
    size_t offset = number_at(entry, offsets + 2 * which);
    if (offset >= header[HEADER_TABLE_BYTES] ||
        !memchr(table + offset, '\0', header[HEADER_TABLE_BYTES] - offset))
        return NULL; /* 0xFFFF and 0xFFFE say that there is none */
    return table + offset;
}

bool
term_entry_patch(char *entry, size_t len)
{
    size_t header[HEADER_COUNT];
    if (len < 2 * (size_t)HEADER_COUNT)
        return false;
    for (size_t i = 0; i < HEADER_COUNT; i++)
        header[i] = number_at(entry, 2 * i);
    size_t magic = header[HEADER_MAGIC];
    if (magic != MAGIC_16 && magic != MAGIC_32)
        return false;
    size_t offsets = 2 * (size_t)HEADER_COUNT + header[HEADER_NAME_BYTES] +
                     header[HEADER_BOOLEANS];
    offsets += offsets % 2;
    offsets += header[HEADER_NUMBERS] * (magic == MAGIC_32 ? 4 : 2);
    if (offsets + 2 * header[HEADER_STRINGS] + header[HEADER_TABLE_BYTES] > len)
        return false;
    const char *address =
        string_at(entry, header, offsets, STRING_CURSOR_ADDRESS);
    char *down = string_at(entry, header, offsets, STRING_CURSOR_DOWN);
    if (!address || strncmp(address, "\033[", 2) != 0 || !down ||
        strcmp(down, "\n") != 0)
        return false;
    /* no other string may begin in this one */
    size_t offset = number_at(entry, offsets + 2 * (size_t)STRING_CURSOR_DOWN);
    for (size_t i = 0; i < header[HEADER_STRINGS]; i++) {
        if (i != STRING_CURSOR_DOWN &&
            number_at(entry, offsets + 2 * i) == offset)
            return false;
    }
    *down = '\v';
    return true;
}

static size_t
read_entry(const char *directory, size_t directory_len, const char *type,
           char entry[ENTRY_MAX_BYTES])
{
    char *path =
        xasprintf("%.*s/%c/%s", (int)directory_len, directory, type[0], type);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    free(path);
    if (fd < 0)
        return 0;
    ssize_t len = read(fd, entry, ENTRY_MAX_BYTES);
    (void)close(fd);
    return len > 0 ? (size_t)len : 0;
}

/* Looks where curses does (terminfo(5), "Fetching Compiled Descriptions"). */
static size_t
find_entry(const char *type, char entry[ENTRY_MAX_BYTES])
{
    const char *own = getenv("TERMINFO");
    const char *home = getenv("HOME");
    const char *more = getenv("TERMINFO_DIRS");
    char *list = xasprintf("%s:%s/.terminfo:%s:/etc/terminfo:/lib/terminfo:"
                           "/usr/lib/terminfo:/usr/share/terminfo",
                           own ? own : "", home ? home : "", more ? more : "");
    size_t len = 0;
    for (const char *at = list; !len && *at;) {
        size_t part = strcspn(at, ":");
        if (*at == '/')
            len = read_entry(at, part, type, entry);
        at += part + (at[part] == ':');
    }
    free(list);
    return len;
}

bool
term_entry_find(const char *type, struct buffer *ret_value)
{
    char entry[ENTRY_MAX_BYTES];
    if (!type || !type[0] || strchr(type, '/'))
        return false;
    size_t len = find_entry(type, entry);
    if (!term_entry_patch(entry, len))
        return false;
    static const char digits[] = "0123456789abcdef";
    buffer_append_text(ret_value, "hex:");
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)entry[i];
        char pair[2] = {digits[byte >> 4], digits[byte & 0xF]};
        buffer_append(ret_value, pair, sizeof(pair));
    }
    return true;
}
