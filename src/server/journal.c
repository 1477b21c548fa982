#include "server/journal.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "fleet/alert-rules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Every line begins so: its time can be read without reading the rest. */
#define LINE_START "{\"at-ms\":"

struct line {
    char *text; /* owned: one object, without the line end */
    size_t len;
    int64_t at_ms;
    bool has_state; /* it says a guest's state */
};

/* The lines are a ring without gaps: [first, first + count) of a growing array
 * that is moved to the front now and then. */
struct journal {
    char *path;     /* owned: the newest file */
    char *old_path; /* owned: the one before */
    int fd;         /* of the newest file; or -1 */
    size_t file_bytes;
    struct line *lines; /* owned, each text too */
    size_t first;
    size_t count;
    size_t capacity;
    size_t bytes; /* of all texts */
    bool has_failed;
};

/* Lines in memory ---------------------------------------------------------- */

static void
drop_first(struct journal *journal)
{
    struct line *line = &journal->lines[journal->first++];
    journal->bytes -= line->len;
    journal->count--;
    free(line->text);
}

/* text: stolen. */
static void
keep_line(struct journal *journal, char *text, size_t len, int64_t at_ms)
{
    if (journal->first &&
        journal->first + journal->count == journal->capacity) {
        memmove(journal->lines, journal->lines + journal->first,
                journal->count * sizeof(*journal->lines));
        journal->first = 0;
    }
    if (journal->count == journal->capacity) {
        journal->capacity = journal->capacity * 2 + 64;
        journal->lines = xreallocarray(journal->lines, journal->capacity,
                                       sizeof(*journal->lines));
    }
    journal->lines[journal->first + journal->count++] =
        (struct line){text, len, at_ms, strstr(text, "\"state\":") != NULL};
    journal->bytes += len;
    while (journal->bytes > 2 * (size_t)JOURNAL_FILE_BYTES)
        drop_first(journal);
}

/* Files -------------------------------------------------------------------- */

static void
read_file(struct journal *journal, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    if (!file) {
        if (fd >= 0)
            (void)close(fd);
        return;
    }
    char *text = xmalloc(JOURNAL_RECORD_BYTES);
    size_t total = 0;
    /* a torn or foreign line is passed over */
    while (total <= 2 * (size_t)JOURNAL_FILE_BYTES &&
           fgets(text, JOURNAL_RECORD_BYTES, file)) {
        size_t len = strlen(text);
        total += len;
        if (len < 2 || text[len - 1] != '\n' || text[len - 2] != '}' ||
            strncmp(text, LINE_START, strlen(LINE_START)) != 0)
            continue;
        keep_line(journal, xstrndup(text, len - 1), len - 1,
                  strtoll(text + strlen(LINE_START), NULL, 10));
    }
    free(text);
    (void)fclose(file);
}

/* Opens the file to write to, and ends a line that a crash tore. */
static bool
open_file(struct journal *journal, struct error *error)
{
    struct stat info;
    journal->fd =
        open(journal->path,
             O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
             0600);
    if (journal->fd < 0 || fstat(journal->fd, &info) < 0)
        return error_set_errno(error, errno, "cannot open the journal %s",
                               journal->path);
    char last = '\n';
    journal->file_bytes = (size_t)info.st_size;
    if (info.st_size > 0 &&
        pread(journal->fd, &last, 1, info.st_size - 1) == 1 && last != '\n')
        (void)!write(journal->fd, "\n", 1);
    return true;
}

struct journal *
journal_new(const char *directory, struct error *error)
{
    struct journal *journal = xcalloc(1, sizeof(*journal));
    journal->path = xasprintf("%s/events.jsonl", directory);
    journal->old_path = xasprintf("%s/events.1.jsonl", directory);
    read_file(journal, journal->old_path);
    read_file(journal, journal->path);
    journal->has_failed = !open_file(journal, error);
    return journal;
}

void
journal_free(struct journal *journal)
{
    if (!journal)
        return;
    if (journal->fd >= 0)
        (void)close(journal->fd);
    while (journal->count)
        drop_first(journal);
    free(journal->lines);
    free(journal->path);
    free(journal->old_path);
    free(journal);
}

/* A full file becomes the old one. */
static bool
turn_over(struct journal *journal, struct error *error)
{
    if (journal->fd >= 0)
        (void)close(journal->fd);
    journal->fd = -1;
    if (rename(journal->path, journal->old_path) < 0 && errno != ENOENT)
        return error_set_errno(error, errno, "cannot rename the journal %s",
                               journal->path);
    return open_file(journal, error);
}

static bool
write_line(struct journal *journal, const char *text, size_t len,
           struct error *error)
{
    if (journal->fd < 0 && !open_file(journal, error))
        return false;
    if (journal->file_bytes + len > JOURNAL_FILE_BYTES &&
        !turn_over(journal, error))
        return false;
    ssize_t done = write(journal->fd, text, len);
    if (done < 0)
        return error_set_errno(error, errno, "cannot write the journal %s",
                               journal->path);
    journal->file_bytes += (size_t)done;
    if ((size_t)done == len)
        return true;
    (void)!write(journal->fd, "\n", 1); /* so that the next line is one */
    return error_set(error, ERROR_CODE_IO,
                     "the journal %s cannot grow: the disk is full",
                     journal->path);
}

