/* Method: seeded random chains are made, then followed with and without the key, whole and erased:
 * the state must be that of the maker. One frame at a time is tampered with in every way that is
 * listed, and must give its break and leave the follower as it was. */
#include "audit/chain/chain.h"

#include <stdlib.h>
#include <string.h>

#include "audit/chain/little_endian.h"
#include "base/assert.h"
#include "tests/audit/support_chain.h"
#include "tests/audit/support_digest.h"
#include "tests/check.h"

enum { SEEDS = 6, RECORDS = 300 };

static struct support_frames kept;

static struct chain *grown(uint64_t seed, size_t count)
{
    struct random_source random = {seed};
    struct chain *chain = support_chain_create();
    kept.count = 0;
    support_chain_grow(chain, &random, &kept, count);
    return chain;
}

static void follow_all(struct chain *chain, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        struct record record;
        const enum chain_break got = chain_follow(chain, &kept.frames[i], &record);
        CHECK(got == CHAIN_INTACT, "frame %zu: %d", i, got);
        CHECK(record.number == chain->tenants[record.tenant.value].size, "number of %zu", i);
        CHECK(record.tenant.value < chain->tenants_size, "size at %zu", i);
    }
}

static void following_ends_where_making_did(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct chain *made = grown(seed, RECORDS);
        struct chain *with_key = support_chain_create();
        struct chain *without = chain_create();
        fprintf(stderr, "seed %d\n", (int)seed);
        follow_all(with_key, 0, RECORDS);
        follow_all(without, 0, RECORDS);
        CHECK(support_chain_same(made, with_key), "with the key");
        CHECK(support_chain_same(made, without), "without");
        CHECK(with_key->has_key && !without->has_key, "keys");
        CHECK(with_key->epoch == made->epoch && with_key->epoch > 0, "epoch");
        CHECK(!memcmp(with_key->key, made->key, DIGEST_BYTES), "key of the last epoch");
        CHECK(digest_same(chain_tenants_root(made), chain_tenants_root(without)), "root");
        chain_destroy(made);
        chain_destroy(with_key);
        chain_destroy(without);
    }
}

static void erased_bodies_leave_hashes_and_macs_whole(void)
{
    struct random_source random = {11};
    struct chain *made = grown(7, RECORDS);
    struct chain *follower = support_chain_create();
    for (size_t i = 0; i < RECORDS; i++) {
        struct digest leaf;
        const struct frame erased = support_chain_erase(&kept.frames[i], &leaf);
        const bool erases = random_below(&random, 3) == 0 || i + 1 == RECORDS;
        CHECK(chain_follow(follower, erases ? &erased : &kept.frames[i], NULL) == CHAIN_INTACT,
              "frame %zu", i);
        CHECK(follower->time_is_earlier == erases, "time of %zu", i);
    }
    CHECK(follower->time_unix_ms <= made->time_unix_ms, "a time from before");
    follower->time_unix_ms = made->time_unix_ms;
    follower->time_is_earlier = false;
    CHECK(support_chain_same(made, follower), "all else is the same");
    chain_destroy(made);
    chain_destroy(follower);
}

static void time_never_goes_back(void)
{
    struct chain *chain = support_chain_create();
    struct random_source random = {5};
    struct record_draft draft;
    struct record record;
    struct frame frame;
    uint8_t bytes[CHAIN_FRAME_BYTES_MAX];
    static const int64_t clock[] = {5000, 4000, INT64_MIN, 5001, 1, INT64_MAX};
    static const int64_t want[] = {5000, 5000, 5000,
                                   5001, 5001, 253402300799999}; /* the year 9999 */
    for (size_t i = 0; i < sizeof clock / sizeof clock[0]; i++) {
        size_t read = 0;
        support_chain_draft(&random, &draft);
        const size_t written = chain_append(chain, &draft, clock[i], bytes);
        CHECK(frame_parse(bytes, written, &frame, &read) == STATUS_OK, "parse");
        CHECK(record_parse(frame.body, frame.body_bytes, &record) == STATUS_OK, "record");
        CHECK(record.time_unix_ms == want[i] && chain->time_unix_ms == want[i], "step %zu", i);
    }
    chain_destroy(chain);
}

/* ---- tampering ------------------------------------------------------------------------------- */

enum { AT = 150 }; /* the frame that is tampered with; the follower stands before it */

static uint8_t scratch[RECORD_BODY_BYTES_MAX + 1];
static struct digest wrong_leaf;
static const struct chain *standing; /* the follower */

