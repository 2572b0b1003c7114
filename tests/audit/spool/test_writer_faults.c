/* Method: writing is made to fail in every way that can be made here: by calls that fail on a word
 * (preload/fault_io.c), by limits and rights of the operating system, by a full file system, by a
 * clock that goes back. While it fails nothing may be told kept under `refuse`; when it
 * works again all that was ever told kept must be there once, and the outage be told. */
#include "audit/spool/writer.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/audit/support_writer.h"
#include "tests/check.h"

enum { TIMEOUT_MS = 60000, REFUSED = 7, NOBODY = 65534 };

static char root[SUPPORT_DIRECTORY_BYTES];
static char directory[SUPPORT_DIRECTORY_BYTES + 8], control[SUPPORT_DIRECTORY_BYTES + 8];
static struct failure failure;

static void make_directory(void)
{
    support_directory_make(root);
    snprintf(directory, sizeof directory, "%s/audit", root);
    snprintf(control, sizeof control, "%s/fault", root);
    setenv("FAULT_IO_DIRECTORY", directory, 1);
    setenv("FAULT_IO_CONTROL", control, 1);
}

static void set_fault(const char *text)
{
    char fresh[SUPPORT_DIRECTORY_BYTES + 16];
    snprintf(fresh, sizeof fresh, "%s.new", control);
    FILE *file = fopen(fresh, "w");
    CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0, "control file");
    CHECK(rename(fresh, control) == 0, "control file");
}

/* ---- handles --------------------------------------------------------------------------------- */

struct bell { /* which handles were woken, and when the last was */
    pthread_mutex_t lock;
    pthread_cond_t rung;
    uint32_t wakes[4096];
    uint64_t groups;
};
static struct bell bell = {.lock = PTHREAD_MUTEX_INITIALIZER, .rung = PTHREAD_COND_INITIALIZER};

static void ring_bell(void *context, uint64_t handle)
{
    (void)context;
    pthread_mutex_lock(&bell.lock);
    bell.wakes[handle]++;
    pthread_cond_broadcast(&bell.rung);
    pthread_mutex_unlock(&bell.lock);
}

static void count_group(void *context)
{
    (void)context;
    pthread_mutex_lock(&bell.lock);
    bell.groups++;
    pthread_cond_broadcast(&bell.rung);
    pthread_mutex_unlock(&bell.lock);
}

static void wait_for_wake(uint64_t handle)
{
    pthread_mutex_lock(&bell.lock);
    while (bell.wakes[handle] == 0) {
        pthread_cond_wait(&bell.rung, &bell.lock);
    }
    pthread_mutex_unlock(&bell.lock);
}

static void wait_for_groups(uint64_t more)
{
    pthread_mutex_lock(&bell.lock);
    const uint64_t until = bell.groups + more;
    while (bell.groups < until) {
        pthread_cond_wait(&bell.rung, &bell.lock);
    }
    pthread_mutex_unlock(&bell.lock);
}

static struct writer_config make_config(void)
{
    memset(bell.wakes, 0, sizeof bell.wakes);
    struct writer_config config = support_writer_config(directory);
    config.wake = ring_bell;
    config.committed = count_group;
    return config;
}

static struct writer *start(const struct writer_config *config)
{
    struct writer *writer = NULL;
    failure.text[0] = '\0';
    CHECK(writer_start(config, &writer, &failure) == STATUS_OK, "%s", failure.text);
    if (!writer) {
        exit(1);
    }
    return writer;
}

static enum status append(struct writer *writer, enum record_event event, uint64_t mark,
                          struct writer_position *out)
{
    struct record_draft draft;
    support_draft(&draft, event, mark, 0);
    return writer_append(writer, &draft, mark, out);
}

/* A record that OPENS, kept; a fault may come after it. */
static void append_kept(struct writer *writer, uint64_t mark)
{
    struct writer_position position = {0};
    CHECK(append(writer, RECORD_EVENT_REQUEST_ACCEPTED, mark, &position) == STATUS_OK, "taken");
    CHECK(writer_wait(writer, position, TIMEOUT_MS) == STATUS_OK, "kept");
}

