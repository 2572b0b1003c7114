/* Method: a spool of five segments, three clinics and advancing epochs is made with keys that the
 * test knows; each tampering, with random places from a seed, is done to its bytes; each must be
 * found and have its name. Forgeries recompute every checksum and hash that they can. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/examine/verify.h"
#include "audit/spool/segment.h"
#include "audit/spool/writer.h"
#include "base/assert.h"
#include "base/random.h"
#include "tests/audit/examine/support_image.h"
#include "tests/check.h"

enum { SEEDS = 8, RECORDS = 460, SEGMENT_RECORDS = 100 };

static struct image_spool spool;
static struct image_frame frames[IMAGE_FRAMES_MAX]; /* of the image as it was made */
static size_t frame_count;

static struct verify_result verify(const struct verify_options *options)
{
    struct verify_result result;
    struct failure failure = {""};
    const struct verify_options none = {0};
    const enum status status =
        verify_spool(spool.directory, options ? options : &none, &result, &failure);
    CHECK(status == STATUS_OK, "%s", failure.text);
    return result;
}

static void must_be(const struct image *image, enum verify_break want, const char *what,
                    uint64_t seed)
{
    image_write(&spool, image);
    const struct verify_result result = verify(NULL);
    CHECK(result.kind == want, "%s, seed %llu: %s, not %s (%s)", what, (unsigned long long)seed,
          verify_break_name(result.kind), verify_break_name(want), result.text);
    CHECK(want == VERIFY_INTACT || result.text[0] != '\0', "%s: no words", what);
}

/* ---- places ---------------------------------------------------------------------------------- */

/* A random record that is neither the first nor one of the last `margin` of its segment. */
static size_t inner_record(struct random_source *random, size_t margin)
{
    for (;;) {
        const size_t i = random_below(random, (uint32_t)frame_count);
        const bool is_inner = i > 1 && i + margin < frame_count
                              && frames[i].segment == frames[i - 2].segment
                              && frames[i].segment == frames[i + margin].segment;
        if (is_inner && frames[i].kind == FRAME_RECORD) {
            return i;
        }
    }
}

static uint8_t *bytes_of(const struct image *image, size_t frame)
{
    return image->segments[frames[frame].segment].bytes + frames[frame].offset;
}

static void cut_frame(struct image *image, size_t frame)
{
    image_splice(image, frames[frame].segment, frames[frame].offset, frames[frame].bytes, NULL, 0);
}

/* Where frame i begins or, after the last one of a segment, where it ends. */
static void insert(struct image *image, size_t before, const uint8_t *bytes, size_t length)
{
    image_splice(image, frames[before].segment, frames[before].offset, 0, bytes, length);
}

/* ---- tampering without a plan ---------------------------------------------------------------- */

static void a_flipped_bit_is_found(void)
{
    for (uint64_t seed = 1; seed <= (uint64_t)SEEDS * 8; seed++) {
        struct random_source random = {seed};
        struct image image = image_copy(&spool.image);
        struct image_segment *segment = &image.segments[random_below(&random, image.segment_count)];
        const size_t at = random_below(&random, (uint32_t)segment->length);
        segment->bytes[at] ^= (uint8_t)(1u << random_below(&random, 8));
        must_be(&image, VERIFY_BIT_FLIP, "bit flip", seed);
        image_free(&image);
    }
}

/* Each bit of one header, and of the very last frame's: lengths, kinds and sums too. */
static void every_bit_of_a_header_is_found(void)
{
    const size_t places[] = {frame_count / 2, frame_count - 2, frame_count - 1};
    for (size_t p = 0; p < 3; p++) {
        for (unsigned bit = 0; bit < 8 * FRAME_HEADER_BYTES; bit += 3) {
            struct image image = image_copy(&spool.image);
            bytes_of(&image, places[p])[bit / 8] ^= (uint8_t)(1u << bit % 8);
            must_be(&image, VERIFY_BIT_FLIP, "bit of a header", places[p] * 1000 + bit);
            image_free(&image);
        }
    }
}

