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

static bool find(const char *const *names, size_t count, const char *text, size_t length,
                 size_t *out)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(names[i]) == length && memcmp(names[i], text, length) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

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
    size_t index = 0;
    const bool is_known = find(kind_names, POLICY_KIND_COUNT, text, length, &index);
    *out = is_known ? (enum policy_kind)index : *out;
    return is_known;
}

bool policy_action_read(const char *text, size_t length, enum policy_action *out)
{
    size_t index = 0;
    const bool is_known = find(action_names, POLICY_ACTION_COUNT, text, length, &index);
    *out = is_known ? (enum policy_action)index : *out;
    return is_known;
}
