/* Method: real directories, real processes that start at once; every set of missing key files. */
#include "audit/spool/directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "audit/spool/chain_state.h"
#include "audit/spool/segment.h"
#include "audit/spool/spool_reader.h"
#include "tests/audit/support_spool.h"
#include "tests/check.h"

static const char *const names[] = {"signing.key", "signing.pub", "digest.key", "chain.state",
                                    "officer.key"};
enum { NEEDED = 4, FILES = 5, STARTERS = 8, NOBODY = 65534, KILLS = 200, PATH_BYTES = 160 };

struct opened {
    struct directory_keys *keys;
    int lock_fd;
    bool is_new;
    struct failure failure;
};

static enum status open_log(const char *directory, struct opened *out)
{
    *out = (struct opened){.lock_fd = -1};
    return directory_open(directory, &out->keys, &out->lock_fd, &out->is_new, &out->failure);
}

static const char *join(const char *directory, const char *name)
{
    static char path[2 * PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static bool has(const char *directory, const char *name)
{
    return access(join(directory, name), F_OK) == 0;
}

/* ---- a new log ------------------------------------------------------------------------------- */

static void check_mode(const char *path, mode_t mode)
{
    struct stat info;
    CHECK(stat(path, &info) == 0 && (info.st_mode & 07777) == mode, "%s", path);
}

static void a_first_start_makes_keys_and_the_next_reads_them(void)
{
    char temporary[SUPPORT_SPOOL_PATH_BYTES], directory[PATH_BYTES];
    struct opened first, next;
    struct chain_state state;
    uint8_t key[DIGEST_BYTES];
    support_spool_directory(temporary);
    snprintf(directory, sizeof directory, "%s/state/ward/audit", temporary);
    CHECK(directory_read_public_key(directory, key, &first.failure) == STATUS_NOT_FOUND,
          "none yet");
    CHECK(!directory_is_written(directory) && !directory_has_officer_key(directory), "none yet");
    CHECK(open_log(directory, &first) == STATUS_OK, "%s", first.failure.text);
    CHECK(first.is_new && directory_has_officer_key(directory), "new");
    check_mode(directory, 0700);
    check_mode(join(directory, "segments"), 0700);
    for (int i = 0; i < FILES; i++) {
        check_mode(join(directory, names[i]), 0600);
    }
    CHECK(!has(directory, "first-start") && !has(directory, "signing.key.new"), "all is finished");

    CHECK(directory_read_public_key(directory, key, &first.failure) == STATUS_OK
              && memcmp(key, first.keys->public_key, sizeof key) == 0,
          "public key");
    CHECK(directory_read_digest_root(directory, key, &first.failure) == STATUS_OK
              && memcmp(key, first.keys->digest_root, sizeof key) == 0,
          "digest root");
    CHECK(chain_state_read_with_key(join(directory, "chain.state"), &state, &first.failure)
                  == STATUS_OK
              && directory_read_key_file(join(directory, "officer.key"), key, &first.failure)
                     == STATUS_OK
              && memcmp(key, state.key, sizeof key) == 0 && state.epoch == 0 && state.sequence == 0
              && state.is_clean,
          "the officer's key is the first epoch's");

    uint8_t signature[crypto_sign_BYTES];
    crypto_sign_detached(signature, NULL, key, sizeof key, first.keys->secret);
    CHECK(crypto_sign_verify_detached(signature, key, sizeof key, first.keys->public_key) == 0,
          "the pair signs");

    CHECK(directory_is_written(directory), "locked");
    CHECK(open_log(directory, &next) == STATUS_FULL, "one writer alone");
    CHECK(strstr(next.failure.text, directory), "%s", next.failure.text);
    unlink(join(directory, "officer.key")); /* the officer took it */
    const struct directory_keys kept = *first.keys;
    directory_close(first.keys, first.lock_fd);
    CHECK(!directory_is_written(directory), "let go");
    CHECK(open_log(directory, &next) == STATUS_OK && !next.is_new, "%s", next.failure.text);
    CHECK(memcmp(&kept, next.keys, sizeof kept) == 0, "the same keys");
    CHECK(!directory_has_officer_key(directory), "is not made again");
    directory_close(next.keys, next.lock_fd);
    support_spool_remove(temporary);
}

/* Whether `ward audit verify --officer-key FILE` and the like are told to whom they concern. */
static void key_files_say_what_to_do(void)
{
    char directory[SUPPORT_SPOOL_PATH_BYTES];
    uint8_t text[2048];
    struct opened log;
    support_spool_directory(directory);
    CHECK(open_log(directory, &log) == STATUS_OK, "%s", log.failure.text);
    for (int i = 0; i < FILES; i++) {
        const size_t length = support_spool_load(join(directory, names[i]), text, sizeof text - 1);
        text[length] = '\0';
        CHECK(strcmp(names[i], "chain.state") == 0
                  || (text[0] == '#' && length > 65 && text[length - 66] == '\n'
                      && strspn((char *)text + length - 65, "0123456789abcdef") == 64
                      && text[length - 1] == '\n'),
              "%s: a comment, then the key in a line of its own", names[i]);
    }
    support_spool_load(join(directory, "officer.key"), text, sizeof text);
    CHECK(strstr((char *)text, "ward audit verify --officer-key"), "the next step");
    directory_close(log.keys, log.lock_fd);
    support_spool_remove(directory);
}

static void of_two_first_starts_one_wins(void)
{
    char directory[SUPPORT_SPOOL_PATH_BYTES];
    int gate[2], held[2], told[2];
    support_spool_directory(directory);
    CHECK(pipe(gate) == 0 && pipe(told) == 0 && pipe(held) == 0, "pipes");
    for (int i = 0; i < STARTERS; i++) {
        if (fork() == 0) {
            struct opened log;
            char byte;
            close(gate[1]);
            close(held[1]);
            (void)!read(gate[0], &byte, 1); /* until all are there */
            const enum status status = open_log(directory, &log);
            byte = (char)status;
            (void)!write(told[1], &byte, 1);
            (void)!read(held[0], &byte, 1); /* the winner keeps the lock until all have tried */
            _exit(0);
        }
    }
    close(gate[0]);
    close(gate[1]);
    int won = 0, full = 0;
    for (int i = 0; i < STARTERS; i++) {
        char status = -1;
        CHECK(read(told[0], &status, 1) == 1, "an answer");
        won += status == STATUS_OK;
        full += status == STATUS_FULL;
    }
    CHECK(won == 1 && full == STARTERS - 1, "%d won, %d were refused", won, full);
    close(held[0]);
    close(held[1]);
    close(told[0]);
    close(told[1]);
    while (wait(NULL) > 0) {
    }
    struct opened log;
    CHECK(open_log(directory, &log) == STATUS_OK && !log.is_new, "%s", log.failure.text);
    directory_close(log.keys, log.lock_fd);
    support_spool_remove(directory);
}

/* ---- what is missing or wrong ---------------------------------------------------------------- */

static void keys_are_never_made_beside_others(void)
{
    for (unsigned missing = 1; missing < (1U << NEEDED) - 1; missing++) {
        char directory[SUPPORT_SPOOL_PATH_BYTES];
        struct opened log;
        support_spool_directory(directory);
        CHECK(open_log(directory, &log) == STATUS_OK, "%s", log.failure.text);
        directory_close(log.keys, log.lock_fd);
        const char *name = NULL;
        for (int i = 0; i < NEEDED; i++) {
            if (missing >> i & 1) {
                unlink(join(directory, names[i]));
                name = names[i];
            }
        }
        CHECK(open_log(directory, &log) == STATUS_INVALID, "missing: %x", missing);
        CHECK(log.failure.text[0] && strstr(log.failure.text, "missing"), "%s", log.failure.text);
        CHECK((missing & (missing - 1)) != 0 || strstr(log.failure.text, name), "names %s", name);
        for (int i = 0; i < NEEDED; i++) {
            CHECK(has(directory, names[i]) == !(missing >> i & 1), "%s is as it was", names[i]);
        }
        support_spool_remove(directory);
    }
}

static void segments_without_keys_are_refused(void)
{
    struct support_spool spool;
    struct opened log;
    support_spool_begin(&spool, 1);
    support_spool_append(&spool, 3);
    directory_close(spool.keys, spool.lock_fd);
    spool.keys = NULL;
    spool.lock_fd = -1;
    for (int i = 0; i < FILES; i++) {
        unlink(join(spool.directory, names[i]));
    }
    support_spool_store(join(spool.directory, "first-start"), (const uint8_t *)"", 0);
    CHECK(open_log(spool.directory, &log) == STATUS_INVALID, "%s", log.failure.text);
    CHECK(strstr(log.failure.text, "missing"), "%s", log.failure.text);
    CHECK(!has(spool.directory, "signing.key"), "nothing is made");
    support_spool_end(&spool);
}

/* A first start that was cut short after any number of files begins anew. */
static void a_first_start_that_was_cut_short_begins_anew(void)
{
    static const char *const order[FILES] = {"signing.key", "signing.pub", "digest.key",
                                             "officer.key", "chain.state"};
    for (int kept = 0; kept <= FILES; kept++) {
        char directory[SUPPORT_SPOOL_PATH_BYTES];
        uint8_t before[DIGEST_BYTES];
        struct opened log;
        support_spool_directory(directory);
        CHECK(open_log(directory, &log) == STATUS_OK, "%s", log.failure.text);
        memcpy(before, log.keys->public_key, sizeof before);
        directory_close(log.keys, log.lock_fd);
        for (int i = kept; i < FILES; i++) {
            unlink(join(directory, order[i]));
        }
        support_spool_store(join(directory, "first-start"), (const uint8_t *)"", 0);
        support_spool_store(join(directory, "digest.key.new"), (const uint8_t *)"half", 4);
        CHECK(open_log(directory, &log) == STATUS_OK && log.is_new, "%s", log.failure.text);
        CHECK(log.keys && memcmp(before, log.keys->public_key, sizeof before) != 0, "new keys");
        directory_close(log.keys, log.lock_fd);
        CHECK(!has(directory, "first-start"), "the mark is gone");
        CHECK(open_log(directory, &log) == STATUS_OK && !log.is_new, "%s", log.failure.text);
        directory_close(log.keys, log.lock_fd);
        support_spool_remove(directory);
    }
}

/* Random moments of a seed, some of them while keys are being made. */
static void a_first_start_may_be_killed_at_any_moment(void)
{
    struct random_source random = {1};
    for (int i = 0; i < KILLS; i++) {
        char directory[SUPPORT_SPOOL_PATH_BYTES];
        struct opened log;
        support_spool_directory(directory);
        const pid_t child = fork();
        if (child == 0) {
            _exit(open_log(directory, &log) == STATUS_OK ? 0 : 1);
        }
        const struct timespec delay = {.tv_nsec = random_below(&random, 1000000)};
        nanosleep(&delay, NULL);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        CHECK(open_log(directory, &log) == STATUS_OK, "start %d: %s", i, log.failure.text);
        directory_close(log.keys, log.lock_fd);
        support_spool_remove(directory);
    }
}

static void pairs_that_do_not_match_are_refused(void)
{
    char directory[SUPPORT_SPOOL_PATH_BYTES], other[SUPPORT_SPOOL_PATH_BYTES];
    struct opened log;
    uint8_t text[2048];
    support_spool_directory(directory);
    support_spool_directory(other);
    CHECK(open_log(directory, &log) == STATUS_OK, "%s", log.failure.text);
    directory_close(log.keys, log.lock_fd);
    CHECK(open_log(other, &log) == STATUS_OK, "%s", log.failure.text);
    directory_close(log.keys, log.lock_fd);
    const size_t length = support_spool_load(join(other, "signing.pub"), text, sizeof text);
    support_spool_store(join(directory, "signing.pub"), text, length);
    CHECK(open_log(directory, &log) == STATUS_INVALID && strstr(log.failure.text, "signing.pub"),
          "%s", log.failure.text);
    support_spool_remove(directory);
    support_spool_remove(other);
}

/* Whatever file somebody removes or replaces: two writers would write over one another's records.
 */
static void no_file_can_be_removed_to_take_the_lock(void)
{
    char directory[SUPPORT_SPOOL_PATH_BYTES], path[2 * SUPPORT_SPOOL_PATH_BYTES];
    struct opened log, other;
    support_spool_directory(directory);
    CHECK(open_log(directory, &log) == STATUS_OK, "%s", log.failure.text);
    DIR *files = opendir(directory);
    for (const struct dirent *entry = readdir(files); entry; entry = readdir(files)) {
        snprintf(path, sizeof path, "%s/%.60s", directory, entry->d_name);
        (void)unlink(path);
    }
    closedir(files);
    CHECK(symlink(directory, join(directory, "link")) == 0, "a link");
    CHECK(open_log(join(directory, "link"), &other) == STATUS_FULL, "%s", other.failure.text);
    CHECK(open_log(directory, &other) == STATUS_FULL && directory_is_written(directory), "%s",
          other.failure.text);
    directory_close(log.keys, log.lock_fd);
    support_spool_remove(directory);
}

static void bad_paths_are_refused(void)
{
    char directory[SUPPORT_SPOOL_PATH_BYTES];
    static char longer[DIRECTORY_PATH_BYTES + 8];
    struct opened log;
    support_spool_directory(directory);
    support_spool_store(join(directory, "file"), (const uint8_t *)"", 0);
    CHECK(open_log(join(directory, "file"), &log) == STATUS_IO && log.failure.text[0], "%s",
          log.failure.text);
    memset(longer, 'a', sizeof longer - 1);
    CHECK(open_log(longer, &log) == STATUS_INVALID && log.failure.text[0], "a long path");
    CHECK(open_log("", &log) == STATUS_INVALID, "no path");
    support_spool_remove(directory);
}

/* RLIMIT_FSIZE makes writing fail at some byte, as a full disk does. */
static void a_first_start_on_a_full_disk_begins_anew(void)
{
    struct rlimit limit, small;
    signal(SIGXFSZ, SIG_IGN);
    CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0, "limit");
    for (rlim_t bytes = 0; bytes < 1000; bytes += 90) {
        char directory[SUPPORT_SPOOL_PATH_BYTES];
        struct opened log;
        support_spool_directory(directory);
        small = limit;
        small.rlim_cur = bytes;
        CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0, "limit");
        CHECK(open_log(directory, &log) == STATUS_IO && strstr(log.failure.text, directory), "%s",
              log.failure.text);
        CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0, "no limit");
        CHECK(open_log(directory, &log) == STATUS_OK && log.is_new, "%s", log.failure.text);
        directory_close(log.keys, log.lock_fd);
        support_spool_remove(directory);
    }
}

