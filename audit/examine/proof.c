/* Making a bundle takes two passes: the first finds the two checkpoints, the second follows the
 * chain from the segment before the first of them, for the trees that the paths are made of. */
#include "audit/examine/proof.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <sodium.h>

#include "audit/chain/checkpoint.h"
#include "audit/spool/segment.h"

enum {
    HEX_BYTES = 2 * DIGEST_BYTES + 1,
    BODY_TEXT_BYTES = 4 * ((RECORD_BODY_BYTES_MAX + 2) / 3) + 1,
};

struct range {
    uint64_t segment; /* where to begin to follow the chain */
    uint64_t before;  /* sequence of the first checkpoint; 0: from the beginning of the chain */
    uint64_t after;   /* of the last one; 0: none */
    bool has_tenant;
    struct tenant_id tenant;
    char tenant_name[RECORD_NAME_BYTES]; /* as the last record in the range has it */
};

/* ---- which checkpoints ----------------------------------------------------------------------- */

struct search {
    const struct query *query;
    struct range range;  /* as it is at the last checkpoint */
    struct range latest; /* and with what came since */
    bool can_go_back;    /* there are earlier segments */
    bool has_before, must_go_back, is_over;
};

static void note_tenant(struct search *search, const struct record *record)
{
    const struct query *query = search->query;
    struct range *latest = &search->latest;
    const bool is_it = query->has_tenant ? tenant_same(record->tenant, query->tenant)
                                         : strcmp(record->tenant_name, query->tenant_name) == 0;
    if (is_it) {
        latest->has_tenant = true;
        latest->tenant = record->tenant;
        memcpy(latest->tenant_name, record->tenant_name, sizeof latest->tenant_name);
    }
}

static void note_checkpoint(struct search *search, const struct record *record, uint64_t sequence)
{
    const bool is_early = record->time_unix_ms < search->query->from_unix_ms;
    if (is_early || (!search->has_before && !search->can_go_back)) {
        search->has_before = true;
        search->latest.before = sequence;
        search->latest.tenant_name[0] = '\0';
    } else if (!search->has_before) {
        search->must_go_back = true;
    } else {
        search->latest.after = sequence;
        search->is_over = record->time_unix_ms >= search->query->to_unix_ms;
    }
    search->range = search->latest;
}

static enum status note_frame(struct search *search, const struct frame *frame,
                              struct failure *failure)
{
    struct record record;
    const struct query *query = search->query;
    const bool is_other =
        query->has_tenant && frame->tenant.value != 0 && !tenant_same(frame->tenant, query->tenant);
    if (frame->kind != FRAME_RECORD || is_other) {
        return STATUS_OK;
    }
    if (record_parse(frame->body, frame->body_bytes, &record) != STATUS_OK) {
        return fail(failure, STATUS_INVALID,
                    "record %" PRIu64 " is malformed: run ward audit verify", frame->sequence);
    }
    if (record.event == RECORD_EVENT_CHAIN_CHECKPOINT) {
        note_checkpoint(search, &record, frame->sequence);
    }
    note_tenant(search, &record);
    return STATUS_OK;
}

