#include "base/xalloc.h"
#include "qemu/cloud-config.h"
#include "qemu/password.h"
#include "qemu/yaml-check.h"
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
#include <crypt.h>

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB op@desk"
#define KEY2 "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ other"

static int
set_up(void **state)
{
    *state = scratch_new();
    return 0;
}

static int
tear_down(void **state)
{
    scratch_remove(*state);
    return 0;
}

static struct spec *
make_spec(const char *cloud, const char *directory)
{
    json_t *entry =
        json_pack("{s:o}", "cloud-init", json_loads(cloud, 0, NULL));
    assert_non_null(json_object_get(entry, "cloud-init"));
    struct error error = {0};
    struct spec *spec = spec_from_json("web0", entry, directory, &error);
    if (!spec)
        fail_msg("%s: %s", cloud, error.text);
    json_decref(entry);
    return spec;
}

static struct cloud_files
build(const char *cloud, const char *directory)
{
    struct spec *spec = make_spec(cloud, directory);
    struct cloud_files files = {0};
    struct error error = {0};
    if (!cloud_files_build(spec, "iid-1", &files, &error))
        fail_msg("%s: %s", cloud, error.text);
    spec_free(spec);
    return files;
}

static void
put(const char *dir, const char *name, const char *text)
{
    char *path = scratch_path(dir, name);
    scratch_write(path, text, strlen(text));
    free(path);
}

#define USER_DATA(files) ((files).files[SPEC_DOCUMENT_USER_DATA].data)
#define META_DATA(files) ((files).files[SPEC_DOCUMENT_META_DATA].data)

static void
without_a_word_there_is_a_name_and_an_id(void **state)
{
    struct cloud_files files = build("{}", *state);
    assert_string_equal(USER_DATA(files), "#cloud-config\n{}\n");
    assert_string_equal(META_DATA(files), "{\n  \"instance-id\": \"iid-1\",\n  "
                                          "\"local-hostname\": \"web0\"\n}\n");
    assert_null(files.files[SPEC_DOCUMENT_NETWORK_CONFIG].data);
    assert_null(files.files[SPEC_DOCUMENT_VENDOR_DATA].data);
    cloud_files_finish(&files);
}

static void
shortcuts_become_cloud_config(void **state)
{
    put(*state, "k.pub", "# mine\n" KEY "\r\n\n" KEY2 "\n");
    struct cloud_files files =
        build("{\"user\":\"op\",\"password\":\"geheim\",\"hostname\":\"a.b\","
              "\"ssh-keys\":[\"k.pub\",\"" KEY "\"]}",
              *state);
    json_t *config = json_loads(strchr(USER_DATA(files), '\n'), 0, NULL);
    assert_non_null(config);
    assert_string_equal(json_string_value(json_object_get(
                            json_object_get(config, "user"), "name")),
                        "op");
    assert_true(json_is_false(
        json_object_get(json_object_get(config, "chpasswd"), "expire")));
    const json_t *keys = json_object_get(config, "ssh_authorized_keys");
    assert_int_equal(json_array_size(keys), 2); /* each once */
    assert_string_equal(json_string_value(json_array_get(keys, 1)), KEY2);
    /* Hashed, and right. */
    const char *hash = json_string_value(json_object_get(config, "password"));
    struct crypt_data *data = xcalloc(1, sizeof(*data));
    assert_string_equal(crypt_r("geheim", hash, data), hash);
    free(data);
    assert_null(strstr(USER_DATA(files), "geheim"));
    assert_non_null(strstr(META_DATA(files), "\"local-hostname\": \"a.b\""));
    json_decref(config);
    cloud_files_finish(&files);
}

static void
a_hashed_password_stays(void **state)
{
    struct cloud_files files =
        build("{\"password\":\"$6$abc$defghi\"}", *state);
    assert_non_null(strstr(USER_DATA(files), "\"$6$abc$defghi\""));
    cloud_files_finish(&files);
    assert_true(password_is_hashed("$y$j9T$salt$hash"));
    assert_false(password_is_hashed("$ecret$"));
    assert_false(password_is_hashed("$6$"));
    assert_false(password_is_hashed("5$6$7"));
}

