/* Method: random take, give back, scrub, end of step and failed step against a model that knows of
 * each page who holds it and whether it is zero; every invariant after every operation. The seed is
 * printed before each run, so the last line before a crash is the seed that replays it. */
#include <string.h>

#include "base/assert.h"
#include "base/random.h"
#include "scheduler/page_pool.h"
#include "tests/check.h"

enum { PAGES = 12, TENANTS = 3, TENANT_PAGES_MAX = 6, OPERATIONS = 2000, SEEDS = 50 };

struct model {
    struct page_id held[TENANTS + 1][PAGES];
    uint32_t held_counts[TENANTS + 1];
    bool is_zero[PAGES]; /* once the scrub list has been worked off */
    uint32_t scrub_count;
};

static void apply_scrubs(const struct page_pool *pool, struct model *model)
{
    uint32_t count = 0;
    const struct page_id *pages = page_pool_scrub_list(pool, &count);
    for (; model->scrub_count < count; model->scrub_count++) {
        model->is_zero[pages[model->scrub_count].value] = true;
    }
}

static void end_step(struct page_pool *pool, struct model *model)
{
    apply_scrubs(pool, model);
    page_pool_scrub_done(pool);
    model->scrub_count = 0;
}

static void take(struct page_pool *pool, struct model *model, struct tenant_id who)
{
    uint32_t *count = &model->held_counts[who.value];
    const uint32_t free_count = page_pool_free_count(pool);
    const enum status want = *count == TENANT_PAGES_MAX ? STATUS_QUOTA
                             : free_count == 0          ? STATUS_FULL
                                                        : STATUS_OK;
    struct page_id page = {PAGES};
    const enum status got = page_pool_take(pool, who, &page);
    CHECK(got == want, "take: %s, not %s", status_name(got), status_name(want));
    if (got == STATUS_OK) {
        apply_scrubs(pool, model);
        CHECK(model->is_zero[page.value], "page %u is dirty and not scrubbed", page.value);
        model->is_zero[page.value] = false; /* written from now on */
        model->held[who.value][(*count)++] = page;
    }
}

static void give_back(struct page_pool *pool, struct model *model, struct tenant_id who)
{
    uint32_t *count = &model->held_counts[who.value];
    if (*count > 0) {
        end_step(pool, model);
        (*count)--;
        page_pool_give_back(pool, who, model->held[who.value][*count]);
    }
}

static void fail_step(struct page_pool *pool, struct model *model)
{
    for (uint32_t i = 1; i <= TENANTS; i++) {
        while (model->held_counts[i] > 0) {
            give_back(pool, model, (struct tenant_id){i});
        }
    }
    end_step(pool, model);
    page_pool_distrust(pool);
    memset(model->is_zero, 0, sizeof model->is_zero);
}

static void run(uint64_t seed, struct page_pool *pool)
{
    struct random_source random = {seed};
    struct model model = {0};
    memset(model.is_zero, true, sizeof model.is_zero);
    for (int i = 0; i < OPERATIONS; i++) {
        const struct tenant_id who = {1 + random_below(&random, TENANTS)};
        const uint32_t operation = random_below(&random, 100);
        if (operation < 48) {
            take(pool, &model, who);
        } else if (operation < 85) {
            give_back(pool, &model, who);
        } else if (operation < 99) {
            page_pool_scrub(pool, random_below(&random, 3));
            end_step(pool, &model);
        } else {
            fail_step(pool, &model);
        }
        page_pool_check(pool);
        uint32_t held_count = 0;
        for (uint32_t j = 1; j <= TENANTS; j++) {
            held_count += model.held_counts[j];
            CHECK(page_pool_held_count(pool, (struct tenant_id){j}) == model.held_counts[j],
                  "seed %llu: tenant %u", (unsigned long long)seed, j);
        }
        CHECK(page_pool_free_count(pool) == PAGES - held_count, "seed %llu: free pages",
              (unsigned long long)seed);
    }
}

static void random_operations_agree_with_the_model(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        printf("page_pool seed %llu\n", (unsigned long long)seed);
        fflush(stdout);
        const size_t bytes = page_pool_arena_bytes(PAGES, TENANTS);
        struct arena *arena = NULL;
        const enum status status = arena_create(bytes, &arena);
        ASSERT(status == STATUS_OK);
        run(seed, page_pool_create(arena, PAGES, TENANT_PAGES_MAX, TENANTS));
        CHECK(arena_used_bytes(arena) == bytes, "arena_bytes is exact");
        arena_destroy(arena);
    }
}

static void a_dirty_page_is_scrubbed_in_order_of_its_freeing(void)
{
    struct arena *arena = NULL;
    const enum status status = arena_create(page_pool_arena_bytes(4, 1), &arena);
    ASSERT(status == STATUS_OK);
    struct page_pool *pool = page_pool_create(arena, 4, 4, 1);
    struct page_id pages[4];
    for (uint32_t i = 0; i < 4; i++) {
        CHECK(page_pool_take(pool, (struct tenant_id){1}, &pages[i]) == STATUS_OK, "take %u", i);
    }
    for (uint32_t i = 0; i < 4; i++) {
        page_pool_give_back(pool, (struct tenant_id){1}, pages[3 - i]);
    }
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t count = 0;
        page_pool_scrub(pool, 1);
        const struct page_id *scrubs = page_pool_scrub_list(pool, &count);
        CHECK(count == 1 && scrubs[0].value == pages[3 - i].value, "scrub %u", i);
        page_pool_scrub_done(pool);
    }
    uint32_t count = 0;
    page_pool_scrub(pool, 4);
    page_pool_scrub_list(pool, &count);
    CHECK(count == 0, "%u pages scrubbed twice", count);
    arena_destroy(arena);
}

CHECK_MAIN(random_operations_agree_with_the_model, a_dirty_page_is_scrubbed_in_order_of_its_freeing)
