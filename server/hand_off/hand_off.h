/* hand_off.h - a queue of events for clinics' webhooks and the thread that sends them, again and
 * again until they are acknowledged. Any thread may push; nobody waits. */
#pragma once
#include "audit/redis/redis_link.h"
#include "policy/policy.h"

enum {
    HAND_OFF_EVENTS_MAX = 1024, /* not acknowledged yet */
    HAND_OFF_TENANT_MAX = 256, /* of them, of one tenant: its webhook must not cost others theirs */
    HAND_OFF_NAME_BYTES = 64,
    HAND_OFF_ID_BYTES = 40,
    HAND_OFF_HOURS = 24,
    HAND_OFF_PAUSE_MAX_S = 300
};

struct hand_off_event {         /* flat; no text of a conversation */
    char id[HAND_OFF_ID_BYTES]; /* made by push */
    struct tenant_id tenant;
    char tenant_name[HAND_OFF_NAME_BYTES], request_id[HAND_OFF_NAME_BYTES];
    enum crisis_kind kind;
    enum crisis_grade grade;
    enum crisis_subject subject;
    int64_t unix_s; /* when it was seen */
};

struct hand_off_config {
    struct policy *policy;           /* outlives it: address and secret of each tenant */
    const struct redis_terms *redis; /* copied, not what it points to; NULL: memory alone */
    const char *prefix;              /* of its key; outlives it */
    /* On the thread: it was acknowledged, or given up, after that many attempts. */
    void (*ended)(void *context, const struct hand_off_event *event, bool is_acknowledged,
                  uint32_t attempts);
    void *context;
};

struct hand_off;

/* Starts the thread. STATUS_IO: no memory, thread or libcurl. */
MUST_CHECK enum status hand_off_start(const struct hand_off_config *config, struct hand_off **out,
                                      struct failure *failure);
void hand_off_stop(struct hand_off *hand_off); /* ends the attempt under way; NULL is fine */

void hand_off_push(struct hand_off *hand_off, const struct hand_off_event *event);

struct hand_off_counts {
    uint64_t waiting, acknowledged, given_up, lost; /* lost: no room for it */
};
struct hand_off_counts hand_off_counts(struct hand_off *hand_off);
