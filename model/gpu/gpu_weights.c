/* gpu_weights.c - the same walk over all tensors runs twice: first it adds up what they need, then
 * it fills. Three things overlap: threads copy mapped pages (and fault them in from the disk) into
 * one pinned buffer while the other is on its way to the device and the device shuffles what came
 * before; the slowest of disk, PCIe and memcpy sets the pace. */
#include "model/gpu/gpu_weights.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/log.h"
#include "kernels/workers.h"

enum {
    BUFFER_BYTES = 32 << 20,
    PART_BYTES = 1 << 20, /* what one thread copies at a time */
    ALIGNMENT_BYTES = 256,
    PROGRESS_STEP = 10, /* percent */
    COPY_THREADS_MAX = 8,
};

struct loader {
    struct gpu *gpu;
    const struct model_config *config;
    const struct weights *from;
    struct gpu_weights *to;
    struct failure *failure;
    bool is_plain, is_filling; /* else only sizes are wanted */
    size_t used_bytes;         /* of the pool */
    size_t staging_bytes;      /* the largest tensor that is shuffled */
    void *staging;             /* on the device: a tensor as the checkpoint has it */
    void *buffers[2];          /* pinned */
    struct gpu_event *events[2];
    bool is_sent[2];
    uint32_t turn;
    struct workers *workers;
    uint64_t start_ns, done_bytes;
    uint32_t percent; /* of the last progress line */
};

/* ---- streaming ------------------------------------------------------------------------------- */

struct copy {
    char *to;
    const char *from;
    size_t bytes;
};

static void copy_part(const void *args, uint32_t part)
{
    const struct copy *copy = args;
    const size_t first = (size_t)part * PART_BYTES;
    const size_t left = copy->bytes - first;
    memcpy(copy->to + first, copy->from + first, left < PART_BYTES ? left : PART_BYTES);
}

/* Asks the kernel to read ahead what comes next; only a hint. */
static void read_ahead(const char *from, size_t bytes)
{
    const uintptr_t page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t first = (uintptr_t)from / page_bytes * page_bytes;
    (void)madvise((void *)first, bytes + ((uintptr_t)from - first), MADV_WILLNEED);
}

static void show_progress(struct loader *loader)
{
    const uint64_t total = loader->from->bytes > 0 ? loader->from->bytes : 1;
    const uint32_t percent = (uint32_t)(100 * loader->done_bytes / total);
    if (percent < loader->percent + PROGRESS_STEP || percent > 100) {
        return;
    }
    loader->percent = percent;
    const double seconds = (double)(clock_monotonic_ns() - loader->start_ns) * 1e-9;
    log_event(LOG_LEVEL_INFO, "gpu", "weights.load", "percent=%u gb_per_s=%.2f", percent,
              (double)loader->done_bytes / seconds * 1e-9);
}

static enum status send_buffer(struct loader *loader, char *to, const char *from, size_t bytes)
{
    const uint32_t turn = loader->turn;
    enum status status = STATUS_OK;
    if (loader->is_sent[turn]) {
        status = gpu_event_wait(loader->gpu, loader->events[turn]);
    }
    if (status == STATUS_OK) {
        const struct copy copy = {loader->buffers[turn], from, bytes};
        workers_run(loader->workers, copy_part, &copy,
                    (uint32_t)((bytes + PART_BYTES - 1) / PART_BYTES));
        status = gpu_upload_async(loader->gpu, to, loader->buffers[turn], bytes);
    }
    if (status == STATUS_OK) {
        status = gpu_event_record(loader->gpu, loader->events[turn]);
    }
    loader->is_sent[turn] = true;
    loader->turn = 1 - turn;
    loader->done_bytes += bytes;
    return status;
}

static enum status send(struct loader *loader, void *to, const void *from, size_t bytes)
{
    enum status status = STATUS_OK;
    for (size_t at = 0; status == STATUS_OK && at < bytes; at += BUFFER_BYTES) {
        const size_t left = bytes - at;
        const size_t now = left < BUFFER_BYTES ? left : BUFFER_BYTES;
        if (left > now) {
            read_ahead((const char *)from + at + now,
                       left - now < BUFFER_BYTES ? left - now : BUFFER_BYTES);
        }
        status = send_buffer(loader, (char *)to + at, (const char *)from + at, now);
    }
    show_progress(loader);
    return status == STATUS_OK ? status
                               : fail(loader->failure, status, "%s", gpu_failure_text(loader->gpu));
}