static void
what_user_data_says_itself_counts(void **state)
{
    struct cloud_files files =
        build("{\"user\":\"op\",\"user-data\":{\"user\":\"me\",\"runcmd\":["
              "\"true\"]}}",
              *state);
    assert_non_null(strstr(USER_DATA(files), "\"user\": \"me\""));
    assert_non_null(strstr(USER_DATA(files), "runcmd"));
    cloud_files_finish(&files);
    /* A text alone goes in as it is. */
    files = build("{\"user-data\":\"#!/bin/sh\\necho \\u00e4\\n\"}", *state);
    assert_string_equal(USER_DATA(files), "#!/bin/sh\necho \xc3\xa4\n");
    cloud_files_finish(&files);
}

static void
shortcuts_stand_before_a_text_of_the_users(void **state)
{
    put(*state, "u.yaml", "#cloud-config\nruncmd: [date]\n");
    struct cloud_files files =
        build("{\"user\":\"op\",\"user-data\":\"u.yaml\"}", *state);
    const char *text = USER_DATA(files);
    assert_true(!strncmp(text, "Content-Type: multipart/mixed; boundary=",
                         strlen("Content-Type: multipart/mixed; boundary=")));
    /* "#cloud-config\n" in Base64 begins so. */
    const char *first = strstr(text, "\n\nI2Nsb3VkLWNvbmZpZ");
    assert_non_null(first);
    assert_non_null(strstr(first + 2, "\n\nI2Nsb3VkLWNvbmZpZ"));
    cloud_files_finish(&files);
}

static void
meta_data_gets_what_it_lacks(void **state)
{
    static const struct {
        const char *text;
        const char *wanted;
    } rows[] = {
        {"a: 1\\nb: 2\\n",
         "instance-id: iid-1\nlocal-hostname: web0\na: 1\nb: 2\n"},
        {"---\\n# x\\na: 1\\n",
         "---\n# x\ninstance-id: iid-1\nlocal-hostname: web0\na: 1\n"},
        {"instance-id: mine\\nlocal-hostname: h\\n",
         "instance-id: mine\nlocal-hostname: h\n"},
        {"{instance-id: mine}\\n", "{instance-id: mine}\n"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *cloud = xasprintf("{\"meta-data\":\"%s\"}", rows[i].text);
        struct cloud_files files = build(cloud, *state);
        assert_string_equal(META_DATA(files), rows[i].wanted);
        cloud_files_finish(&files);
        free(cloud);
    }
    struct spec *spec =
        make_spec("{\"meta-data\":{\"instance-id\":\"x\"}}", *state);
    assert_true(cloud_files_fix_instance(spec));
    spec_free(spec);
    spec = make_spec("{\"meta-data\":\"a: 1\\n\"}", *state);
    assert_false(cloud_files_fix_instance(spec));
    spec_free(spec);
}

static void
mistakes_have_their_place(void **state)
{
    static const struct {
        const char *cloud;
        const char *message; /* %s: the directory */
    } rows[] = {
        {"{\"user-data\":\"bad.yaml\"}",
         "%s/bad.yaml:3:5: mapping values are not allowed in this context"},
        {"{\"user-data\":\"tab.yaml\"}",
         "%s/tab.yaml:3:1: found character that cannot start any token (while "
         "scanning for the next token that begins in line 3)"},
        {"{\"user-data\":\"plain.txt\"}",
         "%s/plain.txt:1:1: it does not begin with #cloud-config (or #!, "
         "#include …), so cloud-init would ignore it"},
        {"{\"user-data\":\"nowhere.yaml\"}",
         "user-data: cannot open %s/nowhere.yaml: No such file or directory"},
        {"{\"user-data\":\"#cloud-config\\n- a\\n\"}",
         "cloud-init.user-data: in its text, 2:1: this is a list, not a mapping "
         "(\"key: value\")"},
        {"{\"vendor-data\":\"#cloud-config\\na: [1\\n\"}",
         "cloud-init.vendor-data: in its text, 3:1: did not find expected ',' "
         "or ']' (while parsing a flow sequence that begins in line 2)"},
        {"{\"network-config\":\"version: 2\\n---\\nb: 1\\n\"}",
         "cloud-init.network-config: in its text, 3:1: a second document begins "
         "here"},
        /* What is no text, by its characters. */
        {"{\"user-data\":\"#cloud-config\\n\\u00fcb: \\u0007\\n\"}",
         "cloud-init.user-data: in its text, 2:5: control characters are not "
         "allowed (value 0x7)"},
        {"{\"meta-data\":\"{a: 1}\\n\"}",
         "cloud-init.meta-data: in its text, 1:1: the meta-data lacks an "
         "\"instance-id\", which cannot be added to text of this form: write "
         "it as an object"},
        {"{\"user\":\"a\",\"user-data\":\"mime.txt\"}",
         "%s/mime.txt:1:1: user, password and ssh-keys cannot be added to user "
         "data that is MIME or compressed; write them in it"},
        {"{\"ssh-keys\":\"id\"}",
         "cloud-init.ssh-keys: %s/id is a private key; guests get the public "
         "one (.pub)"},
        {"{\"ssh-keys\":\"plain.txt\"}",
         "cloud-init.ssh-keys: %s/plain.txt has no public key in it"},
    };
    const char *dir = *state;
    put(dir, "bad.yaml", "#cloud-config\na: 1\nb: c: d\n");
    put(dir, "tab.yaml", "#cloud-config\na:\n\tb: 1\n");
    put(dir, "plain.txt", "hello\n");
    put(dir, "mime.txt", "MIME-Version: 1.0\n\n");
    put(dir, "id", "-----BEGIN OPENSSH PRIVATE KEY-----\n");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct spec *spec = make_spec(rows[i].cloud, dir);
        struct cloud_files files = {0};
        struct error error = {0};
        assert_false(cloud_files_build(spec, "i", &files, &error));
        const char *mark = strstr(rows[i].message, "%s");
        char *wanted =
            mark ? xasprintf("%.*s%s%s", (int)(mark - rows[i].message),
                             rows[i].message, dir, mark + 2)
                 : xstrdup(rows[i].message);
        assert_string_equal(error.text, wanted);
        free(wanted);
        spec_free(spec);
    }
}

