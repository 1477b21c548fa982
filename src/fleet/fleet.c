#include "fleet/fleet.h"

#include "base/buffer.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "fleet/mistakes.h"
#include "fleet/networks.h"
#include "fleet/positions.h"
#include "fleet/spec-internal.h"
#include "fleet/syntax.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* What this program reads. */
#define FLEET_VERSION 1

static const char *const file_fields[] = {"version", "defaults", "guests",
                                          "networks", "$schema"};

/* What is being read, for the functions below. */
struct parser {
    const char *file; /* as the caller named it */
    const char *directory;
    const char *text;
    size_t len;
    struct positions *positions; /* owned */
    struct mistakes *mistakes;   /* owned */
    json_t *root;                /* owned */
};

static void
on_duplicate(void *data, const struct place *place, struct position first,
             struct position again)
{
    (void)again;
    struct parser *parser = data;
    const struct place *parent = place->parent;
    bool is_guest = parent && !parent->parent && parent->key &&
                    !strcmp(parent->key, "guests");
    mistakes_add(parser->mistakes, place, POSITIONS_PART_KEY,
                 is_guest
                     ? "two guests have this name; the first stands at line "
                       "%u, column %u"
                     : "this is said twice; first at line %u, "
                       "column %u",
                 first.line, first.column);
}

/* Reads the text as JSON; on success parser has root, positions, mistakes. */
static bool
load(struct parser *parser, struct error *error)
{
    json_error_t fault;
    bool has_duplicates = false;
    parser->root =
        json_loadb(parser->text, parser->len, JSON_REJECT_DUPLICATES, &fault);
    if (!parser->root && json_error_code(&fault) == json_error_duplicate_key) {
        has_duplicates = true;
        parser->root = json_loadb(parser->text, parser->len, 0, &fault);
    }
    if (!parser->root) {
        syntax_set_error(parser->file, parser->text, parser->len, &fault,
                         error);
        return false;
    }
    parser->positions = positions_new(parser->text, parser->len);
    parser->mistakes = mistakes_new(parser->file, parser->positions);
    if (has_duplicates)
        positions_each_duplicate(parser->positions, on_duplicate, parser);
    return true;
}

static void
check_version(struct parser *parser)
{
    const json_t *version = json_object_get(parser->root, "version");
    struct place place = {NULL, "version", 0};
    if (!version)
        mistakes_add(parser->mistakes, NULL, POSITIONS_PART_VALUE,
                     "\"version\" is missing (write \"version\": %d)",
                     FLEET_VERSION);
    else if (!json_is_integer(version))
        spec_wrong_type(parser->mistakes, &place, version, "an integer");
    else if (json_integer_value(version) != FLEET_VERSION)
        mistakes_add(parser->mistakes, &place, POSITIONS_PART_VALUE,
                     "version %" JSON_INTEGER_FORMAT
                     " is not known (this guestmux reads version %d)",
                     json_integer_value(version), FLEET_VERSION);
}

static void
check_file_fields(struct parser *parser)
{
    size_t count = sizeof(file_fields) / sizeof(file_fields[0]);
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(parser->root, name, value)
    {
        struct place place = {NULL, name, 0};
        bool is_known = false;
        for (size_t i = 0; i < count; i++)
            is_known = is_known || !strcmp(name, file_fields[i]);
        if (!is_known)
            spec_unknown_field(parser->mistakes, &place, file_fields, count);
    }
}

/* An object of the file, or NULL; absence is a mistake when it is required. */
static json_t *
take_object(struct parser *parser, const char *name, const char *wanted)
{
    struct place place = {NULL, name, 0};
    json_t *value = json_object_get(parser->root, name);
    if (json_is_object(value))
        return value;
    if (value)
        spec_wrong_type(parser->mistakes, &place, value, wanted);
    return NULL;
}

/* Names that differ in case only would be one directory on some file systems,
 * and one guest to most eyes. */
