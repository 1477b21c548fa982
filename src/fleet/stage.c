#include "fleet/stage.h"

#include "base/nearest.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static const char *const names[] = {
    [STAGE_OFF] = "off",
    [STAGE_FIRMWARE] = "firmware",
    [STAGE_BOOT_LOADER] = "boot-loader",
    [STAGE_KERNEL] = "kernel",
    [STAGE_INIT] = "init",
    [STAGE_CLOUD_INIT] = "cloud-init",
    [STAGE_LOGIN] = "login",
    [STAGE_AGENT] = "agent",
    [STAGE_SSH] = "ssh",
};
static_assert(sizeof(names) / sizeof(names[0]) == STAGE_COUNT,
              "every stage has a name");

const char *
stage_name(enum stage stage)
{
    return (unsigned)stage < STAGE_COUNT ? names[stage] : "unknown";
}

bool
stage_parse(const char *name, enum stage *ret_stage, const char **ret_near)
{
    for (int i = 0; i < STAGE_COUNT; i++) {
        if (strcmp(names[i], name) != 0)
            continue;
        *ret_stage = (enum stage)i;
        return true;
    }
    if (ret_near)
        *ret_near = nearest_name(name, names, STAGE_COUNT);
    return false;
}
