#include "audit/spool/segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/spool/file.h"

enum { NAME_DIGITS = 20, LIST_STEP = 64 };

static const char folder[] = "segments";
static const char suffix[] = ".seg";

enum status segment_path(const char *directory, uint64_t first_sequence,
                         char out[DIRECTORY_PATH_BYTES], struct failure *failure)
{
    char name[NAME_DIGITS + sizeof suffix];
    snprintf(name, sizeof name, "%020" PRIu64 "%s", first_sequence, suffix);
    return directory_path(directory, folder, name, out, failure);
}

enum status segment_sync_directory(const char *directory, struct failure *failure)
{
    char path[DIRECTORY_PATH_BYTES];
    const enum status status = directory_path(directory, folder, NULL, path, failure);
    return status == STATUS_OK ? file_sync_directory(path, failure) : status;
}

/* ---- making ---------------------------------------------------------------------------------- */

/* A try before that failed after its rename has left just the snapshot. */
static enum status check_free(const char *path, size_t snapshot_bytes, struct failure *failure)
{
    struct stat info;
    if (lstat(path, &info) != 0) {
        return errno == ENOENT ? STATUS_OK : file_failed(failure, path, "looked at");
    }
    return info.st_size <= (off_t)snapshot_bytes
               ? STATUS_OK
               : fail(failure, STATUS_INVALID,
                      "%.200s: holds records already: run `ward audit verify`", path);
}

static enum status create(const char *directory, uint64_t first, const struct buffer *snapshot,
                          int *out_fd, struct failure *failure)
{
    char path[DIRECTORY_PATH_BYTES];
    enum status status = segment_path(directory, first, path, failure);
    if (status == STATUS_OK) {
        status = check_free(path, snapshot->length, failure);
    }
    if (status == STATUS_OK) {
        status = file_replace(path, snapshot->bytes, snapshot->length, failure);
    }
    if (status == STATUS_OK) {
        status = segment_sync_directory(directory, failure);
    }
    if (status != STATUS_OK) {
        return status;
    }
    const int fd = file_open(path, O_RDWR);
    if (fd < 0) {
        return file_failed(failure, path, "opened");
    }
    *out_fd = fd;
    return STATUS_OK;
}

enum status segment_create(const char *directory, const struct chain *chain, int *out_fd,
                           uint64_t *out_bytes, struct failure *failure)
{
    struct buffer snapshot = {.limit_bytes = FRAME_HEADER_BYTES + FRAME_BODY_BYTES_MAX};
    enum status status = chain_write_snapshot(chain, &snapshot);
    if (status != STATUS_OK) {
        status = fail(failure, status, "%.200s: no memory for a snapshot of the chain", directory);
    } else {
        status = create(directory, chain->sequence + 1, &snapshot, out_fd, failure);
    }
    *out_bytes = snapshot.length;
    buffer_destroy(&snapshot);
    return status;
}

/* ---- listing --------------------------------------------------------------------------------- */

/* 0: the name is no segment's. */
static uint64_t parse_name(const char *name)
{
    uint64_t value = 0;
    if (strlen(name) != NAME_DIGITS + sizeof suffix - 1
        || strcmp(name + NAME_DIGITS, suffix) != 0) {
        return 0;
    }
    for (int i = 0; i < NAME_DIGITS; i++) {
        const unsigned digit = (unsigned)name[i] - '0';
        if (digit > 9 || value > (UINT64_MAX - digit) / 10) {
            return 0;
        }
        value = value * 10 + digit;
    }
    return value;
}

struct list {
    uint64_t *items;
    size_t count, capacity;
};

static bool list_add(struct list *list, uint64_t value)
{
    if (list->count == list->capacity) {
        uint64_t *grown =
            realloc(list->items, (list->capacity + LIST_STEP) * 2 * sizeof *list->items);
        if (!grown) {
            return false;
        }
        list->items = grown;
        list->capacity = (list->capacity + LIST_STEP) * 2;
    }
    list->items[list->count++] = value;
    return true;
}

static int compare(const void *a, const void *b)
{
    const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/* A name that is replaced while the directory is read may be met twice. */
static void sort(struct list *list)
{
    size_t kept = 0;
    if (list->count > 0) {
        qsort(list->items, list->count, sizeof *list->items, compare);
    }
    for (size_t i = 0; i < list->count; i++) {
        if (i == 0 || list->items[i] != list->items[i - 1]) {
            list->items[kept++] = list->items[i];
        }
    }
    list->count = kept;
}

static enum status read_names(DIR *names, struct list *list)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(names);
        if (!entry) {
            return errno == 0 ? STATUS_OK : STATUS_IO;
        }
        const uint64_t first = parse_name(entry->d_name);
        if (first != 0 && !list_add(list, first)) {
            errno = ENOMEM;
            return STATUS_IO;
        }
    }
}

enum status segment_list(const char *directory, uint64_t **out, size_t *out_count,
                         struct failure *failure)
{
    char path[DIRECTORY_PATH_BYTES];
    struct list list = {0};
    *out = NULL;
    *out_count = 0;
    enum status status = directory_path(directory, folder, NULL, path, failure);
    if (status != STATUS_OK) {
        return status;
    }
    DIR *names = opendir(path);
    if (!names) {
        return errno == ENOENT ? STATUS_OK : file_failed(failure, path, "listed");
    }
    status = read_names(names, &list);
    if (status != STATUS_OK) {
        status = file_failed(failure, path, "listed");
        free(list.items);
    } else {
        sort(&list);
        *out = list.items;
        *out_count = list.count;
    }
    closedir(names);
    return status;
}

enum status segment_remove_unfinished(const char *directory, struct failure *failure)
{
    char path[DIRECTORY_PATH_BYTES];
    enum status status = directory_path(directory, folder, NULL, path, failure);
    DIR *names = status == STATUS_OK ? opendir(path) : NULL;
    if (!names) {
        return status == STATUS_OK ? file_failed(failure, path, "listed") : status;
    }
    for (const struct dirent *entry = readdir(names); entry; entry = readdir(names)) {
        const size_t length = strlen(entry->d_name), tail = sizeof FILE_NEW_SUFFIX - 1;
        if (length > tail && strcmp(entry->d_name + length - tail, FILE_NEW_SUFFIX) == 0
            && unlinkat(dirfd(names), entry->d_name, 0) != 0 && errno != ENOENT) {
            status = file_failed(failure, path, "cleared of an unfinished file");
        }
    }
    closedir(names);
    return status;
}
