/* model.h - a Hugging Face model directory, opened and checked: configuration, weights, tokenizer
 * and chat template. Immutable after open: any thread may read it. Weights are memory-mapped, so
 * the files must not change while it is open. */
#pragma once
#include "base/failure.h"
#include "model/model_config.h"
#include "model/template/chat_template.h"
#include "model/tokenizer/tokenizer.h"
#include "model/weights.h"

struct model {
    struct model_config config;
    struct weights *weights;
    struct tokenizer *tokenizer;             /* NULL where the directory has no tokenizer.json */
    struct chat_template *chat_template;     /* NULL where the model has none */
    void (*close_text)(struct model *model); /* of the two; NULL where there are none */
    char name[128];                          /* last part of the directory's path */
    char digest[65]; /* SHA-256, hex, over config.json and the headers and sizes of all shards */
};

/* Every problem is one line in failure that names file and field. */
MUST_CHECK enum status model_open(const char *directory, struct model **out,
                                  struct failure *failure);

/* A model without files, for benchmarks: random bf16 weights of this shape, no tokenizer. */
MUST_CHECK enum status model_make_random(const char *name, const struct model_config *config,
                                         struct model **out, struct failure *failure);
void model_close(struct model *model); /* NULL is fine */

/* A tokenizer may know ids that the weights have no row for: check before an engine sees them. */
bool model_has_ids(const struct model *model, const uint32_t *ids, size_t count);
