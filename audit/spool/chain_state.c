/* A place, little endian:
 *   0 "WARDCST1"   8 u64 generation   16 u64 epoch   24 key[32]   56 u64 sequence   64 head[32]
 *  96 u8 is_clean  97 zeros          508 u32 crc32c of all before
 * The place with the later generation counts; generation g lies in place g % 2. */
#include "audit/spool/chain_state.h"

#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "audit/chain/crc32c.h"
#include "audit/chain/little_endian.h"
#include "audit/spool/file.h"

enum { PLACE_BYTES = 512, PLACES = 2, SUM_AT = PLACE_BYTES - 4, READ_TRIES = 8 };

static const char magic[8] = {'W', 'A', 'R', 'D', 'C', 'S', 'T', '1'};

static void encode(const struct chain_state *state, uint64_t generation, uint8_t out[PLACE_BYTES])
{
    memset(out, 0, PLACE_BYTES);
    memcpy(out, magic, sizeof magic);
    little_endian_write_u64(out + 8, generation);
    little_endian_write_u64(out + 16, state->epoch);
    memcpy(out + 24, state->key, DIGEST_BYTES);
    little_endian_write_u64(out + 56, state->sequence);
    memcpy(out + 64, state->head.bytes, DIGEST_BYTES);
    out[96] = state->is_clean;
    little_endian_write_u32(out + SUM_AT, crc32c(0, out, SUM_AT));
}

static bool is_whole(const uint8_t place[PLACE_BYTES])
{
    return memcmp(place, magic, sizeof magic) == 0
           && little_endian_read_u32(place + SUM_AT) == crc32c(0, place, SUM_AT);
}

static void decode(const uint8_t place[PLACE_BYTES], struct chain_state *out)
{
    *out = (struct chain_state){.epoch = little_endian_read_u64(place + 16),
                                .sequence = little_endian_read_u64(place + 56),
                                .is_clean = place[96] != 0};
    memcpy(out->key, place + 24, DIGEST_BYTES);
    memcpy(out->head.bytes, place + 64, DIGEST_BYTES);
}

/* The later of the whole places; NULL: there is none. */
static const uint8_t *choose(uint8_t places[PLACES][PLACE_BYTES], size_t count)
{
    const uint8_t *chosen = NULL;
    for (size_t i = 0; i < PLACES; i++) {
        if (count >= (i + 1) * PLACE_BYTES && is_whole(places[i])) {
            const bool is_later = !chosen
                                  || (int64_t)(little_endian_read_u64(places[i] + 8)
                                               - little_endian_read_u64(chosen + 8))
                                         > 0;
            chosen = is_later ? places[i] : chosen;
        }
    }
    return chosen;
}

/* A reader may meet the writer in the middle of both places, so it looks again. */
static enum status load(int fd, const char *path, struct chain_state *out, uint64_t *generation,
                        struct failure *failure)
{
    uint8_t places[PLACES][PLACE_BYTES];
    enum status status = STATUS_INVALID;
    for (int i = 0; i < READ_TRIES && status == STATUS_INVALID; i++) {
        const ssize_t count = file_read_at(fd, places, sizeof places, 0);
        const uint8_t *chosen = count > 0 ? choose(places, (size_t)count) : NULL;
        if (count < 0) {
            status = file_failed(failure, path, "read");
        } else if (chosen) {
            decode(chosen, out);
            *generation = little_endian_read_u64(chosen + 8);
            status = STATUS_OK;
        }
    }
    sodium_memzero(places, sizeof places);
    return status != STATUS_INVALID
               ? status
               : fail(failure, status,
                      "%.200s: damaged: neither of its two places is whole; the log cannot be "
                      "continued: keep the directory as evidence and start a new one",
                      path);
}

enum status chain_state_read_with_key(const char *path, struct chain_state *out,
                                      struct failure *failure)
{
    uint64_t generation = 0;
    const int fd = file_open(path, O_RDONLY);
    if (fd < 0) {
        return file_failed(failure, path, "read");
    }
    const enum status status = load(fd, path, out, &generation, failure);
    close(fd);
    return status;
}

enum status chain_state_read(const char *path, struct chain_state *out, struct failure *failure)
{
    const enum status status = chain_state_read_with_key(path, out, failure);
    sodium_memzero(out->key, sizeof out->key);
    return status;
}

enum status chain_state_open(const char *path, struct chain_state_file *out,
                             struct failure *failure)
{
    struct chain_state state;
    const int fd = file_open(path, O_RDWR);
    if (fd < 0) {
        return file_failed(failure, path, "opened");
    }
    *out = (struct chain_state_file){.fd = fd};
    const enum status status = load(fd, path, &state, &out->generation, failure);
    sodium_memzero(&state, sizeof state);
    if (status != STATUS_OK) {
        chain_state_close(out);
    }
    return status;
}

enum status chain_state_create(const char *path, const struct chain_state *state,
                               struct failure *failure)
{
    uint8_t places[PLACES][PLACE_BYTES];
    for (uint64_t i = 0; i < PLACES; i++) {
        encode(state, i, places[i]);
    }
    const enum status status = file_replace(path, places, sizeof places, failure);
    sodium_memzero(places, sizeof places);
    return status;
}

/* The generation stays when the write fails, so that the same place is written again and the other
 * one is left whole. */
enum status chain_state_write(struct chain_state_file *file, const struct chain_state *state)
{
    uint8_t place[PLACE_BYTES];
    const uint64_t generation = file->generation + 1;
    encode(state, generation, place);
    const bool is_written =
        file_write_at(file->fd, place, sizeof place, generation % PLACES * PLACE_BYTES);
    sodium_memzero(place, sizeof place);
    if (is_written) {
        file->generation = generation;
    }
    return is_written ? STATUS_OK : STATUS_IO;
}

enum status chain_state_write_synced(struct chain_state_file *file, const struct chain_state *state)
{
    for (int i = 0; i < PLACES; i++) {
        const enum status status = chain_state_write(file, state);
        if (status != STATUS_OK) {
            return status;
        }
    }
    return fdatasync(file->fd) == 0 ? STATUS_OK : STATUS_IO;
}

void chain_state_close(struct chain_state_file *file)
{
    if (file->fd >= 0) {
        close(file->fd);
    }
    file->fd = -1;
}
