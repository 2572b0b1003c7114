/* digest.h - SHA-256 and HMAC-SHA-256 by nettle, which uses the processor's SHA instructions.
 * Pure functions; keys are cleared from every intermediate. */
#pragma once
#include <nettle/hmac.h>
#include <nettle/sha2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DIGEST_BYTES = 32 };

struct digest {
    uint8_t bytes[DIGEST_BYTES];
};

struct digest digest_of(const void *bytes, size_t length);
struct digest digest_hmac(const uint8_t key[DIGEST_BYTES], const void *bytes, size_t length);

/* A MAC over text that comes in pieces. */
struct digest_stream {
    struct hmac_sha256_ctx context;
};
void digest_stream_begin(struct digest_stream *stream, const uint8_t key[DIGEST_BYTES]);
void digest_stream_add(struct digest_stream *stream, const void *bytes, size_t length);
struct digest digest_stream_end(struct digest_stream *stream); /* and clears it */

/* The MAC of one text, by a stream that was begun and is then as it was. */
struct digest digest_stream_mac(struct digest_stream *stream, const void *bytes, size_t length);

bool digest_same(struct digest a, struct digest b); /* in constant time */
