/* ids.h - ids that the compiler can tell apart: passing a page where a tenant goes is an error. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct tenant_id {
    uint32_t value; /* 0 = no tenant; assigned by auth, stable across restarts */
};
struct request_id {
    uint64_t value; /* unique for the life of the process; safe to log */
};
struct page_id {
    uint32_t value; /* index into the KV page pool, 0 .. page_count - 1 */
};

static inline bool tenant_same(struct tenant_id a, struct tenant_id b)
{
    return a.value == b.value;
}

static inline bool request_same(struct request_id a, struct request_id b)
{
    return a.value == b.value;
}
