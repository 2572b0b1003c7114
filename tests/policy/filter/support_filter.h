/* support_filter.h - rules by hand, and a vault with two tenants, for tests of what goes in and
 * out. */
#pragma once
#include "policy/filter/outbound.h"

static const struct tenant_id support_tenant = {1}, support_other = {2};

/* Each kind treated so, in and out; everything is changed that may be. */
void support_rules(struct rules *rules, enum policy_action inbound, enum policy_action outbound);

struct support_filter {
    struct lexicon *lexicon;
    struct resources *resources; /* the region "us" */
    struct vault *vault;
    struct vault_session *session; /* of support_tenant: NAME_1 "Lily Chen", SSN_1 "219-09-9998" */
    struct vault_session *other;   /* of support_other: MRN_1 "MR-0052508", EMAIL_1 */
    struct rules rules;            /* all is redacted on the way out, pseudonymised on the way in */
    struct outbound_terms terms;
};

void support_open(struct support_filter *filter);
void support_close(struct support_filter *filter);

/* What the text becomes, fed in cuts of so many bytes, with its NUL. The caller frees. tally may be
 * NULL. */
char *support_outbound(const struct outbound_terms *terms, const char *text, size_t length,
                       size_t cut, struct tally *tally);

/* A text of pieces at random, from those that are nasty together; at most `count`. */
struct random_source;
struct buffer support_random_text(struct random_source *random, uint32_t count);
