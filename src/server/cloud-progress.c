#include "server/cloud-progress.h"

#include "base/json.h"
#include "base/text.h"
#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>

#define FAILURE_MAX_COLS 200

/* What cloud-init runs, in order; the first begins a boot. Its command line:
 * cloud-init init --local, init, modules --mode config, modules --mode final.
 */
static const char *const phases[] = {"init-local", "init", "modules:config",
                                     "modules:final"};

/* What a failure's line has in it (util.py's and stages.py's warnings). */
static const char *const failures[] = {
    "[WARNING]: Running module ",
    "[WARNING]: Failed ",
    "[ERROR]: ",
    "[CRITICAL]: ",
};

static void
set_phase(struct cloud_progress *progress, const char *phase, int64_t now_ms)
{
    if (!strcmp(phase, phases[0])) /* another boot */
        cloud_progress_finish(progress);
    size_t len = strlen(phase);
    memcpy(progress->phase, phase, len + 1);
    progress->since_ms = now_ms;
}

/* "Cloud-init v. 22.4.2 running 'init' at …", "… finished at …". */
static bool
take_phase(struct cloud_progress *progress, const char *line, int64_t now_ms)
{
    static const char mark[] = "Cloud-init v. ";
    const char *at = strstr(line, mark);
    const char *word = at ? strchr(at + strlen(mark), ' ') : NULL;
    if (!word)
        return false;
    if (!strncmp(word, " finished at ", strlen(" finished at "))) {
        set_phase(progress, "finished", now_ms);
        return true;
    }
    static const char running[] = " running '";
    if (strncmp(word, running, strlen(running)) != 0)
        return false;
    word += strlen(running);
    size_t len = strcspn(word, "'");
    for (size_t i = 0; word[len] && i < sizeof(phases) / sizeof(phases[0]);
         i++) {
        if (strlen(phases[i]) == len && !strncmp(word, phases[i], len)) {
            set_phase(progress, phases[i], now_ms);
            return true;
        }
    }
    return false;
}

static bool
take_failure(struct cloud_progress *progress, const char *line)
{
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        const char *at = strstr(line, failures[i]);
        if (!at)
            continue;
        at += strlen("[");
        if (progress->failure_count < CLOUD_PROGRESS_MAX_FAILURES)
            progress->failures[progress->failure_count] =
                text_printable(at, strlen(at), FAILURE_MAX_COLS, TEXT_ONE_LINE);
        progress->failure_count++;
        return true;
    }
    return false;
}

bool
cloud_progress_line(struct cloud_progress *progress, const char *line,
                    int64_t now_ms)
{
    /* A failure counts only while it is at work. */
    return take_phase(progress, line, now_ms) ||
           (progress->phase[0] && strcmp(progress->phase, "finished") != 0 &&
            take_failure(progress, line));
}

bool
cloud_progress_has_finished(const struct cloud_progress *progress)
{
    return strcmp(progress->phase, "finished") == 0;
}

void
cloud_progress_finish(struct cloud_progress *progress)
{
    for (size_t i = 0; i < CLOUD_PROGRESS_MAX_FAILURES; i++)
        free(progress->failures[i]);
    *progress = (struct cloud_progress){0};
}

json_t *
cloud_progress_to_json(const struct cloud_progress *progress)
{
    if (!progress->phase[0])
        return json_null();
    json_t *texts = json_array();
    for (size_t i = 0; i < CLOUD_PROGRESS_MAX_FAILURES && progress->failures[i];
         i++)
        json_array_append_new(texts, json_from_text(progress->failures[i]));
    return json_pack("{s:s,s:I,s:o,s:I}", "phase", progress->phase, "since-ms",
                     (json_int_t)progress->since_ms, "failures", texts,
                     "failure-count", (json_int_t)progress->failure_count);
}
