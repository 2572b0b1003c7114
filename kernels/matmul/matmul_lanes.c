/* matmul_lanes.c - matmul over lanes. A tile of rows x output features keeps one accumulator each
 * in a register; a weight is widened once and used for all rows of the tile, a piece of x is loaded
 * once and used for all features. With one row the bound is the memory that holds the weights, with
 * many rows the FMA units, so tiles are as large as the registers allow.
 *
 * Several rows go through k in panels, so that the rows of x stay in the first cache; between
 * panels the accumulators wait in `sums`, which changes no bit. */
#include "kernels/lanes/lane_kernels.h"
#include "kernels/lanes/lanes.h"

/* The tile shapes: TILE(rows, features); features divide MATMUL_BLOCK. */
#if defined(__AVX512BW__)
#define TILES(TILE) \
    TILE(1, 2) TILE(2, 3) TILE(3, 3) TILE(4, 4) TILE(5, 4) TILE(6, 4) TILE(7, 3) TILE(8, 3)
enum { TILE_ROWS = 8 };
#else
#define TILES(TILE) TILE(1, 2) TILE(2, 2)
enum { TILE_ROWS = 2 };
#endif

enum {
    TILE_FEATURES = 4,   /* the most of the above */
    PANEL = 1024,        /* of k: 8 rows of it are 32 KiB */
    PANEL_SINGLE = 2048, /* for one row */
    STEP = 2 * LANES,    /* of k: a cache line of 2-byte weights */
    LINE_BYTES = 64,
    SUMS_STRIDE = MATMUL_BLOCK * LANES /* from a row's accumulators to the next row's */
};

struct tile {
    const float *x;
    const unsigned char *weight;
    const unsigned char *next_weight; /* of the tile that follows */
    float *sums;                      /* the tile's first accumulator */
    size_t x_stride, weight_stride_bytes;
    uint32_t k_count;
    bool is_first_panel; /* accumulators start at zero */
    bool prefetches;     /* the next weights: they come from memory */
};

/* What all tiles of some rows have in common. */
struct work {
    enum dtype dtype;
    uint32_t rows, feature_count;
};

typedef void tile_function(const struct tile *tile);

/* Walks through the next tile's weights in the order of memory: for one row, where memory is the
 * bound, that runs a sixth faster than to prefetch from each of its rows in turn. */
struct ahead {
    const unsigned char *line, *row_end;
    size_t stride_bytes, gap_bytes; /* from row to row; from the end of one to the next */
};

INLINED void prefetch_line(struct ahead *ahead)
{
    __builtin_prefetch(ahead->line, 0, 3);
    ahead->line += LINE_BYTES;
    if (ahead->line >= ahead->row_end) {
        ahead->line = ahead->row_end + ahead->gap_bytes;
        ahead->row_end += ahead->stride_bytes;
    }
}

INLINED void prefetch(const struct tile *tile, struct ahead *ahead, uint32_t k, uint32_t rows,
                      uint32_t features, enum dtype dtype)
{
    const size_t lines = STEP * dtype_bytes(dtype) / LINE_BYTES;
    if (!tile->prefetches) {
        return;
    }
    if (rows == 1) {
        UNROLLED for (size_t i = 0; i < lines * features; i++)
        {
            prefetch_line(ahead);
        }
    } else {
        UNROLLED for (size_t i = 0; i < lines * features; i++)
        {
            __builtin_prefetch(tile->next_weight + i % features * tile->weight_stride_bytes
                                   + i / features * LINE_BYTES + k * dtype_bytes(dtype),
                               0, 2);
        }
    }
}

INLINED void add_step(struct lanes sums[TILE_ROWS][TILE_FEATURES], const struct tile *tile,
                      uint32_t k, uint32_t rows, uint32_t features, enum dtype dtype)
{
    struct lanes weights[TILE_FEATURES];
    UNROLLED for (size_t n = 0; n < features; n++)
    {
        weights[n] = lanes_load_weight(
            tile->weight + n * tile->weight_stride_bytes + k * dtype_bytes(dtype), dtype);
    }
    UNROLLED for (size_t m = 0; m < rows; m++)
    {
        const struct lanes x = lanes_keep(lanes_load(tile->x + m * tile->x_stride + k));
        UNROLLED for (size_t n = 0; n < features; n++)
        {
            sums[m][n] = lanes_fma(x, weights[n], sums[m][n]);
        }
    }
}

