/* support_spool.h - an audit log on disk made frame by frame, without the writer's thread: what
 * was written, what chain.state tells of it, and when, is the test's to choose. */
#pragma once
#include "audit/spool/chain_state.h"
#include "audit/spool/segment.h"
#include "base/random.h"

enum { SUPPORT_SPOOL_PATH_BYTES = 64 };

/* A new temporary directory, and away with it. */
void support_spool_directory(char out[SUPPORT_SPOOL_PATH_BYTES]);
void support_spool_remove(const char *directory);

/* A whole file into out (which it must fit), and back. Returns its bytes. */
size_t support_spool_load(const char *path, uint8_t *out, size_t out_bytes_max);
void support_spool_store(const char *path, const uint8_t *bytes, size_t count);

struct support_spool {
    char directory[SUPPORT_SPOOL_PATH_BYTES];
    struct directory_keys *keys;
    int lock_fd;
    struct chain *chain;
    struct chain_state_file state_file;
    int fd;           /* of the last segment */
    uint64_t segment; /* its first sequence */
    uint64_t bytes;   /* its length */
    struct random_source random;
    int64_t now_unix_ms;
};

void support_spool_begin(struct support_spool *spool, uint64_t seed);
void support_spool_append(struct support_spool *spool, uint32_t count);
void support_spool_next_segment(struct support_spool *spool);
void support_spool_tell(struct support_spool *spool, bool is_clean); /* chain.state */
void support_spool_path(const struct support_spool *spool, char out[DIRECTORY_PATH_BYTES]);
void support_spool_end(struct support_spool *spool); /* removes it */
