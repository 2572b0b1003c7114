/* Method: segments made from a chain, read back as bytes; a directory with names that are no
 * segments; a file size limit as a disk that is full. */
#include "audit/spool/segment.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/audit/support_spool.h"
#include "tests/check.h"

enum { BYTES_MAX = 1 << 20, PATH_BYTES = 160 };

static const char *in_segments(const struct support_spool *spool, const char *name)
{
    static char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/segments/%s", spool->directory, name);
    return path;
}

static void a_segment_begins_with_the_chain_as_it_stood(void)
{
    static uint8_t bytes[BYTES_MAX];
    struct support_spool spool;
    struct frame frame;
    struct stat info;
    size_t frame_bytes = 0;
    char path[DIRECTORY_PATH_BYTES];
    support_spool_begin(&spool, 1);
    support_spool_append(&spool, 41);
    support_spool_next_segment(&spool);
    CHECK(spool.segment == 42, "named after its first record");
    support_spool_path(&spool, path);
    CHECK(strcmp(path, in_segments(&spool, "00000000000000000042.seg")) == 0, "%s", path);
    CHECK(stat(path, &info) == 0 && (info.st_mode & 0777) == 0600, "private");
    const size_t count = support_spool_load(path, bytes, sizeof bytes);
    CHECK(frame_parse(bytes, count, &frame, &frame_bytes) == STATUS_OK && frame_bytes == count
              && spool.bytes == count,
          "one frame");
    CHECK(frame.kind == FRAME_SNAPSHOT && chain_is_at_snapshot(spool.chain, &frame), "a snapshot");
    CHECK(access(in_segments(&spool, "00000000000000000042.seg.new"), F_OK) != 0, "was renamed");
    support_spool_end(&spool);
}

static void a_segment_is_made_again_but_never_over_records(void)
{
    struct support_spool spool;
    struct failure failure = {""};
    char path[DIRECTORY_PATH_BYTES];
    uint64_t bytes = 0;
    int fd = -1;
    support_spool_begin(&spool, 2);
    support_spool_path(&spool, path);
    CHECK(segment_create(spool.directory, spool.chain, &fd, &bytes, &failure) == STATUS_OK, "%s",
          failure.text);
    CHECK(bytes == spool.bytes, "the same snapshot");
    CHECK(write(fd, "", 1) == 1 && close(fd) == 0, "one byte of a record");
    CHECK(ftruncate(spool.fd, 0) == 0, "the first file is another by now");
    fd = open(path, O_RDWR | O_CLOEXEC);
    CHECK(lseek(fd, 0, SEEK_END) > 0 && write(fd, "more", 4) == 4 && close(fd) == 0, "records");
    CHECK(segment_create(spool.directory, spool.chain, &fd, &bytes, &failure) == STATUS_INVALID
              && strstr(failure.text, path),
          "%s", failure.text);
    support_spool_end(&spool);
}

static void only_segments_are_listed_in_order(void)
{
    static const char *const others[] = {
        "00000000000000000007.seg.new", "00000000000000000000.seg", "7.seg",
        "0000000000000000000x.seg",     "99999999999999999999.seg", "retention.new",
        "000000000000000000007.seg",    "00000000000000000008.SEG", "00000000000000000009"};
    struct support_spool spool;
    struct failure failure = {""};
    uint64_t *firsts = NULL;
    size_t count = 1;
    CHECK(segment_list("/nowhere", &firsts, &count, &failure) == STATUS_OK && count == 0 && !firsts,
          "a directory that is not there has none");
    support_spool_begin(&spool, 3);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        support_spool_store(in_segments(&spool, others[i]), (const uint8_t *)"", 0);
    }
    for (uint32_t i = 0; i < 200; i++) {
        support_spool_append(&spool, 1 + i % 3);
        support_spool_next_segment(&spool);
    }
    CHECK(segment_list(spool.directory, &firsts, &count, &failure) == STATUS_OK, "%s",
          failure.text);
    CHECK(count == 201, "%zu segments", count);
    for (size_t i = 1; i < count; i++) {
        CHECK(firsts[i] == firsts[i - 1] + 1 + (i - 1) % 3, "segment %zu", i);
    }
    free(firsts);
    CHECK(segment_remove_unfinished(spool.directory, &failure) == STATUS_OK, "%s", failure.text);
    CHECK(access(in_segments(&spool, others[0]), F_OK) != 0
              && access(in_segments(&spool, "retention.new"), F_OK) != 0
              && access(in_segments(&spool, "7.seg"), F_OK) == 0,
          "what was being made is gone, and nothing else");
    support_spool_end(&spool);
}

/* RLIMIT_FSIZE makes a write stop short, then fail, as a full disk does. */
static void a_full_disk_leaves_nothing_behind(void)
{
    struct support_spool spool;
    struct failure failure = {""};
    struct rlimit limit, small;
    char path[DIRECTORY_PATH_BYTES];
    uint64_t bytes = 0, *firsts = NULL;
    size_t count = 0;
    int fd = -1;
    support_spool_begin(&spool, 4);
    support_spool_append(&spool, 5);
    signal(SIGXFSZ, SIG_IGN);
    CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0, "limit");
    small = limit;
    small.rlim_cur = 50;
    CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0, "limit");
    const enum status status = segment_create(spool.directory, spool.chain, &fd, &bytes, &failure);
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0, "limit");
    CHECK(segment_path(spool.directory, 6, path, &failure) == STATUS_OK, "path");
    CHECK(status == STATUS_IO && strstr(failure.text, path) && strstr(failure.text, "too large"),
          "%s", failure.text);
    CHECK(access(path, F_OK) != 0
              && access(in_segments(&spool, "00000000000000000006.seg.new"), F_OK) != 0,
          "nothing is left");
    CHECK(segment_list(spool.directory, &firsts, &count, &failure) == STATUS_OK && count == 1,
          "%zu segments", count);
    free(firsts);
    support_spool_next_segment(&spool);
    CHECK(access(path, F_OK) == 0, "works when there is room");
    support_spool_end(&spool);
}

CHECK_MAIN(a_segment_begins_with_the_chain_as_it_stood,
           a_segment_is_made_again_but_never_over_records, only_segments_are_listed_in_order,
           a_full_disk_leaves_nothing_behind)
