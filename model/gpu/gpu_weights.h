/* gpu_weights.h - a model's weights on the device: one allocation. Matrices are shuffled into the
 * tiles that our matmul reads (q,k,v joined, gate and up paired), or lie as the checkpoint has them
 * for cuBLASLt; norms and biases are fp32. Owner: the caller of load; the device outlives them. */
#pragma once
#include "kernels/gpu/gpu.h"
#include "kernels/matmul/matmul.h"
#include "model/model_config.h"
#include "model/weights.h"

/* out = x * weight^T + bias. */
struct gpu_linear {
    struct matmul_gpu_weight weight; /* tiles NULL where plain is set */
    const void *plain;               /* T [out_count, in_count]; gate's rows, then up's */
    const float *bias;               /* NULL: none */
};

struct gpu_weights_layer {
    const float *attention_norm, *ffn_norm;
    struct gpu_linear qkv, o, gate_up, down;
    float k_scale, v_scale; /* of E4M3 pages */
};

struct gpu_weights {
    struct gpu *gpu;
    void *memory;
    size_t bytes;
    enum dtype dtype;           /* T: BF16 or F16 */
    enum dtype embedding_dtype; /* plain */
    const void *embedding;      /* [vocabulary, hidden] */
    const float *final_norm;
    struct gpu_linear lm_head;
    struct gpu_weights_layer *layers; /* [layer_count] */
};

/* Streams the mapped files through two pinned buffers; progress goes to the log. is_plain: for
 * cuBLASLt. STATUS_UNSUPPORTED: a mix of dtypes, named. STATUS_FULL: bytes are missing.
 * STATUS_IO: no host memory. STATUS_DEVICE. */
MUST_CHECK enum status gpu_weights_load(struct gpu *gpu, const struct model_config *config,
                                        const struct weights *weights, bool is_plain,
                                        struct gpu_weights **out, struct failure *failure);
void gpu_weights_free(struct gpu_weights *weights); /* NULL is fine */
