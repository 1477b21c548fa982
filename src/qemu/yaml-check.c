#include "qemu/yaml-check.h"

#include <string.h>

#include <yaml.h>

/* No cloud-config comes near it. */
#define MAX_DEPTH 100

/* The line and column of a byte, from 0; columns are characters. */
static yaml_mark_t
mark_of(const char *text, size_t len, size_t offset)
{
    yaml_mark_t mark = {0};
    for (size_t i = 0; i < offset && i < len; i++) {
        bool is_new = text[i] == '\n';
        bool is_inside = ((unsigned char)text[i] & 0xC0) == 0x80;
        mark.line += is_new;
        mark.column = is_new ? 0 : mark.column + !is_inside;
    }
    return mark;
}

/* text, len: what is parsed. */
static bool
explain(const yaml_parser_t *parser, const char *text, size_t len,
        struct error *error)
{
    const yaml_mark_t spot = mark_of(text, len, parser->problem_offset);
    const yaml_mark_t *mark = &parser->problem_mark;
    const char *problem = parser->problem ? parser->problem : "is not YAML";
    if (parser->error == YAML_MEMORY_ERROR)
        return error_set(error, ERROR_CODE_LIMIT, "1:1: it is too large");
    if (parser->error == YAML_READER_ERROR)
        return error_set(error, ERROR_CODE_INVALID, "%zu:%zu: %s (value 0x%X)",
                         spot.line + 1, spot.column + 1, problem,
                         (unsigned)parser->problem_value);
    if (parser->context)
        return error_set(error, ERROR_CODE_INVALID,
                         "%zu:%zu: %s (%s that begins in line %zu)",
                         mark->line + 1, mark->column + 1, problem,
                         parser->context, parser->context_mark.line + 1);
    return error_set(error, ERROR_CODE_INVALID, "%zu:%zu: %s", mark->line + 1,
                     mark->column + 1, problem);
}

static const char *
node_kind(const yaml_node_t *node)
{
    return node->type == YAML_SEQUENCE_NODE ? "a list" : "a plain text";
}

static bool
check_top(yaml_document_t *document, struct yaml_key *key, struct error *error)
{
    const yaml_node_t *top = yaml_document_get_root_node(document);
    if (!top)
        return error_set(error, ERROR_CODE_INVALID,
                         "1:1: there is nothing in "
                         "it");
    if (top->type != YAML_MAPPING_NODE)
        return error_set(error, ERROR_CODE_INVALID,
                         "%zu:%zu: this is %s, not a mapping (\"key: value\")",
                         top->start_mark.line + 1, top->start_mark.column + 1,
                         node_kind(top));
    if (!key)
        return true;
    key->is_there = false;
    key->line = top->start_mark.line;
    key->column = top->start_mark.column;
    key->is_flow = top->data.mapping.style == YAML_FLOW_MAPPING_STYLE;
    for (const yaml_node_pair_t *pair = top->data.mapping.pairs.start;
         pair < top->data.mapping.pairs.top; pair++) {
        const yaml_node_t *name = yaml_document_get_node(document, pair->key);
        if (name && name->type == YAML_SCALAR_NODE &&
            name->data.scalar.length == strlen(key->name) &&
            !memcmp(name->data.scalar.value, key->name, strlen(key->name)))
            key->is_there = true;
    }
    return true;
}

/* Whether nothing is nested too deep: libyaml's time grows with its square. */
static bool
check_depth(const char *text, size_t len, struct error *error)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return error_set(error, ERROR_CODE_LIMIT, "1:1: no memory");
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    int depth = 0;
    bool ok = true;
    for (bool is_over = false; ok && !is_over;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            ok = explain(&parser, text, len, error);
            break;
        }
        depth += event.type == YAML_MAPPING_START_EVENT ||
                 event.type == YAML_SEQUENCE_START_EVENT;
        depth -= event.type == YAML_MAPPING_END_EVENT ||
                 event.type == YAML_SEQUENCE_END_EVENT;
        if (depth > MAX_DEPTH)
            ok = error_set(error, ERROR_CODE_LIMIT,
                           "%zu:%zu: it is nested more than %d deep",
                           event.start_mark.line + 1,
                           event.start_mark.column + 1, MAX_DEPTH);
        is_over = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return ok;
}

bool
yaml_check(const char *text, size_t len, struct yaml_key *key,
           struct error *error)
{
    yaml_parser_t parser;
    yaml_document_t document;
    if (!check_depth(text, len, error))
        return false;
    if (!yaml_parser_initialize(&parser))
        return error_set(error, ERROR_CODE_LIMIT, "1:1: no memory");
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    bool ok = yaml_parser_load(&parser, &document);
    if (!ok) {
        explain(&parser, text, len, error);
    } else {
        ok = check_top(&document, key, error);
        yaml_document_delete(&document);
    }
    /* What follows must be the end. */
    if (ok && !yaml_parser_load(&parser, &document)) {
        ok = explain(&parser, text, len, error);
    } else if (ok) {
        const yaml_node_t *more = yaml_document_get_root_node(&document);
        if (more)
            ok = error_set(error, ERROR_CODE_INVALID,
                           "%zu:%zu: a second document begins here",
                           more->start_mark.line + 1,
                           more->start_mark.column + 1);
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    return ok;
}
