/* Keys are made under the lock and under a mark, the file `first-start`: where it still lies at the
 * next start, the first one was cut short before any record was kept, and begins anew. Without it,
 * keys that are not all there are a fault. */
#include "audit/spool/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "audit/chain/little_endian.h"
#include "audit/spool/chain_state.h"
#include "audit/spool/file.h"
#include "audit/spool/segment.h"
#include "base/log.h"

enum {
    KEY_FILE_BYTES_MAX = 4096,
    HEX_DIGITS = 2 * DIGEST_BYTES,
    LOCK_TRIES = 10,
    LOCK_PAUSE_MS = 20
};

static const char mark_name[] = "first-start";

enum key_file { SIGNING_KEY, SIGNING_PUB, DIGEST_KEY, OFFICER_KEY, CHAIN_STATE, KEY_FILES };

static const struct {
    const char *name;
    const char *comment;
} key_files[KEY_FILES] = {
    [SIGNING_KEY] = {"signing.key",
                     "# Secret key that signs the checkpoints of this Ward audit log (Ed25519 "
                     "seed).\n# It stays here; nobody but the server needs it.\n"},
    [SIGNING_PUB] = {"signing.pub",
                     "# Public key of this Ward audit log (Ed25519). Whoever has it can check the "
                     "log.\n# Keep a copy away from this machine, and check with it:\n"
                     "#   ward audit verify --public-key COPY\n"},
    [DIGEST_KEY] = {"digest.key",
                    "# Secret key of the digests of prompts and answers in this Ward audit log.\n"
                    "# It stays here; without it no text can be compared with its record.\n"},
    [OFFICER_KEY] = {"officer.key",
                     "# First key of this Ward audit log, for the privacy officer. What to do:\n"
                     "# 1. Move this file away from this machine now, and keep it secret.\n"
                     "# 2. Check with it: ward audit verify --officer-key FILE\n"
                     "# It then finds also what a thief of the whole machine rewrote. The server "
                     "does not need it.\n"},
    [CHAIN_STATE] = {"chain.state", NULL},
};

enum status directory_path(const char *directory, const char *part, const char *name,
                           char out[DIRECTORY_PATH_BYTES], struct failure *failure)
{
    const int length = snprintf(out, DIRECTORY_PATH_BYTES, "%s%s%s%s%s", directory, part ? "/" : "",
                                part ? part : "", name ? "/" : "", name ? name : "");
    return length > 0 && length < DIRECTORY_PATH_BYTES
               ? STATUS_OK
               : fail(failure, STATUS_INVALID, "%.200s: the path of the audit log is too long",
                      directory);
}

/* ---- key files ------------------------------------------------------------------------------- */

/* 64 digits stand alone in one line; '#' begins a comment. */
static bool parse_key(const char *text, size_t length, uint8_t out[DIGEST_BYTES])
{
    uint32_t digit_count = 0;
    bool is_comment = false, has_gap = false;
    char digits[HEX_DIGITS + 1] = "";
    for (size_t i = 0; i < length; i++) {
        const char c = text[i];
        is_comment = c == '\n' ? false : is_comment || c == '#';
        if (is_comment || c == '\n' || c == '\r' || c == ' ' || c == '\t') {
            has_gap = digit_count > 0;
        } else if (has_gap || digit_count == HEX_DIGITS) {
            digit_count = HEX_DIGITS + 1;
            break;
        } else {
            digits[digit_count++] = c;
        }
    }
    size_t bytes = 0;
    const bool is_key =
        digit_count == HEX_DIGITS
        && sodium_hex2bin(out, DIGEST_BYTES, digits, HEX_DIGITS, NULL, &bytes, NULL) == 0
        && bytes == DIGEST_BYTES;
    sodium_memzero(digits, sizeof digits);
    return is_key;
}

