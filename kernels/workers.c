/* workers.c - one job at a time. `ticket` holds the job's number and how many of its parts nobody
 * has taken yet; a thread takes a part by lowering it with compare-and-swap. So a helper that the
 * kernel put aside delays a job only by the part it holds, and a helper that looks at a job too
 * late cannot take a part: the ticket has changed. */
#include "kernels/workers.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/clock.h"
#include "kernels/float_mode.h"

enum { SPIN_NS = 40000, SPINS_PER_CLOCK = 32, CACHE_LINE_BYTES = 64 };

typedef void run_function(const void *args, uint32_t part);

struct workers {
    /* the job; written by the caller only while no part is left to take or to finish */
    _Atomic(run_function *) run;
    _Atomic(const void *) args;
    uint32_t helper_count;
    pthread_t *threads;
    /* job number << 32 | parts not yet taken */
    _Alignas(CACHE_LINE_BYTES) _Atomic uint64_t ticket;
    _Atomic uint32_t published; /* futex of the helpers: changes with every job */
    _Atomic uint32_t sleeping_count;
    _Atomic bool is_stopping;
    _Alignas(CACHE_LINE_BYTES) _Atomic uint32_t unfinished_count; /* futex of the caller */
    _Atomic bool is_caller_asleep;
};

static void futex_wait(_Atomic uint32_t *word, uint32_t expected)
{
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static void pause_briefly(void)
{
#ifdef __x86_64__
    __builtin_ia32_pause();
#endif
}

/* Works on the current job until no part is left to take. */
static void take_parts(struct workers *workers)
{
    uint64_t ticket = atomic_load_explicit(&workers->ticket, memory_order_acquire);
    while ((uint32_t)ticket > 0) {
        run_function *run = atomic_load_explicit(&workers->run, memory_order_relaxed);
        const void *args = atomic_load_explicit(&workers->args, memory_order_relaxed);
        if (!atomic_compare_exchange_weak_explicit(&workers->ticket, &ticket, ticket - 1,
                                                   memory_order_acq_rel, memory_order_acquire)) {
            continue;
        }
        run(args, (uint32_t)ticket - 1);
        if (atomic_fetch_sub(&workers->unfinished_count, 1) == 1
            && atomic_load(&workers->is_caller_asleep)) {
            futex_wake(&workers->unfinished_count);
        }
        ticket = atomic_load_explicit(&workers->ticket, memory_order_acquire);
    }
}

static bool has_news(const struct workers *workers, uint32_t seen)
{
    return atomic_load_explicit(&workers->published, memory_order_acquire) != seen;
}

static void wait_for_job(struct workers *workers, uint32_t seen)
{
    const uint64_t deadline_ns = clock_monotonic_ns() + SPIN_NS;
    do {
        for (int i = 0; i < SPINS_PER_CLOCK; i++) {
            if (has_news(workers, seen)) {
                return;
            }
            pause_briefly();
        }
    } while (clock_monotonic_ns() < deadline_ns);
    atomic_fetch_add(&workers->sleeping_count, 1);
    while (!has_news(workers, seen)) {
        futex_wait(&workers->published, seen);
    }
    atomic_fetch_sub(&workers->sleeping_count, 1);
}

static void *help(void *argument)
{
    struct workers *workers = argument;
    float_mode_enter();
    uint32_t seen = 0;
    while (!atomic_load(&workers->is_stopping)) {
        wait_for_job(workers, seen);
        seen = atomic_load_explicit(&workers->published, memory_order_acquire);
        take_parts(workers);
    }
    return NULL;
}

static uint32_t usable_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) {
        return 1; /* more than 1,024 cores: the caller must say how many */
    }
    return (uint32_t)CPU_COUNT(&set);
}

enum status workers_create(uint32_t worker_count, struct workers **out)
{
    const uint32_t cores = usable_cores();
    const uint32_t count = worker_count == 0 || worker_count > cores ? cores : worker_count;
    struct workers *workers = aligned_alloc(CACHE_LINE_BYTES, sizeof *workers);
    if (!workers) {
        return STATUS_IO;
    }
    *workers = (struct workers){.threads = calloc(count, sizeof *workers->threads)};
    sigset_t all, before;
    sigfillset(&all); /* signals are for the program's own threads */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (workers->threads && workers->helper_count < count - 1) {
        pthread_t *thread = &workers->threads[workers->helper_count];
        if (pthread_create(thread, NULL, help, workers) != 0) {
            break;
        }
        workers->helper_count++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!workers->threads || workers->helper_count < count - 1) {
        workers_destroy(workers);
        return STATUS_IO;
    }
    *out = workers;
    return STATUS_OK;
}

void workers_destroy(struct workers *workers)
{
    if (!workers) {
        return;
    }
    atomic_store(&workers->is_stopping, true);
    atomic_fetch_add(&workers->published, 1);
    futex_wake(&workers->published);
    for (uint32_t i = 0; i < workers->helper_count; i++) {
        pthread_join(workers->threads[i], NULL);
    }
    free(workers->threads);
    free(workers);
}

uint32_t workers_count(const struct workers *workers)
{
    return workers ? workers->helper_count + 1 : 1;
}

static void wait_until_finished(struct workers *workers)
{
    const uint64_t deadline_ns = clock_monotonic_ns() + SPIN_NS;
    do {
        for (int i = 0; i < SPINS_PER_CLOCK; i++) {
            if (atomic_load_explicit(&workers->unfinished_count, memory_order_acquire) == 0) {
                return;
            }
            pause_briefly();
        }
    } while (clock_monotonic_ns() < deadline_ns);
    atomic_store(&workers->is_caller_asleep, true);
    for (uint32_t left = atomic_load(&workers->unfinished_count); left != 0;
         left = atomic_load(&workers->unfinished_count)) {
        futex_wait(&workers->unfinished_count, left);
    }
    atomic_store(&workers->is_caller_asleep, false);
}

static void share_out(struct workers *workers, run_function *run, const void *args,
                      uint32_t part_count)
{
    ASSERT(atomic_load(&workers->unfinished_count) == 0);
    atomic_store_explicit(&workers->run, run, memory_order_relaxed);
    atomic_store_explicit(&workers->args, args, memory_order_relaxed);
    atomic_store_explicit(&workers->unfinished_count, part_count, memory_order_relaxed);
    const uint32_t job = atomic_load_explicit(&workers->published, memory_order_relaxed) + 1;
    atomic_store_explicit(&workers->ticket, (uint64_t)job << 32 | part_count, memory_order_release);
    atomic_store(&workers->published, job);
    if (atomic_load(&workers->sleeping_count) > 0) {
        futex_wake(&workers->published);
    }
    take_parts(workers);
    wait_until_finished(workers);
}

void workers_run(struct workers *workers, void (*run)(const void *args, uint32_t part),
                 const void *args, uint32_t part_count)
{
    const uint32_t saved = float_mode_enter();
    if (workers && workers->helper_count > 0 && part_count > 1) {
        share_out(workers, run, args, part_count);
    } else {
        for (uint32_t part = 0; part < part_count; part++) {
            run(args, part);
        }
    }
    float_mode_leave(saved);
}
