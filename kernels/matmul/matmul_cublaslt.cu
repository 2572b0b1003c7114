// matmul_cublaslt.cu - cuBLASLt behind matmul_cublaslt.h. WARD_HAS_CUBLASLT: the build found
// cublasLt.h (cmake/gpu.cmake). The one file that includes a library's own header: device.cuh has
// no word for it. Nothing is linked: the table below is filled by dlsym.
//
// cuBLASLt thinks in columns: our row-major out [row, out] is its column-major [out, row], so it
// computes out = op(weight) x with weight [in, out] transposed and x [in, row] as it is.
#include "kernels/matmul/matmul_cublaslt.h"

#if WARD_HAS_CUBLASLT
#include <cublasLt.h>
#include <dlfcn.h>
#include <string.h>

#include "kernels/gpu/device.cuh"

enum { CANDIDATES = 16, TIMED_RUNS = 4, BIAS_THREADS = 256 };
static const size_t WORKSPACE_BYTES = (size_t)32 << 20;
static const char LIBRARY_NAME[] = "libcublasLt.so.13";

// clang-format off
#define FUNCTIONS(F)                                                                      \
    F(Create) F(Destroy) F(Matmul) F(MatmulAlgoGetHeuristic)                              \
    F(MatmulDescCreate) F(MatmulDescDestroy) F(MatmulDescSetAttribute)                    \
    F(MatrixLayoutCreate) F(MatrixLayoutDestroy)                                          \
    F(MatmulPreferenceCreate) F(MatmulPreferenceDestroy) F(MatmulPreferenceSetAttribute)
// clang-format on

struct functions {
#define POINTER(name) decltype(&cublasLt##name) name;
    FUNCTIONS(POINTER)
#undef POINTER
};

struct choice { // a shape and how it is computed; the layouts live as long as the library
    struct matmul_cublaslt_args key; // only the fields of same_shape()
    cublasLtMatrixLayout_t weight, x, out;
    cublasLtMatmulAlgo_t algorithm;
};

struct matmul_cublaslt {
    struct functions call;
    struct gpu *gpu;
    void *shared_object, *workspace;
    cublasLtHandle_t handle;
    cublasLtMatmulDesc_t description;
    cublasLtMatmulPreference_t preference;
    uint32_t choice_count;
    struct choice choices[MATMUL_CUBLASLT_SHAPES_MAX];
};

// ---- device ------------------------------------------------------------------------------------

struct bias_args {
    uint32_t *out; // pairs of T
    const float *bias;
    uint32_t row_count, out_count, out_stride;
};

// One thread a pair of columns: out is read once more, which the library's own epilogue would save
// if it took an fp32 bias.
template <class T>
__global__ void matmul_bias_kernel(const struct bias_args args)
{
    dependency_wait();
    const uint32_t column = 2 * (blockIdx.y * BIAS_THREADS + threadIdx.x);
    if (column < args.out_count) {
        uint32_t *pair = args.out + ((size_t)blockIdx.x * args.out_stride + column) / 2;
        float low, high;
        unpack2<T>(*pair, low, high);
        low += args.bias[column];
        high += column + 1 < args.out_count ? args.bias[column + 1] : 0.0F;
        *pair = pack2<T>(low, high);
    }
}

// ---- the library -------------------------------------------------------------------------------

