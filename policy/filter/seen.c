#include "policy/filter/seen.h"

#include <sodium.h>

void seen_start(struct seen *seen)
{
    *seen = (struct seen){.count = 0};
    randombytes_buf(&seen->key, sizeof seen->key);
}

static uint32_t place_of(const struct seen *seen, uint64_t feature)
{
    uint32_t at = (uint32_t)feature % SEEN_PLACES;
    while (seen->features[at] != 0 && seen->features[at] != feature) {
        at = (at + 1) % SEEN_PLACES;
    }
    return at;
}

void seen_add(struct seen *seen, enum policy_kind kind, const char *folded, size_t folded_bytes)
{
    uint64_t features[FOREIGN_FEATURES_MAX];
    const uint32_t count = foreign_features(&seen->key, kind, folded, folded_bytes, features);
    for (uint32_t i = 0; i < count && seen->count < SEEN_PLACES / 4 * 3; i++) {
        const uint32_t at = place_of(seen, features[i]);
        seen->count += seen->features[at] == 0 && features[i] != 0;
        seen->features[at] = features[i];
    }
}

bool seen_has(const struct seen *seen, enum policy_kind kind, const char *folded,
              size_t folded_bytes)
{
    uint64_t features[FOREIGN_FEATURES_MAX];
    const uint32_t count = foreign_features(&seen->key, kind, folded, folded_bytes, features);
    for (uint32_t i = 0; i < count; i++) {
        if (seen->features[place_of(seen, features[i])] == 0) {
            return false;
        }
    }
    return count > 0;
}
