/* matmul.h - out[r][n] = (adds_to_out ? out[r][n] : 0) + sum over k of x[r][k] * weight[n][k] +
 * bias[n] for up to MATMUL_PARTS_MAX weights that share x (q,k,v; gate,up).
 *
 * Layout   row-major; weight as Hugging Face stores it, [out, in]; rows of x and out have strides.
 * Numerics every output element is summed in one order that k alone fixes: 16 partial sums, lane
 *          k mod 16, each a chain of fused multiply-adds in rising k; lanes folded 8+8, 4+4, 2+2,
 *          1+1; then bias, then out. All CPU paths give the same bits, whatever row_count is.
 * Threads  splits output features over the workers; returns when done. Never allocates. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "kernels/dtype.h"
#include "kernels/workers.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { MATMUL_PARTS_MAX = 3 };

struct matmul_part {
    const void *weight; /* [out_count, in_count], of args.dtype; 2-byte aligned is enough */
    const float *bias;  /* [out_count] or NULL */
    float *out;         /* [row_count, out_stride] */
    uint32_t out_count, out_stride;
};

struct matmul_args {
    const float *x; /* [row_count, x_stride] */
    struct matmul_part parts[MATMUL_PARTS_MAX];
    uint32_t part_count;
    uint32_t row_count; /* 0 is a no-op */
    uint32_t in_count, x_stride;
    enum dtype dtype; /* plain */
    bool adds_to_out; /* the residual stream: out += ... */
};

void matmul_reference(const struct matmul_args *args);
void matmul_cpu(const struct matmul_args *args, struct workers *workers);

/* ---- on a GPU: one weight, q,k,v and gate,up having been joined when they were loaded
 * ------------
 *
 * Numerics products of T (exact in fp32) summed in fp32 by the tensor cores, 16 k at a time. K is
 * cut into segments (matmul_plan.h) that out_count and in_count alone fix; a segment is a chain of
 * k16 steps from zero in rising k; segment sums are added in rising order. With block scales each
 * 128 k are such a chain b, and a segment is fmaf(b, scale, segment) in rising k, from zero. Then
 * fmaf(sum, scale of the out feature, bias), or sum + bias; then the epilogue. So an element has
 * the same bits whatever the rows, their number, the kernel. Rows     are independent: what stands
 * in one (NaN too) never reaches another. */

struct gpu_info;
struct gpu_stream;

/* Out features in tiles of 16, padded with zeros to 64; k to 64: matmul_plan.h has the layout. */
struct matmul_gpu_weight {
    void *tiles;          /* matmul_gpu_weight_bytes(), 256-byte aligned */
    float *scales;        /* E4M3: matmul_gpu_scale_bytes(); else NULL */
    uint32_t out_count;   /* paired: gate and up features together */
    uint32_t in_count;    /* any, from 1 */
    enum dtype dtype;     /* BF16, F16 (as T), or E4M3 (T is BF16) */
    uint32_t scale_block; /* E4M3: 0, a scale for each out feature; 128, for each 128 x 128 block */
    bool is_paired;       /* gate and up of a feature are rows r and r + 8 of one tile */
};

size_t matmul_gpu_weight_bytes(const struct matmul_gpu_weight *weight);
size_t matmul_gpu_scale_bytes(const struct matmul_gpu_weight *weight); /* 0: none */

/* One part of a weight (all of it, q of q,k,v, gate of gate,up) from plain memory on the device. */
struct matmul_gpu_shuffle_args {
    const void *source;      /* [out_count, in_count] of source_dtype, 16-byte aligned */
    const float *scales;     /* E4M3: [scale_count] on the device */
    uint32_t scale_count;    /* 1; out_count; or, with blocks, their number, rows of blocks first */
    uint32_t out_first;      /* where the part begins; paired: 0 for gate, 1 for up */
    uint32_t out_count;      /* of this part; paired: half the weight's. Blocks: all but the last
                                part's are multiples of 8 */
    enum dtype source_dtype; /* as the weight's, or F32: rounded to nearest even */
    struct matmul_gpu_weight weight;
};

/* The parts together write every byte of tiles and scales. STATUS_UNSUPPORTED: dtypes or scales. */
MUST_CHECK enum status matmul_gpu_shuffle_launch(const struct matmul_gpu_shuffle_args *args,
                                                 struct gpu_stream *stream);

enum matmul_epilogue {
    MATMUL_STORE,     /* out T */
    MATMUL_STORE_F32, /* out float */
    MATMUL_ADD_F32,   /* out float, the residual stream: out += result */
    MATMUL_SWIGLU,    /* out T [row, out_count / 2]: silu(gate) * up; the weight is paired */
    MATMUL_GEGLU,     /* the same with gelu by tanh */
};

enum matmul_kernel { MATMUL_AUTO, MATMUL_MMA, MATMUL_WGMMA }; /* WGMMA: sm_90 only */

struct matmul_gpu_args {
    struct matmul_gpu_weight weight;
    const void *x; /* T [row, x_stride], 16-byte aligned; columns from in_count on hold anything */
    const float *bias; /* [out_count] as the parts' out features follow each other, or NULL */
    void *out;         /* [row, out_stride] */
    void *workspace;   /* matmul_gpu_workspace_bytes(), zeroed once when taken; one at a time */
    const struct gpu_info *gpu;
    uint32_t row_count;            /* 0 is a no-op; rows beyond a batch's hold garbage */
    uint32_t x_stride, out_stride; /* elements; x_stride a multiple of 8 */
    enum dtype dtype;              /* T of x and out: BF16 or F16 */
    enum matmul_epilogue epilogue;
    enum matmul_kernel kernel; /* AUTO, but for tests and benchmarks */
};

size_t matmul_gpu_workspace_bytes(void); /* enough for every shape */

/* STATUS_INVALID: strides, alignment or epilogue. STATUS_UNSUPPORTED: dtypes, or the kernel on that
 * device. STATUS_DEVICE: not launched. */
MUST_CHECK enum status matmul_gpu_launch(const struct matmul_gpu_args *args,
                                         struct gpu_stream *stream);

#ifdef __cplusplus
}
#endif
