/* Method: a log of which chain.state tells some records, cut at every byte and with each byte
 * changed over its last frames. What comes out must be the chain after a frame that was really
 * written, never before what was told; or a refusal that changes nothing. The oracle is a list of
 * where each frame ends and of the chain's hash there. */
#include "audit/spool/recovery.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/spool/file.h"
#include "audit/spool/spool_reader.h"
#include "tests/audit/support_chain.h"
#include "tests/audit/support_spool.h"
#include "tests/check.h"

enum { SEEDS = 2, RECORDS = 12, TOLD_OF_THEM = 9, BYTES_MAX = 1 << 16, PATH_BYTES = 160 };

/* What was written, frame by frame; [0] is the snapshot. */
struct written {
    uint8_t bytes[BYTES_MAX];
    size_t count;
    size_t ends[RECORDS + 1];
    uint64_t sequences[RECORDS + 1];
    struct digest heads[RECORDS + 1];
    struct chain_state told;
    size_t told_index;
    char path[DIRECTORY_PATH_BYTES];
};

static struct written written;

static struct chain_state state_of(const struct support_spool *spool)
{
    struct chain_state state;
    struct failure failure = {""};
    char path[DIRECTORY_PATH_BYTES];
    CHECK(directory_path(spool->directory, NULL, "chain.state", path, &failure) == STATUS_OK
              && chain_state_read_with_key(path, &state, &failure) == STATUS_OK,
          "%s", failure.text);
    return state;
}

static void note(const struct support_spool *spool, size_t index)
{
    written.ends[index] = spool->bytes;
    written.sequences[index] = spool->chain->sequence;
    written.heads[index] = spool->chain->head;
}

/* A segment before, then one of RECORDS records in several epochs, TOLD_OF_THEM of them told. */
static void make_log(struct support_spool *spool, uint64_t seed)
{
    support_spool_begin(spool, seed);
    support_spool_append(spool, 5);
    support_spool_next_segment(spool);
    note(spool, 0);
    for (size_t i = 1; i <= RECORDS; i++) {
        if (random_below(&spool->random, 3) == 0) {
            chain_next_epoch(spool->chain);
        }
        support_spool_append(spool, 1);
        note(spool, i);
        if (i == TOLD_OF_THEM) {
            support_spool_tell(spool, false);
        }
    }
    written.told = state_of(spool);
    written.told_index = TOLD_OF_THEM;
    support_spool_path(spool, written.path);
    written.count = support_spool_load(written.path, written.bytes, sizeof written.bytes);
    CHECK(written.count == spool->bytes, "all of it");
}

struct recovered {
    enum status status;
    struct chain *chain;
    struct recovery recovery;
    struct failure failure;
};

/* Chains are emptied and used again: locking fresh memory thousands of times takes long. */
static struct chain *spare[2];

static struct recovered recover(const struct support_spool *spool, const struct chain_state *state)
{
    struct recovered got = {.chain = spare[0] ? spare[0] : chain_create()};
    spare[0] = spare[1];
    spare[1] = NULL;
    memset(got.chain, 0, sizeof *got.chain);
    got.status = recovery_run(spool->directory, state, got.chain, &got.recovery, &got.failure);
    return got;
}

static void let_go(struct recovered *got)
{
    if (got->recovery.fd >= 0) {
        close(got->recovery.fd);
    }
    chain_destroy(spare[1]);
    spare[1] = spare[0];
    spare[0] = got->chain;
}

/* The chain is that after frame `index`, and what was behind it is cut. */
static void check_recovered(const struct recovered *got, size_t index, size_t file_bytes)
{
    struct stat info;
    CHECK(got->status == STATUS_OK, "%s", got->failure.text);
    if (got->status != STATUS_OK) {
        return;
    }
    CHECK(got->chain->sequence == written.sequences[index]
              && digest_same(got->chain->head, written.heads[index]) && got->chain->has_key
              && got->chain->epoch >= written.told.epoch,
          "the chain after frame %zu", index);
    CHECK(got->recovery.segment_bytes == written.ends[index]
              && got->recovery.torn_bytes == file_bytes - written.ends[index]
              && got->recovery.unknown == index - written.told_index && !got->recovery.was_clean,
          "what was found, frame %zu", index);
    CHECK(stat(written.path, &info) == 0 && (size_t)info.st_size == written.ends[index]
              && lseek(got->recovery.fd, 0, SEEK_CUR) == info.st_size,
          "cut to frame %zu", index);
}

