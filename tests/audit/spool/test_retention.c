/* Method: records of three tenants over many days of a made-up clock, in small segments; after a
 * run every record that is past its tenant's days is erased and no other, every leaf is what it
 * was, the chain follows from the first segment left, and the spool says what was done. */
#include "audit/spool/retention.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/examine/verify.h"
#include "audit/spool/segment.h"
#include "base/limits.h"
#include "tests/audit/support_writer.h"
#include "tests/check.h"

enum { DAYS = 60, A_DAY = 40, TENANTS = 3, ONCE = 4, TIMEOUT_MS = 60000 };
static const int64_t day_ms = 86400000, begin_ms = 1767225600000;

static char root[SUPPORT_DIRECTORY_BYTES], directory[SUPPORT_DIRECTORY_BYTES + 8];
static struct failure failure;
static _Atomic int64_t now_ms;
static uint32_t tenant_days[LIMIT_TENANTS + 1];
static struct retention_memory *memory; /* NULL in most tests */

static int64_t fake_now(void)
{
    return atomic_load(&now_ms);
}

static struct writer *start(void)
{
    struct writer_config config = support_writer_config(directory);
    config.segment_bytes = 30000;
    config.checkpoint_records = 50; /* by count alone, so that segments end at the same records */
    config.checkpoint_ms = 3600000;
    config.now_unix_ms = fake_now;
    struct writer *writer = NULL;
    CHECK(writer_start(&config, &writer, &failure) == STATUS_OK, "%s", failure.text);
    if (!writer) {
        exit(1);
    }
    return writer;
}

/* Three tenants each day; the tenant ONCE on the first day alone. */
static void append_day(struct writer *writer, uint64_t day)
{
    struct writer_position position = {0};
    for (uint64_t i = 0; i < A_DAY; i++) {
        struct record_draft draft;
        const uint64_t tenant = day == 0 && i == 0 ? ONCE : 1 + i % TENANTS;
        record_draft_begin(&draft, RECORD_EVENT_REQUEST_COMPLETED,
                           (struct tenant_id){(uint32_t)tenant}, "clinic");
        record_draft_uint(&draft, RECORD_FIELD_prompt_tokens, day);
        CHECK(writer_append(writer, &draft, 0, &position) == STATUS_OK, "taken");
    }
    CHECK(writer_wait(writer, position, TIMEOUT_MS) == STATUS_OK, "kept");
}

/* A day after a day, so that segments hold a few days each. */
static struct writer *make_spool(void)
{
    memset(tenant_days, 0, sizeof tenant_days);
    support_directory_make(root);
    snprintf(directory, sizeof directory, "%s/audit", root);
    atomic_store(&now_ms, begin_ms);
    struct writer *writer = start();
    for (uint64_t day = 0; day < DAYS; day++) {
        atomic_store(&now_ms, begin_ms + (int64_t)day * day_ms);
        append_day(writer, day);
    }
    return writer;
}

static struct retention_terms make_terms(uint32_t days)
{
    return (struct retention_terms){.now_unix_ms = atomic_load(&now_ms),
                                    .days = days,
                                    .tenant_days = tenant_days,
                                    .shipped = UINT64_MAX};
}

/* As an officer who has the first key verifies it, too. */
static struct support_spool read_spool(void)
{
    struct support_spool spool;
    char path[DIRECTORY_PATH_BYTES];
    uint8_t officer_key[DIGEST_BYTES];
    struct verify_result verified = {.kind = VERIFY_INTACT};
    const struct verify_options options = {.officer_key = officer_key};
    support_spool_read(directory, &spool);
    CHECK(spool.problem[0] == '\0', "%s", spool.problem);
    CHECK(directory_path(directory, NULL, "officer.key", path, &failure) == STATUS_OK
              && directory_read_key_file(path, officer_key, &failure) == STATUS_OK
              && verify_spool(directory, &options, &verified, &failure) == STATUS_OK,
          "%s", failure.text);
    CHECK(verified.kind == VERIFY_INTACT && verified.macs_checked > 0, "%s: %s",
          verify_break_name(verified.kind), verified.text);
    return spool;
}

static struct retention_done run(struct writer *writer, const struct retention_terms *terms,
                                 enum status want)
{
    struct retention_done done;
    failure.text[0] = '\0';
    const enum status status = retention_run(directory, writer, terms, memory, &done, &failure);
    CHECK(status == want, "%s: %s", status_name(status), failure.text);
    return done;
}

