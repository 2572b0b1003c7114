/* proof.h - a bundle that proves one tenant's records between two checkpoints: they are all there,
 * in order, unchanged. JSON lines: a head, the outline of the checkpoint before with its path, the
 * tenant's peaks there, the records (bodies; of erased ones the leaf hash), the outline after.
 * Checked with the public key alone, offline. How it follows: README.md of audit/chain. */
#pragma once
#include <stdio.h>

#include "audit/examine/query.h"
#include "audit/examine/verify.h"

/* From the last checkpoint before `from` (or the beginning) to the first at or after `to` (or the
 * last). STATUS_NOT_FOUND: no checkpoint after; no such tenant. */
MUST_CHECK enum status proof_write(const char *directory, const struct query *query, FILE *out,
                                   uint64_t *count, struct failure *failure);

struct proof_summary {
    char tenant_name[RECORD_NAME_BYTES];
    struct tenant_id tenant;
    uint64_t first_number, last_number, erased;
    int64_t from_unix_ms, to_unix_ms; /* of the two checkpoints; from 0: the beginning */
};

/* A bundle in memory. STATUS_OK also when it proves nothing: look at result->kind. */
MUST_CHECK enum status proof_verify(const char *bytes, size_t length,
                                    const uint8_t public_key[CHECKPOINT_KEY_BYTES],
                                    struct proof_summary *summary, struct verify_result *result,
                                    struct failure *failure);
