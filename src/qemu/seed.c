#include "qemu/seed.h"

#include "base/file.h"
#include "base/xalloc.h"
#include "qemu/cloud-config.h"
#include "qemu/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

#define VOLUME_ID "cidata"
/* libarchive's own error codes are above the system's. */
#define MAX_ERRNO 4096
#define INSTANCE_FILE "instance-id"
#define INSTANCE_MAX_BYTES 128

/* libarchive's words. */
static bool
archive_failed(struct archive *archive, struct error *error)
{
    const char *why = archive_error_string(archive);
    int errnum = archive_errno(archive);
    bool is_system = errnum > 0 && errnum < MAX_ERRNO;
    return error_set(error, ERROR_CODE_IO, "cannot write the seed: %s%s%s",
                     why ? why : "no reason is known", is_system ? ": " : "",
                     is_system ? strerror(errnum) : "");
}

static bool
add_file(struct archive *archive, const char *name, const char *data,
         size_t len, struct error *error)
{
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0400);
    archive_entry_set_size(entry, (la_int64_t)len);
    bool ok = archive_write_header(archive, entry) == ARCHIVE_OK &&
              archive_write_data(archive, data, len) == (la_ssize_t)len;
    archive_entry_free(entry);
    return ok || archive_failed(archive, error);
}

/* libarchive writes capitals, as ECMA-119 has it; earlier versions of
 * cloud-init look for small letters alone, as everybody else writes them. */
static bool
name_volume(int fd, struct error *error)
{
    const off_t at = 16 * 2048 + 40; /* the primary descriptor's volume id */
    size_t len = strlen(VOLUME_ID);
    char there[sizeof(VOLUME_ID)] = "";
    if (pread(fd, there, len, at) == (ssize_t)len &&
        !strcasecmp(there, VOLUME_ID) &&
        pwrite(fd, VOLUME_ID, len, at) == (ssize_t)len)
        return true;
    return error_set(error, ERROR_CODE_IO,
                     "cannot write the seed: it has no volume id");
}

static bool
write_image(int fd, const struct cloud_files *files, struct error *error)
{
    struct archive *archive = archive_write_new();
    bool ok = archive_write_set_format_iso9660(archive) == ARCHIVE_OK &&
              archive_write_set_options(archive, "volume-id=" VOLUME_ID
                                                 ",joliet,rockridge=useful,"
                                                 "!zisofs") == ARCHIVE_OK &&
              archive_write_add_filter_none(archive) == ARCHIVE_OK &&
              archive_write_open_fd(archive, fd) == ARCHIVE_OK;
    if (!ok)
        archive_failed(archive, error);
    for (size_t i = 0; ok && i < SPEC_DOCUMENT_COUNT; i++) {
        if (files->files[i].data)
            ok = add_file(archive, spec_document_names[i], files->files[i].data,
                          files->files[i].len, error);
    }
    if (ok && archive_write_close(archive) != ARCHIVE_OK)
        ok = archive_failed(archive, error);
    (void)archive_write_free(archive);
    return ok && name_volume(fd, error);
}

bool
seed_make(const struct spec *spec, const char *instance_id, const char *path,
          struct error *error)
{
    struct cloud_files files = {0};
    if (!cloud_files_build(spec, instance_id, &files, error))
        return false;
    const char *slash = strrchr(path, '/');
    char *making =
        xasprintf("%.*s/" IMAGE_MAKING "XXXXXX", (int)(slash - path), path);
    int fd = mkostemp(making, O_CLOEXEC);
    bool ok = fd >= 0;
    if (!ok)
        error_set_errno(error, errno, "cannot make %s", path);
    ok = ok && write_image(fd, &files, error);
    if (ok && rename(making, path) < 0)
        ok = error_set_errno(error, errno, "cannot make %s", path);
    if (fd >= 0) {
        if (!ok)
            (void)unlink(making);
        (void)close(fd);
    }
    free(making);
    cloud_files_finish(&files);
    return ok;
}

/* Instance ids ------------------------------------------------------------- */

char *
seed_new_instance_id(const char *data_dir, const char *guest,
                     struct error *error)
{
    unsigned char random[8];
    while (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        continue;
    char *id = xasprintf("iid-%s-%02x%02x%02x%02x%02x%02x%02x%02x", guest,
                         random[0], random[1], random[2], random[3], random[4],
                         random[5], random[6], random[7]);
    char *path = xasprintf("%s/" INSTANCE_FILE, data_dir);
    char *line = xasprintf("%s\n", id);
    bool ok = file_write(path, line, strlen(line), FILE_SYNCED, error);
    free(line);
    free(path);
    if (ok)
        return id;
    free(id);
    return NULL;
}

/* A word that needs no quotes in YAML. */
static bool
is_instance_id(const char *text)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "abcdefghijklmnopqrstuvwxyz0123456789._-";
    return text[0] && strspn(text, letters) == strlen(text);
}

char *
seed_instance_id(const char *data_dir, const char *guest, struct error *error)
{
    char *path = xasprintf("%s/" INSTANCE_FILE, data_dir);
    size_t len = 0;
    char *text = NULL;
    bool is_there = access(path, F_OK) == 0;
    if (is_there)
        text = file_read(path, INSTANCE_MAX_BYTES, &len, error);
    if (text) {
        text[strcspn(text, "\n")] = '\0';
        if (!is_instance_id(text)) {
            error_set(error, ERROR_CODE_INVALID,
                      "%s holds no instance-id; `guestmux cloud-init renew "
                      "%s` writes a new one",
                      path, guest);
            free(text);
            text = NULL;
        }
    } else if (!is_there) {
        text = seed_new_instance_id(data_dir, guest, error);
    }
    free(path);
    return text;
}
