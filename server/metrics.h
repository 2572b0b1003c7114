/* metrics.h - counters of each tenant, ward_x{tenant="t"}, and of all, ward_all_x, as Prometheus
 * text. A fixed table of atomics by tenant id: counting never allocates, locks or waits, so every
 * thread may count, the engine thread too. Never text of a request; tenant names are label values.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "audit/audit.h"
#include "base/buffer.h"
#include "base/ids.h"
#include "base/status.h"
#include "policy/crisis/crisis.h"
#include "policy/filter/tally.h"
#include "scheduler/scheduler.h"

struct metrics;
struct hand_off_counts;

MUST_CHECK enum status metrics_create(struct metrics **out);
void metrics_destroy(struct metrics *metrics); /* NULL is fine */

enum metrics_route {
    METRICS_ROUTE_CHAT,
    METRICS_ROUTE_COMPLETIONS,
    METRICS_ROUTE_MODELS,
    METRICS_ROUTE_TOKENIZE,
    METRICS_ROUTE_DETOKENIZE,
    METRICS_ROUTE_COUNT
};

enum metrics_outcome {
    METRICS_COMPLETED,
    METRICS_CANCELLED, /* the client went away, or its key was revoked */
    METRICS_FAILED,    /* ours: engine, memory, drain deadline */
    METRICS_INVALID,   /* 400 */
    METRICS_QUOTA,     /* 429 */
    METRICS_BUSY,      /* 503: a queue is full, draining, not ready */
    METRICS_BLOCKED,   /* 422: the tenant's rules do not let it in */
    METRICS_OUTCOME_COUNT
};

struct metrics_request {
    struct tenant_id tenant;
    const char *tenant_name;
    enum metrics_route route;
    enum metrics_outcome outcome;
    int http_code;           /* of the head that was sent */
    uint64_t first_token_ns; /* from arrival; 0: no token */
    uint64_t per_token_ns;   /* mean time between tokens; 0: fewer than two */
};

/* From now on the tenant's counters are written out, under this name, which is copied. */
void metrics_know_tenant(struct metrics *metrics, struct tenant_id tenant, const char *name);

const char *metrics_outcome_name(enum metrics_outcome outcome);
const char *metrics_route_name(enum metrics_route route);

void metrics_count_request(struct metrics *metrics, const struct metrics_request *request);

/* What the tenant's rules did to a request and its answer; what its conversation gave signs of. */
void metrics_count_policy(struct metrics *metrics, struct tenant_id tenant,
                          const struct tally *inbound, const struct tally *outbound);
void metrics_count_crisis(struct metrics *metrics, struct tenant_id tenant,
                          const struct crisis_finding *finding);

/* ---- engine thread --------------------------------------------------------------------------- */

void metrics_count_tokens(struct metrics *metrics, struct tenant_id tenant, uint32_t prompt_tokens,
                          uint32_t output_tokens);
void metrics_count_step(struct metrics *metrics, uint64_t step_ns);

void metrics_count_rebuild(struct metrics *metrics);

/* Written out once it has been set: an engine that does not measure has no such series. */
void metrics_set_times(struct metrics *metrics, const struct engine_times *times);

/* Queue depth, running, pages and preemptions: tenant 0 is the whole server. */
void metrics_set_counts(struct metrics *metrics, struct tenant_id tenant,
                        const struct scheduler_counts *counts);

/* ---- reading --------------------------------------------------------------------------------- */

struct metrics_facts {
    const char *model_name, *model_digest;
    const struct audit_facts *audit;
    const struct hand_off_counts *hand_off; /* NULL: there is none */
    bool is_ready;
    uint32_t live_requests;
};

enum { METRICS_TEXT_BYTES_MAX = 16 << 20 };

/* Appends the text exposition, format 0.0.4. */
MUST_CHECK enum status metrics_write(const struct metrics *metrics,
                                     const struct metrics_facts *facts, struct buffer *out);
