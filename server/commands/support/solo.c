#include "server/commands/support/solo.h"

#include <stdlib.h>

enum status solo_open(const struct model *model, const char *device, uint32_t context_tokens,
                      struct solo *out, struct failure *failure)
{
    const uint32_t page_count = (context_tokens + SOLO_PAGE_TOKENS - 1) / SOLO_PAGE_TOKENS;
    const struct engine_choice_config config = {
        .device = device,
        .page_tokens = SOLO_PAGE_TOKENS,
        .page_count = page_count,
        .context_tokens_max = context_tokens,
        .step_tokens_max = context_tokens < SOLO_STEP_TOKENS ? context_tokens : SOLO_STEP_TOKENS,
        .step_sequences_max = 1,
    };
    *out = (struct solo){.pages = calloc(page_count, sizeof *out->pages)};
    if (!out->pages) {
        return fail(failure, STATUS_IO, "no memory for %u pages", page_count);
    }
    for (uint32_t i = 0; i < page_count; i++) {
        out->pages[i].value = i;
    }
    const enum status status = engine_choice_create(model, &config, &out->engine, failure);
    if (status != STATUS_OK) {
        solo_close(out);
        return status;
    }
    out->interface = engine_choice_interface(out->engine);
    return STATUS_OK;
}

void solo_close(struct solo *solo)
{
    engine_choice_destroy(solo->engine);
    free(solo->pages);
    *solo = (struct solo){.engine = NULL};
}

uint32_t solo_step(struct solo *solo, struct solo_sequence *sequence, struct engine_token *token)
{
    const struct engine_shape *shape = &solo->interface.shape;
    const uint32_t left = sequence->token_count - sequence->computed_count;
    const uint32_t rows = left < shape->step_tokens_max ? left : shape->step_tokens_max;
    const struct engine_sequence share = {
        .tokens = sequence->tokens,
        .token_count = sequence->token_count,
        .prompt_count = sequence->prompt_count,
        .position_first = sequence->computed_count,
        .row_count = rows,
        .pages = solo->pages,
        .page_count = shape->page_count,
        .sampling = &sequence->sampling,
        .samples = rows == left,
    };
    const struct engine_plan plan = {.sequences = &share, .sequence_count = 1, .row_count = rows};
    if (solo->interface.launch(solo->interface.self, &plan) != STATUS_OK
        || solo->interface.settle(solo->interface.self, token) != STATUS_OK) {
        return 0;
    }
    sequence->computed_count += rows;
    return rows;
}

struct engine_sampling solo_greedy(void)
{
    return (struct engine_sampling){.top_p = 1.0F, .repetition_penalty = 1.0F};
}
