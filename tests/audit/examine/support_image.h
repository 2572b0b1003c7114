/* support_image.h - a spool made frame by frame, with keys that the test knows, and its files in
 * memory, so that a test can change them and write them back. */
#pragma once
#include "audit/chain/checkpoint.h"
#include "audit/spool/chain_state.h"

enum { IMAGE_TENANTS = 3, IMAGE_SEGMENTS_MAX = 24, IMAGE_FRAMES_MAX = 8192 };

struct image_plan {
    uint64_t seed;
    uint32_t records;         /* besides checkpoints */
    uint32_t segment_records; /* 0: one segment */
    uint32_t checkpoint_records;
    uint32_t epoch_records;
};

struct image_segment {
    uint64_t first; /* the sequence in its name */
    uint8_t *bytes;
    size_t length;
};

struct image_frame {  /* where one lies */
    uint32_t segment; /* index */
    size_t offset, bytes;
    uint64_t sequence;
    enum frame_kind kind;
};

struct image {
    struct image_segment segments[IMAGE_SEGMENTS_MAX];
    uint32_t segment_count;
    struct chain_state state;
};

struct image_spool {
    char directory[256];
    uint8_t public_key[CHECKPOINT_KEY_BYTES];
    uint8_t secret[CHECKPOINT_SECRET_BYTES];
    uint8_t officer_key[DIGEST_BYTES];
    struct image image; /* as it was made */
    int64_t first_time_unix_ms;
};

extern const char *const image_tenant_names[IMAGE_TENANTS + 1];

/* Makes a temporary directory with that spool in it, cleanly stopped. */
void image_make(const struct image_plan *plan, struct image_spool *out);
void image_remove(struct image_spool *spool); /* the directory too */

/* The draft that the spool has for its n-th record. */
void image_draft(uint64_t seed, uint32_t n, struct record_draft *out);

struct image image_copy(const struct image *image);
void image_free(struct image *image);
/* Replaces all segments and chain.state by those of the image. */
void image_write(const struct image_spool *spool, const struct image *image);

/* All whole frames in the order of the files; returns how many. */
size_t image_frames(const struct image *image, struct image_frame out[IMAGE_FRAMES_MAX]);
struct frame image_parse(const struct image *image, const struct image_frame *place);

/* Puts bytes in the place of `removed` bytes at an offset of a segment. */
void image_splice(struct image *image, uint32_t segment, size_t offset, size_t removed,
                  const uint8_t *bytes, size_t length);
