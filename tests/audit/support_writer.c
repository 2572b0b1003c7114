#include "tests/audit/support_writer.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/spool/spool_reader.h"

void support_directory_make(char out[SUPPORT_DIRECTORY_BYTES])
{
    snprintf(out, SUPPORT_DIRECTORY_BYTES, "/tmp/ward-audit-XXXXXX");
    if (!mkdtemp(out)) {
        perror("mkdtemp");
        abort();
    }
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

void support_directory_remove(const char *directory)
{
    (void)nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

struct writer_config support_writer_config(const char *directory)
{
    return (struct writer_config){
        .directory = directory,
        .queue_bytes = 4 << 20,
        .segment_bytes = 4 << 20,
        .checkpoint_records = 1000,
        .checkpoint_ms = 50,
    };
}

void support_draft(struct record_draft *out, enum record_event event, uint64_t a, uint64_t b)
{
    record_draft_begin(out, event, (struct tenant_id){1}, "clinic-a");
    record_draft_uint(out, RECORD_FIELD_prompt_tokens, a);
    record_draft_uint(out, RECORD_FIELD_output_tokens, b);
}

/* ---- reading --------------------------------------------------------------------------------- */

static void read_fields(const struct record *record, struct support_entry *out)
{
    out->event = record->event;
    out->number = record->number;
    out->time_unix_ms = record->time_unix_ms;
    out->a = record->fields[RECORD_FIELD_prompt_tokens].uint;
    out->b = record->fields[RECORD_FIELD_output_tokens].uint;
    out->count = record->fields[RECORD_FIELD_count].uint;
    out->sequence_from = record->fields[RECORD_FIELD_sequence_from].uint;
    out->sequence_to = record->fields[RECORD_FIELD_sequence_to].uint;
    out->stepped_ms = record->fields[RECORD_FIELD_stepped_ms].integer;
    record_text(record, RECORD_FIELD_reason, out->reason, sizeof out->reason);
    record_text(record, RECORD_FIELD_outcome, out->outcome, sizeof out->outcome);
    record_text(record, RECORD_FIELD_subject, out->subject, sizeof out->subject);
}

struct reading {
    struct support_spool *out;
    struct chain *chain;
    uint8_t chain_id[CHECKPOINT_KEY_BYTES];
    size_t capacity;
};

static bool take_snapshot(struct reading *reading, const struct frame *frame)
{
    if (reading->out->snapshots++ == 0) {
        return chain_read_snapshot(reading->chain, frame) == STATUS_OK;
    }
    return chain_is_at_snapshot(reading->chain, frame);
}

/* "": taken. */
static const char *take_record(struct reading *reading, const struct frame *frame,
                               struct support_entry *entry)
{
    struct record record;
    if (frame->kind == FRAME_RECORD) {
        if (record_parse(frame->body, frame->body_bytes, &record) != STATUS_OK) {
            return "a body is no record";
        }
        read_fields(&record, entry);
    }
    struct checkpoint checkpoint;
    if (entry->event == RECORD_EVENT_CHAIN_CHECKPOINT
        && (checkpoint_check(frame->body, frame->body_bytes, reading->chain_id, &checkpoint, NULL)
                != STATUS_OK
            || !checkpoint_fits(&checkpoint, reading->chain))) {
        return "a checkpoint does not fit";
    }
    return chain_follow(reading->chain, frame, NULL) == CHAIN_INTACT ? "" : "the chain breaks";
}

static struct support_entry *add_entry(struct reading *reading, const struct frame *frame,
                                       const struct spool_place *place)
{
    struct support_spool *out = reading->out;
    if (out->count == reading->capacity) {
        reading->capacity = 2 * reading->capacity + 256;
        out->entries = realloc(out->entries, reading->capacity * sizeof *out->entries);
    }
    struct support_entry *entry = &out->entries[out->count++];
    *entry = (struct support_entry){
        .sequence = frame->sequence,
        .segment = place->segment,
        .epoch = frame->epoch,
        .tenant = frame->tenant.value,
        .is_erased = frame->kind == FRAME_ERASED,
        .leaf = frame_leaf(frame),
    };
    return entry;
}

static void read_frames(struct reading *reading, struct spool_reader *reader)
{
    struct support_spool *out = reading->out;
    struct failure failure = {.text = ""};
    struct spool_place place;
    struct frame frame;
    enum status status = STATUS_OK;
    while ((status = spool_reader_next(reader, &frame, &place, &failure)) == STATUS_OK) {
        const char *problem = "";
        if (frame.kind == FRAME_SNAPSHOT) {
            problem = take_snapshot(reading, &frame) ? "" : "a snapshot does not fit";
        } else {
            problem = take_record(reading, &frame, add_entry(reading, &frame, &place));
        }
        if (problem[0] != '\0') {
            snprintf(out->problem, sizeof out->problem, "%s: sequence %llu", problem,
                     (unsigned long long)frame.sequence);
            return;
        }
    }
    out->tail_bytes = spool_reader_tail_bytes(reader);
    if (status != STATUS_NOT_FOUND) {
        snprintf(out->problem, sizeof out->problem, "%s", failure.text);
    }
}

void support_spool_read(const char *directory, struct support_spool *out)
{
    *out = (struct support_spool){.problem = ""};
    struct reading reading = {.out = out, .chain = chain_create()};
    struct spool_reader *reader = NULL;
    struct failure failure = {.text = "no memory"};
    if (!reading.chain
        || directory_read_public_key(directory, reading.chain_id, &failure) != STATUS_OK
        || spool_reader_open(directory, 0, &reader, &failure) != STATUS_OK) {
        snprintf(out->problem, sizeof out->problem, "%s", failure.text);
    } else {
        read_frames(&reading, reader);
    }
    spool_reader_close(reader);
    chain_destroy(reading.chain);
}

void support_spool_free(struct support_spool *spool)
{
    free(spool->entries);
    spool->entries = NULL;
}

size_t support_spool_count(const struct support_spool *spool, enum record_event event)
{
    size_t count = 0;
    for (size_t i = 0; i < spool->count; i++) {
        count += spool->entries[i].event == event;
    }
    return count;
}

const struct support_entry *support_spool_find(const struct support_spool *spool,
                                               enum record_event event, size_t n)
{
    for (size_t i = 0; i < spool->count; i++) {
        if (spool->entries[i].event == event && n-- == 0) {
            return &spool->entries[i];
        }
    }
    return NULL;
}
