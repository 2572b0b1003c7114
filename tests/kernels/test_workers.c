/* Method: every part of every job runs exactly once, over many jobs of changing size with pauses in
 * which the helpers fall asleep; a job's writes are seen by the caller; helpers end when told. */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/random.h"
#include "kernels/float_mode.h"
#include "kernels/workers.h"
#include "tests/check.h"

enum { PARTS_MAX = 300, JOBS = 20000 };

struct job {
    uint32_t *results; /* plain memory on purpose: the meeting must order it */
    uint32_t number;
};

static _Atomic uint32_t runs[PARTS_MAX], helped_count;
static pthread_t caller;

static void run_part(const void *argument, uint32_t part)
{
    const struct job *job = argument;
    atomic_fetch_add(&runs[part], 1);
    atomic_fetch_add(&helped_count, !pthread_equal(pthread_self(), caller));
    job->results[part] = job->number + part;
}

static void every_part_runs_once(void)
{
    for (uint32_t count = 0; count < 4; count++) {
        struct workers *workers = NULL;
        CHECK(workers_create(count, &workers) == STATUS_OK, "create %u", count);
        CHECK(workers_count(workers) >= 1 && (count == 0 || workers_count(workers) <= count),
              "%u workers", workers_count(workers));
        struct random_source random = {count};
        atomic_store(&helped_count, 0);
        caller = pthread_self();
        uint32_t results[PARTS_MAX];
        for (uint32_t i = 0; i < JOBS; i++) {
            const uint32_t parts = random_below(&random, i % 100 == 0 ? PARTS_MAX : 5);
            for (uint32_t p = 0; p < parts; p++) {
                atomic_store(&runs[p], 0);
            }
            workers_run(workers, run_part, &(struct job){results, i}, parts);
            for (uint32_t p = 0; p < parts; p++) {
                CHECK(atomic_load(&runs[p]) == 1 && results[p] == i + p, "job %u part %u", i, p);
            }
            if (i % 1000 == 0) { /* long enough for the helpers to fall asleep */
                nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
            }
        }
        CHECK(workers_count(workers) == 1 || atomic_load(&helped_count) > 0, "nobody helped");
        workers_destroy(workers);
    }
    workers_destroy(NULL);
}

static void without_workers_the_caller_does_it(void)
{
    uint32_t results[3] = {0};
    workers_run(NULL, run_part, &(struct job){results, 10}, 3);
    CHECK(results[0] == 10 && results[1] == 11 && results[2] == 12, "all parts");
    CHECK(workers_count(NULL) == 1, "the caller counts");
}

static void divide(const void *argument, uint32_t part)
{
    const volatile float *small = argument;
    nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL); /* so that helpers take parts too */
    ((volatile float *)(uintptr_t)argument)[1 + part] = small[0] / 4.0F;
}

/* Denormals are zero inside a job, on any thread, and as before after it. */
static void the_float_mode_is_set_and_put_back(void)
{
#ifdef __SSE2__
    struct workers *workers = NULL;
    CHECK(workers_create(0, &workers) == STATUS_OK, "create");
    volatile float values[65];
    values[0] = 0x1p-126F;
    for (int i = 0; i < 10; i++) {
        workers_run(workers, divide, (const void *)(uintptr_t)values, 64);
        for (int part = 0; part < 64; part++) {
            CHECK(values[1 + part] == 0.0F, "part %d", part);
        }
    }
    CHECK(values[0] / 4.0F != 0.0F, "the caller's mode");
    workers_destroy(workers);
#endif
}

CHECK_MAIN(every_part_runs_once, without_workers_the_caller_does_it,
           the_float_mode_is_set_and_put_back)
