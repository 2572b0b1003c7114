/* rope_kv.h - rotates q and k by their positions (rotary embedding, Su et al. 2021, the half-split
 * form of Hugging Face: x[i] pairs with x[i + head_dim / 2]) and writes k and v to their pages.
 * With QK-norm (q_norm, k_norm set) each head of q and k goes through rms_norm.h first.
 *
 * Layout   q [row, head_count * head_dim] in place; k, v [row, kv_head_count * head_dim];
 *          cos_sin [position][head_dim / 2][2], which carries every scaling; pages as attention.h.
 */
#pragma once
#include <stdint.h>

#include "base/status.h"
#include "kernels/attention/attention.h"
#include "kernels/dtype.h"
#include "kernels/gpu/gpu_batch.h"
#include "kernels/workers.h"

#ifdef __cplusplus
extern "C" {
#endif

struct rope_kv_args {
    float *q, *k;
    const float *v;
    float *k_pages, *v_pages;
    const float *cos_sin;                       /* [position_count, head_dim / 2, 2] */
    const struct attention_sequence *sequences; /* as attention.h; rows say where to write */
    uint32_t sequence_count;
    uint32_t head_count, kv_head_count, head_dim, page_tokens;
    const float *q_norm, *k_norm; /* [head_dim], both or neither */
    float norm_eps;
};

void rope_kv_reference(const struct rope_kv_args *args);
void rope_kv_cpu(const struct rope_kv_args *args, struct workers *workers);

/* ---- on a GPU ---------------------------------------------------------------------------------
 * q, k and v of a row are one row of the qkv matmul: q heads, k heads, v heads. q is rotated in
 * place; rotated k goes to its page only. Rows from counts->row_count on are left alone.
 * Numerics fp32 until stored; QK-norm sums over a warp in one fixed order. Pages hold
 * value / scale, rounded once, in E4M3 saturating at 448. Pointers 16-byte aligned. */

struct gpu_stream;

struct rope_kv_gpu_args {
    void *qkv; /* T [row, qkv_stride] */
    struct gpu_batch batch;
    const float *cos_sin;         /* [position, head_dim / 2, 2] */
    const float *q_norm, *k_norm; /* [head_dim], both or neither */
    void *k_pages, *v_pages;      /* this layer's pools: kv_dtype, layout as attention.h */
    uint32_t row_count;           /* bound of the launch; 0 is a no-op */
    uint32_t qkv_stride;          /* elements, a multiple of 8 */
    uint32_t head_count, kv_head_count;
    uint32_t head_dim; /* a multiple of 4, at most ATTENTION_HEAD_DIM_MAX */
    uint32_t page_tokens;
    enum dtype dtype;       /* T: BF16 or F16 */
    enum dtype kv_dtype;    /* T or E4M3 */
    float k_scale, v_scale; /* 1 unless kv_dtype is E4M3 */
    float norm_eps;
};

/* STATUS_UNSUPPORTED: the dtypes or head_dim. STATUS_DEVICE: not launched. */
MUST_CHECK enum status rope_kv_gpu_launch(const struct rope_kv_gpu_args *args,
                                          struct gpu_stream *stream);

#ifdef __cplusplus
}
#endif
