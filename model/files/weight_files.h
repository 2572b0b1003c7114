/* weight_files.h - the safetensors files of a model directory, mapped read-only: model.safetensors,
 * or the shards that model.safetensors.index.json names. Owner: the caller of open. Tensors point
 * into the mappings, so the files must not change while they are open. */
#pragma once
#include "model/files/safetensors.h"

struct weight_files;

#define WEIGHT_FILES_INDEX "model.safetensors.index.json"

enum { WEIGHT_FILES_MAX = 1024, WEIGHT_FILES_INDEX_BYTES_MAX = 64 << 20 };

struct weight_file {
    char name[256]; /* "model-00001-of-00003.safetensors" */
    const void *bytes;
    size_t length;
    struct safetensors *tensors;
};

/* Every problem is one line that names the file and the tensor.
 * STATUS_NOT_FOUND: no weights, or a missing shard. STATUS_INVALID, STATUS_TOO_LARGE, STATUS_IO. */
MUST_CHECK enum status weight_files_open(const char *directory, struct weight_files **out,
                                         struct failure *failure);
void weight_files_close(struct weight_files *files); /* NULL is fine */

size_t weight_files_count(const struct weight_files *files);
const struct weight_file *weight_files_at(const struct weight_files *files, size_t index);

/* NULL: no such tensor; else also the file it is in. */
const struct safetensors_tensor *weight_files_find(const struct weight_files *files,
                                                   const char *name,
                                                   const struct weight_file **file);
