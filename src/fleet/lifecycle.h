#pragma once

#include "fleet/stage.h"

#include <stdbool.h>

/* What a fleet file says about a guest's life: when it starts, what follows its
 * end, how it is shut down. Times are in seconds. */

enum lifecycle_policy {
    LIFECYCLE_NEVER,
    LIFECYCLE_ON_FAILURE,
    LIFECYCLE_ALWAYS,
    LIFECYCLE_POLICY_COUNT
};

/* Longest time that a field can say, s: a week. */
#define LIFECYCLE_MAX_S 604800
/* Most guests that one waits for. */
#define LIFECYCLE_MAX_AFTER 64

struct lifecycle {
    char **after;     /* owned; names, NULL-terminated; NULL: none */
    enum stage until; /* of those; STAGE_OFF: they run */
    int until_timeout_s;
    struct {
        enum lifecycle_policy policy;
        int delay_s; /* before the first restart; doubles with each */
        int max_delay_s;
        int limit; /* restarts within window_s; 0: any number */
        int window_s;
    } restart;
    bool is_autostart;
    struct {
        int button_s;   /* for the power button */
        int repeat_s;   /* until it is pressed again */
        int agent_s;    /* for the guest agent, where there is one */
        bool is_forced; /* go on with quit, SIGTERM, SIGKILL */
        int quit_s;
        int term_s;
    } shutdown;
    int stall_s[STAGE_COUNT]; /* longest stay in a stage; 0: any time */
};

/* Sets what counts where nothing is said. */
void lifecycle_init(struct lifecycle *lifecycle);
void lifecycle_finish(struct lifecycle *lifecycle);

/* "on-failure" … */
const char *lifecycle_policy_name(enum lifecycle_policy policy);
