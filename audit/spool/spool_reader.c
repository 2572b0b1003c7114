/* Reads by pread into a window, never by mmap: a file that is cut while it is mapped would end the
 * process. At an end or a fault the window is dropped, for what lies there may be written anew. */
#include "audit/spool/spool_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "audit/spool/file.h"
#include "audit/spool/segment.h"

enum {
    WINDOW_BYTES = 1 << 20,
    LIST_SETTLES_S = 2, /* longer than any file system's clock of changes takes for a tick */
    OPEN_TRIES = 100,
};

struct spool_reader {
    char directory[DIRECTORY_PATH_BYTES];
    uint64_t *segments; /* as they were listed last */
    size_t segment_count;
    struct timespec changed; /* of the directory, when it was listed */
    bool list_is_settled;    /* a later change would show in the directory's time */
    int fd;                  /* of the current segment */
    uint64_t segment;        /* its name */
    uint64_t next_sequence;  /* behind the last frame that was read; 0: none was */
    uint8_t *window;
    size_t window_bytes;  /* allocated */
    size_t filled, at;    /* bytes in the window; those that were read out */
    uint64_t window_from; /* where the window begins in the file */
    uint64_t tail_bytes;
};

/* ---- which segments there are ---------------------------------------------------------------- */

static enum status list_again(struct spool_reader *reader, struct failure *failure)
{
    char path[DIRECTORY_PATH_BYTES];
    struct stat before = {0};
    struct timespec now = {0};
    uint64_t *segments = NULL;
    size_t count = 0;
    enum status status = directory_path(reader->directory, "segments", NULL, path, failure);
    if (status != STATUS_OK) {
        return status;
    }
    const bool has_time = stat(path, &before) == 0 && clock_gettime(CLOCK_REALTIME, &now) == 0;
    status = segment_list(reader->directory, &segments, &count, failure);
    if (status != STATUS_OK) {
        return status;
    }
    free(reader->segments);
    reader->segments = segments;
    reader->segment_count = count;
    reader->changed = before.st_mtim;
    reader->list_is_settled = has_time && now.tv_sec - before.st_mtim.tv_sec > LIST_SETTLES_S;
    return STATUS_OK;
}

/* Asked at each look at a live end, so one stat instead of a listing where that tells enough. */
static bool list_is_current(const struct spool_reader *reader)
{
    char path[DIRECTORY_PATH_BYTES];
    struct stat info;
    return reader->list_is_settled
           && directory_path(reader->directory, "segments", NULL, path, NULL) == STATUS_OK
           && stat(path, &info) == 0 && info.st_mtim.tv_sec == reader->changed.tv_sec
           && info.st_mtim.tv_nsec == reader->changed.tv_nsec;
}

/* The first listed segment behind the current one; 0: none. */
static uint64_t later_segment(const struct spool_reader *reader)
{
    for (size_t i = reader->segment_count; i > 0; i--) {
        if (reader->segments[i - 1] <= reader->segment) {
            return i < reader->segment_count ? reader->segments[i] : 0;
        }
    }
    return reader->segment_count > 0 ? reader->segments[0] : 0;
}

/* *out 0: none. A list that is old, or that shows a gap, may miss what has come since. */
static enum status find_later(struct spool_reader *reader, uint64_t *out, struct failure *failure)
{
    *out = later_segment(reader);
    const bool has_gap = reader->next_sequence != 0 && *out != reader->next_sequence;
    if ((*out == 0 && list_is_current(reader)) || (*out != 0 && !has_gap)) {
        return STATUS_OK;
    }
    const enum status status = list_again(reader, failure);
    *out = later_segment(reader);
    return status;
}

/* ---- the current segment --------------------------------------------------------------------- */

static void drop_window(struct spool_reader *reader)
{
    reader->window_from += reader->at;
    reader->at = reader->filled = 0;
}

/* STATUS_NOT_FOUND: it is gone. The segment before stays open until then. */
static enum status open_segment(struct spool_reader *reader, uint64_t segment,
                                struct failure *failure)
{
    char path[DIRECTORY_PATH_BYTES];
    const enum status status = segment_path(reader->directory, segment, path, failure);
    if (status != STATUS_OK) {
        return status;
    }
    const int fd = file_open(path, O_RDONLY | O_NONBLOCK); /* a pipe of that name would wait */
    if (fd < 0) {
        return file_failed(failure, path, "read");
    }
    if (reader->fd >= 0) {
        close(reader->fd);
    }
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    reader->fd = fd;
    reader->segment = segment;
    reader->filled = reader->at = 0;
    reader->window_from = reader->tail_bytes = 0;
    return STATUS_OK;
}

/* STATUS_NOT_FOUND: there is none. One that vanished since it was listed is passed over. */
static enum status open_later(struct spool_reader *reader, struct failure *failure)
{
    for (int i = 0; i < OPEN_TRIES; i++) {
        uint64_t later = 0;
        enum status status = find_later(reader, &later, failure);
        if (status == STATUS_OK && later == 0) {
            return STATUS_NOT_FOUND;
        }
        if (status == STATUS_OK) {
            status = open_segment(reader, later, failure);
        }
        if (status == STATUS_NOT_FOUND) {
            status = list_again(reader, failure);
        } else {
            return status;
        }
        if (status != STATUS_OK) {
            return status;
        }
    }
    return fail(failure, STATUS_IO, "%.200s: segments vanish faster than they can be read",
                reader->directory);
}

