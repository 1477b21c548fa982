#include "qemu/keyval.h"

#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

/* JSON is not followed deeper. */
#define MAX_DEPTH 16

/* One item up to its comma, with ",," undoubled; *at is moved behind it. */
static char *
take_item(const char **at)
{
    struct buffer out = {0};
    const char *text = *at;
    for (; *text; text++) {
        if (*text == ',') {
            text++;
            if (*text != ',')
                break;
        }
        buffer_append_byte(&out, *text);
    }
    *at = text;
    return buffer_steal(&out);
}

static void
add_pair(struct keyval *keyval, char *item)
{
    keyval->pairs =
        xreallocarray(keyval->pairs, keyval->count + 1, sizeof(*keyval->pairs));
    struct keyval_pair *pair = &keyval->pairs[keyval->count++];
    char *equals = strchr(item, '=');
    if (equals) {
        pair->key = xstrndup(item, (size_t)(equals - item));
        pair->value = xstrdup(equals + 1);
        free(item);
    } else if (keyval->count == 1) {
        *pair = (struct keyval_pair){NULL, item};
    } else if (!strncmp(item, "no", 2)) {
        *pair = (struct keyval_pair){xstrdup(item + 2), xstrdup("off")};
        free(item);
    } else {
        *pair = (struct keyval_pair){item, xstrdup("on")};
    }
}

void
keyval_parse(struct keyval *keyval, const char *text)
{
    *keyval = (struct keyval){0};
    while (*text)
        add_pair(keyval, take_item(&text));
}

void
keyval_finish(struct keyval *keyval)
{
    for (size_t i = 0; i < keyval->count; i++) {
        free(keyval->pairs[i].key);
        free(keyval->pairs[i].value);
    }
    free(keyval->pairs);
    *keyval = (struct keyval){0};
}

const char *
keyval_get(const struct keyval *keyval, const char *key, bool is_implied)
{
    const char *value = NULL;
    for (size_t i = 0; i < keyval->count; i++) {
        const struct keyval_pair *pair = &keyval->pairs[i];
        if (pair->key ? !strcmp(pair->key, key) : is_implied)
            value = pair->value;
    }
    return value;
}

bool
keyval_is_on(const struct keyval *keyval, const char *key)
{
    const char *value = keyval_get(keyval, key, false);
    return value && (!strcmp(value, "on") || !strcmp(value, "yes") ||
                     !strcmp(value, "true") || !strcmp(value, "y"));
}

void
keyval_append_value(struct buffer *out, const char *value)
{
    for (; *value; value++) {
        if (*value == ',')
            buffer_append_byte(out, ',');
        buffer_append_byte(out, *value);
    }
}

static void
add_member(const char *key, const json_t *member, int depth, struct buffer *out)
{
    const char *text = json_is_boolean(member)
                           ? (json_is_true(member) ? "on" : "off")
                           : json_string_value(member);
    const char *name = NULL;
    json_t *inner = NULL;
    size_t index = 0;
    if (text) {
        buffer_printf(out, "%s%s=", out->len ? "," : "", key);
        keyval_append_value(out, text);
    } else if (depth == MAX_DEPTH) {
        return;
    }
    json_object_foreach((json_t *)member, name, inner)
    {
        char *whole = xasprintf("%s%s%s", key, key[0] ? "." : "", name);
        add_member(whole, inner, depth + 1, out);
        free(whole);
    }
    json_array_foreach(member, index, inner)
    {
        char *whole = xasprintf("%s.%zu", key, index);
        add_member(whole, inner, depth + 1, out);
        free(whole);
    }
}

/* JSON as QEMU reads it: with single quotes, too. The caller frees it. */
static json_t *
load_object(const char *text)
{
    json_t *object = json_loads(text, 0, NULL);
    if (object || !strchr(text, '\''))
        return object;
    char *quoted = xstrdup(text);
    for (char *at = quoted; *at; at++)
        *at = *at == '\'' ? '"' : *at;
    object = json_loads(quoted, 0, NULL);
    free(quoted);
    return object;
}

void
keyval_parse_value(struct keyval *keyval, const char *text)
{
    struct buffer pairs = {0};
    json_t *object = text[0] == '{' ? load_object(text) : NULL;
    if (object)
        add_member("", object, 0, &pairs);
    keyval_parse(keyval, pairs.len ? pairs.data : object ? "" : text);
    buffer_finish(&pairs);
    json_decref(object);
}

char *
keyval_to_text(const struct keyval *keyval)
{
    struct buffer out = {0};
    for (size_t i = 0; i < keyval->count; i++) {
        const struct keyval_pair *pair = &keyval->pairs[i];
        if (i)
            buffer_append_byte(&out, ',');
        if (pair->key)
            buffer_printf(&out, "%s=", pair->key);
        keyval_append_value(&out, pair->value);
    }
    return buffer_steal(&out);
}

void
keyval_replace(struct keyval *keyval, const char *key, const char *value)
{
    for (size_t i = 0; i < keyval->count; i++) {
        struct keyval_pair *pair = &keyval->pairs[i];
        if (!pair->key || strcmp(pair->key, key) != 0)
            continue;
        free(pair->value);
        pair->value = xstrdup(value);
    }
}

void
keyval_remove(struct keyval *keyval, size_t index)
{
    free(keyval->pairs[index].key);
    free(keyval->pairs[index].value);
    keyval->count--;
    memmove(keyval->pairs + index, keyval->pairs + index + 1,
            (keyval->count - index) * sizeof(*keyval->pairs));
}
