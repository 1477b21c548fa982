#pragma once

#include "base/error.h"
#include "server/peer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* The API's methods: one table, from which the dispatcher, query-commands and
 * the manual's table come. */

#define API_VERSION 1

enum argument_type {
    ARGUMENT_STRING,
    ARGUMENT_INTEGER,
    ARGUMENT_BOOLEAN,
    ARGUMENT_OBJECT,
    ARGUMENT_STRINGS, /* an array of strings */
    ARGUMENT_TYPE_COUNT
};

enum argument_flags {
    ARGUMENT_REQUIRED = 1 << 0,
};

struct method_argument {
    const char *name;
    enum argument_type type;
    unsigned flags; /* enum argument_flags */
    int64_t min;    /* of integers; both 0: no limits */
    int64_t max;
    const char *summary;
};

enum method_flags {
    METHOD_QUIET = 1 << 0,   /* without an id only failures are answered */
    METHOD_READS = 1 << 1,   /* for read-only clients too: it changes nothing */
    METHOD_MONITOR = 1 << 2, /* held while its guest is being adopted, unless
                              * "force" is meant: the monitor does it */
};

#define METHOD_MAX_ARGUMENTS 16

struct method {
    const char *name;
    const char *summary;
    const char *deed; /* what the journal says when it was called; NULL: it is
                       * not recorded */
    unsigned flags;   /* enum method_flags */
    struct method_argument arguments[METHOD_MAX_ARGUMENTS];
    /* arguments: an object whose members were checked against the table. True:
     * the request was or will be answered. False: error is the answer. */
    bool (*run)(struct request *request, const json_t *arguments,
                struct error *error);
};

/* The method of that number, in the order of the manual; NULL behind the last
 * one. */
const struct method *api_method(size_t index);

/* query-commands' answer. New reference. */
json_t *api_describe(void);

/* Checks a command: its method exists, its arguments fit the table. On success
 * *ret_method and *ret_arguments (borrowed; an empty object when there were
 * none) are set. ERROR_CODE_NOT_FOUND without *ret_method: no such method. */
bool api_check(json_t *message, const struct method **ret_method,
               json_t **ret_arguments, struct error *error);

const char *argument_type_name(enum argument_type type);

/* Values of checked arguments; the fallback when absent. */
const char *argument_string(const json_t *arguments, const char *name);
int64_t argument_integer(const json_t *arguments, const char *name,
                         int64_t fallback);
bool argument_boolean(const json_t *arguments, const char *name);

/* The console that argument "guest" names: its guest and its index. NULL: there
 * is none, and error says so. */
struct guest *argument_console(struct request *request, const json_t *arguments,
                               size_t *ret_index, struct error *error);

/* The guest that argument "guest" names. NULL: there is none, and error says
 * so. */
struct guest *argument_guest(struct request *request, const json_t *arguments,
                             struct error *error);

/* The rows of those arguments. */
#define ARGUMENT_GUEST                                                         \
    {                                                                          \
        "guest", ARGUMENT_STRING, ARGUMENT_REQUIRED, 0, 0, "The guest's name"  \
    }
#define ARGUMENT_CONSOLE                                                       \
    {                                                                          \
        "guest", ARGUMENT_STRING, ARGUMENT_REQUIRED, 0, 0,                     \
            "The console: GUEST (its first one) or GUEST:CONSOLE"              \
    }

/* --- the tables, one per methods-*.c -----------------------------------------
 */

struct method_table {
    const struct method *methods;
    size_t count;
};
extern const struct method_table methods_server;
extern const struct method_table methods_fleet;
extern const struct method_table methods_guest;
extern const struct method_table methods_console;
extern const struct method_table methods_alert;
extern const struct method_table methods_place;
extern const struct method_table methods_timeline;
extern const struct method_table methods_search;
extern const struct method_table methods_record;
extern const struct method_table methods_disk;
extern const struct method_table methods_keys;
extern const struct method_table methods_lan;
extern const struct method_table methods_network;
extern const struct method_table methods_paste;
extern const struct method_table methods_view;
extern const struct method_table methods_buffer;
extern const struct method_table methods_text;
extern const struct method_table methods_clients;