static void
check_alike(struct parser *parser, const struct place *place, json_t *guests)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(guests, name, value)
    {
        if (!strcmp(name, place->key))
            return;
        if (strcasecmp(name, place->key) != 0)
            continue;
        struct place other = {place->parent, name, 0};
        struct position first =
            positions_find(parser->positions, &other, POSITIONS_PART_KEY);
        char *shown = spec_show(name);
        mistakes_add(parser->mistakes, place, POSITIONS_PART_KEY,
                     "this differs from \"%s\" (line %u, column %u) in upper "
                     "and lower case only",
                     shown, first.line, first.column);
        free(shown);
        return;
    }
}

static struct fleet *
read_guests(struct parser *parser, json_t *guests,
            const struct spec_entry *defaults)
{
    struct place at_guests = {NULL, "guests", 0};
    size_t count = json_object_size(guests);
    if (count == 0)
        mistakes_add(
            parser->mistakes, guests ? &at_guests : NULL, POSITIONS_PART_VALUE,
            guests ? "there is no guest in it" : "\"guests\" is missing");
    if (count > FLEET_MAX_GUESTS) {
        mistakes_add(parser->mistakes, &at_guests, POSITIONS_PART_VALUE,
                     "there are %zu guests, at most %d are allowed", count,
                     FLEET_MAX_GUESTS);
        count = 0;
    }
    struct fleet *fleet = xcalloc(1, sizeof(*fleet));
    fleet->guests = xcalloc(count + 1, sizeof(struct spec *));
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(guests, name, value)
    {
        if (count == 0)
            break;
        struct place place = {&at_guests, name, 0};
        struct spec_entry own = {value, &place};
        check_alike(parser, &place, guests);
        struct spec *spec = spec_read(name, &own, defaults, parser->directory,
                                      parser->mistakes);
        if (spec)
            fleet->guests[fleet->guest_count++] = spec;
    }
    return fleet;
}

static struct fleet *
read_root(struct parser *parser)
{
    if (!json_is_object(parser->root)) {
        spec_wrong_type(parser->mistakes, NULL, parser->root,
                        "an object with \"version\" and \"guests\"");
        return NULL;
    }
    check_version(parser);
    check_file_fields(parser);
    struct place at_defaults = {NULL, "defaults", 0};
    struct spec_entry defaults = {
        take_object(parser, "defaults", "an object of a guest's fields"),
        &at_defaults};
    if (defaults.fields)
        spec_check_defaults(&defaults, parser->directory, parser->mistakes);
    json_t *guests =
        take_object(parser, "guests", "an object of guests by their names");
    if (!guests && json_object_get(parser->root, "guests"))
        return NULL;
    struct fleet *fleet =
        read_guests(parser, guests, defaults.fields ? &defaults : NULL);
    networks_check(json_object_get(parser->root, "networks"), fleet->guests,
                   fleet->guest_count, parser->mistakes);
    return fleet;
}

/* The directory of an absolute path. */
static char *
directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == path ? xstrdup("/")
                         : xstrndup(path, (size_t)(slash - path));
}

static char *
absolute_path(const char *file)
{
    if (file[0] == '/')
        return xstrdup(file);
    char *here = getcwd(NULL, 0);
    char *path = xasprintf("%s/%s", here ? here : "", file);
    free(here);
    return path;
}

struct fleet *
fleet_parse(const char *file, const char *text, size_t len, struct error *error)
{
    if (len > FLEET_FILE_MAX_BYTES) {
        error_set(error, ERROR_CODE_LIMIT, "%s is larger than %u bytes", file,
                  FLEET_FILE_MAX_BYTES);
        return NULL;
    }
    /* Some editors put a byte order mark in front. */
    if (len >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3)) {
        text += 3;
        len -= 3;
    }
    char *path = absolute_path(file);
    char *directory = directory_of(path);
    struct parser parser = {
        .file = file, .directory = directory, .text = text, .len = len};
    struct fleet *fleet = NULL;
    if (load(&parser, error)) {
        fleet = read_root(&parser);
        if (!mistakes_report(parser.mistakes, error)) {
            fleet_free(fleet);
            fleet = NULL;
        }
    }
    if (fleet) {
        fleet->file = xstrdup(path);
        fleet->shown_file = xstrdup(file);
        fleet->text = xstrndup(text, len);
        fleet->text_len = len;
        fleet->root = json_incref(parser.root);
    }
    mistakes_free(parser.mistakes);
    positions_free(parser.positions);
    json_decref(parser.root);
    free(directory);
    free(path);
    return fleet;
}

