/* Method: known vectors. "abc" is of FIPS 180-4; the other digests are of Python's hashlib and hmac
 * over bytes that support_digest_pattern makes. CRC-32C: RFC 3720 B.4, the customary check value of
 * "123456789", and each way to compute it against the other at every length and border. */
#include <string.h>

#include "audit/chain/crc32c.h"
#include "base/random.h"
#include "tests/audit/support_digest.h"
#include "tests/check.h"

enum { PATTERN_BYTES = 1000 };

static uint8_t pattern[PATTERN_BYTES]; /* i * 7 + 3 */

static void sha256_is_that_of_others(void)
{
    support_digest_pattern(pattern, sizeof pattern, 7, 3);
    CHECK(support_digest_is(digest_of("abc", 3),
                            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
          "abc");
    CHECK(support_digest_is(digest_of("", 0),
                            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
          "nothing");
    CHECK(support_digest_is(digest_of(pattern, sizeof pattern),
                            "1e9bc38cbf860b9ec31918b065f9b52476c549a782e0e7990bed8ce3868d2371"),
          "pattern");
}

static void hmac_is_that_of_others(void)
{
    uint8_t key[DIGEST_BYTES];
    support_digest_pattern(key, sizeof key, 1, 0);
    CHECK(support_digest_is(digest_hmac(key, "ward next epoch", 15),
                            "fabbe3ea68ffcfadf51308001282e8a15ccb94f728f1cace68168c39d766484e"),
          "short");
    const char *want = "13f22d9be5636c710a12699e36a0390622d622f876e5aec2ddd33db4862cfd4f";
    CHECK(support_digest_is(digest_hmac(key, pattern, sizeof pattern), want), "pattern");
    struct digest_stream stream;
    digest_stream_begin(&stream, key);
    for (size_t at = 0, piece = 0; at < sizeof pattern; at += piece) {
        piece = at % 97 + 1 < sizeof pattern - at ? at % 97 + 1 : sizeof pattern - at;
        digest_stream_add(&stream, pattern + at, piece);
    }
    CHECK(support_digest_is(digest_stream_end(&stream), want), "the same in pieces");
    static const struct digest_stream cleared;
    CHECK(memcmp(&stream, &cleared, sizeof stream) == 0, "nothing of the key is left");
}

static void digests_differ_by_any_bit(void)
{
    const struct digest digest = digest_of("abc", 3);
    CHECK(digest_same(digest, digest), "same");
    for (int bit = 0; bit < 8 * DIGEST_BYTES; bit++) {
        struct digest other = digest;
        other.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(!digest_same(digest, other), "bit %d", bit);
    }
}

typedef uint32_t sum_function(uint32_t before, const void *bytes, size_t length);

static void check_vectors(sum_function *sum, const char *name)
{
    uint8_t bytes[32];
    CHECK(sum(0, "123456789", 9) == 0xe3069283, "%s: check value", name);
    CHECK(sum(0, "", 0) == 0, "%s: nothing", name);
    memset(bytes, 0, sizeof bytes);
    CHECK(sum(0, bytes, sizeof bytes) == 0x8a9136aa, "%s: zeros", name);
    memset(bytes, 0xff, sizeof bytes);
    CHECK(sum(0, bytes, sizeof bytes) == 0x62a8ab43, "%s: ones", name);
    support_digest_pattern(bytes, sizeof bytes, 1, 0);
    CHECK(sum(0, bytes, sizeof bytes) == 0x46dd794e, "%s: rising", name);
    support_digest_pattern(bytes, sizeof bytes, UINT32_MAX, 31);
    CHECK(sum(0, bytes, sizeof bytes) == 0x113fdb5c, "%s: falling", name);
    CHECK(sum(0, pattern, sizeof pattern) == 0xdd2edff7, "%s: pattern", name);
}

static void checksums_are_those_of_others(void)
{
    check_vectors(crc32c, "crc32c");
    check_vectors(crc32c_by_table, "crc32c_by_table");
    struct random_source random = {1};
    for (size_t i = 0; i < sizeof pattern; i++) {
        pattern[i] = (uint8_t)random_next(&random);
    }
    for (size_t length = 0; length < 300; length++) {
        const size_t start = length % 9;
        const size_t first = length / 3;
        const uint32_t sum = crc32c(0, pattern + start, length);
        CHECK(crc32c_by_table(0, pattern + start, length) == sum, "length %zu", length);
        CHECK(crc32c(crc32c(0, pattern + start, first), pattern + start + first, length - first)
                  == sum,
              "length %zu in two pieces", length);
    }
}

CHECK_MAIN(sha256_is_that_of_others, hmac_is_that_of_others, digests_differ_by_any_bit,
           checksums_are_those_of_others)
