/* frame.h - a record as it lies in a segment, in Redis and in exports: a header of 96 bytes and a
 * body. Little endian:
 *
 *    0 u32 body_bytes     4 u32 crc32c of all from byte 8 on     8 u8 kind, 3 zero bytes
 *   12 u32 tenant        16 u64 sequence        24 u64 epoch
 *   32 previous[32]      64 mac[32]             96 body[body_bytes]
 *
 * Kinds: a record's body; an erased body, of which the leaf hash is left (32 bytes); a snapshot of
 * the chain, which begins each segment, is not a record, and has the sequence, epoch and hash of
 * the record before it. Pure functions; parsed frames are views. */
#pragma once
#include <stdint.h>

#include "audit/chain/digest.h"
#include "base/ids.h"
#include "base/status.h"

enum frame_kind { FRAME_RECORD = 1, FRAME_ERASED = 2, FRAME_SNAPSHOT = 3 };
enum { FRAME_HEADER_BYTES = 96, FRAME_BODY_BYTES_MAX = 4 << 20 };

struct frame {
    enum frame_kind kind;
    struct tenant_id tenant;
    uint64_t sequence, epoch;
    struct digest previous, mac;
    const uint8_t *body; /* of ERASED: the leaf */
    size_t body_bytes;
};

/* Header, body and checksum; returns the bytes written. out holds FRAME_HEADER_BYTES + body; the
 * body may already lie there. */
size_t frame_write(const struct frame *frame, uint8_t *out);

/* STATUS_NOT_FOUND: the bytes end before the frame does (*out_bytes: how many it would need, 0 if
 * even that is unknown). STATUS_INVALID: length, kind or checksum are wrong; a record's body has at
 * most RECORD_BODY_BYTES_MAX, an erased one 32. Else *out_bytes is what the frame takes up. */
MUST_CHECK enum status frame_parse(const uint8_t *bytes, size_t available, struct frame *out,
                                   size_t *out_bytes);

struct digest frame_leaf(const struct frame *frame); /* of RECORD and ERASED the same */
struct digest frame_hash(const struct frame *frame); /* as README.md says; of SNAPSHOT likewise */
struct digest frame_hash_over(const struct frame *frame, struct digest leaf); /* leaf: its own */