static bool
read_content(int fd, const char *file, struct buffer *content,
             struct error *error)
{
    struct stat info;
    if (fstat(fd, &info) < 0)
        return error_set_errno(error, errno, "cannot look at %s", file);
    if (!S_ISREG(info.st_mode))
        return error_set(error, ERROR_CODE_INVALID,
                         S_ISDIR(info.st_mode) ? "%s is a directory, not a file"
                                               : "%s is not a regular file",
                         file);
    while (content->len <= FLEET_FILE_MAX_BYTES) {
        buffer_reserve(content, 65536);
        ssize_t got = read(fd, content->data + content->len, 65536);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(error, errno, "cannot read %s", file);
        if (got == 0)
            break;
        content->len += (size_t)got;
    }
    return true;
}

struct fleet *
fleet_read(const char *file, struct error *error)
{
    /* O_NONBLOCK: opening a named pipe must not wait for a writer. */
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        error_set_errno(error, errno, "cannot open %s", file);
        return NULL;
    }
    struct buffer content = {0};
    struct fleet *fleet = NULL;
    if (read_content(fd, file, &content, error))
        fleet = fleet_parse(file, content.data ? content.data : "", content.len,
                            error);
    buffer_finish(&content);
    (void)close(fd);
    return fleet;
}

void
fleet_free(struct fleet *fleet)
{
    if (!fleet)
        return;
    for (size_t i = 0; i < fleet->guest_count; i++)
        spec_free(fleet->guests[i]);
    free(fleet->guests);
    free(fleet->file);
    free(fleet->shown_file);
    free(fleet->text);
    json_decref(fleet->root);
    free(fleet);
}

char *
fleet_where(const struct fleet *fleet, const char *guest, const char *field,
            int index)
{
    struct place at_guests = {NULL, "guests", 0};
    struct place at_guest = {&at_guests, guest, 0};
    struct place at_defaults = {NULL, "defaults", 0};
    struct place at_field = {&at_guest, field, 0};
    const json_t *own =
        json_object_get(json_object_get(fleet->root, "guests"), guest);
    const json_t *defaults = json_object_get(fleet->root, "defaults");
    if (field && !json_object_get(own, field) &&
        json_object_get(defaults, field))
        at_field.parent = &at_defaults;
    struct place at_item = {&at_field, NULL, index > 0 ? (size_t)index : 0};
    const struct place *place = !field      ? &at_guest
                                : index < 0 ? &at_field
                                            : &at_item;
    struct positions *positions = positions_new(fleet->text, fleet->text_len);
    struct position position = positions_find(
        positions, place, field ? POSITIONS_PART_VALUE : POSITIONS_PART_KEY);
    positions_free(positions);
    char *path = place_text(place);
    char *where = xasprintf("%s:%u:%u: %s", fleet->shown_file, position.line,
                            position.column, path);
    free(path);
    return where;
}

bool
fleet_check_sockets(const struct fleet *fleet, const struct paths *paths,
                    struct error *error)
{
    struct buffer lines = {0};
    for (size_t i = 0; i < fleet->guest_count; i++) {
        const char *name = fleet->guests[i]->name;
        struct error problem = {0};
        char *socket = paths_qmp_socket(paths, name, &problem);
        if (!socket) {
            char *where = fleet_where(fleet, name, NULL, -1);
            buffer_printf(&lines, "%s%s: %s", lines.len ? "\n" : "", where,
                          problem.text);
            free(where);
        }
        free(socket);
    }
    bool ok = lines.len == 0;
    if (!ok)
        error_set(error, ERROR_CODE_LIMIT, "%s", lines.data);
    buffer_finish(&lines);
    return ok;
}
