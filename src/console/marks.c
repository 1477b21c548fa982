#include "console/marks.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A mark's line is far shorter; a longer one is foreign. */
#define LINE_MAX_BYTES 160
/* Marks in memory, when more than half of them were passed. */
#define KEPT_MAX 16384

struct marks {
    char *path; /* owned */
    int fd;     /* owned; O_APPEND */
    struct mark *items;
    size_t count;
    size_t capacity;
    size_t next; /* index of the first mark not yet passed */
    bool has[MARKS_KIND_COUNT];
    uint64_t boot_offset;
    bool is_torn; /* the file's last line has no end */
};

struct kind {
    const char *name;
    int arguments;
};

static const struct kind kinds[] = {
    [MARKS_KIND_SIZE] = {"size", 2},
    [MARKS_KIND_BOOT] = {"boot", 0},
    [MARKS_KIND_GAP] = {"gap", 1},
};
_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == MARKS_KIND_COUNT,
               "a row for each kind");

/* Reads a decimal number and one space behind it. */
static bool
take_number(const char **text, uint64_t max, uint64_t *ret_value)
{
    uint64_t value = 0;
    const char *at = *text;
    if (*at < '0' || *at > '9')
        return false;
    for (; *at >= '0' && *at <= '9'; at++) {
        unsigned digit = (unsigned)(*at - '0');
        if (value > (max - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (*at != ' ')
        return false;
    *text = at + 1;
    *ret_value = value;
    return true;
}

static bool
take_kind(const char **text, enum marks_kind *ret_kind)
{
    for (int kind = 0; kind < MARKS_KIND_COUNT; kind++) {
        size_t len = strlen(kinds[kind].name);
        if (strncmp(*text, kinds[kind].name, len) != 0 || (*text)[len] != ' ')
            continue;
        *text += len + 1;
        *ret_kind = (enum marks_kind)kind;
        return true;
    }
    return false;
}

static bool
parse_line(const char *line, struct mark *ret_mark)
{
    struct mark mark = {0};
    uint64_t arguments[2] = {0, 0};
    uint64_t wall = 0;
    if (!take_number(&line, INT64_MAX, &mark.offset) ||
        !take_kind(&line, &mark.kind))
        return false;
    uint64_t max = mark.kind == MARKS_KIND_SIZE ? INT_MAX : INT64_MAX;
    for (int i = 0; i < kinds[mark.kind].arguments; i++) {
        if (!take_number(&line, max, &arguments[i]))
            return false;
    }
    if (!take_number(&line, INT64_MAX, &wall) || strcmp(line, ".") != 0)
        return false;
    mark.wall_ms = (int64_t)wall;
    if (mark.kind == MARKS_KIND_SIZE) {
        mark.rows = (int)arguments[0];
        mark.cols = (int)arguments[1];
    } else {
        mark.bytes = arguments[0];
    }
    *ret_mark = mark;
    return true;
}

static void
append_line(struct buffer *text, const struct mark *mark)
{
    buffer_printf(text, "%" PRIu64 " %s ", mark->offset,
                  kinds[mark->kind].name);
    if (mark->kind == MARKS_KIND_SIZE)
        buffer_printf(text, "%d %d ", mark->rows, mark->cols);
    else if (mark->kind == MARKS_KIND_GAP)
        buffer_printf(text, "%" PRIu64 " ", mark->bytes);
    buffer_printf(text, "%" PRId64 " .\n", mark->wall_ms);
}

/* The oldest of those that were passed go. */
static void
drop_oldest(struct marks *marks)
{
    size_t dropped = marks->next / 2;
    memmove(marks->items, marks->items + dropped,
            (marks->count - dropped) * sizeof(*marks->items));
    marks->count -= dropped;
    marks->next -= dropped;
}

static void
keep(struct marks *marks, const struct mark *mark)
{
    while (marks->count > 0 &&
           marks->items[marks->count - 1].offset > mark->offset)
        marks->count--;
    if (marks->next > marks->count)
        marks->next = marks->count;
    if (marks->count >= KEPT_MAX)
        drop_oldest(marks);
    if (marks->count == marks->capacity) {
        marks->capacity = marks->capacity ? marks->capacity * 2 : 16;
        marks->items =
            xreallocarray(marks->items, marks->capacity, sizeof(*marks->items));
    }
    marks->items[marks->count++] = *mark;
    marks->has[mark->kind] = true;
    if (mark->kind == MARKS_KIND_BOOT || marks->boot_offset > mark->offset)
        marks->boot_offset = mark->offset;
}

static void
parse_text(struct marks *marks, char *text)
{
    char *end;
    for (; (end = strchr(text, '\n')); text = end + 1) {
        struct mark mark;
        *end = '\0';
        if (end - text < LINE_MAX_BYTES && parse_line(text, &mark))
            keep(marks, &mark);
    }
    marks->is_torn = *text != '\0';
}

/* Replaces the file by the marks that were read. Failing is no harm: the old
 * file stays. */
static void
write_anew(struct marks *marks)
{
    struct buffer text = {0};
    char *path = xasprintf("%s.new", marks->path);
    for (size_t i = marks->count > 4096 ? marks->count - 4096 : 0;
         i < marks->count; i++)
        append_line(&text, &marks->items[i]);
    int fd = open(
        path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
        0600);
    if (fd >= 0 && write(fd, text.data, text.len) == (ssize_t)text.len &&
        rename(path, marks->path) == 0) {
        close(marks->fd);
        marks->fd = fd;
        marks->is_torn = false;
    } else if (fd >= 0) {
        close(fd);
        unlink(path);
    }
    free(path);
    buffer_finish(&text);
}

static bool
read_all(struct marks *marks, struct error *error)
{
    struct stat status;
    if (fstat(marks->fd, &status) != 0)
        return error_set_errno(error, errno, "%s", marks->path);
    if (!S_ISREG(status.st_mode))
        return error_set(error, ERROR_CODE_INVALID, "%s is no regular file",
                         marks->path);
    off_t start = status.st_size > (off_t)MARKS_FILE_MAX_BYTES
                      ? status.st_size - (off_t)MARKS_FILE_MAX_BYTES
                      : 0;
    char *text = xmalloc(MARKS_FILE_MAX_BYTES + 1);
    size_t len = 0;
    ssize_t got;
    while (len < MARKS_FILE_MAX_BYTES &&
           (got = pread(marks->fd, text + len, MARKS_FILE_MAX_BYTES - len,
                        start + (off_t)len)) > 0)
        len += (size_t)got;
    /* A zero byte (a hole that a crash left) must not hide what follows. */
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\0')
            text[i] = '\n';
    }
    text[len] = '\0';
    char *first = text;
    if (start > 0 && (first = strchr(text, '\n')))
        first++;
    if (first)
        parse_text(marks, first);
    free(text);
    if (start > 0)
        write_anew(marks);
    return true;
}

struct marks *
marks_open(const char *path, struct error *error)
{
    struct marks *marks = xcalloc(1, sizeof(*marks));
    marks->path = xstrdup(path);
    marks->fd =
        open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (marks->fd < 0)
        error_set_errno(error, errno, "%s", path);
    if (marks->fd < 0 || !read_all(marks, error)) {
        marks_free(marks);
        return NULL;
    }
    return marks;
}

void
marks_free(struct marks *marks)
{
    if (!marks)
        return;
    if (marks->fd >= 0)
        close(marks->fd);
    free(marks->items);
    free(marks->path);
    free(marks);
}

bool
marks_has(const struct marks *marks, enum marks_kind kind)
{
    return marks->has[kind];
}

uint64_t
marks_boot_offset(const struct marks *marks)
{
    return marks->boot_offset;
}

bool
marks_add(struct marks *marks, const struct mark *mark, struct error *error)
{
    struct mark added = *mark;
    struct buffer line = {0};
    if (added.wall_ms == 0)
        added.wall_ms = clock_wall_ms();
    keep(marks, &added);
    if (marks->is_torn)
        buffer_append_byte(&line, '\n');
    append_line(&line, &added);
    ssize_t written = write(marks->fd, line.data, line.len);
    bool is_whole = written == (ssize_t)line.len;
    int errnum = written < 0 ? errno : ENOSPC;
    buffer_finish(&line);
    if (is_whole || written > 0)
        marks->is_torn = !is_whole;
    return is_whole ||
           error_set_errno(error, errnum, "cannot note in %s", marks->path);
}

const struct mark *
marks_peek(const struct marks *marks)
{
    return marks->next < marks->count ? &marks->items[marks->next] : NULL;
}

void
marks_pass(struct marks *marks)
{
    if (marks->next < marks->count)
        marks->next++;
}

size_t
marks_list(const struct marks *marks, const struct mark **ret_items)
{
    *ret_items = marks->items;
    return marks->count;
}
