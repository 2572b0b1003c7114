/* Method: a query is asked of a made spool and, as oracle, all its frames are read by the test
 * itself, one by one, with the same conditions written out; both must give the same records. */
#include <stdlib.h>
#include <string.h>

#include "audit/examine/export.h"
#include "base/assert.h"
#include "base/random.h"
#include "tests/audit/examine/support_image.h"
#include "tests/check.h"

enum { RECORDS = 460, SEGMENT_RECORDS = 100, SEEDS = 200 };

static struct image_spool spool;
static struct image_frame frames[IMAGE_FRAMES_MAX];
static size_t frame_count;

static void make(void)
{
    const struct image_plan plan = {.seed = 4,
                                    .records = RECORDS,
                                    .segment_records = SEGMENT_RECORDS,
                                    .checkpoint_records = 30,
                                    .epoch_records = 50};
    image_make(&plan, &spool);
    frame_count = image_frames(&spool.image, frames);
}

static struct query any(void)
{
    return (struct query){.to_unix_ms = INT64_MAX};
}

static bool matches(const struct query *query, const struct record *record, uint64_t sequence)
{
    return (!query->has_tenant || record->tenant.value == query->tenant.value)
           && (!query->tenant_name || strcmp(record->tenant_name, query->tenant_name) == 0)
           && record->time_unix_ms >= query->from_unix_ms
           && record->time_unix_ms < query->to_unix_ms
           && (!query->has_event || record->event == query->event)
           && sequence > query->after_sequence;
}

/* Sequences of all that fit. */
static size_t expect(const struct query *query, uint64_t out[IMAGE_FRAMES_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < frame_count; i++) {
        const struct frame frame = image_parse(&spool.image, &frames[i]);
        struct record record;
        if (frame.kind != FRAME_RECORD) {
            continue;
        }
        ASSERT(record_parse(frame.body, frame.body_bytes, &record) == STATUS_OK);
        if (matches(query, &record, frame.sequence)) {
            out[count++] = frame.sequence;
        }
    }
    return count;
}

static void compare(const struct query *query, uint64_t bytes_max, const char *what)
{
    static uint64_t wanted[IMAGE_FRAMES_MAX];
    const size_t wanted_count = expect(query, wanted);
    struct query_cursor *cursor = NULL;
    struct failure failure = {""};
    size_t count = 0;
    uint64_t sequence = 0;
    ASSERT(query_open(spool.directory, query, &cursor, &failure) == STATUS_OK);
    enum status status = STATUS_OK;
    while (status != STATUS_NOT_FOUND) {
        struct record record;
        status = query_next(cursor, bytes_max, &record, &sequence, &failure);
        CHECK(status == STATUS_OK || status == STATUS_NOT_FOUND
                  || (status == STATUS_TIMEOUT && bytes_max > 0),
              "%s: %s", what, failure.text);
        if (status == STATUS_OK) {
            CHECK(count < wanted_count && sequence == wanted[count], "%s: record %zu is %llu", what,
                  count, (unsigned long long)sequence);
            CHECK(matches(query, &record, sequence), "%s: %llu does not fit", what,
                  (unsigned long long)sequence);
            count++;
        } else if (status != STATUS_NOT_FOUND && status != STATUS_TIMEOUT) {
            break;
        }
    }
    CHECK(count == wanted_count, "%s: %zu records, not %zu", what, count, wanted_count);
    query_close(cursor);
}

static void every_query_gives_what_fits(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct random_source random = {seed};
        struct query query = any();
        char what[32];
        snprintf(what, sizeof what, "seed %llu", (unsigned long long)seed);
        if (random_below(&random, 2)) {
            query.has_tenant = true;
            query.tenant.value = random_below(&random, IMAGE_TENANTS + 2);
        }
        if (random_below(&random, 4) == 0) {
            query.tenant_name = image_tenant_names[1 + random_below(&random, IMAGE_TENANTS)];
        }
        if (random_below(&random, 2)) {
            query.from_unix_ms = spool.first_time_unix_ms - 50 + random_below(&random, 6000);
            query.to_unix_ms = query.from_unix_ms + random_below(&random, 3000);
        }
        if (random_below(&random, 3) == 0) {
            query.has_event = true;
            query.event = RECORD_EVENT_REQUEST_COMPLETED;
        }
        query.after_sequence = random_below(&random, 3) ? 0 : random_below(&random, 500);
        compare(&query, random_below(&random, 2) ? 0 : 3000, what);
    }
}

static void limits_of_time_are_exact(void)
{
    for (size_t i = 1; i < frame_count; i += 37) {
        const struct frame frame = image_parse(&spool.image, &frames[i]);
        struct record record;
        if (frame.kind == FRAME_RECORD
            && record_parse(frame.body, frame.body_bytes, &record) == STATUS_OK) {
            struct query query = any();
            query.from_unix_ms = record.time_unix_ms;
            query.to_unix_ms = record.time_unix_ms + 1;
            compare(&query, 0, "one millisecond");
            query.to_unix_ms = record.time_unix_ms;
            compare(&query, 0, "no time at all");
        }
    }
}

