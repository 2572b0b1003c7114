/* Method: one frame whose bytes, leaf, hash and MAC Python's struct, hashlib and hmac made; then
 * every cut and every flipped bit of a frame must be found. */
#include <string.h>

#include "audit/chain/frame.h"
#include "audit/record/record.h"
#include "tests/audit/support_digest.h"
#include "tests/check.h"

enum { BODY_BYTES = 300, FRAME_BYTES = FRAME_HEADER_BYTES + BODY_BYTES };

static uint8_t body[BODY_BYTES];

static struct frame make_frame(void)
{
    uint8_t key[DIGEST_BYTES];
    support_digest_pattern(key, sizeof key, 1, 0);
    support_digest_pattern(body, sizeof body, 5, 1);
    struct frame frame = {
        .kind = FRAME_RECORD,
        .tenant = {0x21222324},
        .sequence = 0x0102030405060708,
        .epoch = 0x1112131415161718,
        .body = body,
        .body_bytes = BODY_BYTES,
    };
    support_digest_pattern(frame.previous.bytes, DIGEST_BYTES, 1, 100);
    const struct digest hash = frame_hash(&frame);
    frame.mac = digest_hmac(key, hash.bytes, DIGEST_BYTES);
    return frame;
}

static void bytes_and_hashes_are_as_documented(void)
{
    uint8_t bytes[FRAME_BYTES];
    const struct frame frame = make_frame();
    CHECK(support_digest_is(frame_leaf(&frame),
                            "c02664b2f647fc5685f43a0e20c1c51cb9be21cc7f6299fd96d6352be082b7a3"),
          "leaf");
    CHECK(support_digest_is(frame_hash(&frame),
                            "0c9f2d1370286161714acea306487e9bb055cba12ecbc0cd4e07a94c06aeb6d4"),
          "hash");
    CHECK(frame_write(&frame, bytes) == FRAME_BYTES, "length");
    CHECK(support_digest_is(digest_of(bytes, sizeof bytes),
                            "a5fff289a845e47050a9f5d0ca9de2e5016fdb64e6872672e37ca343465e8dc7"),
          "bytes");
    uint8_t in_place[FRAME_BYTES] = {0};
    memcpy(in_place + FRAME_HEADER_BYTES, body, BODY_BYTES);
    struct frame same = frame;
    same.body = in_place + FRAME_HEADER_BYTES;
    CHECK(frame_write(&same, in_place) == FRAME_BYTES && !memcmp(bytes, in_place, FRAME_BYTES),
          "a body that already lies there");
}

static void a_frame_is_read_as_it_was_written(void)
{
    uint8_t bytes[FRAME_BYTES + 1];
    const struct frame frame = make_frame();
    struct frame read;
    size_t length = 0;
    frame_write(&frame, bytes);
    CHECK(frame_parse(bytes, sizeof bytes, &read, &length) == STATUS_OK, "parse");
    CHECK(length == FRAME_BYTES && read.body == bytes + FRAME_HEADER_BYTES, "place");
    CHECK(read.kind == FRAME_RECORD && read.body_bytes == BODY_BYTES, "kind and size");
    CHECK(tenant_same(read.tenant, frame.tenant), "tenant");
    CHECK(read.sequence == frame.sequence && read.epoch == frame.epoch, "numbers");
    CHECK(digest_same(read.previous, frame.previous) && digest_same(read.mac, frame.mac), "hashes");
}

static void an_erased_frame_hashes_like_its_record(void)
{
    uint8_t bytes[FRAME_HEADER_BYTES + DIGEST_BYTES];
    const struct frame frame = make_frame();
    const struct digest leaf = frame_leaf(&frame);
    struct frame erased = frame;
    struct frame read;
    size_t length = 0;
    erased.kind = FRAME_ERASED;
    erased.body = leaf.bytes;
    erased.body_bytes = DIGEST_BYTES;
    frame_write(&erased, bytes);
    CHECK(frame_parse(bytes, sizeof bytes, &read, &length) == STATUS_OK, "parse");
    CHECK(digest_same(frame_leaf(&read), leaf), "leaf");
    CHECK(digest_same(frame_hash(&read), frame_hash(&frame)), "hash");
}

static void every_cut_and_every_flip_is_found(void)
{
    uint8_t bytes[FRAME_BYTES];
    const struct frame frame = make_frame();
    struct frame read;
    size_t length = 0;
    frame_write(&frame, bytes);
    for (size_t cut = 0; cut < sizeof bytes; cut++) {
        const enum status status = frame_parse(bytes, cut, &read, &length);
        CHECK(status == STATUS_NOT_FOUND, "cut at %zu: %s", cut, status_name(status));
        CHECK(length == (cut < 4 ? 0 : FRAME_BYTES), "cut at %zu needs %zu", cut, length);
    }
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        const enum status status = frame_parse(bytes, sizeof bytes, &read, &length);
        CHECK(status == STATUS_INVALID || (status == STATUS_NOT_FOUND && bit < 32), "bit %zu: %s",
              bit, status_name(status));
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

/* kind: with the three bytes behind it. A body that is too long is refused before it is there. */
static const struct {
    uint32_t kind;
    uint32_t body_bytes;
    enum status want;
} sizes[] = {
    {FRAME_RECORD, RECORD_BODY_BYTES_MAX, STATUS_NOT_FOUND},
    {FRAME_RECORD, RECORD_BODY_BYTES_MAX + 1, STATUS_INVALID},
    {FRAME_ERASED, 32, STATUS_NOT_FOUND},
    {FRAME_ERASED, 31, STATUS_INVALID},
    {FRAME_ERASED, 33, STATUS_INVALID},
    {FRAME_SNAPSHOT, FRAME_BODY_BYTES_MAX, STATUS_NOT_FOUND},
    {FRAME_SNAPSHOT, FRAME_BODY_BYTES_MAX + 1, STATUS_INVALID},
    {FRAME_SNAPSHOT, UINT32_MAX, STATUS_INVALID},
    {0, 0, STATUS_INVALID},
    {4, 32, STATUS_INVALID},
    {0x100 + FRAME_RECORD, 32, STATUS_INVALID},
};

static void impossible_sizes_are_refused(void)
{
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t bytes[FRAME_HEADER_BYTES] = {0};
        struct frame read;
        size_t length = 0;
        for (int k = 0; k < 4; k++) {
            bytes[k] = (uint8_t)(sizes[i].body_bytes >> 8 * k);
            bytes[8 + k] = (uint8_t)(sizes[i].kind >> 8 * k);
        }
        const enum status status = frame_parse(bytes, sizeof bytes, &read, &length);
        CHECK(status == sizes[i].want, "row %zu: %s", i, status_name(status));
    }
}

CHECK_MAIN(bytes_and_hashes_are_as_documented, a_frame_is_read_as_it_was_written,
           an_erased_frame_hashes_like_its_record, every_cut_and_every_flip_is_found,
           impossible_sizes_are_refused)
