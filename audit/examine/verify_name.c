/* How names are found. A frame out of order is told from one too many and one too few by the frames
 * that follow: is the one that was due among them, does the odd one come again, does the log get as
 * far as it claims to be. Of bytes that are no frame, the next whole frame behind them says how
 * many records they stand for. */
#include "audit/examine/verify_name.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/chain/crc32c.h"
#include "audit/chain/little_endian.h"
#include "audit/examine/verify_walk.h"
#include "audit/spool/segment.h"

/* ---- the frames that follow ------------------------------------------------------------------ */

struct outlook {
    bool next_is_due;       /* the very next frame is the one that was due here */
    bool next_carries_hash; /* the very next frame follows the odd one */
    bool due_follows;       /* the one that was due comes later */
    bool odd_again;         /* the odd one's sequence comes again */
    bool odd_copied;        /* ... and all its bytes */
    uint64_t sequence_max;  /* of what follows */
};

static bool same_frame(const struct frame *a, const struct frame *b)
{
    return a->kind == b->kind && a->sequence == b->sequence && a->epoch == b->epoch
           && a->tenant.value == b->tenant.value && digest_same(a->previous, b->previous)
           && digest_same(a->mac, b->mac) && a->body_bytes == b->body_bytes
           && memcmp(a->body, b->body, a->body_bytes) == 0;
}

static void look_at(const struct verify_scene *scene, const struct frame *odd,
                    const struct frame *frame, bool is_next, struct outlook *out)
{
    const bool is_snapshot = odd->kind == FRAME_SNAPSHOT;
    const uint64_t due = is_snapshot ? scene->sequence : scene->sequence + 1;
    const bool is_due = frame->sequence == due && digest_same(frame->previous, scene->head);
    if (is_next) {
        out->next_is_due = is_due;
        out->next_carries_hash =
            frame->sequence == odd->sequence + 1 && digest_same(frame->previous, frame_hash(odd));
    }
    out->due_follows |= is_due;
    out->odd_again |= frame->sequence == odd->sequence;
    out->odd_copied |= same_frame(frame, odd);
    if (frame->sequence > out->sequence_max) {
        out->sequence_max = frame->sequence;
    }
}

/* Reads on behind the odd frame to the end, or to the next damage. */
static enum status look_ahead(const struct verify_scene *scene, const struct frame *odd,
                              struct outlook *out, struct failure *failure)
{
    struct spool_reader *reader = NULL;
    enum status status =
        spool_reader_open(scene->directory, scene->place.segment, &reader, failure);
    bool is_next = true;
    *out = (struct outlook){0};
    while (status == STATUS_OK) {
        struct frame frame;
        struct spool_place place;
        status = spool_reader_next(reader, &frame, &place, failure);
        const bool is_behind =
            place.segment > scene->place.segment
            || (place.segment == scene->place.segment && place.offset > scene->place.offset);
        const bool is_alike = (frame.kind == FRAME_SNAPSHOT) == (odd->kind == FRAME_SNAPSHOT);
        if (status == STATUS_OK && is_behind && is_alike) {
            look_at(scene, odd, &frame, is_next, out);
            is_next = false;
        }
    }
    spool_reader_close(reader);
    return status == STATUS_NOT_FOUND || status == STATUS_INVALID ? STATUS_OK : status;
}

/* Was this very frame there before? Only its own sequence can hold it. */
static bool was_there_before(const struct verify_scene *scene, const struct frame *odd)
{
    struct failure ignored;
    struct spool_reader *reader = NULL;
    bool was_there = false;
    enum status status = spool_reader_open(scene->directory, odd->sequence, &reader, &ignored);
    while (status == STATUS_OK && !was_there) {
        struct frame frame;
        struct spool_place place;
        status = spool_reader_next(reader, &frame, &place, &ignored);
        if (status == STATUS_OK
            && (place.segment > scene->place.segment
                || (place.segment == scene->place.segment
                    && place.offset >= scene->place.offset))) {
            break;
        }
        was_there = status == STATUS_OK && same_frame(&frame, odd);
    }
    spool_reader_close(reader);
    return was_there;
}

/* ---- missing records ------------------------------------------------------------------------- */

static uint64_t file_bytes(const char *directory, uint64_t segment)
{
    struct failure ignored;
    struct stat facts;
    char path[DIRECTORY_PATH_BYTES];
    if (segment_path(directory, segment, path, &ignored) != STATUS_OK || stat(path, &facts) != 0) {
        return 0;
    }
    return (uint64_t)facts.st_size;
}

/* Records are missing between two segments. A whole segment ends with a checkpoint. If this one
 * does: segments are of about one size, so if the missing ones, put back, make it much larger than
 * any, then they had a segment of their own. */
