/* An erased body leaves a chain that fits, so anybody who can write the files can erase one. That
 * it was retention is told by what it recorded before: no more bodies than that, and nowhere else.
 */
#include "audit/examine/verify_erased.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/examine/verify_walk.h"
#include "audit/spool/retention.h"

enum { STRETCHES_AT_FIRST = 16 };

void verify_erased_begin(struct verify_erased *erased, uint64_t first)
{
    if (erased->count > 0 && erased->stretches[erased->count - 1].last == UINT64_MAX) {
        erased->stretches[erased->count - 1].last = first - 1;
    }
    erased->first = first;
}

static struct verify_stretch *add_stretch(struct verify_erased *erased, uint64_t sequence)
{
    if (erased->count == erased->capacity) {
        const size_t capacity = 2 * erased->capacity + STRETCHES_AT_FIRST;
        struct verify_stretch *grown =
            realloc(erased->stretches, capacity * sizeof *erased->stretches);
        if (!grown) {
            return NULL;
        }
        erased->stretches = grown;
        erased->capacity = capacity;
    }
    struct verify_stretch *stretch = &erased->stretches[erased->count++];
    *stretch = (struct verify_stretch){.first = erased->first,
                                       .last = UINT64_MAX,
                                       .from = sequence,
                                       .to = sequence,
                                       .told_from = UINT64_MAX};
    return stretch;
}

void verify_erased_take(struct verify_erased *erased, uint64_t sequence)
{
    const bool is_open =
        erased->count > 0 && erased->stretches[erased->count - 1].last == UINT64_MAX;
    struct verify_stretch *stretch =
        is_open ? &erased->stretches[erased->count - 1] : add_stretch(erased, sequence);
    if (!stretch) {
        erased->is_short_of_memory = true;
        return;
    }
    stretch->to = sequence;
    stretch->count++;
}

void verify_erased_tell(struct verify_erased *erased, const struct record *record)
{
    char reason[sizeof RETENTION_REMOVED + 1];
    const uint64_t to = record->fields[RECORD_FIELD_sequence_to].uint;
    erased->has_untold = to < UINT64_MAX;
    erased->untold_from = record->fields[RECORD_FIELD_sequence_from].uint;
    erased->untold_to = to;
    erased->untold_count = record->fields[RECORD_FIELD_count].uint;
    erased->untold_removes =
        record->fields[RECORD_FIELD_reason].kind == RECORD_TEXT
        && strcmp(record_text(record, RECORD_FIELD_reason, reason, sizeof reason),
                  RETENTION_REMOVED)
               == 0;
}

/* The stretch that holds the sequence; NULL: nothing was erased there, or it is gone. */
static struct verify_stretch *find(const struct verify_erased *erased, uint64_t sequence)
{
    size_t low = 0, high = erased->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (erased->stretches[middle].last < sequence) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < erased->count && erased->stretches[low].first <= sequence ? &erased->stretches[low]
                                                                           : NULL;
}

void verify_erased_sign(struct verify_erased *erased)
{
    if (!erased->has_untold) {
        return;
    }
    erased->has_untold = false;
    if (erased->untold_removes && erased->untold_to > erased->removed_to) {
        erased->removed_to = erased->untold_to;
    }
    struct verify_stretch *stretch = find(erased, erased->untold_to);
    if (stretch) {
        stretch->told_count += erased->untold_count;
        stretch->told_to =
            erased->untold_to > stretch->told_to ? erased->untold_to : stretch->told_to;
        stretch->told_from =
            erased->untold_from < stretch->told_from ? erased->untold_from : stretch->told_from;
    }
}

enum verify_break verify_erased_end(const struct verify_erased *erased,
                                    struct verify_result *result)
{
    if (erased->is_short_of_memory) {
        return verify_walk_break(result, VERIFY_DELETION, erased->first,
                                 "no memory to account for the erased bodies: verify again");
    }
    if (result->first_sequence > 1 && erased->removed_to + 1 < result->first_sequence) {
        return verify_walk_break(result, VERIFY_DELETION, 1,
                                 "records %" PRIu64 " to %" PRIu64
                                 " are missing, and no signed audit.retention tells of them",
                                 erased->removed_to + 1, result->first_sequence - 1);
    }
    for (size_t i = 0; i < erased->count; i++) {
        const struct verify_stretch *stretch = &erased->stretches[i];
        if (stretch->count > stretch->told_count || stretch->from < stretch->told_from
            || stretch->to > stretch->told_to) {
            return verify_walk_break(
                result, VERIFY_DELETION, stretch->from,
                "%" PRIu64 " bodies of records %" PRIu64 " to %" PRIu64
                " are missing, but signed audit.retention tell of %" PRIu64 " there",
                stretch->count, stretch->from, stretch->to, stretch->told_count);
        }
    }
    return VERIFY_INTACT;
}

void verify_erased_free(struct verify_erased *erased)
{
    free(erased->stretches);
    *erased = (struct verify_erased){0};
}
