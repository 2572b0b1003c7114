/* values.h - the values of one session: numbers by value, raw text by number. Texts lie in pages
 * that never move, are kept from swap where the system allows, and are zeroed when they go. What is
 * looked up is a keyed hash of 64 bits, so folded text is not kept. Owner and lock: the vault. */
#pragma once
#include "policy/filter/vault/foreign.h"

struct value {
    enum policy_kind kind;
    uint32_t number;
    const char *raw;
    size_t raw_bytes;
};

struct values { /* start from {0} */
    struct value *list;
    uint32_t count, capacity;
    struct known *known; /* open addressing of hash -> index in list */
    uint32_t known_count, known_capacity;
    uint64_t *features; /* that the foreign table holds for this session */
    uint32_t feature_count, feature_capacity;
    struct page *pages; /* of text, the newest first */
    uint32_t numbers[POLICY_KIND_COUNT];
};

void values_clear(struct values *values); /* zeroes and frees all, back to {0} */

/* The value's number, 0: it has none. is_word: a word of one longer name counts too. */
uint32_t values_find(const struct values *values, const struct foreign_key *key,
                     enum policy_kind kind, const char *folded, size_t folded_bytes);

/* Also as a word of any name. */
bool values_hold(const struct values *values, const struct foreign_key *key, enum policy_kind kind,
                 const char *folded, size_t folded_bytes);

/* NULL: there is none. */
const struct value *values_numbered(const struct values *values, const struct foreign_key *key,
                                    enum policy_kind kind, uint32_t number);

/* A value that values_find does not find gets the next number of its kind. STATUS_FULL: no memory;
 * nothing changed. There is room for FOREIGN_FEATURES_MAX more features afterwards. */
struct new_value {
    enum policy_kind kind;
    const char *folded, *raw;
    size_t folded_bytes, raw_bytes; /* at most VAULT_VALUE_BYTES each */
};
MUST_CHECK enum status values_add(struct values *values, const struct foreign_key *key,
                                  const struct new_value *value, uint32_t *number);
