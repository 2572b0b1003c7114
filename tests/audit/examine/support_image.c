#include "tests/audit/examine/support_image.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/spool/segment.h"
#include "base/assert.h"
#include "base/random.h"

static const int64_t FIRST_TIME_UNIX_MS = 1795000000000; /* in 2026 */

const char *const image_tenant_names[IMAGE_TENANTS + 1] = {"", "clinic-elm", "clinic-oak",
                                                           "clinic-yew"};

/* ---- making ---------------------------------------------------------------------------------- */

void image_draft(uint64_t seed, uint32_t n, struct record_draft *out)
{
    struct random_source random = {seed * 1000003 + n};
    const struct tenant_id tenant = {random_below(&random, IMAGE_TENANTS + 1)};
    const char *name = image_tenant_names[tenant.value];
    char text[64];
    uint8_t digest[DIGEST_BYTES];
    if (tenant.value == 0) {
        record_draft_begin(out, RECORD_EVENT_SERVER_STARTED, tenant, NULL);
        record_draft_text(out, RECORD_FIELD_ward_version, "1.2.3");
        return;
    }
    record_draft_begin(out,
                       random_below(&random, 2) ? RECORD_EVENT_REQUEST_COMPLETED
                                                : RECORD_EVENT_REQUEST_ACCEPTED,
                       tenant, name);
    snprintf(text, sizeof text, "%s-request-%06" PRIu32, name, n);
    record_draft_text(out, RECORD_FIELD_request_id, text);
    snprintf(text, sizeof text, "%ckey%08" PRIu32, name[7], n % 7);
    record_draft_text(out, RECORD_FIELD_key_id, text);
    record_draft_text(out, RECORD_FIELD_model, "demo");
    record_draft_uint(out, RECORD_FIELD_prompt_tokens, random_below(&random, 4096));
    for (size_t i = 0; i < sizeof digest; i++) {
        digest[i] = (uint8_t)random_below(&random, 256);
    }
    record_draft_bytes(out, RECORD_FIELD_prompt_digest, digest);
}

struct maker {
    struct image_spool *spool;
    struct chain *chain;
    int fd;
    uint32_t in_segment, since_checkpoint, since_epoch;
};

static void write_frame(struct maker *maker, const uint8_t *bytes, size_t length)
{
    ASSERT(write(maker->fd, bytes, length) == (ssize_t)length);
    maker->in_segment++;
}

static void begin_segment(struct maker *maker)
{
    struct failure failure;
    uint64_t bytes = 0;
    if (maker->fd >= 0) {
        close(maker->fd);
    }
    ASSERT(segment_create(maker->spool->directory, maker->chain, &maker->fd, &bytes, &failure)
           == STATUS_OK);
    ASSERT(lseek(maker->fd, 0, SEEK_END) == (off_t)bytes);
    maker->in_segment = 0;
}

static int64_t time_of(const struct maker *maker)
{
    return maker->spool->first_time_unix_ms + (int64_t)maker->chain->sequence * 10;
}

static void add_checkpoint(struct maker *maker)
{
    uint8_t bytes[CHAIN_FRAME_BYTES_MAX];
    write_frame(maker, bytes,
                checkpoint_append(maker->chain, maker->spool->secret, time_of(maker), bytes));
    maker->since_checkpoint = 0;
}

static void add_record(struct maker *maker, const struct image_plan *plan, uint32_t n)
{
    uint8_t bytes[CHAIN_FRAME_BYTES_MAX];
    struct record_draft draft;
    image_draft(plan->seed, n, &draft);
    write_frame(maker, bytes, chain_append(maker->chain, &draft, time_of(maker), bytes));
    const bool is_full = plan->segment_records > 0 && maker->in_segment >= plan->segment_records;
    if (++maker->since_checkpoint >= plan->checkpoint_records || is_full
        || n + 1 == plan->records) {
        add_checkpoint(maker);
    }
    if (is_full) {
        begin_segment(maker);
    }
    if (++maker->since_epoch >= plan->epoch_records) {
        chain_next_epoch(maker->chain);
        maker->since_epoch = 0;
    }
}

static void make_keys(struct image_spool *spool)
{
    struct directory_keys *keys = NULL;
    struct failure failure;
    int lock = -1;
    bool is_new = false;
    char path[DIRECTORY_PATH_BYTES];
    ASSERT(directory_open(spool->directory, &keys, &lock, &is_new, &failure) == STATUS_OK);
    memcpy(spool->public_key, keys->public_key, sizeof spool->public_key);
    memcpy(spool->secret, keys->secret, sizeof spool->secret);
    directory_close(keys, lock);
    ASSERT(directory_path(spool->directory, NULL, "officer.key", path, &failure) == STATUS_OK);
    ASSERT(directory_read_key_file(path, spool->officer_key, &failure) == STATUS_OK);
}

static void load_image(struct image_spool *spool)
{
    uint64_t *firsts = NULL;
    size_t count = 0;
    struct failure failure;
    ASSERT(segment_list(spool->directory, &firsts, &count, &failure) == STATUS_OK);
    ASSERT(count <= IMAGE_SEGMENTS_MAX);
    for (size_t i = 0; i < count; i++) {
        char path[DIRECTORY_PATH_BYTES];
        struct buffer bytes = {.limit_bytes = 64 << 20};
        ASSERT(segment_path(spool->directory, firsts[i], path, &failure) == STATUS_OK);
        ASSERT(buffer_read_file(&bytes, path) == STATUS_OK);
        spool->image.segments[i] =
            (struct image_segment){firsts[i], (uint8_t *)bytes.bytes, bytes.length};
    }
    spool->image.segment_count = (uint32_t)count;
    free(firsts);
}

