#include "scheduler/page_pool.h"

#include <string.h>

#include "base/assert.h"

struct page_pool {
    uint32_t page_count, tenant_pages_max, tenant_count;
    struct tenant_id *holders; /* [page_count]; 0: free */
    uint32_t *held_counts;     /* [tenant_count + 1] */
    struct page_id *clean;     /* stack of free pages that are zero: the last one used is warmest */
    struct page_id *dirty;     /* ring of free pages that are not, so that none stays dirty long */
    struct page_id *scrubs;    /* the list of this step */
    uint32_t clean_count, dirty_first, dirty_count, scrub_count;
    bool *marks; /* [page_count]; only for page_pool_check() */
};

size_t page_pool_arena_bytes(uint32_t page_count, uint32_t tenant_count)
{
    return arena_block_bytes(1, sizeof(struct page_pool))
           + arena_block_bytes(page_count, sizeof(struct tenant_id))
           + arena_block_bytes((size_t)tenant_count + 1, sizeof(uint32_t))
           + 3 * arena_block_bytes(page_count, sizeof(struct page_id))
           + arena_block_bytes(page_count, sizeof(bool));
}

struct page_pool *page_pool_create(struct arena *arena, uint32_t page_count,
                                   uint32_t tenant_pages_max, uint32_t tenant_count)
{
    ASSERT(page_count > 0);
    struct page_pool *pool = arena_take(arena, 1, sizeof *pool);
    *pool = (struct page_pool){
        .page_count = page_count,
        .tenant_pages_max = tenant_pages_max,
        .tenant_count = tenant_count,
        .holders = arena_take(arena, page_count, sizeof(struct tenant_id)),
        .held_counts = arena_take(arena, (size_t)tenant_count + 1, sizeof(uint32_t)),
        .clean = arena_take(arena, page_count, sizeof(struct page_id)),
        .dirty = arena_take(arena, page_count, sizeof(struct page_id)),
        .scrubs = arena_take(arena, page_count, sizeof(struct page_id)),
        .clean_count = page_count,
        .marks = arena_take(arena, page_count, sizeof(bool)),
    };
    for (uint32_t i = 0; i < page_count; i++) {
        pool->clean[i].value = page_count - 1 - i;
    }
    return pool;
}

static struct page_id pop_dirty(struct page_pool *pool)
{
    const struct page_id page = pool->dirty[pool->dirty_first];
    pool->dirty_first = (pool->dirty_first + 1) % pool->page_count;
    pool->dirty_count--;
    return page;
}

static void push_dirty(struct page_pool *pool, struct page_id page)
{
    pool->dirty[((size_t)pool->dirty_first + pool->dirty_count) % pool->page_count] = page;
    pool->dirty_count++;
}

enum status page_pool_take(struct page_pool *pool, struct tenant_id tenant, struct page_id *out)
{
    ASSERT(tenant.value >= 1 && tenant.value <= pool->tenant_count);
    if (pool->held_counts[tenant.value] >= pool->tenant_pages_max) {
        return STATUS_QUOTA;
    }
    if (pool->clean_count == 0) {
        page_pool_scrub(pool, 1);
    }
    if (pool->clean_count == 0) {
        return STATUS_FULL;
    }
    pool->clean_count--;
    *out = pool->clean[pool->clean_count];
    pool->holders[out->value] = tenant;
    pool->held_counts[tenant.value]++;
    return STATUS_OK;
}

void page_pool_give_back(struct page_pool *pool, struct tenant_id tenant, struct page_id page)
{
    ASSERT(page.value < pool->page_count);
    ASSERT(tenant.value != 0 && tenant_same(pool->holders[page.value], tenant));
    pool->holders[page.value].value = 0;
    pool->held_counts[tenant.value]--;
    push_dirty(pool, page);
}

uint32_t page_pool_free_count(const struct page_pool *pool)
{
    return pool->clean_count + pool->dirty_count;
}

uint32_t page_pool_held_count(const struct page_pool *pool, struct tenant_id tenant)
{
    ASSERT(tenant.value >= 1 && tenant.value <= pool->tenant_count);
    return pool->held_counts[tenant.value];
}

struct tenant_id page_pool_holder(const struct page_pool *pool, struct page_id page)
{
    ASSERT(page.value < pool->page_count);
    return pool->holders[page.value];
}

void page_pool_scrub(struct page_pool *pool, uint32_t count_max)
{
    for (uint32_t i = 0; i < count_max && pool->dirty_count > 0; i++) {
        const struct page_id page = pop_dirty(pool);
        ASSERT(pool->scrub_count < pool->page_count);
        pool->scrubs[pool->scrub_count++] = page;
        pool->clean[pool->clean_count++] = page;
    }
}

const struct page_id *page_pool_scrub_list(const struct page_pool *pool, uint32_t *count)
{
    *count = pool->scrub_count;
    return pool->scrubs;
}

void page_pool_scrub_done(struct page_pool *pool)
{
    pool->scrub_count = 0;
}

void page_pool_distrust(struct page_pool *pool)
{
    ASSERT(page_pool_free_count(pool) == pool->page_count && pool->scrub_count == 0);
    while (pool->clean_count > 0) {
        pool->clean_count--;
        push_dirty(pool, pool->clean[pool->clean_count]);
    }
}

static void mark_free(const struct page_pool *pool, struct page_id page)
{
    ASSERT(page.value < pool->page_count);
    ASSERT(pool->holders[page.value].value == 0);
    ASSERT(!pool->marks[page.value]); /* free once */
    pool->marks[page.value] = true;
}

void page_pool_check(const struct page_pool *pool)
{
    memset(pool->marks, 0, pool->page_count * sizeof *pool->marks);
    for (uint32_t i = 0; i < pool->clean_count; i++) {
        mark_free(pool, pool->clean[i]);
    }
    for (uint32_t i = 0; i < pool->dirty_count; i++) {
        mark_free(pool, pool->dirty[((size_t)pool->dirty_first + i) % pool->page_count]);
    }
    uint32_t held_count = 0;
    for (uint32_t i = 0; i < pool->page_count; i++) {
        ASSERT(pool->marks[i] == (pool->holders[i].value == 0)); /* free or held, never neither */
        ASSERT(pool->holders[i].value <= pool->tenant_count);
        held_count += pool->holders[i].value != 0;
    }
    ASSERT(held_count + page_pool_free_count(pool) == pool->page_count);
    uint32_t tenants_held_count = 0;
    for (uint32_t i = 0; i <= pool->tenant_count; i++) {
        ASSERT(pool->held_counts[i] <= pool->tenant_pages_max);
        tenants_held_count += pool->held_counts[i];
    }
    ASSERT(pool->held_counts[0] == 0 && tenants_held_count == held_count);
    memset(pool->marks, 0, pool->page_count * sizeof *pool->marks);
    for (uint32_t i = 0; i < pool->scrub_count; i++) {
        ASSERT(!pool->marks[pool->scrubs[i].value]); /* zeroed once */
        pool->marks[pool->scrubs[i].value] = true;
    }
}
