#include "base/text.h"
#include "base/xalloc.h"
#include "guest/guest-internal.h"
#include "qemu/argv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The size of a terminal nobody has sized yet: the VT100's. */
#define DEFAULT_ROWS 24
#define DEFAULT_COLS 80
/* Columns of a title that a guest sets. */
#define TITLE_MAX_COLS 120u
/* More serial ports than QEMU gives a machine. */
#define MAX_CONSOLES 64u

/* The name of the one console of what is no QEMU. */
#define PLAIN_CONSOLE "console"

/* What consoles tell is passed on at once: it is the path from the guest's
 * output to the screen. Nothing is done after the call: it may free us. */

static void
on_change(void *data)
{
    struct guest_console *console = data;
    struct guest *guest = console->guest;
    const struct guest_context *context = guest->context;
    if (guest->run && guest->run->is_finishing)
        ending_check(guest);
    context->handlers->on_screen(context->data, guest, console->index);
}

static void
on_output(void *data, const char *bytes, size_t len, uint64_t offset)
{
    struct guest_console *console = data;
    struct guest *guest = console->guest;
    const struct guest_context *context = guest->context;
    if (context->handlers->on_output)
        context->handlers->on_output(context->data, guest, console->index,
                                     bytes, len, offset);
}

static void
on_bell(void *data)
{
    struct guest_console *console = data;
    struct guest *guest = console->guest;
    const struct guest_context *context = guest->context;
    if (context->handlers->on_bell)
        context->handlers->on_bell(context->data, guest, console->index);
}

static void
on_frame(void *data)
{
    struct guest_console *console = data;
    struct guest *guest = console->guest;
    const struct guest_context *context = guest->context;
    if (context->handlers->on_frame)
        context->handlers->on_frame(context->data, guest, console->index);
}

static void
on_title(void *data, const char *title)
{
    struct guest_console *console = data;
    char *text = text_printable(title ? title : "", title ? strlen(title) : 0,
                                TITLE_MAX_COLS, TEXT_ONE_LINE);
    if (console->title && !strcmp(console->title, text)) {
        free(text);
        return;
    }
    free(console->title);
    console->title = text;
    guest_changed(console->guest);
}

static void
on_end(void *data, int errnum)
{
    struct guest_console *console = data;
    console->has_ended = true;
    console->end_errnum = errnum;
    ending_on_console(console->guest);
}

static void
on_trouble(void *data, const struct error *error)
{
    struct guest_console *console = data;
    guest_notice(console->guest, "warning", "%s: %s", console->name,
                 error->text);
}

static void
on_input_taken(void *data)
{
    struct guest_console *console = data;
    struct guest *guest = console->guest;
    const struct guest_context *context = guest->context;
    if (context->handlers->on_input_taken)
        context->handlers->on_input_taken(context->data, guest, console->index);
}

static const struct console_handlers handlers = {
    .on_change = on_change,
    .on_output = on_output,
    .on_bell = on_bell,
    .on_frame = on_frame,
    .on_title = on_title,
    .on_end = on_end,
    .on_trouble = on_trouble,
    .on_input_taken = on_input_taken,
};

static bool
open_one(struct guest *guest, size_t index, const char *name,
         struct error *error)
{
    if (!text_is_name(name))
        return error_set(error, ERROR_CODE_INTERNAL,
                         "a console of %s has a name that is no file name",
                         guest->spec->name);
    char *log = xasprintf("%s.log", name);
    char *marks = xasprintf("%s.marks", name);
    char *times = xasprintf("%s.times", name);
    char *marks_path = store_path(guest, marks);
    char *times_path = store_path(guest, times);
    struct guest_console *console = &guest->consoles[index];
    *console = (struct guest_console){
        .guest = guest,
        .index = index,
        .name = xstrdup(name),
        .log_path = store_path(guest, log),
    };
    struct console_config config = {
        .log_path = console->log_path,
        .marks_path = marks_path,
        .times_path = times_path,
        .log_max_bytes = guest->spec->log_max_bytes,
        .rows = guest->spec->console_rows ? guest->spec->console_rows
                                          : DEFAULT_ROWS,
        .cols = guest->spec->console_cols ? guest->spec->console_cols
                                          : DEFAULT_COLS,
        .history_lines = guest->spec->history_lines,
        .handlers = &handlers,
        .data = console,
    };
    console->console = console_new(guest->context->hub, &config, error);
    /* an older log was perhaps made at another size, and is replayed so */
    if (console->console && guest->spec->console_rows)
        console_resize(console->console, config.rows, config.cols);
    free(times_path);
    free(marks_path);
    free(times);
    free(marks);
    free(log);
    return console->console != NULL;
}