/* ---- places ---------------------------------------------------------------------------------- */

/* The next bytes of the pool; while sizes are added up, an address that is never used. */
static void *place(struct loader *loader, size_t bytes)
{
    char *at = loader->is_filling ? (char *)loader->to->memory + loader->used_bytes : NULL;
    loader->used_bytes += (bytes + ALIGNMENT_BYTES - 1) / ALIGNMENT_BYTES * ALIGNMENT_BYTES;
    ASSERT(!loader->is_filling || loader->used_bytes <= loader->to->bytes);
    return at;
}

struct vectors { /* that follow each other in one array */
    const struct weights_tensor *parts[3];
    uint32_t counts[3];
};

/* NULL where the model has none of them. */
static enum status put_vectors(struct loader *loader, const struct vectors *vectors,
                               const float **out)
{
    size_t floats = 0;
    *out = NULL;
    if (!vectors->parts[0]->data) {
        return STATUS_OK;
    }
    for (size_t i = 0; i < 3; i++) {
        floats += vectors->counts[i];
    }
    char *to = place(loader, floats * sizeof(float));
    *out = (const float *)(void *)to;
    enum status status = STATUS_OK;
    for (size_t i = 0; loader->is_filling && status == STATUS_OK && i < 3; i++) {
        const size_t bytes = vectors->counts[i] * sizeof(float);
        if (bytes > 0) {
            status = send(loader, to, vectors->parts[i]->data, bytes);
            to += bytes;
        }
    }
    return status;
}

static enum status put_vector(struct loader *loader, const struct weights_tensor *tensor,
                              uint32_t count, const float **out)
{
    return put_vectors(loader, &(struct vectors){{tensor}, {count}}, out);
}

/* ---- matrices -------------------------------------------------------------------------------- */

struct parts { /* of one gpu_linear: q,k,v; gate,up; or one alone */
    const struct weights_tensor *tensors[3];
    const struct weights_tensor *biases[3]; /* [0] NULL: none */
    uint32_t out_counts[3];
    uint32_t in_count;
    bool is_paired;
};

static size_t tensor_bytes(const struct weights_tensor *tensor, size_t out_count, size_t in_count)
{
    return out_count * in_count * dtype_bytes(tensor->dtype);
}

/* Where the scales of a staged tensor lie, behind it. */
static size_t scales_offset(size_t bytes)
{
    return (bytes + ALIGNMENT_BYTES - 1) / ALIGNMENT_BYTES * ALIGNMENT_BYTES;
}

/* The head of a tied model too. */
static bool is_embedding(const struct loader *loader, const struct weights_tensor *tensor)
{
    return tensor->data == loader->from->globals.embedding.data;
}

/* A tensor on the device as the checkpoint has it: the embedding already is, else in staging. */
static enum status stage(struct loader *loader, const struct weights_tensor *tensor, size_t bytes,
                         const void **out)
{
    if (is_embedding(loader, tensor)) {
        *out = loader->to->embedding;
        return STATUS_OK;
    }
    *out = loader->staging;
    return send(loader, loader->staging, tensor->data, bytes);
}

