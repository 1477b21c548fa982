/* Guests that wait for what the others cannot come to, or for nobody. */
#include "base/xalloc.h"
#include "qemu/preflight-internal.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

static bool
has_word(char *const *words, const char *part)
{
    for (; words && *words; words++) {
        if (strstr(*words, part))
            return true;
    }
    return false;
}

static bool
is_qemu(const struct spec *spec)
{
    return spec->kind == SPEC_KIND_QEMU || spec->kind == SPEC_KIND_COMMAND;
}

/* Whether the guest agent can have a port; what a user's own words make of one
 * is theirs to know. */
static bool
may_have_agent(const struct spec *spec)
{
    return is_qemu(spec) &&
           (spec->has_agent || has_word(spec->command, "guest_agent") ||
            has_word(spec->args, "guest_agent") ||
            has_word(spec->devices, "guest_agent"));
}

/* Whether a port of the host leads to its sshd, or an address may. */
static bool
may_have_ssh(const struct spec *spec)
{
    int port = spec_ssh_port(spec);
    if (!is_qemu(spec) || has_word(spec->command, "hostfwd") ||
        has_word(spec->args, "hostfwd"))
        return is_qemu(spec);
    for (size_t i = 0; i < spec->nic_count; i++) {
        const struct spec_nic *nic = &spec->nics[i];
        if (spec_nic_is_beside_host(nic) ||
            (nic->text && strstr(nic->text, "hostfwd")))
            return true;
        for (size_t j = 0; j < nic->forward_count; j++) {
            if (!nic->forwards[j].is_udp && nic->forwards[j].guest_port == port)
                return true;
        }
    }
    return false;
}

static const struct {
    enum stage stage;
    bool (*may_come)(const struct spec *spec);
    const char *advice;
} stages[] = {
    {STAGE_AGENT, may_have_agent,
     "has no port for a guest agent (\"agent\": true)"},
    {STAGE_SSH, may_have_ssh,
     "has no port of the host that leads to its sshd (\"nics\": "
     "[{\"hostfwd\": [\"auto:22\"]}])"},
};

static bool
says_until(const struct spec *spec)
{
    return json_object_get(spec->source, "until") != NULL;
}

/* Whether a guest that comes after others has its "until" from the same place:
 * defaults and templates say it for those that need it. */
static bool
is_of_use(const struct fleet *fleet, const struct spec *spec)
{
    struct fleet_place place = fleet_locate(fleet, spec->name, "until", -1);
    for (size_t i = 0; i < fleet->guest_count; i++) {
        const struct spec *other = fleet->guests[i];
        if (!other->lifecycle.after || !says_until(other))
            continue;
        struct fleet_place its = fleet_locate(fleet, other->name, "until", -1);
        if (its.file == place.file &&
            its.position.line == place.position.line &&
            its.position.column == place.position.column)
            return true;
    }
    return false;
}

static void
check_until(struct preflight *preflight, const struct fleet *fleet,
            const struct spec *spec)
{
    const struct preflight_check check = {preflight, spec};
    if (spec->lifecycle.after || !says_until(spec) || is_of_use(fleet, spec))
        return;
    preflight_add(&check, PREFLIGHT_SEVERITY_WARNING, "until", -1,
                  "it means nothing without \"after\", which names the guests "
                  "to wait for");
}

static void
check_guest(struct preflight *preflight, const struct fleet *fleet,
            const struct spec *spec)
{
    const struct preflight_check check = {preflight, spec};
    const struct lifecycle *life = &spec->lifecycle;
    check_until(preflight, fleet, spec);
    for (size_t i = 0; life->after && life->after[i]; i++) {
        const struct spec *other = fleet_find(fleet, life->after[i]);
        for (size_t j = 0; j < sizeof(stages) / sizeof(stages[0]); j++) {
            if (!other || life->until != stages[j].stage ||
                stages[j].may_come(other))
                continue;
            preflight_add(&check, PREFLIGHT_SEVERITY_WARNING, "until", -1,
                          "%s waits in vain: %s %s", spec->name, other->name,
                          stages[j].advice);
        }
    }
}

void
preflight_check_order(struct preflight *preflight, const struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->guest_count; i++)
        check_guest(preflight, fleet, fleet->guests[i]);
}