static enum verify_break cut_or_deleted(const struct verify_scene *scene,
                                        const struct frame *snapshot, struct failure *failure)
{
    uint64_t *segments = NULL;
    size_t count = 0;
    uint64_t largest = 0;
    uint64_t here = 0;
    if (!scene->ends_signed) {
        return VERIFY_TRUNCATION;
    }
    if (segment_list(scene->directory, &segments, &count, failure) != STATUS_OK) {
        return VERIFY_DELETION;
    }
    for (size_t i = 0; i < count; i++) {
        const uint64_t bytes = file_bytes(scene->directory, segments[i]);
        largest = bytes > largest ? bytes : largest;
        here = segments[i] < scene->place.segment ? bytes : here;
    }
    free(segments);
    const uint64_t records = scene->sequence - scene->segment_begin;
    const double missing = (double)(snapshot->sequence - scene->sequence);
    const double whole =
        records > 0 ? (double)here * (1 + missing / (double)records) : (double)here;
    return whole > 1.5 * (double)largest ? VERIFY_DELETION : VERIFY_TRUNCATION;
}

static void name_snapshot(const struct verify_scene *scene, const struct frame *snapshot,
                          const struct outlook *outlook, struct verify_result *result,
                          struct failure *failure)
{
    if (result->kind != VERIFY_DELETION) {
        return;
    }
    if (outlook->due_follows) {
        verify_walk_break(result, VERIFY_SWAP, scene->sequence + 1,
                          "the segment after record %" PRIu64 " lies behind a later one",
                          scene->sequence);
    } else if (cut_or_deleted(scene, snapshot, failure) == VERIFY_TRUNCATION) {
        verify_walk_break(result, VERIFY_TRUNCATION, scene->sequence + 1,
                          "a segment ends with record %" PRIu64
                          ", the next one begins after %" PRIu64,
                          scene->sequence, snapshot->sequence);
    }
}

static void name_record(const struct verify_scene *scene, const struct frame *odd,
                        const struct outlook *outlook, struct verify_result *result)
{
    const uint64_t due = scene->sequence + 1;
    if (odd->sequence > due && outlook->due_follows) {
        if (outlook->odd_copied) {
            verify_walk_break(result, VERIFY_REPLAY, odd->sequence,
                              "record %" PRIu64 " is there twice", odd->sequence);
        } else if (outlook->odd_again || outlook->sequence_max + 1 < odd->sequence) {
            verify_walk_break(result, VERIFY_INSERTION, due,
                              "a record too many lies before record %" PRIu64, due);
        } else {
            verify_walk_break(result, VERIFY_SWAP, due,
                              "record %" PRIu64 " lies before record %" PRIu64, odd->sequence, due);
        }
    } else if (odd->sequence < due && was_there_before(scene, odd)) {
        verify_walk_break(result, VERIFY_REPLAY, odd->sequence,
                          "record %" PRIu64 " is there again behind record %" PRIu64, odd->sequence,
                          scene->sequence);
    } else if (odd->sequence == due && outlook->due_follows) {
        verify_walk_break(result, VERIFY_INSERTION, due,
                          "a record too many lies before record %" PRIu64, due);
    } else if (result->kind == VERIFY_MALFORMED && !outlook->next_carries_hash) {
        verify_walk_break(result, VERIFY_REWRITE, odd->sequence,
                          "record %" PRIu64 " was changed into something that is no record",
                          odd->sequence);
    }
}

enum status verify_name_frame(const struct verify_scene *scene, const struct frame *frame,
                              struct verify_result *result, struct failure *failure)
{
    struct outlook outlook;
    const enum status status = look_ahead(scene, frame, &outlook, failure);
    if (status != STATUS_OK) {
        return status;
    }
    if (frame->kind == FRAME_SNAPSHOT) {
        name_snapshot(scene, frame, &outlook, result, failure);
    } else {
        name_record(scene, frame, &outlook, result);
    }
    return STATUS_OK;
}

/* ---- bytes that are no frame ----------------------------------------------------------------- */

enum { WINDOW_BYTES = 16 << 20, FRAME_KIND_OFFSET = 8, CRC_OFFSET = 4, CRC_FROM = 8 };

struct ruin {
    uint8_t *bytes; /* of the segment from the broken place on */
    size_t length;
    bool is_to_the_end;    /* of the file; else a window of it */
    bool is_last;          /* no later segment */
    bool is_whole;         /* a frame after all: its writer has come so far meanwhile */
    bool resumes;          /* a whole frame follows, */
    size_t distance;       /* ... so many bytes behind, */
    uint64_t sequence;     /* ... with this sequence */
    bool was_cut;          /* the bytes begin a frame that they do not hold */
    bool length_was_wrong; /* they would be a whole frame if it said so */
};

static enum status read_window(const char *path, uint64_t offset, struct ruin *out,
                               struct failure *failure)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    out->bytes = malloc(WINDOW_BYTES);
    enum status status = fd >= 0 && out->bytes ? STATUS_OK : STATUS_IO;
    while (status == STATUS_OK && out->length < WINDOW_BYTES && !out->is_to_the_end) {
        const ssize_t count = pread(fd, out->bytes + out->length, WINDOW_BYTES - out->length,
                                    (off_t)(offset + out->length));
        if (count < 0 && errno != EINTR) {
            status = STATUS_IO;
        }
        out->is_to_the_end = count == 0;
        out->length += count > 0 ? (size_t)count : 0;
    }
    if (fd >= 0) {
        close(fd);
    }
    return status == STATUS_OK ? status : fail(failure, status, "%s: cannot be read", path);
}