/* The last k_count % 16 elements: lanes without one are left alone, not given a product of zero,
 * which could turn -0 into +0. */
INLINED void add_tail(struct lanes sums[TILE_ROWS][TILE_FEATURES], const struct tile *tile,
                      uint32_t k, uint32_t rows, uint32_t features, enum dtype dtype)
{
    const uint32_t left = tile->k_count - k;
    UNROLLED for (size_t n = 0; n < features; n++)
    {
        const struct lanes weight = lanes_load_weight_some(
            tile->weight + n * tile->weight_stride_bytes + k * dtype_bytes(dtype), dtype, left);
        UNROLLED for (size_t m = 0; m < rows; m++)
        {
            const struct lanes x = lanes_load_some(tile->x + m * tile->x_stride + k, left);
            sums[m][n] = lanes_first(lanes_fma(x, weight, sums[m][n]), sums[m][n], left);
        }
    }
}

INLINED void run_tile(const struct tile *tile, uint32_t rows, uint32_t features, enum dtype dtype)
{
    struct lanes sums[TILE_ROWS][TILE_FEATURES];
    UNROLLED for (size_t m = 0; m < rows; m++)
    {
        UNROLLED for (size_t n = 0; n < features; n++)
        {
            sums[m][n] = tile->is_first_panel
                             ? lanes_broadcast(0.0F)
                             : lanes_load(tile->sums + m * SUMS_STRIDE + n * LANES);
        }
    }
    const size_t row_bytes = tile->k_count * dtype_bytes(dtype);
    struct ahead ahead = {
        .line = tile->next_weight,
        .row_end = tile->next_weight + row_bytes,
        .stride_bytes = tile->weight_stride_bytes,
        .gap_bytes = tile->weight_stride_bytes - row_bytes,
    };
    uint32_t k = 0;
    for (; k + STEP <= tile->k_count; k += STEP) {
        prefetch(tile, &ahead, k, rows, features, dtype);
        add_step(sums, tile, k, rows, features, dtype);
        add_step(sums, tile, k + LANES, rows, features, dtype);
    }
    for (; k + LANES <= tile->k_count; k += LANES) {
        add_step(sums, tile, k, rows, features, dtype);
    }
    if (k < tile->k_count) {
        add_tail(sums, tile, k, rows, features, dtype);
    }
    UNROLLED for (size_t m = 0; m < rows; m++)
    {
        UNROLLED for (size_t n = 0; n < features; n++)
        {
            lanes_store(tile->sums + m * SUMS_STRIDE + n * LANES, sums[m][n]);
        }
    }
}