static struct support_spool read_spool(void)
{
    struct support_spool spool;
    support_spool_read(directory, &spool);
    CHECK(spool.problem[0] == '\0', "%s", spool.problem);
    return spool;
}

static size_t count_mark(const struct support_spool *spool, uint64_t mark)
{
    size_t count = 0;
    for (size_t i = 0; i < spool->count; i++) {
        count += spool->entries[i].tenant == 1 && spool->entries[i].a == mark;
    }
    return count;
}

static void check_outage(const struct support_spool *spool, const char *reason, uint64_t count)
{
    const struct support_entry *outage = support_spool_find(spool, RECORD_EVENT_AUDIT_OUTAGE, 0);
    CHECK(outage != NULL, "no outage is told");
    if (outage) {
        CHECK(strcmp(outage->reason, reason) == 0, "reason %s, not %s", outage->reason, reason);
        CHECK(outage->count == count, "%llu refused", (unsigned long long)outage->count);
        CHECK(outage->sequence_from > 0 && outage->sequence_from <= outage->sequence,
              "first record concerned");
    }
}

/* ---- refuse ---------------------------------------------------------------------------------- */

/* From a first record that waits while writing fails, to all being well again. */
static void live_through(struct writer *writer, void (*mend)(void))
{
    struct writer_position waits = {0}, closes = {0}, none = {0};
    CHECK(append(writer, RECORD_EVENT_REQUEST_ACCEPTED, 2, &waits) == STATUS_OK, "taken");
    CHECK(writer_wait(writer, waits, TIMEOUT_MS) == STATUS_UNAVAILABLE, "lost to who waits");
    wait_for_wake(2);
    CHECK(writer_keeping(writer, waits) == WRITER_LOST, "lost to who asks");
    CHECK(!writer_is_durable(writer, waits) && !writer_is_available(writer), "not available");
    for (int i = 0; i < REFUSED; i++) {
        CHECK(append(writer, RECORD_EVENT_REQUEST_ACCEPTED, 99, &none) == STATUS_UNAVAILABLE,
              "what opens is refused");
    }
    CHECK(append(writer, RECORD_EVENT_REQUEST_COMPLETED, 3, &closes) == STATUS_OK, "what closes");
    CHECK(writer_wait(writer, closes, TIMEOUT_MS) == STATUS_UNAVAILABLE, "lost for now");
    wait_for_wake(3);
    struct writer_facts facts;
    writer_read_facts(writer, &facts);
    CHECK(facts.failures > 0 && facts.is_failing && facts.refused == REFUSED, "facts");
    mend();
    wait_for_groups(2);
    CHECK(writer_is_available(writer), "available again");
    append_kept(writer, 4);
    CHECK(writer_keeping(writer, waits) == WRITER_KEPT && writer_is_durable(writer, closes),
          "written after all");
    CHECK(writer_stop(writer), "all kept");
}

static void check_lived(const char *reason)
{
    struct support_spool spool = read_spool();
    for (uint64_t mark = 1; mark <= 4; mark++) {
        CHECK(count_mark(&spool, mark) == 1, "record %llu: %zu times", (unsigned long long)mark,
              count_mark(&spool, mark));
        CHECK(bell.wakes[mark] == 1, "handle %llu: woken %u times", (unsigned long long)mark,
              bell.wakes[mark]);
    }
    CHECK(count_mark(&spool, 99) == 0, "a refused record");
    CHECK(support_spool_count(&spool, RECORD_EVENT_AUDIT_OUTAGE) == 1, "one outage");
    check_outage(&spool, reason, REFUSED);
    support_spool_free(&spool);
    support_directory_remove(root);
}

static void lift_fault(void)
{
    set_fault("");
}

