#include "model/gpu/gpu_engine_memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "kernels/matmul/matmul_probe.h"
#include "model/rope_table.h"

/* ---- limits ---------------------------------------------------------------------------------- */

static enum status check_limits(const struct model *model, const struct gpu_engine_config *config,
                                struct failure *failure)
{
    const struct engine_shape asked = {
        .page_tokens = config->page_tokens,
        .context_tokens_max = config->context_tokens_max,
        .step_tokens_max = config->step_tokens_max,
        .step_sequences_max = config->step_sequences_max,
    };
    const enum status status = model_engine_check_limits(&model->config, &asked, failure);
    if (status != STATUS_OK) {
        return status;
    }
    if (config->kv_bytes == 0
        && !(config->memory_fraction > 0.0 && config->memory_fraction <= 1.0)) {
        return fail(failure, STATUS_INVALID,
                    "gpu.memory_fraction is %.3f, must be above 0, at most 1",
                    config->memory_fraction);
    }
    return STATUS_OK;
}

/* ---- KV pages -------------------------------------------------------------------------------- */

static size_t pool_page_bytes(const struct model_config *config, uint32_t page_tokens,
                              enum dtype kv_dtype)
{
    return (size_t)model_config_kv_dim(config) * page_tokens * dtype_bytes(kv_dtype);
}

uint64_t gpu_engine_page_bytes(const struct model *model, uint32_t page_tokens,
                               enum gpu_engine_kv kv_dtype)
{
    const enum dtype dtype = kv_dtype == GPU_ENGINE_KV_FP8 ? DTYPE_E4M3 : DTYPE_BF16;
    return 2 * (uint64_t)model->config.layer_count
           * pool_page_bytes(&model->config, page_tokens, dtype);
}

/* Below 0: more is in use than memory_fraction allows, before there is a page. */
static int64_t kv_budget(const struct gpu_engine_config *config, const struct gpu_info *info)
{
    if (config->kv_bytes > 0) {
        return (int64_t)config->kv_bytes;
    }
    const double used = (double)(info->total_bytes - info->free_bytes);
    return (int64_t)(config->memory_fraction * (double)info->total_bytes - used);
}

/* How many pages there are and how long a sequence may become in them. */
static enum status choose_shape(struct gpu_engine_memory *memory, const struct model *model,
                                const struct gpu_engine_config *config, struct failure *failure)
{
    const uint64_t page_bytes = gpu_engine_page_bytes(model, config->page_tokens, config->kv_dtype);
    const int64_t budget = kv_budget(config, &memory->forward.info);
    const uint64_t kv_bytes = budget > 0 ? (uint64_t)budget : 0;
    const uint64_t page_count = kv_bytes / page_bytes;
    const uint64_t held_tokens = page_count * config->page_tokens;
    const bool is_chosen = config->context_tokens_max > 0;
    uint64_t context = memory->shape.context_tokens_max;
    if (!is_chosen && page_count > 0 && context > held_tokens) {
        context = held_tokens;
    }
    const uint64_t wanted_pages = (context + config->page_tokens - 1) / config->page_tokens;
    if (page_count < wanted_pages) {
        return fail(failure, STATUS_FULL,
                    "KV pages: %llu bytes are too few for one context of %llu tokens, %llu are "
                    "missing: raise gpu.memory_fraction or lower engine.context_tokens_max",
                    (unsigned long long)kv_bytes, (unsigned long long)context,
                    (unsigned long long)((int64_t)(wanted_pages * page_bytes) - budget));
    }
    memory->shape.page_count = page_count < UINT32_MAX ? (uint32_t)page_count : UINT32_MAX;
    memory->shape.context_tokens_max = (uint32_t)context;
    memory->kv_bytes = memory->shape.page_count * page_bytes;
    return STATUS_OK;
}

static enum status take_kv(struct gpu_engine_memory *memory, struct failure *failure)
{
    struct gpu_forward *forward = &memory->forward;
    const struct engine_shape *shape = &memory->shape;
    struct failure inner = {""};
    enum status status = gpu_memory_take(memory->gpu, memory->kv_bytes, &memory->kv, &inner);
    if (status != STATUS_OK) {
        return fail(failure, status, "KV pages of %llu bytes: %s; lower gpu.memory_fraction",
                    (unsigned long long)memory->kv_bytes, inner.text);
    }
    forward->kv = memory->kv;
    forward->page_bytes =
        pool_page_bytes(forward->config, shape->page_tokens, forward->attention.kv_dtype);
    forward->pool_bytes = shape->page_count * forward->page_bytes;
    status = gpu_fill_async(memory->gpu, memory->kv, 0, memory->kv_bytes);
    if (status != STATUS_OK) {
        return fail(failure, status, "%s", gpu_failure_text(memory->gpu));
    }
    log_event(LOG_LEVEL_INFO, "gpu", "kv", "bytes=%llu tokens=%llu page_tokens=%u dtype=%s",
              (unsigned long long)memory->kv_bytes,
              (unsigned long long)shape->page_count * shape->page_tokens, shape->page_tokens,
              forward->attention.kv_dtype == DTYPE_E4M3 ? "fp8" : "16 bit");
    return STATUS_OK;
}

