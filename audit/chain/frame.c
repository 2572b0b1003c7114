/* The bytes of a frame: offsets as in frame.h. */
#include "audit/chain/frame.h"

#include <string.h>

#include "audit/chain/crc32c.h"
#include "audit/chain/little_endian.h"
#include "audit/record/record.h"
#include "base/assert.h"

enum {
    AT_CHECKSUM = 4,
    AT_KIND = 8,
    AT_TENANT = 12,
    AT_SEQUENCE = 16,
    AT_EPOCH = 24,
    AT_PREVIOUS = 32,
    AT_MAC = 64,
};

static uint32_t checksum(const uint8_t *bytes, size_t frame_bytes)
{
    return crc32c(0, bytes + AT_KIND, frame_bytes - AT_KIND);
}

size_t frame_write(const struct frame *frame, uint8_t *out)
{
    ASSERT(frame->body_bytes <= FRAME_BODY_BYTES_MAX);
    const size_t bytes = FRAME_HEADER_BYTES + frame->body_bytes;
    little_endian_write_u32(out, (uint32_t)frame->body_bytes);
    little_endian_write_u32(out + AT_KIND, frame->kind);
    little_endian_write_u32(out + AT_TENANT, frame->tenant.value);
    little_endian_write_u64(out + AT_SEQUENCE, frame->sequence);
    little_endian_write_u64(out + AT_EPOCH, frame->epoch);
    memcpy(out + AT_PREVIOUS, frame->previous.bytes, DIGEST_BYTES);
    memcpy(out + AT_MAC, frame->mac.bytes, DIGEST_BYTES);
    if (frame->body != out + FRAME_HEADER_BYTES) {
        memcpy(out + FRAME_HEADER_BYTES, frame->body, frame->body_bytes);
    }
    little_endian_write_u32(out + AT_CHECKSUM, checksum(out, bytes));
    return bytes;
}

/* Kind and the zero bytes behind it are read as one number. */
static bool is_possible(uint32_t kind, uint32_t body_bytes)
{
    switch (kind) {
    case FRAME_RECORD:
        return body_bytes <= RECORD_BODY_BYTES_MAX;
    case FRAME_ERASED:
        return body_bytes == DIGEST_BYTES;
    case FRAME_SNAPSHOT:
        return body_bytes <= FRAME_BODY_BYTES_MAX;
    default:
        return false;
    }
}

enum status frame_parse(const uint8_t *bytes, size_t available, struct frame *out,
                        size_t *out_bytes)
{
    *out_bytes = 0;
    if (available < AT_CHECKSUM) {
        return STATUS_NOT_FOUND;
    }
    const uint32_t body_bytes = little_endian_read_u32(bytes);
    if (body_bytes > FRAME_BODY_BYTES_MAX
        || (available >= AT_TENANT
            && !is_possible(little_endian_read_u32(bytes + AT_KIND), body_bytes))) {
        return STATUS_INVALID;
    }
    const size_t frame_bytes = FRAME_HEADER_BYTES + (size_t)body_bytes;
    *out_bytes = frame_bytes;
    if (available < frame_bytes) {
        return STATUS_NOT_FOUND;
    }
    if (little_endian_read_u32(bytes + AT_CHECKSUM) != checksum(bytes, frame_bytes)) {
        return STATUS_INVALID;
    }
    *out = (struct frame){
        .kind = (enum frame_kind)little_endian_read_u32(bytes + AT_KIND),
        .tenant = {little_endian_read_u32(bytes + AT_TENANT)},
        .sequence = little_endian_read_u64(bytes + AT_SEQUENCE),
        .epoch = little_endian_read_u64(bytes + AT_EPOCH),
        .body = bytes + FRAME_HEADER_BYTES,
        .body_bytes = body_bytes,
    };
    memcpy(out->previous.bytes, bytes + AT_PREVIOUS, DIGEST_BYTES);
    memcpy(out->mac.bytes, bytes + AT_MAC, DIGEST_BYTES);
    return STATUS_OK;
}

struct digest frame_leaf(const struct frame *frame)
{
    static const uint8_t leaf_prefix = 0x00;
    struct digest leaf;
    if (frame->kind == FRAME_ERASED) {
        ASSERT(frame->body_bytes == DIGEST_BYTES);
        memcpy(leaf.bytes, frame->body, DIGEST_BYTES);
        return leaf;
    }
    struct sha256_ctx context;
    sha256_init(&context);
    sha256_update(&context, 1, &leaf_prefix);
    sha256_update(&context, frame->body_bytes, frame->body);
    sha256_digest(&context, DIGEST_BYTES, leaf.bytes);
    return leaf;
}

struct digest frame_hash(const struct frame *frame)
{
    return frame_hash_over(frame, frame_leaf(frame));
}

struct digest frame_hash_over(const struct frame *frame, struct digest leaf)
{
    uint8_t input[1 + DIGEST_BYTES + 8 + 8 + 4 + DIGEST_BYTES] = {0x02};
    uint8_t *at = input + 1;
    memcpy(at, frame->previous.bytes, DIGEST_BYTES);
    at += DIGEST_BYTES;
    little_endian_write_u64(at, frame->sequence);
    little_endian_write_u64(at + 8, frame->epoch);
    little_endian_write_u32(at + 16, frame->tenant.value);
    memcpy(at + 20, leaf.bytes, DIGEST_BYTES);
    return digest_of(input, sizeof input);
}
