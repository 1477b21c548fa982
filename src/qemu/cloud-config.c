#include "qemu/cloud-config.h"

#include "base/base64.h"
#include "base/buffer.h"
#include "base/file.h"
#include "base/xalloc.h"
#include "qemu/cloud-keys.h"
#include "qemu/password.h"
#include "qemu/yaml-check.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

/* Larger ones cloud-init's sources refuse, too. */
#define DOCUMENT_MAX_BYTES (1u << 20)
/* A line of Base64 in a mail (RFC 2045). */
#define MIME_LINE_CHARS 76
#define BOUNDARY "==guestmux=="

/* What user data begins with, and what MIME calls it (cloud-init's
 * user_data.py). */
static const struct user_data_kind {
    const char *beginning;
    const char *mime; /* NULL: cannot stand beside another part */
    bool is_yaml;
} kinds[] = {
    {"#cloud-config-archive", "text/cloud-config-archive", false},
    {"#cloud-config-jsonp", "text/cloud-config-jsonp", false},
    {"#cloud-config", "text/cloud-config", true},
    {"#!", "text/x-shellscript", false},
    {"#include", "text/x-include-url", false},
    {"#cloud-boothook", "text/cloud-boothook", false},
    {"#part-handler", "text/part-handler", false},
    {"## template: jinja", "text/jinja2", false},
    {"Content-Type:", NULL, false},
    {"MIME-Version:", NULL, false},
    {"From ", NULL, false},
    {"\x1f\x8b", NULL, false}, /* gzip */
};

/* One document at work. */
struct source {
    const struct spec *spec;
    enum spec_document_kind kind;
    const struct spec_document *document;
    char *text; /* owned */
    size_t len;
};

/* Puts the file's or field's name before a place: "seed.yaml:3:5: …". */
static bool
misplace(const struct source *source, struct error *error)
{
    char *text = error ? xstrdup(error->text) : NULL;
    if (!error)
        return false;
    if (source->document->path)
        error_set(error, ERROR_CODE_INVALID, "%s:%s", source->document->path,
                  text);
    else
        error_set(error, ERROR_CODE_INVALID, "cloud-init.%s: in its text, %s",
                  spec_document_names[source->kind], text);
    free(text);
    return false;
}

static bool
complain(const struct source *source, const char *text, struct error *error)
{
    error_set(error, ERROR_CODE_INVALID, "%s", text);
    return misplace(source, error);
}

static const struct user_data_kind *
find_kind(const struct source *source)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t len = strlen(kinds[i].beginning);
        if (source->len >= len &&
            !memcmp(source->text, kinds[i].beginning, len))
            return &kinds[i];
    }
    return NULL;
}

static void
dump_object(struct source *source, const json_t *object)
{
    char *text = json_dumps(object, JSON_INDENT(2));
    bool has_header = source->kind == SPEC_DOCUMENT_USER_DATA ||
                      source->kind == SPEC_DOCUMENT_VENDOR_DATA;
    source->text = xasprintf("%s%s\n", has_header ? "#cloud-config\n" : "",
                             text ? text : "{}");
    source->len = strlen(source->text);
    free(text);
}

/* The document's text, wherever it stands; empty when nothing was said. */
static bool
take_text(struct source *source, struct error *error)
{
    const struct spec_document *document = source->document;
    if (document->path) {
        source->text =
            file_read(document->path, DOCUMENT_MAX_BYTES, &source->len, error);
        return source->text ||
               error_prefix(error, "%s", spec_document_names[source->kind]);
    }
    if (document->object)
        dump_object(source, document->object);
    else
        source->text = xstrdup(document->text ? document->text : "");
    source->len = strlen(source->text);
    return true;
}

static bool
check_yaml(const struct source *source, struct yaml_key *key,
           struct error *error)
{
    return yaml_check(source->text, source->len, key, error) ||
           misplace(source, error);
}

