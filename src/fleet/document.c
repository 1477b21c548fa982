#include "fleet/document.h"

#include "base/buffer.h"
#include "base/xalloc.h"
#include "fleet/fleet.h"
#include "fleet/syntax.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes asked for at once. */
#define READ_BYTES 65536

static bool
read_content(int fd, const char *shown, struct buffer *content,
             struct error *error)
{
    struct stat info;
    if (fstat(fd, &info) < 0)
        return error_set_errno(error, errno, "cannot look at %s", shown);
    if (!S_ISREG(info.st_mode))
        return error_set(error, ERROR_CODE_INVALID,
                         S_ISDIR(info.st_mode) ? "%s is a directory, not a file"
                                               : "%s is not a regular file",
                         shown);
    while (content->len <= FLEET_FILE_MAX_BYTES) {
        buffer_reserve(content, READ_BYTES);
        ssize_t got = read(fd, content->data + content->len, READ_BYTES);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(error, errno, "cannot read %s", shown);
        if (got == 0)
            break;
        content->len += (size_t)got;
    }
    return true;
}

struct document *
document_open(const char *path, const char *shown, struct error *error)
{
    /* O_NONBLOCK: opening a named pipe must not wait for a writer. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        error_set_errno(error, errno, "cannot open %s", shown);
        return NULL;
    }
    struct buffer content = {0};
    struct document *document = NULL;
    if (read_content(fd, shown, &content, error))
        document = document_new(path, shown, content.data ? content.data : "",
                                content.len, error);
    buffer_finish(&content);
    (void)close(fd);
    return document;
}

/* Reads the text as JSON. */
static bool
load(struct document *document, struct error *error)
{
    json_error_t fault;
    const char *text = document->content;
    document->root =
        json_loadb(text, document->len, JSON_REJECT_DUPLICATES, &fault);
    if (!document->root &&
        json_error_code(&fault) == json_error_duplicate_key) {
        document->has_duplicates = true;
        document->root = json_loadb(text, document->len, 0, &fault);
    }
    if (document->root)
        return true;
    syntax_set_error(document->shown, text, document->len, &fault, error);
    return false;
}

/* The members of an object as entries; parent: the object's place. */
static struct document_entry *
take_entries(json_t *object, const struct place *parent, size_t *ret_count)
{
    size_t count = json_object_size(object);
    struct document_entry *entries = xcalloc(count + 1, sizeof(*entries));
    size_t at = 0;
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(object, name, value) entries[at++] =
        (struct document_entry){.place = {parent, name, 0}, .fields = value};
    *ret_count = count;
    return entries;
}

static void
take_members(struct document *document)
{
    document->at_defaults = (struct place){NULL, "defaults", 0};
    document->at_templates = (struct place){NULL, "templates", 0};
    document->at_guests = (struct place){NULL, "guests", 0};
    document->at_include = (struct place){NULL, "include", 0};
    json_t *defaults = json_object_get(document->root, "defaults");
    document->defaults = json_is_object(defaults) ? defaults : NULL;
    document->templates =
        take_entries(json_object_get(document->root, "templates"),
                     &document->at_templates, &document->template_count);
    document->guests =
        take_entries(json_object_get(document->root, "guests"),
                     &document->at_guests, &document->guest_count);
}

char *
document_directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == path ? xstrdup("/")
                         : xstrndup(path, (size_t)(slash - path));
}

struct document *
document_new(const char *path, const char *shown, const char *text, size_t len,
             struct error *error)
{
    if (len > FLEET_FILE_MAX_BYTES) {
        error_set(error, ERROR_CODE_LIMIT, "%s is larger than %u bytes", shown,
                  FLEET_FILE_MAX_BYTES);
        return NULL;
    }
    /* Some editors put a byte order mark in front. */
    if (len >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3)) {
        text += 3;
        len -= 3;
    }
    struct document *document = xcalloc(1, sizeof(*document));
    struct stat info;
    document->path = xstrdup(path);
    document->shown = xstrdup(shown);
    document->directory = document_directory_of(path);
    document->content = xmalloc(len + 1);
    memcpy(document->content, text, len);
    document->content[len] = '\0';
    document->len = len;
    if (stat(path, &info) == 0) {
        document->has_identity = true;
        document->device = info.st_dev;
        document->inode = info.st_ino;
    }
    if (!load(document, error)) {
        document_free(document);
        return NULL;
    }
    document->positions = positions_new(document->content, len);
    document->text.file = document->shown;
    document->text.positions = document->positions;
    take_members(document);
    return document;
}

void
document_free(struct document *document)
{
    if (!document)
        return;
    free(document->templates);
    free(document->guests);
    free(document->includes);
    free(document->visible);
    positions_free(document->positions);
    json_decref(document->root);
    free(document->content);
    free(document->directory);
    free(document->shown);
    free(document->path);
    free(document);
}

const struct document_entry *
document_template(const struct document *document, const char *name)
{
    for (size_t i = 0; i < document->template_count; i++) {
        if (!strcmp(document->templates[i].place.key, name))
            return &document->templates[i];
    }
    return NULL;
}
