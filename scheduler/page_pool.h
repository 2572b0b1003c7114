/* page_pool.h - which tenant holds which KV page, and which free pages still hold somebody's bytes.
 * Pages are numbers here; their bytes are the engine's. Between any two holders, of one tenant or
 * of two, a page is zeroed: it is either clean when taken or put on the scrub list, which the
 * engine works off before anything else of the step. One thread. Memory: from the arena at create.
 *
 *   clean --take--> held --give_back--> dirty --scrub, or take--> on the scrub list of this step
 */
#pragma once
#include "base/arena.h"
#include "base/ids.h"

struct page_pool;

size_t page_pool_arena_bytes(uint32_t page_count, uint32_t tenant_count);

/* All pages are clean. tenant_pages_max is the most pages that one tenant may hold. */
struct page_pool *page_pool_create(struct arena *arena, uint32_t page_count,
                                   uint32_t tenant_pages_max, uint32_t tenant_count);

/* STATUS_QUOTA: the tenant is at its limit. STATUS_FULL: no page is free. *out only set on OK. */
MUST_CHECK enum status page_pool_take(struct page_pool *pool, struct tenant_id tenant,
                                      struct page_id *out);

/* Asserts that the tenant holds the page: giving back another tenant's page is a bug. A page is not
 * given back before the step that took it is done. */
void page_pool_give_back(struct page_pool *pool, struct tenant_id tenant, struct page_id page);

uint32_t page_pool_free_count(const struct page_pool *pool);
uint32_t page_pool_held_count(const struct page_pool *pool, struct tenant_id tenant);
struct tenant_id page_pool_holder(const struct page_pool *pool, struct page_id page); /* 0: free */

/* Puts up to count_max free dirty pages on the scrub list, the longest free first. */
void page_pool_scrub(struct page_pool *pool, uint32_t count_max);

/* The pages to zero in this step, each once; lives until page_pool_scrub_done(), the step's end. */
const struct page_id *page_pool_scrub_list(const struct page_pool *pool, uint32_t *count);
void page_pool_scrub_done(struct page_pool *pool);

/* A step failed, so that no page can be trusted to be zero: all are dirty. Asserts that none is
 * held. */
void page_pool_distrust(struct page_pool *pool);

/* Asserts every invariant of the pool. O(page_count): for tests and debug builds. */
void page_pool_check(const struct page_pool *pool);
