/* policy.h - the rules in force for every tenant, reread while the server runs, and what is shared
 * by all scans: word lists, the crisis grammar, the vault. A directory holds default.yaml,
 * TENANT.yaml, packs/ and regions/; each may be missing. A file that is wrong changes nothing: the
 * last good rules stay, and the failure is told. Any thread. */
#pragma once
#include "policy/crisis/crisis.h"
#include "policy/filter/inbound.h"
#include "policy/filter/outbound.h"
#include "policy/filter/vault.h"
#include "policy/rules/rules.h"
#include "policy/text/lexicon.h"

struct policy;

struct policy_config {
    const char *directory;    /* "": shipped rules alone */
    const char *default_name; /* shipped rules for tenants that have no file and where default.yaml
                                 is missing: "observe" */
    struct vault_config vault;
};

/* A file that is wrong, or a directory that is not there, is refused: nothing is in force yet. */
MUST_CHECK enum status policy_open(const struct policy_config *config, struct policy **out,
                                   struct failure *failure);
void policy_close(struct policy *policy); /* NULL is fine */

/* About once a second: rereads what changed. `changed` is called for each tenant's rules that are
 * now others (name "": the default's, which is also theirs who have no file). Not OK: failure says
 * why, once for as long as a file is wrong in the same way; nothing changed of what could not be
 * read. */
typedef void (*policy_changed)(void *context, const char *name, const struct rules *rules);
MUST_CHECK enum status policy_refresh(struct policy *policy, policy_changed changed, void *context,
                                      struct failure *failure);

/* Never NULL; rules_release it. */
struct rules *policy_rules(struct policy *policy, const char *tenant_name);

const struct lexicon *policy_lexicon(const struct policy *policy);
const struct crisis_rules *policy_crisis(const struct policy *policy);
struct vault *policy_vault(struct policy *policy);