static void change_body(struct frame *frame, size_t at, uint8_t bits)
{
    memcpy(scratch, frame->body, frame->body_bytes);
    scratch[at] ^= bits;
    frame->body = scratch;
}

/* The same record with another number or time. */
static void encode_again(struct frame *frame, uint64_t number_more, int64_t time_more)
{
    struct record record;
    struct record_draft draft;
    struct random_source random = {1};
    ASSERT(record_parse(frame->body, frame->body_bytes, &record) == STATUS_OK);
    do {
        support_chain_draft(&random, &draft);
    } while (!tenant_same(draft.tenant, record.tenant));
    frame->body = scratch;
    frame->body_bytes = record_encode(&draft, record.number + number_more,
                                      record.time_unix_ms + time_more, scratch);
}

static void skip_one(struct frame *frame)
{
    frame->sequence++;
}
static void repeat_one(struct frame *frame)
{
    frame->sequence--;
}
static void other_previous(struct frame *frame)
{
    frame->previous.bytes[31] ^= 1;
}
static void earlier_epoch(struct frame *frame)
{
    frame->epoch = kept.frames[AT - 1].epoch - 1;
}
static void endless_epoch(struct frame *frame)
{
    frame->epoch = (uint64_t)CHAIN_EPOCH_MAX + 1;
}
static void later_epoch(struct frame *frame)
{
    frame->epoch++;
}
static void other_mac(struct frame *frame)
{
    frame->mac.bytes[0] ^= 0x80;
}
static void no_record(struct frame *frame)
{
    frame->kind = FRAME_SNAPSHOT;
}
static void no_tenant(struct frame *frame)
{
    frame->tenant.value = LIMIT_TENANTS + 1;
}
static void far_tenant(struct frame *frame)
{
    frame->tenant.value = UINT32_MAX;
}
static void no_body(struct frame *frame)
{
    frame->body_bytes = 0;
}
static void cut_body(struct frame *frame)
{
    frame->body_bytes--;
}
static void other_number(struct frame *frame)
{
    encode_again(frame, 1, 0);
}
static void earlier_time(struct frame *frame)
{
    encode_again(frame, 0, -1000000);
}
static void other_record(struct frame *frame)
{
    encode_again(frame, 0, 0);
}
static void last_bit(struct frame *frame)
{
    change_body(frame, frame->body_bytes - 1, 1);
}
static void first_bit(struct frame *frame)
{
    change_body(frame, 0, 1);
}

static void erased_of_no_tenant(struct frame *frame)
{
    *frame = support_chain_erase(frame, &wrong_leaf);
    frame->tenant.value = LIMIT_TENANTS + 1;
}

/* The body as it is, or with the number that would be the next of the other tenant. */
static void other_tenant(struct frame *frame)
{
    frame->tenant.value = (frame->tenant.value + 1) % SUPPORT_CHAIN_TENANTS;
}

static void other_tenant_and_number(struct frame *frame)
{
    const uint64_t own = standing->tenants[frame->tenant.value].size;
    other_tenant(frame);
    encode_again(frame, standing->tenants[frame->tenant.value].size - own, 0);
}

static void body_behind(struct frame *frame)
{
    change_body(frame, 0, 0);
    scratch[frame->body_bytes++] = 0;
}

static void erased_to_another(struct frame *frame)
{
    *frame = support_chain_erase(frame, &wrong_leaf);
    wrong_leaf.bytes[5] ^= 1;
}

/* without: what a follower without the key says of the frame itself; the one after it then has a
 * previous hash that does not fit. */