static void a_deleted_record_is_found(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct random_source random = {seed};
        struct image image = image_copy(&spool.image);
        cut_frame(&image, inner_record(&random, 2));
        must_be(&image, VERIFY_DELETION, "one record", seed);
        image_free(&image);
        image = image_copy(&spool.image); /* three in a row, and half a frame more */
        const size_t i = inner_record(&random, 5);
        const size_t bytes = frames[i].bytes + frames[i + 1].bytes + frames[i + 2].bytes;
        image_splice(&image, frames[i].segment, frames[i].offset, bytes, NULL, 0);
        must_be(&image, VERIFY_DELETION, "three records", seed);
        image_free(&image);
        image = image_copy(&spool.image);
        image_splice(&image, frames[i].segment, frames[i].offset + 70, bytes, NULL, 0);
        must_be(&image, VERIFY_DELETION, "bytes of three records", seed);
        image_free(&image);
    }
}

static void a_deleted_snapshot_is_found(void)
{
    struct image image = image_copy(&spool.image);
    for (size_t i = 1; i < frame_count; i++) {
        if (frames[i].kind == FRAME_SNAPSHOT) {
            cut_frame(&image, i);
            break;
        }
    }
    must_be(&image, VERIFY_DELETION, "snapshot", 0);
    image_free(&image);
}

static void two_swapped_records_are_found(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct random_source random = {seed};
        const size_t near = inner_record(&random, 12);
        const size_t far = near + 1 + (seed % 2 == 0 ? 0 : random_below(&random, 10));
        struct image image = image_copy(&spool.image);
        uint8_t *copy = malloc(frames[near].bytes);
        ASSERT(copy);
        memcpy(copy, bytes_of(&image, near), frames[near].bytes);
        image_splice(&image, frames[far].segment, frames[far].offset, frames[far].bytes, copy,
                     frames[near].bytes);
        image_splice(&image, frames[near].segment, frames[near].offset, frames[near].bytes,
                     bytes_of(&spool.image, far), frames[far].bytes);
        must_be(&image, VERIFY_SWAP, "two records", seed);
        free(copy);
        image_free(&image);
    }
    struct image image = image_copy(&spool.image);
    const struct image_segment other = image.segments[1];
    image.segments[1].bytes = image.segments[2].bytes;
    image.segments[1].length = image.segments[2].length;
    image.segments[2].bytes = other.bytes;
    image.segments[2].length = other.length;
    must_be(&image, VERIFY_SWAP, "two segments", 0);
    image_free(&image);
}

static void a_copied_record_is_found(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct random_source random = {seed};
        const size_t source = inner_record(&random, 2);
        const size_t place = inner_record(&random, 2);
        struct image image = image_copy(&spool.image);
        if (source != place) { /* else it would just follow itself, which the next line does */
            insert(&image, place, bytes_of(&spool.image, source), frames[source].bytes);
            must_be(&image, VERIFY_REPLAY, "copied record", seed);
        }
        image_free(&image);
        image = image_copy(&spool.image);
        insert(&image, source + 1, bytes_of(&spool.image, source), frames[source].bytes);
        must_be(&image, VERIFY_REPLAY, "doubled record", seed);
        image_free(&image);
    }
}

static void truncation_is_found(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct random_source random = {seed};
        const uint32_t last = spool.image.segment_count - 1;
        struct image image = image_copy(&spool.image);
        size_t i = 0;
        do {
            i = random_below(&random, (uint32_t)frame_count);
        } while (frames[i].segment != last);
        image.segments[last].length = frames[i].offset;
        must_be(&image, VERIFY_TRUNCATION, "last segment at a frame's border", seed);
        image.segments[last].length += 1 + random_below(&random, (uint32_t)frames[i].bytes - 1);
        must_be(&image, VERIFY_TRUNCATION, "last segment within a frame", seed);
        image.segments[last].length = frames[i].offset;
        const size_t inner = inner_record(&random, 2);
        if (frames[inner].segment != last) {
            image.segments[last].length = spool.image.segments[last].length;
            image.segments[frames[inner].segment].length = frames[inner].offset;
            must_be(&image, VERIFY_TRUNCATION, "an inner segment", seed);
        }
        image_free(&image);
    }
    struct image image = image_copy(&spool.image);
    for (int i = 0; i < 2; i++) {
        free(image.segments[--image.segment_count].bytes);
        must_be(&image, VERIFY_TRUNCATION, "last segments", (uint64_t)i);
    }
    image_free(&image);
}

