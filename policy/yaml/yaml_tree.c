#include "policy/yaml/yaml_tree.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { NAME_BYTES = 128, MESSAGE_BYTES = FAILURE_TEXT_BYTES };

struct entry {
    const struct yaml_node *value;
    const char *key; /* of a map's; NULL in a list */
};

struct yaml_node {
    enum { NODE_TEXT, NODE_LIST, NODE_MAP } type;
    const char *text; /* of a scalar */
    size_t line;      /* from 1 */
    size_t count;
    struct entry *entries; /* [count] */
};

struct yaml_tree {
    char name[NAME_BYTES];
    yaml_document_t document; /* owns the texts */
    bool has_document;
    struct yaml_node *nodes; /* one for each of the document's, in its order */
    size_t node_count;
};

static const struct yaml_node empty_root = {.type = NODE_MAP, .line = 1};

enum status yaml_wrong(const struct yaml_tree *tree, const struct yaml_node *node,
                       struct failure *failure, const char *format, ...)
{
    char message[MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return fail(failure, STATUS_INVALID, "%s:%zu: %s", tree->name, node ? node->line : 1, message);
}

/* ---- building -------------------------------------------------------------------------------- */

/* Every node stands below one parent: an alias would be a second one, or a circle. */
static enum status take_child(struct yaml_tree *tree, const struct yaml_node *parent, int item,
                              bool *is_taken, const struct yaml_node **out, struct failure *failure)
{
    const size_t index = (size_t)item - 1;
    if (item < 1 || index >= tree->node_count || is_taken[index]) {
        return yaml_wrong(tree, parent, failure, "anchors and aliases are not taken");
    }
    is_taken[index] = true;
    *out = &tree->nodes[index];
    return STATUS_OK;
}

static enum status take_key(struct yaml_tree *tree, struct yaml_node *map, const char *key,
                            struct failure *failure)
{
    if (!key) {
        return yaml_wrong(tree, map, failure, "a key must be text");
    }
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->entries[i].key, key) == 0) {
            return yaml_wrong(tree, map, failure, "key \"%.60s\" stands twice", key);
        }
    }
    map->entries[map->count].key = key;
    return STATUS_OK;
}

static enum status make_room(struct yaml_node *node, size_t count, struct failure *failure)
{
    node->entries = calloc(count + 1, sizeof *node->entries);
    if (!node->entries) {
        (void)fail(failure, STATUS_IO, "no memory");
        return STATUS_IO;
    }
    return STATUS_OK;
}

static enum status fill_list(struct yaml_tree *tree, const yaml_node_t *from, struct yaml_node *to,
                             bool *is_taken, struct failure *failure)
{
    const yaml_node_item_t *const items = from->data.sequence.items.start;
    const size_t count = (size_t)(from->data.sequence.items.top - items);
    enum status status = make_room(to, count, failure);
    to->type = NODE_LIST;
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        status = take_child(tree, to, items[i], is_taken, &to->entries[i].value, failure);
        to->count += status == STATUS_OK;
    }
    return status;
}

static enum status fill_map(struct yaml_tree *tree, const yaml_node_t *from, struct yaml_node *to,
                            bool *is_taken, struct failure *failure)
{
    const yaml_node_pair_t *const pairs = from->data.mapping.pairs.start;
    const size_t count = (size_t)(from->data.mapping.pairs.top - pairs);
    enum status status = make_room(to, count, failure);
    to->type = NODE_MAP;
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        const struct yaml_node *key = NULL;
        status = take_child(tree, to, pairs[i].key, is_taken, &key, failure);
        if (status == STATUS_OK) {
            status = take_key(tree, to, yaml_text(key), failure);
        }
        if (status == STATUS_OK) {
            status = take_child(tree, to, pairs[i].value, is_taken, &to->entries[i].value, failure);
        }
        to->count += status == STATUS_OK;
    }
    return status;
}

