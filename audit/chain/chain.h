/* chain.h - where the chain stands: the last hash, the epoch's MAC key, each tenant's tree. Drafts
 * go in, frames come out; frames go in, breaks come out. About 1.4 MiB. One thread. The key is the
 * only secret: chain_create keeps its memory out of swap and core dumps, and clears it.
 *
 * Body of a snapshot, little endian: u32 version 1, u32 tenants_size, u64 time of the last record;
 * then of each tenant 0 .. tenants_size - 1: u64 size, its peaks of 32 bytes, the largest first.
 * It has no MAC: the next checkpoint's roots cover all that it says. */
#pragma once
#include "audit/chain/frame.h"
#include "audit/chain/merkle.h"
#include "audit/record/record.h"
#include "base/buffer.h"
#include "base/limits.h"

/* Epochs end here, which one a second reaches after 34 years: a frame from outside that claims a
 * later one could keep whoever brings the key forward busy for ever. */
enum { CHAIN_EPOCH_MAX = 1 << 30 };

/* The tree of tenants as it was last computed: a leaf is hashed again when its tenant has more
 * records, a node when one below it was. Rows from the leaves up, behind one another. */
struct chain_tree {
    uint64_t known[LIMIT_TENANTS + 1]; /* the tenant's records then, and 1; 0: no leaf yet */
    struct digest nodes[2 * (LIMIT_TENANTS + 1) + 16];
};

struct chain {
    uint64_t sequence;     /* of the last record; 0: none */
    uint64_t record_epoch; /* of the last record */
    struct digest head;    /* hash of the last record */
    int64_t time_unix_ms;  /* of the last record, or, if that is erased, of one before */
    bool time_is_earlier;  /* the last record is erased */
    uint32_t tenants_size;
    struct merkle tenants[LIMIT_TENANTS + 1]; /* by tenant id; 0: the server's own records */
    struct chain_tree tree;
    uint64_t epoch; /* of key, not before record_epoch; the first is 0 */
    bool has_key;
    uint8_t key[DIGEST_BYTES];
    struct digest_stream mac; /* begun with key, so that a MAC need not begin anew */
};

/* An empty chain, without a key. NULL: no memory. Memory that cannot be locked is logged. */
struct chain *chain_create(void);
void chain_destroy(struct chain *chain); /* NULL is fine */

void chain_set_key(struct chain *chain, const uint8_t key[DIGEST_BYTES]); /* of chain->epoch */
void chain_forget_key(struct chain *chain);
void chain_next_epoch(struct chain *chain); /* replaces the key if there is one */

/* ---- making: needs the key ------------------------------------------------------------------- */

enum { CHAIN_FRAME_BYTES_MAX = FRAME_HEADER_BYTES + RECORD_BODY_BYTES_MAX };

/* The next frame; time is chain_next_time(now). Returns bytes. */
size_t chain_append(struct chain *chain, const struct record_draft *draft, int64_t now_unix_ms,
                    uint8_t out[CHAIN_FRAME_BYTES_MAX]);

/* now or, if that is earlier, the time of the record before; at most what a record can say. */
int64_t chain_next_time(const struct chain *chain, int64_t now_unix_ms);

/* The frame that begins a segment. STATUS_IO: no memory. */
MUST_CHECK enum status chain_write_snapshot(const struct chain *chain, struct buffer *out);

/* ---- following: with or without the key ------------------------------------------------------ */

enum chain_break {
    CHAIN_INTACT,
    CHAIN_BAD_SEQUENCE, /* not the next one */
    CHAIN_BAD_PREVIOUS, /* does not carry the hash of the one before */
    CHAIN_BAD_EPOCH,    /* earlier than before, or beyond CHAIN_EPOCH_MAX */
    CHAIN_BAD_RECORD,   /* body is not canonical, or its tenant, number, time or epoch do not fit */
    CHAIN_BAD_MAC,      /* only with a key */
};

/* Takes a frame (record or erased) into the chain if it fits; otherwise the chain is unchanged.
 * With a key, the key is brought to the frame's epoch. record may be NULL; else it is the parsed
 * body (of RECORD frames). */
MUST_CHECK enum chain_break chain_follow(struct chain *chain, const struct frame *frame,
                                         struct record *record);

/* Replaces sequence, epoch, head, time and trees by those of a snapshot; a key stays only if its
 * epoch is not later, and is brought forward. STATUS_INVALID: malformed, and nothing changed. */
MUST_CHECK enum status chain_read_snapshot(struct chain *chain, const struct frame *snapshot);

/* How many of the tenant's records come before a snapshot. False: malformed. */
bool chain_snapshot_count(const struct frame *snapshot, struct tenant_id tenant, uint64_t *out);

/* True when a snapshot says exactly what this chain says (keys aside; a snapshot may know the time
 * of a record that was erased). */
bool chain_is_at_snapshot(const struct chain *chain, const struct frame *snapshot);

/* Leaves of the tree of tenants, [tenants_size]; and its root, which costs what has changed since
 * it was last asked for. */
void chain_tenant_leaves(const struct chain *chain, struct digest out[LIMIT_TENANTS + 1]);
struct digest chain_tenant_leaf(struct tenant_id tenant, const struct merkle *tree);
struct digest chain_tenants_root(struct chain *chain);
