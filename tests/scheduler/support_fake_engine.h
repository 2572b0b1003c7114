/* support_fake_engine.h - an engine without a model that knows the truth about KV. A token is a
 * hash of the sequence's whole history and its seed. Every slot of every page remembers who wrote
 * what at which position; computing a row asserts that all earlier positions of that sequence stand
 * in the pages listed, that no two sequences share a page, and that a page was zero when it got its
 * first row. So a page mixed up, lost, not scrubbed or freed too early stops the test.
 *
 * sampling.seed says who a sequence is: FAKE_ENGINE_WHO(request, tenant), unique to the request.
 * The work is done at settle, after asserting that nothing the plan points to has changed.
 * Memory: the heap, until destroy. */
#pragma once
#include "scheduler/engine.h"

#define FAKE_ENGINE_WHO(request, tenant) (((uint64_t)(request) << 16) | (tenant))

static inline struct tenant_id fake_engine_tenant(uint64_t who)
{
    return (struct tenant_id){(uint32_t)(who & 0xffff)};
}

struct fake_engine;

/* tenant_pages_max: no plan may list more pages of one tenant. */
struct fake_engine *fake_engine_create(const struct engine_shape *shape, uint32_t tenant_pages_max);
void fake_engine_destroy(struct fake_engine *fake);
struct engine fake_engine_interface(struct fake_engine *fake);

/* What the engine answers after these tokens: the oracle of a sequence that runs alone. */
uint32_t fake_engine_next_token(const struct engine_shape *shape, const uint32_t *tokens,
                                uint32_t token_count, uint64_t who);

/* The next launch, or the next settle, fails. A failed settle leaves garbage in every page. */
void fake_engine_fail_launch(struct fake_engine *fake);
void fake_engine_fail_settle(struct fake_engine *fake);

bool fake_engine_is_clean(const struct fake_engine *fake); /* every byte of every page is zero */
