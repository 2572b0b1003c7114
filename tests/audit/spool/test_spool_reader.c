/* Method: a log whose frames are known is given to the reader whole, in pieces as a writer would
 * leave them at any moment, with files removed and replaced while it reads, and broken. What comes
 * must be exactly the whole frames, in order, each where it lies. */
#include "audit/spool/spool_reader.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/spool/file.h"
#include "audit/spool/segment.h"
#include "tests/audit/support_spool.h"
#include "tests/check.h"

enum { BYTES_MAX = 8 << 20, SEGMENTS = 5, RECORDS = 40, PATH_BYTES = 160, SEEDS = 20 };

static uint8_t bytes_of[SEGMENTS][1 << 17];
static size_t count_of[SEGMENTS];
static uint64_t first_of[SEGMENTS];
static char path_of[SEGMENTS][DIRECTORY_PATH_BYTES];

/* SEGMENTS segments, and what is in them. */
static void make_log(struct support_spool *spool, uint64_t seed)
{
    support_spool_begin(spool, seed);
    for (int i = 0; i < SEGMENTS; i++) {
        if (i > 0) {
            support_spool_next_segment(spool);
        }
        support_spool_append(spool, 1 + random_below(&spool->random, RECORDS));
        first_of[i] = spool->segment;
        support_spool_path(spool, path_of[i]);
        count_of[i] = support_spool_load(path_of[i], bytes_of[i], sizeof bytes_of[i]);
    }
}

static struct spool_reader *reader_open(const char *directory, uint64_t from)
{
    struct spool_reader *reader = NULL;
    struct failure failure = {""};
    const enum status status = spool_reader_open(directory, from, &reader, &failure);
    CHECK(status == STATUS_OK, "%s", failure.text);
    return reader;
}

/* Reads what there is of a segment up to `available` bytes, beginning at *at; false: a difference
 * was told. The length of each frame is taken from its bytes, not from the reader. */
static bool check_frames(struct spool_reader *reader, int segment, size_t *at, size_t available)
{
    const uint8_t *bytes = bytes_of[segment];
    struct frame frame;
    struct spool_place place;
    struct failure failure = {""};
    while (*at + FRAME_HEADER_BYTES <= available) {
        uint32_t body_bytes = 0;
        memcpy(&body_bytes, bytes + *at, sizeof body_bytes);
        if (*at + FRAME_HEADER_BYTES + body_bytes > available) {
            break;
        }
        const enum status status = spool_reader_next(reader, &frame, &place, &failure);
        const bool is_same =
            status == STATUS_OK && frame.body_bytes == body_bytes
            && memcmp(frame.body, bytes + *at + FRAME_HEADER_BYTES, body_bytes) == 0
            && place.segment == first_of[segment] && place.offset == *at
            && (frame.kind == FRAME_SNAPSHOT) == (*at == 0);
        CHECK(is_same, "segment %d at %zu: %d %s", segment, *at, (int)status, failure.text);
        if (!is_same) {
            return false;
        }
        *at += FRAME_HEADER_BYTES + body_bytes;
    }
    return true;
}

static void check_end(struct spool_reader *reader, int segment, size_t at, size_t available)
{
    struct frame frame;
    struct spool_place place;
    struct failure failure = {""};
    for (int i = 0; i < 2; i++) {
        const enum status status = spool_reader_next(reader, &frame, &place, &failure);
        CHECK(status == STATUS_NOT_FOUND, "the end for now: %d %s", (int)status, failure.text);
        CHECK(place.segment == first_of[segment] && place.offset == at, "place of the next one");
        CHECK(spool_reader_tail_bytes(reader) == available - at, "tail");
    }
}

static void check_fault(struct spool_reader *reader, int segment, size_t at)
{
    struct frame frame;
    struct spool_place place;
    for (int i = 0; i < 2; i++) {
        struct failure failure = {""};
        const enum status status = spool_reader_next(reader, &frame, &place, &failure);
        CHECK(status == STATUS_INVALID, "%d at %zu", (int)status, at);
        CHECK(place.segment == first_of[segment] && place.offset == at, "the reader stays");
        CHECK(strstr(failure.text, "segment") && strstr(failure.text, "ward audit verify"), "%s",
              failure.text);
    }
}

/* ---- whole logs ------------------------------------------------------------------------------ */

