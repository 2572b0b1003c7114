/* rules_parts.h - what a rules value is beside what everyone may read, for the files of this folder
 * alone: its count, the region, the files and the sources it was made of. */
#pragma once
#include <sodium.h>
#include <stdatomic.h>

#include "policy/data/data_file.h"
#include "policy/rules/rules.h"
#include "policy/rules/rules_reader.h"

enum { RULES_FILES_MAX = 2 + RULES_PACKS_MAX, RULES_SOURCES_MAX = 96, RULES_SOURCE_BYTES = 240 };

struct rules_whole {
    struct rules rules; /* first: what others point at */
    atomic_uint references;
    struct resources *resources;
    const char *directory; /* while it is made */
    crypto_hash_sha256_state hash;
    char files[RULES_FILES_MAX][DATA_FILE_PATH_BYTES];
    uint32_t file_count;
    struct {
        char pack[RULES_NAME_BYTES];
        const char *duty;
        char text[RULES_SOURCE_BYTES];
    } sources[RULES_SOURCES_MAX];
    uint32_t source_count;
};

/* rules.c: FOLDER/NAME.yaml by data_file_read, which takes part in the digest. `told`: how errors
 * call it. */
enum { RULES_TOLD_BYTES = DATA_FILE_PATH_BYTES };
MUST_CHECK enum status rules_whole_read(struct rules_whole *whole, const char *folder,
                                        const char *name, struct buffer *out,
                                        char told[RULES_TOLD_BYTES], struct failure *failure);

/* rules_fields.c: what the file says of filter, crisis and webhook, over what was there. */
MUST_CHECK enum status rules_fields_read(const struct rules_reader *reader,
                                         const struct yaml_node *root, struct rules *rules);

/* rules_packs.c: the packs that the file names, then its own duties; the stricter holds. */
MUST_CHECK enum status rules_packs_read(struct rules_whole *whole,
                                        const struct rules_reader *reader,
                                        const struct yaml_node *root);
/* A pack by itself: checked. */
MUST_CHECK enum status rules_packs_check(const char *yaml, size_t length, const char *name,
                                         struct failure *failure);
