#include "model/files/weight_files.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/json_field.h"

static const char single_name[] = "model.safetensors";
static const char suffix[] = ".safetensors";

struct weight_files {
    struct weight_file *files; /* in the order of names */
    size_t count;
    json_t *index; /* weight_map: tensor name to shard name; NULL for a single file */
};

/* ---- one file -------------------------------------------------------------------------------- */

/* Maps path read-only. STATUS_NOT_FOUND, STATUS_INVALID (not a file, empty), STATUS_IO. */
static enum status map_file(const char *path, struct weight_file *file, struct failure *failure)
{
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
        return errno == ENOENT || errno == ENOTDIR
                   ? fail(failure, STATUS_NOT_FOUND, "no such file")
                   : fail(failure, STATUS_IO, "cannot be opened: %s", strerror(errno));
    }
    enum status status = STATUS_OK;
    struct stat info;
    if (fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) {
        status = fail(failure, STATUS_INVALID, "is not a regular file");
        goto done;
    }
    if (info.st_size == 0) {
        status = fail(failure, STATUS_INVALID, "truncated: the file is empty");
        goto done;
    }
    void *bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (bytes == MAP_FAILED) {
        status = fail(failure, STATUS_IO, "cannot be mapped: %s", strerror(errno));
        goto done;
    }
    file->bytes = bytes;
    file->length = (size_t)info.st_size;
    (void)madvise(bytes, file->length, MADV_WILLNEED); /* reading ahead is only a hint */
done:
    close(descriptor);
    return status;
}

/* On failure the caller's close releases what file holds by then. */
static enum status open_file(const char *directory, struct weight_file *file,
                             struct failure *failure)
{
    char path[JSON_FIELD_PATH_BYTES];
    const int length = snprintf(path, sizeof path, "%s/%s", directory, file->name);
    enum status status = STATUS_OK;
    if (length < 0 || (size_t)length >= sizeof path) {
        status = fail(failure, STATUS_INVALID, "its path is too long");
    }
    if (status == STATUS_OK) {
        status = map_file(path, file, failure);
    }
    if (status == STATUS_OK) {
        status = safetensors_parse(file->bytes, file->length, &file->tensors, failure);
    }
    if (status != STATUS_OK) {
        fail_prefix(failure, file->name);
    }
    return status;
}

/* ---- the index ------------------------------------------------------------------------------- */

/* A shard's name must stay inside the directory. */
static bool is_shard_name(const char *name)
{
    const size_t length = strlen(name);
    const size_t suffix_length = sizeof suffix - 1;
    return length > suffix_length && length < sizeof((struct weight_file *)0)->name
           && strcmp(name + length - suffix_length, suffix) == 0 && !strchr(name, '/')
           && !strchr(name, '\\') && name[0] != '.';
}

static int compare_files(const void *a, const void *b)
{
    const struct weight_file *left = a;
    const struct weight_file *right = b;
    return strcmp(left->name, right->name);
}

static struct weight_file *find_file(const struct weight_files *files, const char *name)
{
    struct weight_file key = {.bytes = NULL};
    snprintf(key.name, sizeof key.name, "%s", name);
    return bsearch(&key, files->files, files->count, sizeof key, compare_files);
}

/* Collects the distinct shard names of the map, sorted. */
static enum status list_shards(struct weight_files *files, struct failure *failure)
{
    const char *tensor;
    json_t *shard;
    json_object_foreach(files->index, tensor, shard)
    {
        const char *name = json_string_value(shard);
        if (!name || !is_shard_name(name)) {
            return fail(failure, STATUS_INVALID,
                        "%s: weight_map: %.80s: must be the name of a %s file of this directory",
                        WEIGHT_FILES_INDEX, tensor, suffix);
        }
        if (find_file(files, name)) {
            continue;
        }
        if (files->count == WEIGHT_FILES_MAX) {
            return fail(failure, STATUS_TOO_LARGE, "%s: weight_map names more than %d shards",
                        WEIGHT_FILES_INDEX, WEIGHT_FILES_MAX);
        }
        struct weight_file *file = &files->files[files->count++];
        snprintf(file->name, sizeof file->name, "%s", name);
        qsort(files->files, files->count, sizeof *files->files, compare_files);
    }
    return files->count > 0
               ? STATUS_OK
               : fail(failure, STATUS_INVALID, "%s: weight_map is empty", WEIGHT_FILES_INDEX);
}

