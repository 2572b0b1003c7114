/* A segment is read twice: first to count what is due, then to copy it into a new file without the
 * bodies that are due. When the copy is on the disk the erasure is recorded; then the copy takes
 * the old file's name in one step: who reads at that moment has the one or the other. */
#include "audit/spool/retention.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/spool/erased.h"
#include "audit/spool/segment.h"
#include "audit/spool/spool_reader.h"
#include "base/limits.h"

enum { KEPT_MS = 10000 };
static const int64_t DAY_MS = 86400000;
static const char draft_name[] = "retention.new"; /* no segment: those end with .seg */

struct found { /* in one segment */
    uint64_t segment;
    int64_t next_due_ms; /* before then there is nothing to erase or remove */
};

struct retention_memory {
    struct found *found; /* ascending */
    size_t count;
    uint32_t days, tenant_days[LIMIT_TENANTS + 1]; /* of the run that found it */
};

struct run {
    const char *directory;
    struct writer *writer;
    const struct retention_terms *terms;
    struct retention_done *done;
    struct failure *failure;
    int64_t earliest_days; /* the shortest retention of all */
    bool is_leading;       /* this segment and all before it are to go */
    bool is_first;         /* all segments before this one are gone */
    bool is_young;         /* from here on nothing is due */
    int64_t next_due_ms;   /* of the segment that was treated last */
};

struct survey {                /* of one segment */
    uint64_t due, kept;        /* bodies, checkpoints aside */
    uint64_t due_from, due_to; /* sequences */
    uint64_t checkpoints, young_checkpoints;
    uint64_t checkpoint_from, checkpoint_to;
    int64_t first_time_unix_ms; /* of the first body; 0: there is none */
    int64_t next_due_ms;        /* of what is kept; never, where nothing is that will be due */
    int64_t checkpoints_due_ms; /* of the last one; never, where there is none */
};

enum fate { FATE_KEPT, FATE_NEEDED, FATE_DUE, FATE_CHECKPOINT };

static bool is_stopped(const struct run *run)
{
    return run->terms->stop && atomic_load(run->terms->stop);
}

static int64_t due_ms(const struct record *record, uint32_t days)
{
    return record->time_unix_ms + (int64_t)days * DAY_MS;
}

static uint32_t days_of(const struct run *run, struct tenant_id tenant)
{
    const uint32_t own = run->terms->tenant_days[tenant.value];
    return own != 0 ? own : run->terms->days;
}

static enum status parse_body(const struct run *run, const struct frame *frame,
                              const struct spool_place *place, struct record *out)
{
    if (record_parse(frame->body, frame->body_bytes, out) != STATUS_OK
        || out->tenant.value > LIMIT_TENANTS) {
        return fail(run->failure, STATUS_INVALID,
                    "segment %llu, offset %llu: no record; run `ward audit verify`",
                    (unsigned long long)place->segment, (unsigned long long)place->offset);
    }
    return STATUS_OK;
}

/* A record of retention explains what is missing before it, so it goes when nothing is left there.
 */
static enum fate fate_of(const struct run *run, const struct frame *frame,
                         const struct record *record)
{
    if (record->event == RECORD_EVENT_CHAIN_CHECKPOINT) {
        return FATE_CHECKPOINT;
    }
    if (record->event == RECORD_EVENT_AUDIT_RETENTION && !run->is_first) {
        return FATE_NEEDED;
    }
    const bool is_due = frame->sequence <= run->terms->shipped
                        && due_ms(record, days_of(run, record->tenant)) < run->terms->now_unix_ms;
    return is_due ? FATE_DUE : FATE_KEPT;
}

/* ---- walking a segment ----------------------------------------------------------------------- */

typedef enum status visit_fn(void *context, const struct frame *frame,
                             const struct spool_place *place);

/* Each frame of one segment, its snapshot first. */
static enum status walk(const struct run *run, uint64_t segment, visit_fn *visit, void *context)
{
    struct spool_reader *reader = NULL;
    struct spool_place place = {.segment = segment};
    struct frame frame;
    enum status status = spool_reader_open(run->directory, segment, &reader, run->failure);
    while (status == STATUS_OK) {
        status = is_stopped(run) ? STATUS_CANCELLED
                                 : spool_reader_next(reader, &frame, &place, run->failure);
        if (status == STATUS_OK && place.segment != segment) {
            break;
        }
        if (status == STATUS_OK) {
            status = visit(context, &frame, &place);
        }
    }
    spool_reader_close(reader);
    return status;
}

struct surveying {
    const struct run *run;
    struct survey *survey;
};