/* Nodes without children first, so that keys are texts already. */
static enum status fill(struct yaml_tree *tree, struct failure *failure)
{
    const yaml_node_t *from = tree->document.nodes.start;
    bool *is_taken = calloc(tree->node_count + 1, sizeof *is_taken);
    enum status status = STATUS_OK;
    if (!is_taken) {
        return fail(failure, STATUS_IO, "no memory");
    }
    for (size_t i = 0; status == STATUS_OK && i < tree->node_count; i++) {
        tree->nodes[i].line = from[i].start_mark.line + 1;
        if (from[i].type == YAML_SCALAR_NODE) {
            tree->nodes[i].text = (const char *)from[i].data.scalar.value;
            if (strlen(tree->nodes[i].text) != from[i].data.scalar.length) {
                status = yaml_wrong(tree, &tree->nodes[i], failure, "a text holds a NUL");
            }
        }
    }
    for (size_t i = 0; status == STATUS_OK && i < tree->node_count; i++) {
        if (from[i].type == YAML_SEQUENCE_NODE) {
            status = fill_list(tree, &from[i], &tree->nodes[i], is_taken, failure);
        } else if (from[i].type == YAML_MAPPING_NODE) {
            status = fill_map(tree, &from[i], &tree->nodes[i], is_taken, failure);
        }
    }
    free(is_taken);
    return status;
}