/* Pages of ten, each from the last sequence of the one before, are the whole. */
static void pages_join(void)
{
    static uint64_t wanted[IMAGE_FRAMES_MAX];
    struct query query = any();
    query.has_tenant = true;
    query.tenant.value = 2;
    const size_t wanted_count = expect(&query, wanted);
    size_t count = 0;
    for (bool goes_on = true; goes_on;) {
        struct query_cursor *cursor = NULL;
        struct failure failure;
        struct record record;
        uint64_t sequence = 0;
        ASSERT(query_open(spool.directory, &query, &cursor, &failure) == STATUS_OK);
        for (int i = 0; i < 10 && goes_on; i++) {
            goes_on = query_next(cursor, 0, &record, &sequence, &failure) == STATUS_OK;
            CHECK(!goes_on || (count < wanted_count && sequence == wanted[count]), "record %zu",
                  count);
            count += goes_on;
        }
        query.after_sequence = sequence;
        query_close(cursor);
    }
    CHECK(count == wanted_count, "%zu of %zu", count, wanted_count);
}

/* Segments that end before the query begins are not read: their frames may be anything. */
static void early_segments_are_skipped(void)
{
    struct image image = image_copy(&spool.image);
    struct query query = any();
    query.from_unix_ms = spool.first_time_unix_ms + 4200;
    memset(image.segments[1].bytes + image.segments[1].length / 2, 0xee, 64);
    image_write(&spool, &image);
    compare(&query, 0, "damage before the beginning");
    query = any();
    query.after_sequence = 350;
    compare(&query, 0, "damage before the page");
    image_free(&image);
    image_write(&spool, &spool.image);
}

static void damage_is_told_and_torn_bytes_are_not(void)
{
    struct image image = image_copy(&spool.image);
    struct query_cursor *cursor = NULL;
    struct failure failure = {""};
    struct record record;
    uint64_t sequence = 0;
    const struct query query = any();
    memset(image.segments[1].bytes + image.segments[1].length / 2, 0xee, 64);
    image_write(&spool, &image);
    ASSERT(query_open(spool.directory, &query, &cursor, &failure) == STATUS_OK);
    enum status status = STATUS_OK;
    while (status == STATUS_OK) {
        status = query_next(cursor, 0, &record, &sequence, &failure);
    }
    CHECK(status == STATUS_INVALID && strstr(failure.text, "verify"), "%s", failure.text);
    query_close(cursor);
    image_free(&image);
    image = image_copy(&spool.image);
    const uint32_t last = image.segment_count - 1;
    image_splice(&image, last, image.segments[last].length, 0, (const uint8_t[300]){1}, 300);
    image_write(&spool, &image);
    compare(&query, 0, "torn bytes");
    image_free(&image);
    image_write(&spool, &spool.image);
}

/* ---- export ---------------------------------------------------------------------------------- */

static struct buffer export(const struct query *query, enum export_format format, uint64_t *count)
{
    struct buffer text = {.limit_bytes = 16 << 20};
    struct failure failure = {""};
    char *bytes = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&bytes, &length);
    ASSERT(out);
    CHECK(export_run(spool.directory, query, format, "node-1", out, count, &failure) == STATUS_OK,
          "%s", failure.text);
    fclose(out);
    ASSERT(buffer_append(&text, bytes, length) == STATUS_OK);
    free(bytes);
    return text;
}

static void lines_are_records_with_their_sequence(void)
{
    static uint64_t wanted[IMAGE_FRAMES_MAX];
    struct query query = any();
    query.has_tenant = true;
    query.tenant.value = 1;
    const size_t wanted_count = expect(&query, wanted);
    for (int format = EXPORT_JSONL; format <= EXPORT_FHIR; format++) {
        uint64_t count = 0;
        struct buffer text = export(&query, (enum export_format)format, &count);
        size_t lines = 0;
        for (char *line = text.bytes; line && *line; lines++) {
            char *end = strchr(line, '\n');
            char want[64];
            ASSERT(end);
            *end = '\0';
            snprintf(want, sizeof want,
                     format == EXPORT_JSONL ? "{\"sequence\":%llu,\"version\":1,"
                                            : "\"id\":\"ward-%llu\"",
                     (unsigned long long)(lines < wanted_count ? wanted[lines] : 0));
            CHECK(strstr(line, want), "line %zu: %s", lines, line);
            CHECK(!strstr(line, image_tenant_names[2]) && !strstr(line, image_tenant_names[3]),
                  "line %zu names another clinic", lines);
            line = end + 1;
        }
        CHECK(lines == wanted_count && count == lines, "%zu lines of %zu", lines, wanted_count);
        buffer_destroy(&text);
    }
}

static void clean_up(void)
{
    image_remove(&spool);
}

CHECK_MAIN(make, every_query_gives_what_fits, limits_of_time_are_exact, pages_join,
           early_segments_are_skipped, damage_is_told_and_torn_bytes_are_not,
           lines_are_records_with_their_sequence, clean_up)
