/* gpu_engine.h - runs a model as an `engine` (scheduler/engine.h) on a GPU, or on kernels that the
 * CPU interprets (WARD_GPU=host). Owns the device it opens, the weights on it, the KV pages and the
 * workspace: one allocation each, all taken at create. Two plans may be in flight. One thread calls
 * the engine. A device that fails is lost for good: destroy, then create. */
#pragma once
#include "kernels/gpu/gpu.h"
#include "model/model.h"
#include "model/model_engine.h"

struct gpu_engine;

enum gpu_engine_kv { GPU_ENGINE_KV_AUTO, GPU_ENGINE_KV_BF16, GPU_ENGINE_KV_FP8 };

struct gpu_engine_config {
    uint32_t gpu_index;
    uint32_t page_tokens;        /* multiple of ATTENTION_TILE_TOKENS */
    double memory_fraction;      /* of the device's memory that may be in use with the KV pages */
    uint64_t kv_bytes;           /* of KV pages; 0: what memory_fraction leaves */
    uint32_t context_tokens_max; /* 0: max_position_embeddings, or what the KV pages hold if less */
    uint32_t step_tokens_max, step_sequences_max;
    enum gpu_engine_kv kv_dtype; /* AUTO, BF16: as the activations are, bf16 or f16 */
    bool uses_library;           /* cuBLASLt: faster here and there, rows depend on batch mates */
    bool uses_graphs;            /* else every step is launched kernel by kernel, for tests */
};

/* STATUS_INVALID: a limit out of range, named. STATUS_NOT_FOUND: no such device.
 * STATUS_UNSUPPORTED: the model, by name, or the library. STATUS_FULL: which memory, how many bytes
 * are missing and what to lower. The model must outlive the engine. */
MUST_CHECK enum status gpu_engine_create(const struct model *model,
                                         const struct gpu_engine_config *config,
                                         struct gpu_engine **out, struct failure *failure);
void gpu_engine_destroy(struct gpu_engine *engine); /* NULL is fine; also a lost one */

struct engine gpu_engine_interface(struct gpu_engine *engine);

struct gpu *gpu_engine_device(struct gpu_engine *engine);

/* Bytes of KV that one page takes in all layers; the model's weights say what T is. */
uint64_t gpu_engine_page_bytes(const struct model *model, uint32_t page_tokens,
                               enum gpu_engine_kv kv_dtype);

/* As model_engine.h's, one plan in flight at a time while they are kept. STATUS_FULL, STATUS_IO: no
 * memory. */
MUST_CHECK enum status gpu_engine_keep_logits(struct gpu_engine *engine,
                                              enum model_engine_logits which);
const float *gpu_engine_logits(const struct gpu_engine *engine);
