/* rules_reader.h - values of a rules file, each refused with file, line, key and what is allowed.
 * The tree is borrowed. One thread at a time. */
#pragma once
#include "policy/yaml/yaml_tree.h"

struct rules_reader {
    const struct yaml_tree *tree;
    struct failure *failure;
};

/* A table of allowed words; the last is NULL. */
typedef const char *const *rules_words;

/* STATUS_INVALID: the node is no map, or has a key that is none of these. `what`: "inbound". */
MUST_CHECK enum status rules_reader_keys(const struct rules_reader *reader,
                                         const struct yaml_node *node, const char *what,
                                         rules_words keys);

/* The scalar's place among the words. */
MUST_CHECK enum status rules_reader_word(const struct rules_reader *reader,
                                         const struct yaml_node *node, const char *what,
                                         rules_words words, size_t *out);

/* true or false; absent: *out stays. */
MUST_CHECK enum status rules_reader_flag(const struct rules_reader *reader,
                                         const struct yaml_node *map, const char *key, bool *out);
MUST_CHECK enum status rules_reader_number(const struct rules_reader *reader,
                                           const struct yaml_node *map, const char *key,
                                           uint32_t max, uint32_t *out);
/* Text of 1 .. out_bytes - 1 bytes; absent: out stays. */
MUST_CHECK enum status rules_reader_text(const struct rules_reader *reader,
                                         const struct yaml_node *map, const char *key, char *out,
                                         size_t out_bytes);
/* A list, or absent. */
MUST_CHECK enum status rules_reader_list(const struct rules_reader *reader,
                                         const struct yaml_node *map, const char *key,
                                         size_t count_max, const struct yaml_node **out);
