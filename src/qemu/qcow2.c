#include "qemu/qcow2.h"

#include "base/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "QFI\xFB"
/* Offsets of the fields that are read; all are big-endian. */
#define AT_VERSION 4
#define AT_BACKING_OFFSET 8
#define AT_BACKING_SIZE 16
#define AT_SIZE 24
#define AT_HEADER_LENGTH 100
#define V2_HEADER_BYTES 72
#define V3_HEADER_BYTES 104
/* The extension that has the backing file's format. */
#define BACKING_FORMAT_EXTENSION UINT32_C(0xE2792ACA)
/* Longest name of a backing file, bytes. */
#define BACKING_MAX_BYTES 1023
/* The header lies within the first cluster, 64 KiB by default. */
#define READ_MAX_BYTES 65536

static uint32_t
number32(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
           (uint32_t)at[2] << 8 | at[3];
}

static uint64_t
number64(const unsigned char *at)
{
    return (uint64_t)number32(at) << 32 | number32(at + 4);
}

static int
open_image(const char *path, struct error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat info;
    if (fd < 0) {
        error_set_errno(error, errno, "cannot open %s", path);
        return -1;
    }
    if (fstat(fd, &info) == 0 &&
        (S_ISREG(info.st_mode) || S_ISBLK(info.st_mode)))
        return fd;
    error_set(error, ERROR_CODE_INVALID, "%s is not a file", path);
    (void)close(fd);
    return -1;
}

static size_t
read_beginning(int fd, unsigned char *bytes, size_t max)
{
    size_t len = 0;
    while (len < max) {
        ssize_t got = pread(fd, bytes + len, max - len, (off_t)len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    return len;
}

bool
qcow2_is_one(const char *path)
{
    unsigned char magic[4] = {0};
    int fd = open_image(path, NULL);
    bool is = fd >= 0 && read_beginning(fd, magic, sizeof(magic)) == 4 &&
              !memcmp(magic, MAGIC, 4);
    if (fd >= 0)
        (void)close(fd);
    return is;
}

/* Walks the extensions behind the header. */
static void
read_extensions(const unsigned char *bytes, size_t len, size_t at,
                struct qcow2_header *header)
{
    while (at + 8 <= len) {
        uint32_t type = number32(bytes + at);
        uint32_t size = number32(bytes + at + 4);
        at += 8;
        if (type == 0 || size > len - at)
            return;
        if (type == BACKING_FORMAT_EXTENSION && !header->backing_format)
            header->backing_format = xstrndup((const char *)bytes + at, size);
        at += ((size_t)size + 7) / 8 * 8;
    }
}

static bool
parse(const unsigned char *bytes, size_t len, struct qcow2_header *header,
      const char *path, struct error *error)
{
    if (len < V2_HEADER_BYTES || memcmp(bytes, MAGIC, 4) != 0)
        return error_set(error, ERROR_CODE_INVALID, "%s is not a qcow2 image",
                         path);
    uint32_t version = number32(bytes + AT_VERSION);
    uint64_t name_at = number64(bytes + AT_BACKING_OFFSET);
    uint32_t name_len = number32(bytes + AT_BACKING_SIZE);
    size_t header_len = V2_HEADER_BYTES;
    if (version == 3 && len >= V3_HEADER_BYTES)
        header_len = number32(bytes + AT_HEADER_LENGTH);
    if (version < 2 || version > 3 || name_len > BACKING_MAX_BYTES ||
        header_len < V2_HEADER_BYTES ||
        (name_at && (name_at > len || name_len > len - name_at)))
        return error_set(error, ERROR_CODE_INVALID,
                         "the header of the qcow2 image %s is broken", path);
    header->virtual_bytes = number64(bytes + AT_SIZE);
    if (name_at && name_len)
        header->backing = xstrndup((const char *)bytes + name_at, name_len);
    read_extensions(bytes, name_at ? (size_t)name_at : len, header_len, header);
    return true;
}

bool
qcow2_read_header(const char *path, struct qcow2_header *ret_header,
                  struct error *error)
{
    int fd = open_image(path, error);
    if (fd < 0)
        return false;
    unsigned char *bytes = xmalloc(READ_MAX_BYTES);
    size_t len = read_beginning(fd, bytes, READ_MAX_BYTES);
    (void)close(fd);
    struct qcow2_header header = {0};
    bool ok = parse(bytes, len, &header, path, error);
    free(bytes);
    if (ok)
        *ret_header = header;
    return ok;
}

void
qcow2_header_finish(struct qcow2_header *header)
{
    free(header->backing);
    free(header->backing_format);
    *header = (struct qcow2_header){0};
}

char *
qcow2_backing_path(const char *path, const struct qcow2_header *header)
{
    const char *name = header->backing;
    if (!name)
        return NULL;
    if (name[0] == '/')
        return xstrdup(name);
    if (!strncmp(name, "file:", strlen("file:")))
        name += strlen("file:");
    else if (strcspn(name, ":") < strcspn(name, "/"))
        return NULL; /* a protocol's */
    const char *slash = strrchr(path, '/');
    int len = slash ? (int)(slash - path) : 1;
    return name[0] == '/' ? xstrdup(name)
                          : xasprintf("%.*s/%s", len, slash ? path : ".", name);
}