/* From one segment on; at the very beginning of a chain no checkpoint is needed before. */
static enum status search_from(const char *directory, uint64_t segment, struct search *search,
                               struct failure *failure)
{
    struct spool_reader *reader = NULL;
    enum status status = spool_reader_open(directory, segment, &reader, failure);
    search->latest = (struct range){.segment = segment,
                                    .has_tenant = search->query->has_tenant,
                                    .tenant = search->query->tenant};
    search->range = search->latest;
    search->has_before = segment == 1;
    search->must_go_back = search->is_over = false;
    while (status == STATUS_OK && !search->is_over && !search->must_go_back) {
        struct frame frame;
        struct spool_place place;
        status = spool_reader_next(reader, &frame, &place, failure);
        if (status == STATUS_OK) {
            status = note_frame(search, &frame, failure);
        }
    }
    spool_reader_close(reader);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status find_range(const char *directory, const struct query *query, struct range *out,
                              struct failure *failure)
{
    struct search search = {.query = query};
    uint64_t *segments = NULL;
    uint64_t first = 0;
    size_t count = 0;
    enum status status = query_first_segment(directory, query->from_unix_ms, &first, failure);
    if (status == STATUS_OK) {
        status = segment_list(directory, &segments, &count, failure);
    }
    size_t index = 0;
    while (status == STATUS_OK && index + 1 < count && segments[index] < first) {
        index++;
    }
    for (bool goes_on = count > 0; status == STATUS_OK && goes_on; index--) {
        search.can_go_back = index > 0;
        status = search_from(directory, segments[index], &search, failure);
        goes_on = search.must_go_back;
    }
    free(segments);
    *out = search.range;
    if (status == STATUS_OK && (out->after == 0 || !out->has_tenant)) {
        return fail(failure, STATUS_NOT_FOUND,
                    out->after == 0
                        ? "%s: no checkpoint yet after --from: try again in a second, or name an "
                          "earlier time"
                        : "%s: no such tenant in the records of that time",
                    directory);
    }
    return status;
}

/* ---- writing --------------------------------------------------------------------------------- */

static const char *hex(struct digest digest, char out[HEX_BYTES])
{
    return sodium_bin2hex(out, HEX_BYTES, digest.bytes, DIGEST_BYTES);
}

static void write_base64(const uint8_t *bytes, size_t length, FILE *out)
{
    char text[BODY_TEXT_BYTES];
    sodium_bin2base64(text, sizeof text, bytes, length, sodium_base64_VARIANT_ORIGINAL);
    fputs(text, out);
}

static void write_digests(const struct digest *digests, size_t count, FILE *out)
{
    char text[HEX_BYTES];
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%s\"%s\"", i > 0 ? "," : "", hex(digests[i], text));
    }
}

/* A checkpoint, and the way from the tenant's tree to its root. The chain is just before it. */
static void write_checkpoint(bool is_before, const struct chain *chain, struct tenant_id tenant,
                             const uint8_t outline[CHECKPOINT_OUTLINE_BYTES], FILE *out)
{
    struct digest leaves[LIMIT_TENANTS + 1];
    struct digest path[MERKLE_PATH_MAX];
    const struct merkle *tree = &chain->tenants[tenant.value];
    size_t path_count = 0;
    if (tenant.value < chain->tenants_size) {
        chain_tenant_leaves(chain, leaves);
        path_count = merkle_path(leaves, chain->tenants_size, tenant.value, path);
    }
    fprintf(out, "{\"%s\":{\"checkpoint\":\"", is_before ? "before" : "after");
    write_base64(outline, CHECKPOINT_OUTLINE_BYTES, out);
    fprintf(out, "\",\"size\":%" PRIu64 ",\"path\":[", tree->size);
    write_digests(path, path_count, out);
    if (is_before) { /* the tree grows from them */
        fputs("],\"peaks\":[", out);
        write_digests(tree->peaks, merkle_peak_count(tree->size), out);
    }
    fputs("]}}\n", out);
}

static void write_record(const struct frame *frame, FILE *out)
{
    if (frame->kind == FRAME_ERASED) {
        char text[HEX_BYTES];
        fprintf(out, "{\"erased\":\"%s\"}\n", hex(frame_leaf(frame), text));
        return;
    }
    fputs("{\"record\":\"", out);
    write_base64(frame->body, frame->body_bytes, out);
    fputs("\"}\n", out);
}

static enum status write_head(const char *directory, const struct range *range, FILE *out,
                              struct failure *failure)
{
    struct digest chain_id;
    char text[HEX_BYTES];
    const enum status status = directory_read_public_key(directory, chain_id.bytes, failure);
    if (status == STATUS_OK) {
        json_t *name = json_string(range->tenant_name);
        char *quoted = name ? json_dumps(name, JSON_ENCODE_ANY) : NULL;
        fprintf(out,
                "{\"ward_proof\":1,\"chain_id\":\"%s\",\"tenant_id\":%" PRIu32 ",\"tenant\":%s}\n",
                hex(chain_id, text), range->tenant.value, quoted ? quoted : "\"\"");
        free(quoted);
        json_decref(name);
        if (range->before == 0) {
            fputs("{\"before\":null}\n", out);
        }
    }
    return status;
}