/* In a process that is not root, for whom nothing is forbidden. */
static void what_may_not_be_opened_is_told(void)
{
    char directory[SUPPORT_SPOOL_PATH_BYTES];
    struct opened log;
    support_spool_directory(directory);
    CHECK(open_log(directory, &log) == STATUS_OK, "%s", log.failure.text);
    directory_close(log.keys, log.lock_fd);
    CHECK(chmod(directory, 0) == 0, "nobody's");
    const pid_t child = fork();
    if (child == 0) {
        struct spool_reader *reader = NULL;
        uint8_t key[DIGEST_BYTES];
        if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)) {
            _exit(2);
        }
        const bool is_told =
            open_log(directory, &log) == STATUS_FORBIDDEN && strstr(log.failure.text, directory)
            && directory_read_public_key(directory, key, &log.failure) == STATUS_FORBIDDEN
            && strstr(log.failure.text, "signing.pub")
            && spool_reader_open(directory, 0, &reader, &log.failure) == STATUS_FORBIDDEN
            && strstr(log.failure.text, "segments");
        _exit(is_told ? 0 : 1);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0, "%x", (unsigned)status);
    CHECK(chmod(directory, 0700) == 0, "ours again");
    support_spool_remove(directory);
}

/* ---- texts ----------------------------------------------------------------------------------- */

