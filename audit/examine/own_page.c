#include "audit/examine/own_page.h"

#include <inttypes.h>
#include <stdlib.h>

#include "audit/chain/chain.h"
#include "audit/spool/segment.h"

/* The tenant's records before a segment. */
static enum status count_before(const char *directory, struct tenant_id tenant, uint64_t segment,
                                uint64_t *out, struct failure *failure)
{
    struct spool_reader *reader = NULL;
    struct frame snapshot;
    struct spool_place place;
    enum status status = spool_reader_open(directory, segment, &reader, failure);
    if (status == STATUS_OK) {
        status = spool_reader_next(reader, &snapshot, &place, failure);
    }
    if (status == STATUS_OK && !chain_snapshot_count(&snapshot, tenant, out)) {
        status = STATUS_INVALID;
    }
    spool_reader_close(reader);
    return status == STATUS_OK
               ? STATUS_OK
               : fail(failure, status == STATUS_IO ? STATUS_IO : STATUS_INVALID,
                      "%s: segment %" PRIu64 " does not begin well: run ward audit verify",
                      directory, segment);
}

struct search {
    const char *directory;
    struct tenant_id tenant;
    const uint64_t *segments;
    size_t count;
};

/* The last segment before which there are at most `number` records of the tenant. */
static enum status bisect(const struct search *search, uint64_t number, size_t *out,
                          struct failure *failure)
{
    size_t first = 0;
    for (size_t end = search->count; end > first + 1;) {
        const size_t middle = first + (end - first) / 2;
        uint64_t before = 0;
        const enum status status = count_before(search->directory, search->tenant,
                                                search->segments[middle], &before, failure);
        if (status != STATUS_OK) {
            return status;
        }
        if (before <= number) {
            first = middle;
        } else {
            end = middle;
        }
    }
    *out = first;
    return STATUS_OK;
}

enum status own_page_find(const char *directory, struct tenant_id tenant, uint64_t number,
                          int64_t from_unix_ms, struct own_page *out, struct failure *failure)
{
    uint64_t *segments = NULL, from_segment = 0;
    size_t place = 0;
    struct search search = {.directory = directory, .tenant = tenant};
    *out = (struct own_page){0};
    enum status status = from_unix_ms > 0
                             ? query_first_segment(directory, from_unix_ms, &from_segment, failure)
                             : STATUS_OK;
    if (status == STATUS_OK) {
        status = segment_list(directory, &segments, &search.count, failure);
    }
    search.segments = segments;
    if (status == STATUS_OK && search.count > 0) {
        status = bisect(&search, number, &place, failure);
    }
    while (status == STATUS_OK && place + 1 < search.count && segments[place] < from_segment) {
        place++;
    }
    if (status == STATUS_OK && search.count > 0) {
        out->after_sequence = segments[place] - 1;
    }
    if (status == STATUS_OK && place + 1 < search.count) {
        out->end_sequence = segments[place + 1];
        status = count_before(directory, tenant, out->end_sequence, &out->end_number, failure);
    }
    free(segments);
    return status;
}