enum status directory_read_key_file(const char *path, uint8_t out[DIGEST_BYTES],
                                    struct failure *failure)
{
    char text[KEY_FILE_BYTES_MAX + 1];
    size_t length = 0;
    ssize_t got = 0;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return file_failed(failure, path, "read");
    }
    do { /* not file_read_at: what a person names may be a pipe */
        got = read(fd, text + length, sizeof text - length);
        length += got > 0 ? (size_t)got : 0;
    } while ((got > 0 && length < sizeof text) || (got < 0 && errno == EINTR));
    enum status status = STATUS_OK;
    if (got < 0) {
        status = file_failed(failure, path, "read");
    } else if (length > KEY_FILE_BYTES_MAX || !parse_key(text, length, out)) {
        status = fail(failure, STATUS_INVALID,
                      "%.200s: is no key file: it must hold one line of %d hexadecimal digits",
                      path, HEX_DIGITS);
    }
    sodium_memzero(text, sizeof text);
    close(fd);
    return status;
}

static enum status write_key_file(const char *directory, enum key_file which,
                                  const uint8_t key[DIGEST_BYTES], struct failure *failure)
{
    char path[DIRECTORY_PATH_BYTES], text[KEY_FILE_BYTES_MAX], digits[HEX_DIGITS + 1];
    enum status status = directory_path(directory, NULL, key_files[which].name, path, failure);
    if (status == STATUS_OK) {
        sodium_bin2hex(digits, sizeof digits, key, DIGEST_BYTES);
        const int length = snprintf(text, sizeof text, "%s%s\n", key_files[which].comment, digits);
        status = file_replace(path, text, (size_t)length, failure);
    }
    sodium_memzero(digits, sizeof digits);
    sodium_memzero(text, sizeof text);
    return status;
}

static enum status read_key_of(const char *directory, enum key_file which,
                               uint8_t out[DIGEST_BYTES], struct failure *failure)
{
    char path[DIRECTORY_PATH_BYTES];
    const enum status status =
        directory_path(directory, NULL, key_files[which].name, path, failure);
    return status == STATUS_OK ? directory_read_key_file(path, out, failure) : status;
}

/* False also when that cannot be told. */
static bool has_file(const char *directory, const char *name)
{
    char path[DIRECTORY_PATH_BYTES];
    return directory_path(directory, NULL, name, path, NULL) == STATUS_OK
           && faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static enum status read_of_log(const char *directory, enum key_file which,
                               uint8_t out[DIGEST_BYTES], struct failure *failure)
{
    const enum status status = read_key_of(directory, which, out, failure);
    if (status != STATUS_NOT_FOUND) {
        return status;
    }
    return has_file(directory, "segments")
               ? fail(failure, status,
                      "%.180s: %s is gone, though records are here: put back a copy that was kept "
                      "elsewhere",
                      directory, key_files[which].name)
               : fail(failure, status,
                      "%.180s: there is no audit log here (no %s): start the server once, or name "
                      "the directory of the one that wrote it with --state-dir",
                      directory, key_files[which].name);
}

enum status directory_read_public_key(const char *directory, uint8_t out[CHECKPOINT_KEY_BYTES],
                                      struct failure *failure)
{
    return read_of_log(directory, SIGNING_PUB, out, failure);
}

enum status directory_read_digest_root(const char *directory, uint8_t out[DIGEST_BYTES],
                                       struct failure *failure)
{
    return read_of_log(directory, DIGEST_KEY, out, failure);
}

bool directory_has_officer_key(const char *directory)
{
    return has_file(directory, key_files[OFFICER_KEY].name);
}

void directory_tenant_key(const uint8_t digest_root[DIGEST_BYTES], struct tenant_id tenant,
                          uint8_t out[DIGEST_BYTES])
{
    uint8_t input[10] = {'t', 'e', 'n', 'a', 'n', 't'};
    little_endian_write_u32(input + 6, tenant.value);
    const struct digest key = digest_hmac(digest_root, input, sizeof input);
    memcpy(out, key.bytes, DIGEST_BYTES);
}

/* ---- lock ------------------------------------------------------------------------------------ */

/* What is locked is the directory itself, for a file named lock looks as if one might remove it.
 * Where the file system cannot lock directories (NFS), such a file has to do. Returns its
 * descriptor. */
static int open_locked(const char *directory, int file_flags, int operation, bool *is_taken)
{
    char path[DIRECTORY_PATH_BYTES];
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* itself it may be a link */
    *is_taken = fd >= 0 && flock(fd, operation | LOCK_NB) == 0;
    if (fd < 0 || *is_taken || errno == EWOULDBLOCK || errno == EINTR) {
        return fd;
    }
    close(fd);
    if (directory_path(directory, NULL, "lock", path, NULL) != STATUS_OK) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = file_open(path, file_flags);
    *is_taken = fd >= 0 && flock(fd, operation | LOCK_NB) == 0;
    return fd;
}

/* directory_is_written holds the lock for a moment, so one refusal says nothing. */
static enum status take_lock(const char *directory, int *out, struct failure *failure)
{
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_MS * 1000000L};
    for (int i = 0; i < LOCK_TRIES; i++) {
        bool is_taken = false;
        const int fd = open_locked(directory, O_RDWR | O_CREAT, LOCK_EX, &is_taken);
        if (is_taken) {
            *out = fd;
            return STATUS_OK;
        }
        const int reason = errno;
        if (fd >= 0) {
            close(fd);
        }
        if (fd < 0 || (reason != EWOULDBLOCK && reason != EINTR)) {
            errno = reason;
            return file_failed(failure, directory, "locked");
        }
        nanosleep(&pause, NULL);
    }
    return fail(failure, STATUS_FULL,
                "%.200s: another process writes this audit log: stop it, or give this server a "
                "state directory of its own",
                directory);
}

