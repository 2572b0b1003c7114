/* Making, following and summing up the chain. A frame is taken in only when all of it fits, and the
 * key moves with it, so that a bad frame leaves no trace. */
#include "audit/chain/chain.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/chain/little_endian.h"
#include "audit/record/record_schema.h"
#include "base/assert.h"
#include "base/log.h"

static const char NEXT_EPOCH[] = "ward next epoch";

/* ---- memory and key -------------------------------------------------------------------------- */

/* The pages that hold the key: from the start of the one in which it begins to the end. */
static uint8_t *locked_start(struct chain *chain, size_t *out_bytes)
{
    const size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    const size_t key_at = (size_t)(chain->key - (uint8_t *)chain);
    const size_t start = key_at - key_at % page_bytes;
    *out_bytes = sizeof(struct chain) - start;
    return (uint8_t *)chain + start;
}

/* On pages of its own, so that unlocking them unlocks nothing else. */
struct chain *chain_create(void)
{
    const size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    const size_t bytes = (sizeof(struct chain) + page_bytes - 1) / page_bytes * page_bytes;
    struct chain *chain = aligned_alloc(page_bytes, bytes);
    if (!chain) {
        return NULL;
    }
    memset(chain, 0, bytes);
    size_t locked_bytes;
    uint8_t *locked = locked_start(chain, &locked_bytes);
    if (sodium_mlock(locked, locked_bytes) != 0) {
        log_event(LOG_LEVEL_WARN, "audit", "chain.key_not_locked",
                  "reason=\"memory cannot be locked: raise the limit on locked memory\"");
    }
    return chain;
}

void chain_forget_key(struct chain *chain)
{
    sodium_memzero(chain->key, sizeof chain->key);
    sodium_memzero(&chain->mac, sizeof chain->mac);
    chain->has_key = false;
}

void chain_destroy(struct chain *chain)
{
    if (chain) {
        size_t locked_bytes;
        uint8_t *locked = locked_start(chain, &locked_bytes);
        chain_forget_key(chain);
        sodium_munlock(locked, locked_bytes);
        free(chain);
    }
}

static void bring_forward(uint8_t key[DIGEST_BYTES], uint64_t epochs)
{
    struct digest next;
    for (; epochs > 0; epochs--) {
        next = digest_hmac(key, NEXT_EPOCH, sizeof NEXT_EPOCH - 1);
        memcpy(key, next.bytes, DIGEST_BYTES);
    }
    sodium_memzero(&next, sizeof next);
}

void chain_set_key(struct chain *chain, const uint8_t key[DIGEST_BYTES])
{
    memcpy(chain->key, key, DIGEST_BYTES);
    digest_stream_begin(&chain->mac, key);
    chain->has_key = true;
}

static void set_key_of_later_epoch(struct chain *chain, uint64_t epochs)
{
    uint8_t key[DIGEST_BYTES];
    memcpy(key, chain->key, sizeof key);
    bring_forward(key, epochs);
    chain_set_key(chain, key);
    sodium_memzero(key, sizeof key);
}

void chain_next_epoch(struct chain *chain)
{
    ASSERT(chain->epoch < CHAIN_EPOCH_MAX);
    chain->epoch++;
    if (chain->has_key) {
        set_key_of_later_epoch(chain, 1);
    }
}

/* ---- making ---------------------------------------------------------------------------------- */

static void take(struct chain *chain, const struct frame *frame, struct digest leaf,
                 struct digest hash)
{
    const uint32_t tenant = frame->tenant.value;
    chain->sequence = frame->sequence;
    chain->record_epoch = frame->epoch;
    chain->epoch = frame->epoch;
    chain->head = hash;
    merkle_append(&chain->tenants[tenant], leaf);
    if (chain->tenants_size <= tenant) {
        chain->tenants_size = tenant + 1;
    }
}

static void set_time(struct chain *chain, int64_t time_unix_ms)
{
    chain->time_unix_ms = time_unix_ms;
    chain->time_is_earlier = false;
}

int64_t chain_next_time(const struct chain *chain, int64_t now_unix_ms)
{
    const int64_t now =
        now_unix_ms < RECORD_SCHEMA_TIME_MAX_MS ? now_unix_ms : RECORD_SCHEMA_TIME_MAX_MS;
    return now > chain->time_unix_ms ? now : chain->time_unix_ms;
}

