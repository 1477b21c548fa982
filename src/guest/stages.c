#include "base/clock.h"
#include "base/json.h"
#include "guest/guest-internal.h"

#include <string.h>

/* How far the boot has come: which stages were reached, and when. What finds
 * them is elsewhere (the server's rules on consoles' output, the monitor's
 * events, the ssh probe). It stands in run.json, so that a later server tells
 * the same times. */

static void
save(struct guest *guest)
{
    struct error error = {0};
    if (guest->run && !store_save_run(guest, &error))
        guest_notice(guest, "warning", "%s", error.text);
}

/* Where consoles' output stood when it was looked at last. */
static void
note_offsets(struct guest *guest)
{
    for (size_t i = 0; i < guest->console_count && i < STAGES_MAX_CONSOLES; i++)
        guest->stages.offsets[i] = console_offset(guest->consoles[i].console);
}

void
stages_begin(struct guest *guest)
{
    int64_t now_ms = clock_wall_ms();
    guest->stages = (struct guest_stages){.boot_ms = now_ms};
    note_offsets(guest);
    if (!guest_has_qemu(guest))
        return; /* what a program or a device does is not known yet */
    guest->stages.now = STAGE_FIRMWARE;
    guest->stages.at_ms[STAGE_FIRMWARE] = now_ms;
}

void
stages_boot_again(struct guest *guest)
{
    stages_begin(guest);
    ssh_probe_again(guest);
    save(guest);
    guest_changed(guest);
}

bool
guest_note_stage(struct guest *guest, enum stage stage, int64_t at_ms)
{
    struct guest_stages *stages = &guest->stages;
    if (!guest->run || guest->run->is_finishing || stage <= STAGE_OFF ||
        stage >= STAGE_COUNT)
        return false;
    /* what has no monitor tells a new boot by its first words alone */
    if (!guest_has_qemu(guest) && stage < STAGE_KERNEL && stages->now > stage)
        stages_begin(guest);
    bool is_of_order = stage < STAGE_AGENT;
    bool is_past = stages->at_ms[stage] ||
                   (is_of_order && stage < stages_console_stage(guest));
    if (is_past)
        return false;
    stages->at_ms[stage] = at_ms > stages->boot_ms ? at_ms : stages->boot_ms;
    if (stage > stages->now)
        stages->now = stage;
    note_offsets(guest);
    save(guest);
    guest_changed(guest);
    return true;
}

enum stage
stages_console_stage(const struct guest *guest)
{
    int stage = STAGE_LOGIN;
    while (stage > STAGE_OFF && !guest->stages.at_ms[stage])
        stage--;
    return (enum stage)stage;
}

enum stage
guest_stage(const struct guest *guest)
{
    return guest->run ? guest->stages.now : STAGE_OFF;
}

bool
guest_has_reached(const struct guest *guest, enum stage stage)
{
    const struct guest_stages *stages = &guest->stages;
    if (!guest->run)
        return stage == STAGE_OFF;
    if (stage >= STAGE_AGENT)
        return stages->at_ms[stage] != 0;
    /* what answers through agent or ssh has its init behind it */
    if (stage <= STAGE_INIT && stages->now >= STAGE_AGENT)
        return true;
    return stages_console_stage(guest) >= stage;
}

int64_t
guest_stage_ms(const struct guest *guest, enum stage stage)
{
    return guest->stages.at_ms[stage];
}

uint64_t
guest_stage_offset(const struct guest *guest, size_t console)
{
    return console < STAGES_MAX_CONSOLES ? guest->stages.offsets[console] : 0;
}

/* On disk ------------------------------------------------------------------ */

json_t *
stages_save(const struct guest *guest)
{
    const struct guest_stages *stages = &guest->stages;
    json_t *times = json_object();
    json_t *offsets = json_object();
    for (int i = 0; i < STAGE_COUNT; i++) {
        if (stages->at_ms[i])
            json_object_set_new(times, stage_name((enum stage)i),
                                json_integer(stages->at_ms[i]));
    }
    for (size_t i = 0; i < guest->console_count && i < STAGES_MAX_CONSOLES; i++)
        json_object_set_new(offsets, guest->consoles[i].name,
                            json_integer((json_int_t)stages->offsets[i]));
    return json_pack("{s:I,s:o,s:o}", "boot-ms", (json_int_t)stages->boot_ms,
                     "at-ms", times, "offsets", offsets);
}

void
stages_restore(struct guest *guest, const json_t *saved)
{
    struct guest_stages stages = {0};
    const json_t *times = json_object_get(saved, "at-ms");
    const json_t *offsets = json_object_get(saved, "offsets");
    stages.boot_ms = json_integer_value(json_object_get(saved, "boot-ms"));
    for (int i = STAGE_FIRMWARE; i < STAGE_COUNT; i++) {
        stages.at_ms[i] = json_integer_value(
            json_object_get(times, stage_name((enum stage)i)));
        if (stages.at_ms[i])
            stages.now = (enum stage)i;
    }
    for (size_t i = 0; i < guest->console_count && i < STAGES_MAX_CONSOLES;
         i++) {
        json_int_t offset = json_integer_value(
            json_object_get(offsets, guest->consoles[i].name));
        stages.offsets[i] = offset > 0 ? (uint64_t)offset : 0;
    }
    if (stages.boot_ms <= 0)
        stages_begin(guest); /* a record without it: nothing is known */
    else
        guest->stages = stages;
}

/* For clients -------------------------------------------------------------- */

void
stages_describe(const struct guest *guest, json_t *object)
{
    const struct guest_stages *stages = &guest->stages;
    bool is_known = stages->now != STAGE_OFF || !guest->run;
    json_t *list = json_array();
    for (int i = STAGE_FIRMWARE; i < STAGE_COUNT; i++) {
        if (stages->at_ms[i])
            json_array_append_new(
                list,
                json_pack("{s:s,s:I,s:I}", "stage", stage_name((enum stage)i),
                          "at-ms", (json_int_t)stages->at_ms[i], "after-ms",
                          (json_int_t)(stages->at_ms[i] - stages->boot_ms)));
    }
    json_object_set_new(object, "stage",
                        is_known ? json_string(stage_name(guest_stage(guest)))
                                 : json_null());
    json_object_set_new(object, "stages", list);
}
