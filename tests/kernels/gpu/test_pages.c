/* Method: pages of random bytes, from one access to several blocks' worth, against the reference on
 * the same bytes: every byte of every pool, so that a neighbour's page is seen to stay. */
#include <stdlib.h>
#include <string.h>

#include "kernels/pages/pages.h"
#include "tests/check.h"
#include "tests/kernels/gpu/support_device.h"

enum { PAGES = 9, POOLS = 4 };

static const size_t page_sizes[] = {16, 4096, 4112, 20480, 32768};
static const uint32_t scrubbed[] = {8, 0, 3};
static const struct pages_pair pairs[] = {{0, 5}, {8, 1}, {0, 7}};

static unsigned char *random_bytes(size_t bytes)
{
    struct random_source random = {bytes};
    unsigned char *memory = malloc(bytes);
    for (size_t i = 0; i < bytes; i++) {
        memory[i] = (unsigned char)random_below(&random, 256);
    }
    return memory;
}

static void run_case(struct gpu *gpu, size_t page_bytes, uint32_t count)
{
    const size_t pool_bytes = PAGES * page_bytes + 32; /* a gap that nothing may touch */
    unsigned char *want = random_bytes(POOLS * pool_bytes);
    const struct pages_pools pools = {support_device_take(gpu, want, POOLS * pool_bytes),
                                      pool_bytes, page_bytes, POOLS};
    const struct pages_pools host_pools = {want, pool_bytes, page_bytes, POOLS};
    const struct pages_copy_args copy = {pools, support_device_take(gpu, pairs, sizeof pairs),
                                         count};
    const struct pages_scrub_args scrub = {
        pools, support_device_take(gpu, scrubbed, sizeof scrubbed), count};
    support_device_must(gpu, pages_copy_gpu_launch(&copy, gpu_stream_of(gpu)), "copy");
    support_device_must(gpu, pages_scrub_gpu_launch(&scrub, gpu_stream_of(gpu)), "scrub");
    pages_copy_reference(&(struct pages_copy_args){host_pools, pairs, count});
    pages_scrub_reference(&(struct pages_scrub_args){host_pools, scrubbed, count});
    unsigned char *got = support_device_read(gpu, pools.kv, POOLS * pool_bytes);
    size_t at = 0;
    while (at < POOLS * pool_bytes && got[at] == want[at]) {
        at++;
    }
    CHECK(at == POOLS * pool_bytes, "%u of %zu bytes: byte %zu of pool %zu", count, page_bytes,
          at % pool_bytes, at / pool_bytes);
    support_device_release(gpu);
    free(want);
    free(got);
}

/* The references themselves, by hand. */
static void the_references_do_what_they_say(void)
{
    char kv[] = "abcdefABCDEF"; /* two pools of three pages of two bytes */
    const struct pages_pools pools = {kv, 6, 2, 2};
    const struct pages_pair pair = {2, 0};
    const uint32_t page = 1;
    pages_copy_reference(&(struct pages_copy_args){pools, &pair, 1});
    pages_scrub_reference(&(struct pages_scrub_args){pools, &page, 1});
    CHECK(memcmp(kv, "ef\0\0efEF\0\0EF", sizeof kv - 1) == 0, "copied, then scrubbed");
}

static void test(struct gpu *gpu)
{
    for (size_t i = 0; i < sizeof page_sizes / sizeof page_sizes[0]; i++) {
        for (uint32_t count = 0; count <= 3; count++) {
            run_case(gpu, page_sizes[i], count);
        }
    }
    const struct pages_scrub_args odd = {.pools = {.pool_bytes = 64, .page_bytes = 24}};
    CHECK(pages_scrub_gpu_launch(&odd, gpu_stream_of(gpu)) == STATUS_UNSUPPORTED, "24 bytes");
}

int main(void)
{
    the_references_do_what_they_say();
    support_device_on_each(test);
    return check_failures > 0;
}
