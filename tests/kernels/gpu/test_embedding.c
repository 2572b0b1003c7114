/* Method: every dtype over odd and large dims against the table itself, exactly; ids that the host
 * knows and ids that only the device knows; rows beyond the count stay as they were. */
#include <stdlib.h>
#include <string.h>

#include "kernels/embedding/embedding.h"
#include "tests/check.h"
#include "tests/kernels/gpu/support_device.h"

enum { VOCABULARY = 13, ROWS_MAX = 7, SAMPLED = 3 };

static const uint32_t dims[] = {1, 8, 20, 172, 4096, 16384};
static const struct {
    uint32_t real, bound;
} sizes[] = {{0, 0}, {0, 4}, {1, 1}, {5, 7}};

static const uint32_t sampled[SAMPLED] = {VOCABULARY - 1, 4, 0};
static const uint32_t ids[ROWS_MAX] = {
    VOCABULARY - 1, EMBEDDING_SAMPLED | 2, 0, EMBEDDING_SAMPLED, 7, UINT32_MAX, 0x7fffffff};

static uint32_t known_id(uint32_t row)
{
    return ids[row] & EMBEDDING_SAMPLED ? sampled[ids[row] & ~EMBEDDING_SAMPLED] : ids[row];
}

static void run_case(struct gpu *gpu, enum dtype dtype, uint32_t dim, size_t size)
{
    struct random_source random = {dim};
    float *table = support_device_floats(&random, (size_t)VOCABULARY * dim, 1.0F, dtype);
    void *narrow = support_device_narrow(table, (size_t)VOCABULARY * dim, dtype);
    const struct gpu_counts counts = {.row_count = sizes[size].real};
    const size_t row_bytes = dim * sizeof(float);
    const struct embedding_gpu_args args = {
        .table = support_device_take(gpu, narrow, (size_t)VOCABULARY * dim * dtype_bytes(dtype)),
        .dtype = dtype,
        .batch = {.counts = support_device_take(gpu, &counts, sizeof counts),
                  .ids = support_device_take(gpu, ids, sizeof ids)},
        .sampled = support_device_take(gpu, sampled, sizeof sampled),
        .x = support_device_take(gpu, NULL, ROWS_MAX * row_bytes),
        .row_count = sizes[size].bound,
        .dim = dim};
    support_device_must(gpu, embedding_gpu_launch(&args, gpu_stream_of(gpu)), "launch");
    float *x = support_device_read(gpu, args.x, ROWS_MAX * row_bytes);
    for (uint32_t r = 0; r < sizes[size].real; r++) {
        CHECK(memcmp(x + (size_t)r * dim, table + (size_t)known_id(r) * dim, row_bytes) == 0,
              "dtype %d dim %u: row %u of %u", (int)dtype, dim, r, sizes[size].real);
    }
    CHECK(support_device_is_poison(x + (size_t)sizes[size].real * dim,
                                   (ROWS_MAX - sizes[size].real) * row_bytes),
          "dtype %d dim %u: beyond %u rows", (int)dtype, dim, sizes[size].real);
    support_device_release(gpu);
    free(table);
    free(narrow);
    free(x);
}

static void test(struct gpu *gpu)
{
    for (size_t i = 0; i < sizeof dims / sizeof dims[0]; i++) {
        for (size_t size = 0; size < sizeof sizes / sizeof sizes[0]; size++) {
            for (uint32_t dtype = 0; dtype < DTYPE_PLAIN_COUNT; dtype++) {
                run_case(gpu, (enum dtype)dtype, dims[i], size);
            }
        }
    }
    const struct embedding_gpu_args e4m3 = {.dtype = DTYPE_E4M3, .row_count = 1, .dim = 8};
    CHECK(embedding_gpu_launch(&e4m3, gpu_stream_of(gpu)) == STATUS_UNSUPPORTED, "e4m3");
}

int main(void)
{
    support_device_on_each(test);
    return check_failures > 0;
}
