#include "kernels/backend.h"

#include "kernels/float_mode.h"

/* A reference on the caller's thread, in the same float mode as the fast path. */
#define REFERENCE(op)                                                                 \
    static void reference_##op(const struct op##_args *args, struct workers *workers) \
    {                                                                                 \
        (void)workers;                                                                \
        const uint32_t saved = float_mode_enter();                                    \
        op##_reference(args);                                                         \
        float_mode_leave(saved);                                                      \
    }

REFERENCE(embedding)
REFERENCE(rms_norm)
REFERENCE(matmul)
REFERENCE(rope_kv)
REFERENCE(attention)
REFERENCE(swiglu)
REFERENCE(sample)

const struct backend backend_reference = {
    .name = "reference",
    .embedding = reference_embedding,
    .rms_norm = reference_rms_norm,
    .matmul = reference_matmul,
    .rope_kv = reference_rope_kv,
    .attention = reference_attention,
    .swiglu = reference_swiglu,
    .sample = reference_sample,
};

const struct backend backend_cpu = {
    .name = "cpu",
    .embedding = embedding_cpu,
    .rms_norm = rms_norm_cpu,
    .matmul = matmul_cpu,
    .rope_kv = rope_kv_cpu,
    .attention = attention_cpu,
    .swiglu = swiglu_cpu,
    .sample = sample_cpu,
};