static enum status shuffle(struct loader *loader, const struct parts *parts, size_t index,
                           uint32_t out_first, const struct matmul_gpu_weight *weight)
{
    const struct weights_tensor *tensor = parts->tensors[index];
    const size_t bytes = tensor_bytes(tensor, parts->out_counts[index], parts->in_count);
    float *scales = NULL;
    if (!loader->is_filling) {
        const size_t all = is_embedding(loader, tensor)
                               ? 0
                               : scales_offset(bytes) + tensor->scale_count * sizeof *scales;
        loader->staging_bytes = loader->staging_bytes > all ? loader->staging_bytes : all;
        return STATUS_OK;
    }
    const void *source = NULL;
    enum status status = stage(loader, tensor, bytes, &source);
    if (status == STATUS_OK && tensor->scales) {
        scales = (void *)((char *)loader->staging + scales_offset(bytes));
        status = send(loader, scales, tensor->scales, tensor->scale_count * sizeof *scales);
    }
    const struct matmul_gpu_shuffle_args args = {
        .source = source,
        .scales = scales,
        .scale_count = tensor->scale_count,
        .out_first = out_first,
        .out_count = parts->out_counts[index],
        .source_dtype = tensor->dtype,
        .weight = *weight,
    };
    if (status == STATUS_OK) {
        status = matmul_gpu_shuffle_launch(&args, gpu_stream_of(loader->gpu));
        if (status != STATUS_OK) {
            status = fail(loader->failure, status,
                          "a tensor of %u x %u cannot be laid out for the "
                          "GPU: %s",
                          args.out_count, parts->in_count, gpu_failure_text(loader->gpu));
        }
    }
    return status;
}

static enum status put_tiles(struct loader *loader, const struct parts *parts,
                             struct gpu_linear *out)
{
    out->weight.tiles = place(loader, matmul_gpu_weight_bytes(&out->weight));
    if (out->weight.dtype == DTYPE_E4M3) {
        out->weight.scales = place(loader, matmul_gpu_scale_bytes(&out->weight));
    }
    uint32_t out_first = 0;
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < 3 && parts->tensors[i]; i++) {
        status =
            shuffle(loader, parts, i, parts->is_paired ? (uint32_t)i : out_first, &out->weight);
        out_first += parts->out_counts[i];
    }
    return status;
}

/* For cuBLASLt, which wants T. */
static enum status put_plain(struct loader *loader, const struct parts *parts,
                             struct gpu_linear *out)
{
    const struct weights_tensor *first = parts->tensors[0];
    if (is_embedding(loader, first)) {
        out->plain = loader->to->embedding;
        return STATUS_OK;
    }
    char *to = place(loader, tensor_bytes(first, out->weight.out_count, out->weight.in_count));
    out->plain = to;
    enum status status = STATUS_OK;
    for (size_t i = 0; loader->is_filling && status == STATUS_OK && i < 3 && parts->tensors[i];
         i++) {
        const size_t bytes = tensor_bytes(parts->tensors[i], parts->out_counts[i], parts->in_count);
        status = send(loader, to, parts->tensors[i]->data, bytes);
        to += bytes;
    }
    return status;
}

/* Parts that are multiplied at once share a format: E4M3 with one kind of scales, or T. */
static bool can_join(const struct loader *loader, const struct parts *parts, size_t index)
{
    const struct weights_tensor *first = parts->tensors[0];
    const struct weights_tensor *tensor = parts->tensors[index];
    if (first->dtype == DTYPE_E4M3) {
        return !loader->is_plain && loader->to->dtype == DTYPE_BF16 && tensor->dtype == DTYPE_E4M3
               && tensor->scale_block == first->scale_block;
    }
    return tensor->dtype == loader->to->dtype || (tensor->dtype == DTYPE_F32 && !loader->is_plain);
}

static enum status put_linear(struct loader *loader, const struct parts *parts,
                              struct gpu_linear *out)
{
    const bool is_e4m3 = parts->tensors[0]->dtype == DTYPE_E4M3;
    *out = (struct gpu_linear){.weight = {.in_count = parts->in_count,
                                          .dtype = is_e4m3 ? DTYPE_E4M3 : loader->to->dtype,
                                          .scale_block = parts->tensors[0]->scale_block,
                                          .is_paired = parts->is_paired}};
    for (size_t i = 0; i < 3 && parts->tensors[i]; i++) {
        out->weight.out_count += parts->out_counts[i];
        if (!can_join(loader, parts, i)) {
            return fail(loader->failure, STATUS_UNSUPPORTED,
                        "the GPU engine cannot multiply this model's matrices at once: they must "
                        "all be bf16, f16%s",
                        loader->is_plain ? " with kernels.matmul fastest" : ", f32 or fp8");
        }
    }
    const enum status status =
        loader->is_plain ? put_plain(loader, parts, out) : put_tiles(loader, parts, out);
    if (status != STATUS_OK || !parts->biases[0]) {
        return status;
    }
    const struct vectors biases = {
        {parts->biases[0], parts->biases[1], parts->biases[2]},
        {parts->out_counts[0], parts->out_counts[1], parts->out_counts[2]}};
    return put_vectors(loader, &biases, &out->bias);
}

