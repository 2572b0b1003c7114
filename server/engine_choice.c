#include "server/engine_choice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#ifdef WARD_CUDA
#include "model/gpu/gpu_engine.h"
#endif

enum {
    STEP_TOKENS_CPU = 512,
    STEP_TOKENS_GPU = 4096, /* most of a long prompt at once: matmuls of many rows pay */
    REBUILD_ATTEMPTS_MAX = 6,
    REBUILD_BACKOFF_MS = 1000,
};

struct gpu_engine;

struct engine_choice {
    const struct model *model;
    struct engine_choice_config config;
    struct model_engine *cpu;
    struct gpu_engine *gpu; /* where cpu is NULL */
    size_t kv_dtype;        /* which of kv_dtypes, in the order of enum gpu_engine_kv */
    size_t matmul;          /* which of matmuls */
};

enum { WORDS_MAX = 3, MATMUL_WORD_FASTEST = 1 };
static const char *const devices[WORDS_MAX] = {"auto", "cpu", "cuda"};
static const char *const kv_dtypes[WORDS_MAX] = {"auto", "bf16", "fp8"};
static const char *const matmuls[WORDS_MAX] = {"invariant", "fastest"};

/* Which of the words it is; NULL is the first. WORDS_MAX: none. */
static size_t find_word(const char *const words[WORDS_MAX], const char *word)
{
    size_t i = 0;
    while (word && i < WORDS_MAX && (!words[i] || strcmp(words[i], word) != 0)) {
        i++;
    }
    return i;
}

bool engine_choice_knows_device(const char *device)
{
    return find_word(devices, device) < WORDS_MAX;
}

/* A typing error is one on every machine, so all words are read whatever runs. */
static enum status read_words(struct engine_choice *choice, struct failure *failure)
{
    const struct engine_choice_config *config = &choice->config;
    choice->kv_dtype = find_word(kv_dtypes, config->kv_dtype);
    choice->matmul = find_word(matmuls, config->matmul);
    if (!engine_choice_knows_device(config->device)) {
        return fail(failure, STATUS_INVALID, "engine.device: must be auto, cpu or cuda");
    }
    if (choice->kv_dtype == WORDS_MAX) {
        return fail(failure, STATUS_INVALID, "gpu.kv_dtype: must be auto, bf16 or fp8");
    }
    return choice->matmul < WORDS_MAX
               ? STATUS_OK
               : fail(failure, STATUS_INVALID, "kernels.matmul: must be invariant or fastest");
}

static uint32_t step_tokens(const struct engine_choice_config *config, uint32_t preset)
{
    const uint32_t least =
        preset > config->step_sequences_max ? preset : config->step_sequences_max;
    return config->step_tokens_max > 0 ? config->step_tokens_max : least;
}

/* ---- the CPU --------------------------------------------------------------------------------- */

static enum status create_cpu(struct engine_choice *choice, struct failure *failure)
{
    const struct engine_choice_config *config = &choice->config;
    const uint64_t page_bytes =
        model_engine_page_bytes(&choice->model->config, config->page_tokens);
    const struct model_engine_config engine_config = {
        .page_tokens = config->page_tokens,
        .kv_bytes = config->page_count > 0 ? config->page_count * page_bytes : config->kv_bytes,
        .context_tokens_max = config->context_tokens_max,
        .step_tokens_max = step_tokens(config, STEP_TOKENS_CPU),
        .step_sequences_max = config->step_sequences_max,
        .worker_count = config->worker_count,
        .backend = &backend_cpu,
    };
    return model_engine_create(choice->model, &engine_config, &choice->cpu, failure);
}

/* ---- a GPU ----------------------------------------------------------------------------------- */

#ifdef WARD_CUDA

static enum status create_gpu(struct engine_choice *choice, struct failure *failure)
{
    const struct engine_choice_config *config = &choice->config;
    struct gpu_engine_config engine_config = {
        .gpu_index = config->gpu_index,
        .page_tokens = config->page_tokens,
        .memory_fraction = config->memory_fraction,
        .context_tokens_max = config->context_tokens_max,
        .step_tokens_max = step_tokens(config, STEP_TOKENS_GPU),
        .step_sequences_max = config->step_sequences_max,
        .kv_dtype = (enum gpu_engine_kv)choice->kv_dtype,
        .uses_library = choice->matmul == MATMUL_WORD_FASTEST,
        .uses_graphs = true,
    };
    if (gpu_count(failure) == 0) {
        return STATUS_NOT_FOUND;
    }
    engine_config.kv_bytes =
        config->page_count
        * gpu_engine_page_bytes(choice->model, config->page_tokens, engine_config.kv_dtype);
    return gpu_engine_create(choice->model, &engine_config, &choice->gpu, failure);
}