/* Brings `need` bytes from `at` on into the window, or what there is; *grew: more than before. */
static enum status fill(struct spool_reader *reader, size_t need, bool *grew,
                        struct failure *failure)
{
    const size_t left = reader->filled - reader->at;
    if (reader->at > 0) {
        memmove(reader->window, reader->window + reader->at, left);
        reader->window_from += reader->at;
        reader->at = 0;
        reader->filled = left;
    }
    if (need > reader->window_bytes) {
        uint8_t *grown = realloc(reader->window, need);
        if (!grown) {
            return fail(failure, STATUS_IO, "%.200s: no memory to read a segment",
                        reader->directory);
        }
        reader->window = grown;
        reader->window_bytes = need;
    }
    const ssize_t got = file_read_at(reader->fd, reader->window + left, reader->window_bytes - left,
                                     reader->window_from + left);
    if (got < 0) {
        return fail(failure, STATUS_IO, "%.160s: segment %020" PRIu64 " cannot be read: %s",
                    reader->directory, reader->segment, strerror(errno));
    }
    reader->filled = left + (size_t)got;
    *grew = got > 0;
    return STATUS_OK;
}

/* ---- frames ---------------------------------------------------------------------------------- */

static enum status is_no_frame(struct spool_reader *reader, const char *what,
                               struct failure *failure)
{
    drop_window(reader);
    return fail(failure, STATUS_INVALID,
                "%.140s: segment %020" PRIu64 " at byte %" PRIu64 ": %s: run `ward audit verify`",
                reader->directory, reader->segment, reader->window_from, what);
}

/* One frame of the current segment. STATUS_NOT_FOUND: the file ends before it does. */
static enum status next_here(struct spool_reader *reader, struct frame *out,
                             struct failure *failure)
{
    for (;;) {
        size_t bytes = 0;
        bool grew = false;
        enum status status =
            frame_parse(reader->window + reader->at, reader->filled - reader->at, out, &bytes);
        if (status == STATUS_OK) {
            reader->at += bytes;
            reader->next_sequence = out->sequence + 1;
            return STATUS_OK;
        }
        if (status == STATUS_INVALID) {
            return is_no_frame(reader, "the bytes are no frame", failure);
        }
        status = fill(reader, bytes, &grew, failure);
        if (status != STATUS_OK || !grew) {
            return status == STATUS_OK ? STATUS_NOT_FOUND : status;
        }
    }
}

/* The current segment has ended. STATUS_OK: there is more to read. */
static enum status pass_end(struct spool_reader *reader, struct failure *failure)
{
    bool grew = false;
    uint64_t later = 0;
    reader->tail_bytes = reader->filled - reader->at;
    const enum status status = find_later(reader, &later, failure);
    if (status != STATUS_OK || later == 0) {
        drop_window(reader);
        return status == STATUS_OK ? STATUS_NOT_FOUND : status;
    }
    /* The last frames may have come, or a torn one gone, between that end and the listing. */
    drop_window(reader);
    const enum status filled = fill(reader, 0, &grew, failure);
    if (filled != STATUS_OK || reader->filled != reader->tail_bytes) {
        return filled;
    }
    if (reader->filled > 0) {
        return is_no_frame(reader, "the segment ends within a frame, and another follows", failure);
    }
    return open_later(reader, failure);
}

enum status spool_reader_next(struct spool_reader *reader, struct frame *out,
                              struct spool_place *place, struct failure *failure)
{
    enum status status = STATUS_OK;
    do {
        *place = (struct spool_place){reader->segment, reader->window_from + reader->at};
        status = next_here(reader, out, failure);
        if (status != STATUS_NOT_FOUND) {
            return status;
        }
        status = pass_end(reader, failure);
    } while (status == STATUS_OK);
    return status;
}

uint64_t spool_reader_tail_bytes(const struct spool_reader *reader)
{
    return reader->tail_bytes;
}

enum status spool_reader_skip_segment(struct spool_reader *reader, struct failure *failure)
{
    reader->next_sequence = 0;
    return open_later(reader, failure);
}

/* ---- open and close -------------------------------------------------------------------------- */

/* The current segment becomes the one before that which holds the sequence. */
static void aim(struct spool_reader *reader, uint64_t from_sequence)
{
    reader->segment = 0;
    for (size_t i = 1; i < reader->segment_count && reader->segments[i] <= from_sequence; i++) {
        reader->segment = reader->segments[i - 1];
    }
}

enum status spool_reader_open(const char *directory, uint64_t from_sequence,
                              struct spool_reader **out, struct failure *failure)
{
    struct spool_reader *reader = calloc(1, sizeof *reader);
    uint8_t *window = malloc(WINDOW_BYTES);
    if (!reader || !window || strlen(directory) >= sizeof reader->directory) {
        free(window);
        free(reader);
        return fail(failure, STATUS_IO, "%.200s: no memory to read it, or the path is too long",
                    directory);
    }
    memcpy(reader->directory, directory, strlen(directory) + 1);
    reader->fd = -1;
    reader->window = window;
    reader->window_bytes = WINDOW_BYTES;
    enum status status = list_again(reader, failure);
    if (status == STATUS_OK) {
        aim(reader, from_sequence);
        status = open_later(reader, failure);
    }
    if (status != STATUS_OK) {
        spool_reader_close(reader);
        return status == STATUS_NOT_FOUND
                   ? fail(failure, status,
                          "%.200s: there is no segment of an audit log in it: start the server "
                          "once, or name the directory of the one that wrote it",
                          directory)
                   : status;
    }
    *out = reader;
    return STATUS_OK;
}

void spool_reader_close(struct spool_reader *reader)
{
    if (!reader) {
        return;
    }
    if (reader->fd >= 0) {
        close(reader->fd);
    }
    free(reader->window);
    free(reader->segments);
    free(reader);
}
