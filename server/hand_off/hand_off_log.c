#include "server/hand_off/hand_off_log.h"

#include "base/log.h"
#include "server/audit_terms.h"

static void record_end(void *context, const struct hand_off_event *event, bool is_acknowledged,
                       uint32_t attempts)
{
    struct record_draft draft;
    struct audit_position position;
    record_draft_begin(&draft, RECORD_EVENT_CRISIS_HANDED_OFF, event->tenant, event->tenant_name);
    record_draft_text(&draft, RECORD_FIELD_request_id, event->request_id);
    record_draft_text(&draft, RECORD_FIELD_outcome, is_acknowledged ? "acknowledged" : "given_up");
    record_draft_uint(&draft, RECORD_FIELD_count, attempts);
    const enum status status = audit_append(context, &draft, 0, &position);
    (void)status; /* what finds no room is counted and logged by the writer */
    log_event(is_acknowledged ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, "hand_off",
              is_acknowledged ? "acknowledged" : "given_up", "tenant=\"%s\" request=%s attempts=%u",
              event->tenant_name, event->request_id, attempts);
}

enum status hand_off_log_start(const struct config *config, struct policy *policy,
                               struct audit *audit, struct hand_off **out, struct failure *failure)
{
    struct redis_terms terms;
    struct hand_off_config hand_off = {.policy = policy,
                                       .prefix = config->audit_redis_prefix,
                                       .ended = record_end,
                                       .context = audit};
    if (audit_terms_has_redis(config)) {
        const enum status status = audit_terms_redis(config, &terms, failure);
        if (status != STATUS_OK) {
            return status;
        }
        hand_off.redis = &terms;
    }
    return hand_off_start(&hand_off, out, failure);
}
