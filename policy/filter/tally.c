#include "policy/filter/tally.h"

#include <stddef.h>
#include <string.h>

void tally_add(struct tally *tally, const struct tally *more)
{
    for (size_t action = 0; action < POLICY_ACTION_COUNT; action++) {
        for (size_t kind = 0; kind < POLICY_KIND_COUNT; kind++) {
            tally->counts[action][kind] += more->counts[action][kind];
        }
    }
    tally->disguised += more->disguised;
    tally->restored += more->restored;
    tally->unknown_pseudonyms += more->unknown_pseudonyms;
    tally->crossed += more->crossed;
    tally->canaries += more->canaries;
    tally->corrected += more->corrected;
    tally->claims += more->claims;
}

const char *tally_blocked(const struct tally *tally, char *out, size_t out_bytes)
{
    size_t length = 0;
    out[0] = '\0';
    for (size_t kind = 0; kind < POLICY_KIND_COUNT; kind++) {
        const char *const name = policy_kind_name((enum policy_kind)kind);
        const size_t name_bytes = strlen(name);
        const size_t comma_bytes = length > 0 ? 2 : 0;
        if (tally->counts[POLICY_BLOCK][kind] == 0
            || length + comma_bytes + name_bytes + 1 > out_bytes) {
            continue;
        }
        memcpy(out + length, ", ", comma_bytes);
        memcpy(out + length + comma_bytes, name, name_bytes + 1);
        length += comma_bytes + name_bytes;
    }
    return out;
}
