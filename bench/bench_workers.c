/* bench_workers.c - how much of its speed a chain of short jobs (a token of a model is about 140)
 * keeps while other threads keep every core busy. Fair shares would be cores / (cores + busy).
 * Usage: bench_workers [BUSY_THREADS]   default: as many as there are workers */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "kernels/workers.h"

enum { PARTS = 32, STEPS_OF_PART = 6000, JOBS = 1500, ROUNDS = 3, BUSY_MAX = 64 };

static _Atomic bool is_over;
static _Atomic uint32_t sink;

static uint32_t compute(uint32_t value, uint32_t steps)
{
    for (uint32_t i = 0; i < steps; i++) {
        value = value * 1664525U + 1013904223U;
    }
    return value;
}

static void run_part(const void *args, uint32_t part)
{
    (void)args;
    atomic_fetch_add_explicit(&sink, compute(part, STEPS_OF_PART), memory_order_relaxed);
}

static void *be_busy(void *unused)
{
    while (!atomic_load_explicit(&is_over, memory_order_relaxed)) {
        atomic_fetch_add_explicit(&sink, compute(1, 100000), memory_order_relaxed);
    }
    return unused;
}

static double jobs_per_second(struct workers *workers)
{
    const uint64_t start_ns = clock_monotonic_ns();
    for (int i = 0; i < JOBS; i++) {
        workers_run(workers, run_part, NULL, PARTS);
    }
    return JOBS / ((double)(clock_monotonic_ns() - start_ns) * 1e-9);
}

int main(int argument_count, char **arguments)
{
    struct workers *workers = NULL;
    if (workers_create(0, &workers) != STATUS_OK) {
        return 1;
    }
    const uint32_t count = workers_count(workers);
    const long asked = argument_count > 1 ? strtol(arguments[1], NULL, 10) : (long)count;
    const uint32_t busy = (uint32_t)(asked < 1 ? 1 : asked > BUSY_MAX ? BUSY_MAX : asked);
    printf("%u workers, %u busy threads: fair share %.0f%%\n", count, busy,
           100.0 * count / (count + busy));
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t threads[BUSY_MAX];
        const double alone = jobs_per_second(workers);
        atomic_store(&is_over, false);
        for (uint32_t i = 0; i < busy; i++) {
            if (pthread_create(&threads[i], NULL, be_busy, NULL) != 0) {
                return 1;
            }
        }
        const double shared = jobs_per_second(workers);
        atomic_store(&is_over, true);
        for (uint32_t i = 0; i < busy; i++) {
            pthread_join(threads[i], NULL);
        }
        printf("alone %.0f jobs/s, shared %.0f jobs/s: %.0f%% left\n", alone, shared,
               100 * shared / alone);
    }
    workers_destroy(workers);
    return 0;
}