static const struct {
    const char *name;
    void (*tamper)(struct frame *frame);
    enum chain_break with_key, without;
} tampers[] = {
    {"skip_one", skip_one, CHAIN_BAD_SEQUENCE, CHAIN_BAD_SEQUENCE},
    {"repeat_one", repeat_one, CHAIN_BAD_SEQUENCE, CHAIN_BAD_SEQUENCE},
    {"other_previous", other_previous, CHAIN_BAD_PREVIOUS, CHAIN_BAD_PREVIOUS},
    {"earlier_epoch", earlier_epoch, CHAIN_BAD_EPOCH, CHAIN_BAD_EPOCH},
    {"endless_epoch", endless_epoch, CHAIN_BAD_EPOCH, CHAIN_BAD_EPOCH},
    {"later_epoch", later_epoch, CHAIN_BAD_MAC, CHAIN_INTACT},
    {"other_tenant", other_tenant, CHAIN_BAD_RECORD, CHAIN_BAD_RECORD},
    {"other_tenant_and_number", other_tenant_and_number, CHAIN_BAD_RECORD, CHAIN_BAD_RECORD},
    {"erased_of_no_tenant", erased_of_no_tenant, CHAIN_BAD_RECORD, CHAIN_BAD_RECORD},
    {"no_tenant", no_tenant, CHAIN_BAD_RECORD, CHAIN_BAD_RECORD},
    {"far_tenant", far_tenant, CHAIN_BAD_RECORD, CHAIN_BAD_RECORD},
    {"no_record", no_record, CHAIN_BAD_RECORD, CHAIN_BAD_RECORD},
    {"no_body", no_body, CHAIN_BAD_RECORD, CHAIN_BAD_RECORD},
    {"cut_body", cut_body, CHAIN_BAD_RECORD, CHAIN_BAD_RECORD},
    {"body_behind", body_behind, CHAIN_BAD_RECORD, CHAIN_BAD_RECORD},
    {"first_bit", first_bit, CHAIN_BAD_RECORD, CHAIN_BAD_RECORD},
    {"other_number", other_number, CHAIN_BAD_RECORD, CHAIN_BAD_RECORD},
    {"earlier_time", earlier_time, CHAIN_BAD_RECORD, CHAIN_BAD_RECORD},
    {"last_bit", last_bit, CHAIN_BAD_MAC, CHAIN_INTACT}, /* of a digest */
    {"other_record", other_record, CHAIN_BAD_MAC, CHAIN_INTACT},
    {"erased_to_another", erased_to_another, CHAIN_BAD_MAC, CHAIN_INTACT},
    {"other_mac", other_mac, CHAIN_BAD_MAC, CHAIN_INTACT},
};

static void check_tamper(size_t row, const struct chain *before, enum chain_break want,
                         struct chain *follower)
{
    *follower = *before;
    standing = before;
    struct frame frame = kept.frames[AT];
    tampers[row].tamper(&frame);
    const enum chain_break got = chain_follow(follower, &frame, NULL);
    CHECK(got == want, "%s: %d", tampers[row].name, got);
    if (want != CHAIN_INTACT) {
        CHECK(support_chain_same(follower, before) && follower->epoch == before->epoch
                  && memcmp(follower->key, before->key, DIGEST_BYTES) == 0,
              "%s left a trace", tampers[row].name);
        CHECK(chain_follow(follower, &kept.frames[AT], NULL) == CHAIN_INTACT, "the real one");
    } else if (tampers[row].tamper != other_mac) { /* which nothing but the key finds */
        const enum chain_break next = chain_follow(follower, &kept.frames[AT + 1], NULL);
        CHECK(next == CHAIN_BAD_PREVIOUS, "after %s: %d", tampers[row].name, next);
    }
}

static void every_tampering_has_its_break(void)
{
    struct chain *made = grown(3, RECORDS);
    struct chain *with_key = support_chain_create();
    struct chain *without = chain_create();
    struct chain *follower = chain_create();
    follow_all(with_key, 0, AT);
    follow_all(without, 0, AT);
    CHECK(with_key->record_epoch > 0, "there is an epoch before");
    for (size_t i = 0; i < sizeof tampers / sizeof tampers[0]; i++) {
        check_tamper(i, with_key, tampers[i].with_key, follower);
        check_tamper(i, without, tampers[i].without, follower);
    }
    chain_destroy(made);
    chain_destroy(with_key);
    chain_destroy(without);
    chain_destroy(follower);
}

static void a_full_tree_takes_no_more(void)
{
    struct chain *made = grown(3, 1);
    struct chain *follower = chain_create();
    struct digest leaf;
    const struct frame erased = support_chain_erase(&kept.frames[0], &leaf);
    follower->tenants[erased.tenant.value].size = MERKLE_SIZE_MAX;
    CHECK(chain_follow(follower, &erased, NULL) == CHAIN_BAD_RECORD, "2^40 - 1 leaves");
    chain_destroy(made);
    chain_destroy(follower);
}

/* ---- epochs ---------------------------------------------------------------------------------- */

