#include "tests/audit/support_spool.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/spool/file.h"
#include "base/assert.h"
#include "tests/audit/support_chain.h"

enum { OPEN_FILES_MAX = 8 };

void support_spool_directory(char out[SUPPORT_SPOOL_PATH_BYTES])
{
    /* in memory where that can be: nothing here is about power that fails */
    snprintf(out, SUPPORT_SPOOL_PATH_BYTES, "%s/ward-spool-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    const bool is_made = mkdtemp(out) != NULL;
    ASSERT(is_made);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

void support_spool_remove(const char *directory)
{
    const int result = nftw(directory, remove_one, OPEN_FILES_MAX, FTW_DEPTH | FTW_PHYS);
    ASSERT(result == 0);
}

size_t support_spool_load(const char *path, uint8_t *out, size_t out_bytes_max)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t count = file_read_at(fd, out, out_bytes_max, 0);
    ASSERT(fd >= 0 && count >= 0 && (size_t)count < out_bytes_max);
    close(fd);
    return (size_t)count;
}

void support_spool_store(const char *path, const uint8_t *bytes, size_t count)
{
    /* not O_TRUNC: some file systems flush a file that was emptied and written anew */
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const bool is_written =
        fd >= 0 && file_write_at(fd, bytes, count, 0) && ftruncate(fd, (off_t)count) == 0;
    ASSERT(is_written);
    close(fd);
}

void support_spool_path(const struct support_spool *spool, char out[DIRECTORY_PATH_BYTES])
{
    const enum status status = segment_path(spool->directory, spool->segment, out, NULL);
    ASSERT(status == STATUS_OK);
}

void support_spool_begin(struct support_spool *spool, uint64_t seed)
{
    char path[DIRECTORY_PATH_BYTES];
    struct chain_state state;
    struct failure failure = {""};
    bool is_new = false;
    *spool = (struct support_spool){
        .random = {seed}, .fd = -1, .state_file = {.fd = -1}, .now_unix_ms = 1763700000000};
    support_spool_directory(spool->directory);
    enum status status =
        directory_open(spool->directory, &spool->keys, &spool->lock_fd, &is_new, &failure);
    ASSERT(status == STATUS_OK && is_new);
    status = directory_path(spool->directory, NULL, "chain.state", path, &failure);
    ASSERT(status == STATUS_OK);
    status = chain_state_read_with_key(path, &state, &failure);
    ASSERT(status == STATUS_OK);
    status = chain_state_open(path, &spool->state_file, &failure);
    ASSERT(status == STATUS_OK);
    spool->chain = chain_create();
    ASSERT(spool->chain);
    chain_set_key(spool->chain, state.key);
    support_spool_next_segment(spool);
}

void support_spool_next_segment(struct support_spool *spool)
{
    struct failure failure = {""};
    if (spool->fd >= 0) {
        close(spool->fd);
    }
    const enum status status =
        segment_create(spool->directory, spool->chain, &spool->fd, &spool->bytes, &failure);
    ASSERT(status == STATUS_OK);
    spool->segment = spool->chain->sequence + 1;
}

void support_spool_append(struct support_spool *spool, uint32_t count)
{
    uint8_t frame[CHAIN_FRAME_BYTES_MAX];
    for (uint32_t i = 0; i < count; i++) {
        struct record_draft draft;
        support_chain_draft(&spool->random, &draft);
        spool->now_unix_ms += random_below(&spool->random, 900);
        const size_t bytes = chain_append(spool->chain, &draft, spool->now_unix_ms, frame);
        const bool is_written = file_write_at(spool->fd, frame, bytes, spool->bytes);
        ASSERT(is_written);
        spool->bytes += bytes;
    }
}

void support_spool_tell(struct support_spool *spool, bool is_clean)
{
    struct chain_state state = {.epoch = spool->chain->epoch,
                                .sequence = spool->chain->sequence,
                                .head = spool->chain->head,
                                .is_clean = is_clean};
    memcpy(state.key, spool->chain->key, sizeof state.key);
    const enum status status = chain_state_write(&spool->state_file, &state);
    ASSERT(status == STATUS_OK);
}

void support_spool_end(struct support_spool *spool)
{
    close(spool->fd);
    chain_state_close(&spool->state_file);
    directory_close(spool->keys, spool->lock_fd);
    chain_destroy(spool->chain);
    support_spool_remove(spool->directory);
}