static bool is_due(const struct support_entry *entry, const struct retention_terms *terms)
{
    const uint32_t own = tenant_days[entry->tenant];
    const int64_t kept_ms = (own != 0 ? own : terms->days) * day_ms;
    return entry->event != RECORD_EVENT_CHAIN_CHECKPOINT
           && entry->time_unix_ms + kept_ms < terms->now_unix_ms
           && entry->sequence <= terms->shipped;
}

/* Where the last two segments begin, which stay as they are. */
static uint64_t kept_from(void)
{
    uint64_t *segments = NULL;
    size_t count = 0;
    CHECK(segment_list(directory, &segments, &count, &failure) == STATUS_OK && count > 2, "%s",
          failure.text);
    const uint64_t from = count > 2 ? segments[count - 2] : 0;
    free(segments);
    return from;
}

struct tally {
    uint64_t erased, checkpoints;
};

/* closed: the segments from there on were not closed when the run began. */
static struct tally compare(const struct support_spool *before, const struct support_spool *after,
                            const struct retention_terms *terms, uint64_t closed)
{
    struct tally tally = {0};
    const uint64_t first = after->entries[0].sequence;
    for (size_t i = 0; i < before->count; i++) {
        const struct support_entry *was = &before->entries[i];
        if (was->sequence < first) {
            CHECK(was->is_erased || is_due(was, terms)
                      || was->event == RECORD_EVENT_CHAIN_CHECKPOINT,
                  "record %zu is gone before its time", i);
            continue;
        }
        const struct support_entry *is = &after->entries[was->sequence - first];
        CHECK(is->sequence == was->sequence && digest_same(is->leaf, was->leaf), "leaf %zu", i);
        CHECK(is->tenant == was->tenant && is->epoch == was->epoch, "header %zu", i);
        const bool is_checkpoint = was->event == RECORD_EVENT_CHAIN_CHECKPOINT;
        const bool has_to_go = is_due(was, terms) && was->sequence < closed;
        CHECK(is_checkpoint || is->is_erased == (was->is_erased || has_to_go),
              "record %zu of tenant %llu, day %llu: erased %d", i, (unsigned long long)was->tenant,
              (unsigned long long)was->a, is->is_erased);
        tally.erased += is->is_erased && !was->is_erased;
        tally.checkpoints += is_checkpoint && is->is_erased;
    }
    return tally;
}

static void each_tenant_has_its_own_days(void)
{
    struct writer *writer = make_spool();
    tenant_days[1] = 10;
    tenant_days[2] = 400;
    const struct retention_terms terms = make_terms(30);
    struct support_spool before = read_spool();
    const uint64_t closed = kept_from();
    const struct retention_done done = run(writer, &terms, STATUS_OK);
    struct support_spool after = read_spool();
    const struct tally tally = compare(&before, &after, &terms, closed);
    CHECK(done.erased == tally.erased && tally.erased > A_DAY * 20, "%llu erased, %llu told",
          (unsigned long long)tally.erased, (unsigned long long)done.erased);
    CHECK(done.removed_segments == 0 && done.removed_to == 0, "tenant 2 holds every segment");
    CHECK(tally.checkpoints == 0, "what is left is proved by checkpoints");
    uint64_t told = 0;
    for (size_t i = 0; i < after.count; i++) {
        const struct support_entry *entry = &after.entries[i];
        told += entry->event == RECORD_EVENT_AUDIT_RETENTION ? entry->count : 0;
    }
    CHECK(told == done.erased, "%llu recorded", (unsigned long long)told);
    (void)run(writer, &terms, STATUS_OK); /* of segments that its own records have closed */
    CHECK(run(writer, &terms, STATUS_OK).erased == 0, "nothing more is due");
    CHECK(writer_stop(writer), "all kept");
    CHECK(writer_stop(start()), "a spool with erased records is continued");
    support_spool_free(&before);
    support_spool_free(&after);
    support_directory_remove(root);
}

static size_t count_segments(void)
{
    char path[SUPPORT_DIRECTORY_BYTES + 32];
    snprintf(path, sizeof path, "%s/segments", directory);
    size_t count = 0;
    DIR *files = opendir(path);
    for (const struct dirent *entry = files ? readdir(files) : NULL; entry;
         entry = readdir(files)) {
        count += entry->d_name[0] != '.';
    }
    closedir(files);
    return count;
}