#define KEY "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"

static const struct {
    const char *text;
    enum status want;
} key_texts[] = {
    {KEY, STATUS_OK},
    {KEY "\n", STATUS_OK},
    {"# a comment\n#" KEY "\n\n  " KEY " # behind\r\n# end", STATUS_OK},
    {"", STATUS_INVALID},
    {"# " KEY "\n", STATUS_INVALID},
    {KEY KEY "\n", STATUS_INVALID},
    {KEY "\n" KEY "\n", STATUS_INVALID},
    {KEY "\n0", STATUS_INVALID},
    {"0" KEY, STATUS_INVALID},
    {"0011 " KEY, STATUS_INVALID},
    {"00112233445566778899aabbccddeeff 00112233445566778899aabbccddeeff", STATUS_INVALID},
    {"0x112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF", STATUS_INVALID},
    {"00112233445566778899aabbccddeeff00112233445566778899aabbccddeef", STATUS_INVALID},
};

static void key_files_are_read_strictly(void)
{
    char directory[SUPPORT_SPOOL_PATH_BYTES], path[PATH_BYTES];
    static const uint8_t want[4] = {0x00, 0x11, 0x22, 0x33};
    static uint8_t large[8192];
    uint8_t key[DIGEST_BYTES];
    struct failure failure = {""};
    support_spool_directory(directory);
    snprintf(path, sizeof path, "%s/key", directory);
    CHECK(directory_read_key_file(path, key, &failure) == STATUS_NOT_FOUND
              && strstr(failure.text, path),
          "%s", failure.text);
    for (size_t i = 0; i < sizeof key_texts / sizeof key_texts[0]; i++) {
        const char *text = key_texts[i].text;
        memset(key, 0, sizeof key);
        support_spool_store(path, (const uint8_t *)text, strlen(text));
        const enum status status = directory_read_key_file(path, key, &failure);
        CHECK(status == key_texts[i].want, "case %zu: %s", i, failure.text);
        CHECK(status != STATUS_OK
                  || (memcmp(key, want, sizeof want) == 0 && key[DIGEST_BYTES - 1] == 0xff),
              "case %zu: the key", i);
        CHECK(status == STATUS_OK || (strstr(failure.text, path) && !strstr(failure.text, "0011")),
              "case %zu: names the file and not the key", i);
    }
    memset(large, '\n', sizeof large);
    memcpy(large, KEY, sizeof KEY - 1);
    support_spool_store(path, large, sizeof large);
    CHECK(directory_read_key_file(path, key, &failure) == STATUS_INVALID, "a large file");
    CHECK(directory_read_key_file(directory, key, &failure) == STATUS_IO, "a directory");
    support_spool_remove(directory);
}