static void
the_operators_keys_are_found(void **state)
{
    const char *dir = *state;
    assert_int_equal(setenv("HOME", dir, 1), 0);
    struct spec *spec = make_spec("{\"ssh-keys\":\"auto\"}", dir);
    struct cloud_files files = {0};
    struct error error = {0};
    assert_false(cloud_files_build(spec, "i", &files, &error));
    assert_non_null(strstr(error.text, "ssh-keygen -t ed25519"));
    char *ssh = scratch_path(dir, ".ssh");
    assert_int_equal(mkdir(ssh, 0700), 0);
    put(ssh, "id_ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----\n");
    put(ssh, "id_ed25519.pub", KEY "\n");
    put(ssh, "id_rsa.pub", KEY2 "\n");
    assert_true(cloud_files_build(spec, "i", &files, &error));
    assert_non_null(strstr(USER_DATA(files), KEY));
    assert_non_null(strstr(USER_DATA(files), KEY2));
    assert_null(strstr(USER_DATA(files), "PRIVATE"));
    cloud_files_finish(&files);
    free(ssh);
    spec_free(spec);
}

static void
hostile_yaml_is_refused(void **state)
{
    (void)state;
    struct error error = {0};
    /* Deep nesting, bytes that are no UTF-8, an alias of nothing. */
    char *deep = xmalloc(1 << 20);
    memset(deep, '[', 1 << 20);
    assert_false(yaml_check(deep, 1 << 20, NULL, &error));
    free(deep);
    assert_false(yaml_check("a: \xff\n", 5, NULL, &error));
    assert_false(yaml_check("a: *b\n", 6, NULL, &error));
    assert_false(yaml_check("", 0, NULL, &error));
    assert_false(yaml_check("a: \0\n", 5, NULL, &error));
    assert_true(yaml_check("a: &b [1]\nc: *b\n", 16, NULL, &error));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            without_a_word_there_is_a_name_and_an_id, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shortcuts_become_cloud_config, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_hashed_password_stays, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_user_data_says_itself_counts,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            shortcuts_stand_before_a_text_of_the_users, set_up, tear_down),
        cmocka_unit_test_setup_teardown(meta_data_gets_what_it_lacks, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(mistakes_have_their_place, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_operators_keys_are_found, set_up,
                                        tear_down),
        cmocka_unit_test(hostile_yaml_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