static bool load_functions(struct functions *call, void *shared_object)
{
    bool has_all = true;
#define LOAD(name)                                                                               \
    call->name = reinterpret_cast<decltype(call->name)>(dlsym(shared_object, "cublasLt" #name)); \
    has_all = has_all && call->name;
    FUNCTIONS(LOAD)
#undef LOAD
    return has_all;
}

static bool prefer(struct matmul_cublaslt *library, cublasLtMatmulPreferenceAttributes_t attribute,
                   const void *value, size_t bytes)
{
    return library->call.MatmulPreferenceSetAttribute(library->preference, attribute, value, bytes)
           == CUBLAS_STATUS_SUCCESS;
}

static bool prepare(struct matmul_cublaslt *library)
{
    const struct functions *call = &library->call;
    const cublasOperation_t transposed = CUBLAS_OP_T;
    // Partial sums of a split stay fp32; addresses are as the header says.
    const uint32_t reductions =
        CUBLASLT_REDUCTION_SCHEME_NONE | CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
    const uint32_t alignment = 16;
    static const cublasLtMatmulPreferenceAttributes_t alignments[] = {
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES};
    bool is_ready =
        call->Create(&library->handle) == CUBLAS_STATUS_SUCCESS
        && call->MatmulDescCreate(&library->description, CUBLAS_COMPUTE_32F, CUDA_R_32F)
               == CUBLAS_STATUS_SUCCESS
        && call->MatmulDescSetAttribute(library->description, CUBLASLT_MATMUL_DESC_TRANSA,
                                        &transposed, sizeof transposed)
               == CUBLAS_STATUS_SUCCESS
        && call->MatmulPreferenceCreate(&library->preference) == CUBLAS_STATUS_SUCCESS
        && prefer(library, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &WORKSPACE_BYTES,
                  sizeof WORKSPACE_BYTES)
        && prefer(library, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &reductions,
                  sizeof reductions);
    for (const cublasLtMatmulPreferenceAttributes_t attribute : alignments) {
        is_ready = is_ready && prefer(library, attribute, &alignment, sizeof alignment);
    }
    return is_ready;
}

extern "C" enum status matmul_cublaslt_create(struct gpu *gpu, struct matmul_cublaslt **out,
                                              struct failure *failure)
{
    void *shared_object = dlopen(LIBRARY_NAME, RTLD_NOW | RTLD_LOCAL);
    if (!shared_object) {
        return fail(failure, STATUS_UNSUPPORTED,
                    "kernels.matmul: fastest needs %s (cuBLAS 13), which is not on the library "
                    "path; install it or choose invariant",
                    LIBRARY_NAME);
    }
    void *memory = NULL;
    enum status status = gpu_pinned_take(gpu, sizeof(struct matmul_cublaslt), &memory, failure);
    if (status != STATUS_OK) {
        dlclose(shared_object);
        return status;
    }
    struct matmul_cublaslt *library = (struct matmul_cublaslt *)memory;
    memset(library, 0, sizeof *library);
    library->gpu = gpu;
    library->shared_object = shared_object;
    status = gpu_memory_take(gpu, WORKSPACE_BYTES, &library->workspace, failure);
    if (status == STATUS_OK
        && (!load_functions(&library->call, shared_object) || !prepare(library))) {
        status =
            fail(failure, STATUS_UNSUPPORTED,
                 "kernels.matmul: %s does not start on this GPU; choose invariant", LIBRARY_NAME);
    }
    if (status != STATUS_OK) {
        matmul_cublaslt_destroy(library);
        return status;
    }
    *out = library;
    return STATUS_OK;
}

static void forget(const struct functions *call, const struct choice *choice)
{
    const cublasLtMatrixLayout_t layouts[] = {choice->weight, choice->x, choice->out};
    for (const cublasLtMatrixLayout_t layout : layouts) {
        if (layout) {
            (void)call->MatrixLayoutDestroy(layout);
        }
    }
}

extern "C" void matmul_cublaslt_destroy(struct matmul_cublaslt *library)
{
    if (!library) {
        return;
    }
    const struct functions *call = &library->call;
    for (uint32_t i = 0; i < library->choice_count; i++) {
        forget(call, &library->choices[i]);
    }
    if (library->preference) {
        (void)call->MatmulPreferenceDestroy(library->preference);
    }
    if (library->description) {
        (void)call->MatmulDescDestroy(library->description);
    }
    if (library->handle) {
        (void)call->Destroy(library->handle);
    }
    gpu_memory_give_back(library->gpu, library->workspace);
    dlclose(library->shared_object);
    gpu_pinned_give_back(library->gpu, library);
}

// ---- shapes ------------------------------------------------------------------------------------

static bool same_shape(const struct matmul_cublaslt_args *a, const struct matmul_cublaslt_args *b)
{
    return a->row_count == b->row_count && a->out_count == b->out_count
           && a->in_count == b->in_count && a->x_stride == b->x_stride
           && a->out_stride == b->out_stride && a->dtype == b->dtype
           && a->out_is_f32 == b->out_is_f32 && a->adds_to_out == b->adds_to_out;
}

static bool is_valid(const struct matmul_cublaslt_args *args)
{
    const uintptr_t addresses = (uintptr_t)args->x | (uintptr_t)args->weight | (uintptr_t)args->out;
    return (args->dtype == DTYPE_BF16 || args->dtype == DTYPE_F16) && args->out_count > 0
           && args->in_count > 0 && args->x_stride >= args->in_count
           && args->out_stride >= args->out_count && args->x_stride % 8 == 0
           && args->out_stride % (args->out_is_f32 ? 4 : 8) == 0 && addresses % 16 == 0
           && (!args->adds_to_out || args->out_is_f32) && (!args->bias || !args->out_is_f32);
}

static cudaDataType_t type_of(enum dtype dtype)
{
    return dtype == DTYPE_F16 ? CUDA_R_16F : CUDA_R_16BF;
}

static cublasStatus_t compute(struct matmul_cublaslt *library, const struct choice *choice,
                              const cublasLtMatmulAlgo_t *algorithm,
                              const struct matmul_cublaslt_args *args)
{
    const float one = 1.0F;
    const float keep = args->adds_to_out ? 1.0F : 0.0F;
    const cudaStream_t stream = gpu_cuda_stream(gpu_stream_of(library->gpu));
    return library->call.Matmul(library->handle, library->description, &one, args->weight,
                                choice->weight, args->x, choice->x, &keep, args->out, choice->out,
                                args->out, choice->out, algorithm, library->workspace,
                                WORKSPACE_BYTES, stream);
}

// The heuristic's candidates for a new shape, its first answer chosen; NULL when there is no room.
static struct choice *add_choice(struct matmul_cublaslt *library,
                                 const struct matmul_cublaslt_args *args,
                                 cublasLtMatmulHeuristicResult_t candidates[CANDIDATES], int *count)
{
    const struct functions *call = &library->call;
    if (library->choice_count == MATMUL_CUBLASLT_SHAPES_MAX) {
        return NULL;
    }
    struct choice *choice = &library->choices[library->choice_count];
    *choice = {};
    choice->key = *args;
    const cudaDataType_t type = type_of(args->dtype);
    *count = 0;
    if (call->MatrixLayoutCreate(&choice->weight, type, args->in_count, args->out_count,
                                 args->in_count)
            != CUBLAS_STATUS_SUCCESS
        || call->MatrixLayoutCreate(&choice->x, type, args->in_count, args->row_count,
                                    args->x_stride)
               != CUBLAS_STATUS_SUCCESS
        || call->MatrixLayoutCreate(&choice->out, args->out_is_f32 ? CUDA_R_32F : type,
                                    args->out_count, args->row_count, args->out_stride)
               != CUBLAS_STATUS_SUCCESS
        || call->MatmulAlgoGetHeuristic(library->handle, library->description, choice->weight,
                                        choice->x, choice->out, choice->out, library->preference,
                                        CANDIDATES, candidates, count)
               != CUBLAS_STATUS_SUCCESS
        || *count == 0) {
        forget(call, choice);
        return NULL;
    }
    choice->algorithm = candidates[0].algo;
    library->choice_count++;
    return choice;
}

static struct choice *find_choice(struct matmul_cublaslt *library,
                                  const struct matmul_cublaslt_args *args)
{
    for (uint32_t i = 0; i < library->choice_count; i++) {
        if (same_shape(&library->choices[i].key, args)) {
            return &library->choices[i];
        }
    }
    return NULL;
}

// ---- tuning ------------------------------------------------------------------------------------

// Milliseconds of TIMED_RUNS runs after one to warm up; a candidate that fails is no candidate.
static enum status time_candidate(struct matmul_cublaslt *library, const struct choice *choice,
                                  const cublasLtMatmulAlgo_t *algorithm,
                                  const struct matmul_cublaslt_args *args,
                                  struct gpu_event *const events[2], float *out)
{
    if (compute(library, choice, algorithm, args) != CUBLAS_STATUS_SUCCESS) {
        return STATUS_UNSUPPORTED;
    }
    enum status status = gpu_event_record(library->gpu, events[0]);
    for (int i = 0; i < TIMED_RUNS && status == STATUS_OK; i++) {
        if (compute(library, choice, algorithm, args) != CUBLAS_STATUS_SUCCESS) {
            return STATUS_UNSUPPORTED;
        }
    }
    if (status == STATUS_OK) {
        status = gpu_event_record(library->gpu, events[1]);
    }
    if (status == STATUS_OK) {
        status = gpu_event_wait(library->gpu, events[1]);
    }
    return status == STATUS_OK ? gpu_event_milliseconds(events[0], events[1], out) : status;
}

extern "C" enum status matmul_cublaslt_tune(struct matmul_cublaslt *library,
                                            const struct matmul_cublaslt_args *args)
{
    if (!is_valid(args)) {
        return STATUS_INVALID;
    }
    if (args->row_count == 0 || find_choice(library, args)) {
        return STATUS_OK;
    }
    cublasLtMatmulHeuristicResult_t candidates[CANDIDATES] = {};
    int count = 0;
    struct choice *choice = add_choice(library, args, candidates, &count);
    if (!choice) {
        return library->choice_count == MATMUL_CUBLASLT_SHAPES_MAX ? STATUS_FULL
                                                                   : STATUS_UNSUPPORTED;
    }
    struct gpu_event *events[2] = {NULL, NULL};
    enum status status = gpu_event_create(library->gpu, &events[0]);
    if (status == STATUS_OK) {
        status = gpu_event_create(library->gpu, &events[1]);
    }
    float best = 0.0F;
    for (int i = 0; i < count && status == STATUS_OK; i++) {
        float time = 0.0F;
        status = time_candidate(library, choice, &candidates[i].algo, args, events, &time);
        if (status == STATUS_OK && (best == 0.0F || time < best)) {
            best = time;
            choice->algorithm = candidates[i].algo;
        }
        status = status == STATUS_UNSUPPORTED ? STATUS_OK : status;
    }
    gpu_event_destroy(events[0]);
    gpu_event_destroy(events[1]);
    return status;
}

// ---- launcher ----------------------------------------------------------------------------------

static enum status add_bias(struct matmul_cublaslt *library,
                            const struct matmul_cublaslt_args *args)
{
    const struct bias_args bias = {(uint32_t *)args->out, args->bias, args->row_count,
                                   args->out_count, args->out_stride};
    const uint32_t columns = 2 * BIAS_THREADS;
    const struct gpu_launch_shape shape = {
        args->row_count, (args->out_count + columns - 1) / columns, 1, BIAS_THREADS, 0};
    return gpu_launch(args->dtype == DTYPE_F16 ? matmul_bias_kernel<f16> : matmul_bias_kernel<bf16>,
                      "matmul_bias", shape, gpu_stream_of(library->gpu), bias);
}

extern "C" enum status matmul_cublaslt_run(struct matmul_cublaslt *library,
                                           const struct matmul_cublaslt_args *args)
{
    if (!is_valid(args)) {
        return STATUS_INVALID;
    }
    if (args->row_count == 0) {
        return STATUS_OK;
    }
    struct choice *choice = find_choice(library, args);
    if (!choice) {
        cublasLtMatmulHeuristicResult_t candidates[CANDIDATES] = {};
        int count = 0;
        choice = add_choice(library, args, candidates, &count);
    }
    if (!choice || compute(library, choice, &choice->algorithm, args) != CUBLAS_STATUS_SUCCESS) {
        return STATUS_DEVICE;
    }
    return args->bias ? add_bias(library, args) : STATUS_OK;
}

#else

extern "C" enum status matmul_cublaslt_create(struct gpu *gpu, struct matmul_cublaslt **out,
                                              struct failure *failure)
{
    (void)gpu;
    (void)out;
    return fail(failure, STATUS_UNSUPPORTED,
                "kernels.matmul: fastest is not in this build (cublasLt.h was not found); choose "
                "invariant");
}

extern "C" void matmul_cublaslt_destroy(struct matmul_cublaslt *library)
{
    (void)library;
}

extern "C" enum status matmul_cublaslt_tune(struct matmul_cublaslt *library,
                                            const struct matmul_cublaslt_args *args)
{
    (void)library;
    (void)args;
    return STATUS_UNSUPPORTED;
}

extern "C" enum status matmul_cublaslt_run(struct matmul_cublaslt *library,
                                           const struct matmul_cublaslt_args *args)
{
    (void)library;
    (void)args;
    return STATUS_UNSUPPORTED;
}
#endif