static void add_to_survey(const struct run *run, const struct frame *frame,
                          const struct record *record, struct survey *survey)
{
    const int64_t due = due_ms(record, days_of(run, record->tenant));
    const int64_t checkpoint_due = due_ms(record, run->terms->days);
    switch (fate_of(run, frame, record)) {
    case FATE_NEEDED:
        survey->kept++;
        break;
    case FATE_KEPT:
        survey->kept++;
        survey->next_due_ms = due < survey->next_due_ms ? due : survey->next_due_ms;
        break;
    case FATE_DUE:
        survey->due_from = survey->due++ == 0 ? frame->sequence : survey->due_from;
        survey->due_to = frame->sequence;
        break;
    case FATE_CHECKPOINT:
        survey->checkpoint_from =
            survey->checkpoints++ == 0 ? frame->sequence : survey->checkpoint_from;
        survey->checkpoint_to = frame->sequence;
        survey->checkpoints_due_ms = checkpoint_due;
        if (checkpoint_due >= run->terms->now_unix_ms || frame->sequence > run->terms->shipped) {
            survey->young_checkpoints++;
        }
        break;
    }
}

static enum status survey_frame(void *context, const struct frame *frame,
                                const struct spool_place *place)
{
    const struct surveying *surveying = context;
    struct survey *survey = surveying->survey;
    struct record record;
    if (frame->kind != FRAME_RECORD) {
        return STATUS_OK;
    }
    const enum status status = parse_body(surveying->run, frame, place, &record);
    if (status == STATUS_OK) {
        if (survey->first_time_unix_ms == 0) {
            survey->first_time_unix_ms = record.time_unix_ms;
        }
        add_to_survey(surveying->run, frame, &record, survey);
    }
    return status;
}

/* ---- erasing --------------------------------------------------------------------------------- */

struct erasure { /* what is recorded of it */
    uint64_t from, to, count;
    bool removes_segment;
};

struct copying {
    const struct run *run;
    FILE *file;
    uint8_t *frame; /* FRAME_HEADER_BYTES + FRAME_BODY_BYTES_MAX */
    bool takes_checkpoints;
};

static enum status copy_frame(void *context, const struct frame *frame,
                              const struct spool_place *place)
{
    const struct copying *copying = context;
    const struct run *run = copying->run;
    struct frame copy = *frame;
    struct digest leaf;
    struct record record;
    if (frame->kind == FRAME_RECORD) {
        const enum status status = parse_body(run, frame, place, &record);
        if (status != STATUS_OK) {
            return status;
        }
        const enum fate fate = fate_of(run, frame, &record);
        if (fate == FATE_DUE || (fate == FATE_CHECKPOINT && copying->takes_checkpoints)) {
            leaf = frame_leaf(frame);
            copy.kind = FRAME_ERASED;
            copy.body = leaf.bytes;
            copy.body_bytes = sizeof leaf.bytes;
        }
    }
    const size_t bytes = frame_write(&copy, copying->frame);
    if (fwrite(copying->frame, 1, bytes, copying->file) != bytes) {
        return fail(run->failure, STATUS_IO, "segment %llu: its copy cannot be written: %s",
                    (unsigned long long)place->segment, strerror(errno));
    }
    return STATUS_OK;
}

static FILE *open_draft(const char *path)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (!file && fd >= 0) {
        close(fd);
    }
    return file;
}

static enum status fill_draft(const struct run *run, uint64_t segment, bool takes_checkpoints,
                              const char *draft)
{
    struct copying copying = {.run = run, .takes_checkpoints = takes_checkpoints};
    copying.file = open_draft(draft);
    copying.frame = malloc(FRAME_HEADER_BYTES + FRAME_BODY_BYTES_MAX);
    enum status status =
        copying.file && copying.frame
            ? walk(run, segment, copy_frame, &copying)
            : fail(run->failure, STATUS_IO, "%s: cannot be made: %s", draft, strerror(errno));
    if (status == STATUS_OK && (fflush(copying.file) != 0 || fsync(fileno(copying.file)) != 0)) {
        status = fail(run->failure, STATUS_IO, "%s: cannot be written: %s", draft, strerror(errno));
    }
    if (copying.file) {
        (void)fclose(copying.file);
    }
    free(copying.frame);
    return status;
}

/* Durable, and signed by a checkpoint, before the act: a crash between may record an erasure that
 * comes with the next run. */
