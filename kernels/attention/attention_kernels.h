/* attention_kernels.h - the launches that make up attention_gpu_launch(). The arguments are checked
 * by then. */
#pragma once
#include "kernels/attention/attention.h"

#ifdef __cplusplus
extern "C" {
#endif

MUST_CHECK enum status attention_decode_launch(const struct attention_gpu_args *args,
                                               struct gpu_stream *stream);
MUST_CHECK enum status attention_prefill_launch(const struct attention_gpu_args *args,
                                                struct gpu_stream *stream);

/* Prompts by wgmma: sm_90, head_dim 128, kv_dtype T. */
bool attention_prefill_has_wgmma(const struct attention_gpu_shape *shape);
MUST_CHECK enum status attention_prefill_wgmma_launch(const struct attention_gpu_args *args,
                                                      struct gpu_stream *stream);

#ifdef __cplusplus
}
#endif