/* One of the records that the bundle holds. */
static bool is_own(const struct range *range, const struct frame *frame)
{
    return frame->sequence >= range->before && frame->sequence != range->after
           && tenant_same(frame->tenant, range->tenant);
}

static enum status write_frame(const struct range *range, const struct chain *chain,
                               const struct frame *frame, FILE *out, struct failure *failure)
{
    const bool is_before = frame->sequence == range->before;
    const bool is_after = frame->sequence == range->after;
    if (is_before || is_after) {
        uint8_t outline[CHECKPOINT_OUTLINE_BYTES];
        const enum status status =
            checkpoint_write_outline(frame->body, frame->body_bytes, outline, failure);
        if (status != STATUS_OK) {
            return status;
        }
        write_checkpoint(is_before, chain, range->tenant, outline, out);
    }
    if (is_own(range, frame)) {
        write_record(frame, out);
    }
    return STATUS_OK;
}

/* STATUS_NOT_FOUND: the range ends here. */
static enum status follow_frame(const struct range *range, struct chain *chain,
                                const struct frame *frame, FILE *out, uint64_t *count,
                                struct failure *failure)
{
    if (frame->kind == FRAME_SNAPSHOT) { /* the first one begins, the others are passed over */
        return chain->sequence == 0 ? chain_read_snapshot(chain, frame) : STATUS_OK;
    }
    const enum status status = write_frame(range, chain, frame, out, failure);
    if (status != STATUS_OK || frame->sequence == range->after) {
        return status != STATUS_OK ? status : STATUS_NOT_FOUND;
    }
    *count += is_own(range, frame);
    if (chain_follow(chain, frame, NULL) != CHAIN_INTACT) {
        return fail(failure, STATUS_INVALID,
                    "record %" PRIu64 " does not fit the chain: run ward audit verify",
                    frame->sequence);
    }
    return STATUS_OK;
}

static enum status write_range(const char *directory, const struct range *range,
                               struct chain *chain, FILE *out, uint64_t *count,
                               struct failure *failure)
{
    struct spool_reader *reader = NULL;
    enum status status = spool_reader_open(directory, range->segment, &reader, failure);
    while (status == STATUS_OK) {
        struct frame frame;
        struct spool_place place;
        status = spool_reader_next(reader, &frame, &place, failure);
        if (status == STATUS_NOT_FOUND) {
            status = fail(failure, STATUS_INVALID,
                          "%s: the log has lost its end meanwhile: run"
                          " ward audit verify",
                          directory);
        } else if (status == STATUS_OK) {
            status = follow_frame(range, chain, &frame, out, count, failure);
        }
    }
    spool_reader_close(reader);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status proof_write(const char *directory, const struct query *query, FILE *out,
                        uint64_t *count, struct failure *failure)
{
    struct range range;
    struct chain *chain = NULL;
    *count = 0;
    enum status status = find_range(directory, query, &range, failure);
    if (status == STATUS_OK && range.tenant.value > LIMIT_TENANTS) {
        status = fail(failure, STATUS_NOT_FOUND, "there is no tenant %" PRIu32, range.tenant.value);
    }
    if (status == STATUS_OK) {
        status = write_head(directory, &range, out, failure);
    }
    if (status == STATUS_OK) {
        chain = chain_create();
        status = chain ? write_range(directory, &range, chain, out, count, failure)
                       : fail(failure, STATUS_IO, "no memory to follow the chain");
    }
    if (status == STATUS_OK && chain->tenants[range.tenant.value].size == 0) {
        status = fail(failure, STATUS_NOT_FOUND, "there is no record of tenant %" PRIu32 " yet",
                      range.tenant.value);
    }
    if (status == STATUS_OK && (fflush(out) != 0 || ferror(out))) {
        status = fail(failure, STATUS_IO, "the proof cannot be written: is the disk full?");
    }
    chain_destroy(chain);
    return status;
}