/* User data and vendor data. */
static bool
check_user_data(const struct source *source, struct error *error)
{
    const struct user_data_kind *kind = find_kind(source);
    if (!kind)
        return complain(source,
                        "1:1: it does not begin with #cloud-config (or #!, "
                        "#include …), so cloud-init would ignore it",
                        error);
    /* A comment alone is a whole cloud-config. */
    const char *end = memchr(source->text, '\n', source->len);
    size_t after = end ? (size_t)(end - source->text) : source->len;
    bool is_empty = true;
    for (size_t i = after; i < source->len; i++)
        is_empty =
            is_empty && strchr(" \t\r\n", source->text[i]) && source->text[i];
    return !kind->is_yaml || is_empty || check_yaml(source, NULL, error);
}

/* Shortcuts ---------------------------------------------------------------- */

static bool
add_password(json_t *config, const char *password, struct error *error)
{
    char *hash = password_is_hashed(password) ? xstrdup(password)
                                              : password_hash(password, error);
    if (!hash)
        return false;
    json_object_set_new(config, "password", json_string(hash));
    json_object_set_new(config, "chpasswd",
                        json_pack("{s:b}", "expire", false));
    free(hash);
    return true;
}

/* What the shortcuts say, as cloud-config; an empty object when they say
 * nothing. New reference, or NULL. */
static json_t *
shortcuts_to_config(const struct spec_cloud_init *cloud, struct error *error)
{
    json_t *config = json_object();
    if (cloud->user)
        json_object_set_new(config, "user",
                            json_pack("{s:s}", "name", cloud->user));
    if (cloud->password && !add_password(config, cloud->password, error)) {
        json_decref(config);
        return NULL;
    }
    json_t *keys = cloud_keys_read(cloud, error);
    if (!keys) {
        json_decref(config);
        return NULL;
    }
    if (json_array_size(keys))
        json_object_set(config, "ssh_authorized_keys", keys);
    json_decref(keys);
    return config;
}

static void
append_part(struct buffer *out, const char *type, const char *text, size_t len)
{
    struct buffer encoded = {0};
    base64_encode(text, len, &encoded);
    buffer_printf(out,
                  "--" BOUNDARY "\nContent-Type: %s; charset=\"utf-8\"\n"
                  "MIME-Version: 1.0\nContent-Transfer-Encoding: base64\n\n",
                  type);
    for (size_t at = 0; at < encoded.len; at += MIME_LINE_CHARS) {
        size_t rest = encoded.len - at;
        buffer_append(out, encoded.data + at,
                      rest < MIME_LINE_CHARS ? rest : MIME_LINE_CHARS);
        buffer_append_byte(out, '\n');
    }
    buffer_finish(&encoded);
}

/* The shortcuts before the user's own text, which so counts where both say
 * something. */
static bool
join_parts(struct source *source, const json_t *config, struct error *error)
{
    const struct user_data_kind *kind = find_kind(source);
    if (!kind->mime)
        return complain(
            source,
            "1:1: user, password and ssh-keys cannot be added to user "
            "data that is MIME or compressed; write them in it",
            error);
    struct source own = {.kind = SPEC_DOCUMENT_USER_DATA};
    dump_object(&own, config);
    struct buffer out = {0};
    buffer_append_text(&out,
                       "Content-Type: multipart/mixed; boundary=\"" BOUNDARY
                       "\"\nMIME-Version: 1.0\n\n");
    append_part(&out, "text/cloud-config", own.text, own.len);
    append_part(&out, kind->mime, source->text, source->len);
    buffer_append_text(&out, "--" BOUNDARY "--\n");
    free(own.text);
    free(source->text);
    source->len = out.len;
    source->text = buffer_steal(&out);
    return true;
}

static bool
build_user_data(struct source *source, struct error *error)
{
    const struct spec_document *document = source->document;
    json_t *config = shortcuts_to_config(source->spec->cloud_init, error);
    bool ok = config != NULL;
    if (ok && !document->path && !document->text) {
        if (document->object) /* what it says itself counts */
            json_object_update(config, document->object);
        dump_object(source, config);
        ok = check_user_data(source, error);
    } else if (ok) {
        ok = take_text(source, error) && check_user_data(source, error) &&
             (json_object_size(config) == 0 ||
              join_parts(source, config, error));
    }
    json_decref(config);
    return ok;
}

/* Meta-data ---------------------------------------------------------------- */

