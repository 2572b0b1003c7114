/* Method: the file's bytes are cut and mixed as torn writes would leave them, every prefix of
 * either place; what is read must be the new state or the one before, never something else. */
#include "audit/spool/chain_state.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/chain/crc32c.h"
#include "audit/chain/little_endian.h"
#include "audit/spool/file.h"
#include "tests/audit/support_spool.h"
#include "tests/check.h"

enum { PLACE = 512, FILE_BYTES = 2 * PLACE };

struct place {
    char directory[SUPPORT_SPOOL_PATH_BYTES];
    char path[SUPPORT_SPOOL_PATH_BYTES + 16];
};

static struct place place_make(void)
{
    struct place place;
    support_spool_directory(place.directory);
    snprintf(place.path, sizeof place.path, "%s/chain.state", place.directory);
    return place;
}

static struct chain_state state_of(uint8_t value)
{
    struct chain_state state = {
        .epoch = 1000U + value, .sequence = 77000U + value, .is_clean = value % 2};
    memset(state.key, value, sizeof state.key);
    memset(state.head.bytes, 0xff - value, sizeof state.head.bytes);
    return state;
}

static bool is_same(const struct chain_state *a, const struct chain_state *b)
{
    return a->epoch == b->epoch && a->sequence == b->sequence && a->is_clean == b->is_clean
           && memcmp(a->key, b->key, sizeof a->key) == 0 && digest_same(a->head, b->head);
}

static struct chain_state read_back(const char *path)
{
    struct chain_state state = {0};
    struct failure failure = {""};
    const enum status status = chain_state_read_with_key(path, &state, &failure);
    CHECK(status == STATUS_OK, "%s", failure.text);
    return state;
}

static void what_was_written_is_read(void)
{
    struct place place = place_make();
    struct failure failure = {""};
    struct chain_state_file file;
    struct chain_state state = state_of(0), got;
    CHECK(chain_state_read(place.path, &got, &failure) == STATUS_NOT_FOUND, "%s", failure.text);
    CHECK(chain_state_open(place.path, &file, &failure) == STATUS_NOT_FOUND, "%s", failure.text);
    CHECK(chain_state_create(place.path, &state, &failure) == STATUS_OK, "%s", failure.text);
    got = read_back(place.path);
    CHECK(is_same(&got, &state), "as it was created");
    CHECK(chain_state_open(place.path, &file, &failure) == STATUS_OK, "%s", failure.text);
    for (uint8_t i = 1; i < 20; i++) {
        state = state_of(i);
        const enum status status =
            i % 3 ? chain_state_write(&file, &state) : chain_state_write_synced(&file, &state);
        got = read_back(place.path);
        CHECK(status == STATUS_OK && is_same(&got, &state), "write %u", i);
    }
    chain_state_close(&file);
    static const uint8_t zeros[DIGEST_BYTES];
    CHECK(chain_state_read(place.path, &got, &failure) == STATUS_OK
              && got.sequence == state.sequence && memcmp(got.key, zeros, sizeof zeros) == 0,
          "readers get no key");
    struct stat info;
    CHECK(stat(place.path, &info) == 0 && (info.st_mode & 0777) == 0600
              && info.st_size == FILE_BYTES,
          "private, of two places");
    support_spool_remove(place.directory);
}

static void no_older_key_is_left_after_a_synced_write(void)
{
    struct place place = place_make();
    struct failure failure = {""};
    struct chain_state_file file;
    struct chain_state state = state_of(0xa1);
    uint8_t bytes[FILE_BYTES + 1];
    CHECK(chain_state_create(place.path, &state, &failure) == STATUS_OK, "%s", failure.text);
    CHECK(chain_state_open(place.path, &file, &failure) == STATUS_OK, "%s", failure.text);
    state = state_of(0xb2);
    CHECK(chain_state_write(&file, &state) == STATUS_OK, "one place");
    const struct chain_state next = state_of(0xc3);
    CHECK(chain_state_write_synced(&file, &next) == STATUS_OK, "both places");
    const size_t count = support_spool_load(place.path, bytes, sizeof bytes);
    CHECK(!memmem(bytes, count, state.key, sizeof state.key), "the key before is gone");
    state = state_of(0xa1);
    CHECK(!memmem(bytes, count, state.key, sizeof state.key), "the first key is gone");
    chain_state_close(&file);
    support_spool_remove(place.directory);
}

/* The file as it is when only `kept` bytes of a write to one place arrived. */
static void check_torn(const char *path, uint8_t value)
{
    uint8_t before[FILE_BYTES + 1], after[FILE_BYTES + 1], torn[FILE_BYTES];
    struct chain_state_file file;
    struct failure failure = {""};
    const struct chain_state old = read_back(path), new = state_of(value);
    support_spool_load(path, before, sizeof before);
    CHECK(chain_state_open(path, &file, &failure) == STATUS_OK, "%s", failure.text);
    CHECK(chain_state_write(&file, &new) == STATUS_OK, "write");
    chain_state_close(&file);
    support_spool_load(path, after, sizeof after);
    const size_t from = memcmp(before, after, PLACE) != 0 ? 0 : PLACE;
    CHECK(memcmp(before + PLACE - from, after + PLACE - from, PLACE) == 0, "one place is written");
    for (size_t kept = 0; kept <= PLACE; kept++) {
        memcpy(torn, before, sizeof torn);
        memcpy(torn + from, after + from, kept);
        support_spool_store(path, torn, sizeof torn);
        const struct chain_state got = read_back(path);
        const bool is_whole = memcmp(torn, after, sizeof torn) == 0;
        CHECK(is_same(&got, is_whole ? &new : &old), "%zu bytes of the place at %zu", kept, from);
    }
    support_spool_store(path, after, FILE_BYTES);
}

