#include "tui/save.h"

#include "base/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static bool
write_whole(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t written = write(fd, text, len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        text += written;
        len -= (size_t)written;
    }
    return true;
}

/* Writes and closes; the errno of the first failure is kept. */
static bool
fill(int fd, const char *text, size_t len)
{
    bool ok = write_whole(fd, text, len);
    if (ok && (len == 0 || text[len - 1] != '\n'))
        ok = write_whole(fd, "\n", 1);
    int cause = errno;
    if (close(fd) < 0 && ok)
        return false;
    errno = cause;
    return ok;
}

static bool
write_new(const char *path, const char *text, size_t len, struct error *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST)
        return error_set(error, ERROR_CODE_EXISTS, "%s exists", path);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot make %s", path);
    if (fill(fd, text, len))
        return true;
    error_set_errno(error, errno, "cannot write %s", path);
    (void)unlink(path);
    return false;
}

/* A new file takes the old one's place once it is whole. */
static bool
replace(const char *path, const char *text, size_t len, struct error *error)
{
    struct stat info;
    if (lstat(path, &info) == 0 && !S_ISREG(info.st_mode))
        return error_set(error, ERROR_CODE_INVALID,
                         "%s is no regular file, and is left alone", path);
    char *temporary = xasprintf("%s.XXXXXX", path);
    int fd = mkostemp(temporary, O_CLOEXEC);
    bool ok = fd >= 0 && fill(fd, text, len) && rename(temporary, path) == 0;
    if (!ok) {
        error_set_errno(error, errno, "cannot write %s", path);
        if (fd >= 0)
            (void)unlink(temporary);
    }
    free(temporary);
    return ok;
}

bool
save_text_file(const char *path, const char *text, size_t len, unsigned flags,
               struct error *error)
{
    char *whole = save_expand_path(path);
    bool ok = flags & SAVE_REPLACE ? replace(whole, text, len, error)
                                   : write_new(whole, text, len, error);
    free(whole);
    return ok;
}
