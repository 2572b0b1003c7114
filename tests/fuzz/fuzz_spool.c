/* An audit directory whose files come from the input: a byte that says which checksums are put
 * right, a chain.state of two places, a last segment. What recovery takes it takes again; what it
 * refuses it does not touch. Examining it before that always comes to an end. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/chain/crc32c.h"
#include "audit/chain/little_endian.h"
#include "audit/examine/query.h"
#include "audit/examine/verify.h"
#include "audit/spool/file.h"
#include "audit/spool/recovery.h"
#include "audit/spool/spool_reader.h"
#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { PLACE_BYTES = 512, STATE_BYTES = 2 * PLACE_BYTES, SEGMENT_BYTES_MAX = 1 << 16 };
enum { MENDS_STATE = 1, MENDS_FRAMES = 2 };

static char directory[] = "/tmp/ward-fuzz-spool-XXXXXX";
static char state_path[DIRECTORY_PATH_BYTES], path[DIRECTORY_PATH_BYTES];

static char segments[DIRECTORY_PATH_BYTES];

static void clean_up(void)
{
    unlink(path);
    unlink(state_path);
    rmdir(segments);
    rmdir(directory);
}

static void prepare(void)
{
    static bool is_prepared;
    if (is_prepared) {
        return;
    }
    is_prepared = true;
    const bool is_made =
        mkdtemp(directory) && segment_path(directory, 1, path, NULL) == STATUS_OK
        && directory_path(directory, NULL, "chain.state", state_path, NULL) == STATUS_OK
        && directory_path(directory, "segments", NULL, segments, NULL) == STATUS_OK
        && file_make_directory(segments, NULL) == STATUS_OK && atexit(clean_up) == 0;
    ASSERT(is_made);
}

static void put(const char *name, const uint8_t *bytes, size_t count)
{
    const int fd = file_open(name, O_WRONLY | O_CREAT);
    const bool is_put =
        fd >= 0 && file_write_at(fd, bytes, count, 0) && ftruncate(fd, (off_t)count) == 0;
    ASSERT(is_put);
    close(fd);
}

static void mend_state(uint8_t *places)
{
    for (size_t i = 0; i < STATE_BYTES; i += PLACE_BYTES) {
        const uint32_t sum = crc32c(0, places + i, PLACE_BYTES - 4);
        little_endian_write_u32(places + i + PLACE_BYTES - 4, sum);
    }
}

static void mend_frames(uint8_t *bytes, size_t count)
{
    for (size_t at = 0; count - at >= FRAME_HEADER_BYTES;) {
        const size_t frame_bytes = FRAME_HEADER_BYTES + (size_t)little_endian_read_u32(bytes + at);
        if (frame_bytes > count - at) {
            return;
        }
        little_endian_write_u32(bytes + at + 4, crc32c(0, bytes + at + 8, frame_bytes - 8));
        at += frame_bytes;
    }
}

/* Each frame lies behind the one before; the end is said, or a fault. */
static void read_all(void)
{
    struct spool_reader *reader = NULL;
    struct failure failure = {""};
    struct frame frame;
    struct spool_place place;
    uint64_t at = 0;
    enum status status = spool_reader_open(directory, 0, &reader, &failure);
    ASSERT(status == STATUS_OK);
    do {
        status = spool_reader_next(reader, &frame, &place, &failure);
        ASSERT(place.segment == 1 && place.offset == at);
        at += status == STATUS_OK ? FRAME_HEADER_BYTES + frame.body_bytes : 0;
    } while (status == STATUS_OK);
    ASSERT(status == STATUS_NOT_FOUND || (status == STATUS_INVALID && failure.text[0]));
    spool_reader_close(reader);
}

static size_t file_bytes(void)
{
    struct stat info;
    const bool is_there = stat(path, &info) == 0;
    ASSERT(is_there);
    return (size_t)info.st_size;
}

/* Whatever the files hold, a query ends, and verify has a name for it that it can explain. */
static void examine(void)
{
    static const uint8_t public_key[CHECKPOINT_KEY_BYTES];
    const struct verify_options options = {.public_key = public_key};
    const struct query query = {.to_unix_ms = INT64_MAX};
    struct query_cursor *cursor = NULL;
    struct verify_result result;
    struct record record;
    struct failure failure = {""};
    uint64_t sequence = 0;
    enum status status = verify_spool(directory, &options, &result, &failure);
    ASSERT(status == STATUS_OK && result.text[0] != '\0' && !strchr(result.text, '\n'));
    ASSERT(result.kind != VERIFY_INTACT || result.checkpoints == 0);
    status = query_open(directory, &query, &cursor, &failure);
    ASSERT(status == STATUS_OK);
    while (status == STATUS_OK) {
        status = query_next(cursor, 0, &record, &sequence, &failure);
    }
    ASSERT(status == STATUS_NOT_FOUND || (status == STATUS_INVALID && failure.text[0] != '\0'));
    query_close(cursor);
}

static void recover(const struct chain_state *state, size_t count)
{
    struct recovery first, again;
    struct failure failure = {""};
    struct chain *chain = chain_create();
    ASSERT(chain);
    enum status status = recovery_run(directory, state, chain, &first, &failure);
    if (status != STATUS_OK) {
        ASSERT(status == STATUS_INVALID && first.fd < 0 && file_bytes() == count);
        ASSERT(failure.text[0] != '\0' && !strchr(failure.text, '\n'));
        chain_destroy(chain);
        return;
    }
    const uint64_t sequence = chain->sequence;
    const struct digest head = chain->head;
    ASSERT(chain->has_key && sequence >= state->sequence && chain->epoch >= state->epoch);
    ASSERT(first.segment_bytes + first.torn_bytes == count && file_bytes() == first.segment_bytes);
    close(first.fd);
    chain_destroy(chain);
    chain = chain_create();
    ASSERT(chain);
    status = recovery_run(directory, state, chain, &again, &failure);
    ASSERT(status == STATUS_OK && again.torn_bytes == 0 && chain->sequence == sequence);
    ASSERT(digest_same(chain->head, head) && again.segment_bytes == first.segment_bytes);
    close(again.fd);
    chain_destroy(chain);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static uint8_t files[STATE_BYTES + SEGMENT_BYTES_MAX];
    struct failure failure = {""};
    struct chain_state state;
    if (length < 1 + STATE_BYTES || length - 1 > sizeof files) {
        return 0;
    }
    prepare();
    memcpy(files, bytes + 1, length - 1);
    const size_t count = length - 1 - STATE_BYTES;
    if (bytes[0] & MENDS_STATE) {
        mend_state(files);
    }
    if (bytes[0] & MENDS_FRAMES) {
        mend_frames(files + STATE_BYTES, count);
    }
    put(state_path, files, STATE_BYTES);
    put(path, files + STATE_BYTES, count);
    read_all();
    examine();
    if (chain_state_read_with_key(state_path, &state, &failure) == STATUS_OK) {
        recover(&state, count);
    } else {
        ASSERT(failure.text[0] != '\0' && !strchr(failure.text, '\n'));
    }
    return 0;
}