#define TILE_OF(rows, features, dtype)                                      \
    static void tile_##rows##x##features##_##dtype(const struct tile *tile) \
    {                                                                       \
        run_tile(tile, rows, features, DTYPE_##dtype);                      \
    }
#define TILE_OF_ALL(rows, features) \
    TILE_OF(rows, features, F32)    \
    TILE_OF(rows, features, BF16)   \
    TILE_OF(rows, features, F16)    \
    TILE_OF(rows, 1, F32)           \
    TILE_OF(rows, 1, BF16)          \
    TILE_OF(rows, 1, F16)
TILES(TILE_OF_ALL)

/* By rows: how many features a tile has, and the functions for that many and for one. */
#define TILE_ROW(rows, features)                                                \
    [rows] = {features,                                                         \
              {tile_##rows##x##features##_F32, tile_##rows##x##features##_BF16, \
               tile_##rows##x##features##_F16},                                 \
              {tile_##rows##x1_F32, tile_##rows##x1_BF16, tile_##rows##x1_F16}},
static const struct shape {
    uint32_t features;
    tile_function *full[DTYPE_PLAIN_COUNT], *single[DTYPE_PLAIN_COUNT];
} shapes[TILE_ROWS + 1] = {TILES(TILE_ROW)};

/* Brings a share of the rows of x that come next to the second cache: they lie apart, so that the
 * hardware does not see them coming. */
static void prefetch_x(const float *x, size_t stride, size_t line, size_t line_end)
{
    enum { LINES = PANEL / LANES };
    for (; line < line_end; line++) {
        __builtin_prefetch(x + line / LINES * stride + line % LINES * LANES, 0, 2);
    }
}

/* All tiles of a panel; next_weight is the first of what follows it. */
static void run_panel(struct tile tile, const struct work *work, const unsigned char *next_weight,
                      const float *next_x)
{
    const struct shape *shape = &shapes[work->rows];
    const uint32_t lines = work->rows * PANEL / LANES;
    for (uint32_t n = 0, done = 0; n < work->feature_count; n += done) {
        const bool is_full = n + shape->features <= work->feature_count;
        done = is_full ? shape->features : 1;
        const unsigned char *following = tile.weight + done * tile.weight_stride_bytes;
        if (next_x) {
            prefetch_x(next_x, tile.x_stride, lines * n / work->feature_count,
                       lines * (n + done) / work->feature_count);
        }
        tile.next_weight = n + done == work->feature_count ? next_weight : following;
        (is_full ? shape->full : shape->single)[work->dtype](&tile);
        tile.weight = following;
        tile.sums += (size_t)done * LANES;
    }
}

/* sums to out, 16 features at a time. */
static void finish(const struct matmul_part *part, bool adds_to_out, float *out, const float *sums,
                   uint32_t n_first, uint32_t feature_count)
{
    for (uint32_t n = 0; n < feature_count; n += LANES) {
        const uint32_t count = feature_count - n < LANES ? feature_count - n : LANES;
        struct lanes vectors[LANES];
        for (uint32_t i = 0; i < LANES; i++) {
            vectors[i] = lanes_load(sums + (size_t)(n + (i < count ? i : 0)) * LANES);
        }
        struct lanes result = lanes_fold_16(vectors);
        if (part->bias) {
            result = lanes_add(result, lanes_load_some(part->bias + n_first + n, count));
        }
        if (adds_to_out) {
            result = lanes_add(lanes_load_some(out + n, count), result);
        }
        lanes_store_some(out + n, count, result);
    }
}

/* The x that the panel after (r, k) reads, if it is as large as this one; else NULL. */
static const float *choose_next_x(const struct matmul_args *args, uint32_t r, uint32_t k)
{
    const uint32_t rows_left = args->row_count - r, k_left = args->in_count - k;
    const float *x = args->x + (size_t)r * args->x_stride;
    if (rows_left >= TILE_ROWS && k_left >= 2 * PANEL) {
        return x + k + PANEL;
    }
    return rows_left >= 2 * TILE_ROWS && args->in_count >= PANEL
               ? x + TILE_ROWS * (size_t)args->x_stride
               : NULL;
}

void LANES_NAME(matmul_block)(const struct matmul_args *args, const struct matmul_part *part,
                              uint32_t n_first)
{
    const uint32_t left = part->out_count - n_first;
    struct work work = {
        .dtype = args->dtype,
        .feature_count = left < MATMUL_BLOCK ? left : MATMUL_BLOCK,
    };
    const size_t element_bytes = dtype_bytes(args->dtype);
    const size_t weight_stride_bytes = args->in_count * element_bytes;
    const unsigned char *weight =
        (const unsigned char *)part->weight + n_first * weight_stride_bytes;
    _Alignas(64) float sums[TILE_ROWS * SUMS_STRIDE];
    for (uint32_t r = 0; r < args->row_count; r += TILE_ROWS) {
        const uint32_t rows_left = args->row_count - r;
        work.rows = rows_left < TILE_ROWS ? rows_left : TILE_ROWS;
        const uint32_t panel = work.rows == 1 ? PANEL_SINGLE : PANEL;
        for (uint32_t k = 0; k < args->in_count; k += panel) {
            const uint32_t k_left = args->in_count - k;
            const unsigned char *next_weight =
                k_left > panel ? weight + (k + panel) * element_bytes
                               : weight + work.feature_count * weight_stride_bytes;
            const struct tile tile = {
                .x = args->x + (size_t)r * args->x_stride + k,
                .weight = weight + k * element_bytes,
                .sums = sums,
                .x_stride = args->x_stride,
                .weight_stride_bytes = weight_stride_bytes,
                .k_count = k_left < panel ? k_left : panel,
                .is_first_panel = k == 0,
                .prefetches = r == 0,
            };
            run_panel(tile, &work, next_weight, choose_next_x(args, r, k));
        }
        for (size_t m = 0; m < work.rows; m++) {
            finish(part, args->adds_to_out, part->out + (r + m) * part->out_stride + n_first,
                   sums + m * SUMS_STRIDE, n_first, work.feature_count);
        }
    }
}