/* Depth is checked on events, before libyaml builds a document. */
static enum status check_depth(const struct yaml_tree *tree, const char *bytes, size_t length,
                               struct failure *failure)
{
    yaml_parser_t parser;
    yaml_event_t event;
    enum status status = STATUS_OK;
    bool is_done = false;
    int depth = 0;
    if (!yaml_parser_initialize(&parser)) {
        return fail(failure, STATUS_IO, "no memory");
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, length);
    while (status == STATUS_OK && !is_done) {
        if (!yaml_parser_parse(&parser, &event)) {
            status = fail(failure, STATUS_INVALID, "%s:%zu: %s", tree->name,
                          parser.problem_mark.line + 1, parser.problem ? parser.problem : "bad");
            break;
        }
        const yaml_event_type_t type = event.type;
        depth += type == YAML_SEQUENCE_START_EVENT || type == YAML_MAPPING_START_EVENT;
        depth -= type == YAML_SEQUENCE_END_EVENT || type == YAML_MAPPING_END_EVENT;
        is_done = type == YAML_STREAM_END_EVENT || type == YAML_NO_EVENT;
        if (depth > YAML_DEPTH_MAX || type == YAML_ALIAS_EVENT) {
            status = fail(
                failure, STATUS_INVALID, "%s:%zu: %s", tree->name, event.start_mark.line + 1,
                type == YAML_ALIAS_EVENT ? "anchors and aliases are not taken" : "too many levels");
        }
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return status;
}

static enum status load(struct yaml_tree *tree, const char *bytes, size_t length,
                        struct failure *failure)
{
    yaml_parser_t parser;
    yaml_document_t second;
    enum status status = STATUS_OK;
    if (!yaml_parser_initialize(&parser)) {
        return fail(failure, STATUS_IO, "no memory");
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, length);
    if (!yaml_parser_load(&parser, &tree->document)) {
        status = fail(failure, STATUS_INVALID, "%s:%zu: %s", tree->name,
                      parser.problem_mark.line + 1, parser.problem ? parser.problem : "bad");
    } else {
        tree->has_document = true;
        if (yaml_parser_load(&parser, &second)) {
            if (yaml_document_get_root_node(&second)) {
                status =
                    fail(failure, STATUS_INVALID, "%s: holds more than one document", tree->name);
            }
            yaml_document_delete(&second);
        }
    }
    yaml_parser_delete(&parser);
    return status;
}

enum status yaml_tree_parse(const char *bytes, size_t length, const char *name,
                            struct yaml_tree **out, struct failure *failure)
{
    struct yaml_tree *tree = calloc(1, sizeof *tree);
    if (!tree) {
        return fail(failure, STATUS_IO, "no memory");
    }
    snprintf(tree->name, sizeof tree->name, "%s", name);
    enum status status = STATUS_OK;
    if (length > YAML_BYTES_MAX) {
        status = fail(failure, STATUS_INVALID, "%s: is larger than %d bytes", name, YAML_BYTES_MAX);
    }
    if (status == STATUS_OK) {
        status = check_depth(tree, bytes, length, failure);
    }
    if (status == STATUS_OK) {
        status = load(tree, bytes, length, failure);
    }
    if (status == STATUS_OK) {
        tree->node_count = (size_t)(tree->document.nodes.top - tree->document.nodes.start);
        tree->nodes = calloc(tree->node_count + 1, sizeof *tree->nodes);
        status = tree->nodes ? fill(tree, failure) : fail(failure, STATUS_IO, "no memory");
    }
    if (status == STATUS_OK) {
        *out = tree;
        tree = NULL;
    }
    yaml_tree_destroy(tree);
    return status;
}

void yaml_tree_destroy(struct yaml_tree *tree)
{
    if (tree) {
        for (size_t i = 0; tree->nodes && i < tree->node_count; i++) {
            free(tree->nodes[i].entries);
        }
        free(tree->nodes);
        if (tree->has_document) {
            yaml_document_delete(&tree->document);
        }
        free(tree);
    }
}

const struct yaml_node *yaml_tree_root(const struct yaml_tree *tree)
{
    return tree->node_count > 0 ? &tree->nodes[0] : &empty_root;
}

/* ---- reading --------------------------------------------------------------------------------- */

bool yaml_is_map(const struct yaml_node *node)
{
    return node && node->type == NODE_MAP;
}

bool yaml_is_list(const struct yaml_node *node)
{
    return node && node->type == NODE_LIST;
}

size_t yaml_count(const struct yaml_node *node)
{
    return node ? node->count : 0;
}

const struct yaml_node *yaml_at(const struct yaml_node *node, size_t index, const char **key)
{
    if (index >= yaml_count(node)) {
        return NULL;
    }
    if (key) {
        *key = node->entries[index].key;
    }
    return node->entries[index].value;
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
    for (size_t i = 0; yaml_is_map(map) && i < map->count; i++) {
        if (strcmp(map->entries[i].key, key) == 0) {
            return map->entries[i].value;
        }
    }
    return NULL;
}

const char *yaml_text(const struct yaml_node *node)
{
    return node && node->type == NODE_TEXT ? node->text : NULL;
}

bool yaml_flag(const struct yaml_node *node, bool *out)
{
    const char *text = yaml_text(node);
    if (!text || (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)) {
        return false;
    }
    *out = text[0] == 't';
    return true;
}

bool yaml_integer(const struct yaml_node *node, int64_t min, int64_t max, int64_t *out)
{
    const char *text = yaml_text(node);
    char *end = NULL;
    if (!text || (text[0] != '-' && (text[0] < '0' || text[0] > '9'))) {
        return false;
    }
    errno = 0;
    const long long value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < min || value > max) {
        return false;
    }
    *out = value;
    return true;
}

enum status yaml_allow(const struct yaml_tree *tree, const struct yaml_node *map,
                       const char *const *keys, struct failure *failure)
{
    if (map && !yaml_is_map(map)) {
        return yaml_wrong(tree, map, failure, "keys and values are wanted here");
    }
    for (size_t i = 0; i < yaml_count(map); i++) {
        bool is_known = false;
        for (size_t k = 0; keys[k] && !is_known; k++) {
            is_known = strcmp(map->entries[i].key, keys[k]) == 0;
        }
        if (!is_known) {
            return yaml_unknown(tree, map->entries[i].value, failure, "unknown key",
                                map->entries[i].key, keys);
        }
    }
    return STATUS_OK;
}