size_t chain_append(struct chain *chain, const struct record_draft *draft, int64_t now_unix_ms,
                    uint8_t out[CHAIN_FRAME_BYTES_MAX])
{
    ASSERT(chain->has_key && draft->tenant.value <= LIMIT_TENANTS);
    const uint64_t number = chain->tenants[draft->tenant.value].size + 1;
    const int64_t time_unix_ms = chain_next_time(chain, now_unix_ms);
    uint8_t *body = out + FRAME_HEADER_BYTES;
    struct frame frame = {
        .kind = FRAME_RECORD,
        .tenant = draft->tenant,
        .sequence = chain->sequence + 1,
        .epoch = chain->epoch,
        .previous = chain->head,
        .body = body,
        .body_bytes = record_encode(draft, number, time_unix_ms, body),
    };
    const struct digest leaf = frame_leaf(&frame);
    const struct digest hash = frame_hash_over(&frame, leaf);
    frame.mac = digest_stream_mac(&chain->mac, hash.bytes, sizeof hash.bytes);
    take(chain, &frame, leaf, hash);
    set_time(chain, time_unix_ms);
    return frame_write(&frame, out);
}

/* ---- following ------------------------------------------------------------------------------- */

/* What a checkpoint says of its own frame beyond the chain before it (checkpoint_fits). */
static bool epoch_fits(const struct frame *frame, const struct record *record)
{
    return record->event != RECORD_EVENT_CHAIN_CHECKPOINT
           || record->fields[RECORD_FIELD_epoch].uint == frame->epoch;
}

static bool record_fits(const struct chain *chain, const struct frame *frame, struct record *record)
{
    if (frame->tenant.value > LIMIT_TENANTS
        || chain->tenants[frame->tenant.value].size >= MERKLE_SIZE_MAX) {
        return false;
    }
    if (frame->kind != FRAME_RECORD) {
        return frame->kind == FRAME_ERASED;
    }
    return record_parse(frame->body, frame->body_bytes, record) == STATUS_OK
           && tenant_same(record->tenant, frame->tenant)
           && record->number == chain->tenants[frame->tenant.value].size + 1
           && record->time_unix_ms >= chain->time_unix_ms && epoch_fits(frame, record);
}

/* On success the chain's key is that of the frame's epoch. */
static bool mac_fits(struct chain *chain, const struct frame *frame, struct digest hash)
{
    if (frame->epoch == chain->epoch) {
        return digest_same(frame->mac,
                           digest_stream_mac(&chain->mac, hash.bytes, sizeof hash.bytes));
    }
    uint8_t key[DIGEST_BYTES];
    memcpy(key, chain->key, sizeof key);
    bring_forward(key, frame->epoch - chain->epoch);
    const bool fits = digest_same(frame->mac, digest_hmac(key, hash.bytes, sizeof hash.bytes));
    if (fits) {
        chain_set_key(chain, key);
    }
    sodium_memzero(key, sizeof key);
    return fits;
}

enum chain_break chain_follow(struct chain *chain, const struct frame *frame, struct record *record)
{
    struct record unused;
    record = record ? record : &unused;
    if (frame->sequence != chain->sequence + 1) {
        return CHAIN_BAD_SEQUENCE;
    }
    if (!digest_same(frame->previous, chain->head)) {
        return CHAIN_BAD_PREVIOUS;
    }
    if (frame->epoch < chain->epoch || frame->epoch > CHAIN_EPOCH_MAX) {
        return CHAIN_BAD_EPOCH;
    }
    if (!record_fits(chain, frame, record)) {
        return CHAIN_BAD_RECORD;
    }
    const struct digest leaf = frame_leaf(frame);
    const struct digest hash = frame_hash_over(frame, leaf);
    if (chain->has_key && !mac_fits(chain, frame, hash)) {
        return CHAIN_BAD_MAC;
    }
    take(chain, frame, leaf, hash);
    if (frame->kind == FRAME_RECORD) {
        set_time(chain, record->time_unix_ms);
    } else {
        chain->time_is_earlier = true;
    }
    return CHAIN_INTACT;
}

/* ---- snapshots ------------------------------------------------------------------------------- */

enum { SNAPSHOT_VERSION = 1, SNAPSHOT_HEAD_BYTES = 4 + 4 + 8 };

struct cursor {
    const uint8_t *at;
    size_t left;
};

static const uint8_t *next_bytes(struct cursor *cursor, size_t bytes)
{
    if (cursor->left < bytes) {
        return NULL;
    }
    const uint8_t *at = cursor->at;
    cursor->at += bytes;
    cursor->left -= bytes;
    return at;
}

static size_t peaks_bytes(uint64_t size)
{
    return (size_t)merkle_peak_count(size) * DIGEST_BYTES;
}

