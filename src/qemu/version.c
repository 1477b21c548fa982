#include "qemu/version.h"

#include "base/text.h"
#include "qemu/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUTPUT_MAX_BYTES 2048

/* "QEMU emulator version 7.2.22 (Debian …)\n…" */
static void
parse(const char *text, struct qemu_version *version)
{
    const char *at = strstr(text, "version ");
    *version = (struct qemu_version){0};
    if (!at || sscanf(at + 8, "%d.%d", &version->major, &version->minor) != 2) {
        *version = (struct qemu_version){0};
        return;
    }
    at += 8;
    char *shown = text_printable(at, strcspn(at, "\n"),
                                 sizeof(version->text) / 4, TEXT_ONE_LINE);
    (void)snprintf(version->text, sizeof(version->text), "%s", shown);
    free(shown);
}

bool
qemu_version_read(const char *program, struct qemu_version *ret_version,
                  struct error *error)
{
    static const char *const options[] = {"--version", NULL};
    struct buffer text = {0};
    bool ok = ask_program(program, options, OUTPUT_MAX_BYTES, &text, error);
    if (ok)
        parse(text.len ? text.data : "", ret_version);
    buffer_finish(&text);
    return ok;
}