bool
journal_add(struct journal *journal, json_t *record, struct error *error)
{
    int64_t at_ms = json_integer_value(json_object_get(record, "at-ms"));
    if (!at_ms)
        at_ms = clock_wall_ms();
    json_t *line = json_pack("{s:I}", "at-ms", (json_int_t)at_ms);
    json_object_update_missing(line, record);
    json_decref(record);
    char *text = json_dumps(line, JSON_COMPACT);
    json_decref(line);
    size_t len = text ? strlen(text) : 0;
    if (!len || len + 2 > JOURNAL_RECORD_BYTES) {
        free(text);
        return error_set(error, ERROR_CODE_LIMIT,
                         "a record of %zu bytes is too long for the journal",
                         len);
    }
    text[len] = '\n'; /* where its zero stands, for the one write */
    struct error fault = {0};
    bool ok = write_line(journal, text, len + 1, &fault);
    text[len] = '\0';
    keep_line(journal, text, len, at_ms);
    bool is_new_fault = !ok && !journal->has_failed;
    journal->has_failed = !ok;
    if (is_new_fault && error)
        *error = fault;
    return ok;
}

/* Finding ------------------------------------------------------------------ */

static bool
is_among(const json_t *names, const json_t *name)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        if (json_equal(json_array_get(names, i), name))
            return true;
    }
    return false;
}

bool
journal_fits(const struct journal_query *query, const json_t *record)
{
    int64_t at_ms = json_integer_value(json_object_get(record, "at-ms"));
    if (at_ms < query->since_ms || (query->until_ms && at_ms > query->until_ms))
        return false;
    if (query->guests && json_array_size(query->guests) &&
        !is_among(query->guests, json_object_get(record, "guest")))
        return false;
    const char *kind = json_string_value(json_object_get(record, "kind"));
    if (query->kind && (!kind || strcmp(kind, query->kind) != 0))
        return false;
    /* for the next server only */
    if (!query->kind && !query->is_complete && kind && !strcmp(kind, "seen"))
        return false;
    const char *name = json_string_value(json_object_get(record, "severity"));
    int severity = ALERT_INFO;
    if (name)
        (void)alert_severity_parse(name, &severity);
    return severity >= query->severity;
}

json_t *
journal_find(const struct journal *journal, const struct journal_query *query)
{
    size_t limit = query->limit && query->limit < JOURNAL_MAX_ANSWER
                       ? query->limit
                       : JOURNAL_MAX_ANSWER;
    json_t *found = json_array();
    /* the newest are wanted: from the end, and turned round after */
    for (size_t i = journal->count; i > 0 && json_array_size(found) < limit;
         i--) {
        const struct line *line = &journal->lines[journal->first + i - 1];
        if (line->at_ms < query->since_ms ||
            (query->until_ms && line->at_ms > query->until_ms))
            continue;
        json_t *record =
            json_loadb(line->text, line->len, JSON_REJECT_DUPLICATES, NULL);
        if (json_is_object(record) && journal_fits(query, record))
            json_array_append(found, record);
        json_decref(record);
    }
    json_t *answer = json_array();
    for (size_t i = json_array_size(found); i > 0; i--)
        json_array_append(answer, json_array_get(found, i - 1));
    json_decref(found);
    return answer;
}

char *
journal_copy(const struct journal *journal, int64_t since_ms, int64_t until_ms,
             size_t *ret_len)
{
    struct buffer copy = {0};
    for (size_t i = 0; i < journal->count; i++) {
        const struct line *line = &journal->lines[journal->first + i];
        if (line->at_ms < since_ms || (until_ms && line->at_ms > until_ms))
            continue;
        buffer_append(&copy, line->text, line->len);
        buffer_append(&copy, "\n", 1);
    }
    *ret_len = copy.len;
    return buffer_steal(&copy);
}

char *
journal_last_state(const struct journal *journal, const char *guest)
{
    char *mark = xasprintf("\"guest\":\"%s\"", guest);
    char *state = NULL;
    for (size_t i = journal->count; i > 0 && !state; i--) {
        const struct line *line = &journal->lines[journal->first + i - 1];
        if (!line->has_state || !strstr(line->text, mark))
            continue;
        json_t *record = json_loadb(line->text, line->len, 0, NULL);
        const json_t *name = json_object_get(record, "guest");
        const json_t *value = json_object_get(record, "state");
        if (json_is_string(name) && json_is_string(value) &&
            strcmp(json_string_value(name), guest) == 0)
            state = xstrdup(json_string_value(value));
        json_decref(record);
    }
    free(mark);
    return state ? state : xstrdup("");
}
