/* backend.h - the ops of one device as a table, so that the forward pass is written once. Every
 * entry has the shape of its op's header; queue is the CPU's workers (later: a GPU stream). */
#pragma once
#include "kernels/attention/attention.h"
#include "kernels/embedding/embedding.h"
#include "kernels/matmul/matmul.h"
#include "kernels/rms_norm/rms_norm.h"
#include "kernels/rope_kv/rope_kv.h"
#include "kernels/sample/sample.h"
#include "kernels/swiglu/swiglu.h"

struct backend {
    const char *name; /* "cpu", "reference" */
    void (*embedding)(const struct embedding_args *args, struct workers *workers);
    void (*rms_norm)(const struct rms_norm_args *args, struct workers *workers);
    void (*matmul)(const struct matmul_args *args, struct workers *workers);
    void (*rope_kv)(const struct rope_kv_args *args, struct workers *workers);
    void (*attention)(const struct attention_args *args, struct workers *workers);
    void (*swiglu)(const struct swiglu_args *args, struct workers *workers);
    void (*sample)(const struct sample_args *args, struct workers *workers);
};

extern const struct backend backend_cpu;
extern const struct backend backend_reference; /* the plain oracles, for tests */
