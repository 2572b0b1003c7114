/* Method: a chain of two records and a checkpoint, of which Python (struct, hashlib, hmac) made the
 * frames and OpenSSL the signature: same inputs, same bytes. Then what a checkpoint must not be. */
#include "audit/chain/checkpoint.h"

#include <sodium.h>
#include <string.h>

#include "base/assert.h"
#include "tests/audit/support_chain.h"
#include "tests/audit/support_digest.h"
#include "tests/check.h"

static struct failure failure;
static uint8_t public_key[CHECKPOINT_KEY_BYTES], secret[CHECKPOINT_SECRET_BYTES];

static void make_keys(void)
{
    uint8_t seed[CHECKPOINT_KEY_BYTES];
    support_digest_pattern(seed, sizeof seed, 1, 0);
    crypto_sign_seed_keypair(public_key, secret, seed);
}

static struct digest appended(struct chain *chain, struct record_draft *draft, int64_t now)
{
    uint8_t frame[CHAIN_FRAME_BYTES_MAX];
    const size_t length = chain_append(chain, draft, now, frame);
    return digest_of(frame, length);
}

static struct chain *two_records(void)
{
    struct record_draft draft;
    uint8_t bytes[DIGEST_BYTES];
    struct chain *chain = support_chain_create();
    support_digest_pattern(bytes, sizeof bytes, 1, 0);
    record_draft_begin(&draft, RECORD_EVENT_SERVER_STARTED, (struct tenant_id){0}, NULL);
    record_draft_text(&draft, RECORD_FIELD_ward_version, "1.2.3");
    record_draft_bytes(&draft, RECORD_FIELD_config_digest, bytes);
    CHECK(support_digest_is(appended(chain, &draft, 1700000000000),
                            "ffc695ef340b3b7259b12ae9479ad36894650599eb37543ba29dc1259a8ecd29"),
          "server.started");
    record_draft_begin(&draft, RECORD_EVENT_REQUEST_ACCEPTED, (struct tenant_id){3}, "clinic-a");
    record_draft_text(&draft, RECORD_FIELD_request_id, "req-1");
    record_draft_uint(&draft, RECORD_FIELD_prompt_tokens, 17);
    CHECK(support_digest_is(appended(chain, &draft, 1700000000123),
                            "0f11c6553fa93c0a66f0b729cb559eaa2102f7340f3fa0c0a2a3db9b0fd165aa"),
          "request.accepted");
    chain_next_epoch(chain);
    return chain;
}

static const char known_line[] =
    "ward-checkpoint 1 "
    "rAEBAgIDGwAAAYvP5WvoBBg8BQAYPFggA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbgYPQMYPlgg4X/iTXcgy4"
    "+W0J7O+oeWEXSh9yDlFwDKYCLaLP5lAQIYPwEYQAQYQVggybwPDJOUD1Or4wkY6fvOh8glYpMuSB54/6okriq/uYcYQlhA"
    "/ql4jygG/XDC1VxYy2DP583OG+voUe2IBPIKmpo6GcNe5l12BS3Z9iyuehordsKXXgYm01PyrUSlvm/13jHGCg==";

/* The checkpoint of two_records; returns the bytes of its body. */
static size_t make_body(struct chain *chain, uint8_t out[RECORD_BODY_BYTES_MAX])
{
    uint8_t frame[CHAIN_FRAME_BYTES_MAX];
    const size_t length = checkpoint_append(chain, secret, 1700000001000, frame);
    memcpy(out, frame + FRAME_HEADER_BYTES, length - FRAME_HEADER_BYTES);
    return length - FRAME_HEADER_BYTES;
}

