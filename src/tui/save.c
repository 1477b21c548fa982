#include "tui/save.h"

#include "base/buffer.h"
#include "base/file.h"
#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

char *
save_expand_path(const char *path)
{
    const char *home = getenv("HOME");
    if (strncmp(path, "~/", 2) == 0 && home && home[0])
        return xasprintf("%s%s", home, path + 1);
    return xstrdup(path);
}

bool
save_exists(const char *path)
{
    struct stat info;
    char *whole = save_expand_path(path);
    bool exists = lstat(whole, &info) == 0;
    free(whole);
    return exists;
}

bool
save_text_file(const char *path, const char *text, size_t len, unsigned flags,
               struct error *error)
{
    char *whole = save_expand_path(path);
    struct buffer lines = {0};
    buffer_append(&lines, text, len);
    if (len == 0 || text[len - 1] != '\n')
        buffer_append_byte(&lines, '\n');
    bool ok = flags & SAVE_REPLACE
                  ? file_write(whole, lines.data, lines.len,
                               FILE_VOLATILE | FILE_PERSONS, error)
                  : file_create(whole, lines.data, lines.len, error);
    buffer_finish(&lines);
    free(whole);
    return ok;
}