static void calls_that_fail_are_lived_through(void)
{
    static const struct {
        const char *fault, *reason;
    } cases[] = {
        {"fdatasync EIO\n", "io_error"},
        {"pwrite ENOSPC torn\n", "no_space"},
        {"pwrite EIO\n", "io_error"},
        {"fdatasync EDQUOT\npwrite EROFS\n", "permission"},
        {"pwrite EIO\nfdatasync EIO\n", "io_error"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        make_directory();
        const struct writer_config config = make_config();
        struct writer *writer = start(&config);
        append_kept(writer, 1);
        set_fault(cases[i].fault);
        live_through(writer, lift_fault);
        check_lived(cases[i].reason);
    }
}

/* A segment that cannot be made is found after a record was told kept. */
static void fill_until_failing(struct writer *writer)
{
    struct writer_facts facts = {0};
    while (!facts.is_failing) {
        struct writer_position position = {0};
        const enum status status = append(writer, RECORD_EVENT_REQUEST_COMPLETED, 5, &position);
        CHECK(status == STATUS_OK, "what closes is taken");
        (void)!writer_wait(writer, position, TIMEOUT_MS);
        writer_read_facts(writer, &facts);
    }
}

/* Like live_through, but nothing waits when it begins. */
static void live_through_segments(struct writer *writer, void (*mend)(void), const char *reason)
{
    struct writer_position none = {0}, closes = {0};
    fill_until_failing(writer);
    for (int i = 0; i < REFUSED; i++) {
        CHECK(append(writer, RECORD_EVENT_REQUEST_ACCEPTED, 99, &none) == STATUS_UNAVAILABLE,
              "what opens is refused");
    }
    CHECK(append(writer, RECORD_EVENT_REQUEST_COMPLETED, 6, &closes) == STATUS_OK, "what closes");
    mend();
    wait_for_groups(2);
    append_kept(writer, 7);
    CHECK(writer_is_durable(writer, closes) && writer_is_available(writer), "available again");
    CHECK(writer_stop(writer), "all kept");
    struct support_spool spool = read_spool();
    CHECK(spool.snapshots > 1, "a new segment");
    CHECK(count_mark(&spool, 6) == 1 && count_mark(&spool, 7) == 1, "both are there");
    CHECK(count_mark(&spool, 99) == 0, "a refused record");
    check_outage(&spool, reason, REFUSED);
    support_spool_free(&spool);
}

static void a_segment_that_cannot_be_made_is_an_outage(void)
{
    static const struct {
        const char *fault, *reason;
    } cases[] = {{"open EACCES\n", "permission"},
                 {"open ENOSPC\n", "no_space"},
                 {"rename EROFS\n", "permission"},
                 {"fsync EIO\n", "io_error"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        make_directory();
        struct writer_config config = make_config();
        config.segment_bytes = 20000;
        struct writer *writer = start(&config);
        set_fault(cases[i].fault);
        live_through_segments(writer, lift_fault, cases[i].reason);
        support_directory_remove(root);
    }
}

static void refuse_some(struct writer *writer, int count)
{
    for (int i = 0; i < count; i++) {
        struct writer_position none = {0};
        CHECK(append(writer, RECORD_EVENT_REQUEST_ACCEPTED, 99, &none) == STATUS_UNAVAILABLE,
              "what opens is refused");
    }
}

/* The disk takes a group again, but not the segment behind it: nobody could be told in between, so
 * it is one outage, and nobody who was refused is forgotten. */
static void an_outage_that_comes_again_untold_is_one(void)
{
    make_directory();
    struct writer_config config = make_config();
    config.segment_bytes = 1;       /* each group ends its segment, ... */
    config.checkpoint_ms = 3600000; /* ... and but for the first no epoch */
    struct writer *writer = start(&config);
    struct writer_position waits = {0};
    struct writer_facts facts = {0};
    append_kept(writer, 1);
    append_kept(writer, 1);
    while (facts.segment <= facts.sequence) { /* until the segment is made */
        sched_yield();
        writer_read_facts(writer, &facts);
    }
    set_fault("fdatasync EIO\nrename EROFS\n");
    CHECK(append(writer, RECORD_EVENT_REQUEST_ACCEPTED, 2, &waits) == STATUS_OK, "taken");
    CHECK(writer_wait(writer, waits, TIMEOUT_MS) == STATUS_UNAVAILABLE, "lost");
    refuse_some(writer, REFUSED);
    set_fault("rename EROFS\n");
    while (!writer_is_durable(writer, waits) || !facts.is_failing) {
        sched_yield();
        writer_read_facts(writer, &facts);
    }
    refuse_some(writer, 3);
    set_fault("");
    wait_for_groups(1);
    append_kept(writer, 3);
    CHECK(writer_stop(writer), "all kept");
    struct support_spool spool = read_spool();
    CHECK(support_spool_count(&spool, RECORD_EVENT_AUDIT_OUTAGE) == 1, "one outage");
    check_outage(&spool, "io_error", REFUSED + 3);
    support_spool_free(&spool);
    support_directory_remove(root);
}

/* A writer may have been killed after it named a segment and before that name was on the disk. */
static void what_was_found_gets_its_name_synced(void)
{
    make_directory();
    const struct writer_config config = make_config();
    CHECK(writer_stop(start(&config)), "all kept");
    struct writer *writer = NULL;
    set_fault("fsync EIO\n"); /* of directories; the files of a log that is there are fdatasynced */
    CHECK(writer_start(&config, &writer, &failure) == STATUS_IO
              && strstr(failure.text, "cannot be synced"),
          "%s", failure.text);
    set_fault("");
    CHECK(writer_stop(start(&config)), "all kept");
    support_directory_remove(root);
}

/* ---- faults of the operating system ---------------------------------------------------------- */

/* In a process of its own, for what it does to itself cannot be undone. 77: not permitted here. */
static void in_child(const char *name, int (*act)(void))
{
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        check_failures = 0;
        const int code = act();
        fflush(NULL);
        _exit(code != 0 ? code : check_failures > 0);
    }
    int status = 0;
    CHECK(child > 0 && waitpid(child, &status, 0) == child, "fork");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        printf("skipped: %s: not permitted to this user\n", name);
    } else {
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: status %x", name,
              (unsigned)status);
    }
}