static void frames_have_the_bytes_that_others_make(void)
{
    make_keys();
    struct chain *chain = two_records();
    uint8_t frame[CHAIN_FRAME_BYTES_MAX];
    const size_t length = checkpoint_append(chain, secret, 1700000001000, frame);
    CHECK(support_digest_is(digest_of(frame, length),
                            "03966a0d4150ec61c70e69fb15df492213c199e36ade0da63696ad340444796f"),
          "checkpoint");
    CHECK(support_digest_is(chain->head,
                            "80f9fd9616fb55eec4b6d59decfec579adcca2bc48ea0e9e4b56dae37fca631e"),
          "head");
    struct buffer buffer = {.limit_bytes = 1 << 20};
    CHECK(chain_write_snapshot(chain, &buffer) == STATUS_OK, "snapshot");
    CHECK(support_digest_is(digest_of(buffer.bytes, buffer.length),
                            "83443cf85cdfbc604d5e0d30809eb565ab230c0e14d1f6d2c2d560c07356fe89"),
          "snapshot");
    buffer_clear(&buffer);
    CHECK(checkpoint_write_line(frame + FRAME_HEADER_BYTES, length - FRAME_HEADER_BYTES, &buffer)
              == STATUS_OK,
          "line");
    CHECK(strcmp(buffer.bytes, known_line) == 0, "line: %s", buffer.bytes);
    buffer_destroy(&buffer);
    chain_destroy(chain);
}

static void a_checkpoint_fits_its_place_alone(void)
{
    struct chain *chain = two_records();
    struct chain *copy = chain_create();
    struct checkpoint checkpoint;
    uint8_t body[RECORD_BODY_BYTES_MAX];
    *copy = *chain;
    const size_t length = make_body(chain, body);
    CHECK(checkpoint_check(body, length, public_key, &checkpoint, &failure) == STATUS_OK, "%s",
          failure.text);
    CHECK(checkpoint.sequence == 3 && checkpoint.epoch == 1 && checkpoint.tenants_size == 4
              && checkpoint.time_unix_ms == 1700000001000
              && !memcmp(checkpoint.chain_id, public_key, sizeof public_key)
              && digest_same(checkpoint.head, copy->head)
              && digest_same(checkpoint.tenants_root, chain_tenants_root(copy)),
          "what it says");
    CHECK(checkpoint_fits(&checkpoint, copy), "before it");
    CHECK(!checkpoint_fits(&checkpoint, chain), "not after it");
    merkle_append(&copy->tenants[3], copy->head);
    CHECK(!checkpoint_fits(&checkpoint, copy), "one more record of a tenant");
    copy->tenants[3] = chain->tenants[3];
    CHECK(checkpoint_fits(&checkpoint, copy), "as before");
    copy->head.bytes[0] ^= 1;
    CHECK(!checkpoint_fits(&checkpoint, copy), "another head");
    copy->head.bytes[0] ^= 1;
    copy->tenants_size++;
    CHECK(!checkpoint_fits(&checkpoint, copy), "one more tenant");
    copy->tenants_size--;
    checkpoint.tenants_size++;
    CHECK(!checkpoint_fits(&checkpoint, copy), "a size that its root does not have");
    checkpoint.tenants_size--;
    copy->record_epoch = 2;
    CHECK(!checkpoint_fits(&checkpoint, copy), "a record of a later epoch before it");
    copy->record_epoch = 0;
    copy->time_unix_ms = checkpoint.time_unix_ms + 1;
    CHECK(!checkpoint_fits(&checkpoint, copy), "a later record before it");
    chain_destroy(chain);
    chain_destroy(copy);
}

/* A body whose epoch is not that of its frame: signed, but by whom, and when? */
static void the_epoch_in_the_body_is_that_of_the_frame(void)
{
    struct chain *chain = two_records();
    struct chain *follower = chain_create();
    *follower = *chain;
    struct frame frame;
    size_t length = 0;
    uint8_t bytes[CHAIN_FRAME_BYTES_MAX];
    const size_t written = checkpoint_append(chain, secret, 1700000001000, bytes);
    CHECK(frame_parse(bytes, written, &frame, &length) == STATUS_OK, "parse");
    frame.epoch++;
    CHECK(chain_follow(follower, &frame, NULL) == CHAIN_BAD_RECORD, "another epoch");
    frame.epoch--;
    CHECK(chain_follow(follower, &frame, NULL) == CHAIN_INTACT, "its own");
    CHECK(support_chain_same(chain, follower), "like any record");
    chain_destroy(chain);
    chain_destroy(follower);
}