static bool read_tree(struct cursor *cursor, struct merkle *out)
{
    const uint8_t *size = next_bytes(cursor, 8);
    out->size = size ? little_endian_read_u64(size) : UINT64_MAX;
    if (out->size > MERKLE_SIZE_MAX) {
        return false;
    }
    const uint8_t *peaks = next_bytes(cursor, peaks_bytes(out->size));
    if (peaks) {
        memcpy(out->peaks, peaks, peaks_bytes(out->size));
    }
    return peaks != NULL;
}

struct snapshot {
    uint32_t tenants_size;
    int64_t time_unix_ms;
    struct cursor trees;
};

static bool read_head(const struct frame *frame, struct snapshot *out)
{
    struct cursor cursor = {frame->body, frame->body_bytes};
    const uint8_t *head = next_bytes(&cursor, SNAPSHOT_HEAD_BYTES);
    if (frame->kind != FRAME_SNAPSHOT || frame->tenant.value != 0 || !head
        || little_endian_read_u32(head) != SNAPSHOT_VERSION) {
        return false;
    }
    out->tenants_size = little_endian_read_u32(head + 4);
    const uint64_t time_unix_ms = little_endian_read_u64(head + 8);
    out->time_unix_ms = (int64_t)time_unix_ms;
    out->trees = cursor;
    return out->tenants_size <= LIMIT_TENANTS + 1 && time_unix_ms <= RECORD_SCHEMA_TIME_MAX_MS
           && frame->epoch <= CHAIN_EPOCH_MAX && digest_same(frame->mac, (struct digest){{0}});
}

/* Every record is a leaf of one tenant, and the tenant with the highest id has some. */
static bool trees_fit(struct snapshot snapshot, uint64_t sequence)
{
    struct merkle tree = {0};
    uint64_t leaves = 0;
    for (uint32_t i = 0; i < snapshot.tenants_size; i++) {
        if (!read_tree(&snapshot.trees, &tree)) {
            return false;
        }
        leaves += tree.size;
    }
    return snapshot.trees.left == 0 && leaves == sequence
           && (snapshot.tenants_size == 0 || tree.size > 0);
}

static bool beginning_fits(const struct frame *frame, const struct snapshot *snapshot)
{
    return frame->sequence > 0
           || (frame->epoch == 0 && snapshot->time_unix_ms == 0
               && digest_same(frame->previous, (struct digest){{0}}));
}

enum status chain_read_snapshot(struct chain *chain, const struct frame *snapshot)
{
    struct snapshot read;
    if (!read_head(snapshot, &read) || !trees_fit(read, snapshot->sequence)
        || !beginning_fits(snapshot, &read)) {
        return STATUS_INVALID;
    }
    memset(chain->tenants, 0, sizeof chain->tenants);
    memset(chain->tree.known, 0, sizeof chain->tree.known);
    for (uint32_t i = 0; i < read.tenants_size; i++) {
        const bool is_whole = read_tree(&read.trees, &chain->tenants[i]);
        ASSERT(is_whole);
    }
    if (chain->has_key && chain->epoch <= snapshot->epoch) {
        set_key_of_later_epoch(chain, snapshot->epoch - chain->epoch);
    } else {
        chain_forget_key(chain);
    }
    chain->sequence = snapshot->sequence;
    chain->record_epoch = snapshot->epoch;
    chain->epoch = snapshot->epoch;
    chain->head = snapshot->previous;
    chain->tenants_size = read.tenants_size;
    set_time(chain, read.time_unix_ms);
    return STATUS_OK;
}

bool chain_is_at_snapshot(const struct chain *chain, const struct frame *snapshot)
{
    struct snapshot read;
    if (!read_head(snapshot, &read) || snapshot->sequence != chain->sequence
        || snapshot->epoch != chain->record_epoch || read.tenants_size != chain->tenants_size
        || !digest_same(snapshot->previous, chain->head)) {
        return false;
    }
    for (uint32_t i = 0; i < read.tenants_size; i++) {
        struct merkle tree;
        if (!read_tree(&read.trees, &tree) || tree.size != chain->tenants[i].size
            || memcmp(tree.peaks, chain->tenants[i].peaks, peaks_bytes(tree.size)) != 0) {
            return false;
        }
    }
    return read.trees.left == 0
           && (chain->time_is_earlier ? read.time_unix_ms >= chain->time_unix_ms
                                      : read.time_unix_ms == chain->time_unix_ms);
}

static size_t snapshot_body_bytes(const struct chain *chain)
{
    size_t bytes = SNAPSHOT_HEAD_BYTES;
    for (uint32_t i = 0; i < chain->tenants_size; i++) {
        bytes += 8 + peaks_bytes(chain->tenants[i].size);
    }
    return bytes;
}

