/* post_processor.h - the "post_processor" of a tokenizer.json: the ids that go in front of a text
 * and behind it. */
#pragma once
#include "model/json_field.h"
#include "model/tokenizer/vocabulary.h"

enum { POST_PROCESSOR_IDS_MAX = 16 };

struct post_processor {
    uint32_t prefix[POST_PROCESSOR_IDS_MAX], suffix[POST_PROCESSOR_IDS_MAX];
    uint32_t prefix_count, suffix_count;
};

/* json may be NULL or null: nothing is added. STATUS_UNSUPPORTED names the type that is not here.
 */
MUST_CHECK enum status post_processor_parse(const json_t *json, const struct vocabulary *vocabulary,
                                            struct post_processor *out, struct failure *failure);