static size_t copy_first_checkpoint(uint8_t out[RECORD_BODY_BYTES_MAX])
{
    struct spool_reader *reader = NULL;
    struct spool_place place;
    struct frame frame = {.body_bytes = 0};
    struct record record = {.event = (enum record_event)0};
    enum status status = spool_reader_open(directory, 0, &reader, &failure);
    while (status == STATUS_OK && record.event != RECORD_EVENT_CHAIN_CHECKPOINT) {
        status = spool_reader_next(reader, &frame, &place, &failure);
        if (status == STATUS_OK && frame.kind == FRAME_RECORD) {
            status = record_parse(frame.body, frame.body_bytes, &record);
        }
    }
    CHECK(status == STATUS_OK, "%s", failure.text);
    memcpy(out, frame.body, frame.body_bytes);
    spool_reader_close(reader);
    return frame.body_bytes;
}

static void segments_of_which_nothing_is_left_are_removed(void)
{
    struct writer *writer = make_spool();
    const struct retention_terms terms = make_terms(20);
    struct support_spool before = read_spool();
    uint8_t copied[RECORD_BODY_BYTES_MAX];
    const struct verify_options options = {.checkpoint = copied,
                                           .checkpoint_bytes = copy_first_checkpoint(copied)};
    const size_t segments = count_segments();
    const uint64_t closed = kept_from();
    const struct retention_done done = run(writer, &terms, STATUS_OK);
    struct support_spool after = read_spool();
    (void)compare(&before, &after, &terms, closed);
    CHECK(done.removed_segments > 3 && count_segments() == segments - done.removed_segments,
          "%llu removed of %zu", (unsigned long long)done.removed_segments, segments);
    CHECK(after.entries[0].sequence == done.removed_to + 1, "the rest begins behind them");
    support_spool_free(&before);
    support_spool_free(&after);
    atomic_fetch_add(&now_ms, 1000 * day_ms);
    const struct retention_terms later = make_terms(20);
    (void)run(writer, &later, STATUS_OK);
    CHECK(count_segments() == 2, "the last two stay: %zu", count_segments());
    CHECK(writer_stop(writer), "all kept");
    struct verify_result verified;
    CHECK(verify_spool(directory, &options, &verified, &failure) == STATUS_OK
              && verified.kind == VERIFY_INTACT && strstr(verified.text, "copied checkpoint"),
          "a checkpoint that was copied before: %s", verified.text);
    after = read_spool();
    support_spool_free(&after);
    support_directory_remove(root);
}

static void only_what_redis_has_is_erased(void)
{
    struct writer *writer = make_spool();
    struct retention_terms terms = make_terms(20);
    struct support_spool before = read_spool();
    const uint64_t closed = kept_from();
    terms.shipped = 0;
    CHECK(run(writer, &terms, STATUS_OK).erased == 0, "Redis has nothing yet");
    terms.shipped = before.entries[before.count / 3].sequence;
    const struct retention_done done = run(writer, &terms, STATUS_OK);
    struct support_spool after = read_spool();
    const struct tally tally = compare(&before, &after, &terms, closed);
    CHECK(done.removed_segments > 0 && done.removed_to <= terms.shipped, "what it has");
    CHECK(tally.erased > 0, "the segment that it has half of");
    CHECK(writer_stop(writer), "all kept");
    support_spool_free(&before);
    support_spool_free(&after);
    support_directory_remove(root);
}

/* Behind a segment that has to stay, others are emptied and stay. */
static void checkpoints_go_last(void)
{
    struct writer *writer = make_spool();
    tenant_days[ONCE] = 400;
    const struct retention_terms terms = make_terms(20);
    struct support_spool before = read_spool();
    const uint64_t closed = kept_from();
    const struct retention_done done = run(writer, &terms, STATUS_OK);
    struct support_spool after = read_spool();
    const struct tally tally = compare(&before, &after, &terms, closed);
    CHECK(done.removed_segments == 0, "the first segment has to stay");
    CHECK(done.erased == tally.erased && tally.checkpoints > 5, "%llu checkpoints erased",
          (unsigned long long)tally.checkpoints);
    for (size_t i = 0; i < after.count; i++) {
        const struct support_entry *entry = &after.entries[i];
        CHECK(entry->segment != after.entries[0].segment
                  || before.entries[i].event != RECORD_EVENT_CHAIN_CHECKPOINT || !entry->is_erased,
              "checkpoint %zu proves the record that stays", i);
    }
    CHECK(writer_stop(writer), "all kept");
    support_spool_free(&before);
    support_spool_free(&after);
    support_directory_remove(root);
}