/* ---- the walk -------------------------------------------------------------------------------- */

static enum status walk_attention(struct loader *loader, const struct weights_layer *from,
                                  struct gpu_weights_layer *to)
{
    const struct model_config *config = loader->config;
    const uint32_t q_dim = model_config_q_dim(config);
    const uint32_t kv_dim = model_config_kv_dim(config);
    const struct parts qkv = {.tensors = {&from->q, &from->k, &from->v},
                              .biases = {&from->q_bias, &from->k_bias, &from->v_bias},
                              .out_counts = {q_dim, kv_dim, kv_dim},
                              .in_count = config->hidden_dim};
    const struct parts o = {.tensors = {&from->o},
                            .biases = {&from->o_bias},
                            .out_counts = {config->hidden_dim},
                            .in_count = q_dim};
    enum status status =
        put_vector(loader, &from->attention_norm, config->hidden_dim, &to->attention_norm);
    if (status == STATUS_OK) {
        status = put_linear(loader, &qkv, &to->qkv);
    }
    if (status == STATUS_OK) {
        status = put_linear(loader, &o, &to->o);
    }
    to->k_scale = 1.0F;
    to->v_scale = 1.0F;
    return status;
}

static enum status walk_ffn(struct loader *loader, const struct weights_layer *from,
                            struct gpu_weights_layer *to)
{
    const struct model_config *config = loader->config;
    const struct parts gate_up = {.tensors = {&from->gate, &from->up},
                                  .biases = {&from->gate_bias, &from->up_bias},
                                  .out_counts = {config->ffn_dim, config->ffn_dim},
                                  .in_count = config->hidden_dim,
                                  .is_paired = !loader->is_plain};
    const struct parts down = {.tensors = {&from->down},
                               .biases = {&from->down_bias},
                               .out_counts = {config->hidden_dim},
                               .in_count = config->ffn_dim};
    enum status status = put_vector(loader, &from->ffn_norm, config->hidden_dim, &to->ffn_norm);
    if (status == STATUS_OK) {
        status = put_linear(loader, &gate_up, &to->gate_up);
    }
    return status == STATUS_OK ? put_linear(loader, &down, &to->down) : status;
}

static enum status walk_globals(struct loader *loader)
{
    const struct model_config *config = loader->config;
    const struct weights_globals *from = &loader->from->globals;
    struct gpu_weights *to = loader->to;
    const size_t table_bytes =
        tensor_bytes(&from->embedding, config->vocabulary_count, config->hidden_dim);
    void *table = place(loader, table_bytes);
    to->embedding = table;
    to->embedding_dtype = from->embedding.dtype;
    enum status status = STATUS_OK;
    if (loader->is_filling) {
        status = send(loader, table, from->embedding.data, table_bytes);
    }
    const struct parts lm_head = {.tensors = {&from->lm_head},
                                  .out_counts = {config->vocabulary_count},
                                  .in_count = config->hidden_dim};
    if (status == STATUS_OK) {
        status = put_linear(loader, &lm_head, &to->lm_head);
    }
    return status == STATUS_OK
               ? put_vector(loader, &from->final_norm, config->hidden_dim, &to->final_norm)
               : status;
}

static enum status walk(struct loader *loader, bool is_filling)
{
    loader->is_filling = is_filling;
    loader->used_bytes = 0;
    enum status status = walk_globals(loader);
    for (uint32_t i = 0; status == STATUS_OK && i < loader->config->layer_count; i++) {
        status = walk_attention(loader, &loader->from->layers[i], &loader->to->layers[i]);
        if (status == STATUS_OK) {
            status = walk_ffn(loader, &loader->from->layers[i], &loader->to->layers[i]);
        }
    }
    return status;
}

/* ---- load and free --------------------------------------------------------------------------- */

