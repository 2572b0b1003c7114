/* verify.h - does the audit log fit together: checksums, sequence, hashes, epochs, MACs (with the
 * officer's key), signatures, trees, tenants' numbers, snapshots, the end that chain.state tells, a
 * copied checkpoint, and Redis. Stops at the first break. One thread, at the speed of SHA-256. */
#pragma once
#include "audit/redis/redis_link.h"
#include "audit/spool/spool_reader.h"

/* clang-format off */
enum verify_break {
    VERIFY_INTACT, VERIFY_BIT_FLIP, VERIFY_TRUNCATION, VERIFY_DELETION, VERIFY_INSERTION,
    VERIFY_SWAP, VERIFY_REPLAY, VERIFY_REWRITE, VERIFY_TRIMMED, VERIFY_DIFFERENCE, VERIFY_MALFORMED,
    VERIFY_BREAK_COUNT
};
/* clang-format on */
const char *verify_break_name(enum verify_break kind); /* "bit_flip" */

struct verify_options {
    const uint8_t *public_key;  /* [32]; NULL: signing.pub of the directory */
    const uint8_t *officer_key; /* [32]; NULL: officer.key of the directory, if it is there */
    const uint8_t *checkpoint;  /* body of a copied checkpoint; NULL: none */
    size_t checkpoint_bytes;
    void (*progress)(void *context, uint64_t bytes_done, uint64_t bytes_total); /* or NULL */
    void *progress_context;
};

struct verify_result {
    enum verify_break kind;
    uint64_t sequence;             /* at or before which it broke; 0: none */
    struct spool_place place;      /* of a spool */
    char text[FAILURE_TEXT_BYTES]; /* what was found; when intact, what was not checked */
    uint64_t first_sequence, records, erased, checkpoints, bytes;
    uint64_t last_signed; /* last sequence that a checkpoint covers; of a proof the last number */
    uint64_t torn_bytes;  /* behind the end: never told to be kept */
    uint64_t macs_checked;
    bool is_live; /* a server is writing: the end moves */
};

/* STATUS_OK also when there is a break: look at result->kind. Others: it could not be read. */
MUST_CHECK enum status verify_spool(const char *directory, const struct verify_options *options,
                                    struct verify_result *out, struct failure *failure);

/* The copy in Redis: its chain by itself, and, when directory is not NULL, against the spool. The
 * views of all tenants too. */
MUST_CHECK enum status verify_redis(const struct redis_terms *terms, const char *prefix,
                                    const char *directory, const struct verify_options *options,
                                    struct verify_result *out, struct failure *failure);