static void all_segments_are_read_from_any_record_on(void)
{
    struct support_spool spool;
    make_log(&spool, 1);
    const uint64_t last = spool.chain->sequence;
    int begin = 0;
    for (uint64_t from = 0; from <= last + 2; from++) {
        while (begin + 1 < SEGMENTS && first_of[begin + 1] <= from) {
            begin++;
        }
        struct spool_reader *reader = reader_open(spool.directory, from);
        for (int i = begin; i < SEGMENTS; i++) {
            size_t at = 0;
            check_frames(reader, i, &at, count_of[i]);
            CHECK(at == count_of[i], "all of segment %d", i);
        }
        check_end(reader, SEGMENTS - 1, count_of[SEGMENTS - 1], count_of[SEGMENTS - 1]);
        spool_reader_close(reader);
    }
    support_spool_end(&spool);
}

static void a_place_without_segments_is_not_found(void)
{
    char directory[SUPPORT_SPOOL_PATH_BYTES];
    struct spool_reader *reader = NULL;
    struct failure failure = {""};
    support_spool_directory(directory);
    CHECK(spool_reader_open(directory, 0, &reader, &failure) == STATUS_NOT_FOUND && !reader
              && strstr(failure.text, directory),
          "%s", failure.text);
    spool_reader_close(NULL);
    support_spool_remove(directory);
}

static void segments_are_skipped(void)
{
    struct support_spool spool;
    struct failure failure = {""};
    make_log(&spool, 2);
    struct spool_reader *reader = reader_open(spool.directory, 0);
    size_t at = 0;
    CHECK(spool_reader_skip_segment(reader, &failure) == STATUS_OK, "%s", failure.text);
    uint32_t body_bytes = 0;
    memcpy(&body_bytes, bytes_of[1], sizeof body_bytes);
    check_frames(reader, 1, &at, FRAME_HEADER_BYTES + body_bytes);
    for (int i = 2; i < SEGMENTS; i++) {
        CHECK(spool_reader_skip_segment(reader, &failure) == STATUS_OK, "%s", failure.text);
    }
    CHECK(spool_reader_skip_segment(reader, &failure) == STATUS_NOT_FOUND, "the last one");
    at = 0;
    check_frames(reader, SEGMENTS - 1, &at, count_of[SEGMENTS - 1]);
    check_end(reader, SEGMENTS - 1, at, at);
    spool_reader_close(reader);
    support_spool_end(&spool);
}

/* ---- a log that grows ------------------------------------------------------------------------ */

/* One step of a writer: some more bytes of the current segment, or the next segment with some. */
static void grow(struct random_source *random, int *segment, size_t *available)
{
    const size_t left = count_of[*segment] - *available;
    if (left > 0) {
        const size_t step = random_below(random, 3) == 0 ? left : random_below(random, 700);
        *available += step < left ? step : left;
    } else if (*segment + 1 < SEGMENTS) {
        (*segment)++;
        *available = 0;
    }
    const int fd = open(path_of[*segment], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && file_write_at(fd, bytes_of[*segment], *available, 0), "write");
    close(fd);
}

static void a_growing_log_is_read_at_every_moment(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct support_spool spool;
        struct random_source random = {seed};
        make_log(&spool, seed);
        for (int i = 0; i < SEGMENTS; i++) {
            unlink(path_of[i]);
        }
        int written = 0, read = 0;
        size_t available = 0, at = 0;
        grow(&random, &written, &available);
        struct spool_reader *reader = reader_open(spool.directory, 0);
        bool is_right = true;
        while (is_right && (read < SEGMENTS - 1 || at < count_of[SEGMENTS - 1])) {
            for (uint32_t i = random_below(&random, 4); i > 0; i--) {
                grow(&random, &written, &available);
            }
            while (is_right && read < written) {
                is_right = check_frames(reader, read, &at, count_of[read]);
                read++;
                at = 0;
            }
            is_right = is_right && check_frames(reader, read, &at, available);
            if (is_right) {
                check_end(reader, read, at, available);
            }
        }
        CHECK(is_right, "seed %llu", (unsigned long long)seed);
        spool_reader_close(reader);
        support_spool_end(&spool);
    }
}