/* Puts a key into a mapping's text, in front of its others. */
static bool
insert_key(struct source *source, const struct yaml_key *key, const char *value,
           struct error *error)
{
    if (key->is_flow)
        return complain(
            source,
            "1:1: the meta-data lacks an \"instance-id\", which cannot "
            "be added to text of this form: write it as an object",
            error);
    const char *at = source->text;
    for (size_t line = 0; line < key->line; line++)
        at = strchr(at, '\n') + 1;
    struct buffer out = {0};
    buffer_append(&out, source->text, (size_t)(at - source->text));
    buffer_printf(&out, "%*s%s: %s\n", (int)key->column, "", key->name, value);
    buffer_append(&out, at, source->len - (size_t)(at - source->text));
    free(source->text);
    source->len = out.len;
    source->text = buffer_steal(&out);
    return true;
}

static const char *
hostname_of(const struct spec *spec)
{
    return spec->cloud_init->hostname ? spec->cloud_init->hostname : spec->name;
}

static bool
build_meta_data(struct source *source, const char *instance_id,
                struct error *error)
{
    const struct spec_document *document = source->document;
    if (!document->path && !document->text) {
        json_t *object = json_pack("{s:s,s:s}", "instance-id", instance_id,
                                   "local-hostname", hostname_of(source->spec));
        if (document->object)
            json_object_update(object, document->object);
        dump_object(source, object);
        json_decref(object);
        return check_yaml(source, NULL, error);
    }
    struct yaml_key id = {.name = "instance-id"};
    struct yaml_key host = {.name = "local-hostname"};
    if (!take_text(source, error) || !check_yaml(source, &id, error) ||
        !check_yaml(source, &host, error))
        return false;
    if (!host.is_there && !host.is_flow &&
        !insert_key(source, &host, hostname_of(source->spec), error))
        return false;
    return id.is_there || insert_key(source, &id, instance_id, error);
}

bool
cloud_files_fix_instance(const struct spec *spec)
{
    const struct spec_document *document =
        &spec->cloud_init->documents[SPEC_DOCUMENT_META_DATA];
    if (document->object)
        return json_object_get(document->object, "instance-id") != NULL;
    struct source source = {spec, SPEC_DOCUMENT_META_DATA, document, NULL, 0};
    struct yaml_key id = {.name = "instance-id"};
    bool is_said =
        (document->path || document->text) && take_text(&source, NULL) &&
        yaml_check(source.text, source.len, &id, NULL) && id.is_there;
    free(source.text);
    return is_said;
}

/* All ---------------------------------------------------------------------- */

static bool
build_one(struct source *source, const char *instance_id, struct error *error)
{
    const struct spec_document *document = source->document;
    bool is_said = document->path || document->text || document->object;
    switch (source->kind) {
    case SPEC_DOCUMENT_USER_DATA:
        return build_user_data(source, error);
    case SPEC_DOCUMENT_META_DATA:
        return build_meta_data(source, instance_id, error);
    case SPEC_DOCUMENT_VENDOR_DATA:
        return !is_said ||
               (take_text(source, error) && check_user_data(source, error));
    default:
        return !is_said ||
               (take_text(source, error) && check_yaml(source, NULL, error));
    }
}

bool
cloud_files_build(const struct spec *spec, const char *instance_id,
                  struct cloud_files *ret_files, struct error *error)
{
    struct cloud_files files = {0};
    bool ok = true;
    for (int kind = 0; ok && kind < SPEC_DOCUMENT_COUNT; kind++) {
        struct source source = {spec, (enum spec_document_kind)kind,
                                &spec->cloud_init->documents[kind], NULL, 0};
        ok = build_one(&source, instance_id, error);
        files.files[kind].data = source.text;
        files.files[kind].len = source.len;
    }
    if (ok)
        *ret_files = files;
    else
        cloud_files_finish(&files);
    return ok;
}

void
cloud_files_finish(struct cloud_files *files)
{
    for (size_t i = 0; i < SPEC_DOCUMENT_COUNT; i++) {
        if (files->files[i].data)
            explicit_bzero(files->files[i].data, files->files[i].len);
        free(files->files[i].data);
    }
    *files = (struct cloud_files){0};
}
