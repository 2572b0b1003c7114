#include "kernels/measure.h"

#include <stddef.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "kernels/lanes/lane_kernels.h"

enum {
    BUFFER_BYTES = 512 << 20, /* the largest third-level caches of one socket are 384 MiB */
    PART_BYTES = 1 << 20,
    REPEATS = 12,
    FMA_ROUNDS = 2000000,
    WORKERS_MAX = 1024,
};

struct reading {
    const struct lane_kernels *kernels;
    float *buffer, *results; /* results: one a part, so that no read is left out */
};

static void read_part(const void *argument, uint32_t part)
{
    const struct reading *reading = argument;
    const size_t count = PART_BYTES / sizeof(float);
    reading->results[part] = reading->kernels->measure_read(reading->buffer + part * count, count);
}

/* A zero page that was never written would be one page in cache, however large the buffer. */
static void touch_part(const void *argument, uint32_t part)
{
    const struct reading *reading = argument;
    const size_t count = PART_BYTES / sizeof(float);
    for (size_t i = 0; i < count; i++) {
        reading->buffer[part * count + i] = 1.0F;
    }
}

static enum status measure_reading(struct workers *workers, double *bytes_per_second)
{
    void *memory =
        mmap(NULL, BUFFER_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return STATUS_IO;
    }
    (void)madvise(memory, BUFFER_BYTES, MADV_HUGEPAGE);
    float results[BUFFER_BYTES / PART_BYTES];
    const struct reading reading = {lane_kernels(), memory, results};
    workers_run(workers, touch_part, &reading, BUFFER_BYTES / PART_BYTES);
    *bytes_per_second = 0;
    for (int i = 0; i < REPEATS; i++) {
        const uint64_t start_ns = clock_monotonic_ns();
        workers_run(workers, read_part, &reading, BUFFER_BYTES / PART_BYTES);
        const double seconds = (double)(clock_monotonic_ns() - start_ns) * 1e-9;
        if (BUFFER_BYTES / seconds > *bytes_per_second) {
            *bytes_per_second = BUFFER_BYTES / seconds;
        }
    }
    munmap(memory, BUFFER_BYTES);
    return STATUS_OK;
}

struct computing {
    const struct lane_kernels *kernels;
    uint64_t *fma_counts;
};

static void compute_part(const void *argument, uint32_t part)
{
    const struct computing *computing = argument;
    float unused[16];
    computing->fma_counts[part] = computing->kernels->measure_fma(FMA_ROUNDS, unused);
}

static double measure_computing(struct workers *workers)
{
    uint64_t fma_counts[WORKERS_MAX];
    const struct computing computing = {lane_kernels(), fma_counts};
    const uint32_t all = workers_count(workers);
    const uint32_t parts = all < WORKERS_MAX ? all : WORKERS_MAX;
    double best = 0;
    for (int i = 0; i < REPEATS; i++) {
        const uint64_t start_ns = clock_monotonic_ns();
        workers_run(workers, compute_part, &computing, parts);
        const double seconds = (double)(clock_monotonic_ns() - start_ns) * 1e-9;
        const double operations = 2.0 * (double)fma_counts[0] * parts;
        best = operations / seconds > best ? operations / seconds : best;
    }
    return best;
}

enum status measure_ceilings(struct workers *workers, struct measure_ceilings *out)
{
    out->fp32_operations_per_second = measure_computing(workers);
    return measure_reading(workers, &out->read_bytes_per_second);
}
