#include "audit/spool/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/spool/directory.h"

ssize_t file_read_at(int fd, void *out, size_t count, uint64_t offset)
{
    size_t done = 0;
    while (done < count) {
        const ssize_t got = pread(fd, (uint8_t *)out + done, count - done, (off_t)(offset + done));
        if (got < 0 && errno != EINTR) {
            return -1;
        }
        if (got == 0) {
            break;
        }
        done += got > 0 ? (size_t)got : 0;
    }
    return (ssize_t)done;
}

bool file_write_at(int fd, const void *bytes, size_t count, uint64_t offset)
{
    size_t done = 0;
    while (done < count) {
        const ssize_t put =
            pwrite(fd, (const uint8_t *)bytes + done, count - done, (off_t)(offset + done));
        if (put < 0 && errno != EINTR) {
            return false;
        }
        if (put == 0) { /* no reason was given: do not spin */
            errno = EIO;
            return false;
        }
        done += put > 0 ? (size_t)put : 0;
    }
    return true;
}

enum status file_failed(struct failure *failure, const char *path, const char *action)
{
    const int reason = errno;
    enum status status = STATUS_IO;
    if (reason == ENOENT) {
        status = STATUS_NOT_FOUND;
    } else if (reason == EACCES || reason == EPERM || reason == ELOOP) {
        status = STATUS_FORBIDDEN;
    }
    return fail(failure, status, "%.200s: cannot be %s: %s", path, action,
                reason == ELOOP ? "it is a symbolic link" : strerror(reason));
}

int file_open(const char *path, int flags)
{
    int fd = -1;
    do {
        fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

static bool write_and_sync(const char *path, const void *bytes, size_t count)
{
    const int fd = file_open(path, O_WRONLY | O_CREAT | O_TRUNC);
    if (fd < 0) {
        return false;
    }
    const bool is_written = file_write_at(fd, bytes, count, 0) && fsync(fd) == 0;
    const int reason = errno;
    close(fd);
    errno = reason;
    return is_written;
}

enum status file_replace(const char *path, const void *bytes, size_t count, struct failure *failure)
{
    char new_path[DIRECTORY_PATH_BYTES + FILE_NEW_SUFFIX_BYTES];
    const int length = snprintf(new_path, sizeof new_path, "%s" FILE_NEW_SUFFIX, path);
    if (length < 0 || (size_t)length >= sizeof new_path) {
        return fail(failure, STATUS_INVALID, "%.200s: the path is too long", path);
    }
    if (!write_and_sync(new_path, bytes, count) || rename(new_path, path) != 0) {
        const int reason = errno;
        const enum status status = file_failed(failure, path, "written");
        unlink(new_path);
        errno = reason;
        return status;
    }
    return STATUS_OK;
}

enum status file_sync_directory(const char *path, struct failure *failure)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool is_synced = fd >= 0 && fsync(fd) == 0;
    const enum status status = is_synced ? STATUS_OK : file_failed(failure, path, "synced");
    if (fd >= 0) {
        close(fd);
    }
    return status;
}

/* The directory that holds path, or "." or "/". */
static void parent_of(const char *path, char out[DIRECTORY_PATH_BYTES])
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') {
        length--;
    }
    while (length > 0 && path[length - 1] != '/') {
        length--;
    }
    snprintf(out, DIRECTORY_PATH_BYTES, "%.*s", (int)length, length > 0 ? path : ".");
    if (length == 0) {
        snprintf(out, DIRECTORY_PATH_BYTES, ".");
    }
}

static enum status make_one(const char *path, struct failure *failure)
{
    char parent[DIRECTORY_PATH_BYTES];
    struct stat info;
    parent_of(path, parent);
    if (mkdir(path, 0700) == 0) {
        return file_sync_directory(parent, failure);
    }
    if (errno != EEXIST || stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) {
        return file_failed(failure, path, "made");
    }
    (void)!file_sync_directory(parent, NULL); /* who made it may have died before; if we may */
    return STATUS_OK;
}

enum status file_make_directory(const char *path, struct failure *failure)
{
    char part[DIRECTORY_PATH_BYTES];
    const int length = snprintf(part, sizeof part, "%s", path);
    if (length <= 0 || (size_t)length >= sizeof part) {
        return fail(failure, STATUS_INVALID, "%.200s: the path is empty or too long", path);
    }
    struct stat info;
    for (size_t i = 1; part[i] != '\0'; i++) {
        if (part[i] == '/') {
            part[i] = '\0';
            const enum status status = stat(part, &info) == 0 ? STATUS_OK : make_one(part, failure);
            if (status != STATUS_OK) {
                return status;
            }
            part[i] = '/';
        }
    }
    return make_one(path, failure);
}
