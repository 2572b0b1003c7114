/* bench_matmul.c - the matmuls of a Llama-3.2-1B shape one by one, beside the ceilings that the
 * same process measures between them: bytes of weights a second, operations a second, and the
 * fraction of each. Usage: bench_matmul [avx2|portable] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "kernels/cpu_features.h"
#include "kernels/matmul/matmul.h"
#include "kernels/measure.h"

enum { ROWS_MAX = 512, IN_MAX = 8192, WEIGHT_BYTES = 1 << 30, REPEATS_MAX = 40 };

static const struct {
    uint32_t out_count, in_count;
} shapes[] = {{2048, 2048}, {512, 2048}, {8192, 2048}, {2048, 8192}, {128256, 2048}};

static const uint32_t row_counts[] = {1, 2, 4, 8, 32, 512};

static void *memory_of(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        fprintf(stderr, "bench_matmul: no memory for %zu bytes\n", bytes);
        exit(1);
    }
    (void)madvise(memory, bytes, MADV_HUGEPAGE);
    memset(memory, 0x3c, bytes);
    return memory;
}

/* Best seconds of several runs; every run takes other weights, so that none is in a cache. */
static double best_seconds(struct matmul_args *args, const unsigned char *weights,
                           struct workers *workers)
{
    const size_t bytes = (size_t)args->parts[0].out_count * args->in_count * 2;
    const double operations = 2.0 * args->row_count * (double)bytes / 2;
    const int repeats = operations > 1e11 ? 2 : operations > 1e10 ? 5 : REPEATS_MAX;
    double best = 1e9;
    size_t offset = 0;
    for (int i = 0; i < repeats; i++) {
        offset = offset + bytes > WEIGHT_BYTES ? 0 : offset;
        args->parts[0].weight = weights + offset;
        offset += bytes;
        const uint64_t start_ns = clock_monotonic_ns();
        matmul_cpu(args, workers);
        const double seconds = (double)(clock_monotonic_ns() - start_ns) * 1e-9;
        best = seconds < best ? seconds : best;
    }
    return best;
}

int main(int argument_count, char **arguments)
{
    if (argument_count > 1) {
        cpu_features_limit(strcmp(arguments[1], "avx2") == 0 ? CPU_LEVEL_AVX2 : CPU_LEVEL_PORTABLE);
    }
    struct workers *workers = NULL;
    struct measure_ceilings ceilings;
    if (workers_create(0, &workers) != STATUS_OK) {
        return 1;
    }
    const unsigned char *weights = memory_of(WEIGHT_BYTES);
    float *x = memory_of((size_t)ROWS_MAX * IN_MAX * sizeof *x);
    float *out = memory_of((size_t)ROWS_MAX * 8192 * sizeof *out);
    printf("%s, %u workers\n", cpu_features_name(cpu_features_level()), workers_count(workers));
    printf("   out    in rows     GB/s  of read   GFLOP/s  of peak\n");
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        if (measure_ceilings(workers, &ceilings) != STATUS_OK) {
            return 1;
        }
        printf("read %.1f GB/s, peak %.0f GFLOP/s\n", ceilings.read_bytes_per_second * 1e-9,
               ceilings.fp32_operations_per_second * 1e-9);
        for (size_t i = 0; i < sizeof row_counts / sizeof row_counts[0]; i++) {
            const uint32_t out_count = shapes[s].out_count, rows = row_counts[i];
            if (out_count > 8192 && rows > 32) {
                continue; /* logits are made for few rows only */
            }
            struct matmul_args args = {
                .x = x,
                .parts = {{.out = out, .out_count = out_count, .out_stride = out_count}},
                .part_count = 1,
                .row_count = rows,
                .in_count = shapes[s].in_count,
                .x_stride = shapes[s].in_count,
                .dtype = DTYPE_BF16,
            };
            const double seconds = best_seconds(&args, weights, workers);
            const double elements = (double)out_count * shapes[s].in_count;
            printf("%6u %5u %4u %8.1f %7.1f%% %9.1f %7.1f%%\n", out_count, shapes[s].in_count, rows,
                   2 * elements / seconds * 1e-9,
                   100 * 2 * elements / seconds / ceilings.read_bytes_per_second,
                   2 * elements * rows / seconds * 1e-9,
                   100 * 2 * elements * rows / seconds / ceilings.fp32_operations_per_second);
        }
    }
    workers_destroy(workers);
    return 0;
}
