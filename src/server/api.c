#include "server/api.h"

#include "base/json.h"
#include "base/nearest.h"
#include "server/server-internal.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

static const struct method_table *const tables[] = {
    &methods_server,  &methods_fleet,   &methods_disk,   &methods_guest,
    &methods_network, &methods_keys,

    &methods_console, &methods_text,    &methods_search, &methods_record,
    &methods_place,   &methods_paste,   &methods_view,   &methods_buffer,
    &methods_alert,   &methods_clients, &methods_lan,    &methods_timeline,
};

/* Methods in all tables together; for messages with the nearest name. */
#define API_MAX_METHODS 128

static const char *const type_names[] = {
    [ARGUMENT_STRING] = "string",
    [ARGUMENT_INTEGER] = "integer",
    [ARGUMENT_BOOLEAN] = "boolean",
    [ARGUMENT_OBJECT] = "object",
    [ARGUMENT_STRINGS] = "array of strings",
};
static_assert(sizeof(type_names) / sizeof(type_names[0]) == ARGUMENT_TYPE_COUNT,
              "every argument type has a name");

const char *
argument_type_name(enum argument_type type)
{
    assert(type < ARGUMENT_TYPE_COUNT);
    return type_names[type];
}

const struct method *
api_method(size_t index)
{
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        if (index < tables[i]->count)
            return &tables[i]->methods[index];
        index -= tables[i]->count;
    }
    return NULL;
}

static const struct method *
find_method(const char *name, struct error *error)
{
    const char *names[API_MAX_METHODS];
    size_t count = 0;
    const struct method *method = NULL;
    for (size_t i = 0; (method = api_method(i)); i++) {
        if (!strcmp(method->name, name))
            return method;
        if (count < API_MAX_METHODS)
            names[count++] = method->name;
    }
    const char *near = nearest_name(name, names, count);
    if (near)
        error_set(error, ERROR_CODE_NOT_FOUND,
                  "there is no method '%.64s' (did you mean '%s'?)", name,
                  near);
    else
        error_set(error, ERROR_CODE_NOT_FOUND,
                  "there is no method '%.64s'; query-commands lists them",
                  name);
    return NULL;
}

static bool
has_type(const json_t *value, enum argument_type type)
{
    switch (type) {
    case ARGUMENT_STRING:
        return json_is_string(value) &&
               strlen(json_string_value(value)) == json_string_length(value);
    case ARGUMENT_INTEGER:
        return json_is_integer(value);
    case ARGUMENT_BOOLEAN:
        return json_is_boolean(value);
    case ARGUMENT_OBJECT:
        return json_is_object(value);
    case ARGUMENT_STRINGS:
        if (!json_is_array(value))
            return false;
        for (size_t i = 0; i < json_array_size(value); i++) {
            if (!has_type(json_array_get(value, i), ARGUMENT_STRING))
                return false;
        }
        return true;
    case ARGUMENT_TYPE_COUNT:
        break;
    }
    return false;
}

static bool
check_value(const struct method *method, const struct method_argument *argument,
            const json_t *value, struct error *error)
{
    if (!has_type(value, argument->type)) {
        const char *is =
            json_is_string(value) && argument->type == ARGUMENT_STRING
                ? "a string with a zero character"
                : json_type_text(value);
        return error_set(error, ERROR_CODE_INVALID,
                         "%s: argument '%s' is %s, not of type %s",
                         method->name, argument->name, is,
                         argument_type_name(argument->type));
    }
    if (argument->type == ARGUMENT_INTEGER &&
        (argument->min || argument->max)) {
        int64_t number = json_integer_value(value);
        if (number < argument->min || number > argument->max)
            return error_set(error, ERROR_CODE_INVALID,
                             "%s: argument '%s' is %" PRId64
                             ", not within %" PRId64 " and %" PRId64,
                             method->name, argument->name, number,
                             argument->min, argument->max);
    }
    return true;
}

