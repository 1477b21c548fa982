#pragma once

#include "fleet/mistakes.h"
#include "fleet/spec.h"

/* Reads entries into specs; shared by spec.c, the field readers and fleet.c. */

struct variables;

struct spec_reader {
    struct spec *spec; /* being filled */
    struct mistakes *mistakes;
    /* For paths; NULL: what is read was saved, and has none. */
    const struct variables *variables;
    /* Objects are parts of what a guest has: what they lack others may say. */
    bool is_part;
};

/* An entry with everything merged in, and where it stands. */
struct spec_entry {
    json_t *fields; /* paths in it are made what they stand for when they come
                     * from elsewhere or have variables */
    const struct place *place;
};

/* What kind of guest an entry describes. */
enum spec_kind spec_find_kind(const struct spec_entry *entry,
                              struct mistakes *mistakes);

/* Reads one guest. variables NULL: what was saved. NULL when a mistake was
 * added. */
struct spec *spec_read(const char *name, const struct spec_entry *entry,
                       const char *directory, const struct variables *variables,
                       struct mistakes *mistakes);

/* Of a guest whose entry has mistakes: its name, and which guests it comes
 * after. */
struct spec *spec_read_order(const char *name, const json_t *fields,
                             const char *directory);

/* Adds the mistakes that a part of an entry has by itself: defaults, a
 * template, or an entry whose templates are missing. What objects lack, which
 * others may complete, and strings that depend on the guest are left to the
 * guests. */
enum spec_part {
    SPEC_PART_DEFAULTS,
    SPEC_PART_TEMPLATE,
    SPEC_PART_ENTRY,
};
void spec_check_part(enum spec_part part, const json_t *fields,
                     const struct place *place, const char *directory,
                     const struct variables *variables,
                     struct mistakes *mistakes);

/* Whether a field of the defaults counts for guests of a kind. */
bool spec_has_field(enum spec_kind kind, const char *name);

/* The field of a name, or NULL. */
const struct spec_field *spec_find_field(const char *name);

/* Adds "unknown field …" with the nearest of names; place: the field's. */
void spec_unknown_field(struct mistakes *mistakes, const struct place *place,
                        const char *const *names, size_t count);

/* The same with the names that an entry may have. */
void spec_unknown_entry_field(struct mistakes *mistakes,
                              const struct place *place);

/* Adds "this is a string, not …". */
void spec_wrong_type(struct mistakes *mistakes, const struct place *place,
                     const json_t *value, const char *wanted);

/* Text from the file made fit to stand in a message. The caller frees it. */
char *spec_show(const char *text);

/* Frees what their readers made. */
void spec_free_disks(struct spec *spec);
void spec_free_cloud_init(struct spec_cloud_init *cloud);

/* The field readers. What each wants is its field's type. */
typedef void spec_read_fn(struct spec_reader *reader,
                          const struct spec_field *field, const json_t *value,
                          const struct place *place);
spec_read_fn spec_read_option, spec_read_path, spec_read_append,
    spec_read_program, spec_read_arch, spec_read_accel, spec_read_smp,
    spec_read_memory, spec_read_firmware, spec_read_disks, spec_read_nics,
    spec_read_words, spec_read_command, spec_read_socket, spec_read_baud,
    spec_read_history, spec_read_ssh, spec_read_alerts, spec_read_silence,
    spec_read_log, spec_read_console, spec_read_consoles, spec_read_boolean,
    spec_read_labels, spec_read_env, spec_read_vga, spec_read_vnc,
    spec_read_usb, spec_read_devices, spec_read_rng, spec_read_after,
    spec_read_until, spec_read_restart, spec_read_shutdown, spec_read_stall,
    spec_read_cloud_init, spec_read_paste, spec_read_comment;

/* Reads an array of alert rules in place of those that are there; what is wrong
 * is left out. */
void spec_take_alert_rules(struct alert_rules *rules, const json_t *value,
                           const struct place *place,
                           struct mistakes *mistakes);

/* Adds the mistakes of consoles that the spec's machine does not have. parent:
 * the entry's place. */
void spec_check_consoles(struct spec_reader *reader,
                         const struct place *parent);

/* A regular expression (PCRE2): new, or NULL after a mistake was added. */
char *spec_take_pattern(struct spec_reader *reader, const json_t *value,
                        const struct place *place);

/* Parts that the readers share: each returns a new string, or NULL after it
 * added a mistake. */
enum spec_text_flags {
    SPEC_TEXT_ONE_LINE = 0,
    SPEC_TEXT_LINES = 1 << 0, /* any character but NUL */
    SPEC_TEXT_EMPTY = 1 << 1, /* may be empty */
};
char *spec_take_text(struct spec_reader *reader, const json_t *value,
                     const struct place *place, size_t max_bytes,
                     unsigned flags);
char *spec_take_path(struct spec_reader *reader, const json_t *value,
                     const struct place *place);
/* A size in bytes: text with a unit, or a whole number of MiB. */
bool spec_take_size(struct spec_reader *reader, const json_t *value,
                    const struct place *place, uint64_t *ret_bytes);
/* A whole number within limits; false after a mistake was added. */
bool spec_take_integer(struct spec_reader *reader, const json_t *value,
                       const struct place *place, json_int_t min,
                       json_int_t max, json_int_t *ret_number);
char **spec_take_words(struct spec_reader *reader, const json_t *value,
                       const struct place *place);

/* spec-nics.c, spec-ssh.c: what they filled. */
void spec_free_nics(struct spec *spec);
void spec_free_ssh(struct spec_ssh *ssh);

/* spec-parts.c: objects within an entry. */
bool spec_is_among(const char *word, const char *const *words, size_t count);
/* Adds a mistake for each member that is none of names. */
void spec_check_members(struct spec_reader *reader, const json_t *object,
                        const struct place *place, const char *const *names,
                        size_t count);
/* One of a few words; what: "a disk format". New, or NULL after a mistake. */
char *spec_take_choice(struct spec_reader *reader, const json_t *value,
                       const struct place *place, const char *what,
                       const char *const *words, size_t count);
/* A member of an object that is a number, or (max 0) true or false. */
struct spec_member {
    const char *name;
    size_t offset; /* in struct spec: an int, or a bool */
    json_int_t min;
    json_int_t max;
};
/* Most rows of one object. */
#define SPEC_MAX_MEMBERS 16
/* Reads an object of such members. word: the name of another member, which the
 * caller reads, or NULL. */
void spec_read_members(struct spec_reader *reader,
                       const struct spec_member *rows, size_t count,
                       const char *word, const json_t *value,
                       const struct place *place);
/* The member, or NULL when it is absent or null. Borrowed. */
const json_t *spec_member(const json_t *object, const char *name);
