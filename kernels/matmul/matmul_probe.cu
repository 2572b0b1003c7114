// matmul_probe.cu - matmul_gpu_choose(): the same product by both kernels, compared bit for bit.
// Host code only. Numbers of both signs whose sizes differ by up to 2^16 make a tensor core that
// aligns or cuts its products differently show in nearly every sum.
#include <string.h>

#include "base/random.h"
#include "kernels/matmul/matmul_probe.h"

enum { OUTS = 128, INS = 512, ROWS = 40, WIDEST = 16 };

struct probe { // one block each of host and device memory, cut by offsets
    struct gpu *gpu;
    struct gpu_info info;
    unsigned char *host, *device;
    struct matmul_gpu_weight weight;
};

static const size_t SOURCE = 0, X = SOURCE + OUTS * INS * 2, TILES = X + ROWS * INS * 2,
                    OUT = TILES + OUTS * INS * 2, OUT_BYTES = ROWS * OUTS * sizeof(float),
                    WORKSPACE = OUT + 2 * OUT_BYTES;

// A random sign and fraction, an exponent below that of 1, in bf16 or f16.
static uint16_t random_number(struct random_source *random, enum dtype dtype)
{
    const uint32_t fraction_bits = dtype == DTYPE_F16 ? 10 : 7;
    const uint32_t one = dtype == DTYPE_F16 ? 15 : 127, widest = dtype == DTYPE_F16 ? 8 : WIDEST;
    const uint32_t exponent = one - random_below(random, widest);
    return (uint16_t)(random_below(random, 2) << 15 | exponent << fraction_bits
                      | random_below(random, 1U << fraction_bits));
}

static enum status multiply(const struct probe *probe, enum matmul_kernel kernel, uint32_t index)
{
    struct matmul_gpu_args args = {};
    args.weight = probe->weight;
    args.x = probe->device + X;
    args.out = probe->device + OUT + index * OUT_BYTES;
    args.workspace = probe->device + WORKSPACE;
    args.gpu = &probe->info;
    args.row_count = ROWS;
    args.x_stride = INS;
    args.out_stride = OUTS;
    args.dtype = probe->weight.dtype;
    args.epilogue = MATMUL_STORE_F32;
    args.kernel = kernel;
    const enum status status = matmul_gpu_launch(&args, gpu_stream_of(probe->gpu));
    return status != STATUS_OK
               ? status
               : gpu_download_async(probe->gpu, probe->host + OUT + index * OUT_BYTES,
                                    static_cast<unsigned char *>(args.out), OUT_BYTES);
}

static enum status compare(struct probe *probe, enum dtype dtype, bool *agree)
{
    struct random_source random = {(uint64_t)dtype};
    for (size_t at = 0; at < TILES; at += 2) {
        const uint16_t number = random_number(&random, dtype);
        memcpy(probe->host + at, &number, sizeof number);
    }
    probe->weight = {probe->device + TILES, NULL, OUTS, INS, dtype, 0, false};
    struct matmul_gpu_shuffle_args shuffle = {};
    shuffle.source = probe->device + SOURCE;
    shuffle.out_count = OUTS;
    shuffle.source_dtype = dtype;
    shuffle.weight = probe->weight;
    enum status status = gpu_upload_async(probe->gpu, probe->device, probe->host, TILES);
    if (status == STATUS_OK) {
        status = matmul_gpu_shuffle_launch(&shuffle, gpu_stream_of(probe->gpu));
    }
    if (status == STATUS_OK) {
        status =
            gpu_fill_async(probe->gpu, probe->device + WORKSPACE, 0, matmul_gpu_workspace_bytes());
    }
    if (status == STATUS_OK) {
        status = multiply(probe, MATMUL_MMA, 0);
    }
    if (status == STATUS_OK) {
        status = multiply(probe, MATMUL_WGMMA, 1);
    }
    if (status == STATUS_OK) {
        status = gpu_wait(probe->gpu);
    }
    const unsigned char *out = probe->host + OUT;
    *agree = *agree && status == STATUS_OK && memcmp(out, out + OUT_BYTES, OUT_BYTES) == 0;
    return status;
}

extern "C" enum status matmul_gpu_choose(struct gpu *gpu, enum matmul_kernel *out,
                                         struct failure *failure)
{
    struct probe probe = {};
    probe.gpu = gpu;
    gpu_get_info(gpu, &probe.info);
    *out = MATMUL_AUTO;
    if (probe.info.compute_major != 9) {
        return STATUS_OK;
    }
    void *host = NULL, *device = NULL;
    bool agree = true;
    const size_t bytes = WORKSPACE + matmul_gpu_workspace_bytes();
    enum status status = gpu_pinned_take(gpu, WORKSPACE, &host, failure);
    if (status == STATUS_OK) {
        status = gpu_memory_take(gpu, bytes, &device, failure);
    }
    probe.host = static_cast<unsigned char *>(host);
    probe.device = static_cast<unsigned char *>(device);
    const enum dtype dtypes[] = {DTYPE_BF16, DTYPE_F16};
    for (const enum dtype dtype : dtypes) {
        if (status == STATUS_OK) {
            status = compare(&probe, dtype, &agree);
            if (status != STATUS_OK) {
                (void)fail(failure, status, "matmul probe: %s", gpu_failure_text(gpu));
            }
        }
    }
    *out = agree ? MATMUL_AUTO : MATMUL_MMA;
    gpu_memory_give_back(gpu, device);
    gpu_pinned_give_back(gpu, host);
    return status;
}