bool directory_is_written(const char *directory)
{
    bool is_taken = false;
    const int fd = open_locked(directory, O_RDONLY, LOCK_SH, &is_taken);
    const bool is_written = fd >= 0 && !is_taken && errno == EWOULDBLOCK;
    if (fd >= 0) {
        close(fd);
    }
    return is_written;
}

/* ---- a new log ------------------------------------------------------------------------------- */

static enum status mark_path(const char *directory, char out[DIRECTORY_PATH_BYTES],
                             struct failure *failure)
{
    return directory_path(directory, NULL, mark_name, out, failure);
}

static enum status set_mark(const char *directory, bool is_set, struct failure *failure)
{
    char path[DIRECTORY_PATH_BYTES];
    enum status status = mark_path(directory, path, failure);
    if (status == STATUS_OK && is_set) {
        status = file_replace(path, "", 0, failure);
    } else if (status == STATUS_OK && unlink(path) != 0) {
        status = file_failed(failure, path, "removed");
    }
    return status == STATUS_OK ? file_sync_directory(directory, failure) : status;
}

static enum status write_keys(const char *directory, const struct directory_keys *keys,
                              const uint8_t seed[CHECKPOINT_KEY_BYTES],
                              const struct chain_state *state, struct failure *failure)
{
    const uint8_t *const values[] = {[SIGNING_KEY] = seed,
                                     [SIGNING_PUB] = keys->public_key,
                                     [DIGEST_KEY] = keys->digest_root,
                                     [OFFICER_KEY] = state->key};
    char path[DIRECTORY_PATH_BYTES];
    enum status status = set_mark(directory, true, failure);
    for (int i = 0; i < CHAIN_STATE && status == STATUS_OK; i++) {
        status = write_key_file(directory, (enum key_file)i, values[i], failure);
    }
    if (status == STATUS_OK) {
        status = directory_path(directory, NULL, key_files[CHAIN_STATE].name, path, failure);
    }
    if (status == STATUS_OK) {
        status = chain_state_create(path, state, failure);
    }
    if (status == STATUS_OK) {
        status = file_sync_directory(directory, failure);
    }
    return status == STATUS_OK ? set_mark(directory, false, failure) : status;
}

static enum status make_keys(const char *directory, struct directory_keys *keys,
                             struct failure *failure)
{
    struct chain_state state = {.is_clean = true};
    uint8_t seed[CHECKPOINT_KEY_BYTES];
    randombytes_buf(seed, sizeof seed);
    randombytes_buf(keys->digest_root, sizeof keys->digest_root);
    randombytes_buf(state.key, sizeof state.key);
    enum status status = STATUS_IO;
    if (crypto_sign_seed_keypair(keys->public_key, keys->secret, seed) == 0) {
        status = write_keys(directory, keys, seed, &state, failure);
    }
    sodium_memzero(seed, sizeof seed);
    sodium_memzero(&state, sizeof state);
    return status;
}

/* ---- open ------------------------------------------------------------------------------------ */