static enum status take_memory(struct loader *loader)
{
    struct gpu_weights *to = loader->to;
    struct failure inner = {""};
    to->bytes = loader->used_bytes;
    enum status status = gpu_memory_take(loader->gpu, to->bytes, &to->memory, &inner);
    if (status == STATUS_OK && loader->staging_bytes > 0) {
        status = gpu_memory_take(loader->gpu, loader->staging_bytes, &loader->staging, &inner);
    }
    if (status != STATUS_OK) {
        return fail(loader->failure, status,
                    "the weights take %zu bytes on the GPU, and %zu more while they load: %s; free "
                    "the GPU of other programs or take a smaller model",
                    to->bytes, loader->staging_bytes, inner.text);
    }
    for (size_t i = 0; status == STATUS_OK && i < 2; i++) {
        status = gpu_pinned_take(loader->gpu, BUFFER_BYTES, &loader->buffers[i], loader->failure);
        if (status == STATUS_OK && gpu_event_create(loader->gpu, &loader->events[i]) != STATUS_OK) {
            status = fail(loader->failure, STATUS_DEVICE, "%s", gpu_failure_text(loader->gpu));
        }
    }
    if (status == STATUS_OK) {
        const long cores = sysconf(_SC_NPROCESSORS_ONLN);
        status = workers_create(cores > COPY_THREADS_MAX ? COPY_THREADS_MAX : 0, &loader->workers);
        status = status == STATUS_OK ? status
                                     : fail(loader->failure, STATUS_IO,
                                            "cannot start the threads that load weights");
    }
    return status;
}

static void end_load(struct loader *loader)
{
    for (size_t i = 0; i < 2; i++) {
        gpu_pinned_give_back(loader->gpu, loader->buffers[i]);
        gpu_event_destroy(loader->events[i]);
    }
    gpu_memory_give_back(loader->gpu, loader->staging);
    workers_destroy(loader->workers);
}

static enum status fill(struct loader *loader)
{
    loader->start_ns = clock_monotonic_ns();
    enum status status = walk(loader, true);
    if (status == STATUS_OK) {
        status = gpu_wait(loader->gpu);
        if (status != STATUS_OK) {
            return fail(loader->failure, status, "%s", gpu_failure_text(loader->gpu));
        }
        const double seconds = (double)(clock_monotonic_ns() - loader->start_ns) * 1e-9;
        log_event(LOG_LEVEL_INFO, "gpu", "weights.loaded", "bytes=%zu seconds=%.2f gb_per_s=%.2f",
                  loader->to->bytes, seconds, (double)loader->done_bytes / seconds * 1e-9);
    }
    return status;
}

enum status gpu_weights_load(struct gpu *gpu, const struct model_config *config,
                             const struct weights *weights, bool is_plain, struct gpu_weights **out,
                             struct failure *failure)
{
    struct gpu_weights *to = calloc(1, sizeof *to);
    struct loader loader = {.gpu = gpu,
                            .config = config,
                            .from = weights,
                            .to = to,
                            .failure = failure,
                            .is_plain = is_plain};
    if (!to || !(to->layers = calloc(config->layer_count, sizeof *to->layers))) {
        gpu_weights_free(to);
        return fail(failure, STATUS_IO, "no memory for %u layers", config->layer_count);
    }
    to->gpu = gpu;
    to->dtype = weights->layers[0].q.dtype == DTYPE_F16 ? DTYPE_F16 : DTYPE_BF16;
    enum status status = walk(&loader, false);
    if (status == STATUS_OK) {
        status = take_memory(&loader);
    }
    if (status == STATUS_OK) {
        status = fill(&loader);
    }
    if (status != STATUS_OK) {
        const enum status unused = gpu_wait(gpu); /* nothing may read the buffers any more */
        (void)unused;
    }
    end_load(&loader);
    if (status == STATUS_OK) {
        *out = to;
        to = NULL; /* ownership moved to the caller */
    }
    gpu_weights_free(to);
    return status;
}

void gpu_weights_free(struct gpu_weights *weights)
{
    if (weights) {
        gpu_memory_give_back(weights->gpu, weights->memory);
        free(weights->layers);
        free(weights);
    }
}
