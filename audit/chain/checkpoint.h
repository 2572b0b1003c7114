/* checkpoint.h - a signed record that says where the chain stands: after how many records, with
 * what hash, in which epoch, with which records of each tenant. It can be copied anywhere and
 * checked with the public key alone. Made about every second and every 1,000 records. Pure
 * functions. */
#pragma once
#include "audit/chain/chain.h"
#include "base/failure.h"

enum {
    CHECKPOINT_KEY_BYTES = 32,    /* Ed25519 public key, and seed */
    CHECKPOINT_SECRET_BYTES = 64, /* as libsodium keeps it */
    CHECKPOINT_SIGNATURE_BYTES = 64,
    CHECKPOINT_OUTLINE_BYTES =
        CHECKPOINT_KEY_BYTES + 8 + 4 + 2 * DIGEST_BYTES + CHECKPOINT_SIGNATURE_BYTES,
};

/* The next frame of the chain: a checkpoint over all before it. Returns bytes. */
size_t checkpoint_append(struct chain *chain, const uint8_t secret[CHECKPOINT_SECRET_BYTES],
                         int64_t now_unix_ms, uint8_t out[CHAIN_FRAME_BYTES_MAX]);

/* What a checkpoint says, once its signature was found good. */
struct checkpoint {
    uint8_t chain_id[CHECKPOINT_KEY_BYTES];
    int64_t time_unix_ms;
    uint64_t sequence, epoch;
    struct digest head, tenants_root;
    uint32_t tenants_size;
};

/* body: of a chain.checkpoint record. STATUS_INVALID: not a canonical checkpoint, of another chain
 * than chain_id, or the signature is bad; failure says which. */
MUST_CHECK enum status checkpoint_check(const uint8_t *body, size_t length,
                                        const uint8_t chain_id[CHECKPOINT_KEY_BYTES],
                                        struct checkpoint *out, struct failure *failure);

/* True when it describes the chain as it is just before the checkpoint's own record. */
bool checkpoint_fits(const struct checkpoint *checkpoint, struct chain *chain);

/* What one tenant is given of a checkpoint: chain id, time u64, tenants_size u32, tenants_root, the
 * digest of all the rest, signature. It proves the tenant's tree and tells nothing of how many
 * records others have. */
struct checkpoint_outline {
    int64_t time_unix_ms;
    uint32_t tenants_size;
    struct digest tenants_root;
};
/* STATUS_INVALID: the body is no canonical checkpoint. Its signature is not checked. */
MUST_CHECK enum status checkpoint_write_outline(const uint8_t *body, size_t length,
                                                uint8_t out[CHECKPOINT_OUTLINE_BYTES],
                                                struct failure *failure);
/* STATUS_INVALID: of another chain, or the signature is bad; failure says which. */
MUST_CHECK enum status checkpoint_check_outline(const uint8_t outline[CHECKPOINT_OUTLINE_BYTES],
                                                const uint8_t chain_id[CHECKPOINT_KEY_BYTES],
                                                struct checkpoint_outline *out,
                                                struct failure *failure);

/* The form that is copied elsewhere: "ward-checkpoint 1 BASE64(body)", one line without newline,
 * and back. out of read holds RECORD_BODY_BYTES_MAX. STATUS_INVALID: not spelled like that;
 * STATUS_TOO_LARGE: no body is that long. */
MUST_CHECK enum status checkpoint_write_line(const uint8_t *body, size_t length,
                                             struct buffer *out);
MUST_CHECK enum status checkpoint_read_line(const char *line, size_t length, uint8_t *out,
                                            size_t *out_length);
