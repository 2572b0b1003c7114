/* SHA-256 and HMAC-SHA-256 as nettle has them. */
#include "audit/chain/digest.h"

#include <sodium.h>
#include <string.h>

struct digest digest_of(const void *bytes, size_t length)
{
    struct sha256_ctx context;
    struct digest digest;
    sha256_init(&context);
    sha256_update(&context, length, bytes);
    sha256_digest(&context, sizeof digest.bytes, digest.bytes);
    return digest;
}

struct digest digest_hmac(const uint8_t key[DIGEST_BYTES], const void *bytes, size_t length)
{
    struct digest_stream stream;
    digest_stream_begin(&stream, key);
    digest_stream_add(&stream, bytes, length);
    return digest_stream_end(&stream);
}

void digest_stream_begin(struct digest_stream *stream, const uint8_t key[DIGEST_BYTES])
{
    hmac_sha256_set_key(&stream->context, DIGEST_BYTES, key);
}

void digest_stream_add(struct digest_stream *stream, const void *bytes, size_t length)
{
    hmac_sha256_update(&stream->context, length, bytes);
}

struct digest digest_stream_end(struct digest_stream *stream)
{
    struct digest digest;
    hmac_sha256_digest(&stream->context, sizeof digest.bytes, digest.bytes);
    sodium_memzero(stream, sizeof *stream);
    return digest;
}

struct digest digest_stream_mac(struct digest_stream *stream, const void *bytes, size_t length)
{
    struct digest digest;
    hmac_sha256_update(&stream->context, length, bytes);
    hmac_sha256_digest(&stream->context, sizeof digest.bytes, digest.bytes); /* and begins anew */
    return digest;
}

/* Word by word, for verify asks this of every record; as blind to where they differ as a loop over
 * bytes. */
bool digest_same(struct digest a, struct digest b)
{
    uint64_t x[DIGEST_BYTES / 8], y[DIGEST_BYTES / 8], difference = 0;
    memcpy(x, a.bytes, sizeof x);
    memcpy(y, b.bytes, sizeof y);
    for (size_t i = 0; i < DIGEST_BYTES / 8; i++) {
        difference |= x[i] ^ y[i];
    }
    return difference == 0;
}
