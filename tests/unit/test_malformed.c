/* malformed-fleets.json: fleet files that are wrong, each with its exact
 * messages. tests/lint/schema.py holds the schema against the same table. */
#include "base/json.h"
#include "base/xalloc.h"
#include "fleet/fleet.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define TABLE_MAX_BYTES (1u << 20)

/* Lines joined; the caller frees the text. */
static char *
join(const json_t *lines, const char *end)
{
    char *text = xstrdup("");
    for (size_t i = 0; i < json_array_size(lines); i++) {
        bool is_last = i + 1 == json_array_size(lines);
        char *more = xasprintf("%s%s%s", text,
                               json_string_value(json_array_get(lines, i)),
                               is_last ? end : "\n");
        free(text);
        text = more;
    }
    return text;
}

static void
write_files(const json_t *files)
{
    const char *name = NULL;
    json_t *lines = NULL;
    json_object_foreach((json_t *)files, name, lines)
    {
        const char *slash = strchr(name, '/');
        char *folder = slash ? xstrndup(name, (size_t)(slash - name)) : NULL;
        if (folder)
            (void)mkdir(folder, 0700);
        char *text = join(lines, "\n");
        scratch_write(name, text, strlen(text));
        free(text);
        free(folder);
    }
}

/* Reads the row's file "f" in a directory of its own; whether its messages are
 * the row's. */
static bool
is_as_told(const json_t *row)
{
    char *directory = scratch_new();
    assert_int_equal(chdir(directory), 0);
    write_files(json_object_get(row, "files"));
    struct error error = {0};
    struct fleet *fleet = fleet_read("f", &error);
    char *wanted = join(json_object_get(row, "message"), "");
    bool ok = !fleet && !strcmp(error.text, wanted) &&
              error.code == ERROR_CODE_INVALID;
    if (!ok)
        (void)fprintf(stderr, "# %s\n#  wanted %s\n#  got    %s\n",
                      json_string_value(json_object_get(row, "what")), wanted,
                      fleet ? "no error" : error.text);
    free(wanted);
    fleet_free(fleet);
    assert_int_equal(chdir("/"), 0);
    scratch_remove(directory);
    return ok;
}

static void
every_malformed_fleet_is_told_with_its_exact_messages(void **state)
{
    const json_t *table = *state;
    bool ok = true;
    for (size_t i = 0; i < json_array_size(table); i++)
        ok = is_as_told(json_array_get(table, i)) && ok;
    assert_true(ok);
    assert_true(json_array_size(table) >= 40);
}

int
main(void)
{
    const char *folder = getenv("TEST_DATA");
    char *path =
        scratch_path(folder ? folder : "tests/unit", "malformed-fleets.json");
    struct error error = {0};
    json_t *table = json_read_file(path, TABLE_MAX_BYTES, &error);
    free(path);
    if (!table) {
        (void)fprintf(stderr, "%s\n", error.text);
        return EXIT_FAILURE;
    }
    (void)unsetenv("NOWHERE");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(
            every_malformed_fleet_is_told_with_its_exact_messages, table),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    json_decref(table);
    return failed;
}
