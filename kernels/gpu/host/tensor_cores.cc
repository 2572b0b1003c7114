// tensor_cores.cc - ldmatrix, mma and wgmma by the layouts of the PTX ISA. One function multiplies
// for mma and wgmma: the 16 products of a k16 block summed in double, added to d, rounded once.
#include "kernels/gpu/host/block.cuh"

namespace gpu_host
{

namespace
{

enum : uint32_t { K = 16, M = 16, N_MAX = 256, ALL_LANES = 0xffffffffU };

float number(uint16_t bits, bool is_bf16)
{
    return is_bf16 ? to_float(bf16{bits}) : to_float(f16{bits});
}

// d[lane] holds rows lane / 4 and 8 more, columns 2 (lane % 4) and 1 more, of each 16x8 block.
__attribute__((optimize("O3"), no_sanitize("address"), no_sanitize("undefined"))) void
multiply(float *const d[32], const float a[M][K], const float b[K][N_MAX], uint32_t n, bool adds)
{
    for (uint32_t first = 0; first < n; first += 8) {
        for (uint32_t row = 0; row < M; row++) {
            double sums[8] = {};
            for (uint32_t k = 0; k < K; k++) {
                for (uint32_t j = 0; j < 8; j++) {
                    sums[j] += (double)a[row][k] * (double)b[k][first + j];
                }
            }
            for (uint32_t j = 0; j < 8; j++) {
                float *at = &d[row % 8 * 4 + j / 2][first / 2 + row / 8 * 2 + j % 2];
                *at = (float)(adds ? (double)*at + sums[j] : sums[j]);
            }
        }
    }
}

void unpack(float *low, float *high, uint32_t pair, bool is_bf16)
{
    *low = number((uint16_t)pair, is_bf16);
    *high = number((uint16_t)(pair >> 16), is_bf16);
}

// a[0]: row lane / 4, k from 2 (lane % 4); a[1] 8 rows below; a[2] and a[3] 8 further in k.
void a_from_registers(float a[M][K], uint32_t lane, const uint32_t registers[4], bool is_bf16)
{
    for (uint32_t i = 0; i < 4; i++) {
        float *at = &a[lane / 4 + i % 2 * 8][lane % 4 * 2 + i / 2 * 8];
        unpack(at, at + 1, registers[i], is_bf16);
    }
}

// ---- mma ----

struct mma_operands {
    float *d;
    const uint32_t *a, *b;
};

template <bool is_bf16>
void mma_work(uint32_t, void *const arguments[32])
{
    static float a[M][K], b[K][N_MAX];
    float *d[32];
    for (uint32_t lane = 0; lane < 32; lane++) {
        const auto *own = static_cast<const mma_operands *>(arguments[lane]);
        d[lane] = own->d;
        a_from_registers(a, lane, own->a, is_bf16);
        for (uint32_t i = 0; i < 2; i++) {
            const uint32_t k = lane % 4 * 2 + i * 8;
            unpack(&b[k][lane / 4], &b[k + 1][lane / 4], own->b[i], is_bf16);
        }
    }
    multiply(d, a, b, 8, true);
}

// ---- ldmatrix ----

struct matrix_operands {
    uint32_t *out;
    const unsigned char *row;
    uint32_t count;
    bool is_transposed;
};

uint16_t element(void *const arguments[32], uint32_t row, uint32_t column)
{
    uint16_t bits;
    memcpy(&bits, static_cast<const matrix_operands *>(arguments[row])->row + column * 2, 2);
    return bits;
}

void matrix_work(uint32_t, void *const arguments[32])
{
    for (uint32_t lane = 0; lane < 32; lane++) {
        const auto *own = static_cast<const matrix_operands *>(arguments[lane]);
        const uint32_t major = lane / 4, minor = lane % 4 * 2;
        for (uint32_t i = 0; i < own->count; i++) {
            const uint32_t low = own->is_transposed ? element(arguments, i * 8 + minor, major)
                                                    : element(arguments, i * 8 + major, minor);
            const uint32_t high = own->is_transposed ? element(arguments, i * 8 + minor + 1, major)
                                                     : element(arguments, i * 8 + major, minor + 1);
            own->out[i] = low | high << 16;
        }
    }
}

// ---- wgmma ----

struct descriptor { // of an operand in shared memory, decoded
    uint32_t start, leading, stride, swizzle_bytes;
};

descriptor decode(uint64_t bits)
{
    static const uint32_t swizzles[4] = {0, 128, 64, 32};
    return {(uint32_t)(bits & 0x3fff) << 4, (uint32_t)(bits >> 16 & 0x3fff) << 4,
            (uint32_t)(bits >> 32 & 0x3fff) << 4, swizzles[bits >> 62]};
}

// Element (mn, k), in bytes from the start, before the swizzle.
uint32_t offset_k_major(const descriptor &from, uint32_t mn, uint32_t k)
{
    const uint32_t group = mn / 8 * from.stride, row = mn % 8;
    if (from.swizzle_bytes == 0) { // 8 x 16 bytes, contiguous
        return group + row * 16 + k / 8 * from.leading + k % 8 * 2;
    }
    return group + row * from.swizzle_bytes + k * 2;
}

uint32_t offset_mn_major(const descriptor &from, uint32_t mn, uint32_t k)
{
    if (from.swizzle_bytes == 0) {
        return mn / 8 * from.stride + mn % 8 * 2 + k / 8 * from.leading + k % 8 * 16;
    }
    const uint32_t columns = from.swizzle_bytes / 2;
    return mn / columns * from.leading + mn % columns * 2 + k / 8 * from.stride
           + k % 8 * from.swizzle_bytes;
}

float shared_element(const wgmma_call &call, const descriptor &from, uint32_t offset)
{
    const uint32_t mask = from.swizzle_bytes ? from.swizzle_bytes / 16 - 1 : 0;
    uint32_t address = (from.start + offset) & (SHARED_WINDOW_BYTES - 1);
    address ^= (address >> 7 & mask) << 4;
    const unsigned char *at = shared_memory - SHARED_FIRST + address;
    if (!is_shared(at, 2)) {
        fault("wgmma at %s:%d reads outside shared memory (%u)", call.where.file, call.where.line,
              address);
    }
    uint16_t bits;
    memcpy(&bits, at, sizeof bits);
    return number(bits, call.is_bf16);
}

void wgmma_do(uint32_t warp, uint32_t index)
{
    static float a[M][K], b[K][N_MAX];
    float *d[32];
    thread *lanes = &threads[warp * 32];
    const wgmma_call &call = lanes[0].wgmma.calls[index];
    for (uint32_t lane = 0; lane < 32; lane++) {
        const wgmma_call &own = lanes[lane].wgmma.calls[index];
        d[lane] = lanes[lane].wgmma.accumulators[own.accumulator].values.data();
        if (own.has_a_registers) {
            a_from_registers(a, lane, own.a, own.is_bf16);
        }
    }
    const descriptor of_a = decode(call.a_descriptor), of_b = decode(call.b_descriptor);
    for (uint32_t k = 0; k < K; k++) {
        for (uint32_t row = 0; row < M && !call.has_a_registers; row++) {
            a[row][k] = shared_element(call, of_a, offset_k_major(of_a, warp % 4 * 16 + row, k));
        }
        for (uint32_t n = 0; n < call.n; n++) {
            b[k][n] = shared_element(call, of_b,
                                     call.is_b_transposed ? offset_mn_major(of_b, n, k)
                                                          : offset_k_major(of_b, n, k));
        }
    }
    multiply(d, a, b, call.n, call.adds);
}

// Which slot of the thread holds d's values; d itself becomes NaN.
uint32_t accumulator_of(thread_wgmma &own, float *d, uint32_t n, site site)
{
    uint32_t free = (uint32_t)own.accumulators.size();
    for (uint32_t i = 0; i < own.accumulators.size(); i++) {
        accumulator &found = own.accumulators[i];
        if (found.pending == 0) {
            free = i;
        } else if (found.d == d && found.n == n) {
            return i;
        } else if (found.d < d + n / 2 && d < found.d + found.n / 2) {
            fault("wgmma at %s:%d: its accumulator overlaps another's under way", site.file,
                  site.line);
        }
    }
    if (free == own.accumulators.size()) {
        own.accumulators.emplace_back();
    }
    accumulator &taken = own.accumulators[free];
    taken.d = d;
    taken.n = n;
    taken.values.assign(d, d + n / 2);
    memset(d, 0xFF, n / 2 * sizeof *d);
    return free;
}

struct wait_operands {
    thread *own;
    uint32_t groups;
};

size_t calls_to_do(const thread_wgmma &own, uint32_t groups)
{
    return own.group_ends.size() > groups ? own.group_ends[own.group_ends.size() - groups - 1] : 0;
}

void wgmma_forget(thread_wgmma &own, size_t count, uint32_t groups)
{
    for (size_t i = 0; i < count; i++) {
        accumulator &done = own.accumulators[own.calls[i].accumulator];
        if (--done.pending == 0) {
            memcpy(done.d, done.values.data(), done.n / 2 * sizeof *done.d);
        }
    }
    own.calls.erase(own.calls.begin(), own.calls.begin() + (ptrdiff_t)count);
    while (own.group_ends.size() > groups) {
        own.group_ends.erase(own.group_ends.begin());
    }
    for (size_t &end : own.group_ends) {
        end -= count;
    }
}

void wgmma_work(uint32_t, void *const arguments[32])
{
    const auto *first = static_cast<const wait_operands *>(arguments[0]);
    const size_t count = calls_to_do(first->own->wgmma, first->groups);
    for (uint32_t lane = 0; lane < 32; lane++) {
        const auto *own = static_cast<const wait_operands *>(arguments[lane]);
        for (size_t i = 0; i < count; i++) {
            const auto &calls = own->own->wgmma.calls;
            if (calls_to_do(own->own->wgmma, own->groups) != count
                || calls[i].where.line != first->own->wgmma.calls[i].where.line) {
                fault("lanes 0 and %u of warp %u issued different wgmma", lane, first->own->warp);
            }
        }
    }
    let_others_run();
    for (uint32_t i = 0; i < count; i++) {
        wgmma_do(first->own->warp, i);
    }
    for (uint32_t lane = 0; lane < 32; lane++) {
        const auto *own = static_cast<const wait_operands *>(arguments[lane]);
        wgmma_forget(own->own->wgmma, count, own->groups);
    }
}

} // namespace

void load_matrix(uint32_t *out, const void *row, uint32_t count, bool is_transposed, site site)
{
    if (running->lane < count * 8) {
        check_aligned(row, 16, "ldmatrix", site);
        if (!is_shared(row, 16)) {
            fault("ldmatrix at %s:%d: not in shared memory", site.file, site.line);
        }
    }
    matrix_operands own = {out, static_cast<const unsigned char *>(row), count, is_transposed};
    meet(ALL_LANES, "ldmatrix", site, &own, matrix_work);
}

void mma(float *d, const uint32_t *a, const uint32_t *b, bool is_bf16, site site)
{
    mma_operands own = {d, a, b};
    meet(ALL_LANES, "mma_16x8x16", site, &own, is_bf16 ? mma_work<true> : mma_work<false>);
}

void wgmma_issue(const wgmma_operands &operands, site site)
{
    thread_wgmma &own = running->wgmma;
    if (!own.is_fenced) {
        fault("wgmma at %s:%d without wgmma_fence() since the last commit or wait", site.file,
              site.line);
    }
    if (block_size.x % 128 != 0) {
        fault("wgmma at %s:%d needs whole warpgroups, a block has %u threads", site.file, site.line,
              block_size.x);
    }
    wgmma_call call = {};
    call.a_descriptor = operands.a_descriptor;
    call.b_descriptor = operands.b_descriptor;
    call.n = operands.n;
    call.is_bf16 = operands.is_bf16;
    call.adds = operands.adds;
    call.is_b_transposed = operands.is_b_transposed;
    call.has_a_registers = operands.a != nullptr;
    call.where = site;
    if (operands.a) {
        memcpy(call.a, operands.a, sizeof call.a);
    }
    call.accumulator = accumulator_of(own, operands.d, operands.n, site);
    own.accumulators[call.accumulator].pending++;
    own.calls.push_back(call);
    own.issued++;
}

void wgmma_fenced()
{
    running->wgmma.is_fenced = true;
}

void wgmma_committed()
{
    running->wgmma.group_ends.push_back(running->wgmma.calls.size());
    running->wgmma.is_fenced = false;
}

void wgmma_waited(uint32_t groups, site site)
{
    running->wgmma.is_fenced = false;
    wait_operands own = {running, groups};
    meet(ALL_LANES, "wgmma_wait", site, &own, wgmma_work);
}

} // namespace gpu_host
