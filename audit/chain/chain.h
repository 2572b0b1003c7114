/* chain.h - where the chain stands: the last hash, the epoch's MAC key, each tenant's tree. Drafts
 * go in, frames come out; frames go in, breaks come out. About 1.4 MiB. One thread. The key is the
 * only secret: create it in memory that is locked and cleared (chain_create does). */
#pragma once
#include "audit/chain/frame.h"
#include "audit/chain/merkle.h"
#include "audit/record/record.h"
#include "base/buffer.h"
#include "base/limits.h"

struct chain {
    uint64_t sequence; /* of the last record; 0: none */
    uint64_t epoch;    /* of key; the first is 0 */
    struct digest head;
    int64_t time_unix_ms; /* of the last record */
    uint32_t tenants_size;
    struct merkle tenants[LIMIT_TENANTS + 1]; /* by tenant id; 0: the server's own records */
    bool has_key;
    uint8_t key[DIGEST_BYTES];
};

/* An empty chain, without a key. NULL: no memory, or it cannot be locked. */
struct chain *chain_create(void);
void chain_destroy(struct chain *chain); /* NULL is fine */

void chain_set_key(struct chain *chain, const uint8_t key[DIGEST_BYTES]); /* of chain->epoch */
void chain_next_epoch(struct chain *chain); /* replaces the key if there is one */

/* ---- making: needs the key ------------------------------------------------------------------- */

enum { CHAIN_FRAME_BYTES_MAX = FRAME_HEADER_BYTES + RECORD_BODY_BYTES_MAX };

/* The next frame; time is now or, if that is earlier, that of the record before. Returns bytes. */
size_t chain_append(struct chain *chain, const struct record_draft *draft, int64_t now_unix_ms,
                    uint8_t out[CHAIN_FRAME_BYTES_MAX]);

/* The frame that begins a segment. STATUS_IO: no memory. */
MUST_CHECK enum status chain_write_snapshot(const struct chain *chain, struct buffer *out);

/* ---- following: with or without the key ------------------------------------------------------ */

enum chain_break {
    CHAIN_INTACT,
    CHAIN_BAD_SEQUENCE, /* not the next one */
    CHAIN_BAD_PREVIOUS, /* does not carry the hash of the one before */
    CHAIN_BAD_EPOCH,    /* earlier than before */
    CHAIN_BAD_RECORD,   /* body is not canonical, or its tenant, number or time does not fit */
    CHAIN_BAD_MAC,      /* only with a key */
};

/* Takes a frame (record or erased) into the chain if it fits. With a key, the key is brought to the
 * frame's epoch first. record may be NULL; else it is the parsed body (of RECORD frames). */
MUST_CHECK enum chain_break chain_follow(struct chain *chain, const struct frame *frame,
                                         struct record *record);

/* Replaces sequence, epoch, head, time and trees by those of a snapshot; a key stays only if its
 * epoch is not later, and is brought forward. STATUS_INVALID: malformed. */
MUST_CHECK enum status chain_read_snapshot(struct chain *chain, const struct frame *snapshot);

/* True when a snapshot says exactly what this chain says (keys aside). */
bool chain_is_at_snapshot(const struct chain *chain, const struct frame *snapshot);

/* Leaves of the tree of tenants, [tenants_size]; and its root. */
void chain_tenant_leaves(const struct chain *chain, struct digest out[LIMIT_TENANTS + 1]);
struct digest chain_tenant_leaf(struct tenant_id tenant, const struct merkle *tree);
struct digest chain_tenants_root(const struct chain *chain);