static void drop_segment(struct image *image, uint32_t index)
{
    free(image->segments[index].bytes);
    image->segment_count--;
    memmove(&image->segments[index], &image->segments[index + 1],
            (image->segment_count - index) * sizeof image->segments[0]);
}

static void a_deleted_segment_is_found(void)
{
    for (uint32_t i = 0; i + 1 < spool.image.segment_count; i++) {
        struct image image = image_copy(&spool.image);
        drop_segment(&image, i);
        must_be(&image, VERIFY_DELETION, "a segment", i);
        image_free(&image);
    }
}

static void a_replayed_segment_is_found(void)
{
    const uint32_t count = spool.image.segment_count;
    for (uint32_t i = 0; i + 1 < count; i++) {
        struct image image = image_copy(&spool.image);
        const struct image copy = image_copy(&spool.image);
        image.segments[count] = copy.segments[i];
        image.segments[count].first = spool.image.state.sequence + 1;
        image.segment_count++;
        must_be(&image, VERIFY_REPLAY, "an old segment behind the last", i);
        image.segments[count].first = image.segments[i].first + 1;
        must_be(&image, VERIFY_REPLAY, "an old segment behind itself", i);
        image.segment_count--;
        free(image.segments[count - 1].bytes); /* and in the place of the last */
        image.segments[count - 1].bytes = copy.segments[i].bytes;
        image.segments[count - 1].length = copy.segments[i].length;
        must_be(&image, VERIFY_REPLAY, "an old segment for the last", i);
        for (uint32_t k = 0; k < count; k++) {
            if (k != i) {
                free(copy.segments[k].bytes);
            }
        }
        image_free(&image);
    }
    struct image image = image_copy(&spool.image);
    image.segments[2].first++;
    must_be(&image, VERIFY_REPLAY, "a renamed segment", 0);
    image_free(&image);
}

/* ---- forging --------------------------------------------------------------------------------- */

/* Whoever forges can compute hashes and checksums, and has some of the keys. */
struct forger {
    bool signs;         /* has the signing key */
    bool skips;         /* replaces checkpoints by other records */
    uint64_t macs_from; /* MAC keys of that epoch and later; UINT64_MAX: none */
    bool tells;         /* changes chain.state too */
};

static void change_body(struct frame *frame, uint8_t *body)
{
    memcpy(body, frame->body, frame->body_bytes);
    uint8_t *text = memmem(body, frame->body_bytes, "-request-", 9);
    if (text) {
        text[9] = text[9] == '7' ? '8' : '7';
    }
    frame->body = body;
}

static void write_mac(const struct forger *forger, struct frame *frame)
{
    uint8_t key[DIGEST_BYTES];
    memcpy(key, spool.officer_key, sizeof key);
    for (uint64_t epoch = 0; epoch < frame->epoch; epoch++) {
        const struct digest next = digest_hmac(key, "ward next epoch", 15);
        memcpy(key, next.bytes, sizeof key);
    }
    const struct digest hash = frame_hash(frame);
    frame->mac = frame->epoch >= forger->macs_from ? digest_hmac(key, hash.bytes, sizeof hash.bytes)
                                                   : digest_of("a guess", 7);
}

static bool is_checkpoint(const struct frame *frame)
{
    struct record record;
    return record_parse(frame->body, frame->body_bytes, &record) == STATUS_OK
           && record.event == RECORD_EVENT_CHAIN_CHECKPOINT;
}

