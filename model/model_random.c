/* model_random.c - a model without files, and what every model ends with. */
#include <stdio.h>
#include <stdlib.h>

#include "model/model.h"

enum { RANDOM_SEED = 1 };

enum status model_make_random(const char *name, const struct model_config *config,
                              struct model **out, struct failure *failure)
{
    struct model *model = calloc(1, sizeof *model);
    if (!model) {
        return fail(failure, STATUS_IO, "no memory");
    }
    snprintf(model->name, sizeof model->name, "%s", name);
    model->config = *config;
    const enum status status =
        weights_make_random(&model->config, RANDOM_SEED, &model->weights, failure);
    if (status != STATUS_OK) {
        model_close(model);
        return status;
    }
    *out = model;
    return STATUS_OK;
}

void model_close(struct model *model)
{
    if (model) {
        if (model->close_text) {
            model->close_text(model);
        }
        weights_close(model->weights);
        free(model);
    }
}

bool model_has_ids(const struct model *model, const uint32_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (ids[i] >= model->config.vocabulary_count) {
            return false;
        }
    }
    return true;
}