static enum status read_keys(const char *directory, struct directory_keys *keys,
                             struct failure *failure)
{
    uint8_t seed[CHECKPOINT_KEY_BYTES], told[CHECKPOINT_KEY_BYTES];
    enum status status = read_key_of(directory, SIGNING_KEY, seed, failure);
    if (status == STATUS_OK) {
        status = read_key_of(directory, SIGNING_PUB, told, failure);
    }
    if (status == STATUS_OK) {
        status = read_key_of(directory, DIGEST_KEY, keys->digest_root, failure);
    }
    if (status == STATUS_OK
        && (crypto_sign_seed_keypair(keys->public_key, keys->secret, seed) != 0
            || memcmp(keys->public_key, told, sizeof told) != 0)) {
        status = fail(failure, STATUS_INVALID,
                      "%.180s: signing.key and signing.pub do not belong together: put back the "
                      "pair that this log began with",
                      directory);
    }
    sodium_memzero(seed, sizeof seed);
    return status;
}

/* Whether keys are to be made; STATUS_INVALID when some of what makes up a log is missing. */
static enum status decide(const char *directory, bool *makes_keys, struct failure *failure)
{
    uint64_t *segments = NULL;
    size_t segment_count = 0;
    const enum status status = segment_list(directory, &segments, &segment_count, failure);
    free(segments);
    if (status != STATUS_OK) {
        return status;
    }
    const char *missing = NULL;
    bool has_any = segment_count > 0;
    for (int i = 0; i < KEY_FILES; i++) {
        const bool is_there = has_file(directory, key_files[i].name);
        has_any = has_any || is_there;
        if (!is_there && i != OFFICER_KEY) { /* that one is to be taken away */
            missing = key_files[i].name;
        }
    }
    const bool was_cut_short = segment_count == 0 && has_file(directory, mark_name);
    *makes_keys = !has_any || was_cut_short;
    if (missing && !*makes_keys) {
        return fail(failure, STATUS_INVALID,
                    "%.160s/%s: is missing, though this audit log was begun: put it back from a "
                    "backup, or keep the directory as evidence and start a log elsewhere",
                    directory, missing);
    }
    return STATUS_OK;
}

static enum status prepare(const char *directory, int *lock_fd, struct failure *failure)
{
    char segments[DIRECTORY_PATH_BYTES];
    enum status status = directory_path(directory, "segments", NULL, segments, failure);
    if (status == STATUS_OK) {
        status = file_make_directory(directory, failure);
    }
    if (status == STATUS_OK) {
        status = take_lock(directory, lock_fd, failure);
    }
    return status == STATUS_OK ? file_make_directory(segments, failure) : status;
}

/* On guarded pages of their own, cleared by sodium_free. */
static struct directory_keys *keys_create(void)
{
    struct directory_keys *keys =
        sodium_init() >= 0 ? sodium_malloc(sizeof(struct directory_keys)) : NULL;
    if (keys && sodium_mlock(keys, sizeof *keys) != 0) {
        log_event(LOG_LEVEL_WARN, "audit", "directory.keys_not_locked",
                  "reason=\"memory cannot be locked: raise the limit on locked memory\"");
    }
    return keys;
}

enum status directory_open(const char *directory, struct directory_keys **keys, int *lock_fd,
                           bool *is_new, struct failure *failure)
{
    int fd = -1;
    bool makes_keys = false;
    enum status status = STATUS_IO;
    struct directory_keys *made = keys_create();
    if (!made) {
        return fail(failure, status, "%.200s: no memory for its keys", directory);
    }
    status = prepare(directory, &fd, failure);
    if (status == STATUS_OK) {
        status = decide(directory, &makes_keys, failure);
    }
    if (status == STATUS_OK) {
        status =
            makes_keys ? make_keys(directory, made, failure) : read_keys(directory, made, failure);
    }
    if (status != STATUS_OK) {
        directory_close(made, fd);
        return status;
    }
    *keys = made;
    *lock_fd = fd;
    *is_new = makes_keys;
    return STATUS_OK;
}

void directory_close(struct directory_keys *keys, int lock_fd)
{
    sodium_free(keys);
    if (lock_fd >= 0) {
        close(lock_fd);
    }
}
