/* engine_choice.h - which engine runs a model: the CPU's, or a GPU's where this build has kernels
 * for one. engine_choice.c is the one file that depends on how Ward was built. Owner: the caller of
 * create; the model outlives it. One thread at a time, but for engine_choice_rebuild(), which the
 * engine thread calls. */
#pragma once
#include "model/model.h"
#include "model/model_engine.h"
#include "server/engine/engine_loop.h"

struct engine_choice;

struct engine_choice_config {
    const char *device;   /* "auto", "cpu", "cuda" */
    uint32_t page_tokens; /* as model_engine_config's, as those below */
    uint32_t context_tokens_max;
    uint32_t step_tokens_max; /* 0: 512 on the CPU, 4096 on a GPU */
    uint32_t step_sequences_max;
    uint32_t worker_count; /* of the CPU engine */
    uint32_t page_count;   /* so many KV pages; 0: by kv_bytes or memory_fraction */
    uint64_t kv_bytes;     /* of the CPU engine */
    uint32_t gpu_index;
    double memory_fraction; /* of the GPU */
    const char *kv_dtype;   /* "auto", "bf16", "fp8"; NULL: auto */
    const char *matmul;     /* "invariant", "fastest"; NULL: invariant */
};

/* With "auto" a GPU that does not answer, is too old or has no kernel for the model leads to the
 * CPU, with a line in the log that says why; with "cuda" to STATUS_UNSUPPORTED or STATUS_NOT_FOUND.
 * What else goes wrong is a failure either way. STATUS_INVALID: a name that is not known. */
MUST_CHECK enum status engine_choice_create(const struct model *model,
                                            const struct engine_choice_config *config,
                                            struct engine_choice **out, struct failure *failure);
void engine_choice_destroy(struct engine_choice *choice); /* NULL is fine */

struct engine engine_choice_interface(struct engine_choice *choice);
const char *engine_choice_device(const struct engine_choice *choice); /* "cpu" or "cuda" */

/* How a lost engine is replaced: only a GPU's can be. Lives as long as choice. */
struct engine_rebuild engine_choice_rebuild(struct engine_choice *choice);

/* As model_engine.h's. */
MUST_CHECK enum status engine_choice_keep_logits(struct engine_choice *choice,
                                                 enum model_engine_logits which);
const float *engine_choice_logits(const struct engine_choice *choice);

/* Bytes of KV that a token takes in all layers, on the device that was chosen. */
uint64_t engine_choice_token_bytes(const struct engine_choice *choice);

bool engine_choice_knows_device(const char *device); /* "auto", "cpu" or "cuda" */

/* One line about that GPU, or why there is none; true: it can be used. */
bool engine_choice_describe_gpu(uint32_t gpu_index, char *out, size_t out_bytes);

/* Bytes that the GPU reads and writes a second when it copies; 0 on the CPU. Nothing may run. */
double engine_choice_copy_speed(struct engine_choice *choice);