static struct engine gpu_interface(struct engine_choice *choice)
{
    return gpu_engine_interface(choice->gpu);
}

static void destroy_gpu(struct engine_choice *choice)
{
    gpu_engine_destroy(choice->gpu);
    choice->gpu = NULL;
}

static enum status keep_gpu_logits(struct engine_choice *choice, enum model_engine_logits which)
{
    return gpu_engine_keep_logits(choice->gpu, which);
}

static const float *gpu_logits(const struct engine_choice *choice)
{
    return gpu_engine_logits(choice->gpu);
}

static uint64_t gpu_token_bytes(const struct engine_choice *choice)
{
    const bool is_fp8 = choice->config.kv_dtype && strcmp(choice->config.kv_dtype, "fp8") == 0;
    return gpu_engine_page_bytes(choice->model, 1, is_fp8 ? GPU_ENGINE_KV_FP8 : GPU_ENGINE_KV_AUTO);
}

bool engine_choice_describe_gpu(uint32_t gpu_index, char *out, size_t out_bytes)
{
    struct failure failure = {""};
    struct gpu *gpu = NULL;
    if (gpu_count(&failure) == 0 || gpu_open(gpu_index, &gpu, &failure) != STATUS_OK) {
        snprintf(out, out_bytes, "%s", failure.text);
        return false;
    }
    struct gpu_info info;
    gpu_get_info(gpu, &info);
    gpu_close(gpu);
    snprintf(out, out_bytes, "%s, driver %s, %llu of %llu MiB free", info.name, info.driver,
             (unsigned long long)(info.free_bytes >> 20),
             (unsigned long long)(info.total_bytes >> 20));
    return true;
}

static double copy_speed(struct gpu *gpu)
{
    enum { BYTES = 512 << 20, COPIES = 10 };
    void *memory[2] = {NULL, NULL};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < 2 && status == STATUS_OK; i++) {
        status = gpu_memory_take(gpu, BYTES, &memory[i], NULL);
    }
    uint64_t start_ns = 0;
    for (int i = 0; i <= COPIES && status == STATUS_OK; i++) {
        status = gpu_copy_async(gpu, memory[1], memory[0], BYTES);
        if (i == 0 && status == STATUS_OK) { /* the first one wakes the device */
            status = gpu_wait(gpu);
            start_ns = clock_monotonic_ns();
        }
    }
    if (status == STATUS_OK) {
        status = gpu_wait(gpu);
    }
    const double seconds = (double)(clock_monotonic_ns() - start_ns) * 1e-9;
    gpu_memory_give_back(gpu, memory[0]);
    gpu_memory_give_back(gpu, memory[1]);
    return status == STATUS_OK ? 2.0 * BYTES * COPIES / seconds : 0.0;
}

double engine_choice_copy_speed(struct engine_choice *choice)
{
    return choice->gpu ? copy_speed(gpu_engine_device(choice->gpu)) : 0.0;
}

#else

static const char no_kernels[] =
    "this ward was built without CUDA kernels; build it with `cmake --preset cuda`";

static enum status create_gpu(struct engine_choice *choice, struct failure *failure)
{
    choice->gpu = NULL;
    return fail(failure, STATUS_UNSUPPORTED, "%s", no_kernels);
}

static struct engine gpu_interface(struct engine_choice *choice)
{
    (void)choice;
    return (struct engine){.self = NULL};
}

static void destroy_gpu(struct engine_choice *choice)
{
    choice->gpu = NULL;
}

static enum status keep_gpu_logits(struct engine_choice *choice, enum model_engine_logits which)
{
    (void)choice;
    (void)which;
    return STATUS_UNSUPPORTED;
}

static const float *gpu_logits(const struct engine_choice *choice)
{
    (void)choice;
    return NULL;
}

static uint64_t gpu_token_bytes(const struct engine_choice *choice)
{
    (void)choice;
    return 0;
}