static void set_file_limit(rlim_t bytes)
{
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0, "limit");
    limit.rlim_cur = bytes;
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0, "limit");
}

static void lift_limit(void)
{
    set_file_limit(RLIM_INFINITY);
}

static int hit_file_limit(void)
{
    signal(SIGXFSZ, SIG_IGN);
    const struct writer_config config = make_config();
    struct writer *writer = start(&config);
    append_kept(writer, 1);
    for (uint64_t i = 0; i < 20; i++) {
        append_kept(writer, 50);
    }
    set_file_limit(1024); /* chain.state fits, the segment is longer already */
    live_through(writer, lift_limit);
    check_lived("file_limit");
    return 0;
}

static void change_segments_mode(mode_t mode)
{
    char path[SUPPORT_DIRECTORY_BYTES + 32];
    snprintf(path, sizeof path, "%s/segments", directory);
    CHECK(chmod(path, mode) == 0, "mode");
}

static void give_permission_back(void)
{
    change_segments_mode(0700);
}

static int lose_permission(void)
{
    if (geteuid() == 0 && (chmod(root, 0777) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0)) {
        return 77;
    }
    struct writer_config config = make_config();
    config.segment_bytes = 20000;
    struct writer *writer = start(&config);
    change_segments_mode(0500);
    live_through_segments(writer, give_permission_back, "permission");
    return 0;
}

static void put_segments_back(void)
{
    char path[SUPPORT_DIRECTORY_BYTES + 32], away[SUPPORT_DIRECTORY_BYTES + 32];
    snprintf(path, sizeof path, "%s/segments", directory);
    snprintf(away, sizeof away, "%s/segments.away", directory);
    CHECK(rename(away, path) == 0, "back");
}

static int lose_directory(void)
{
    const struct writer_config config = make_config();
    struct writer *writer = start(&config);
    append_kept(writer, 1);
    char path[SUPPORT_DIRECTORY_BYTES + 32], away[SUPPORT_DIRECTORY_BYTES + 32];
    snprintf(path, sizeof path, "%s/segments", directory);
    snprintf(away, sizeof away, "%s/segments.away", directory);
    CHECK(rename(path, away) == 0, "away");
    live_through(writer, put_segments_back);
    check_lived("file_missing");
    return 0;
}

