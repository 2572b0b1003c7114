#include "policy/kind.h"

#include <string.h>

#include "base/assert.h"

static const char *const kind_names[POLICY_KIND_COUNT] = {
#define KIND(name, what) [POLICY_##name] = #name,
#include "policy/kind.def"
};

static const char *const action_names[POLICY_ACTION_COUNT] = {
    [POLICY_ALLOW] = "allow",   [POLICY_TAG] = "tag",
    [POLICY_REDACT] = "redact", [POLICY_PSEUDONYMISE] = "pseudonymise",
    [POLICY_BLOCK] = "block",
};

const char *policy_kind_name(enum policy_kind kind)
{
    ASSERT((unsigned)kind < POLICY_KIND_COUNT);
    return kind_names[kind];
}

const char *policy_action_name(enum policy_action action)
{
    ASSERT((unsigned)action < POLICY_ACTION_COUNT);
    return action_names[action];
}

bool policy_kind_read(const char *text, size_t length, enum policy_kind *out)
{
    for (size_t i = 0; i < POLICY_KIND_COUNT; i++) {
        if (strlen(kind_names[i]) == length && memcmp(kind_names[i], text, length) == 0) {
            *out = (enum policy_kind)i;
            return true;
        }
    }
    return false;
}