static enum status record_erasure(const struct run *run, const struct erasure *erasure)
{
    struct record_draft draft;
    struct writer_position position = {0};
    record_draft_begin(&draft, RECORD_EVENT_AUDIT_RETENTION, (struct tenant_id){0}, NULL);
    record_draft_uint(&draft, RECORD_FIELD_count, erasure->count);
    if (erasure->removes_segment) {
        record_draft_text(&draft, RECORD_FIELD_reason, RETENTION_REMOVED);
    }
    record_draft_uint(&draft, RECORD_FIELD_sequence_from, erasure->from);
    record_draft_uint(&draft, RECORD_FIELD_sequence_to, erasure->to);
    enum status status = writer_append(run->writer, &draft, 0, &position);
    if (status == STATUS_OK) {
        status = writer_wait(run->writer, position, KEPT_MS);
    }
    if (status == STATUS_OK && !writer_is_durable(run->writer, position)) {
        status = STATUS_UNAVAILABLE;
    }
    return status == STATUS_OK
               ? STATUS_OK
               : fail(run->failure, STATUS_UNAVAILABLE,
                      "retention: its record cannot be kept now: nothing is erased");
}

/* For copies elsewhere, which are to erase the same. */
static enum status note(const struct run *run, uint64_t segment)
{
    struct writer_facts facts;
    writer_read_facts(run->writer, &facts);
    return erased_note(run->directory, segment, facts.sequence, run->failure);
}

static enum status note_removed(const struct run *run, uint64_t to)
{
    struct writer_facts facts;
    writer_read_facts(run->writer, &facts);
    return erased_note_removed(run->directory, to, facts.sequence, run->failure);
}

/* The copy is whole on the disk before it is recorded and takes the name. */
static enum status replace(const struct run *run, uint64_t segment, bool takes_checkpoints,
                           const struct erasure *erasure)
{
    char path[DIRECTORY_PATH_BYTES], draft[DIRECTORY_PATH_BYTES];
    enum status status = segment_path(run->directory, segment, path, run->failure);
    if (status == STATUS_OK) {
        status = directory_path(run->directory, "segments", draft_name, draft, run->failure);
    }
    if (status != STATUS_OK) {
        return status;
    }
    status = fill_draft(run, segment, takes_checkpoints, draft);
    if (status == STATUS_OK) {
        status = record_erasure(run, erasure);
    }
    if (status == STATUS_OK) {
        status = note(run, segment); /* should we die before the second one */
    }
    if (status == STATUS_OK && rename(draft, path) != 0) {
        status = fail(run->failure, STATUS_IO, "%s: cannot be replaced: %s", path, strerror(errno));
    }
    if (status != STATUS_OK) {
        unlink(draft);
        return status;
    }
    return segment_sync_directory(run->directory, run->failure);
}

static enum status erase(const struct run *run, uint64_t segment, const struct survey *survey)
{
    const bool takes_checkpoints =
        survey->kept == 0 && survey->checkpoints > 0 && survey->young_checkpoints == 0;
    struct erasure erasure = {.count = survey->due, .from = survey->due_from, .to = survey->due_to};
    if (takes_checkpoints) {
        const bool is_before = survey->due == 0 || survey->checkpoint_from < erasure.from;
        erasure.from = is_before ? survey->checkpoint_from : erasure.from;
        erasure.to = survey->checkpoint_to > erasure.to ? survey->checkpoint_to : erasure.to;
        erasure.count += survey->checkpoints;
    }
    if (erasure.count == 0) {
        return STATUS_OK;
    }
    enum status status = replace(run, segment, takes_checkpoints, &erasure);
    if (status == STATUS_OK) {
        run->done->erased += erasure.count;
        status = note(run, segment); /* who followed the first one saw the old file */
    }
    return status;
}

static enum status remove_segment(const struct run *run, uint64_t segment, uint64_t next,
                                  const struct survey *survey)
{
    const struct erasure erasure = {.count = survey->due + survey->checkpoints,
                                    .from = segment,
                                    .to = next - 1,
                                    .removes_segment = true};
    char path[DIRECTORY_PATH_BYTES];
    enum status status = segment_path(run->directory, segment, path, run->failure);
    if (status == STATUS_OK) {
        status = record_erasure(run, &erasure);
    }
    if (status == STATUS_OK) {
        status = note_removed(run, next - 1);
    }
    if (status == STATUS_OK && unlink(path) != 0) {
        status = fail(run->failure, STATUS_IO, "%s: cannot be removed: %s", path, strerror(errno));
    }
    if (status == STATUS_OK) {
        status = segment_sync_directory(run->directory, run->failure);
    }
    if (status == STATUS_OK) {
        run->done->erased += erasure.count;
        run->done->removed_segments++;
        run->done->removed_to = next - 1;
    }
    return status;
}

