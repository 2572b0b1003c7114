#include "tests/scheduler/support_fake_engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

struct slot { /* what stands at one position of a page; zero: nothing */
    uint64_t who;
    uint32_t token, position;
};

struct fake_engine {
    struct engine_shape shape;
    uint32_t tenant_pages_max;
    struct slot *slots;      /* [page_count * page_tokens] */
    uint64_t *page_users;    /* [page_count]: who uses it in the plan; 0: nobody */
    struct engine_plan plan; /* in flight */
    bool is_in_flight;
    uint64_t plan_hash;
    bool fails_launch, fails_settle;
};

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15U;
    return hash ^ (hash >> 29);
}

static uint64_t hash_words(uint64_t hash, const uint32_t *words, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        hash = mix(hash, words[i]);
    }
    return hash;
}

struct fake_engine *fake_engine_create(const struct engine_shape *shape, uint32_t tenant_pages_max)
{
    struct fake_engine *fake = calloc(1, sizeof *fake);
    ASSERT(fake);
    *fake = (struct fake_engine){
        .shape = *shape,
        .tenant_pages_max = tenant_pages_max,
        .slots = calloc((size_t)shape->page_count * shape->page_tokens, sizeof(struct slot)),
        .page_users = calloc(shape->page_count, sizeof(uint64_t)),
    };
    ASSERT(fake->slots && fake->page_users);
    return fake;
}

void fake_engine_destroy(struct fake_engine *fake)
{
    free(fake->slots);
    free(fake->page_users);
    free(fake);
}

uint32_t fake_engine_next_token(const struct engine_shape *shape, const uint32_t *tokens,
                                uint32_t token_count, uint64_t who)
{
    const uint64_t hash = mix(hash_words(who, tokens, token_count), token_count);
    return (uint32_t)(hash >> 33) % shape->vocabulary_count;
}

static uint64_t hash_plan(const struct engine_plan *plan)
{
    uint64_t hash = mix(plan->sequence_count, plan->row_count);
    for (uint32_t i = 0; i < plan->sequence_count; i++) {
        const struct engine_sequence *sequence = &plan->sequences[i];
        hash = mix(hash, sequence->sampling->seed);
        hash = hash_words(hash, sequence->tokens, sequence->token_count);
        hash = hash_words(hash, &sequence->pages[0].value, sequence->page_count);
        hash = mix(hash, ((uint64_t)sequence->position_first << 32) | sequence->row_count);
    }
    for (uint32_t i = 0; i < plan->scrub_count; i++) {
        hash = mix(hash, plan->scrub_pages[i].value);
    }
    return hash;
}

/* ---- what a plan must be -------------------------------------------------------------------- */

static void check_sequence(struct fake_engine *fake, const struct engine_sequence *sequence)
{
    const struct engine_shape *shape = &fake->shape;
    const uint32_t end = sequence->position_first + sequence->row_count;
    ASSERT(sequence->row_count >= 1 && end <= sequence->token_count);
    ASSERT(sequence->samples == (end == sequence->token_count));
    ASSERT(sequence->prompt_count >= 1 && sequence->prompt_count <= sequence->token_count);
    ASSERT(sequence->token_count < shape->context_tokens_max);
    ASSERT((uint64_t)sequence->page_count * shape->page_tokens >= end);
    for (uint32_t i = 0; i < sequence->page_count; i++) {
        const uint32_t page = sequence->pages[i].value;
        ASSERT(page < shape->page_count);
        ASSERT(fake->page_users[page] == 0); /* one writer, listed once */
        fake->page_users[page] = sequence->sampling->seed;
    }
}

static void check_plan(struct fake_engine *fake, const struct engine_plan *plan)
{
    const struct engine_shape *shape = &fake->shape;
    ASSERT(plan->sequence_count > 0 || plan->scrub_count > 0);
    ASSERT(plan->sequence_count <= shape->step_sequences_max);
    ASSERT(plan->row_count <= shape->step_tokens_max);
    memset(fake->page_users, 0, shape->page_count * sizeof *fake->page_users);
    uint32_t row_count = 0;
    for (uint32_t i = 0; i < plan->sequence_count; i++) {
        check_sequence(fake, &plan->sequences[i]);
        row_count += plan->sequences[i].row_count;
        uint32_t tenant_page_count = 0;
        for (uint32_t j = 0; j <= i; j++) {
            const bool is_same = tenant_same(fake_engine_tenant(plan->sequences[i].sampling->seed),
                                             fake_engine_tenant(plan->sequences[j].sampling->seed));
            tenant_page_count += is_same ? plan->sequences[j].page_count : 0;
        }
        ASSERT(tenant_page_count <= fake->tenant_pages_max);
    }
    ASSERT(row_count == plan->row_count);
}