static void every_changed_bit_is_found(void)
{
    struct chain *chain = two_records();
    struct checkpoint checkpoint;
    uint8_t body[RECORD_BODY_BYTES_MAX];
    const size_t length = make_body(chain, body);
    for (size_t bit = 0; bit < 8 * length; bit++) {
        body[bit / 8] ^= (uint8_t)(1 << bit % 8);
        failure.text[0] = '\0';
        CHECK(checkpoint_check(body, length, public_key, &checkpoint, &failure) == STATUS_INVALID
                  && failure.text[0] != '\0',
              "bit %zu", bit);
        body[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t cut = 0; cut < length; cut++) {
        CHECK(checkpoint_check(body, cut, public_key, &checkpoint, &failure) == STATUS_INVALID,
              "cut at %zu", cut);
    }
    uint8_t other[CHECKPOINT_KEY_BYTES];
    memcpy(other, public_key, sizeof other);
    other[0] ^= 1;
    CHECK(checkpoint_check(body, length, other, &checkpoint, &failure) == STATUS_INVALID
              && strstr(failure.text, "another chain"),
          "%s", failure.text);
    chain_destroy(chain);
}

/* As README.md says what is signed: the outline, whose last digest is of the body with one pair
 * less, and that is the last. */
static void the_signature_is_over_the_outline(void)
{
    enum { PAIR_BYTES = 2 + 2 + CHECKPOINT_SIGNATURE_BYTES, ROOT_AT = CHECKPOINT_KEY_BYTES + 12 };
    static const char prefix[] = "ward audit checkpoint v1\n";
    static const uint8_t time_and_size[] = {0xe8, 0x6b, 0xe5, 0xcf, 0x8b, 0x01, 0, 0, 4, 0, 0, 0};
    struct chain *chain = two_records();
    const struct digest root = chain_tenants_root(chain);
    uint8_t body[RECORD_BODY_BYTES_MAX], outline[CHECKPOINT_OUTLINE_BYTES];
    uint8_t message[sizeof prefix + sizeof outline];
    const size_t length = make_body(chain, body);
    CHECK(checkpoint_write_outline(body, length, outline, &failure) == STATUS_OK, "%s",
          failure.text);
    memcpy(message, prefix, sizeof prefix - 1);
    memcpy(message + sizeof prefix - 1, outline, sizeof outline - CHECKPOINT_SIGNATURE_BYTES);
    CHECK(crypto_sign_verify_detached(
              body + length - CHECKPOINT_SIGNATURE_BYTES, message,
              sizeof prefix - 1 + sizeof outline - CHECKPOINT_SIGNATURE_BYTES, public_key)
              == 0,
          "libsodium");
    body[0]--;
    const struct digest rest = digest_of(body, length - PAIR_BYTES);
    CHECK(memcmp(outline, public_key, sizeof public_key) == 0, "chain id");
    CHECK(memcmp(outline + CHECKPOINT_KEY_BYTES, time_and_size, sizeof time_and_size) == 0,
          "time and size");
    CHECK(memcmp(outline + ROOT_AT, root.bytes, DIGEST_BYTES) == 0, "root");
    CHECK(memcmp(outline + ROOT_AT + DIGEST_BYTES, rest.bytes, DIGEST_BYTES) == 0, "the rest");
    chain_destroy(chain);
}

static void no_bit_of_an_outline_can_change(void)
{
    struct chain *chain = two_records();
    struct checkpoint_outline read;
    uint8_t body[RECORD_BODY_BYTES_MAX], outline[CHECKPOINT_OUTLINE_BYTES];
    const size_t length = make_body(chain, body);
    CHECK(checkpoint_write_outline(body, length, outline, &failure) == STATUS_OK
              && checkpoint_check_outline(outline, public_key, &read, &failure) == STATUS_OK,
          "%s", failure.text);
    CHECK(read.time_unix_ms == 1700000001000 && read.tenants_size == 4, "what it says");
    for (size_t bit = 0; bit < 8 * sizeof outline; bit++) {
        outline[bit / 8] ^= (uint8_t)(1U << bit % 8);
        CHECK(checkpoint_check_outline(outline, public_key, &read, &failure) == STATUS_INVALID,
              "bit %zu", bit);
        outline[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    chain_destroy(chain);
}

/* A record that is signed like a checkpoint but says more, or is another event. */
static void what_is_no_checkpoint_is_refused(void)
{
    struct chain *chain = two_records();
    struct checkpoint checkpoint;
    struct record_draft draft;
    uint8_t frame[CHAIN_FRAME_BYTES_MAX];
    uint8_t bytes[CHECKPOINT_SIGNATURE_BYTES] = {0};
    static const enum record_event events[] = {RECORD_EVENT_CHAIN_CHECKPOINT,
                                               RECORD_EVENT_SERVER_STOPPED};
    for (int i = 0; i < 2; i++) {
        record_draft_begin(&draft, events[i], (struct tenant_id){0}, NULL);
        record_draft_text(&draft, RECORD_FIELD_reason, "none");
        record_draft_bytes(&draft, RECORD_FIELD_chain_id, public_key);
        record_draft_uint(&draft, RECORD_FIELD_sequence, 3);
        record_draft_bytes(&draft, RECORD_FIELD_head, bytes);
        record_draft_uint(&draft, RECORD_FIELD_epoch, 1);
        record_draft_uint(&draft, RECORD_FIELD_tenants_size, 4);
        record_draft_bytes(&draft, RECORD_FIELD_tenants_root, bytes);
        record_draft_bytes(&draft, RECORD_FIELD_signature, bytes);
        const size_t length = chain_append(chain, &draft, 1700000001000, frame);
        CHECK(checkpoint_check(frame + FRAME_HEADER_BYTES, length - FRAME_HEADER_BYTES, public_key,
                               &checkpoint, &failure)
                      == STATUS_INVALID
                  && strstr(failure.text, i == 0 ? "says more" : "is no"),
              "%s", failure.text);
    }
    chain_destroy(chain);
}

static const struct {
    const char *line;
    enum status want;
} lines[] = {
    {"ward-checkpoint 1 AAEC", STATUS_OK},
    {"ward-checkpoint 1 AAE=", STATUS_OK},
    {"ward-checkpoint 1 AAE", STATUS_INVALID},
    {"ward-checkpoint 1 AAF=", STATUS_INVALID}, /* bits behind the last byte */
    {"ward-checkpoint 1 AAEC\n", STATUS_INVALID},
    {"ward-checkpoint 1  AAEC", STATUS_INVALID},
    {"ward-checkpoint 1 AA\tEC", STATUS_INVALID},
    {"ward-checkpoint 1 AA\345C", STATUS_INVALID}, /* which libsodium takes for a digit */
    {"ward-checkpoint 1 ", STATUS_INVALID},
    {"ward-checkpoint 2 AAEC", STATUS_INVALID},
    {"ward-checkpoint", STATUS_INVALID},
    {"", STATUS_INVALID},
};

static void lines_are_read_strictly(void)
{
    uint8_t body[RECORD_BODY_BYTES_MAX];
    size_t length = 0;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        CHECK(checkpoint_read_line(lines[i].line, strlen(lines[i].line), body, &length)
                  == lines[i].want,
              "row %zu: %s", i, lines[i].line);
    }
    struct checkpoint checkpoint;
    CHECK(checkpoint_read_line(known_line, sizeof known_line - 1, body, &length) == STATUS_OK,
          "the known one");
    CHECK(checkpoint_check(body, length, public_key, &checkpoint, &failure) == STATUS_OK, "%s",
          failure.text);
    static char endless[4 * RECORD_BODY_BYTES_MAX];
    memset(endless, 'A', sizeof endless);
    memcpy(endless, known_line, 18);
    CHECK(checkpoint_read_line(endless, sizeof endless, body, &length) == STATUS_INVALID, "long");
}

CHECK_MAIN(frames_have_the_bytes_that_others_make, a_checkpoint_fits_its_place_alone,
           the_epoch_in_the_body_is_that_of_the_frame, every_changed_bit_is_found,
           the_signature_is_over_the_outline, no_bit_of_an_outline_can_change,
           what_is_no_checkpoint_is_refused, lines_are_read_strictly)
