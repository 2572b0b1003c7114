/* Method: the leaves and roots that implementations of Certificate Transparency share; paths and
 * the root of 1000 leaves from the recursive definition of RFC 6962 2.1, written in Python. Then
 * every path of every small tree proves its own leaf, at its own place, and nothing else. */
#include <stdio.h>
#include <string.h>

#include "audit/chain/little_endian.h"
#include "audit/chain/merkle.h"
#include "tests/audit/support_digest.h"
#include "tests/check.h"

static struct digest leaf_of(const void *bytes, size_t length)
{
    uint8_t input[64] = {0x00};
    memcpy(input + 1, bytes, length);
    return digest_of(input, 1 + length);
}

enum { KNOWN = 8 };

static void fill_known(struct digest out[KNOWN])
{
    static const char *const leaves[KNOWN] = {"",         "\x00", "\x10",     "\x20\x21",
                                              "\x30\x31", "@ABC", "PQRSTUVW", "`abcdefghijklmno"};
    static const size_t lengths[KNOWN] = {0, 1, 1, 2, 2, 4, 8, 16};
    for (size_t i = 0; i < KNOWN; i++) {
        out[i] = leaf_of(leaves[i], lengths[i]);
    }
}

static void roots_are_those_of_certificate_transparency(void)
{
    static const char *const roots[KNOWN + 1] = {
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    };
    struct digest leaves[KNOWN];
    struct merkle tree = {0};
    fill_known(leaves);
    for (size_t size = 0; size <= KNOWN; size++) {
        CHECK(tree.size == size, "size %zu", size);
        CHECK(support_digest_is(merkle_root(&tree), roots[size]), "appended: %zu", size);
        CHECK(support_digest_is(merkle_root_of(leaves, size), roots[size]), "at once: %zu", size);
        if (size < KNOWN) {
            merkle_append(&tree, leaves[size]);
        }
    }
}

static void a_larger_tree_is_that_of_the_definition(void)
{
    struct merkle tree = {0};
    for (uint32_t i = 0; i < 1000; i++) {
        uint8_t number[4];
        little_endian_write_u32(number, i);
        merkle_append(&tree, leaf_of(number, sizeof number));
    }
    CHECK(support_digest_is(merkle_root(&tree),
                            "092174a4201b998bd263ae09fea0f0306b4d6434565b19350513ce5fae499dbe"),
          "root");
    CHECK(merkle_peak_count(tree.size) == 6, "1000 has six bits set");
}

static void known_paths(void)
{
    static const char *const of_5_in_8[] = {
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    };
    struct digest leaves[KNOWN];
    struct digest path[MERKLE_PATH_MAX];
    fill_known(leaves);
    CHECK(merkle_path(leaves, 8, 5, path) == 3, "length of 5 in 8");
    for (int i = 0; i < 3; i++) {
        CHECK(support_digest_is(path[i], of_5_in_8[i]), "5 in 8: %d", i);
    }
    CHECK(merkle_path(leaves, 3, 2, path) == 1, "length of 2 in 3");
    CHECK(support_digest_is(path[0],
                            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
          "2 in 3");
    CHECK(merkle_path(leaves, 1, 0, path) == 0, "a single leaf needs nothing");
}

enum { LEAVES = 40 };

/* A good path must fail with anything else in the place of one of its parts. */
static void check_path(const struct digest *leaves, size_t count, size_t index)
{
    struct digest path[MERKLE_PATH_MAX + 1] = {{{0}}};
    const struct digest root = merkle_root_of(leaves, count);
    const size_t length = merkle_path(leaves, count, index, path);
    CHECK(merkle_path_proves(leaves[index], index, count, path, length, root), "%zu of %zu", index,
          count);
    for (size_t other = 0; other <= count; other++) {
        CHECK(other == index
                  || !merkle_path_proves(leaves[index], other, count, path, length, root),
              "%zu of %zu passes for %zu", index, count, other);
        CHECK(other == index
                  || !merkle_path_proves(leaves[other], index, count, path, length, root),
              "%zu of %zu holds leaf %zu", index, count, other);
    }
    CHECK(!merkle_path_proves(leaves[index], index, count, path, length + 1, root), "longer");
    CHECK(length == 0 || !merkle_path_proves(leaves[index], index, count, path, length - 1, root),
          "shorter");
    for (size_t i = 0; i < length; i++) {
        path[i].bytes[i] ^= 1;
        CHECK(!merkle_path_proves(leaves[index], index, count, path, length, root), "changed");
        path[i].bytes[i] ^= 1;
    }
    CHECK(!merkle_path_proves(leaves[index], index, count, path, length, leaves[LEAVES]), "root");
}

static void a_path_proves_its_leaf_alone(void)
{
    struct digest leaves[LEAVES + 1];
    for (uint32_t i = 0; i <= LEAVES; i++) {
        leaves[i] = leaf_of(&i, sizeof i);
    }
    for (size_t count = 1; count <= LEAVES; count++) {
        for (size_t index = 0; index < count; index++) {
            check_path(leaves, count, index);
        }
    }
}

static void numbers_from_outside_end_the_climb(void)
{
    struct digest path[MERKLE_PATH_MAX] = {{{0}}};
    const struct digest root = digest_of("", 0);
    CHECK(!merkle_path_proves(root, 0, 0, path, 0, root), "an empty tree has no leaf");
    CHECK(!merkle_path_proves(root, UINT64_MAX, UINT64_MAX, path, MERKLE_PATH_MAX, root), "index");
    CHECK(!merkle_path_proves(root, UINT64_MAX - 1, UINT64_MAX, path, MERKLE_PATH_MAX, root),
          "greatest");
}

CHECK_MAIN(roots_are_those_of_certificate_transparency, a_larger_tree_is_that_of_the_definition,
           known_paths, a_path_proves_its_leaf_alone, numbers_from_outside_end_the_climb)