void image_make(const struct image_plan *plan, struct image_spool *out)
{
    *out = (struct image_spool){.first_time_unix_ms = FIRST_TIME_UNIX_MS};
    snprintf(out->directory, sizeof out->directory, "/tmp/ward-spool-XXXXXX");
    ASSERT(mkdtemp(out->directory));
    make_keys(out);
    struct maker maker = {.spool = out, .chain = chain_create(), .fd = -1};
    ASSERT(maker.chain);
    chain_set_key(maker.chain, out->officer_key);
    begin_segment(&maker);
    for (uint32_t n = 0; n < plan->records; n++) {
        add_record(&maker, plan, n);
    }
    close(maker.fd);
    load_image(out);
    out->image.state = (struct chain_state){.epoch = maker.chain->epoch,
                                            .sequence = maker.chain->sequence,
                                            .head = maker.chain->head,
                                            .is_clean = true};
    memcpy(out->image.state.key, maker.chain->key, DIGEST_BYTES);
    chain_destroy(maker.chain);
    image_write(out, &out->image);
}

/* ---- files ----------------------------------------------------------------------------------- */

static void clear_folder(const char *path)
{
    DIR *names = opendir(path);
    for (const struct dirent *entry = names ? readdir(names) : NULL; entry;
         entry = readdir(names)) {
        if (entry->d_type != DT_DIR) {
            unlinkat(dirfd(names), entry->d_name, 0);
        }
    }
    if (names) {
        closedir(names);
    }
}

static void segments_path(const struct image_spool *spool, char out[DIRECTORY_PATH_BYTES])
{
    struct failure failure;
    ASSERT(directory_path(spool->directory, "segments", NULL, out, &failure) == STATUS_OK);
}

void image_remove(struct image_spool *spool)
{
    static const char *const folders[] = {"segments", "inbox"};
    char path[DIRECTORY_PATH_BYTES];
    struct failure failure;
    for (size_t i = 0; i < 2; i++) {
        ASSERT(directory_path(spool->directory, folders[i], NULL, path, &failure) == STATUS_OK);
        clear_folder(path);
        rmdir(path);
    }
    clear_folder(spool->directory);
    rmdir(spool->directory);
    image_free(&spool->image);
}

static void write_file(const char *path, const uint8_t *bytes, size_t length)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ASSERT(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
    close(fd);
}

static void write_state(const struct image_spool *spool, const struct chain_state *state)
{
    char path[DIRECTORY_PATH_BYTES];
    struct failure failure;
    struct chain_state_file file;
    ASSERT(directory_path(spool->directory, NULL, "chain.state", path, &failure) == STATUS_OK);
    ASSERT(chain_state_open(path, &file, &failure) == STATUS_OK);
    ASSERT(chain_state_write(&file, state) == STATUS_OK);
    ASSERT(chain_state_write(&file, state) == STATUS_OK);
    chain_state_close(&file);
}

void image_write(const struct image_spool *spool, const struct image *image)
{
    char path[DIRECTORY_PATH_BYTES];
    struct failure failure;
    segments_path(spool, path);
    clear_folder(path);
    for (uint32_t i = 0; i < image->segment_count; i++) {
        const struct image_segment *segment = &image->segments[i];
        ASSERT(segment_path(spool->directory, segment->first, path, &failure) == STATUS_OK);
        write_file(path, segment->bytes, segment->length);
    }
    write_state(spool, &image->state);
}

/* ---- images ---------------------------------------------------------------------------------- */

static uint8_t *copy_bytes(const uint8_t *bytes, size_t length)
{
    uint8_t *copy = malloc(length + 1);
    ASSERT(copy);
    memcpy(copy, bytes, length);
    return copy;
}

struct image image_copy(const struct image *image)
{
    struct image copy = *image;
    for (uint32_t i = 0; i < copy.segment_count; i++) {
        copy.segments[i].bytes = copy_bytes(image->segments[i].bytes, image->segments[i].length);
    }
    return copy;
}

void image_free(struct image *image)
{
    for (uint32_t i = 0; i < image->segment_count; i++) {
        free(image->segments[i].bytes);
    }
    image->segment_count = 0;
}

size_t image_frames(const struct image *image, struct image_frame out[IMAGE_FRAMES_MAX])
{
    size_t count = 0;
    for (uint32_t i = 0; i < image->segment_count; i++) {
        const struct image_segment *segment = &image->segments[i];
        struct frame frame;
        size_t bytes = 0;
        for (size_t at = 0;
             at < segment->length
             && frame_parse(segment->bytes + at, segment->length - at, &frame, &bytes) == STATUS_OK;
             at += bytes) {
            ASSERT(count < IMAGE_FRAMES_MAX);
            out[count++] = (struct image_frame){i, at, bytes, frame.sequence, frame.kind};
        }
    }
    return count;
}

struct frame image_parse(const struct image *image, const struct image_frame *place)
{
    const struct image_segment *segment = &image->segments[place->segment];
    struct frame frame;
    size_t bytes = 0;
    ASSERT(
        frame_parse(segment->bytes + place->offset, segment->length - place->offset, &frame, &bytes)
        == STATUS_OK);
    return frame;
}

void image_splice(struct image *image, uint32_t segment, size_t offset, size_t removed,
                  const uint8_t *bytes, size_t length)
{
    struct image_segment *old = &image->segments[segment];
    ASSERT(offset + removed <= old->length);
    uint8_t *joined = malloc(old->length - removed + length + 1);
    ASSERT(joined);
    memcpy(joined, old->bytes, offset);
    if (length > 0) {
        memcpy(joined + offset, bytes, length);
    }
    memcpy(joined + offset + length, old->bytes + offset + removed, old->length - offset - removed);
    free(old->bytes);
    old->bytes = joined;
    old->length += length - removed;
}
