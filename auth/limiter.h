/* limiter.h - how much a tenant may still ask: two token buckets (requests, tokens) one minute deep
 * and a count of streams. In memory only; time is handed in. Any thread; one lock inside. */
#pragma once
#include "auth/auth.h"

struct limiter;

struct limiter *limiter_create(void); /* NULL: no memory */
void limiter_destroy(struct limiter *limiter);

struct limiter_request {
    struct tenant_id tenant;
    struct auth_limits limits; /* may change between calls; what was taken stays taken */
    uint64_t now_ns;
    uint32_t tokens;
};

/* As auth_admit. */
MUST_CHECK enum status limiter_admit(struct limiter *limiter, const struct limiter_request *request,
                                     struct auth_budget *out, const char **what);
void limiter_release(struct limiter *limiter, struct tenant_id tenant, uint32_t tokens_taken,
                     uint32_t tokens_used);