static bool
check_known(const struct method *method, const json_t *arguments,
            struct error *error)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)arguments, name, value)
    {
        const char *names[METHOD_MAX_ARGUMENTS];
        size_t count = 0;
        while (count < METHOD_MAX_ARGUMENTS && method->arguments[count].name) {
            names[count] = method->arguments[count].name;
            if (!strcmp(names[count], name))
                break;
            count++;
        }
        if (count < METHOD_MAX_ARGUMENTS && method->arguments[count].name)
            continue;
        const char *near = nearest_name(name, names, count);
        return error_set(error, ERROR_CODE_INVALID,
                         "%s: there is no argument '%.64s'%s%s%s", method->name,
                         name, near ? " (did you mean '" : "", near ? near : "",
                         near ? "'?)" : "");
    }
    return true;
}

static bool
check_arguments(const struct method *method, const json_t *arguments,
                struct error *error)
{
    for (size_t i = 0; i < METHOD_MAX_ARGUMENTS && method->arguments[i].name;
         i++) {
        const struct method_argument *argument = &method->arguments[i];
        const json_t *value = json_object_get(arguments, argument->name);
        if (!value || json_is_null(value)) {
            if (argument->flags & ARGUMENT_REQUIRED)
                return error_set(error, ERROR_CODE_INVALID,
                                 "%s: argument '%s' is missing", method->name,
                                 argument->name);
            continue;
        }
        if (!check_value(method, argument, value, error))
            return false;
    }
    return check_known(method, arguments, error);
}

bool
api_check(json_t *message, const struct method **ret_method,
          json_t **ret_arguments, struct error *error)
{
    const char *name = NULL;
    json_t *arguments = NULL;
    json_t *value = json_object_get(message, "execute");
    if (!value)
        return error_set(error, ERROR_CODE_PROTOCOL,
                         "the command has no member 'execute'");
    if (!json_is_string(value))
        return error_set(error, ERROR_CODE_PROTOCOL,
                         "'execute' is %s, not a string",
                         json_type_text(value));
    name = json_string_value(value);
    const struct method *method = find_method(name, error);
    if (!method)
        return false;
    if (!json_get_object(message, "arguments", JSON_OPTIONAL, &arguments,
                         error)) {
        *ret_method = method;
        return error_prefix(error, "%s", name);
    }
    if (!arguments) {
        arguments = json_object();
        json_object_set_new(message, "arguments", arguments);
    }
    *ret_method = method;
    *ret_arguments = arguments;
    return check_arguments(method, arguments, error);
}

json_t *
api_describe(void)
{
    json_t *list = json_array();
    const struct method *method = NULL;
    for (size_t i = 0; (method = api_method(i)); i++) {
        json_t *arguments = json_array();
        for (size_t j = 0;
             j < METHOD_MAX_ARGUMENTS && method->arguments[j].name; j++) {
            const struct method_argument *argument = &method->arguments[j];
            json_array_append_new(
                arguments,
                json_pack("{s:s,s:s,s:b,s:s}", "name", argument->name, "type",
                          type_names[argument->type], "required",
                          (argument->flags & ARGUMENT_REQUIRED) != 0, "summary",
                          argument->summary));
        }
        json_array_append_new(
            list, json_pack("{s:s,s:s,s:o}", "name", method->name, "summary",
                            method->summary, "arguments", arguments));
    }
    return list;
}

static const json_t *
present(const json_t *arguments, const char *name)
{
    const json_t *value = json_object_get(arguments, name);
    return json_is_null(value) ? NULL : value;
}

const char *
argument_string(const json_t *arguments, const char *name)
{
    return json_string_value(present(arguments, name));
}

int64_t
argument_integer(const json_t *arguments, const char *name, int64_t fallback)
{
    const json_t *value = present(arguments, name);
    return value ? json_integer_value(value) : fallback;
}

bool
argument_boolean(const json_t *arguments, const char *name)
{
    return json_is_true(present(arguments, name));
}

struct guest *
argument_guest(struct request *request, const json_t *arguments,
               struct error *error)
{
    return registry_find(request_server(request),
                         argument_string(arguments, "guest"), error);
}

struct guest *
argument_console(struct request *request, const json_t *arguments,
                 size_t *ret_index, struct error *error)
{
    return registry_find_console(request_server(request),
                                 argument_string(arguments, "guest"), ret_index,
                                 error);
}