static void check_refused(const struct recovered *got, const char *word, const uint8_t *bytes,
                          size_t count)
{
    static uint8_t now[BYTES_MAX];
    CHECK(got->status == STATUS_INVALID && got->recovery.fd < 0, "%d", (int)got->status);
    CHECK(strstr(got->failure.text, word) && strstr(got->failure.text, "ward audit verify"),
          "%s: %s", word, got->failure.text);
    CHECK(support_spool_load(written.path, now, sizeof now) == count
              && memcmp(now, bytes, count) == 0,
          "nothing was changed");
}

static size_t whole_frames(size_t count)
{
    size_t index = 0;
    while (index < RECORDS && written.ends[index + 1] <= count) {
        index++;
    }
    return index;
}

/* Another record goes on where recovery left off, and all of it is recovered again. */
static void check_goes_on(struct support_spool *spool, struct recovered *got)
{
    struct record_draft draft;
    uint8_t frame[CHAIN_FRAME_BYTES_MAX];
    support_chain_draft(&spool->random, &draft);
    const size_t bytes = chain_append(got->chain, &draft, spool->now_unix_ms, frame);
    CHECK(file_write_at(got->recovery.fd, frame, bytes, got->recovery.segment_bytes), "goes on");
    struct recovered again = recover(spool, &written.told);
    CHECK(again.status == STATUS_OK && support_chain_same(again.chain, got->chain)
              && memcmp(again.chain->key, got->chain->key, DIGEST_BYTES) == 0
              && again.recovery.torn_bytes == 0,
          "%s", again.failure.text);
    let_go(&again);
}

/* ---- every cut and every flip ---------------------------------------------------------------- */

static void every_cut_is_recovered_or_refused(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct support_spool spool;
        make_log(&spool, seed);
        for (size_t count = written.ends[written.told_index - 2]; count <= written.count; count++) {
            support_spool_store(written.path, written.bytes, count);
            const size_t index = whole_frames(count);
            struct recovered got = recover(&spool, &written.told);
            if (index < written.told_index) {
                check_refused(&got, "truncation", written.bytes, count);
            } else {
                check_recovered(&got, index, count);
                check_goes_on(&spool, &got);
            }
            let_go(&got);
        }
        support_spool_end(&spool);
    }
}

static void every_flip_is_cut_or_refused(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct support_spool spool;
        struct random_source random = {seed};
        make_log(&spool, seed);
        for (size_t i = written.ends[written.told_index - 2]; i < written.count; i++) {
            const uint8_t bit = (uint8_t)(1U << random_below(&random, 8));
            written.bytes[i] ^= bit;
            support_spool_store(written.path, written.bytes, written.count);
            const size_t index = whole_frames(i); /* before the one that is broken */
            struct recovered got = recover(&spool, &written.told);
            if (index < written.told_index) {
                check_refused(&got, "", written.bytes, written.count);
            } else {
                check_recovered(&got, index, written.count);
            }
            let_go(&got);
            written.bytes[i] ^= bit;
        }
        support_spool_end(&spool);
    }
}

static void a_broken_beginning_is_refused(void)
{
    struct support_spool spool;
    make_log(&spool, 1);
    for (size_t i = 0; i < written.ends[1]; i += 3) {
        written.bytes[i] ^= 4;
        support_spool_store(written.path, written.bytes, written.count);
        struct recovered got = recover(&spool, &written.told);
        check_refused(&got, "damaged", written.bytes, written.count);
        let_go(&got);
        written.bytes[i] ^= 4;
    }
    for (size_t count = 0; count < written.ends[0]; count += 5) {
        support_spool_store(written.path, written.bytes, count);
        struct recovered got = recover(&spool, &written.told);
        check_refused(&got, "damaged", written.bytes, count);
        let_go(&got);
    }
    support_spool_end(&spool);
}

/* ---- whole frames that do not fit ------------------------------------------------------------ */

/* Frame `index` again, as its maker would write it after `change`. */
static void rewrite(size_t index, void (*change)(struct frame *frame))
{
    struct frame frame;
    size_t bytes = 0;
    static uint8_t body[BYTES_MAX];
    uint8_t *at = written.bytes + written.ends[index - 1];
    const enum status status = frame_parse(at, written.count, &frame, &bytes);
    CHECK(status == STATUS_OK, "frame %zu", index);
    memcpy(body, frame.body, frame.body_bytes);
    frame.body = body;
    change(&frame);
    frame_write(&frame, at);
}

static void change_mac(struct frame *frame)
{
    frame->mac.bytes[5] ^= 1;
}
static void change_sequence(struct frame *frame)
{
    frame->sequence++;
}
static void change_previous(struct frame *frame)
{
    frame->previous.bytes[9] ^= 1;
}
static void change_epoch(struct frame *frame)
{
    frame->epoch = CHAIN_EPOCH_MAX;
}
static void change_kind(struct frame *frame)
{
    frame->kind = FRAME_SNAPSHOT;
}