/* A checkpoint over the forged chain, as its maker would make it. */
static void forge_checkpoint(const struct chain *chain, struct frame *frame, uint8_t *body)
{
    struct record record;
    uint8_t bytes[CHAIN_FRAME_BYTES_MAX];
    struct chain *copy = chain_create();
    ASSERT(copy && record_parse(frame->body, frame->body_bytes, &record) == STATUS_OK);
    memcpy(copy, chain, sizeof *copy);
    copy->epoch = frame->epoch;
    chain_set_key(copy, spool.officer_key);
    frame->body_bytes =
        checkpoint_append(copy, spool.secret, record.time_unix_ms, bytes) - FRAME_HEADER_BYTES;
    memcpy(body, bytes + FRAME_HEADER_BYTES, frame->body_bytes);
    frame->body = body;
    chain_destroy(copy);
}

static void forge_other(const struct chain *chain, struct frame *frame, uint8_t *body)
{
    struct record_draft draft;
    struct record record;
    ASSERT(record_parse(frame->body, frame->body_bytes, &record) == STATUS_OK);
    record_draft_begin(&draft, RECORD_EVENT_SERVER_STARTED, (struct tenant_id){0}, NULL);
    frame->body_bytes =
        record_encode(&draft, chain->tenants[0].size + 1, record.time_unix_ms, body);
    frame->body = body;
}

static void forge_snapshot(const struct chain *chain, struct buffer *out)
{
    ASSERT(chain_write_snapshot(chain, out) == STATUS_OK);
}

/* Everything from record `first` on is made anew. */
static struct image forge(const struct forger *forger, uint64_t first)
{
    struct image image = image_copy(&spool.image);
    struct chain *chain = chain_create();
    ASSERT(chain);
    struct buffer out = {.limit_bytes = 64 << 20};
    for (size_t i = 0; i < frame_count; i++) {
        struct frame frame = image_parse(&spool.image, &frames[i]);
        uint8_t body[RECORD_BODY_BYTES_MAX];
        uint8_t bytes[CHAIN_FRAME_BYTES_MAX];
        if (frame.kind == FRAME_SNAPSHOT) {
            buffer_clear(&out);
            forge_snapshot(chain, &out);
        } else {
            if (frame.sequence >= first) {
                if (!is_checkpoint(&frame)) {
                    change_body(&frame, body);
                } else if (forger->signs) {
                    forge_checkpoint(chain, &frame, body);
                } else if (forger->skips) {
                    forge_other(chain, &frame, body);
                }
                frame.previous = chain->head;
                write_mac(forger, &frame);
            }
            ASSERT(chain_follow(chain, &frame, NULL) == CHAIN_INTACT);
            ASSERT(buffer_append(&out, (const char *)bytes, frame_write(&frame, bytes))
                   == STATUS_OK);
        }
        if (i + 1 == frame_count || frames[i + 1].kind == FRAME_SNAPSHOT) {
            image_splice(&image, frames[i].segment, 0, image.segments[frames[i].segment].length,
                         (const uint8_t *)out.bytes, out.length);
        }
    }
    if (forger->tells) {
        image.state.head = chain->head;
    }
    buffer_destroy(&out);
    chain_destroy(chain);
    return image;
}

static void hide(const char *name, bool hides)
{
    char path[2][DIRECTORY_PATH_BYTES];
    char hidden[64];
    struct failure failure;
    snprintf(hidden, sizeof hidden, "%s.hidden", name);
    ASSERT(directory_path(spool.directory, NULL, name, path[0], &failure) == STATUS_OK);
    ASSERT(directory_path(spool.directory, NULL, hidden, path[1], &failure) == STATUS_OK);
    ASSERT(rename(path[hides ? 0 : 1], path[hides ? 1 : 0]) == 0);
}

static void a_rewritten_record_is_found(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct random_source random = {seed};
        struct image image = image_copy(&spool.image);
        const size_t i = inner_record(&random, 2);
        struct frame frame = image_parse(&spool.image, &frames[i]);
        uint8_t body[RECORD_BODY_BYTES_MAX];
        uint8_t bytes[CHAIN_FRAME_BYTES_MAX];
        memcpy(body, frame.body, frame.body_bytes);
        body[frame.body_bytes - 1] ^= 1; /* of a digest, or it is no record any more */
        frame.body = body;
        frame_write(&frame, bytes);
        memcpy(bytes_of(&image, i), bytes, frames[i].bytes);
        must_be(&image, VERIFY_REWRITE, "one body with its checksum", seed);
        image_free(&image);
    }
}

