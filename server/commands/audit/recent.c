#include "server/commands/audit/recent.h"

#include <sodium.h>
#include <stdlib.h>

#include "audit/spool/chain_state.h"

enum { WINDOW_MIN = 8192, WINDOW_GROWTH = 8 };

bool recent_wants(const struct query *query, const struct record *record)
{
    return query->has_event || record->event != RECORD_EVENT_CHAIN_CHECKPOINT;
}

/* The last record that was told to be kept; 0 when that cannot be read: then all is looked at. */
static uint64_t last_sequence(const char *directory)
{
    struct failure ignored;
    struct chain_state state;
    char path[DIRECTORY_PATH_BYTES];
    uint64_t sequence = 0;
    if (directory_path(directory, NULL, "chain.state", path, &ignored) == STATUS_OK
        && chain_state_read(path, &state, &ignored) == STATUS_OK) {
        sequence = state.sequence;
    }
    sodium_memzero(&state, sizeof state);
    return sequence;
}

/* Goes through what follows query->after_sequence. ring[count]: the last sequences that fit. */
static enum status look(const char *directory, const struct query *query, uint64_t *ring,
                        uint32_t count, uint64_t *found, struct failure *failure)
{
    struct query_cursor *cursor = NULL;
    struct record record;
    uint64_t sequence = 0;
    enum status status = query_open(directory, query, &cursor, failure);
    *found = 0;
    while (status == STATUS_OK) {
        status = query_next(cursor, 0, &record, &sequence, failure);
        if (status == STATUS_OK && recent_wants(query, &record)) {
            ring[(*found)++ % count] = sequence;
        }
    }
    query_close(cursor);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status recent_find(const char *directory, struct query *query, uint32_t count,
                        struct failure *failure)
{
    const uint64_t last = last_sequence(directory);
    uint64_t window = WINDOW_MIN + 2 * (uint64_t)count, found = 0;
    if (count == 0) {
        query->after_sequence = last;
        return STATUS_OK;
    }
    uint64_t *ring = calloc(count, sizeof *ring);
    if (!ring) {
        return fail(failure, STATUS_IO, "no memory");
    }
    enum status status;
    do {
        query->after_sequence = last > window ? last - window : 0;
        status = look(directory, query, ring, count, &found, failure);
        window *= WINDOW_GROWTH;
    } while (status == STATUS_OK && found < count && query->after_sequence > 0);
    if (status == STATUS_OK && found >= count) {
        query->after_sequence = ring[found % count] - 1;
    }
    free(ring);
    return status;
}
