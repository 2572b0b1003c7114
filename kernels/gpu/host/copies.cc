// copies.cc - cp.async, mbarriers, bulk and tensor copies. A copy fills its destination with 0xFF
// when it is issued and lands at the wait of a thread for it: for cp.async the issuing thread's,
// for the others anybody's barrier_wait() on a phase that the copy belonged to.
#include "kernels/gpu/host/block.cuh"

namespace gpu_host
{

namespace
{

enum : uint32_t { POISON = 0xFF, BULK_ALIGN = 16, TENSOR_ALIGN = 128, BOX_MAX = 256 };

// In the word of struct barrier. Memory that nobody initialised is 0xFF: is_foreign is set.
struct mbarrier {
    uint32_t phase : 1;
    uint32_t arrivals : 15; // of each phase
    uint32_t pending : 15;  // of this phase
    uint32_t is_foreign : 1;
    int32_t bytes; // expected and not yet there
};
static_assert(sizeof(mbarrier) == sizeof(struct barrier), "one word");

struct host_map { // what gpu_tensor_map holds here
    const unsigned char *base;
    uint64_t rows, columns, row_bytes, magic;
    uint32_t box_rows, box_columns, element_bytes, swizzle_bytes;
};
static_assert(sizeof(host_map) <= sizeof(struct gpu_tensor_map), "fits");
const uint64_t MAP_MAGIC = 0x70616d20726f736e;

struct bulk { // a copy under way
    struct barrier *barrier;
    unsigned char *to;
    const unsigned char *from; // NULL: by map
    uint32_t bytes;
    host_map map;
    int32_t column, row;
    bool can_land; // its phase is complete
};
std::vector<bulk> bulks;

mbarrier load(const struct barrier *barrier)
{
    mbarrier state;
    memcpy(&state, barrier, sizeof state);
    return state;
}

void store(struct barrier *barrier, mbarrier state)
{
    memcpy(barrier, &state, sizeof state);
}

mbarrier load_checked(const struct barrier *barrier, const char *what, site site)
{
    if (!is_shared(barrier, sizeof *barrier)) {
        fault("%s at %s:%d: the barrier is not in shared memory", what, site.file, site.line);
    }
    const mbarrier state = load(barrier);
    if (state.is_foreign || state.arrivals == 0) {
        fault("%s at %s:%d: barrier_init() of it was not seen", what, site.file, site.line);
    }
    return state;
}

void finish_phase_if_done(struct barrier *barrier, mbarrier &state)
{
    if (state.pending > 0 || state.bytes != 0) {
        return;
    }
    const uint32_t completed = state.phase;
    state.phase ^= 1;
    state.pending = state.arrivals;
    for (bulk &copy : bulks) {
        copy.can_land = copy.can_land || copy.barrier == barrier;
    }
    for (uint32_t i = 0; i < block_size.x; i++) {
        thread &waiting = threads[i];
        if (waiting.waits_in && waiting.waits_for == barrier && waiting.parity == completed) {
            wake(waiting);
        }
    }
}

void land_row(const bulk &copy, uint32_t box_row)
{
    const host_map &map = copy.map;
    const int64_t row = (int64_t)copy.row + box_row;
    const uint32_t bytes = map.box_columns * map.element_bytes;
    const uint32_t mask = map.swizzle_bytes ? map.swizzle_bytes / 16 - 1 : 0;
    for (uint32_t i = 0; i < map.box_columns; i++) {
        const int64_t column = (int64_t)copy.column + i;
        uintptr_t to =
            reinterpret_cast<uintptr_t>(copy.to) + box_row * bytes + i * map.element_bytes;
        to ^= (to >> 7 & mask) << 4;
        if (row < 0 || (uint64_t)row >= map.rows || column < 0 || (uint64_t)column >= map.columns) {
            memset(reinterpret_cast<void *>(to), 0, map.element_bytes);
        } else {
            memcpy(reinterpret_cast<void *>(to),
                   map.base + (size_t)row * map.row_bytes + (size_t)column * map.element_bytes,
                   map.element_bytes);
        }
    }
}

void land(const bulk &copy)
{
    if (copy.from) {
        memcpy(copy.to, copy.from, copy.bytes);
        return;
    }
    for (uint32_t i = 0; i < copy.map.box_rows; i++) {
        land_row(copy, i);
    }
}

void land_all(const struct barrier *barrier)
{
    size_t kept = 0;
    for (size_t i = 0; i < bulks.size(); i++) {
        if (bulks[i].barrier == barrier && bulks[i].can_land) {
            land(bulks[i]);
        } else {
            bulks[kept++] = bulks[i];
        }
    }
    bulks.resize(kept);
}

void start(const bulk &copy, const char *what, site site)
{
    mbarrier state = load_checked(copy.barrier, what, site);
    if (!is_shared(copy.to, copy.bytes)) {
        fault("%s at %s:%d: %u bytes do not lie in shared memory", what, site.file, site.line,
              copy.bytes);
    }
    memset(copy.to, POISON, copy.bytes);
    bulks.push_back(copy);
    state.bytes -= (int32_t)copy.bytes;
    finish_phase_if_done(copy.barrier, state);
    store(copy.barrier, state);
}

} // namespace

void copies_reset()
{
    bulks.clear();
}

void check_aligned(const void *at, size_t bytes, const char *what, site site)
{
    if (reinterpret_cast<uintptr_t>(at) % bytes != 0) {
        fault("%s at %s:%d: %p is not aligned to %zu", what, site.file, site.line, at, bytes);
    }
}

// ---- cp.async ----

void copy_async(void *shared, const void *global, bool is_valid, site site)
{
    check_aligned(shared, 16, "cp_async_16", site);
    if (is_valid) {
        check_aligned(global, 16, "cp_async_16", site);
    }
    if (!is_shared(shared, 16)) {
        fault("cp_async_16 at %s:%d: its destination is not in shared memory", site.file,
              site.line);
    }
    memset(shared, POISON, 16);
    running->copies.copies.push_back({shared, global, is_valid});
}

void copies_commit()
{
    thread_copies &own = running->copies;
    own.group_ends.push_back(own.copies.size());
}

void copies_wait(uint32_t groups)
{
    thread_copies &own = running->copies;
    if (own.group_ends.size() <= groups) {
        return;
    }
    const size_t done = own.group_ends.size() - groups, count = own.group_ends[done - 1];
    for (size_t i = 0; i < count; i++) {
        const copy_16 &copy = own.copies[i];
        if (copy.is_valid) {
            memcpy(copy.to, copy.from, 16);
        } else {
            memset(copy.to, 0, 16);
        }
    }
    own.copies.erase(own.copies.begin(), own.copies.begin() + (ptrdiff_t)count);
    own.group_ends.erase(own.group_ends.begin(), own.group_ends.begin() + (ptrdiff_t)done);
    for (size_t &end : own.group_ends) {
        end -= count;
    }
}

// ---- mbarriers ----

void mbarrier_init(struct barrier *barrier, uint32_t arrivals, site site)
{
    check_aligned(barrier, 8, "barrier_init", site);
    if (!is_shared(barrier, sizeof *barrier) || arrivals == 0 || arrivals > THREADS_MAX) {
        fault("barrier_init at %s:%d: not in shared memory, or %u arrivals", site.file, site.line,
              arrivals);
    }
    mbarrier state = {};
    state.arrivals = arrivals & 0x7fff;
    state.pending = arrivals & 0x7fff;
    store(barrier, state);
}

void mbarrier_arrive(struct barrier *barrier, uint32_t expected_bytes, site site)
{
    mbarrier state = load_checked(barrier, "barrier_arrive", site);
    if (state.pending == 0) {
        fault("barrier_arrive at %s:%d: more than %u arrivals in a phase", site.file, site.line,
              state.arrivals);
    }
    state.pending--;
    state.bytes += (int32_t)expected_bytes;
    finish_phase_if_done(barrier, state);
    store(barrier, state);
}

void mbarrier_wait(struct barrier *barrier, uint32_t parity, site site)
{
    const mbarrier state = load_checked(barrier, "barrier_wait", site);
    if (state.phase == (parity & 1)) {
        running->parity = parity & 1;
        running->waits_for = barrier;
        wait_in("barrier_wait", site);
    }
    land_all(barrier);
}

// ---- bulk copies ----

void copy_bulk(void *shared, const void *global, uint32_t bytes, struct barrier *barrier, site site)
{
    check_aligned(shared, BULK_ALIGN, "bulk_copy", site);
    check_aligned(global, BULK_ALIGN, "bulk_copy", site);
    if (bytes % BULK_ALIGN != 0) {
        fault("bulk_copy at %s:%d: %u bytes, not a multiple of 16", site.file, site.line, bytes);
    }
    bulk copy = {};
    copy.barrier = barrier;
    copy.to = static_cast<unsigned char *>(shared);
    copy.from = static_cast<const unsigned char *>(global);
    copy.bytes = bytes;
    start(copy, "bulk_copy", site);
}

void copy_tensor(void *shared, const struct gpu_tensor_map *map, int32_t column, int32_t row,
                 struct barrier *barrier, site site)
{
    check_aligned(shared, TENSOR_ALIGN, "tensor_copy_2d", site);
    check_aligned(map, 64, "tensor_copy_2d", site);
    bulk copy = {};
    memcpy(&copy.map, map, sizeof copy.map);
    if (copy.map.magic != MAP_MAGIC) {
        fault("tensor_copy_2d at %s:%d: not a map that gpu_tensor_map_2d() made", site.file,
              site.line);
    }
    copy.barrier = barrier;
    copy.to = static_cast<unsigned char *>(shared);
    copy.bytes = copy.map.box_rows * copy.map.box_columns * copy.map.element_bytes;
    copy.column = column;
    copy.row = row;
    start(copy, "tensor_copy_2d", site);
}

} // namespace gpu_host

