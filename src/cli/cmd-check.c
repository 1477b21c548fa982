#include "base/json.h"
#include "base/xalloc.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/output.h"
#include "fleet/fleet.h"
#include "qemu/preflight.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

static const struct option options[] = {
    {
        .name = "syntax",
        .type = OPTION_FLAG,
        .summary = "look at the file alone, not at what it names",
    },
    {
        .name = "quiet",
        .letter = 'q',
        .type = OPTION_FLAG,
        .summary = "print errors and warnings only",
    },
    {
        .name = "json",
        .type = OPTION_FLAG,
        .summary = "print what was found as JSON",
    },
};

static const char *
plural(size_t count)
{
    return count == 1 ? "" : "s";
}

/* A line each; what defaults say of many guests stands there once. */
static void
print_lines(const struct fleet *fleet, const struct preflight *preflight,
            bool is_quiet)
{
    json_t *counts = json_object();
    const char *text = NULL;
    json_t *count = NULL;
    for (size_t i = 0; i < preflight->count; i++) {
        const struct preflight_finding *finding = &preflight->findings[i];
        if (is_quiet && finding->severity == PREFLIGHT_SEVERITY_NOTE)
            continue;
        char *line = preflight_line(fleet, finding);
        json_int_t before = json_integer_value(json_object_get(counts, line));
        json_object_set_new_nocheck(counts, line, json_integer(before + 1));
        free(line);
    }
    json_object_foreach(counts, text, count)
    {
        char *line = json_integer_value(count) == 1
                         ? xstrdup(text)
                         : xasprintf("%s (%lld guests)", text,
                                     (long long)json_integer_value(count));
        output_line(line);
        free(line);
    }
    json_decref(counts);
}

static void
print_findings(const struct cli *cli, const struct fleet *fleet,
               const struct preflight *preflight)
{
    bool is_quiet = options_has(&cli->options, "quiet");
    print_lines(fleet, preflight, is_quiet);
    for (size_t i = 0; i < preflight->qemu_count && !is_quiet; i++) {
        const struct preflight_qemu *qemu = &preflight->qemus[i];
        (void)printf("%s: QEMU %s\n", qemu->program,
                     qemu->version[0] ? qemu->version : "of no known version");
    }
    size_t errors = preflight->counts[PREFLIGHT_SEVERITY_ERROR];
    size_t warnings = preflight->counts[PREFLIGHT_SEVERITY_WARNING];
    if (!is_quiet)
        (void)printf("%s: %zu guest%s, %zu error%s, %zu warning%s\n",
                     fleet->shown_file, fleet->guest_count,
                     plural(fleet->guest_count), errors, plural(errors),
                     warnings, plural(warnings));
}

static void
print_json(const struct fleet *fleet, const struct preflight *preflight)
{
    json_t *guests = json_array();
    for (size_t i = 0; i < fleet->guest_count; i++) {
        const struct spec *spec = fleet->guests[i];
        json_array_append_new(guests,
                              json_pack("{s:s, s:s}", "name", spec->name,
                                        "kind", spec_kind_name(spec->kind)));
    }
    json_t *findings = json_array();
    for (size_t i = 0; i < preflight->count; i++) {
        const struct preflight_finding *finding = &preflight->findings[i];
        char *where =
            fleet_where(fleet, finding->guest, finding->field, finding->index);
        json_array_append_new(
            findings, json_pack("{s:s, s:s, s:s?, s:o, s:o}", "severity",
                                preflight_severity_name(finding->severity),
                                "guest", finding->guest, "field",
                                finding->field, "where", json_from_text(where),
                                "text", json_from_text(finding->text)));
        free(where);
    }
    json_t *qemus = json_array();
    for (size_t i = 0; i < preflight->qemu_count; i++)
        json_array_append_new(
            qemus,
            json_pack("{s:o, s:o}", "program",
                      json_from_text(preflight->qemus[i].program), "version",
                      json_from_text(preflight->qemus[i].version)));
    json_t *value =
        json_pack("{s:o, s:o, s:o, s:o}", "file", json_from_text(fleet->file),
                  "guests", guests, "qemus", qemus, "findings", findings);
    output_json(value);
    json_decref(value);
}

/* All of them: an error has not room for so many. */
static int
fail_by(char *mistakes)
{
    (void)fprintf(stderr, "guestmux: %s\n", mistakes);
    free(mistakes);
    return COMMAND_FAILED;
}

static int
run(struct cli *cli)
{
    const char *file = cli->options.argument_count ? cli->options.arguments[0]
                                                   : "guestmux.json";
    struct error error = {0};
    char *mistakes = NULL;
    struct fleet_source source = {.file = file, .ret_mistakes = &mistakes};
    struct fleet *fleet = fleet_load(&source, &error);
    if (!fleet && !mistakes)
        return cli_fail(&error);
    if (!fleet)
        return fail_by(mistakes);
    const char *server = options_text(&cli->options, "server");
    char *data_dir = paths_find_data_dir(server ? server : "default");
    struct preflight preflight = {.data_dir = data_dir};
    if (!options_has(&cli->options, "syntax"))
        preflight_run(&preflight, fleet);
    if (options_has(&cli->options, "json"))
        print_json(fleet, &preflight);
    else
        print_findings(cli, fleet, &preflight);
    bool has_errors = preflight.counts[PREFLIGHT_SEVERITY_ERROR] > 0;
    preflight_finish(&preflight);
    free(data_dir);
    fleet_free(fleet);
    return has_errors ? COMMAND_FAILED : COMMAND_DONE;
}

const struct command cmd_check = {
    .name = "check",
    .usage = "[FILE]",
    .summary = "Look for mistakes in a fleet file",
    .text =
        "Tells every mistake with its place, then whether what the file names "
        "is there and free: QEMU, its version and whether it knows the "
        "machines, CPUs and devices, KVM, firmware, kernels, images (and who "
        "uses them), forwarded ports, VNC displays, memory. Starts nothing. "
        "Without FILE it is guestmux.json. Exits 1 when a guest could not "
        "start.",
    COMMAND_OPTIONS(options),
    .max_arguments = 1,
    .flags = COMMAND_NO_PATHS,
    .argument = COMMAND_ARGUMENT_FILE,
    .run = run,
};