static void frames_that_do_not_fit_are_left_for_people(void)
{
    void (*const changes[])(struct frame *) = {change_mac, change_sequence, change_previous,
                                               change_epoch, change_kind};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        for (size_t index = written.told_index; index <= RECORDS; index += 2) {
            struct support_spool spool;
            make_log(&spool, 7);
            rewrite(index, changes[i]);
            support_spool_store(written.path, written.bytes, written.count);
            struct recovered got = recover(&spool, &written.told);
            check_refused(&got, "damaged", written.bytes, written.count);
            let_go(&got);
            support_spool_end(&spool);
        }
    }
}

static void another_state_than_the_records_is_refused(void)
{
    struct support_spool spool;
    make_log(&spool, 8);
    struct chain_state state = written.told;
    state.head.bytes[0] ^= 1;
    struct recovered got = recover(&spool, &state);
    check_refused(&got, "damaged", written.bytes, written.count);
    let_go(&got);

    state = written.told;
    state.key[3] ^= 1;
    got = recover(&spool, &state);
    check_refused(&got, "damaged", written.bytes, written.count);
    let_go(&got);

    state = written.told;
    state.sequence = written.sequences[RECORDS] + 1;
    got = recover(&spool, &state);
    check_refused(&got, "truncation", written.bytes, written.count);
    let_go(&got);
    support_spool_end(&spool);
}

static void a_segment_under_another_name_is_refused(void)
{
    struct support_spool spool;
    char path[DIRECTORY_PATH_BYTES];
    make_log(&spool, 13);
    CHECK(segment_path(spool.directory, written.sequences[0] + 2, path, NULL) == STATUS_OK
              && rename(written.path, path) == 0,
          "renamed");
    memcpy(written.path, path, sizeof path);
    struct recovered got = recover(&spool, &written.told);
    check_refused(&got, "damaged", written.bytes, written.count);
    let_go(&got);
    support_spool_end(&spool);
}

static void more_than_can_be_torn_is_not_cut(void)
{
    struct support_spool spool;
    struct stat info;
    static uint8_t junk[RECOVERY_TORN_BYTES_MAX + 1];
    make_log(&spool, 9);
    memset(junk, 0xee, sizeof junk);
    for (int over = 0; over <= 1; over++) {
        const size_t count = sizeof junk - 1 + (size_t)over;
        CHECK(ftruncate(spool.fd, (off_t)written.count) == 0
                  && file_write_at(spool.fd, junk, count, written.count),
              "junk");
        struct recovered got = recover(&spool, &written.told);
        CHECK(got.status == (over ? STATUS_INVALID : STATUS_OK), "%s", got.failure.text);
        CHECK(stat(written.path, &info) == 0
                  && (size_t)info.st_size == written.count + (over ? count : 0),
              "cut or not");
        let_go(&got);
    }
    support_spool_end(&spool);
}

/* ---- logs in order --------------------------------------------------------------------------- */

static void a_clean_stop_is_clean(void)
{
    struct support_spool spool;
    make_log(&spool, 10);
    support_spool_tell(&spool, true);
    struct chain_state state = state_of(&spool);
    struct recovered got = recover(&spool, &state);
    CHECK(got.status == STATUS_OK && got.recovery.was_clean && got.recovery.unknown == 0
              && got.recovery.torn_bytes == 0 && support_chain_same(got.chain, spool.chain)
              && memcmp(got.chain->key, spool.chain->key, DIGEST_BYTES) == 0,
          "%s", got.failure.text);
    let_go(&got);
    support_spool_append(&spool, 1); /* by a writer that died before it told */
    got = recover(&spool, &state);
    CHECK(got.status == STATUS_OK && !got.recovery.was_clean && got.recovery.unknown == 1, "%s",
          got.failure.text);
    let_go(&got);
    chain_next_epoch(spool.chain); /* an epoch without a record */
    chain_next_epoch(spool.chain);
    support_spool_tell(&spool, true);
    state = state_of(&spool);
    got = recover(&spool, &state);
    CHECK(got.status == STATUS_OK && got.recovery.was_clean
              && got.chain->epoch == spool.chain->epoch && got.chain->has_key
              && memcmp(got.chain->key, spool.chain->key, DIGEST_BYTES) == 0,
          "%s", got.failure.text);
    let_go(&got);
    support_spool_end(&spool);
}

