/* seen.h - what the texts of one request named themselves, as keyed hashes: a value that the prompt
 * holds is no other tenant's secret in the answer, and stopping it would tell a tenant what others
 * have. A plain value; seen_start it. One thread until it is only read. */
#pragma once
#include "policy/filter/vault/foreign.h"

enum { SEEN_PLACES = 4096 }; /* a power of two; three quarters are used, what follows is not seen */

struct seen {
    struct foreign_key key;
    uint32_t count;
    uint64_t features[SEEN_PLACES]; /* open addressing; 0: free */
};

void seen_start(struct seen *seen);
void seen_add(struct seen *seen, enum policy_kind kind, const char *folded, size_t folded_bytes);

/* All that is distinctive in the value was seen. */
bool seen_has(const struct seen *seen, enum policy_kind kind, const char *folded,
              size_t folded_bytes);