static void a_rewritten_tail_is_found(void)
{
    static const struct forger thieves[] = {
        {false, false, UINT64_MAX, false},
        {false, false, UINT64_MAX, true},
        {false, true, UINT64_MAX, false},
        {false, false, 0, true},
    };
    hide("officer.key", true); /* what anybody can find */
    for (size_t t = 0; t < sizeof thieves / sizeof thieves[0]; t++) {
        for (uint64_t seed = 1; seed <= 3; seed++) {
            struct random_source random = {seed};
            struct image image =
                forge(&thieves[t], 1 + random_below(&random, (uint32_t)frame_count / 2));
            must_be(&image, VERIFY_REWRITE, "tail without the signing key", t * 100 + seed);
            image_free(&image);
        }
    }
    hide("officer.key", false);
}

/* Who takes the whole machine has the signing key and the MAC key of that epoch. */
static void an_officer_finds_what_a_thief_rewrote(void)
{
    const uint64_t epoch = spool.image.state.epoch;
    const struct forger thief = {true, false, epoch, true};
    struct image image = forge(&thief, 50);
    must_be(&image, VERIFY_REWRITE, "tail with the signing key", 0);
    hide("officer.key", true);
    must_be(&image, VERIFY_INTACT, "without the officer's key that cannot be seen", 0);
    const struct verify_options given = {.officer_key = spool.officer_key};
    CHECK(verify(&given).kind == VERIFY_REWRITE, "officer.key given");
    image_free(&image);
    const struct forger all_keys = {true, false, 0, true}; /* that the forging itself is right */
    image = forge(&all_keys, 50);
    image_write(&spool, &image);
    CHECK(verify(&given).kind == VERIFY_INTACT, "forged with all keys: %s", verify(&given).text);
    hide("officer.key", false);
    image_free(&image);
}

/* Frames of somebody's own between true ones, with the right hash of the one before. */
static void a_made_up_record_is_found(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct random_source random = {seed};
        struct image image = image_copy(&spool.image);
        const size_t i = inner_record(&random, 3);
        struct frame frame = image_parse(&spool.image, &frames[i]);
        struct frame other = image_parse(&spool.image, &frames[i + 1]);
        uint8_t bytes[CHAIN_FRAME_BYTES_MAX];
        frame.body = other.body;
        frame.body_bytes = other.body_bytes;
        if (seed % 2 == 0) { /* with a sequence that was never there */
            frame.sequence = 1000000;
        }
        insert(&image, i, bytes, frame_write(&frame, bytes));
        must_be(&image, VERIFY_INSERTION, "made up record", seed);
        image_free(&image);
        image = image_copy(&spool.image); /* bytes that are no frame */
        insert(&image, i, (const uint8_t *)"nonsense", 8);
        must_be(&image, VERIFY_INSERTION, "made up bytes", seed);
        image_free(&image);
    }
}

static void a_body_that_is_no_record_is_found(void)
{
    struct image image = image_copy(&spool.image);
    struct random_source random = {5};
    const size_t i = inner_record(&random, 3);
    struct frame frame = image_parse(&spool.image, &frames[i]);
    struct frame next = image_parse(&spool.image, &frames[i + 1]);
    uint8_t bytes[CHAIN_FRAME_BYTES_MAX];
    frame.body = (const uint8_t *)"no record";
    frame.body_bytes = 9;
    next.previous = frame_hash(&frame);
    image_splice(&image, frames[i].segment, frames[i + 1].offset, frames[i + 1].bytes, bytes,
                 frame_write(&next, bytes));
    image_splice(&image, frames[i].segment, frames[i].offset, frames[i].bytes, bytes,
                 frame_write(&frame, bytes));
    must_be(&image, VERIFY_MALFORMED, "body", 0);
    image_free(&image);
}

/* ---- the end, copies, what may be missing ---------------------------------------------------- */