static void write_body(const struct chain *chain, uint8_t *out)
{
    little_endian_write_u32(out, SNAPSHOT_VERSION);
    little_endian_write_u32(out + 4, chain->tenants_size);
    little_endian_write_u64(out + 8, (uint64_t)chain->time_unix_ms);
    out += SNAPSHOT_HEAD_BYTES;
    for (uint32_t i = 0; i < chain->tenants_size; i++) {
        const struct merkle *tree = &chain->tenants[i];
        little_endian_write_u64(out, tree->size);
        memcpy(out + 8, tree->peaks, peaks_bytes(tree->size));
        out += 8 + peaks_bytes(tree->size);
    }
}

enum status chain_write_snapshot(const struct chain *chain, struct buffer *out)
{
    const size_t body_bytes = snapshot_body_bytes(chain);
    uint8_t *bytes = malloc(FRAME_HEADER_BYTES + body_bytes);
    if (!bytes) {
        return STATUS_IO;
    }
    const struct frame frame = {
        .kind = FRAME_SNAPSHOT,
        .sequence = chain->sequence,
        .epoch = chain->record_epoch,
        .previous = chain->head,
        .body = bytes + FRAME_HEADER_BYTES,
        .body_bytes = body_bytes,
    };
    write_body(chain, bytes + FRAME_HEADER_BYTES);
    const size_t frame_bytes = frame_write(&frame, bytes);
    const enum status status = buffer_append(out, (const char *)bytes, frame_bytes);
    free(bytes);
    return status;
}

bool chain_snapshot_count(const struct frame *snapshot, struct tenant_id tenant, uint64_t *out)
{
    struct snapshot read;
    struct merkle tree = {0};
    *out = 0;
    if (!read_head(snapshot, &read) || !trees_fit(read, snapshot->sequence)) {
        return false;
    }
    for (uint32_t i = 0; i <= tenant.value && i < read.tenants_size; i++) {
        const bool is_whole = read_tree(&read.trees, &tree);
        ASSERT(is_whole);
        *out = i == tenant.value ? tree.size : 0;
    }
    return true;
}

/* ---- the tree of tenants --------------------------------------------------------------------- */

struct digest chain_tenant_leaf(struct tenant_id tenant, const struct merkle *tree)
{
    static const char label[] = {'\0', 't', 'e', 'n', 'a', 'n', 't'};
    uint8_t input[sizeof label + 4 + 8 + DIGEST_BYTES];
    const struct digest root = merkle_root(tree);
    memcpy(input, label, sizeof label);
    little_endian_write_u32(input + sizeof label, tenant.value);
    little_endian_write_u64(input + sizeof label + 4, tree->size);
    memcpy(input + sizeof label + 12, root.bytes, DIGEST_BYTES);
    return digest_of(input, sizeof input);
}

void chain_tenant_leaves(const struct chain *chain, struct digest out[LIMIT_TENANTS + 1])
{
    for (uint32_t i = 0; i < chain->tenants_size; i++) {
        out[i] = chain_tenant_leaf((struct tenant_id){i}, &chain->tenants[i]);
    }
}

/* Hashes the leaves that have changed, and says which. */
static void refresh_leaves(struct chain *chain, bool is_new[LIMIT_TENANTS + 1])
{
    struct chain_tree *tree = &chain->tree;
    for (uint32_t i = 0; i < chain->tenants_size; i++) {
        const uint64_t known = chain->tenants[i].size + 1;
        is_new[i] = tree->known[i] != known;
        if (is_new[i]) {
            tree->nodes[i] = chain_tenant_leaf((struct tenant_id){i}, &chain->tenants[i]);
            tree->known[i] = known;
        }
    }
}

/* Row by row. The last node of an odd row stands for itself in the row above: the same tree as that
 * of RFC 6962, which splits at the largest power of two. Whatever a new tenant changes is above its
 * leaf, so growing needs no care. */
struct digest chain_tenants_root(struct chain *chain)
{
    struct chain_tree *tree = &chain->tree;
    bool is_new[LIMIT_TENANTS + 1];
    if (chain->tenants_size == 0) {
        return digest_of("", 0);
    }
    refresh_leaves(chain, is_new);
    struct digest *row = tree->nodes;
    uint32_t room = LIMIT_TENANTS + 1;
    for (uint32_t count = chain->tenants_size; count > 1; count = (count + 1) / 2) {
        struct digest *above = row + room;
        for (uint32_t left = 0; left < count; left += 2) {
            const uint32_t right = left + 1 < count ? left + 1 : left;
            is_new[left / 2] = is_new[left] || is_new[right];
            if (is_new[left / 2]) {
                above[left / 2] = right > left ? merkle_node(row[left], row[right]) : row[left];
            }
        }
        row = above;
        room = (room + 1) / 2;
    }
    return row[0];
}
