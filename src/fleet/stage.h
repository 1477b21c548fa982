#pragma once

#include <stdbool.h>

/* How far a guest has come with its boot, in this order. The first ones follow
 * each other; the agent and ssh answer some time after init, whenever they are
 * ready. */
enum stage {
    STAGE_OFF, /* it does not run */
    STAGE_FIRMWARE,
    STAGE_BOOT_LOADER,
    STAGE_KERNEL,
    STAGE_INIT,
    STAGE_CLOUD_INIT,
    STAGE_LOGIN, /* a login or shell prompt */
    STAGE_AGENT, /* the guest agent opened its port */
    STAGE_SSH,   /* an ssh banner came through the forwarded port */
    STAGE_COUNT
};

/* "boot-loader" … */
const char *stage_name(enum stage stage);
/* False: no stage has this name; *ret_near (may be NULL) is the nearest one or
 * NULL. */
bool stage_parse(const char *name, enum stage *ret_stage,
                 const char **ret_near);
