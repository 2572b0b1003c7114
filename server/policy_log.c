#include "server/policy_log.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"

enum { VALUES_MAX = 256, SECONDS_A_MINUTE = 60 };

enum status policy_log_open(const struct config *config, struct policy **out,
                            struct failure *failure)
{
    const struct policy_config policy_config = {
        .directory = config->policy_directory,
        .default_name = config->policy_default,
        .vault = {.sessions_max = (uint32_t)config->policy_conversations_max,
                  .values_max = VALUES_MAX,
                  .lifetime_s = (uint32_t)config->policy_vault_minutes * SECONDS_A_MINUTE},
    };
    const enum status status = policy_open(&policy_config, out, failure);
    if (status == STATUS_OK) {
        struct rules *rules = policy_rules(*out, "");
        log_event(LOG_LEVEL_INFO, "policy", "rules.loaded", "default=%s digest=%.16s changes=%s",
                  rules->name, rules->digest, rules->changes_text ? "true" : "false");
        rules_release(rules);
    }
    return status;
}

static void record_change(void *context, const char *name, const struct rules *rules)
{
    struct trail *trail = context;
    struct record_draft draft;
    struct audit_position position;
    record_draft_begin(&draft, RECORD_EVENT_POLICY_CHANGED, (struct tenant_id){0}, NULL);
    record_draft_text(&draft, RECORD_FIELD_policy_digest, rules->digest);
    record_draft_text(&draft, RECORD_FIELD_subject, name[0] != '\0' ? name : "default");
    const enum status status = audit_append(trail_audit(trail), &draft, 0, &position);
    (void)status; /* what finds no room is counted and logged by the writer */
    log_event(LOG_LEVEL_INFO, "policy", "rules.changed", "tenant=\"%s\" rules=%s digest=%.16s",
              name, rules->name, rules->digest);
}

void policy_log_tick(struct policy *policy, struct trail *trail)
{
    static struct failure last; /* told once, not twice a second */
    struct failure failure = {""};
    if (policy_refresh(policy, record_change, trail, &failure) == STATUS_OK) {
        last.text[0] = '\0';
    } else if (strcmp(failure.text, last.text) != 0) {
        last = failure;
        log_event(LOG_LEVEL_ERROR, "policy", "rules.refused", "text=\"%s\"", failure.text);
    }
    vault_expire(policy_vault(policy), clock_monotonic_ns());
}
