/* pages_reference.c - the definition of pages, and what the CPU engine runs. */
#include <string.h>

#include "kernels/pages/pages.h"

static char *page_at(const struct pages_pools *pools, uint32_t pool, uint32_t page)
{
    return (char *)pools->kv + pool * pools->pool_bytes + page * pools->page_bytes;
}

void pages_scrub_reference(const struct pages_scrub_args *args)
{
    for (uint32_t pool = 0; pool < args->pools.pool_count; pool++) {
        for (uint32_t i = 0; i < args->page_count; i++) {
            memset(page_at(&args->pools, pool, args->pages[i]), 0, args->pools.page_bytes);
        }
    }
}

void pages_copy_reference(const struct pages_copy_args *args)
{
    for (uint32_t pool = 0; pool < args->pools.pool_count; pool++) {
        for (uint32_t i = 0; i < args->pair_count; i++) {
            memcpy(page_at(&args->pools, pool, args->pairs[i].to),
                   page_at(&args->pools, pool, args->pairs[i].from), args->pools.page_bytes);
        }
    }
}