/* The header's fixed bytes are compared before a checksum is computed at every offset. */
static bool could_be_record(const uint8_t *bytes)
{
    return (bytes[FRAME_KIND_OFFSET] == FRAME_RECORD || bytes[FRAME_KIND_OFFSET] == FRAME_ERASED)
           && bytes[9] == 0 && bytes[10] == 0 && bytes[11] == 0
           && little_endian_read_u32(bytes) <= RECORD_BODY_BYTES_MAX;
}

static void find_next_whole(struct ruin *ruin)
{
    for (size_t at = 1; at + FRAME_HEADER_BYTES <= ruin->length && !ruin->resumes; at++) {
        struct frame frame;
        size_t bytes = 0;
        if (could_be_record(ruin->bytes + at)
            && frame_parse(ruin->bytes + at, ruin->length - at, &frame, &bytes) == STATUS_OK) {
            ruin->resumes = true;
            ruin->distance = at;
            ruin->sequence = frame.sequence;
        }
    }
}

static enum status survey(const struct verify_scene *scene, struct ruin *out,
                          struct failure *failure)
{
    char path[DIRECTORY_PATH_BYTES];
    uint64_t *segments = NULL;
    size_t count = 0;
    enum status status = segment_list(scene->directory, &segments, &count, failure);
    if (status == STATUS_OK) {
        out->is_last = count == 0 || segments[count - 1] <= scene->place.segment;
        free(segments);
        status = segment_path(scene->directory, scene->place.segment, path, failure);
    }
    if (status == STATUS_OK) {
        status = read_window(path, scene->place.offset, out, failure);
    }
    if (status != STATUS_OK) {
        return status;
    }
    struct frame frame;
    size_t needed = 0;
    find_next_whole(out);
    status = frame_parse(out->bytes, out->length, &frame, &needed);
    out->is_whole = status == STATUS_OK;
    out->was_cut = out->is_to_the_end && status == STATUS_NOT_FOUND;
    out->length_was_wrong = out->is_to_the_end && out->length > FRAME_HEADER_BYTES
                            && crc32c(0, out->bytes + CRC_FROM, out->length - CRC_FROM)
                                   == little_endian_read_u32(out->bytes + CRC_OFFSET);
    return STATUS_OK;
}

static enum verify_break name_ruin(const struct verify_scene *scene, const struct ruin *ruin)
{
    const uint64_t due = scene->sequence + 1;
    if (ruin->is_whole) {
        return VERIFY_INTACT;
    }
    if (ruin->resumes && scene->place.offset > 0) {
        const uint64_t missing = ruin->sequence > due ? ruin->sequence - due : 0;
        if (ruin->sequence == due) {
            return VERIFY_INSERTION;
        }
        if (ruin->sequence < due) {
            return VERIFY_REPLAY;
        }
        return ruin->distance < missing * FRAME_HEADER_BYTES ? VERIFY_DELETION : VERIFY_BIT_FLIP;
    }
    if (ruin->resumes || ruin->length_was_wrong) {
        return VERIFY_BIT_FLIP;
    }
    if (ruin->is_last && !scene->was_told && (scene->has_state || ruin->was_cut)) {
        return VERIFY_INTACT;
    }
    return ruin->was_cut ? VERIFY_TRUNCATION : VERIFY_BIT_FLIP;
}

enum status verify_name_bytes(const struct verify_scene *scene, struct verify_result *result,
                              struct failure *failure)
{
    struct ruin ruin = {0};
    const enum status status = survey(scene, &ruin, failure);
    if (status != STATUS_OK) {
        free(ruin.bytes);
        return status;
    }
    const uint64_t due = scene->sequence + 1;
    const enum verify_break kind = name_ruin(scene, &ruin);
    switch ((int)kind) {
    case VERIFY_INTACT:
        result->torn_bytes = ruin.is_whole ? 0 : ruin.length;
        break;
    case VERIFY_TRUNCATION:
        verify_walk_break(result, kind, due, "record %" PRIu64 " is cut off", due);
        break;
    case VERIFY_DELETION:
        verify_walk_break(result, kind, due, "records from %" PRIu64 " to %" PRIu64 " are missing",
                          due, ruin.sequence - 1);
        break;
    case VERIFY_BIT_FLIP:
        verify_walk_break(result, kind, due,
                          "record %" PRIu64 " or its segment's snapshot:"
                          " the checksum is wrong",
                          due);
        break;
    default:
        verify_walk_break(result, kind, due, "%zu bytes too many lie before record %" PRIu64,
                          ruin.distance, due);
    }
    free(ruin.bytes);
    return STATUS_OK;
}