/* Nothing mends that: what would be written is not kept, and is not told to be. */
static int lose_segment(void)
{
    const struct writer_config config = make_config();
    struct writer *writer = start(&config);
    append_kept(writer, 1);
    char path[SUPPORT_DIRECTORY_BYTES + 64];
    snprintf(path, sizeof path, "%s/segments/00000000000000000001.seg", directory);
    CHECK(unlink(path) == 0, "removed");
    struct writer_position position = {0};
    CHECK(append(writer, RECORD_EVENT_REQUEST_COMPLETED, 2, &position) == STATUS_OK, "taken");
    CHECK(writer_wait(writer, position, TIMEOUT_MS) == STATUS_UNAVAILABLE, "lost");
    CHECK(!writer_is_available(writer), "not available");
    CHECK(!writer_stop(writer), "it is said that not all was kept");
    writer = NULL;
    CHECK(writer_start(&config, &writer, &failure) == STATUS_INVALID, "for people to look at");
    return 0;
}

static char segment_in_place[SUPPORT_DIRECTORY_BYTES + 64];
static char segment_away[SUPPORT_DIRECTORY_BYTES + 64];

static void put_segment_back(void)
{
    CHECK(rename(segment_away, segment_in_place) == 0, "back"); /* over what may lie there */
}

static struct writer *start_and_move_segment(void)
{
    const struct writer_config config = make_config();
    struct writer *writer = start(&config);
    append_kept(writer, 1);
    snprintf(segment_in_place, sizeof segment_in_place, "%s/segments/00000000000000000001.seg",
             directory);
    snprintf(segment_away, sizeof segment_away, "%s/moved", root);
    CHECK(rename(segment_in_place, segment_away) == 0, "moved");
    return writer;
}

static int move_segment(void)
{
    live_through(start_and_move_segment(), put_segment_back);
    check_lived("file_missing");
    return 0;
}

/* As one who restores a backup over it does. */
static int replace_segment(void)
{
    struct writer *writer = start_and_move_segment();
    FILE *other = fopen(segment_in_place, "wx");
    CHECK(other && fclose(other) == 0, "another file of that name");
    live_through(writer, put_segment_back);
    check_lived("file_missing");
    return 0;
}

static char ballast[SUPPORT_DIRECTORY_BYTES + 16];

static void remove_ballast(void)
{
    CHECK(unlink(ballast) == 0, "ballast");
}

/* A file system of one megabyte, the rest of which is filled up. */
static int fill_file_system(void)
{
    char filler[4096] = {0};
    if (unshare(CLONE_NEWNS | (geteuid() == 0 ? 0 : CLONE_NEWUSER)) != 0
        || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0
        || mount("tmpfs", root, "tmpfs", 0, "size=1m") != 0) {
        return 77;
    }
    struct writer_config config = make_config();
    struct writer *writer = start(&config);
    append_kept(writer, 1);
    snprintf(ballast, sizeof ballast, "%s/ballast", root);
    FILE *file = fopen(ballast, "w");
    setvbuf(file, NULL, _IONBF, 0);
    while (fwrite(filler, 1, sizeof filler, file) == sizeof filler) {
    }
    fclose(file);
    struct writer_facts facts = {0};
    while (!facts.is_failing) { /* what is left of the segment's last page */
        struct writer_position position = {0};
        CHECK(append(writer, RECORD_EVENT_REQUEST_COMPLETED, 8, &position) == STATUS_OK, "taken");
        (void)!writer_wait(writer, position, TIMEOUT_MS);
        writer_read_facts(writer, &facts);
    }
    remove_ballast();
    wait_for_groups(2);
    append_kept(writer, 4);
    CHECK(writer_stop(writer), "all kept");
    struct support_spool spool = read_spool();
    check_outage(&spool, "no_space", 0);
    CHECK(count_mark(&spool, 1) == 1 && count_mark(&spool, 4) == 1, "before and after");
    support_spool_free(&spool);
    return 0;
}

