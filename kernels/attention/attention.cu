// attention.cu - attention_gpu_launch(): decoding first, it has the shorter units; then prompts.
#include "kernels/attention/attention_kernels.h"

// ---- launcher -----------------------------------------------------------------------------------

extern "C" enum status attention_gpu_launch(const struct attention_gpu_args *args,
                                            struct gpu_stream *stream)
{
    enum status status = attention_gpu_check(&args->shape);
    if (status == STATUS_OK) {
        status = attention_decode_launch(args, stream);
    }
    if (status == STATUS_OK && args->has_prefill) {
        status = attention_prefill_has_wgmma(&args->shape)
                     ? attention_prefill_wgmma_launch(args, stream)
                     : attention_prefill_launch(args, stream);
    }
    return status;
}
