/* fault_io.c - makes writing fail below one directory, in a process that knows nothing of it.
 *
 *   LD_PRELOAD=libfault_io.so FAULT_IO_DIRECTORY=/state/audit FAULT_IO_CONTROL=/tmp/fault ward ...
 *
 * The control file is read at every call that concerns a file below the directory; while it is
 * missing or empty all works. Each line is `CALL ERROR [torn]`:
 *
 *   CALL   write pwrite fdatasync fsync open rename; open concerns files that are to be written
 *   ERROR  EIO ENOSPC EDQUOT EROFS EACCES EMFILE, or a number; `hold`, of fdatasync: it waits
 *          as long as the line is there, and then works
 *   torn   of write and pwrite: the first half of the bytes is written all the same
 *
 * Replace the control file by rename, so that no call reads half of it. It must not lie below the
 * directory. Unit tests link this file instead of loading it. */
#undef _FILE_OFFSET_BITS /* it would rename the calls that are defined here */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

enum { CONTROL_BYTES = 512 };

struct fault {
    int error; /* 0: none */
    bool is_torn, is_held;
};

/* ---- what is to fail ------------------------------------------------------------------------- */

static bool is_below(const char *path)
{
    const char *directory = getenv("FAULT_IO_DIRECTORY");
    const size_t length = directory ? strlen(directory) : 0;
    return length > 0 && strncmp(path, directory, length) == 0
           && (path[length] == '/' || path[length] == '\0');
}

static int error_of(const char *word)
{
    static const struct {
        const char *name;
        int error;
    } errors[] = {{"EIO", EIO},     {"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT},
                  {"EROFS", EROFS}, {"EACCES", EACCES}, {"EMFILE", EMFILE}};
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        if (strcmp(word, errors[i].name) == 0) {
            return errors[i].error;
        }
    }
    return (int)strtol(word, NULL, 10);
}

/* By system calls, so that nothing of it comes back here. */
static size_t read_control(char out[CONTROL_BYTES])
{
    const char *path = getenv("FAULT_IO_CONTROL");
    const long fd = path ? syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC) : -1;
    const long count = fd >= 0 ? syscall(SYS_read, fd, out, CONTROL_BYTES - 1) : 0;
    if (fd >= 0) {
        syscall(SYS_close, fd);
    }
    out[count > 0 ? count : 0] = '\0';
    return count > 0 ? (size_t)count : 0;
}

static struct fault fault_of(const char *call, const char *path)
{
    struct fault fault = {0};
    char text[CONTROL_BYTES];
    const int error_before = errno;
    if (!is_below(path) || read_control(text) == 0) {
        errno = error_before;
        return fault;
    }
    char *rest_of_text = NULL;
    for (char *line = strtok_r(text, "\n", &rest_of_text); line && fault.error == 0;
         line = strtok_r(NULL, "\n", &rest_of_text)) {
        char *rest = NULL;
        const char *name = strtok_r(line, " ", &rest);
        const char *error = strtok_r(NULL, " ", &rest);
        const char *how = strtok_r(NULL, " ", &rest);
        if (name && error && strcmp(name, call) == 0) {
            fault.error = error_of(error);
            fault.is_held = strcmp(error, "hold") == 0;
            fault.is_torn = how && strcmp(how, "torn") == 0;
        }
    }
    errno = error_before;
    return fault;
}

static struct fault fault_of_fd(const char *call, int fd)
{
    char link[32], path[PATH_MAX];
    const int error_before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t length = readlink(link, path, sizeof path - 1);
    errno = error_before;
    path[length > 0 ? length : 0] = '\0';
    return fault_of(call, path);
}

/* ---- the calls ------------------------------------------------------------------------------- */

EXPORTED ssize_t write(int fd, const void *bytes, size_t count);
EXPORTED ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset);
EXPORTED ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t offset);
EXPORTED int fdatasync(int fd);
EXPORTED int fsync(int fd);
EXPORTED int open(const char *path, int flags, ...);
EXPORTED int open64(const char *path, int flags, ...);
EXPORTED int openat(int at, const char *path, int flags, ...);
EXPORTED int rename(const char *from, const char *to);

ssize_t write(int fd, const void *bytes, size_t count)
{
    const struct fault fault = fault_of_fd("write", fd);
    if (fault.error == 0 || fault.is_torn) {
        const ssize_t done = syscall(SYS_write, fd, bytes, fault.error == 0 ? count : count / 2);
        if (fault.error == 0) {
            return done;
        }
    }
    errno = fault.error;
    return -1;
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset)
{
    const struct fault fault = fault_of_fd("pwrite", fd);
    if (fault.error == 0 || fault.is_torn) {
        const ssize_t done =
            syscall(SYS_pwrite64, fd, bytes, fault.error == 0 ? count : count / 2, offset);
        if (fault.error == 0) {
            return done;
        }
    }
    errno = fault.error;
    return -1;
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t offset)
{
    return pwrite(fd, bytes, count, offset);
}

static int fail_or_call(struct fault fault, long number, int fd)
{
    if (fault.error != 0) {
        errno = fault.error;
        return -1;
    }
    return (int)syscall(number, fd);
}

int fdatasync(int fd)
{
    struct fault fault = fault_of_fd("fdatasync", fd);
    while (fault.is_held) {
        usleep(1000);
        fault = fault_of_fd("fdatasync", fd);
    }
    return fail_or_call(fault, SYS_fdatasync, fd);
}

int fsync(int fd)
{
    return fail_or_call(fault_of_fd("fsync", fd), SYS_fsync, fd);
}

static int open_file(int at, const char *path, int flags, int mode)
{
    const bool is_to_write = (flags & O_ACCMODE) != O_RDONLY;
    const struct fault fault = is_to_write ? fault_of("open", path) : (struct fault){0};
    if (fault.error != 0) {
        errno = fault.error;
        return -1;
    }
    return (int)syscall(SYS_openat, at, path, flags, mode);
}

static int mode_of(int flags, va_list arguments)
{
    const bool has_mode = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
    return has_mode ? va_arg(arguments, int) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    const int mode = mode_of(flags, arguments);
    va_end(arguments);
    return open_file(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    const int mode = mode_of(flags, arguments);
    va_end(arguments);
    return open_file(AT_FDCWD, path, flags, mode);
}

int openat(int at, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    const int mode = mode_of(flags, arguments);
    va_end(arguments);
    return open_file(at, path, flags, mode);
}

int rename(const char *from, const char *to)
{
    const struct fault fault = fault_of("rename", to);
    if (fault.error != 0) {
        errno = fault.error;
        return -1;
    }
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}