bool
consoles_open(struct guest *guest, struct error *error)
{
    const char *plain[] = {PLAIN_CONSOLE, NULL};
    const char **names = plain;
    if (guest_has_qemu(guest)) {
        names = argv_console_names(guest->spec, error);
        if (!names)
            return false;
    }
    size_t count = 0;
    while (names[count] && count < MAX_CONSOLES)
        count++;
    /* A fixed place for each: consoles keep a pointer to theirs. */
    guest->consoles = xcalloc(count, sizeof(*guest->consoles));
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        guest->console_count = i + 1;
        ok = open_one(guest, i, names[i], error);
    }
    if (names != plain)
        free(names);
    if (!ok)
        consoles_close(guest);
    return ok;
}

void
consoles_close(struct guest *guest)
{
    for (size_t i = 0; i < guest->console_count; i++) {
        struct guest_console *console = &guest->consoles[i];
        console_free(console->console);
        free(console->name);
        free(console->log_path);
        free(console->title);
    }
    free(guest->consoles);
    guest->consoles = NULL;
    guest->console_count = 0;
}

void
consoles_take_live(struct guest *guest)
{
    const struct spec *spec = guest->spec;
    for (size_t i = 0; i < guest->console_count; i++) {
        struct console *console = guest->consoles[i].console;
        console_set_bounds(console, spec->history_lines, spec->log_max_bytes);
        if (spec->console_rows)
            console_resize(console, spec->console_rows, spec->console_cols);
    }
}

/* QEMU opens the log by its path and would follow a link there. */
static bool
prepare_log(const char *path, struct error *error)
{
    int fd = open(path,
                  O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC |
                      O_NONBLOCK | O_NOCTTY,
                  0600);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot open the console log %s",
                               path);
    struct stat info;
    bool ok = true;
    if (fstat(fd, &info) < 0)
        ok = error_set_errno(error, errno, "cannot look at %s", path);
    else if (!S_ISREG(info.st_mode) || info.st_uid != geteuid())
        ok = error_set(error, ERROR_CODE_DENIED,
                       "the console log %s is not a regular file of yours; "
                       "move it away",
                       path);
    else if ((info.st_mode & 077) != 0 && fchmod(fd, 0600) < 0)
        ok = error_set_errno(error, errno, "cannot make %s private", path);
    (void)close(fd);
    return ok;
}

bool
consoles_prepare_logs(struct guest *guest, struct error *error)
{
    if (guest->console_count == 0 && !consoles_open(guest, error))
        return false;
    for (size_t i = 0; i < guest->console_count; i++) {
        if (!prepare_log(guest->consoles[i].log_path, error))
            return false;
        guest->consoles[i].has_ended = false;
    }
    return true;
}

void
consoles_mark_boot(struct guest *guest)
{
    for (size_t i = 0; i < guest->console_count; i++)
        console_mark_boot(guest->consoles[i].console);
}

void
consoles_mark_reset(struct guest *guest, int64_t at_ms)
{
    for (size_t i = 0; i < guest->console_count; i++)
        console_mark_reset(guest->consoles[i].console, at_ms);
}

uint64_t
consoles_boot_bytes(const struct guest *guest, int64_t at_ms)
{
    uint64_t most = 0;
    for (size_t i = 0; i < guest->console_count; i++) {
        const struct console *console = guest->consoles[i].console;
        uint64_t bytes = at_ms ? console_boot_bytes_at(console, at_ms)
                               : console_boot_bytes(console);
        most = bytes > most ? bytes : most;
    }
    return most;
}

void
consoles_expect(struct guest *guest)
{
    for (size_t i = 0; i < guest->console_count; i++)
        console_expect_pty(guest->consoles[i].console);
}

void
consoles_detach(struct guest *guest)
{
    for (size_t i = 0; i < guest->console_count; i++)
        console_set_pty(guest->consoles[i].console, NULL);
}

bool
consoles_are_drained(const struct guest *guest)
{
    for (size_t i = 0; i < guest->console_count; i++) {
        const struct guest_console *console = &guest->consoles[i];
        struct stat info;
        if (!guest_has_qemu(guest)) {
            if (!console->has_ended)
                return false;
        } else if (stat(console->log_path, &info) == 0 &&
                   (uint64_t)info.st_size > console_offset(console->console)) {
            return false;
        }
    }
    return true;
}
