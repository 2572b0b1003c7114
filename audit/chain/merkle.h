/* merkle.h - append-only Merkle trees as in Certificate Transparency (RFC 6962, 2.1): of a tree
 * only its peaks are kept (the roots of its complete subtrees, the largest first), enough to append
 * and to tell the root. Pure functions. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/chain/digest.h"

enum { MERKLE_PEAKS_MAX = 40 };
#define MERKLE_SIZE_MAX ((UINT64_C(1) << MERKLE_PEAKS_MAX) - 1) /* leaves of a tree */

struct merkle {
    uint64_t size;                         /* leaves */
    struct digest peaks[MERKLE_PEAKS_MAX]; /* as many as size has bits set */
};

uint32_t merkle_peak_count(uint64_t size);
void merkle_append(struct merkle *tree, struct digest leaf); /* asserts on MERKLE_SIZE_MAX */
struct digest merkle_root(const struct merkle *tree);

struct digest merkle_node(struct digest left, struct digest right);

/* Root of the tree over leaves[0 .. count - 1]. */
struct digest merkle_root_of(const struct digest *leaves, size_t count);

/* Audit path of leaf index in that tree (RFC 6962, 2.1.1), nearest sibling first; returns its
 * length, at most 64. */
enum { MERKLE_PATH_MAX = 64 };
size_t merkle_path(const struct digest *leaves, size_t count, size_t index,
                   struct digest out[MERKLE_PATH_MAX]);
bool merkle_path_proves(struct digest leaf, uint64_t index, uint64_t count,
                        const struct digest *path, size_t path_count, struct digest root);