static enum status launch(void *self, const struct engine_plan *plan)
{
    struct fake_engine *fake = self;
    ASSERT(!fake->is_in_flight);
    check_plan(fake, plan);
    if (fake->fails_launch) {
        fake->fails_launch = false;
        return STATUS_DEVICE;
    }
    fake->is_in_flight = true;
    fake->plan = *plan;
    fake->plan_hash = hash_plan(plan);
    return STATUS_OK;
}

/* ---- the work ------------------------------------------------------------------------------- */

static struct slot *slot_at(const struct fake_engine *fake, const struct engine_sequence *sequence,
                            uint32_t position)
{
    const struct page_id page = sequence->pages[position / fake->shape.page_tokens];
    return &fake->slots[(size_t)page.value * fake->shape.page_tokens
                        + position % fake->shape.page_tokens];
}

static void compute(const struct fake_engine *fake, const struct engine_sequence *sequence)
{
    const uint64_t who = sequence->sampling->seed;
    const uint32_t page_tokens = fake->shape.page_tokens;
    for (uint32_t i = 0; i < sequence->position_first; i++) {
        const struct slot *slot = slot_at(fake, sequence, i);
        ASSERT(slot->who == who && slot->token == sequence->tokens[i] && slot->position == i);
    }
    const uint32_t end = sequence->position_first + sequence->row_count;
    for (uint32_t i = sequence->position_first; i < end; i++) {
        struct slot *slot = slot_at(fake, sequence, i);
        const uint32_t fresh_count = i % page_tokens == 0 ? page_tokens : 1;
        for (uint32_t j = 0; j < fresh_count; j++) {
            ASSERT(slot[j].who == 0); /* nobody's bytes, not even one's own of an earlier life */
        }
        *slot = (struct slot){who, sequence->tokens[i], i};
    }
}

static enum status settle(void *self, struct engine_token *out)
{
    struct fake_engine *fake = self;
    ASSERT(fake->is_in_flight);
    ASSERT(fake->plan_hash == hash_plan(&fake->plan)); /* unchanged since launch */
    fake->is_in_flight = false;
    const size_t slot_count = (size_t)fake->shape.page_count * fake->shape.page_tokens;
    if (fake->fails_settle) {
        fake->fails_settle = false;
        memset(fake->slots, 0xee, slot_count * sizeof *fake->slots);
        return STATUS_DEVICE;
    }
    for (uint32_t i = 0; i < fake->plan.scrub_count; i++) {
        const size_t first = (size_t)fake->plan.scrub_pages[i].value * fake->shape.page_tokens;
        memset(&fake->slots[first], 0, fake->shape.page_tokens * sizeof *fake->slots);
    }
    for (uint32_t i = 0; i < fake->plan.sequence_count; i++) {
        const struct engine_sequence *sequence = &fake->plan.sequences[i];
        compute(fake, sequence);
        out[i].id = fake_engine_next_token(&fake->shape, sequence->tokens, sequence->token_count,
                                           sequence->sampling->seed);
    }
    return STATUS_OK;
}

struct engine fake_engine_interface(struct fake_engine *fake)
{
    return (struct engine){.self = fake, .shape = fake->shape, .launch = launch, .settle = settle};
}

void fake_engine_fail_launch(struct fake_engine *fake)
{
    fake->fails_launch = true;
}

void fake_engine_fail_settle(struct fake_engine *fake)
{
    fake->fails_settle = true;
}

bool fake_engine_is_clean(const struct fake_engine *fake)
{
    const size_t slot_count = (size_t)fake->shape.page_count * fake->shape.page_tokens;
    for (size_t i = 0; i < slot_count; i++) {
        if (fake->slots[i].who != 0) {
            return false;
        }
    }
    return true;
}
