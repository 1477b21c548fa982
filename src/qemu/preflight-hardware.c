/* The firmware's files, and what devices read. */
#include "qemu/firmware.h"
#include "qemu/preflight-internal.h"

#include <unistd.h>

/* Files that the fleet file names. */
static void
check_named(const struct preflight_check *check)
{
    const struct spec *spec = check->spec;
    const struct {
        const char *path;
        int mode;
        const char *field;
    } files[] = {
        {spec->firmware && spec->firmware[0] == '/' ? spec->firmware : NULL,
         R_OK, "firmware"},
        {spec->flash_code, R_OK, "firmware"},
        {spec->flash_vars, R_OK, "firmware"},
        {spec->flash_store, R_OK | W_OK, "firmware"},
        {spec->rng, R_OK, "rng"},
    };
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        if (files[i].path)
            (void)preflight_check_file(check, files[i].path, files[i].mode,
                                       files[i].field, -1);
    }
}

void
preflight_check_hardware(const struct preflight_check *check)
{
    check_named(check);
    struct firmware firmware = {0};
    struct error error = {0};
    if (!check->spec->uefi)
        return;
    if (firmware_of_spec(check->spec, NULL, &firmware, &error))
        firmware_finish(&firmware);
    else
        preflight_add(check, PREFLIGHT_SEVERITY_ERROR, "firmware", -1, "%s",
                      error.text);
}