extern "C" enum status gpu_tensor_map_2d(struct gpu_tensor_map *out, const void *base,
                                         uint64_t rows, uint64_t columns, uint64_t row_bytes,
                                         uint32_t box_rows, uint32_t box_columns,
                                         uint32_t element_bytes, uint32_t swizzle_bytes)
{
    using namespace gpu_host;
    const uint32_t box_bytes = box_columns * element_bytes;
    const bool has_swizzle = swizzle_bytes == 32 || swizzle_bytes == 64 || swizzle_bytes == 128;
    if (rows == 0 || columns == 0 || reinterpret_cast<uintptr_t>(base) % 16 != 0
        || row_bytes % 16 != 0 || row_bytes < columns * element_bytes || box_rows == 0
        || box_rows > BOX_MAX || box_columns == 0 || box_columns > BOX_MAX || box_bytes % 16 != 0
        || (element_bytes != 1 && element_bytes != 2 && element_bytes != 4)
        || (swizzle_bytes != 0 && (!has_swizzle || box_bytes > swizzle_bytes))) {
        return STATUS_INVALID;
    }
    const host_map map = {static_cast<const unsigned char *>(base),
                          rows,
                          columns,
                          row_bytes,
                          MAP_MAGIC,
                          box_rows,
                          box_columns,
                          element_bytes,
                          swizzle_bytes};
    memset(out, 0, sizeof *out);
    memcpy(out, &map, sizeof map);
    return STATUS_OK;
}
