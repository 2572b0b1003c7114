#include "policy/rules/rules_reader.h"

#include <string.h>

static bool find(const char *word, rules_words words, size_t *out)
{
    for (size_t i = 0; words[i]; i++) {
        if (strcmp(word, words[i]) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

/* ---- values ---------------------------------------------------------------------------------- */

enum status rules_reader_keys(const struct rules_reader *reader, const struct yaml_node *node,
                              const char *what, rules_words keys)
{
    if (node && !yaml_is_map(node)) {
        return yaml_wrong(reader->tree, node, reader->failure, "%s: a map of keys and values",
                          what);
    }
    for (size_t i = 0; i < yaml_count(node); i++) {
        const char *key = NULL;
        const struct yaml_node *entry = yaml_at(node, i, &key);
        size_t index = 0;
        if (!key || !find(key, keys, &index)) {
            return yaml_unknown(reader->tree, entry, reader->failure, what, key, keys);
        }
    }
    return STATUS_OK;
}

enum status rules_reader_word(const struct rules_reader *reader, const struct yaml_node *node,
                              const char *what, rules_words words, size_t *out)
{
    const char *text = yaml_text(node);
    return text && find(text, words, out)
               ? STATUS_OK
               : yaml_unknown(reader->tree, node, reader->failure, what, text, words);
}

enum status rules_reader_flag(const struct rules_reader *reader, const struct yaml_node *map,
                              const char *key, bool *out)
{
    const struct yaml_node *node = yaml_get(map, key);
    if (node && !yaml_flag(node, out)) {
        return yaml_wrong(reader->tree, node, reader->failure, "%s: true or false", key);
    }
    return STATUS_OK;
}

enum status rules_reader_number(const struct rules_reader *reader, const struct yaml_node *map,
                                const char *key, uint32_t max, uint32_t *out)
{
    const struct yaml_node *node = yaml_get(map, key);
    int64_t value = 0;
    if (node && !yaml_integer(node, 0, max, &value)) {
        return yaml_wrong(reader->tree, node, reader->failure, "%s: a number from 0 to %u", key,
                          max);
    }
    *out = node ? (uint32_t)value : *out;
    return STATUS_OK;
}

enum status rules_reader_text(const struct rules_reader *reader, const struct yaml_node *map,
                              const char *key, char *out, size_t out_bytes)
{
    const struct yaml_node *node = yaml_get(map, key);
    const char *text = yaml_text(node);
    if (!node) {
        return STATUS_OK;
    }
    if (!text || text[0] == '\0' || strlen(text) >= out_bytes) {
        return yaml_wrong(reader->tree, node, reader->failure, "%s: a text of 1 to %zu bytes", key,
                          out_bytes - 1);
    }
    memcpy(out, text, strlen(text) + 1);
    return STATUS_OK;
}

enum status rules_reader_list(const struct rules_reader *reader, const struct yaml_node *map,
                              const char *key, size_t count_max, const struct yaml_node **out)
{
    const struct yaml_node *node = yaml_get(map, key);
    *out = node;
    if (node && (!yaml_is_list(node) || yaml_count(node) > count_max)) {
        return yaml_wrong(reader->tree, node, reader->failure, "%s: a list of at most %zu", key,
                          count_max);
    }
    return STATUS_OK;
}
