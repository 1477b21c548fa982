/* The fleet parser, and for what it lets through the command lines. */
#include "base/xalloc.h"
#include "fleet/fleet.h"
#include "fleet/positions.h"
#include "fleet/shellwords.h"
#include "fleet/variables.h"
#include "qemu/cmdline.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is accepted must come back the same from what is saved, and be
 * rewritten or refused. */
static void
use(const struct spec *spec)
{
    json_t *saved = spec_save(spec);
    struct error error = {0};
    struct spec *loaded = spec_load(saved, &error);
    assert(loaded && spec_is_equal(spec, loaded));
    spec_free(loaded);
    json_decref(saved);
    char *const *words = spec->command ? spec->command : spec->args;
    if (!words)
        return;
    char *text = shellwords_join(words);
    char **again = shellwords_split(text, NULL, &error);
    for (size_t i = 0; again && words[i]; i++)
        assert(!strcmp(again[i], words[i]));
    shellwords_free(again);
    free(text);
    cmdline_free(cmdline_rewrite(
        words, spec->command ? NULL : "x86_64",
        spec->command ? CMDLINE_COMMAND : CMDLINE_ARGUMENTS, &error));
}

static void
on_duplicate(void *data, const struct place *place, struct position first,
             struct position again)
{
    (void)data;
    (void)first;
    (void)again;
    free(place_text(place));
}

/* The same bytes as a text that is no JSON, and as a command. */
static void
use_raw(const char *bytes, size_t size)
{
    struct positions *positions = positions_new(bytes, size);
    struct place parent = {NULL, "guests", 0};
    struct place place = {&parent, NULL, 1};
    (void)positions_find(positions, &place, POSITIONS_PART_VALUE);
    positions_each_duplicate(positions, on_duplicate, NULL);
    positions_free(positions);
    char *text = xstrndup(bytes, size);
    struct error error = {0};
    char **words = shellwords_split(text, NULL, &error);
    if (words)
        cmdline_free(cmdline_rewrite(words, NULL, CMDLINE_COMMAND, &error));
    shellwords_free(words);
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    use_raw((const char *)data, size);
    struct error error = {0};
    json_t *values = json_pack("{s:s,s:s}", "HERE", "/images", "EMPTY", "");
    struct variables variables = {values, NULL};
    struct fleet_source source = {"/f/fleet.json", (const char *)data, size,
                                  &variables};
    struct fleet *fleet = fleet_load(&source, &error);
    json_decref(values);
    if (!fleet) {
        assert(error.code != ERROR_CODE_NONE && error.text[0]);
        return 0;
    }
    for (size_t i = 0; i < fleet->guest_count; i++) {
        use(fleet->guests[i]);
        free(fleet_where(fleet, fleet->guests[i]->name, "disks", 0));
    }
    fleet_free(fleet);
    return 0;
}
