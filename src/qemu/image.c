#include "qemu/image.h"

#include "base/json.h"
#include "base/loop.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "qemu/tool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ms; looking at a header, and making one. A slow file server's worst. */
#define QUICK_TIMEOUT_MS 60000u
/* ms; copying a disk. */
#define COPY_TIMEOUT_MS (6u * 3600 * 1000)
#define WORDS_MAX_LINES 12u
#define WORDS_MAX_COLS 400u
#define MAX_WORDS 20

struct image_job {
    uv_loop_t *loop; /* borrowed */
    enum image_kind kind;
    unsigned flags;
    char *label;
    char *path;
    char *base;
    char *base_format;
    char *source;
    char *format;
    uint64_t size_bytes;
    char *making;            /* the file until it is whole; NULL: none yet */
    struct tool *tool;       /* owned while it runs */
    struct loop_defer *late; /* owned: tells a failure to begin */
    struct error error;
    image_done_fn on_done;
    void *data; /* borrowed */
};

void
image_size_text(uint64_t bytes, char text[IMAGE_SIZE_BYTES])
{
    static const char units[] = "TGMK";
    for (unsigned i = 0; i < 4; i++) {
        uint64_t unit = UINT64_C(1) << (10 * (4 - i));
        if (bytes && bytes % unit == 0) {
            (void)snprintf(text, IMAGE_SIZE_BYTES, "%" PRIu64 "%c",
                           bytes / unit, units[i]);
            return;
        }
    }
    (void)snprintf(text, IMAGE_SIZE_BYTES, "%" PRIu64, bytes);
}

static void
free_job(struct image_job *job)
{
    if (job->making)
        (void)unlink(job->making);
    loop_defer_free(job->late);
    free(job->label);
    free(job->path);
    free(job->base);
    free(job->base_format);
    free(job->source);
    free(job->format);
    free(job->making);
    free(job);
}

/* The lines of a text, fit to show. New reference. */
static json_t *
to_lines(const char *output, size_t len)
{
    json_t *lines = json_array();
    char *text = text_printable(output, len, WORDS_MAX_COLS, TEXT_KEEP_LINES);
    for (char *line = text; line && *line;) {
        char *end = strchr(line, '\n');
        if (end)
            *end = '\0';
        if (*line && json_array_size(lines) < WORDS_MAX_LINES)
            json_array_append_new(lines, json_from_text(line));
        line = end ? end + 1 : NULL;
    }
    free(text);
    return lines;
}

static void
finish(struct image_job *job, const struct error *error, const char *output,
       size_t len)
{
    json_t *words = to_lines(output, len);
    job->on_done(job->data, error, words);
    json_decref(words);
    free_job(job);
}

/* What it is about, in front of why it failed. */
static void
fail(struct image_job *job, struct error *error, const char *output, size_t len)
{
    static const char *const verbs[] = {
        [IMAGE_KIND_MAKE] = "make",
        [IMAGE_KIND_COPY] = "copy",
        [IMAGE_KIND_RESIZE] = "resize",
    };
    error_prefix(error, "cannot %s %s", verbs[job->kind], job->label);
    finish(job, error, output, len);
}

static void
on_failed_begin(void *data)
{
    struct image_job *job = data;
    struct error error = job->error;
    fail(job, &error, "", 0);
}

/* Tells a failure in the next loop turn. */
static void
fail_later(struct image_job *job, const struct error *error)
{
    job->error = *error;
    job->late = loop_defer_new(job->loop, on_failed_begin, job);
    loop_defer_request(job->late);
}

/* Steps -------------------------------------------------------------------- */

/* An empty file beside the path, ours alone. */
static bool
make_temporary(struct image_job *job, struct error *error)
{
    const char *slash = strrchr(job->path, '/');
    char *path = xasprintf("%.*s/" IMAGE_MAKING "XXXXXX",
                           (int)(slash - job->path), job->path);
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) {
        error_set_errno(error, errno, "cannot make a file beside %s",
                        job->path);
        free(path);
        return false;
    }
    (void)close(fd);
    job->making = path;
    return true;
}

/* Gives what is whole its name. */
static bool
take_name(struct image_job *job, struct error *error)
{
    bool replaces = job->flags & IMAGE_REPLACE;
    int fd = open(job->making, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0) {
        (void)fdatasync(fd); /* some KiB: a header */
        (void)close(fd);
    }
    unsigned how = replaces ? 0 : RENAME_NOREPLACE;
    int failed = renameat2(AT_FDCWD, job->making, AT_FDCWD, job->path, how);
    if (failed && errno == EINVAL && !replaces) /* a file system without it */
        failed = link(job->making, job->path) || unlink(job->making);
    if (failed)
        return error_set_errno(error, errno, "cannot make %s", job->path);
    free(job->making);
    job->making = NULL;
    return true;
}

static void
on_made(void *data, const char *output, size_t len, const struct error *error)
{
    struct image_job *job = data;
    struct error why = {0};
    job->tool = NULL;
    if (error) {
        why = *error;
        fail(job, &why, output, len);
    } else if (job->kind != IMAGE_KIND_RESIZE && !take_name(job, &why)) {
        fail(job, &why, "", 0);
    } else {
        finish(job, NULL, output, len);
    }
}

/* The words of a command; what they point to lives as long as the job. */
struct words {
    const char *items[MAX_WORDS];
    size_t count;
};

static void
add(struct words *words, const char *word)
{
    words->items[words->count++] = word;
}

/* An option, where it has a value. */
static void
add_option(struct words *words, const char *option, const char *value)
{
    if (!value)
        return;
    add(words, option);
    add(words, value);
}