static void an_old_state_is_found(void)
{
    struct image image = image_copy(&spool.image);
    const struct image_frame *middle = &frames[frame_count / 2];
    const struct frame frame = image_parse(&image, middle);
    image.state.sequence = frame.sequence - 1;
    image.state.head = frame.previous;
    must_be(&image, VERIFY_REPLAY, "chain.state of a clean stop in the middle", 0);
    image.state.is_clean = false;
    image.state.epoch = frame.epoch;
    must_be(&image, VERIFY_REPLAY, "chain.state of an epoch before", 0);
    image.state.epoch = spool.image.state.epoch;
    must_be(&image, VERIFY_REWRITE, "records of an epoch before, behind chain.state", 0);
    const struct frame last = image_parse(&image, &frames[frame_count - 1]);
    image.state.sequence = last.sequence - 1;
    image.state.head = last.previous;
    image.state.epoch = last.epoch;
    must_be(&image, VERIFY_INTACT, "a group after chain.state", 0);
    image.state.head = digest_of("other", 5);
    must_be(&image, VERIFY_REWRITE, "chain.state of another log", 0);
    image_free(&image);
}

/* Where the server runs it must be there; a copy for an officer has neither it nor other secrets.
 */
static void a_missing_state_is_found(void)
{
    image_write(&spool, &spool.image);
    hide("chain.state", true);
    CHECK(verify(NULL).kind == VERIFY_DELETION, "chain.state taken away");
    hide("signing.key", true);
    const struct verify_result copy = verify(NULL);
    CHECK(copy.kind == VERIFY_INTACT && strstr(copy.text, "the end was not checked"), "%s",
          copy.text);
    hide("signing.key", false);
    hide("chain.state", false);
}

static size_t last_checkpoint(void)
{
    size_t i = frame_count - 1;
    for (;; i--) {
        const struct frame frame = image_parse(&spool.image, &frames[i]);
        if (frame.kind == FRAME_RECORD && is_checkpoint(&frame)) {
            return i;
        }
    }
}

/* An end that is cut off together with chain.state is found by a checkpoint that was copied. */
static void a_copied_checkpoint_proves_the_end(void)
{
    const struct frame copied = image_parse(&spool.image, &frames[last_checkpoint()]);
    const struct verify_options options = {.checkpoint = copied.body,
                                           .checkpoint_bytes = copied.body_bytes};
    image_write(&spool, &spool.image);
    CHECK(verify(&options).kind == VERIFY_INTACT, "untouched: %s", verify(&options).text);
    struct image image = image_copy(&spool.image);
    drop_segment(&image, image.segment_count - 1);
    const struct frame snapshot =
        image_parse(&spool.image, &(struct image_frame){.segment = image.segment_count});
    image.state.sequence = snapshot.sequence;
    image.state.head = snapshot.previous;
    image.state.epoch = snapshot.epoch;
    must_be(&image, VERIFY_INTACT, "nothing in the spool itself tells", 0);
    CHECK(verify(&options).kind == VERIFY_TRUNCATION, "the copy does");
    image_free(&image);
    const struct forger thief = {true, false, 0, true};
    image = forge(&thief, 200);
    image_write(&spool, &image);
    CHECK(verify(NULL).kind == VERIFY_INTACT, "all keys");
    CHECK(verify(&options).kind == VERIFY_REWRITE, "the copy tells");
    image_free(&image);
}

static void torn_bytes_are_no_break(void)
{
    struct image image = image_copy(&spool.image);
    const uint32_t last = image.segment_count - 1;
    const size_t end = image.segments[last].length;
    image_splice(&image, last, end, 0, bytes_of(&spool.image, 3), frames[3].bytes - 7);
    must_be(&image, VERIFY_INTACT, "half a frame that nobody was told of", 0);
    CHECK(verify(NULL).torn_bytes == frames[3].bytes - 7, "torn bytes");
    image_splice(&image, last, end, image.segments[last].length - end, (const uint8_t[500]){0},
                 500);
    must_be(&image, VERIFY_INTACT, "zeros that nobody was told of", 0);
    image_free(&image);
}