static void flip_a_byte(uint64_t segment)
{
    char path[DIRECTORY_PATH_BYTES];
    CHECK(segment_path(directory, segment, path, &failure) == STATUS_OK, "%s", failure.text);
    FILE *file = fopen(path, "r+b");
    CHECK(file && fseek(file, -10, SEEK_END) == 0, "%s", path);
    const int byte = fgetc(file);
    CHECK(fseek(file, -10, SEEK_END) == 0 && fputc(byte ^ 1, file) != EOF && fclose(file) == 0,
          "%s", path);
}

/* ---- erasing that no retention did ------------------------------------------------------------
 */

static struct verify_result verify(void)
{
    const struct verify_options options = {0};
    struct verify_result result;
    CHECK(verify_spool(directory, &options, &result, &failure) == STATUS_OK, "%s", failure.text);
    return result;
}

/* The body of one record gives way to its leaf: every hash, MAC and signature still fits. */
static void erase_by_hand(const struct support_entry *entry)
{
    static uint8_t bytes[1 << 20], out[1 << 20];
    char path[DIRECTORY_PATH_BYTES];
    CHECK(segment_path(directory, entry->segment, path, &failure) == STATUS_OK, "%s", failure.text);
    FILE *file = fopen(path, "r+b");
    const size_t length = file ? fread(bytes, 1, sizeof bytes, file) : 0;
    size_t at = 0, out_length = 0, taken = 0;
    struct frame frame;
    while (at < length && frame_parse(bytes + at, length - at, &frame, &taken) == STATUS_OK) {
        struct digest leaf;
        at += taken;
        if (frame.kind == FRAME_RECORD && frame.sequence == entry->sequence) {
            leaf = frame_leaf(&frame);
            frame.kind = FRAME_ERASED;
            frame.body = leaf.bytes;
            frame.body_bytes = sizeof leaf.bytes;
        }
        out_length += frame_write(&frame, out + out_length);
    }
    rewind(file);
    CHECK(at == length && fwrite(out, 1, out_length, file) == out_length
              && ftruncate(fileno(file), (off_t)out_length) == 0 && fclose(file) == 0,
          "%s", path);
}

/* The first whole record of that event and tenant in a segment of which something is erased. */
static const struct support_entry *find_beside(const struct support_spool *spool,
                                               enum record_event event, uint64_t tenant)
{
    for (size_t i = 1; i < spool->count; i++) {
        const struct support_entry *entry = &spool->entries[i];
        if (entry->event == event && entry->tenant == tenant && spool->entries[i - 1].is_erased
            && spool->entries[i - 1].segment == entry->segment) {
            return entry;
        }
    }
    CHECK(false, "no such record");
    return spool->entries;
}

/* Retention has taken the bodies of one clinic: that hides neither a body of another one, nor a
 * record of the server, nor a whole segment. */
static void retention_explains_what_it_took_and_no_more(void)
{
    for (int how = 0; how < 3; how++) {
        char path[DIRECTORY_PATH_BYTES];
        struct writer *writer = make_spool();
        tenant_days[1] = 10;
        const struct retention_terms terms = make_terms(400);
        (void)run(writer, &terms, STATUS_OK);
        CHECK(writer_stop(writer), "all kept");
        struct support_spool spool = read_spool();
        CHECK(verify().kind == VERIFY_INTACT, "%s", verify().text);
        if (how == 0) {
            erase_by_hand(find_beside(&spool, RECORD_EVENT_REQUEST_COMPLETED, 2));
        } else if (how == 1) {
            erase_by_hand(find_beside(&spool, RECORD_EVENT_CHAIN_CHECKPOINT, 0));
        } else {
            CHECK(segment_path(directory, spool.entries[0].segment, path, &failure) == STATUS_OK
                      && unlink(path) == 0,
                  "the first segment");
        }
        const struct verify_result result = verify();
        CHECK(result.kind == VERIFY_DELETION && strstr(result.text, "audit.retention"),
              "case %d: %s: %s", how, verify_break_name(result.kind), result.text);
        support_spool_free(&spool);
        support_directory_remove(root);
    }
}

/* What explains erased bodies stays until nothing is left before it, however old it is. */
static void what_is_explained_stays_so(void)
{
    struct writer *writer = make_spool();
    tenant_days[2] = 4000;
    for (int i = 0; i < 4; i++) {
        const struct retention_terms terms = make_terms(20);
        (void)run(writer, &terms, STATUS_OK);
        for (uint64_t day = 0; day < 10; day++) {
            atomic_fetch_add(&now_ms, 10 * day_ms);
            append_day(writer, day);
        }
        CHECK(verify().kind == VERIFY_INTACT, "round %d: %s", i, verify().text);
    }
    tenant_days[2] = 0;
    const struct retention_terms terms = make_terms(20);
    const struct retention_done done = run(writer, &terms, STATUS_OK);
    CHECK(done.removed_segments > 10 && done.removed_to > 0, "nothing holds them any more");
    CHECK(verify().kind == VERIFY_INTACT, "%s", verify().text);
    CHECK(writer_stop(writer), "all kept");
    struct support_spool spool = read_spool();
    support_spool_free(&spool);
    support_directory_remove(root);
}

