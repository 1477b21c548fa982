#include "cli/happening.h"

#include "base/text.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "cli/guests.h"
#include "cli/moment.h"
#include "cli/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names that are longer push their line's rest to the right. */
#define NAME_COLS_MIN 6
#define NAME_COLS_MAX 24

/* "n1", "n1:ttyS0", "-" for what is about no guest. The caller frees it. */
static char *
name_of(const json_t *happening)
{
    const char *guest = guests_text(happening, "guest");
    const char *console = guests_text(happening, "console");
    char *name = console[0] ? xasprintf("%s:%s", guest, console)
                            : xstrdup(guest[0] ? guest : "-");
    char *shown = text_printable(name, strlen(name), 0, TEXT_ONE_LINE);
    free(name);
    return shown;
}

int
happening_name_cols(const json_t *list)
{
    int widest = NAME_COLS_MIN;
    for (size_t i = 0; i < json_array_size(list); i++) {
        char *name = name_of(json_array_get(list, i));
        int cols = (int)utf8_text_cols(name, strlen(name));
        widest = cols > widest ? cols : widest;
        free(name);
    }
    return widest < NAME_COLS_MAX ? widest : NAME_COLS_MAX;
}

static enum output_style
style_of(const json_t *happening)
{
    const char *severity = guests_text(happening, "severity");
    if (strcmp(severity, "critical") == 0)
        return OUTPUT_RED;
    return strcmp(severity, "warning") == 0 ? OUTPUT_YELLOW : OUTPUT_PLAIN;
}

static char *
text_of(const json_t *happening)
{
    const char *text = guests_text(happening, "text");
    const char *line = guests_text(happening, "line");
    json_int_t count = guests_number(happening, "count");
    char times[40] = "";
    if (count > 1)
        (void)snprintf(times, sizeof(times), " (%lld times)", (long long)count);
    char *all = xasprintf("%s%s%s%s", text, times, line[0] ? ": " : "", line);
    char *shown = text_printable(all, strlen(all), 0, TEXT_ONE_LINE);
    free(all);
    return shown;
}

void
happening_print(const json_t *happening, int name_cols)
{
    char when[MOMENT_MAX_BYTES];
    moment_format(guests_number(happening, "at-ms"), MOMENT_FULL, when);
    bool is_line = strcmp(guests_text(happening, "kind"), "line") == 0;
    bool is_approximate =
        json_is_true(json_object_get(happening, "approximate"));
    char *name = name_of(happening);
    char *text = text_of(happening);
    int gap = name_cols - (int)utf8_text_cols(name, strlen(name));
    enum output_style style = style_of(happening);
    (void)printf("%s%s%s%s  %s%s%s%*s", output_style(OUTPUT_DIM),
                 is_approximate ? "~" : "", when, output_style(OUTPUT_PLAIN),
                 output_style(OUTPUT_BOLD), name, output_style(OUTPUT_PLAIN),
                 gap > 0 ? gap + 2 : 2, "");
    /* what a guest printed stands apart from what is said about it */
    if (!is_line)
        (void)printf("%s* %s%s\n", output_style(style), text,
                     output_style(OUTPUT_PLAIN));
    else
        (void)printf("%s\n", text);
    free(text);
    free(name);
}
