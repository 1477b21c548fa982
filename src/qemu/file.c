#include "qemu/file.h"

#include "base/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static ssize_t
read_all(int fd, char *data, size_t max)
{
    size_t len = 0;
    while (len < max) {
        ssize_t got = read(fd, data + len, max - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        len += (size_t)got;
    }
    return (ssize_t)len;
}

char *
file_read(const char *path, size_t max_bytes, size_t *ret_len,
          struct error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) < 0) {
        error_set_errno(error, errno, "cannot open %s", path);
        if (fd >= 0)
            (void)close(fd);
        return NULL;
    }
    if (!S_ISREG(info.st_mode)) {
        error_set(error, ERROR_CODE_INVALID, "%s is not a file", path);
        (void)close(fd);
        return NULL;
    }
    char *data = xmalloc(max_bytes + 2);
    ssize_t len = read_all(fd, data, max_bytes + 1);
    int errnum = errno;
    (void)close(fd);
    if (len >= 0 && (size_t)len <= max_bytes) {
        data[len] = '\0';
        *ret_len = (size_t)len;
        return xreallocarray(data, (size_t)len + 1, 1);
    }
    if (len < 0)
        error_set_errno(error, errnum, "cannot read %s", path);
    else
        error_set(error, ERROR_CODE_LIMIT, "%s is larger than %zu KiB", path,
                  max_bytes >> 10);
    free(data);
    return NULL;
}

static bool
write_all(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t put = write(fd, data, len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        data += put;
        len -= (size_t)put;
    }
    return true;
}

bool
file_write(const char *path, const char *data, size_t len, struct error *error)
{
    char *making = xasprintf("%s.XXXXXX", path);
    int fd = mkostemp(making, O_CLOEXEC);
    bool ok = fd >= 0 && write_all(fd, data, len) && fsync(fd) == 0 &&
              rename(making, path) == 0;
    if (!ok)
        error_set_errno(error, errno, "cannot write %s", path);
    if (fd >= 0) {
        if (!ok)
            (void)unlink(making);
        (void)close(fd);
    }
    free(making);
    return ok;
}