/* ---- workspace ------------------------------------------------------------------------------- */

static enum status fill_rope(struct gpu_engine_memory *memory, void *to, struct failure *failure)
{
    const struct model_config *config = memory->forward.config;
    const size_t floats = rope_table_floats(config, memory->shape.context_tokens_max);
    float *table = malloc(floats * sizeof *table);
    if (!table) {
        return fail(failure, STATUS_IO, "no memory for a table of %u positions",
                    memory->shape.context_tokens_max);
    }
    rope_table_fill(config, memory->shape.context_tokens_max, table);
    enum status status = gpu_upload_async(memory->gpu, to, table, floats * sizeof *table);
    if (status == STATUS_OK) {
        status = gpu_wait(memory->gpu);
    }
    free(table);
    memory->forward.rope = to;
    return status == STATUS_OK ? status
                               : fail(failure, status, "%s", gpu_failure_text(memory->gpu));
}

/* The block of a step depends on how many pages there are, of which only their number is not known
 * yet: it is bounded by what the whole device could hold. */
static size_t block_bytes_max(const struct gpu_engine_memory *memory, uint64_t page_bytes)
{
    struct engine_shape shape = memory->shape;
    const uint64_t pages = memory->forward.info.total_bytes / page_bytes;
    shape.page_count = pages < UINT32_MAX ? (uint32_t)pages : UINT32_MAX;
    return gpu_step_bytes_max(&shape, &memory->forward.attention);
}

static enum status take_workspace(struct gpu_engine_memory *memory, uint64_t page_bytes,
                                  struct failure *failure)
{
    struct gpu_forward *forward = &memory->forward;
    const size_t forward_bytes = gpu_forward_set_workspace(forward, NULL);
    const size_t rope_bytes =
        rope_table_floats(forward->config, memory->shape.context_tokens_max) * sizeof(float);
    struct failure inner = {""};
    memory->block_bytes = (block_bytes_max(memory, page_bytes) + 255) / 256 * 256;
    const size_t bytes = forward_bytes + memory->block_bytes + rope_bytes;
    enum status status = gpu_memory_take(memory->gpu, bytes, &memory->workspace, &inner);
    if (status != STATUS_OK) {
        return fail(failure, status,
                    "the workspace of a step takes %zu bytes: %s; lower engine.step_tokens_max, "
                    "engine.running_max or engine.context_tokens_max",
                    bytes, inner.text);
    }
    status = gpu_fill_async(memory->gpu, memory->workspace, 0, bytes);
    if (status != STATUS_OK) {
        return fail(failure, status, "%s", gpu_failure_text(memory->gpu));
    }
    gpu_forward_set_workspace(forward, memory->workspace);
    forward->block = (unsigned char *)memory->workspace + forward_bytes;
    return fill_rope(memory, forward->block + memory->block_bytes, failure);
}

/* ---- all of it ------------------------------------------------------------------------------- */

static enum status check_model(const struct gpu_forward *forward, bool uses_library,
                               struct failure *failure)
{
    const struct model_config *config = forward->config;
    if (attention_gpu_check(&forward->attention) != STATUS_OK) {
        return fail(failure, STATUS_UNSUPPORTED,
                    "the GPU engine has no attention kernel for %u heads, %u of KV, of %u "
                    "dimensions (head_dim: a multiple of 8, at most %d)",
                    config->head_count, config->kv_head_count, config->head_dim,
                    ATTENTION_GPU_HEAD_DIM_MAX);
    }
    const bool has_stream_bias =
        forward->weights->layers[0].o.bias || forward->weights->layers[0].down.bias;
    if (uses_library && has_stream_bias) {
        return fail(failure, STATUS_UNSUPPORTED,
                    "kernels.matmul fastest cannot add this model's biases: use invariant");
    }
    return STATUS_OK;
}

