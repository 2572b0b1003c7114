#include "server/policy_log.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
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
    if (status == STATUS_NOT_FOUND) {
        return fail(failure, STATUS_INVALID,
                    "policy.default: is \"%.40s\"; must be observe, standard, strict or redact",
                    config->policy_default);
    }
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

static void plant(struct policy *policy, struct tenant_id tenant, const struct rules *rules)
{
    for (uint32_t i = 0; i < rules->canary_count; i++) {
        const char *canary = rules->canaries[i];
        if (vault_plant(policy_vault(policy), tenant, canary, strlen(canary)) != STATUS_OK) {
            log_event(LOG_LEVEL_ERROR, "policy", "canary.refused", "tenant=%u index=%u",
                      tenant.value, i);
        }
    }
}

/* A tenant that has no rules of its own stands under the default's, whose canaries are everybody's.
 */
static bool is_default(struct policy *policy, const struct rules *rules)
{
    struct rules *standing = policy_rules(policy, "");
    const bool is_same = strcmp(standing->digest, rules->digest) == 0;
    rules_release(standing);
    return is_same;
}

static uint32_t days_of(uint32_t tenant_days, uint32_t server_days, const struct rules *rules)
{
    const uint32_t days = tenant_days > 0 ? tenant_days : server_days;
    return rules->duties.retention_days > days ? rules->duties.retention_days : tenant_days;
}

void policy_log_apply(struct policy *policy, struct auth *auth, struct audit *audit,
                      uint32_t server_days)
{
    static struct auth_tenant tenants[LIMIT_TENANTS];
    static char planted[LIMIT_TENANTS + 1][RULES_DIGEST_BYTES]; /* by the tenant's id */
    const size_t all = auth_tenant_list(auth, tenants, LIMIT_TENANTS);
    const size_t count = all < LIMIT_TENANTS ? all : LIMIT_TENANTS;
    for (size_t i = 0; i <= count; i++) {
        const bool is_all = i == count; /* tenant 0: the default's */
        const struct tenant_id id = is_all ? (struct tenant_id){0} : tenants[i].id;
        struct rules *rules = policy_rules(policy, is_all ? "" : tenants[i].name);
        if (!is_all) {
            audit_set_retention(audit, id,
                                days_of(tenants[i].limits.retention_days, server_days, rules));
        }
        if (id.value <= LIMIT_TENANTS && strcmp(planted[id.value], rules->digest) != 0) {
            memcpy(planted[id.value], rules->digest, RULES_DIGEST_BYTES);
            if (is_all || !is_default(policy, rules)) {
                plant(policy, id, rules);
            }
        }
        rules_release(rules);
    }
}
