/* Method: a writer in a process of its own tells over a pipe what it was told is kept, is killed at
 * random moments of a seed, and goes on in the next one: all that was told must be there, once. */
#include "audit/spool/writer.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/random.h"
#include "tests/audit/support_writer.h"
#include "tests/check.h"

enum { TIMEOUT_MS = 60000, ROUNDS = 30, KILL_THREADS = 8, ROUND_MARKS = 1 << 20 };

static char root[SUPPORT_DIRECTORY_BYTES], directory[SUPPORT_DIRECTORY_BYTES + 8];

static struct writer *start(const struct writer_config *config)
{
    struct writer *writer = NULL;
    struct failure failure = {""};
    CHECK(writer_start(config, &writer, &failure) == STATUS_OK, "%s", failure.text);
    if (!writer) {
        exit(1);
    }
    return writer;
}

struct teller {
    struct writer *writer;
    int pipe;
    uint64_t first;
};

/* Tells over the pipe what was told to it, until it is killed. */
static void *append_and_tell(void *argument)
{
    const struct teller *teller = argument;
    for (uint64_t mark = teller->first;; mark += KILL_THREADS) {
        struct record_draft draft;
        struct writer_position position = {0};
        support_draft(&draft, RECORD_EVENT_REQUEST_ACCEPTED, mark, 0);
        if (writer_append(teller->writer, &draft, 0, &position) == STATUS_OK
            && writer_wait(teller->writer, position, TIMEOUT_MS) == STATUS_OK
            && write(teller->pipe, &mark, sizeof mark) != sizeof mark) {
            return NULL;
        }
    }
}

static void write_until_killed(int pipe, uint64_t first)
{
    struct writer_config config = support_writer_config(directory);
    config.segment_bytes = 30000;
    config.checkpoint_ms = 5;
    struct writer *writer = start(&config);
    struct teller tellers[KILL_THREADS];
    pthread_t threads[KILL_THREADS];
    for (uint64_t i = 0; i < KILL_THREADS; i++) {
        tellers[i] = (struct teller){writer, pipe, first + i};
        if (pthread_create(&threads[i], NULL, append_and_tell, &tellers[i]) != 0) {
            _exit(1);
        }
    }
    pthread_join(threads[0], NULL);
    _exit(1);
}

struct told {
    uint64_t *marks;
    size_t count, capacity;
};

/* Kills after so many records were told, and takes what is still in the pipe. */
static void run_until_killed(uint64_t round, uint32_t kill_after, struct told *told)
{
    int pipes[2];
    CHECK(pipe(pipes) == 0, "pipe");
    const pid_t child = fork();
    if (child == 0) {
        close(pipes[0]);
        write_until_killed(pipes[1], 1 + round * ROUND_MARKS);
    }
    close(pipes[1]);
    uint64_t mark = 0;
    for (uint32_t i = 0; read(pipes[0], &mark, sizeof mark) == sizeof mark; i++) {
        if (told->count == told->capacity) {
            told->capacity = 2 * told->capacity + 1024;
            told->marks = realloc(told->marks, told->capacity * sizeof *told->marks);
        }
        told->marks[told->count++] = mark;
        if (i == kill_after) {
            kill(child, SIGKILL);
        }
    }
    close(pipes[0]);
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status), "killed: %x",
          (unsigned)status);
}

static int compare(const void *a, const void *b)
{
    const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static void check_told(const struct told *told, const struct support_spool *spool)
{
    uint64_t *marks = calloc(spool->count + 1, sizeof *marks);
    size_t count = 0;
    for (size_t i = 0; i < spool->count; i++) {
        if (spool->entries[i].event == RECORD_EVENT_REQUEST_ACCEPTED) {
            marks[count++] = spool->entries[i].a;
        }
    }
    qsort(marks, count, sizeof *marks, compare);
    for (size_t i = 1; i < count; i++) {
        CHECK(marks[i] != marks[i - 1], "record %llu is there twice", (unsigned long long)marks[i]);
    }
    for (size_t i = 0; i < told->count; i++) {
        CHECK(bsearch(&told->marks[i], marks, count, sizeof *marks, compare) != NULL,
              "record %llu was told kept and is not there", (unsigned long long)told->marks[i]);
    }
    free(marks);
}

static void nothing_told_is_missing_after_kill(void)
{
    struct random_source random = {20261121};
    struct told told = {0};
    support_directory_make(root);
    snprintf(directory, sizeof directory, "%s/audit", root);
    for (uint64_t round = 0; round < ROUNDS; round++) {
        run_until_killed(round, random_below(&random, 100), &told);
    }
    const struct writer_config config = support_writer_config(directory);
    CHECK(writer_stop(start(&config)), "all kept");
    struct support_spool spool;
    support_spool_read(directory, &spool);
    CHECK(spool.problem[0] == '\0', "%s", spool.problem);
    CHECK(support_spool_count(&spool, RECORD_EVENT_SERVER_RECOVERED) == ROUNDS,
          "%zu recoveries told", support_spool_count(&spool, RECORD_EVENT_SERVER_RECOVERED));
    check_told(&told, &spool);
    support_spool_free(&spool);
    free(told.marks);
    support_directory_remove(root);
}

CHECK_MAIN(nothing_told_is_missing_after_kill)
