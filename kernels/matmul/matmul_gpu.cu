// matmul_gpu.cu - which kernel multiplies, and what may be asked of it. Host code only.
#include "base/assert.h"
#include "kernels/matmul/matmul_kernels.cuh"
#include "kernels/matmul/matmul_mma_plan.h"

size_t matmul_gpu_weight_bytes(const struct matmul_gpu_weight *weight)
{
    return (size_t)matmul_padded_rows(weight) * matmul_chunks(weight) * MATMUL_CHUNK
           * dtype_bytes(weight->dtype);
}

size_t matmul_gpu_scale_bytes(const struct matmul_gpu_weight *weight)
{
    const size_t rows = matmul_padded_rows(weight);
    if (weight->dtype != DTYPE_E4M3) {
        return 0;
    }
    return (weight->scale_block ? rows / 8 * matmul_runs(weight) : rows) * sizeof(float);
}

size_t matmul_gpu_workspace_bytes(void)
{
    return matmul_mma_workspace_bytes();
}

static bool has_dtypes(const struct matmul_gpu_args *args)
{
    const enum dtype weight = args->weight.dtype;
    if (weight == DTYPE_E4M3) {
        return args->dtype == DTYPE_BF16
               && (args->weight.scale_block == 0 || args->weight.scale_block == MATMUL_RUN);
    }
    return weight == args->dtype && (weight == DTYPE_BF16 || weight == DTYPE_F16);
}

static bool is_valid(const struct matmul_gpu_args *args)
{
    const struct matmul_gpu_weight *weight = &args->weight;
    const bool is_gated = args->epilogue == MATMUL_SWIGLU || args->epilogue == MATMUL_GEGLU;
    const bool is_f32 = args->epilogue == MATMUL_STORE_F32 || args->epilogue == MATMUL_ADD_F32;
    const uint32_t columns = weight->is_paired ? weight->out_count / 2 : weight->out_count;
    return weight->out_count > 0 && weight->in_count > 0 && weight->is_paired == is_gated
           && (!is_gated || weight->out_count % 2 == 0) && args->x_stride % 8 == 0
           && args->x_stride >= weight->in_count && args->out_stride >= columns
           && (is_f32 || args->out_stride % 8 == 0) && (uintptr_t)args->x % 16 == 0
           && (uintptr_t)args->out % 16 == 0 && (weight->dtype != DTYPE_E4M3 || weight->scales);
}

extern "C" enum status matmul_gpu_launch(const struct matmul_gpu_args *args,
                                         struct gpu_stream *stream)
{
    if (!has_dtypes(args)) {
        return STATUS_UNSUPPORTED;
    }
    if (!is_valid(args)) {
        return STATUS_INVALID;
    }
    if (args->row_count == 0) {
        return STATUS_OK;
    }
    const bool is_many = args->row_count >= MATMUL_WGMMA_ROWS_MIN && args->gpu->compute_major == 9;
    if (args->kernel == MATMUL_WGMMA || (args->kernel == MATMUL_AUTO && is_many)) {
        return matmul_wgmma_launch(args, stream);
    }
    return matmul_mma_launch(args, stream);
}