/* Ahead by years, at start or later, it would erase everything. */
static void a_clock_far_ahead_is_not_believed(void)
{
    const int64_t most = RETENTION_AHEAD_DAYS * day_ms, year = 365 * day_ms;
    CHECK(retention_now(begin_ms + day_ms, begin_ms, 0) == begin_ms + day_ms, "a day off");
    CHECK(retention_now(begin_ms - day_ms, begin_ms, 0) == begin_ms - day_ms, "back");
    CHECK(retention_now(begin_ms + 9 * year, begin_ms, 5000) == begin_ms + 5000 + most, "ahead");
    CHECK(retention_now(begin_ms + year, begin_ms, (uint64_t)year) == begin_ms + year, "up long");
    struct writer *writer = make_spool();
    CHECK(writer_found_time(writer) == 0, "nothing was found");
    const int64_t last_ms = atomic_load(&now_ms);
    CHECK(writer_stop(writer), "all kept");
    atomic_fetch_add(&now_ms, 9 * year);
    writer = start();
    CHECK(writer_found_time(writer) == last_ms, "the last record's");
    struct retention_terms terms = make_terms(365);
    terms.now_unix_ms = retention_now(terms.now_unix_ms, writer_found_time(writer), 0);
    CHECK(run(writer, &terms, STATUS_OK).erased == 0, "a wrong clock erases nothing");
    CHECK(writer_stop(writer), "all kept");
    support_directory_remove(root);
}

/* A segment that was changed by somebody tells whether it was read. */
static void segments_in_which_nothing_is_due_are_not_read(void)
{
    struct writer *writer = make_spool();
    tenant_days[ONCE] = 400;
    tenant_days[1] = 10;
    struct retention_terms terms = make_terms(365);
    memory = retention_memory_create();
    (void)run(writer, &terms, STATUS_OK);
    (void)run(writer, &terms, STATUS_OK); /* of segments that its own records have closed */
    struct support_spool spool = read_spool();
    flip_a_byte(spool.entries[spool.count / 3].segment);
    CHECK(run(writer, &terms, STATUS_OK).erased == 0, "not read");
    terms.now_unix_ms += 200 * day_ms;
    CHECK(run(writer, &terms, STATUS_OK).erased > 0, "later ones are read, it is not");
    tenant_days[2] = 365;
    (void)run(writer, &terms, STATUS_INVALID); /* other terms: read */
    tenant_days[2] = 0;
    terms.now_unix_ms += 200 * day_ms;
    (void)run(writer, &terms, STATUS_INVALID); /* something is due: read */
    retention_memory_destroy(memory);
    memory = NULL;
    (void)run(writer, &terms, STATUS_INVALID);
    CHECK(strstr(failure.text, "segment") != NULL, "%s", failure.text);
    CHECK(writer_stop(writer), "all kept");
    support_spool_free(&spool);
    support_directory_remove(root);
}

static void a_run_can_be_stopped_and_needs_its_record(void)
{
    struct writer *writer = make_spool();
    struct support_spool before = read_spool();
    atomic_bool stop = true;
    struct retention_terms terms = make_terms(20);
    terms.stop = &stop;
    CHECK(run(writer, &terms, STATUS_CANCELLED).erased == 0, "stopped");
    CHECK(writer_drain(writer), "all kept");
    terms.stop = NULL;
    CHECK(run(writer, &terms, STATUS_UNAVAILABLE).erased == 0, "nothing without its record");
    struct support_spool after = read_spool();
    for (size_t i = 0; i < before.count; i++) {
        CHECK(!after.entries[i].is_erased, "record %zu", i);
    }
    CHECK(writer_stop(writer), "all kept");
    support_spool_free(&before);
    support_spool_free(&after);
    support_directory_remove(root);
}

CHECK_MAIN(each_tenant_has_its_own_days, retention_explains_what_it_took_and_no_more,
           what_is_explained_stays_so, a_clock_far_ahead_is_not_believed,
           segments_of_which_nothing_is_left_are_removed, only_what_redis_has_is_erased,
           checkpoints_go_last, segments_in_which_nothing_is_due_are_not_read,
           a_run_can_be_stopped_and_needs_its_record)