/* Whoever can write the segments but has no key appends a record of the epoch before, as far as
 * hashes and sums go. The next checkpoint must not sign it. */
static void a_record_of_a_past_epoch_is_not_continued(void)
{
    for (int is_clean = 0; is_clean <= 1; is_clean++) {
        struct support_spool spool;
        const uint8_t no_key[DIGEST_BYTES] = {7};
        make_log(&spool, 13);
        const uint64_t past = spool.chain->epoch;
        chain_next_epoch(spool.chain);
        support_spool_tell(&spool, is_clean != 0);
        const struct chain_state state = state_of(&spool);
        spool.chain->epoch = past;
        chain_set_key(spool.chain, no_key);
        support_spool_append(&spool, 1);
        written.count = support_spool_load(written.path, written.bytes, sizeof written.bytes);
        struct recovered got = recover(&spool, &state);
        check_refused(&got, "epoch", written.bytes, written.count);
        let_go(&got);
        support_spool_end(&spool);
    }
}

static void an_epoch_that_no_log_reaches_is_refused(void)
{
    static const uint64_t epochs[] = {CHAIN_EPOCH_MAX, UINT64_MAX};
    for (size_t i = 0; i < 2; i++) {
        struct support_spool spool;
        make_log(&spool, 14);
        support_spool_tell(&spool, true);
        struct chain_state state = state_of(&spool);
        state.epoch = epochs[i];
        struct recovered got = recover(&spool, &state);
        CHECK(got.status == STATUS_INVALID && strstr(got.failure.text, "chain.state"), "%s",
              got.failure.text);
        let_go(&got);
        support_spool_end(&spool);
    }
}

static void a_new_segment_without_records_goes_on(void)
{
    struct support_spool spool;
    char unfinished[PATH_BYTES];
    make_log(&spool, 11);
    for (int told_before = 0; told_before <= 1; told_before++) {
        if (told_before == 0) {
            support_spool_tell(&spool, false);
        }
        support_spool_next_segment(&spool);
        snprintf(unfinished, sizeof unfinished, "%s/segments/00000000000000000099.seg.new",
                 spool.directory);
        support_spool_store(unfinished, (const uint8_t *)"half", 4);
        const struct chain_state state = state_of(&spool);
        struct recovered got = recover(&spool, &state);
        CHECK(got.status == STATUS_OK && support_chain_same(got.chain, spool.chain)
                  && memcmp(got.chain->key, spool.chain->key, DIGEST_BYTES) == 0
                  && got.recovery.segment_bytes == spool.bytes
                  && got.recovery.unknown == (told_before ? 3U : 0U),
              "%s", got.failure.text);
        CHECK(access(unfinished, F_OK) != 0, "what was being made is gone");
        let_go(&got);
        support_spool_append(&spool, 3);
    }
    support_spool_end(&spool);
}

static void lost_segments_are_a_truncation(void)
{
    struct support_spool spool;
    make_log(&spool, 12);
    unlink(written.path);
    struct recovered got = recover(&spool, &written.told);
    CHECK(got.status == STATUS_INVALID && strstr(got.failure.text, "truncation"), "%s",
          got.failure.text);
    let_go(&got);
    CHECK(segment_path(spool.directory, 1, written.path, NULL) == STATUS_OK
              && unlink(written.path) == 0,
          "the first one");
    got = recover(&spool, &written.told);
    CHECK(got.status == STATUS_INVALID && strstr(got.failure.text, "truncation"), "%s",
          got.failure.text);
    let_go(&got);
    struct chain_state state = {.is_clean = true}; /* as a new log's */
    memset(state.key, 9, sizeof state.key);
    got = recover(&spool, &state);
    CHECK(got.status == STATUS_OK && got.recovery.fd < 0 && got.recovery.was_clean
              && got.chain->has_key && got.chain->key[0] == 9 && got.chain->sequence == 0,
          "%s", got.failure.text);
    let_go(&got);
    support_spool_end(&spool);
}

static void chains_are_given_back(void)
{
    chain_destroy(spare[0]);
    chain_destroy(spare[1]);
}

CHECK_MAIN(every_cut_is_recovered_or_refused, every_flip_is_cut_or_refused,
           a_broken_beginning_is_refused, frames_that_do_not_fit_are_left_for_people,
           another_state_than_the_records_is_refused, a_segment_under_another_name_is_refused,
           more_than_can_be_torn_is_not_cut, a_clean_stop_is_clean,
           a_record_of_a_past_epoch_is_not_continued, an_epoch_that_no_log_reaches_is_refused,
           a_new_segment_without_records_goes_on, lost_segments_are_a_truncation,
           chains_are_given_back)