static enum status read_index(const char *directory, struct weight_files *files,
                              struct failure *failure)
{
    json_t *root = NULL;
    enum status status = json_field_read(directory, WEIGHT_FILES_INDEX,
                                         WEIGHT_FILES_INDEX_BYTES_MAX, &root, failure);
    if (status == STATUS_NOT_FOUND) {
        return fail(failure, status, "neither %s nor %s is in the directory", single_name,
                    WEIGHT_FILES_INDEX);
    }
    if (status == STATUS_OK) {
        files->index = json_incref(json_object_get(root, "weight_map"));
        status = json_is_object(files->index)
                     ? list_shards(files, failure)
                     : fail(failure, STATUS_INVALID, "%s: weight_map is missing or not an object",
                            WEIGHT_FILES_INDEX);
    }
    json_decref(root);
    return status;
}

/* Every tensor of the map must be in the shard that it names. */
static enum status check_index(const struct weight_files *files, struct failure *failure)
{
    const char *tensor;
    json_t *shard;
    json_object_foreach(files->index, tensor, shard)
    {
        const char *name = json_string_value(shard);
        if (!safetensors_find(find_file(files, name)->tensors, tensor)) {
            return fail(failure, STATUS_INVALID, "%s: tensor %.80s is not in its shard %.80s",
                        WEIGHT_FILES_INDEX, tensor, name);
        }
    }
    return STATUS_OK;
}

/* ---- all of them ----------------------------------------------------------------------------- */

enum status weight_files_open(const char *directory, struct weight_files **out,
                              struct failure *failure)
{
    struct weight_files *files = calloc(1, sizeof *files);
    if (files) {
        files->files = calloc(WEIGHT_FILES_MAX, sizeof *files->files);
    }
    if (!files || !files->files) {
        free(files);
        return fail(failure, STATUS_IO, "no memory to list the weight files");
    }
    files->count = 1;
    snprintf(files->files[0].name, sizeof files->files[0].name, "%s", single_name);
    enum status status = open_file(directory, &files->files[0], failure);
    if (status == STATUS_NOT_FOUND) {
        files->count = 0;
        status = read_index(directory, files, failure);
        for (size_t i = 0; status == STATUS_OK && i < files->count; i++) {
            status = open_file(directory, &files->files[i], failure);
        }
        if (status == STATUS_OK) {
            status = check_index(files, failure);
        }
    }
    if (status == STATUS_OK) {
        *out = files;
        files = NULL; /* ownership moved to the caller */
    }
    weight_files_close(files);
    return status;
}

static void unmap(const void *bytes, size_t length)
{
    if (bytes) {
        (void)munmap((void *)(uintptr_t)bytes, length);
    }
}

void weight_files_close(struct weight_files *files)
{
    if (!files) {
        return;
    }
    for (size_t i = 0; i < files->count; i++) {
        safetensors_destroy(files->files[i].tensors);
        unmap(files->files[i].bytes, files->files[i].length);
    }
    json_decref(files->index);
    free(files->files);
    free(files);
}

size_t weight_files_count(const struct weight_files *files)
{
    return files->count;
}

const struct weight_file *weight_files_at(const struct weight_files *files, size_t index)
{
    return index < files->count ? &files->files[index] : NULL;
}

const struct safetensors_tensor *weight_files_find(const struct weight_files *files,
                                                   const char *name,
                                                   const struct weight_file **file)
{
    if (files->index) {
        const char *shard = json_string_value(json_object_get(files->index, name));
        *file = shard ? find_file(files, shard) : NULL;
    } else {
        *file = &files->files[0];
    }
    return *file ? safetensors_find((*file)->tensors, name) : NULL;
}