static enum status open_device(struct gpu_engine_memory *memory, uint32_t index,
                               struct failure *failure)
{
    const enum status status = gpu_open(index, &memory->gpu, failure);
    if (status == STATUS_OK) {
        gpu_get_info(memory->gpu, &memory->forward.info);
        const struct gpu_info *info = &memory->forward.info;
        log_event(LOG_LEVEL_INFO, "gpu", "opened",
                  "name=\"%s\" driver=%s total_mib=%llu free_mib=%llu", info->name, info->driver,
                  (unsigned long long)(info->total_bytes >> 20),
                  (unsigned long long)(info->free_bytes >> 20));
    }
    return status;
}

/* Results must not depend on how many rows a step has, so on which kernel multiplied them. */
static enum status choose_kernel(struct gpu_engine_memory *memory, struct failure *failure)
{
    const enum status status =
        matmul_gpu_choose(memory->gpu, &memory->forward.matmul_kernel, failure);
    if (status == STATUS_OK && memory->forward.matmul_kernel == MATMUL_MMA) {
        log_event(LOG_LEVEL_WARN, "gpu", "matmul.wgmma_off",
                  "reason=\"mma and wgmma round differently on this GPU\"");
    }
    return status;
}

static void choose_forward(struct gpu_engine_memory *memory, const struct model *model,
                           const struct gpu_engine_config *config)
{
    struct gpu_forward *forward = &memory->forward;
    const enum dtype dtype = memory->weights->dtype;
    forward->config = &model->config;
    forward->weights = memory->weights;
    forward->gpu = memory->gpu;
    forward->row_count_max = config->step_tokens_max;
    forward->logit_row_count_max = config->step_sequences_max;
    forward->attention = (struct attention_gpu_shape){
        .head_count = model->config.head_count,
        .kv_head_count = model->config.kv_head_count,
        .head_dim = model->config.head_dim,
        .page_tokens = config->page_tokens,
        .multiprocessors = forward->info.multiprocessors,
        .dtype = dtype,
        .kv_dtype = config->kv_dtype == GPU_ENGINE_KV_FP8 ? DTYPE_E4M3 : dtype,
        .has_wgmma = forward->info.compute_major == 9 && forward->matmul_kernel != MATMUL_MMA,
    };
    memory->shape = (struct engine_shape){
        .page_tokens = config->page_tokens,
        .context_tokens_max = config->context_tokens_max ? config->context_tokens_max
                                                         : model->config.context_tokens_max,
        .step_tokens_max = config->step_tokens_max,
        .step_sequences_max = config->step_sequences_max,
        .vocabulary_count = model->config.vocabulary_count,
    };
}

enum status gpu_engine_memory_take(struct gpu_engine_memory *memory, const struct model *model,
                                   const struct gpu_engine_config *config, struct failure *failure)
{
    enum status status = check_limits(model, config, failure);
    if (status == STATUS_OK) {
        status = open_device(memory, config->gpu_index, failure);
    }
    if (status == STATUS_OK) {
        status = config->uses_library
                     ? matmul_cublaslt_create(memory->gpu, &memory->forward.library, failure)
                     : choose_kernel(memory, failure);
    }
    if (status == STATUS_OK) {
        status = gpu_weights_load(memory->gpu, &model->config, model->weights, config->uses_library,
                                  &memory->weights, failure);
    }
    if (status != STATUS_OK) {
        return status;
    }
    choose_forward(memory, model, config);
    status = check_model(&memory->forward, config->uses_library, failure);
    if (status == STATUS_OK) {
        status = take_workspace(
            memory, gpu_engine_page_bytes(model, config->page_tokens, config->kv_dtype), failure);
    }
    if (status == STATUS_OK) {
        gpu_get_info(memory->gpu, &memory->forward.info); /* what is free now */
        status = choose_shape(memory, model, config, failure);
    }
    if (status == STATUS_OK) {
        status = take_kv(memory, failure);
    }
    if (status == STATUS_OK && gpu_wait(memory->gpu) != STATUS_OK) {
        status = fail(failure, STATUS_DEVICE, "%s", gpu_failure_text(memory->gpu));
    }
    return status;
}

void gpu_engine_memory_give_back(struct gpu_engine_memory *memory)
{
    if (memory->gpu) {
        matmul_cublaslt_destroy(memory->forward.library);
        gpu_weights_free(memory->weights);
        gpu_memory_give_back(memory->gpu, memory->workspace);
        gpu_memory_give_back(memory->gpu, memory->kv);
        gpu_close(memory->gpu);
    }
    *memory = (struct gpu_engine_memory){.gpu = NULL};
}