static void a_torn_write_leaves_the_state_before(void)
{
    struct place place = place_make();
    struct failure failure = {""};
    const struct chain_state state = state_of(1);
    CHECK(chain_state_create(place.path, &state, &failure) == STATUS_OK, "%s", failure.text);
    check_torn(place.path, 2);
    check_torn(place.path, 3);
    support_spool_remove(place.directory);
}

static void every_flipped_byte_is_found(void)
{
    struct place place = place_make();
    struct failure failure = {""};
    struct chain_state_file file;
    const struct chain_state old = state_of(1), new = state_of(2);
    uint8_t bytes[FILE_BYTES + 1];
    CHECK(chain_state_create(place.path, &old, &failure) == STATUS_OK, "%s", failure.text);
    CHECK(chain_state_open(place.path, &file, &failure) == STATUS_OK, "%s", failure.text);
    CHECK(chain_state_write(&file, &new) == STATUS_OK, "into the first place");
    chain_state_close(&file);
    support_spool_load(place.path, bytes, sizeof bytes);
    for (size_t i = 0; i < FILE_BYTES; i++) {
        bytes[i] ^= (uint8_t)(1U << i % 8);
        support_spool_store(place.path, bytes, FILE_BYTES);
        const struct chain_state got = read_back(place.path);
        CHECK(is_same(&got, i < PLACE ? &old : &new), "byte %zu", i);
        bytes[i] ^= (uint8_t)(1U << i % 8);
    }
    for (size_t count = 0; count < FILE_BYTES; count++) {
        struct chain_state got;
        support_spool_store(place.path, bytes, count);
        const enum status status = chain_state_read(place.path, &got, &failure);
        CHECK(status == (count < PLACE ? STATUS_INVALID : STATUS_OK), "cut to %zu bytes", count);
        CHECK(status == STATUS_OK || strstr(failure.text, place.path), "names the file");
    }
    support_spool_remove(place.directory);
}

static void generations_wrap(void)
{
    struct place place = place_make();
    struct failure failure = {""};
    struct chain_state_file file;
    const struct chain_state first = state_of(1);
    uint8_t bytes[FILE_BYTES + 1];
    CHECK(chain_state_create(place.path, &first, &failure) == STATUS_OK, "%s", failure.text);
    support_spool_load(place.path, bytes, sizeof bytes);
    for (uint64_t i = 0; i < 2; i++) { /* the last two there are, as this file's header says */
        uint8_t *at = bytes + i * PLACE;
        little_endian_write_u64(at + 8, UINT64_MAX - 1 + i);
        little_endian_write_u32(at + PLACE - 4, crc32c(0, at, PLACE - 4));
    }
    support_spool_store(place.path, bytes, FILE_BYTES);
    CHECK(chain_state_open(place.path, &file, &failure) == STATUS_OK, "%s", failure.text);
    CHECK(file.generation == UINT64_MAX, "generation %llu", (unsigned long long)file.generation);
    for (uint8_t i = 2; i < 7; i++) {
        const struct chain_state state = state_of(i);
        CHECK(chain_state_write(&file, &state) == STATUS_OK, "write %u", i);
        const struct chain_state got = read_back(place.path);
        CHECK(is_same(&got, &state), "write %u", i);
    }
    chain_state_close(&file);
    support_spool_remove(place.directory);
}

static void a_failed_write_is_told(void)
{
    struct place place = place_make();
    struct failure failure = {""};
    const struct chain_state old = state_of(1), new = state_of(2);
    CHECK(chain_state_create(place.path, &old, &failure) == STATUS_OK, "%s", failure.text);
    struct chain_state_file file;
    CHECK(chain_state_open(place.path, &file, &failure) == STATUS_OK, "%s", failure.text);
    const int fd = file.fd;
    file.fd = file_open(place.path, 0); /* may not be written through */
    const uint64_t generation = file.generation;
    CHECK(chain_state_write(&file, &new) == STATUS_IO, "write");
    CHECK(chain_state_write_synced(&file, &new) == STATUS_IO, "synced write");
    CHECK(file.generation == generation, "the same place is written again");
    chain_state_close(&file);
    file.fd = fd;
    CHECK(chain_state_write(&file, &new) == STATUS_OK, "works again");
    const struct chain_state got = read_back(place.path);
    CHECK(is_same(&got, &new), "and is read");
    chain_state_close(&file);
    support_spool_remove(place.directory);
}

CHECK_MAIN(what_was_written_is_read, no_older_key_is_left_after_a_synced_write,
           a_torn_write_leaves_the_state_before, every_flipped_byte_is_found, generations_wrap,
           a_failed_write_is_told)