/* The directory's time is old, so that the reader trusts its listing until that time changes. */
static void a_new_segment_is_found_behind_a_settled_list(void)
{
    struct support_spool spool;
    char path[PATH_BYTES];
    static const struct timespec old[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
    make_log(&spool, 3);
    unlink(path_of[SEGMENTS - 1]);
    snprintf(path, sizeof path, "%s/segments", spool.directory);
    CHECK(utimensat(AT_FDCWD, path, old, 0) == 0, "an old time");
    struct spool_reader *reader = reader_open(spool.directory, first_of[SEGMENTS - 2]);
    size_t at = 0;
    check_frames(reader, SEGMENTS - 2, &at, count_of[SEGMENTS - 2]);
    check_end(reader, SEGMENTS - 2, at, at);
    support_spool_store(path_of[SEGMENTS - 1], bytes_of[SEGMENTS - 1], count_of[SEGMENTS - 1]);
    at = 0;
    check_frames(reader, SEGMENTS - 1, &at, count_of[SEGMENTS - 1]);
    check_end(reader, SEGMENTS - 1, at, at);
    spool_reader_close(reader);
    support_spool_end(&spool);
}

/* What is torn may look like the beginning of a frame, or like nothing. */
static void check_torn_tail(struct support_spool *spool, size_t shift)
{
    const int last = SEGMENTS - 1;
    const size_t whole = count_of[last];
    size_t at = 0;
    struct frame frame;
    struct spool_place place;
    support_spool_append(spool, 1);
    support_spool_load(path_of[last], bytes_of[last], sizeof bytes_of[last]);
    CHECK(ftruncate(spool->fd, (off_t)whole) == 0, "without the last record");
    CHECK(file_write_at(spool->fd, bytes_of[last] + whole + shift, 120, whole), "a part of it");
    struct spool_reader *reader = reader_open(spool->directory, first_of[last]);
    check_frames(reader, last, &at, whole);
    const enum status status = spool_reader_next(reader, &frame, &place, NULL);
    CHECK(status == (shift ? STATUS_INVALID : STATUS_NOT_FOUND) && place.offset == whole,
          "no frame: %d", (int)status);
    CHECK(ftruncate(spool->fd, (off_t)whole) == 0, "cut");
    spool->bytes = whole;
    support_spool_append(spool, 2);
    count_of[last] = support_spool_load(path_of[last], bytes_of[last], sizeof bytes_of[last]);
    check_frames(reader, last, &at, count_of[last]);
    check_end(reader, last, at, at);
    CHECK(at == spool->bytes, "the new records");
    spool_reader_close(reader);
}

static void a_torn_tail_that_is_cut_and_written_anew_is_read_anew(void)
{
    struct support_spool spool;
    make_log(&spool, 4);
    check_torn_tail(&spool, 0);
    check_torn_tail(&spool, 1);
    support_spool_end(&spool);
}

/* It was not there when the reader listed the segments, and those behind it were. */
static void a_segment_that_was_missed_is_looked_for_again(void)
{
    struct support_spool spool;
    make_log(&spool, 14);
    unlink(path_of[2]);
    struct spool_reader *reader = reader_open(spool.directory, 0);
    support_spool_store(path_of[2], bytes_of[2], count_of[2]);
    for (int i = 0; i < SEGMENTS; i++) {
        size_t at = 0;
        check_frames(reader, i, &at, count_of[i]);
    }
    spool_reader_close(reader);
    support_spool_end(&spool);
}

/* ---- a writer at the same time --------------------------------------------------------------- */

enum { RACE_SEGMENTS = 1500, RACE_FRAMES = 3 };

/* Appends the last frame of a segment and makes the next one without a pause between. */
static void *write_segments(void *directory)
{
    uint8_t bytes[FRAME_HEADER_BYTES + 64], body[64] = {0};
    struct frame frame = {.body = body};
    char path[DIRECTORY_PATH_BYTES];
    for (int i = 0; i < RACE_SEGMENTS; i++) {
        frame.kind = FRAME_SNAPSHOT;
        frame.body_bytes = sizeof body;
        size_t count = frame_write(&frame, bytes);
        uint64_t end = count;
        const bool is_made = segment_path(directory, frame.sequence + 1, path, NULL) == STATUS_OK
                             && file_replace(path, bytes, count, NULL) == STATUS_OK;
        const int fd = open(path, O_WRONLY | O_CLOEXEC);
        CHECK(is_made && fd >= 0, "segment %d", i);
        for (size_t j = 0; j < RACE_FRAMES; j++) {
            frame.kind = FRAME_RECORD;
            frame.sequence++;
            frame.body_bytes = j + 1;
            count = frame_write(&frame, bytes);
            CHECK(file_write_at(fd, bytes, count, end), "frame");
            end += count;
        }
        close(fd);
    }
    return NULL;
}

static void a_reader_beside_a_writer_misses_nothing(void)
{
    struct support_spool spool;
    pthread_t thread;
    struct frame frame;
    struct spool_place place;
    struct failure failure = {""};
    struct spool_reader *reader = NULL;
    support_spool_begin(&spool, 15);
    support_spool_path(&spool, path_of[0]);
    unlink(path_of[0]);
    CHECK(pthread_create(&thread, NULL, write_segments, spool.directory) == 0, "thread");
    uint64_t snapshots = 0, records = 0;
    enum status status = STATUS_OK;
    do {
        status = spool_reader_open(spool.directory, 0, &reader, &failure);
    } while (status == STATUS_NOT_FOUND);
    while (records < (uint64_t)RACE_SEGMENTS * RACE_FRAMES) {
        status = spool_reader_next(reader, &frame, &place, &failure);
        if (status == STATUS_NOT_FOUND) {
            continue;
        }
        snapshots += frame.kind == FRAME_SNAPSHOT;
        records += frame.kind == FRAME_RECORD;
        if (status != STATUS_OK || frame.sequence != records) {
            break;
        }
    }
    CHECK(status == STATUS_OK && records == (uint64_t)RACE_SEGMENTS * RACE_FRAMES
              && frame.sequence == records && snapshots == RACE_SEGMENTS,
          "%llu records: %s", (unsigned long long)records, failure.text);
    pthread_join(thread, NULL);
    spool_reader_close(reader);
    support_spool_end(&spool);
}

/* ---- windows --------------------------------------------------------------------------------- */

/* Frames of odd sizes over several windows, and one that is larger than a window. */
static void frames_cross_the_borders_of_windows(void)
{
    struct support_spool spool;
    support_spool_begin(&spool, 5);
    uint8_t *bytes = malloc(BYTES_MAX), *body = calloc(1, FRAME_BODY_BYTES_MAX);
    size_t count = 0, large_at = 0;
    uint64_t sequence = 0;
    struct frame frame = {.kind = FRAME_SNAPSHOT, .body = body, .body_bytes = 100};
    count += frame_write(&frame, bytes);
    while (count + FRAME_HEADER_BYTES + RECORD_BODY_BYTES_MAX < BYTES_MAX) {
        frame.kind = FRAME_RECORD;
        frame.sequence = ++sequence;
        frame.body_bytes = random_below(&spool.random, RECORD_BODY_BYTES_MAX);
        if (large_at == 0 && count > BYTES_MAX / 4) {
            large_at = count;
            frame.kind = FRAME_SNAPSHOT;
            frame.body_bytes = FRAME_BODY_BYTES_MAX;
        }
        body[0] = (uint8_t)sequence;
        count += frame_write(&frame, bytes + count);
    }
    support_spool_path(&spool, path_of[0]);
    support_spool_store(path_of[0], bytes, count);
    struct spool_reader *reader = reader_open(spool.directory, 0);
    struct spool_place place;
    struct failure failure = {""};
    size_t at = 0;
    for (uint64_t i = 0; i <= sequence; i++) {
        const enum status status = spool_reader_next(reader, &frame, &place, &failure);
        const bool is_right = status == STATUS_OK && place.offset == at && frame.sequence == i
                              && (i == 0 || frame.body_bytes == 0 || frame.body[0] == (uint8_t)i)
                              && (at == large_at) == (frame.body_bytes == FRAME_BODY_BYTES_MAX);
        CHECK(is_right, "frame %llu: %s", (unsigned long long)i, failure.text);
        if (!is_right) {
            break;
        }
        at += FRAME_HEADER_BYTES + frame.body_bytes;
    }
    CHECK(at == count && large_at > 0, "all of them");
    spool_reader_close(reader);
    free(bytes);
    free(body);
    support_spool_end(&spool);
}

/* ---- files that go away ---------------------------------------------------------------------- */

static void removed_and_replaced_segments_are_no_fault(void)
{
    struct support_spool spool;
    char draft[PATH_BYTES];
    make_log(&spool, 6);
    struct spool_reader *reader = reader_open(spool.directory, 0);
    uint32_t body_bytes = 0;
    size_t at = 0;
    memcpy(&body_bytes, bytes_of[0], sizeof body_bytes);
    check_frames(reader, 0, &at, FRAME_HEADER_BYTES + body_bytes);
    unlink(path_of[0]);
    unlink(path_of[1]);
    check_frames(reader, 0, &at, count_of[0]); /* as it was begun */
    at = 0;
    memcpy(&body_bytes, bytes_of[2], sizeof body_bytes);
    check_frames(reader, 2, &at, FRAME_HEADER_BYTES + body_bytes);
    snprintf(draft, sizeof draft, "%s/segments/retention.new", spool.directory);
    support_spool_store(draft, bytes_of[0], count_of[0]);
    CHECK(rename(draft, path_of[2]) == 0, "replaced");
    check_frames(reader, 2, &at, count_of[2]);
    at = 0;
    check_frames(reader, 3, &at, count_of[3]);
    for (int i = 2; i < SEGMENTS; i++) {
        unlink(path_of[i]);
    }
    check_end(reader, 3, at, at);
    spool_reader_close(reader);
    support_spool_end(&spool);
}

/* ---- faults ---------------------------------------------------------------------------------- */

static void every_cut_before_a_later_segment_is_found(void)
{
    struct support_spool spool;
    make_log(&spool, 7);
    const int cut = 1;
    const size_t from = count_of[cut] - 500;
    for (size_t count = from; count < count_of[cut]; count++) {
        support_spool_store(path_of[cut], bytes_of[cut], count);
        struct spool_reader *reader = reader_open(spool.directory, first_of[cut]);
        struct failure failure = {""};
        struct frame frame;
        struct spool_place place;
        size_t at = 0, after = 0;
        check_frames(reader, cut, &at, count);
        if (at < count) {
            check_fault(reader, cut, at);
            CHECK(spool_reader_skip_segment(reader, &failure) == STATUS_OK, "%s", failure.text);
        } else { /* between two frames: for those who follow the chain */
            CHECK(spool_reader_next(reader, &frame, &place, &failure) == STATUS_OK
                      && place.segment == first_of[cut + 1],
                  "%s", failure.text);
            after = FRAME_HEADER_BYTES + frame.body_bytes;
        }
        check_frames(reader, cut + 1, &after, count_of[cut + 1]);
        spool_reader_close(reader);
    }
    support_spool_end(&spool);
}

static void every_flipped_byte_is_found(void)
{
    struct support_spool spool;
    make_log(&spool, 8);
    const int flipped = 2;
    size_t begins = 0; /* of the frame that holds byte i */
    for (size_t i = 0; i < count_of[flipped]; i++) {
        uint32_t body_bytes = 0;
        memcpy(&body_bytes, bytes_of[flipped] + begins, sizeof body_bytes);
        begins +=
            i >= begins + FRAME_HEADER_BYTES + body_bytes ? FRAME_HEADER_BYTES + body_bytes : 0;
        if (i - begins > 120 && i % 7 != 0) {
            continue; /* every byte of a header, some of a body */
        }
        bytes_of[flipped][i] ^= (uint8_t)(1U << i % 8);
        support_spool_store(path_of[flipped], bytes_of[flipped], count_of[flipped]);
        bytes_of[flipped][i] ^= (uint8_t)(1U << i % 8);
        struct spool_reader *reader = reader_open(spool.directory, first_of[flipped]);
        size_t at = 0;
        check_frames(reader, flipped, &at, begins);
        check_fault(reader, flipped, begins);
        spool_reader_close(reader);
    }
    support_spool_end(&spool);
}

CHECK_MAIN(all_segments_are_read_from_any_record_on, a_place_without_segments_is_not_found,
           segments_are_skipped, a_growing_log_is_read_at_every_moment,
           a_new_segment_is_found_behind_a_settled_list,
           a_torn_tail_that_is_cut_and_written_anew_is_read_anew,
           a_segment_that_was_missed_is_looked_for_again, a_reader_beside_a_writer_misses_nothing,
           frames_cross_the_borders_of_windows, removed_and_replaced_segments_are_no_fault,
           every_cut_before_a_later_segment_is_found, every_flipped_byte_is_found)