static void paths_are_joined(void)
{
    char path[DIRECTORY_PATH_BYTES];
    CHECK(directory_path("/a", NULL, "c", path, NULL) == STATUS_OK && !strcmp(path, "/a/c"), "%s",
          path);
    CHECK(directory_path("/a", "b", "c", path, NULL) == STATUS_OK && !strcmp(path, "/a/b/c"), "%s",
          path);
    CHECK(directory_path("/a", "b", NULL, path, NULL) == STATUS_OK && !strcmp(path, "/a/b"), "%s",
          path);
}

/* python3: hmac.new(bytes(range(32)), b"tenant" + struct.pack("<I", 7), "sha256").hexdigest() */
static void tenants_have_keys_of_their_own(void)
{
    uint8_t root[DIGEST_BYTES], key[DIGEST_BYTES];
    char digits[2 * DIGEST_BYTES + 1];
    for (uint8_t i = 0; i < DIGEST_BYTES; i++) {
        root[i] = i;
    }
    directory_tenant_key(root, (struct tenant_id){7}, key);
    sodium_bin2hex(digits, sizeof digits, key, sizeof key);
    CHECK(!strcmp(digits, "588b63e27142605a37deca89f5b30999f42a998731172a7c2ff2e3ea8ba24c2b"), "%s",
          digits);
}

CHECK_MAIN(a_first_start_makes_keys_and_the_next_reads_them, key_files_say_what_to_do,
           of_two_first_starts_one_wins, keys_are_never_made_beside_others,
           segments_without_keys_are_refused, a_first_start_that_was_cut_short_begins_anew,
           a_first_start_may_be_killed_at_any_moment, pairs_that_do_not_match_are_refused,
           a_first_start_on_a_full_disk_begins_anew, what_may_not_be_opened_is_told,
           no_file_can_be_removed_to_take_the_lock, bad_paths_are_refused,
           key_files_are_read_strictly, paths_are_joined, tenants_have_keys_of_their_own)
