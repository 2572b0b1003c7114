/* value_json.h - Python's json.dumps, and JSON documents as values. */
#pragma once
#include <jansson.h>

#include "model/template/value/value.h"

struct value_json_style {
    bool is_ascii; /* everything else as \uXXXX */
    bool sorts_keys;
    const struct text *indent; /* of one level; NULL: one line */
    const struct text *item_separator, *key_separator;
};

/* json.dumps. Where anything of a user is written, the whole result is the user's. */
const struct text *value_json_write(struct work *work, struct value value,
                                    const struct value_json_style *style);

/* The strings are borrowed: the document must outlive the value. */
struct value value_json_read(struct work *work, json_t *json, bool is_user);