bool engine_choice_describe_gpu(uint32_t gpu_index, char *out, size_t out_bytes)
{
    (void)gpu_index;
    snprintf(out, out_bytes, "%s", no_kernels);
    return false;
}

double engine_choice_copy_speed(struct engine_choice *choice)
{
    (void)choice;
    return 0.0;
}

#endif

/* ---- the choice ------------------------------------------------------------------------------ */

static bool can_fall_back(enum status status)
{
    return status == STATUS_NOT_FOUND || status == STATUS_UNSUPPORTED;
}

/* Where there are no kernels the reason is always the same: not worth a line. */
static void log_choice(const struct engine_choice *choice, const char *reason)
{
#ifdef WARD_CUDA
    const enum log_level level = reason[0] ? LOG_LEVEL_WARN : LOG_LEVEL_INFO;
#else
    const enum log_level level = LOG_LEVEL_DEBUG;
#endif
    log_event(level, "engine", "device", "asked=%s runs=%s reason=\"%s\"", choice->config.device,
              engine_choice_device(choice), reason);
}

static enum status choose(struct engine_choice *choice, struct failure *failure)
{
    const char *device = choice->config.device;
    struct failure reason = {""};
    enum status status = read_words(choice, failure);
    if (status != STATUS_OK || strcmp(device, "cpu") == 0) {
        return status == STATUS_OK ? create_cpu(choice, failure) : status;
    }
    status = create_gpu(choice, &reason);
    if (status != STATUS_OK && strcmp(device, "auto") == 0 && can_fall_back(status)) {
        status = create_cpu(choice, failure);
    } else if (status != STATUS_OK) {
        status = fail(failure, status, "%s", reason.text);
    }
    if (status == STATUS_OK) {
        log_choice(choice, reason.text);
    }
    return status;
}

enum status engine_choice_create(const struct model *model,
                                 const struct engine_choice_config *config,
                                 struct engine_choice **out, struct failure *failure)
{
    struct engine_choice *choice = calloc(1, sizeof *choice);
    if (!choice) {
        return fail(failure, STATUS_IO, "no memory");
    }
    choice->model = model;
    choice->config = *config;
    const enum status status = choose(choice, failure);
    if (status == STATUS_OK) {
        *out = choice;
        choice = NULL; /* ownership moved to the caller */
    }
    engine_choice_destroy(choice);
    return status;
}

void engine_choice_destroy(struct engine_choice *choice)
{
    if (choice) {
        destroy_gpu(choice);
        model_engine_destroy(choice->cpu);
        free(choice);
    }
}

struct engine engine_choice_interface(struct engine_choice *choice)
{
    return choice->cpu ? model_engine_interface(choice->cpu) : gpu_interface(choice);
}

const char *engine_choice_device(const struct engine_choice *choice)
{
    return choice->cpu ? "cpu" : "cuda";
}

enum status engine_choice_keep_logits(struct engine_choice *choice, enum model_engine_logits which)
{
    return choice->cpu ? model_engine_keep_logits(choice->cpu, which)
                       : keep_gpu_logits(choice, which);
}

const float *engine_choice_logits(const struct engine_choice *choice)
{
    return choice->cpu ? model_engine_logits(choice->cpu) : gpu_logits(choice);
}

uint64_t engine_choice_token_bytes(const struct engine_choice *choice)
{
    return choice->cpu ? model_engine_page_bytes(&choice->model->config, 1)
                       : gpu_token_bytes(choice);
}

/* ---- a rebuild ------------------------------------------------------------------------------- */

/* The new engine gets as many pages as the first one found room for. */
static enum status rebuild(void *context, struct engine *out, struct failure *failure)
{
    struct engine_choice *choice = context;
    destroy_gpu(choice);
    const enum status status = create_gpu(choice, failure);
    if (status == STATUS_OK) {
        *out = gpu_interface(choice);
    }
    return status;
}

struct engine_rebuild engine_choice_rebuild(struct engine_choice *choice)
{
    if (choice->cpu) {
        return (struct engine_rebuild){.run = NULL};
    }
    const struct engine_shape shape = gpu_interface(choice).shape;
    choice->config.page_count = shape.page_count;
    choice->config.context_tokens_max = shape.context_tokens_max;
    return (struct engine_rebuild){.run = rebuild,
                                   .context = choice,
                                   .attempts_max = REBUILD_ATTEMPTS_MAX,
                                   .backoff_ms = REBUILD_BACKOFF_MS};
}
