#include "console/record.h"

#include "base/clock.h"
#include "console/bound.h"
#include "console/console-internal.h"
#include "console/times.h"

#include <sys/stat.h>

static void
on_bound_trouble(void *data, const struct error *error)
{
    console_tell_trouble(data, error);
}

static void
on_flush(void *data)
{
    struct console *console = data;
    times_flush(console->record.times);
}

static uint64_t
file_bytes(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? (uint64_t)status.st_size : 0;
}

static void
open_index(struct console *console, const struct console_config *config)
{
    struct record *record = &console->record;
    struct error error = {0};
    struct bound_config bound = {.path = config->times_path};
    record->times = times_open(config->times_path, file_bytes(config->log_path),
                               config->log_max_bytes / 2, &error);
    if (!record->times) {
        console_tell_trouble(console, &error);
        return;
    }
    record->index_bound = bound_new(console->hub->loop, &bound);
    record->flush = loop_timer_new(console->hub->loop, on_flush, console);
}

void
record_init(struct console *console, const struct console_config *config)
{
    struct bound_config bound = {
        .path = config->log_path,
        .max_bytes = config->log_max_bytes,
        .on_trouble = on_bound_trouble,
        .data = console,
    };
    console->record.bound = bound_new(console->hub->loop, &bound);
    if (config->times_path)
        open_index(console, config);
}

void
record_set_max(struct console *console, uint64_t max_bytes)
{
    bound_set_max(console->record.bound, max_bytes);
    if (console->record.times)
        times_set_max(console->record.times, max_bytes / 2);
}

void
record_finish(struct console *console)
{
    struct record *record = &console->record;
    loop_timer_free(record->flush);
    times_free(record->times);
    bound_free(record->index_bound);
    bound_free(record->bound);
    *record = (struct record){0};
}

void
record_resume(struct console *console, uint64_t end)
{
    if (console->record.times)
        times_note_unseen(console->record.times, end, clock_wall_ms());
}

void
record_took(struct console *console)
{
    struct record *record = &console->record;
    bound_trim(record->bound, console->offset);
    if (!record->times)
        return;
    if (times_note(record->times, console->offset, clock_wall_ms()) &&
        !loop_timer_is_armed(record->flush))
        loop_timer_start(record->flush, TIMES_PAUSE_MS);
    bound_cut(record->index_bound,
              times_dispensable(record->times, bound_start(record->bound)));
}

void
record_cut(struct console *console)
{
    struct record *record = &console->record;
    bound_look(record->bound);
    if (!record->times)
        return;
    times_forget(record->times);
    bound_look(record->index_bound);
}
