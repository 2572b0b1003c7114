/* yaml_tree.h - a YAML document as a tree, for rules that are data. Owner: the caller of parse;
 * nodes and texts live as the tree. Limits: YAML_BYTES_MAX, YAML_DEPTH_MAX; anchors, aliases,
 * several documents and a key given twice are refused. Errors name file and line. One thread at a
 * time. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"

enum { YAML_BYTES_MAX = 1 << 20, YAML_DEPTH_MAX = 32 };

struct yaml_tree;
struct yaml_node; /* NULL: absent; every function below takes it */

MUST_CHECK enum status yaml_tree_parse(const char *bytes, size_t length, const char *name,
                                       struct yaml_tree **out, struct failure *failure);
void yaml_tree_destroy(struct yaml_tree *tree); /* NULL is fine */
const struct yaml_node *yaml_tree_root(const struct yaml_tree *tree);

bool yaml_is_map(const struct yaml_node *node);
bool yaml_is_list(const struct yaml_node *node);
size_t yaml_count(const struct yaml_node *node); /* entries of a map or a list */
/* Entry `index` of a list, or of a map with its key in *key (key may be NULL). */
const struct yaml_node *yaml_at(const struct yaml_node *node, size_t index, const char **key);
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key); /* NULL: none */

const char *yaml_text(const struct yaml_node *node);     /* of a scalar; NULL: it is none */
bool yaml_flag(const struct yaml_node *node, bool *out); /* true or false */
bool yaml_integer(const struct yaml_node *node, int64_t min, int64_t max, int64_t *out);

/* "FILE:LINE: " and the message, into failure; returns STATUS_INVALID. */
enum status yaml_wrong(const struct yaml_tree *tree, const struct yaml_node *node,
                       struct failure *failure, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same of a word that is none of a NULL-terminated list: `what: "word" is not known`, the word
 * that was probably meant, and what is allowed. word NULL: it is none. */
enum status yaml_unknown(const struct yaml_tree *tree, const struct yaml_node *node,
                         struct failure *failure, const char *what, const char *word,
                         const char *const *words);

/* STATUS_INVALID: it is no map, or has a key that is not in the NULL-terminated list, which failure
 * names. */
MUST_CHECK enum status yaml_allow(const struct yaml_tree *tree, const struct yaml_node *map,
                                  const char *const *keys, struct failure *failure);
