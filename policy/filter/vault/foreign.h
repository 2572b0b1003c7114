/* foreign.h - which tenants hold a value, as keyed hashes of what is distinctive in it (features),
 * so that a value seen in other tenants' sessions alone is known. Owner and lock: the vault.
 * Memory: one table of a fixed size, taken at create; a feature that finds no room is not watched.
 */
#pragma once
#include "base/ids.h"
#include "base/status.h"
#include "policy/kind.h"

struct foreign;

enum {
    FOREIGN_FEATURES_MAX = 64, /* of one value; what follows is not watched */
    FOREIGN_TENANTS_MAX = 4    /* a feature of more tenants is common: nobody's own */
};

/* entries: rounded up to a power of two. STATUS_IO: no memory. */
MUST_CHECK enum status foreign_create(uint32_t entries, struct foreign **out);
void foreign_destroy(struct foreign *foreign); /* zeroes; NULL is fine */

/* The features of a folded value; returns how many, 0: it is not distinctive. Of a name every two
 * words that follow one another (initials left out, their order too), of a street every three with
 * a digit among them, of an address or username all of it, of a code every 8 letters or digits, or
 * all if it has 7. Dates, places, networks and web addresses are shared by chance: none. */
struct foreign_key {
    unsigned char bytes[16]; /* crypto_shorthash */
};
uint32_t foreign_features(const struct foreign_key *key, enum policy_kind kind, const char *folded,
                          size_t folded_bytes, uint64_t out[FOREIGN_FEATURES_MAX]);

/* False: no room. Each that was added is removed once. */
bool foreign_add(struct foreign *foreign, struct tenant_id tenant, uint64_t feature);
void foreign_remove(struct foreign *foreign, struct tenant_id tenant, uint64_t feature);

/* Others hold features of one value and this tenant does not: any of a name, street or address,
 * more than half of a code, whose beginning may be the same for everybody (a card's issuer, a
 * clinic's prefix). */
bool foreign_is(const struct foreign *foreign, struct tenant_id tenant, enum policy_kind kind,
                const uint64_t *features, uint32_t count);
