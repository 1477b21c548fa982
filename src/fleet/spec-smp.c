/* The reader of how many CPUs there are, and how they are arranged. */
#include "fleet/spec-internal.h"

#include <string.h>

/* QEMU's machines have a few hundred at most. */
#define MAX_SMP 1024

#define AT(member) offsetof(struct spec, smp.member)

/* As QEMU's -smp has them, in its order. */
static const struct spec_member smp_members[] = {
    {"cpus", AT(cpus), 1, MAX_SMP},
    {"maxcpus", AT(maxcpus), 1, MAX_SMP},
    {"sockets", AT(sockets), 1, MAX_SMP},
    {"dies", AT(dies), 1, MAX_SMP},
    {"clusters", AT(clusters), 1, MAX_SMP},
    {"cores", AT(cores), 1, MAX_SMP},
    {"threads", AT(threads), 1, MAX_SMP},
};
#define COUNT (sizeof(smp_members) / sizeof(smp_members[0]))

const char *
spec_smp_part(const struct spec_smp *smp, size_t index, int *ret_value)
{
    if (index >= COUNT)
        return NULL;
    size_t offset = smp_members[index].offset - offsetof(struct spec, smp);
    *ret_value = *(const int *)((const char *)smp + offset);
    return smp_members[index].name;
}

static int
or_one(int number)
{
    return number ? number : 1;
}

/* What QEMU refuses when all that it would work out is said. */
static void
check_product(struct spec_reader *reader, const struct place *place)
{
    const struct spec_smp *smp = &reader->spec->smp;
    int wanted = smp->maxcpus ? smp->maxcpus : smp->cpus;
    if (smp->maxcpus && smp->cpus > smp->maxcpus) {
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "\"cpus\" (%d) are more than \"maxcpus\" (%d)", smp->cpus,
                     smp->maxcpus);
        return;
    }
    if (!smp->sockets || !smp->cores || !smp->threads || !wanted)
        return;
    int64_t product = (int64_t)smp->sockets * or_one(smp->dies) *
                      or_one(smp->clusters) * smp->cores * smp->threads;
    if (product != wanted)
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "sockets, cores and threads make %lld CPUs, but \"%s\" is "
                     "%d",
                     (long long)product, smp->maxcpus ? "maxcpus" : "cpus",
                     wanted);
}

void
spec_read_smp(struct spec_reader *reader, const struct spec_field *field,
              const json_t *value, const struct place *place)
{
    (void)field;
    json_int_t number = 0;
    if (json_is_object(value)) {
        spec_read_members(reader, smp_members, COUNT, NULL, value, place);
        if (json_object_size(value) == 0)
            mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                         "this says nothing (try {\"sockets\": 1, \"cores\": "
                         "2})");
        check_product(reader, place);
    } else if (!json_is_integer(value) && !json_is_string(value)) {
        spec_wrong_type(reader->mistakes, place, value,
                        "a number of CPUs, or an object such as {\"sockets\": "
                        "1, \"cores\": 2}");
    } else if (spec_take_integer(reader, value, place, 1, MAX_SMP, &number)) {
        reader->spec->smp.cpus = (int)number;
    }
}
