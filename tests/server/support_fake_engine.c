#include "tests/server/support_fake_engine.h"

#include <string.h>
#include <unistd.h>

#include "base/assert.h"

uint32_t fake_engine_next(const uint32_t *tokens, uint32_t count, uint64_t seed)
{
    uint64_t hash = seed * 31 + count;
    for (uint32_t i = 0; i < count; i++) {
        hash = hash * 1099511628211U + tokens[i];
    }
    return (uint32_t)((hash >> 20) % FAKE_VOCABULARY);
}

static uint32_t choose(const struct fake_engine *fake, const struct engine_sequence *sequence)
{
    const uint32_t index = sequence->token_count - sequence->prompt_count;
    if (fake->has_script) {
        return index < fake->script_count ? fake->script[index] : fake->script_end;
    }
    return fake_engine_next(sequence->tokens, sequence->token_count, sequence->sampling->seed);
}

static enum status launch(void *self, const struct engine_plan *plan)
{
    struct fake_engine *fake = self;
    pthread_mutex_lock(&fake->gate);
    pthread_mutex_unlock(&fake->gate);
    if (atomic_load(&fake->step_us) > 0) {
        usleep(atomic_load(&fake->step_us));
    }
    atomic_store(&fake->sequences_in_step, plan->sequence_count);
    fake->result_count = plan->sequence_count;
    if (atomic_load(&fake->fails_requests) && plan->row_count > 1) {
        return STATUS_DEVICE;
    }
    pthread_mutex_lock(&fake->script_lock);
    for (uint32_t i = 0; i < plan->sequence_count; i++) {
        const struct engine_sequence *sequence = &plan->sequences[i];
        struct engine_token *out = &fake->results[i];
        memset(out, 0, sizeof *out);
        if (!sequence->samples) {
            continue;
        }
        out->id = choose(fake, sequence);
        out->logprob = -0.5F;
        out->top_count = sequence->sampling->top_logprobs_count;
        for (uint32_t t = 0; t < out->top_count; t++) {
            out->top_ids[t] = (out->id + t) % FAKE_VOCABULARY;
            out->top_logprobs[t] = -0.5F - (float)t;
        }
    }
    pthread_mutex_unlock(&fake->script_lock);
    return STATUS_OK;
}

static enum status settle(void *self, struct engine_token *out)
{
    struct fake_engine *fake = self;
    const uint32_t step = atomic_fetch_add(&fake->steps, 1) + 1;
    if (step == atomic_load(&fake->fail_at_step)) {
        return STATUS_DEVICE;
    }
    memcpy(out, fake->results, fake->result_count * sizeof *out);
    return STATUS_OK;
}

static void times(void *self, struct engine_times *out)
{
    struct fake_engine *fake = self;
    ASSERT(!atomic_load(&fake->is_gone)); /* nobody may ask what a rebuild has destroyed */
    *out = (struct engine_times){atomic_load(&fake->steps), 0};
}

void fake_engine_init(struct fake_engine *fake)
{
    memset(fake, 0, sizeof *fake);
    pthread_mutex_init(&fake->gate, NULL);
    pthread_mutex_init(&fake->script_lock, NULL);
    pthread_mutex_init(&fake->rebuild_gate, NULL);
}

void fake_engine_say(struct fake_engine *fake, const char *text, uint32_t end)
{
    pthread_mutex_lock(&fake->script_lock);
    fake->script_count = (uint32_t)strnlen(text, FAKE_SCRIPT_MAX);
    for (uint32_t i = 0; i < fake->script_count; i++) {
        fake->script[i] = (unsigned char)text[i];
    }
    fake->script_end = end;
    fake->has_script = true;
    pthread_mutex_unlock(&fake->script_lock);
}

struct engine fake_engine_interface(struct fake_engine *fake)
{
    return (struct engine){
        .self = fake,
        .shape = {.page_count = 256,
                  .page_tokens = 16,
                  .context_tokens_max = 512,
                  .step_tokens_max = 256,
                  .step_sequences_max = FAKE_SEQUENCES_MAX,
                  .vocabulary_count = FAKE_VOCABULARY},
        .launch = launch,
        .settle = settle,
        .times = times,
    };
}

enum status fake_engine_rebuild(void *context, struct engine *out, struct failure *failure)
{
    struct fake_engine *fake = context;
    pthread_mutex_lock(&fake->rebuild_gate);
    pthread_mutex_unlock(&fake->rebuild_gate);
    atomic_store(&fake->is_gone, true);
    if (atomic_fetch_add(&fake->rebuilds, 1) < atomic_load(&fake->rebuilds_to_fail)) {
        return fail(failure, STATUS_DEVICE, "the fake device is still gone");
    }
    atomic_store(&fake->is_gone, false);
    *out = fake_engine_interface(fake);
    return STATUS_OK;
}