/* Runs a step. What nobody would give its name is not made on after a server
 * that was killed; an image that grows is left to be whole. */
static void
run_tool(struct image_job *job, const struct words *words, uint64_t timeout_ms,
         tool_done_fn on_done)
{
    struct error error = {0};
    unsigned flags = job->kind == IMAGE_KIND_RESIZE ? 0 : TOOL_ENDS_WITH_US;
    job->tool = tool_start(job->loop, (char *const *)words->items, flags,
                           timeout_ms, on_done, job, &error);
    if (!job->tool)
        fail_later(job, &error);
}

/* A qcow2 image: empty, or with the content of source; over base, if any. */
static void
make(struct image_job *job)
{
    bool is_copy = job->kind == IMAGE_KIND_COPY;
    char size[IMAGE_SIZE_BYTES];
    struct error error = {0};
    if (!make_temporary(job, &error)) {
        fail_later(job, &error);
        return;
    }
    struct words words = {0};
    add(&words, "qemu-img");
    add(&words, is_copy ? "convert" : "create");
    add(&words, "-q");
    add_option(&words, is_copy ? "-O" : "-f", "qcow2");
    if (is_copy)
        add_option(&words, "-f", job->format);
    add_option(&words, is_copy ? "-B" : "-b", job->base);
    add_option(&words, "-F", job->base_format);
    add(&words, "--");
    if (is_copy)
        add(&words, job->source);
    add(&words, job->making);
    if (!is_copy && job->size_bytes) {
        (void)snprintf(size, sizeof(size), "%" PRIu64, job->size_bytes);
        add(&words, size);
    }
    run_tool(job, &words, is_copy ? COPY_TIMEOUT_MS : QUICK_TIMEOUT_MS,
             on_made);
}

static void
resize(struct image_job *job)
{
    char size[IMAGE_SIZE_BYTES];
    struct words words = {0};
    (void)snprintf(size, sizeof(size), "%" PRIu64, job->size_bytes);
    add(&words, "qemu-img");
    add(&words, "resize");
    add(&words, "-q");
    add_option(&words, "-f", job->format);
    add(&words, "--");
    add(&words, job->path);
    add(&words, size);
    run_tool(job, &words, QUICK_TIMEOUT_MS, on_made);
}

/* The base ----------------------------------------------------------------- */

/* Takes format and size out of what `qemu-img info` printed; warnings may stand
 * before it. */
static bool
read_facts(struct image_job *job, const char *output, struct error *error)
{
    const char *start = strchr(output, '{');
    json_t *facts =
        start ? json_loads(start, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
    const char *format = NULL;
    int64_t bytes = 0;
    bool ok = facts &&
              json_get_string(facts, "format", JSON_REQUIRED, &format, error) &&
              json_get_integer(facts, "virtual-size", JSON_REQUIRED, 0,
                               INT64_MAX, &bytes, error);
    if (!facts)
        error_set(error, ERROR_CODE_IO, "qemu-img said nothing about %s",
                  job->base);
    if (ok && !job->base_format)
        job->base_format = xstrdup(format);
    json_decref(facts);
    if (!ok || !job->size_bytes || job->size_bytes >= (uint64_t)bytes)
        return ok;
    char wanted[IMAGE_SIZE_BYTES];
    char there[IMAGE_SIZE_BYTES];
    image_size_text(job->size_bytes, wanted);
    image_size_text((uint64_t)bytes, there);
    return error_set(error, ERROR_CODE_INVALID,
                     "its size %s is less than that of its base %s, which has "
                     "%s: the guest would find a disk that is cut off; give "
                     "\"size\": \"%s\" or more, or none",
                     wanted, job->base, there, there);
}

static void
on_base_facts(void *data, const char *output, size_t len,
              const struct error *error)
{
    struct image_job *job = data;
    struct error why = {0};
    job->tool = NULL;
    if (error) {
        why = *error;
        fail(job, &why, output, len);
    } else if (!read_facts(job, output, &why)) {
        fail(job, &why, "", 0);
    } else {
        make(job);
    }
}

static void
look_at_base(struct image_job *job)
{
    struct words words = {0};
    add(&words, "qemu-img");
    add(&words, "info");
    add(&words, "--output=json");
    add_option(&words, "-f", job->base_format);
    add(&words, "--");
    add(&words, job->base);
    run_tool(job, &words, QUICK_TIMEOUT_MS, on_base_facts);
}

struct image_job *
image_begin(uv_loop_t *loop, const struct image_plan *plan,
            image_done_fn on_done, void *data)
{
    struct image_job *job = xcalloc(1, sizeof(*job));
    job->loop = loop;
    job->kind = plan->kind;
    job->flags = plan->flags;
    job->label = xstrdup(plan->label);
    job->path = xstrdup(plan->path);
    job->base = xstrdup(plan->base);
    job->base_format = xstrdup(plan->base_format);
    job->source = xstrdup(plan->source);
    job->format = xstrdup(plan->format);
    job->size_bytes = plan->size_bytes;
    job->on_done = on_done;
    job->data = data;
    if (job->kind == IMAGE_KIND_RESIZE)
        resize(job);
    else if (job->kind == IMAGE_KIND_MAKE && job->base)
        look_at_base(job);
    else
        make(job);
    return job;
}

void
image_cancel(struct image_job *job)
{
    if (!job)
        return;
    tool_cancel(job->tool);
    free_job(job);
}

void
image_clean(const char *directory)
{
    DIR *dir = opendir(directory);
    if (!dir)
        return;
    struct dirent *entry;
    while ((entry = readdir(dir))) {
        if (!strncmp(entry->d_name, IMAGE_MAKING, strlen(IMAGE_MAKING)))
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    }
    (void)closedir(dir);
}
