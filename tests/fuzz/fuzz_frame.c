/* The first byte says what the rest is: frames behind one another, of which snapshots are read and
 * the others followed; a checkpoint's body; or its line. What is accepted is what we would write.
 * Checksums, and what ties a frame to the one before, are put right first: else nothing would get
 * past them. */
#include <string.h>

#include "audit/chain/checkpoint.h"
#include "audit/chain/crc32c.h"
#include "audit/chain/little_endian.h"
#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { INPUT_BYTES_MAX = 1 << 16 };

static uint8_t copy[INPUT_BYTES_MAX];

static void mend_checksum(uint8_t *bytes, size_t length)
{
    if (length >= FRAME_HEADER_BYTES
        && little_endian_read_u32(bytes) <= length - FRAME_HEADER_BYTES) {
        const size_t covered = FRAME_HEADER_BYTES - 8 + little_endian_read_u32(bytes);
        little_endian_write_u32(bytes + 4, crc32c(0, bytes + 8, covered));
    }
}

static void try_snapshot(struct chain *chain, const struct frame *frame)
{
    if (chain_read_snapshot(chain, frame) != STATUS_OK) {
        ASSERT(!chain_is_at_snapshot(chain, frame));
        return;
    }
    struct buffer again = {.limit_bytes = FRAME_HEADER_BYTES + FRAME_BODY_BYTES_MAX};
    ASSERT(chain_is_at_snapshot(chain, frame));
    ASSERT(chain_write_snapshot(chain, &again) == STATUS_OK);
    ASSERT(again.length == FRAME_HEADER_BYTES + frame->body_bytes);
    ASSERT(memcmp(again.bytes + FRAME_HEADER_BYTES, frame->body, frame->body_bytes) == 0);
    buffer_destroy(&again);
}

static void try_follow(struct chain *chain, struct frame *frame)
{
    struct record record;
    const uint64_t sequence = chain->sequence;
    frame->sequence = sequence + 1;
    frame->previous = chain->head;
    const enum chain_break found = chain_follow(chain, frame, &record);
    ASSERT(found != CHAIN_BAD_SEQUENCE && found != CHAIN_BAD_PREVIOUS);
    ASSERT(chain->sequence == sequence + (found == CHAIN_INTACT));
    ASSERT(chain->tenants_size <= LIMIT_TENANTS + 1);
    if (found == CHAIN_INTACT && frame->kind == FRAME_RECORD) {
        ASSERT(record.number == chain->tenants[frame->tenant.value].size);
        ASSERT(record.time_unix_ms == chain->time_unix_ms);
    }
}

static void try_frames(const uint8_t *bytes, size_t length)
{
    static struct chain *chain;
    if (!chain) {
        chain = chain_create();
        ASSERT(chain);
    }
    if (length > sizeof copy) {
        return;
    }
    memcpy(copy, bytes, length);
    for (size_t at = 0; at < length;) {
        struct frame frame;
        size_t frame_bytes = 0;
        mend_checksum(copy + at, length - at);
        const enum status status = frame_parse(copy + at, length - at, &frame, &frame_bytes);
        ASSERT(status != STATUS_NOT_FOUND || frame_bytes == 0 || frame_bytes > length - at);
        if (status != STATUS_OK) {
            break;
        }
        at += frame_bytes;
        if (frame.kind == FRAME_SNAPSHOT) {
            try_snapshot(chain, &frame);
        } else {
            try_follow(chain, &frame);
        }
    }
    memset(chain->tenants, 0, chain->tenants_size * sizeof chain->tenants[0]);
    memset(chain, 0, offsetof(struct chain, tenants));
    memset(chain->tree.known, 0, sizeof chain->tree.known);
    chain->epoch = 0;
}

static void try_checkpoint(const uint8_t *body, size_t length)
{
    struct failure failure = {""};
    struct checkpoint checkpoint;
    uint8_t chain_id[CHECKPOINT_KEY_BYTES] = {0};
    struct record record;
    if (record_parse(body, length, &record) == STATUS_OK
        && record.fields[RECORD_FIELD_chain_id].kind == RECORD_BYTES) {
        memcpy(chain_id, record.fields[RECORD_FIELD_chain_id].bytes, sizeof chain_id);
    }
    if (checkpoint_check(body, length, chain_id, &checkpoint, &failure) == STATUS_OK) {
        ASSERT(checkpoint.tenants_size <= LIMIT_TENANTS + 1);
    } else {
        ASSERT(failure.text[0] != '\0' && !strchr(failure.text, '\n'));
    }
}

static void try_line(const char *line, size_t length)
{
    uint8_t body[RECORD_BODY_BYTES_MAX];
    size_t body_bytes = 0;
    struct buffer again = {.limit_bytes = INPUT_BYTES_MAX};
    if (checkpoint_read_line(line, length, body, &body_bytes) == STATUS_OK) {
        ASSERT(checkpoint_write_line(body, body_bytes, &again) == STATUS_OK);
        ASSERT(again.length == length && memcmp(again.bytes, line, length) == 0);
        try_checkpoint(body, body_bytes);
    }
    buffer_destroy(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length == 0) {
        return 0;
    }
    switch (bytes[0]) {
    case 'f':
        try_frames(bytes + 1, length - 1);
        break;
    case 'c':
        try_checkpoint(bytes + 1, length - 1);
        break;
    default:
        try_line((const char *)bytes, length);
    }
    return 0;
}