/* ---- when ------------------------------------------------------------------------------------ */

int64_t retention_now(int64_t clock_unix_ms, int64_t last_unix_ms, uint64_t since_start_ms)
{
    const int64_t most = last_unix_ms + (int64_t)since_start_ms + RETENTION_AHEAD_DAYS * DAY_MS;
    return clock_unix_ms < most ? clock_unix_ms : most;
}

/* ---- a run ----------------------------------------------------------------------------------- */

static int64_t earliest_days(const struct retention_terms *terms)
{
    uint32_t days = terms->days;
    for (uint32_t i = 0; i <= LIMIT_TENANTS; i++) {
        const uint32_t own = terms->tenant_days[i];
        days = own != 0 && own < days ? own : days;
    }
    return days;
}

static enum status treat(struct run *run, uint64_t segment, uint64_t next)
{
    struct survey survey = {.next_due_ms = INT64_MAX, .checkpoints_due_ms = INT64_MAX};
    struct surveying surveying = {run, &survey};
    run->is_first = run->is_leading;
    const enum status status = walk(run, segment, survey_frame, &surveying);
    if (status != STATUS_OK) {
        return status;
    }
    const int64_t first_due_ms = survey.first_time_unix_ms + run->earliest_days * DAY_MS;
    run->is_young = survey.first_time_unix_ms != 0 && first_due_ms >= run->terms->now_unix_ms;
    run->is_leading = run->is_leading && survey.kept == 0 && survey.young_checkpoints == 0
                      && next - 1 <= run->terms->shipped;
    run->next_due_ms = survey.kept > 0 ? survey.next_due_ms : survey.checkpoints_due_ms;
    return run->is_leading ? remove_segment(run, segment, next, &survey)
                           : erase(run, segment, &survey);
}

/* ---- what runs found ------------------------------------------------------------------------- */

struct retention_memory *retention_memory_create(void)
{
    return calloc(1, sizeof(struct retention_memory));
}

void retention_memory_destroy(struct retention_memory *memory)
{
    if (memory) {
        free(memory->found);
        free(memory);
    }
}

/* Under other terms other records are due. */
static void forget_other_terms(struct retention_memory *memory, const struct retention_terms *terms)
{
    if (memory->days != terms->days
        || memcmp(memory->tenant_days, terms->tenant_days, sizeof memory->tenant_days) != 0) {
        memory->count = 0;
        memory->days = terms->days;
        memcpy(memory->tenant_days, terms->tenant_days, sizeof memory->tenant_days);
    }
}

/* Segments are looked at from the oldest on; one that may be the next to be removed is read. */
static enum status treat_all(struct run *run, const uint64_t *segments, size_t count,
                             struct retention_memory *memory)
{
    const int64_t now_ms = run->terms->now_unix_ms;
    struct found *found = calloc(count + 1, sizeof *found);
    size_t found_count = 0, at = 0;
    enum status status = STATUS_OK;
    if (!found) {
        return fail(run->failure, STATUS_IO, "retention: no memory for %zu segments", count);
    }
    for (size_t i = 0; status == STATUS_OK && i + 2 < count && !run->is_young; i++) {
        while (at < memory->count && memory->found[at].segment < segments[i]) {
            at++;
        }
        const bool is_known = at < memory->count && memory->found[at].segment == segments[i];
        if (is_known && !run->is_leading && memory->found[at].next_due_ms >= now_ms) {
            found[found_count++] = memory->found[at];
        } else {
            status = treat(run, segments[i], segments[i + 1]);
            found[found_count++] = (struct found){segments[i], run->next_due_ms};
        }
    }
    if (status == STATUS_OK) {
        free(memory->found);
        memory->found = found;
        memory->count = found_count;
    } else {
        free(found);
    }
    return status;
}

enum status retention_run(const char *directory, struct writer *writer,
                          const struct retention_terms *terms, struct retention_memory *memory,
                          struct retention_done *out, struct failure *failure)
{
    struct run run = {.directory = directory,
                      .writer = writer,
                      .terms = terms,
                      .done = out,
                      .failure = failure,
                      .earliest_days = earliest_days(terms),
                      .is_leading = true};
    struct retention_memory none = {.found = NULL};
    uint64_t *segments = NULL;
    size_t count = 0;
    *out = (struct retention_done){0};
    enum status status = segment_list(directory, &segments, &count, failure);
    if (status == STATUS_OK) {
        forget_other_terms(memory ? memory : &none, terms);
        status = treat_all(&run, segments, count, memory ? memory : &none);
    }
    free(none.found);
    free(segments);
    return status;
}
