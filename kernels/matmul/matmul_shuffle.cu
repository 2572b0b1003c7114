// matmul_shuffle.cu - plain [out, in] weights into the tiles of matmul_plan.h, once, at load.
// Memory bound: reads the source and writes the tiles, each once. A warp makes one operand of 16
// rows x 16 k (512 bytes; half of one for e4m3), 32 source bytes of a row at a time.
#include "kernels/matmul/matmul_kernels.cuh"

enum { THREADS = 128, CHUNKS_A_BLOCK = 8, VALUES = 8 };

struct shuffle_args {
    struct matmul_gpu_shuffle_args plain;
    uint32_t tile_first;
};

// ---- device ------------------------------------------------------------------------------------

constexpr int64_t ROW_IS_ZERO = -1;     // padding
constexpr int64_t ROW_IS_ANOTHERS = -2; // of another part

// The row of this part's source that stands in a row of the tiles.
GPU_DEVICE int64_t source_row(const struct matmul_gpu_shuffle_args &args, uint32_t row)
{
    if (args.weight.is_paired) {
        const uint32_t feature = row / 16 * 8 + row % 8;
        if (row % 16 / 8 != args.out_first) {
            return ROW_IS_ANOTHERS;
        }
        return feature < args.out_count ? (int64_t)feature : ROW_IS_ZERO;
    }
    if (row >= args.weight.out_count) {
        return ROW_IS_ZERO;
    }
    const bool is_own = row >= args.out_first && row - args.out_first < args.out_count;
    return is_own ? (int64_t)(row - args.out_first) : ROW_IS_ANOTHERS;
}

template <class To, class From>
struct converter {
    static GPU_DEVICE To of(From x) { return from_float<To>(x); }
};

template <class T>
struct converter<T, T> {
    static GPU_DEVICE T of(T x) { return x; }
};

// VALUES values of source row at k, zeros beyond the row's end.
template <class From>
GPU_DEVICE void load_values(const struct matmul_gpu_shuffle_args &args, int64_t row, uint32_t k,
                            From values[VALUES])
{
    const uint32_t in_count = args.weight.in_count;
    const From *source = static_cast<const From *>(args.source) + (size_t)row * in_count + k;
    if (in_count % VALUES == 0 && k < in_count) { // then rows begin at 8-byte boundaries
        for (uint32_t i = 0; i < sizeof(From); i++) {
            const uint2 part = reinterpret_cast<const uint2 *>(source)[i];
            memcpy(values + i * VALUES / sizeof(From), &part, sizeof part);
        }
        return;
    }
    for (uint32_t i = 0; i < VALUES; i++) {
        values[i] = k + i < in_count ? source[i] : From{};
    }
}

template <class To, class From>
GPU_DEVICE void shuffle_values(const struct matmul_gpu_shuffle_args &args, uint32_t row, uint32_t k)
{
    const int64_t from = source_row(args, row);
    if (from == ROW_IS_ANOTHERS) {
        return;
    }
    From values[VALUES] = {};
    if (from >= 0) {
        load_values<From>(args, from, k, values);
    }
    const uint32_t chunks = matmul_chunks(&args.weight);
    for (uint32_t i = 0; i < VALUES; i += 2) {
        const To pair[2] = {converter<To, From>::of(values[i]),
                            converter<To, From>::of(values[i + 1])};
        unsigned char *out = static_cast<unsigned char *>(args.weight.tiles)
                             + matmul_tile_offset(row, k + i, chunks, sizeof(To));
        if (sizeof(To) == 2) {
            uint32_t bits;
            memcpy(&bits, pair, sizeof bits);
            *reinterpret_cast<uint32_t *>(out) = bits;
        } else {
            *reinterpret_cast<uint16_t *>(out) = (uint16_t)(pair[0].bits | pair[1].bits << 8);
        }
    }
}

// One scale for each row of the tile, or two for each run of it: those of rows 0 .. 7 and 8 .. 15.
GPU_DEVICE void shuffle_scales(const struct matmul_gpu_shuffle_args &args, uint32_t tile)
{
    const uint32_t runs = args.weight.scale_block ? matmul_runs(&args.weight) : 1;
    const uint32_t rows = args.weight.scale_block ? 8 : 1; // that share a scale
    const uint32_t first = tile * 16 / rows * runs, count = 16 / rows * runs;
    for (uint32_t i = threadIdx.x; i < count; i += THREADS) {
        const int64_t from = source_row(args, tile * 16 + i / runs * rows);
        const size_t block = args.weight.scale_block && from >= 0
                                 ? (size_t)from / args.weight.scale_block * runs + i % runs
                                 : (size_t)from;
        if (from != ROW_IS_ANOTHERS) {
            args.weight.scales[(size_t)first + i] =
                from == ROW_IS_ZERO ? 0.0F : args.scales[args.scale_count == 1 ? 0 : block];
        }
    }
}

