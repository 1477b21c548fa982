/* Scripts and command lines that are imported: what comes out is a fleet file
 * that is taken, and a script's words end. */
#include "base/xalloc.h"
#include "fleet/fleet.h"
#include "fleet/shellscript.h"
#include "qemu/import.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is accepted is a fleet file as it is written. */
static void
use(const struct import *import)
{
    json_t *root = import_to_fleet(import);
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    assert(text);
    struct error error = {0};
    struct fleet *fleet =
        fleet_parse("/f/fleet.json", text, strlen(text), &error);
    assert(fleet);
    assert(fleet->guest_count == json_object_size(import->guests));
    fleet_free(fleet);
    free(text);
    json_decref(root);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error error = {0};
    struct shellscript *script =
        shellscript_read((const char *)data, size, &error);
    assert(script || error.text[0]);
    shellscript_free(script);
    struct import import;
    import_init(&import);
    memset(&error, 0, sizeof(error));
    if (import_script(&import, (const char *)data, size, NULL, NULL, &error))
        use(&import);
    else
        assert(error.code != ERROR_CODE_NONE && error.text[0]);
    import_finish(&import);
    return 0;
}
