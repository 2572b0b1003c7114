/* gpu_batch.h - one step's ragged batch on the device: built on the host in one block, uploaded
 * with one copy. All arrays have fixed capacities, so that their addresses never change and a
 * captured graph serves every step. Kernels are launched for a bucket of rows at least as large as
 * the batch and look at counts: what lies beyond is left alone. */
#pragma once
#include <stdint.h>

/* rows [row_first, row_first + row_count) stand at positions position_first and after; their pages
 * are pages[page_first ...], enough for position_first + row_count tokens. */
struct gpu_sequence {
    uint32_t row_first, row_count, position_first, page_first;
};

struct gpu_row {
    uint32_t sequence, position;
};

struct gpu_counts {
    uint32_t row_count, sequence_count, logit_row_count;
    uint32_t attention_item_count, attention_decode_count; /* the decoding items come first */
};

struct gpu_batch { /* device addresses */
    const struct gpu_counts *counts;
    const uint32_t *ids;                  /* [row] */
    const struct gpu_row *rows;           /* [row] */
    const struct gpu_sequence *sequences; /* [sequence] */
    const uint32_t *pages;                /* [page_first + i] */
    const uint32_t *logit_rows;           /* [logit row] -> row, rising */
};