template <class To, class From>
__global__ void __launch_bounds__(THREADS) matmul_shuffle_kernel(const struct shuffle_args args)
{
    dependency_wait();
    const uint32_t tile = args.tile_first + blockIdx.x;
    const uint32_t lane = threadIdx.x % 32, step = threadIdx.x / 32;
    const uint32_t row = tile * 16 + lane % 16;
    const uint32_t chunks = matmul_chunks(&args.plain.weight);
    for (uint32_t i = 0; i < CHUNKS_A_BLOCK; i++) {
        const uint32_t chunk = blockIdx.y * CHUNKS_A_BLOCK + i;
        if (chunk < chunks) {
            const uint32_t k = chunk * MATMUL_CHUNK + step * 16 + lane / 16 * VALUES;
            shuffle_values<To, From>(args.plain, row, k);
        }
    }
    if (args.plain.weight.scales && blockIdx.y == 0) {
        shuffle_scales(args.plain, tile);
    }
}

// ---- launcher ----------------------------------------------------------------------------------

static const struct {
    enum dtype from, to;
    void (*kernel)(const struct shuffle_args);
} kernels[] = {
    {DTYPE_BF16, DTYPE_BF16, matmul_shuffle_kernel<struct bf16, struct bf16>},
    {DTYPE_F16, DTYPE_F16, matmul_shuffle_kernel<struct bf16, struct bf16>}, // only moved
    {DTYPE_E4M3, DTYPE_E4M3, matmul_shuffle_kernel<struct e4m3, struct e4m3>},
    {DTYPE_F32, DTYPE_BF16, matmul_shuffle_kernel<struct bf16, float>},
    {DTYPE_F32, DTYPE_F16, matmul_shuffle_kernel<struct f16, float>},
};

static bool has_scales(const struct matmul_gpu_shuffle_args *args)
{
    const struct matmul_gpu_weight *weight = &args->weight;
    if (weight->dtype != DTYPE_E4M3) {
        return !weight->scales && !weight->scale_block;
    }
    if (!args->scales || !weight->scales) {
        return false;
    }
    if (!weight->scale_block) {
        return args->scale_count == 1 || args->scale_count == args->out_count;
    }
    const uint32_t blocks = (args->out_count + MATMUL_RUN - 1) / MATMUL_RUN;
    return weight->scale_block == MATMUL_RUN && args->scale_count == blocks * matmul_runs(weight)
           && (weight->is_paired || args->out_first % 8 == 0);
}

static bool is_valid(const struct matmul_gpu_shuffle_args *args)
{
    const struct matmul_gpu_weight *weight = &args->weight;
    const bool is_inside = weight->is_paired
                               ? args->out_first <= 1 && args->out_count * 2 == weight->out_count
                               : args->out_first < weight->out_count
                                     && args->out_count <= weight->out_count - args->out_first;
    return is_inside && args->out_count > 0 && weight->in_count > 0
           && (uintptr_t)args->source % 16 == 0 && (uintptr_t)weight->tiles % 16 == 0;
}

extern "C" enum status matmul_gpu_shuffle_launch(const struct matmul_gpu_shuffle_args *args,
                                                 struct gpu_stream *stream)
{
    if (!is_valid(args)) {
        return STATUS_INVALID;
    }
    const struct matmul_gpu_weight *weight = &args->weight;
    const uint32_t end = weight->is_paired ? weight->out_count : args->out_first + args->out_count;
    const uint32_t tiles = end == weight->out_count ? matmul_padded_rows(weight) / MATMUL_TILE
                                                    : (end + MATMUL_TILE - 1) / MATMUL_TILE;
    const uint32_t tile_first = weight->is_paired ? 0 : args->out_first / MATMUL_TILE;
    const uint32_t parts = (matmul_chunks(weight) + CHUNKS_A_BLOCK - 1) / CHUNKS_A_BLOCK;
    const struct gpu_launch_shape shape = {tiles - tile_first, parts, 1, THREADS, 0};
    for (const auto &row : kernels) {
        if (row.from == args->source_dtype && row.to == weight->dtype && has_scales(args)) {
            const struct shuffle_args all = {*args, tile_first};
            return gpu_launch(row.kernel, "matmul_shuffle", shape, stream, all);
        }
    }
    return STATUS_UNSUPPORTED;
}