static void a_later_key_makes_nothing_of_before(void)
{
    struct chain *made = support_chain_create();
    struct chain *thief = support_chain_create();
    struct chain *officer = support_chain_create();
    struct random_source random = {9};
    struct record_draft draft;
    struct frame frame;
    uint8_t bytes[CHAIN_FRAME_BYTES_MAX];
    size_t length = 0;
    uint8_t first[DIGEST_BYTES];
    memcpy(first, made->key, sizeof first);
    chain_next_epoch(made);
    CHECK(made->epoch == 1 && memcmp(first, made->key, sizeof first) != 0, "keys differ");
    struct digest key;
    memcpy(key.bytes, made->key, sizeof key.bytes);
    CHECK(support_digest_is(key, /* by Python's hmac */
                            "fabbe3ea68ffcfadf51308001282e8a15ccb94f728f1cace68168c39d766484e"),
          "key of epoch 1");

    chain_set_key(thief, made->key); /* of epoch 1, for a record of epoch 0 */
    support_chain_draft(&random, &draft);
    length = chain_append(thief, &draft, 1000, bytes);
    CHECK(frame_parse(bytes, length, &frame, &length) == STATUS_OK, "parse");
    CHECK(chain_follow(officer, &frame, NULL) == CHAIN_BAD_MAC, "a forged record of epoch 0");
    frame.epoch = 1;
    const struct digest hash = frame_hash(&frame);
    frame.mac = digest_hmac(made->key, hash.bytes, sizeof hash.bytes);
    CHECK(chain_follow(officer, &frame, NULL) == CHAIN_INTACT, "of epoch 1 he can");

    struct chain *late = chain_create(); /* has the key of epoch 1 alone */
    late->epoch = 1;
    chain_set_key(late, made->key);
    frame.epoch = 0;
    CHECK(chain_follow(late, &frame, NULL) == CHAIN_BAD_EPOCH, "epoch 0 needs its own key");
    chain_destroy(made);
    chain_destroy(thief);
    chain_destroy(officer);
    chain_destroy(late);
}

/* ---- snapshots ------------------------------------------------------------------------------- */

static struct frame snapshot_of(const struct chain *chain, struct buffer *buffer)
{
    struct frame frame;
    size_t length = 0;
    buffer->limit_bytes = FRAME_HEADER_BYTES + FRAME_BODY_BYTES_MAX;
    buffer_clear(buffer);
    CHECK(chain_write_snapshot(chain, buffer) == STATUS_OK, "write");
    const enum status status =
        frame_parse((const uint8_t *)buffer->bytes, buffer->length, &frame, &length);
    CHECK(status == STATUS_OK && length == buffer->length, "parse: %s", status_name(status));
    return frame;
}

static void following_goes_on_from_any_snapshot(void)
{
    struct chain *made = grown(4, RECORDS);
    struct chain *walker = chain_create();
    struct chain *reader = support_chain_create();
    struct buffer buffer = {0};
    for (size_t at = 0; at <= RECORDS; at += 30) {
        follow_all(walker, at > 0 ? at - 30 : 0, at);
        const struct frame snapshot = snapshot_of(walker, &buffer);
        CHECK(chain_is_at_snapshot(walker, &snapshot), "at %zu", at);
        CHECK(chain_read_snapshot(reader, &snapshot) == STATUS_OK, "read at %zu", at);
        CHECK(support_chain_same(reader, walker), "same at %zu", at);
        CHECK(reader->has_key, "the key is brought forward");
        if (at < RECORDS) {
            CHECK(!chain_is_at_snapshot(made, &snapshot), "made is further");
            follow_all(reader, at, RECORDS);
            CHECK(!memcmp(reader->key, made->key, DIGEST_BYTES), "key of the end");
            chain_destroy(reader);
            reader = support_chain_create();
        }
    }
    chain_destroy(made);
    chain_destroy(walker);
    chain_destroy(reader);
    buffer_destroy(&buffer);
}

static void a_key_of_a_later_epoch_is_dropped(void)
{
    static const uint8_t cleared[DIGEST_BYTES];
    struct chain *made = grown(4, 20);
    struct chain *reader = support_chain_create();
    struct buffer buffer = {0};
    reader->epoch = made->record_epoch + 1;
    const struct frame snapshot = snapshot_of(made, &buffer);
    CHECK(chain_read_snapshot(reader, &snapshot) == STATUS_OK, "read");
    CHECK(!reader->has_key && !memcmp(reader->key, cleared, sizeof cleared), "dropped and cleared");
    CHECK(support_chain_same(reader, made), "all else");
    chain_destroy(made);
    chain_destroy(reader);
    buffer_destroy(&buffer);
}