static void erase(struct image *image, size_t i)
{
    struct frame frame = image_parse(&spool.image, &frames[i]);
    const struct digest leaf = frame_leaf(&frame);
    uint8_t bytes[CHAIN_FRAME_BYTES_MAX];
    frame.kind = FRAME_ERASED;
    frame.body = leaf.bytes;
    frame.body_bytes = sizeof leaf.bytes;
    image_splice(image, frames[i].segment, frames[i].offset, frames[i].bytes, bytes,
                 frame_write(&frame, bytes));
}

static void erasing_must_be_recorded(void)
{
    struct image image = image_copy(&spool.image);
    struct random_source random = {3};
    erase(&image, inner_record(&random, 2));
    must_be(&image, VERIFY_DELETION, "a body that no retention took", 0);
    image_free(&image);
}

/* ---- untouched ------------------------------------------------------------------------------- */

static void an_untouched_spool_is_intact(void)
{
    image_write(&spool, &spool.image);
    const struct verify_result result = verify(NULL);
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < spool.image.segment_count; i++) {
        bytes += spool.image.segments[i].length;
    }
    CHECK(result.kind == VERIFY_INTACT, "%s", result.text);
    CHECK(result.records == spool.image.state.sequence, "%llu records",
          (unsigned long long)result.records);
    CHECK(result.macs_checked == result.records && result.bytes == bytes, "all was read");
    CHECK(result.last_signed == result.records && result.first_sequence == 1, "all is signed");
    CHECK(spool.image.segment_count >= 5 && spool.image.state.epoch > 10, "a spool to speak of");
    hide("officer.key", true);
    const struct verify_result without = verify(NULL);
    CHECK(without.macs_checked == 0 && strstr(without.text, "officer"), "%s", without.text);
    hide("officer.key", false);
}

static void many_records_without_checkpoint_are_found(void)
{
    const struct image_plan plan = {
        .seed = 9, .records = 2600, .checkpoint_records = 500, .epoch_records = 300};
    const struct image_spool small = spool;
    image_make(&plan, &spool);
    const size_t old_count = frame_count;
    frame_count = image_frames(&spool.image, frames);
    const struct forger forger = {false, true, 0, true}; /* all MACs, chain.state, no signature */
    struct image image = forge(&forger, 300);
    must_be(&image, VERIFY_REWRITE, "no checkpoints", 0);
    image_free(&image);
    image_remove(&spool);
    spool = small;
    frame_count = old_count;
    ASSERT(image_frames(&spool.image, frames) == frame_count);
}

/* Fewer records than may be without a checkpoint, but a log begins with one. */
static void a_log_without_any_checkpoint_is_found(void)
{
    const struct forger forger = {false, true, 0, true};
    struct image image = forge(&forger, 1);
    must_be(&image, VERIFY_REWRITE, "no checkpoint at all", 0);
    hide("officer.key", true);
    must_be(&image, VERIFY_REWRITE, "no checkpoint at all", 1);
    hide("officer.key", false);
    image_free(&image);
}

static void make(void)
{
    const struct image_plan plan = {.seed = 1,
                                    .records = RECORDS,
                                    .segment_records = SEGMENT_RECORDS,
                                    .checkpoint_records = 40,
                                    .epoch_records = 25};
    image_make(&plan, &spool);
    frame_count = image_frames(&spool.image, frames);
}

static void clean_up(void)
{
    image_remove(&spool);
}

CHECK_MAIN(make, an_untouched_spool_is_intact, a_flipped_bit_is_found,
           every_bit_of_a_header_is_found, a_deleted_record_is_found, a_deleted_snapshot_is_found,
           two_swapped_records_are_found, a_copied_record_is_found, truncation_is_found,
           a_deleted_segment_is_found, a_replayed_segment_is_found, a_rewritten_record_is_found,
           a_rewritten_tail_is_found, an_officer_finds_what_a_thief_rewrote,
           a_made_up_record_is_found, a_body_that_is_no_record_is_found, an_old_state_is_found,
           a_missing_state_is_found, a_copied_checkpoint_proves_the_end, torn_bytes_are_no_break,
           erasing_must_be_recorded, a_log_without_any_checkpoint_is_found,
           many_records_without_checkpoint_are_found, clean_up)