static void the_operating_system_refuses(void)
{
    static const struct {
        const char *name;
        int (*act)(void);
    } cases[] = {{"file limit", hit_file_limit},     {"permission lost", lose_permission},
                 {"directory gone", lose_directory}, {"segment removed", lose_segment},
                 {"segment moved", move_segment},    {"segment replaced", replace_segment},
                 {"disk full", fill_file_system}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        make_directory();
        in_child(cases[i].name, cases[i].act);
        support_directory_remove(root);
    }
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void memory_keeps_until_the_queue_is_full(void)
{
    make_directory();
    struct writer_config config = make_config();
    config.keeps_in_memory = true;
    config.queue_bytes = 64 << 10;
    struct writer *writer = start(&config);
    append_kept(writer, 1);
    set_fault("fdatasync EIO\n");
    struct writer_position position = {0};
    uint64_t told = 0;
    enum status status = STATUS_OK;
    for (uint64_t i = 0; i < 2000 && status == STATUS_OK; i++) {
        status = append(writer, RECORD_EVENT_REQUEST_ACCEPTED, 100 + i, &position);
        if (status == STATUS_OK) {
            CHECK(writer_wait(writer, position, TIMEOUT_MS) == STATUS_OK, "told kept");
            wait_for_wake(100 + i);
            told++;
        }
    }
    CHECK(status == STATUS_UNAVAILABLE && told > 50, "%llu kept in memory",
          (unsigned long long)told);
    CHECK(!writer_is_durable(writer, position) && !writer_is_available(writer), "the bound");
    lift_fault();
    wait_for_groups(2);
    append_kept(writer, 4);
    CHECK(writer_is_available(writer), "available again");
    CHECK(writer_stop(writer), "all kept");
    struct support_spool spool = read_spool();
    for (uint64_t i = 0; i < told; i++) {
        CHECK(count_mark(&spool, 100 + i) == 1, "record %llu", (unsigned long long)i);
    }
    check_outage(&spool, "io_error", 1);
    support_spool_free(&spool);
    support_directory_remove(root);
}

/* ---- hanging --------------------------------------------------------------------------------- */

/* Below the directory of the other, so that the same fault holds both. */
static struct writer *start_memory(void)
{
    static char below[SUPPORT_DIRECTORY_BYTES + 16];
    snprintf(below, sizeof below, "%s/memory", directory);
    struct writer_config config = support_writer_config(below);
    config.keeps_in_memory = true;
    return start(&config);
}

static void wait_for_hanging(const struct writer *writer)
{
    struct writer_facts facts = {0};
    while (!facts.is_failing) {
        usleep(1000);
        writer_read_facts(writer, &facts);
    }
}

static void a_disk_that_hangs_is_an_outage(void)
{
    make_directory();
    const struct writer_config config = make_config();
    struct writer *writer = start(&config), *memory = start_memory();
    struct writer_position waits = {0}, closes = {0}, none = {0}, kept = {0};
    append_kept(writer, 1);
    append_kept(memory, 1);
    set_fault("fdatasync hold\n");
    CHECK(append(writer, RECORD_EVENT_REQUEST_ACCEPTED, 2, &waits) == STATUS_OK, "taken");
    CHECK(append(memory, RECORD_EVENT_REQUEST_ACCEPTED, 2, &kept) == STATUS_OK, "taken");
    CHECK(writer_is_available(writer) && writer_keeping(writer, waits) == WRITER_WAITING, "slow");
    wait_for_hanging(writer);
    wait_for_hanging(memory);
    CHECK(!writer_is_available(writer) && writer_keeping(writer, waits) == WRITER_LOST, "lost");
    for (int i = 0; i < REFUSED; i++) {
        CHECK(append(writer, RECORD_EVENT_REQUEST_ACCEPTED, 99, &none) == STATUS_UNAVAILABLE,
              "what opens is refused");
    }
    CHECK(append(writer, RECORD_EVENT_REQUEST_COMPLETED, 3, &closes) == STATUS_OK, "what closes");
    CHECK(writer_is_available(memory), "memory keeps what comes");
    CHECK(writer_keeping(memory, kept) == WRITER_KEPT, "told kept");
    lift_fault();
    wait_for_wake(3);
    append_kept(writer, 4);
    CHECK(writer_is_available(writer) && writer_is_durable(writer, closes), "available again");
    CHECK(writer_stop(writer) && writer_stop(memory), "all kept");
    check_lived("hung");
}

/* ---- stopping while it fails ------------------------------------------------------------------
 */

static void a_stop_gives_up_and_the_next_start_finds_what_was_kept(void)
{
    make_directory();
    const struct writer_config config = make_config();
    struct writer *writer = start(&config);
    append_kept(writer, 1);
    set_fault("pwrite ENOSPC torn\n");
    struct writer_position position = {0};
    CHECK(append(writer, RECORD_EVENT_REQUEST_COMPLETED, 2, &position) == STATUS_OK, "taken");
    CHECK(!writer_drain(writer), "it is said that not all was kept");
    CHECK(writer_keeping(writer, position) == WRITER_LOST, "lost");
    CHECK(!writer_stop(writer), "said again");
    lift_fault();
    writer = start(&config);
    append_kept(writer, 3);
    CHECK(writer_stop(writer), "all kept");
    struct support_spool spool = read_spool();
    CHECK(count_mark(&spool, 1) == 1 && count_mark(&spool, 3) == 1, "what was kept");
    CHECK(count_mark(&spool, 2) <= 1, "what half a write left may be there, once");
    CHECK(support_spool_count(&spool, RECORD_EVENT_SERVER_RECOVERED) == 1, "recovery is told");
    support_spool_free(&spool);
    support_directory_remove(root);
}

/* ---- the clock ------------------------------------------------------------------------------- */

static _Atomic int64_t now_ms;

static int64_t fake_now(void)
{
    return atomic_load(&now_ms);
}

static void a_clock_that_goes_back_is_told_once_a_step(void)
{
    static const struct {
        int64_t by_ms;
        uint32_t steps; /* told by then */
    } moves[] = {{0, 0},     {-900, 0},     {-900, 1}, {100, 1},      {-500, 1},
                 {90000, 1}, {-3600000, 2}, {1000, 2}, {-7200000, 3}, {100, 3}};
    make_directory();
    struct writer_config config = make_config();
    config.now_unix_ms = fake_now;
    atomic_store(&now_ms, 1767225600000);
    struct writer *writer = start(&config);
    for (size_t i = 0; i < sizeof moves / sizeof moves[0]; i++) {
        atomic_fetch_add(&now_ms, moves[i].by_ms);
        append_kept(writer, 1 + i);
        wait_for_groups(2);
        struct support_spool spool = read_spool();
        CHECK(support_spool_count(&spool, RECORD_EVENT_CLOCK_STEPPED) == moves[i].steps,
              "move %zu: %zu steps", i, support_spool_count(&spool, RECORD_EVENT_CLOCK_STEPPED));
        support_spool_free(&spool);
    }
    CHECK(writer_stop(writer), "all kept");
    struct support_spool spool = read_spool();
    for (size_t i = 1; i < spool.count; i++) {
        CHECK(spool.entries[i].time_unix_ms >= spool.entries[i - 1].time_unix_ms, "time %zu", i);
    }
    static const int64_t stepped[] = {1800, 3600000, 7200000};
    for (size_t i = 0; i < 3; i++) {
        const struct support_entry *step =
            support_spool_find(&spool, RECORD_EVENT_CLOCK_STEPPED, i);
        CHECK(step && llabs(step->stepped_ms - stepped[i]) <= 0, "step %zu of %lld ms", i,
              step ? (long long)step->stepped_ms : 0);
    }
    support_spool_free(&spool);
    support_directory_remove(root);
}

CHECK_MAIN(the_operating_system_refuses, calls_that_fail_are_lived_through,
           a_segment_that_cannot_be_made_is_an_outage, an_outage_that_comes_again_untold_is_one,
           what_was_found_gets_its_name_synced, memory_keeps_until_the_queue_is_full,
           a_disk_that_hangs_is_an_outage, a_stop_gives_up_and_the_next_start_finds_what_was_kept,
           a_clock_that_goes_back_is_told_once_a_step)
