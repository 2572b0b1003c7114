/* A tree of size leaves has a complete subtree for each bit that is set in size, the largest first.
 * Appending is adding 1 in binary: each carry joins the last two peaks. */
#include "audit/chain/merkle.h"

#include <string.h>

#include "base/assert.h"

uint32_t merkle_peak_count(uint64_t size)
{
    return (uint32_t)__builtin_popcountll(size);
}

struct digest merkle_node(struct digest left, struct digest right)
{
    uint8_t input[1 + 2 * DIGEST_BYTES] = {0x01};
    memcpy(input + 1, left.bytes, DIGEST_BYTES);
    memcpy(input + 1 + DIGEST_BYTES, right.bytes, DIGEST_BYTES);
    return digest_of(input, sizeof input);
}

void merkle_append(struct merkle *tree, struct digest leaf)
{
    ASSERT(tree->size < MERKLE_SIZE_MAX);
    uint32_t count = merkle_peak_count(tree->size);
    for (uint64_t carry = tree->size; carry & 1; carry >>= 1) {
        leaf = merkle_node(tree->peaks[--count], leaf);
    }
    tree->peaks[count] = leaf;
    tree->size++;
}

struct digest merkle_root(const struct merkle *tree)
{
    uint32_t count = merkle_peak_count(tree->size);
    if (count == 0) {
        return digest_of("", 0);
    }
    struct digest root = tree->peaks[--count];
    while (count > 0) {
        root = merkle_node(tree->peaks[--count], root);
    }
    return root;
}

struct digest merkle_root_of(const struct digest *leaves, size_t count)
{
    struct merkle tree = {0};
    for (size_t i = 0; i < count; i++) {
        merkle_append(&tree, leaves[i]);
    }
    return merkle_root(&tree);
}

/* Leaves of the left subtree: the largest power of two below count. */
static size_t left_count(size_t count)
{
    size_t left = 1;
    while (left < count - left) {
        left *= 2;
    }
    return left;
}

size_t merkle_path(const struct digest *leaves, size_t count, size_t index,
                   struct digest out[MERKLE_PATH_MAX])
{
    ASSERT(index < count);
    struct digest from_root[MERKLE_PATH_MAX];
    size_t length = 0;
    while (count > 1) {
        const size_t left = left_count(count);
        if (index < left) {
            from_root[length++] = merkle_root_of(leaves + left, count - left);
            count = left;
        } else {
            from_root[length++] = merkle_root_of(leaves, left);
            leaves += left;
            count -= left;
            index -= left;
        }
    }
    for (size_t i = 0; i < length; i++) {
        out[i] = from_root[length - 1 - i];
    }
    return length;
}

/* Climbs from the leaf. last is the rightmost node of the row: where it has no sibling, the node
 * stands for itself one row up (RFC 9162, 2.1.3.2). */
bool merkle_path_proves(struct digest leaf, uint64_t index, uint64_t count,
                        const struct digest *path, size_t path_count, struct digest root)
{
    if (index >= count) {
        return false;
    }
    uint64_t last = count - 1;
    for (size_t i = 0; i < path_count; i++) {
        if (last == 0) {
            return false;
        }
        while (index == last && (index & 1) == 0) {
            index >>= 1;
            last >>= 1;
        }
        leaf = (index & 1) ? merkle_node(path[i], leaf) : merkle_node(leaf, path[i]);
        index >>= 1;
        last >>= 1;
    }
    return last == 0 && digest_same(leaf, root);
}
