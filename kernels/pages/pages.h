/* pages.h - whole KV pages in all layers at once: zeroed before another tenant gets them, copied
 * when a shared page is about to be written.
 *
 * Layout   pool_count pools (k and v of each layer), pool_bytes apart; page p of a pool starts at
 *          p * page_bytes. What a byte means does not matter: one call serves every kv dtype.
 * On a GPU kv is 16-byte aligned, pool_bytes and page_bytes are multiples of 16, lists lie in
 *          device memory; both run at the copy bandwidth of the device. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

struct gpu_stream;

struct pages_pools {
    void *kv;
    size_t pool_bytes, page_bytes;
    uint32_t pool_count; /* 2 * layers */
};

struct pages_scrub_args {
    struct pages_pools pools;
    const uint32_t *pages; /* [page_count], each below the pool's page count */
    uint32_t page_count;   /* 0 is a no-op */
};

struct pages_pair {
    uint32_t from, to;
};

struct pages_copy_args {
    struct pages_pools pools;
    const struct pages_pair *pairs; /* [pair_count]; no `to` occurs a second time, in no `from` */
    uint32_t pair_count;            /* 0 is a no-op */
};

/* On host memory. */
void pages_scrub_reference(const struct pages_scrub_args *args);
void pages_copy_reference(const struct pages_copy_args *args);

/* On device memory. STATUS_UNSUPPORTED: not multiples of 16. STATUS_DEVICE: not launched. */
MUST_CHECK enum status pages_scrub_gpu_launch(const struct pages_scrub_args *args,
                                              struct gpu_stream *stream);
MUST_CHECK enum status pages_copy_gpu_launch(const struct pages_copy_args *args,
                                             struct gpu_stream *stream);

#ifdef __cplusplus
}
#endif
