/* erased.c - lines of fixed length: "removed_to <to> <sequence>\n", then "<segment> <mark>
 * <sequence>\n" in 20 digits each. What is read must be what would be written. */
#include "audit/spool/erased.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/spool/file.h"
#include "audit/spool/segment.h"
#include "base/buffer.h"
#include "base/clock.h"

#define HEAD   "removed_to "
#define NUMBER "%020" PRIu64
enum {
    FIELD_BYTES = 20 + 1, /* a number and what follows it */
    SECOND = FIELD_BYTES,
    THIRD = SECOND + FIELD_BYTES,
    LINE_BYTES = THIRD + FIELD_BYTES,
    HEAD_AT = sizeof HEAD - 1,
    HEAD_BYTES = HEAD_AT + THIRD,
    FILE_BYTES_MAX = 64 << 20,
};

static enum status write_text(const struct erased *erased, struct buffer *out)
{
    enum status status = buffer_format(out, HEAD NUMBER " " NUMBER "\n", erased->removed_to,
                                       erased->removed_sequence);
    for (size_t i = 0; status == STATUS_OK && i < erased->count; i++) {
        const struct erased_segment *one = &erased->segments[i];
        status = buffer_format(out, NUMBER " " NUMBER " " NUMBER "\n", one->segment, one->mark,
                               one->sequence);
    }
    return status;
}

static bool parse(const struct buffer *text, struct erased *out)
{
    struct buffer again = {.limit_bytes = FILE_BYTES_MAX};
    if (text->length < HEAD_BYTES || (text->length - HEAD_BYTES) % LINE_BYTES != 0) {
        return false;
    }
    const size_t count = (text->length - HEAD_BYTES) / LINE_BYTES;
    out->segments = calloc(count + 1, sizeof *out->segments);
    if (!out->segments) {
        return false;
    }
    out->removed_to = strtoull(text->bytes + HEAD_AT, NULL, 10);
    out->removed_sequence = strtoull(text->bytes + HEAD_AT + SECOND, NULL, 10);
    for (out->count = 0; out->count < count; out->count++) {
        const char *line = text->bytes + HEAD_BYTES + out->count * LINE_BYTES;
        out->segments[out->count] =
            (struct erased_segment){.segment = strtoull(line, NULL, 10),
                                    .mark = strtoull(line + SECOND, NULL, 10),
                                    .sequence = strtoull(line + THIRD, NULL, 10)};
    }
    const bool is_same = write_text(out, &again) == STATUS_OK && again.length == text->length
                         && memcmp(again.bytes, text->bytes, text->length) == 0;
    buffer_destroy(&again);
    return is_same;
}

enum status erased_read(const char *directory, struct erased *out, struct failure *failure)
{
    char path[DIRECTORY_PATH_BYTES];
    struct buffer text = {.limit_bytes = FILE_BYTES_MAX};
    *out = (struct erased){0};
    enum status status = directory_path(directory, NULL, "erased", path, failure);
    if (status != STATUS_OK) {
        return status;
    }
    status = buffer_read_file(&text, path);
    if (status == STATUS_OK && !parse(&text, out)) {
        erased_free(out);
        status = STATUS_INVALID;
    }
    buffer_destroy(&text);
    return status == STATUS_OK
               ? STATUS_OK
               : fail(failure, status, "%s: %s", path,
                      status == STATUS_NOT_FOUND
                          ? "is not there"
                          : "cannot be read; retention makes it anew when it next erases");
}

void erased_free(struct erased *erased)
{
    free(erased->segments);
    *erased = (struct erased){0};
}

/* ---- writing --------------------------------------------------------------------------------- */

/* Without the file nobody knows what was erased before: it may be any segment. */
static enum status list_all(const char *directory, uint64_t sequence, struct erased *out,
                            struct failure *failure)
{
    uint64_t *segments = NULL;
    size_t count = 0;
    const enum status status = segment_list(directory, &segments, &count, failure);
    if (status != STATUS_OK) {
        return status;
    }
    out->segments = calloc(count + 1, sizeof *out->segments);
    for (size_t i = 0; out->segments && i < count; i++) {
        out->segments[out->count++] =
            (struct erased_segment){segments[i], (uint64_t)clock_unix_ms(), sequence};
    }
    free(segments);
    return out->segments ? STATUS_OK : fail(failure, STATUS_IO, "retention: no memory");
}

static enum status read_or_begin(const char *directory, uint64_t sequence, struct erased *out,
                                 struct failure *failure)
{
    struct failure why;
    const enum status status = erased_read(directory, out, &why);
    return status == STATUS_NOT_FOUND || status == STATUS_INVALID
               ? list_all(directory, sequence, out, failure)
           : status == STATUS_OK ? STATUS_OK
                                 : fail(failure, status, "%s", why.text);
}

static enum status store(const char *directory, const struct erased *erased,
                         struct failure *failure)
{
    char path[DIRECTORY_PATH_BYTES];
    struct buffer text = {.limit_bytes = FILE_BYTES_MAX};
    enum status status = directory_path(directory, NULL, "erased", path, failure);
    if (status == STATUS_OK && write_text(erased, &text) != STATUS_OK) {
        status = fail(failure, STATUS_IO, "%s: no memory, or too many segments", path);
    }
    if (status == STATUS_OK) {
        status = file_replace(path, text.bytes, text.length, failure);
    }
    if (status == STATUS_OK) {
        status = file_sync_directory(directory, failure);
    }
    buffer_destroy(&text);
    return status;
}

static void leave_out(struct erased *erased, uint64_t segment)
{
    size_t kept = 0;
    for (size_t i = 0; i < erased->count; i++) {
        const uint64_t other = erased->segments[i].segment;
        if (other != segment && other > erased->removed_to) {
            erased->segments[kept++] = erased->segments[i];
        }
    }
    erased->count = kept;
}

enum status erased_note(const char *directory, uint64_t segment, uint64_t sequence,
                        struct failure *failure)
{
    struct erased erased;
    enum status status = read_or_begin(directory, sequence, &erased, failure);
    if (status == STATUS_OK) {
        const uint64_t last = erased.count > 0 ? erased.segments[erased.count - 1].mark : 0;
        const uint64_t now = (uint64_t)clock_unix_ms();
        leave_out(&erased, segment);
        /* There is room: an array is made with one more than it holds. */
        erased.segments[erased.count++] =
            (struct erased_segment){segment, last < now ? now : last + 1, sequence};
        status = store(directory, &erased, failure);
    }
    erased_free(&erased);
    return status;
}

enum status erased_note_removed(const char *directory, uint64_t to, uint64_t sequence,
                                struct failure *failure)
{
    struct erased erased;
    enum status status = read_or_begin(directory, sequence, &erased, failure);
    if (status == STATUS_OK) {
        erased.removed_to = to > erased.removed_to ? to : erased.removed_to;
        erased.removed_sequence = sequence;
        leave_out(&erased, 0);
        status = store(directory, &erased, failure);
    }
    erased_free(&erased);
    return status;
}