/* The epoch that runs when a segment is full may be later than that of its last record. */
static void a_snapshot_is_of_the_last_record(void)
{
    struct chain *made = grown(4, 20);
    struct chain *follower = chain_create();
    struct buffer buffer = {0};
    chain_next_epoch(made);
    const struct frame snapshot = snapshot_of(made, &buffer);
    follow_all(follower, 0, 20);
    CHECK(chain_is_at_snapshot(follower, &snapshot), "whatever the epoch of the key");
    struct digest leaf;
    const struct frame erased = support_chain_erase(&kept.frames[19], &leaf);
    chain_destroy(follower);
    follower = chain_create();
    follow_all(follower, 0, 19);
    CHECK(chain_follow(follower, &erased, NULL) == CHAIN_INTACT, "erased");
    CHECK(chain_is_at_snapshot(follower, &snapshot), "a snapshot may know an erased time");
    chain_destroy(made);
    chain_destroy(follower);
    buffer_destroy(&buffer);
}

static void a_changed_snapshot_is_refused_or_differs(void)
{
    struct chain *made = grown(2, 60);
    struct chain *reader = chain_create();
    struct chain *untouched = chain_create();
    struct buffer buffer = {0};
    struct frame snapshot = snapshot_of(made, &buffer);
    uint8_t *body = malloc(snapshot.body_bytes);
    ASSERT(body);
    memcpy(body, snapshot.body, snapshot.body_bytes);
    snapshot.body = body;
    for (size_t bit = 0; bit < 8 * snapshot.body_bytes; bit++) {
        body[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(!chain_is_at_snapshot(made, &snapshot), "bit %zu", bit);
        if (bit < 64 && chain_read_snapshot(reader, &snapshot) == STATUS_OK) {
            CHECK(false, "version or count: bit %zu", bit);
        }
        body[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t cut = 0; cut < snapshot.body_bytes; cut++) {
        struct frame shorter = snapshot;
        shorter.body_bytes = cut;
        CHECK(chain_read_snapshot(reader, &shorter) == STATUS_INVALID, "cut at %zu", cut);
        CHECK(!chain_is_at_snapshot(made, &shorter), "cut at %zu", cut);
    }
    CHECK(support_chain_same(reader, untouched), "nothing changed");
    free(body);
    chain_destroy(made);
    chain_destroy(reader);
    chain_destroy(untouched);
    buffer_destroy(&buffer);
}

static void a_snapshot_says_nothing_beyond_its_records(void)
{
    struct chain *made = grown(2, 60);
    struct chain *reader = chain_create();
    struct buffer buffer = {0};
    struct frame snapshot = snapshot_of(made, &buffer);
    snapshot.body_bytes++; /* the NUL behind a buffer */
    CHECK(chain_read_snapshot(reader, &snapshot) == STATUS_INVALID, "a byte behind");
    CHECK(!chain_is_at_snapshot(made, &snapshot), "a byte behind");
    made->tenants_size++;
    snapshot = snapshot_of(made, &buffer);
    CHECK(chain_read_snapshot(reader, &snapshot) == STATUS_INVALID, "a tenant without records");
    made->tenants_size--;
    made->time_unix_ms = INT64_MAX;
    snapshot = snapshot_of(made, &buffer);
    CHECK(chain_read_snapshot(reader, &snapshot) == STATUS_INVALID, "a time that no record has");
    chain_destroy(made);
    chain_destroy(reader);
    buffer_destroy(&buffer);
}

static void other_sequence(struct frame *frame)
{
    frame->sequence++;
}
static void some_mac(struct frame *frame)
{
    frame->mac.bytes[0] = 1;
}
static void some_tenant(struct frame *frame)
{
    frame->tenant.value = 1;
}
static void other_kind(struct frame *frame)
{
    frame->kind = FRAME_RECORD;
}
static void far_epoch(struct frame *frame)
{
    frame->epoch = UINT64_MAX;
}

static void a_snapshot_with_a_wrong_head_is_refused(void)
{
    static void (*const changes[])(struct frame *) = {other_sequence, some_mac, some_tenant,
                                                      other_kind, far_epoch};
    struct chain *made = grown(2, 60);
    struct chain *reader = chain_create();
    struct buffer buffer = {0};
    const struct frame snapshot = snapshot_of(made, &buffer);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct frame changed = snapshot;
        changes[i](&changed);
        CHECK(chain_read_snapshot(reader, &changed) == STATUS_INVALID, "change %zu", i);
        CHECK(!chain_is_at_snapshot(made, &changed), "change %zu", i);
    }
    struct frame first = snapshot_of(reader, &buffer);
    CHECK(chain_read_snapshot(reader, &first) == STATUS_OK, "of an empty chain");
    first.previous.bytes[0] = 1;
    CHECK(chain_read_snapshot(reader, &first) == STATUS_INVALID, "a hash before the first record");
    chain_destroy(made);
    chain_destroy(reader);
    buffer_destroy(&buffer);
}

/* ---- the tree of tenants --------------------------------------------------------------------- */

static void the_leaf_of_a_tenant_is_as_documented(void)
{
    struct merkle tree = {0};
    merkle_append(&tree, digest_of("\0", 1)); /* bodies "", 00, 10 */
    merkle_append(&tree, digest_of("\0\0", 2));
    merkle_append(&tree, digest_of("\0\x10", 2));
    CHECK(support_digest_is(chain_tenant_leaf((struct tenant_id){7}, &tree), /* Python's hashlib */
                            "6aac4566548b42d048628e54b75d9e100d195d4fc03385dd12e46d3c058a0669"),
          "tenant 7");
}

/* The root that is kept up to date against one of all leaves, after each record or few, while
 * tenants come in any order and others' snapshots are read in between. */
static void the_root_is_that_of_all_leaves(void)
{
    static struct digest leaves[LIMIT_TENANTS + 1];
    struct random_source random = {21};
    struct chain *other = grown(5, 40);
    struct chain *chain = support_chain_create();
    struct buffer buffer = {0};
    CHECK(digest_same(chain_tenants_root(chain), merkle_root_of(leaves, 0)), "an empty tree");
    for (uint32_t i = 0; i < 1500; i++) {
        const uint32_t end = i < 1000 ? 1 + i / 4 : LIMIT_TENANTS + 1;
        const uint32_t tenant = random_below(&random, end);
        merkle_append(&chain->tenants[tenant], digest_of(&i, sizeof i));
        chain->sequence++;
        chain->tenants_size = tenant < chain->tenants_size ? chain->tenants_size : tenant + 1;
        if (random_below(&random, 3) > 0) {
            chain_tenant_leaves(chain, leaves);
            CHECK(
                digest_same(chain_tenants_root(chain), merkle_root_of(leaves, chain->tenants_size)),
                "after %u, of %u", i, chain->tenants_size);
        }
        if (i % 500 == 499) {
            const struct frame snapshot = snapshot_of(other, &buffer);
            *other = *chain;
            CHECK(chain_read_snapshot(chain, &snapshot) == STATUS_OK, "another's snapshot");
            chain_tenant_leaves(chain, leaves);
            CHECK(
                digest_same(chain_tenants_root(chain), merkle_root_of(leaves, chain->tenants_size)),
                "of the other");
        }
    }
    chain_destroy(other);
    chain_destroy(chain);
    buffer_destroy(&buffer);
}

static void a_leaf_is_proved_by_the_tenants_root(void)
{
    static struct digest leaves[LIMIT_TENANTS + 1];
    struct chain *made = grown(8, 100);
    struct digest path[MERKLE_PATH_MAX];
    chain_tenant_leaves(made, leaves);
    for (uint32_t i = 0; i < made->tenants_size; i++) {
        const size_t length = merkle_path(leaves, made->tenants_size, i, path);
        const struct digest leaf = chain_tenant_leaf((struct tenant_id){i}, &made->tenants[i]);
        CHECK(
            merkle_path_proves(leaf, i, made->tenants_size, path, length, chain_tenants_root(made)),
            "tenant %u", i);
    }
    chain_destroy(made);
}

CHECK_MAIN(following_ends_where_making_did, erased_bodies_leave_hashes_and_macs_whole,
           time_never_goes_back, every_tampering_has_its_break, a_full_tree_takes_no_more,
           a_later_key_makes_nothing_of_before, following_goes_on_from_any_snapshot,
           a_key_of_a_later_epoch_is_dropped, a_snapshot_is_of_the_last_record,
           a_changed_snapshot_is_refused_or_differs, a_snapshot_with_a_wrong_head_is_refused,
           a_snapshot_says_nothing_beyond_its_records, the_leaf_of_a_tenant_is_as_documented,
           the_root_is_that_of_all_leaves, a_leaf_is_proved_by_the_tenants_root)
