/* One file a record, named by when the act began: its body in the schema's encoding, replaced whole
 * by rename, so that a reader never meets half of one. A body without an outcome is an intent. */
#include "audit/spool/inbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "audit/spool/file.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"

enum {
    FILES_MAX = 256,   /* taken by one call */
    INTENT_MS = 60000, /* how long an act may last */
    KEPT_MS = 2000,    /* how long a call waits for what it appended */
    ADDED_BYTES = 192, /* outcome, subject and reason that are added to a body */
    COUNTS_MAX = 32,
    COUNT_NAME_BYTES = 32,
};
static const char part[] = "inbox";
static const char suffix[] = ".record";

/* ---- drafts again ---------------------------------------------------------------------------- */

static void copy_counts(struct record_draft *draft, enum record_field field,
                        const struct record_value *value)
{
    char names[COUNTS_MAX][COUNT_NAME_BYTES];
    struct record_count counts[COUNTS_MAX];
    size_t count = 0;
    while (count < COUNTS_MAX
           && record_count_at(value, count, names[count], COUNT_NAME_BYTES, &counts[count].count)) {
        counts[count].name = names[count];
        count++;
    }
    record_draft_counts(draft, field, counts, count);
}

static void copy_field(struct record_draft *draft, enum record_field field,
                       const struct record *record)
{
    const struct record_value *value = &record->fields[field];
    char text[RECORD_BODY_BYTES_MAX];
    switch (value->kind) {
    case RECORD_ABSENT:
        break;
    case RECORD_UINT:
        record_draft_uint(draft, field, value->uint);
        break;
    case RECORD_INT:
        record_draft_int(draft, field, value->integer);
        break;
    case RECORD_E6:
        record_draft_e6(draft, field, (double)value->integer / 1e6);
        break;
    case RECORD_TEXT:
        record_draft_text(draft, field, record_text(record, field, text, sizeof text));
        break;
    case RECORD_BYTES:
        record_draft_bytes(draft, field, value->bytes);
        break;
    case RECORD_COUNTS:
        copy_counts(draft, field, value);
        break;
    }
}

struct additions { /* each NULL: as the record has it */
    const char *outcome, *subject, *reason;
};

static void draft_again(const struct record *record, const struct additions *added,
                        struct record_draft *out)
{
    record_draft_begin(out, record->event, record->tenant, record->tenant_name);
    for (int i = RECORD_FIELD_request_id; i <= RECORD_FIELD_MAX; i++) {
        const enum record_field field = (enum record_field)i;
        const char *text = NULL;
        if (field == RECORD_FIELD_outcome) {
            text = added->outcome;
        } else if (field == RECORD_FIELD_subject) {
            text = added->subject;
        } else if (field == RECORD_FIELD_reason) {
            text = added->reason;
        }
        if (text) {
            record_draft_text(out, field, text);
        } else {
            copy_field(out, field, record);
        }
    }
}

/* What another process may ask to be recorded; the rest is the server's own to say. */
static bool is_for_inbox(enum record_event event)
{
    return event >= RECORD_EVENT_TENANT_ADDED && event <= RECORD_EVENT_AUDIT_EXPORTED
           && record_event_text(event) != NULL;
}

static bool parse(const uint8_t *body, size_t length, struct record *out)
{
    return length + ADDED_BYTES <= RECORD_DRAFT_BYTES
           && record_parse(body, length, out) == STATUS_OK && is_for_inbox(out->event)
           && out->tenant.value <= LIMIT_TENANTS;
}

/* ---- files ----------------------------------------------------------------------------------- */

static enum status file_path(const char *directory, const char *name,
                             char out[DIRECTORY_PATH_BYTES], struct failure *failure)
{
    char file[INBOX_NAME_BYTES + sizeof suffix];
    snprintf(file, sizeof file, "%s%s", name, suffix);
    return directory_path(directory, part, file, out, failure);
}

static enum status write_draft(const char *directory, const char *name,
                               const struct record_draft *draft, struct failure *failure)
{
    uint8_t body[RECORD_BODY_BYTES_MAX];
    char inbox[DIRECTORY_PATH_BYTES], path[DIRECTORY_PATH_BYTES];
    const size_t length = record_encode(draft, 1, clock_unix_ms(), body);
    enum status status = directory_path(directory, part, NULL, inbox, failure);
    if (status == STATUS_OK) {
        status = file_path(directory, name, path, failure);
    }
    if (status == STATUS_OK) {
        status = file_replace(path, body, length, failure);
    }
    return status == STATUS_OK ? file_sync_directory(inbox, failure) : status;
}

/* STATUS_NOT_FOUND: gone, or not readable now. STATUS_INVALID: not a record for the inbox. */
static enum status read_record(const char *path, uint8_t body[RECORD_BODY_BYTES_MAX],
                               struct record *out, int64_t *age_ms)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        return errno == ELOOP ? STATUS_INVALID : STATUS_NOT_FOUND;
    }
    struct stat info;
    const bool is_file = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
    const ssize_t length = is_file ? read(fd, body, RECORD_BODY_BYTES_MAX) : -1;
    close(fd);
    if (length < 0 || !parse(body, (size_t)length, out)) {
        return STATUS_INVALID;
    }
    *age_ms =
        clock_unix_ms() - ((int64_t)info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1000000);
    return STATUS_OK;
}

/* ---- the other process ----------------------------------------------------------------------- */

static void make_name(char out[INBOX_NAME_BYTES])
{
    const int64_t now_ms = clock_unix_ms();
    const time_t seconds = (time_t)(now_ms / 1000);
    struct tm utc;
    char text[32];
    gmtime_r(&seconds, &utc);
    strftime(text, sizeof text, "%Y%m%dT%H%M%S", &utc);
    uint8_t random[8];
    char hexadecimal[2 * sizeof random + 1];
    randombytes_buf(random, sizeof random);
    sodium_bin2hex(hexadecimal, sizeof hexadecimal, random, sizeof random);
    snprintf(out, INBOX_NAME_BYTES, "%s.%03dZ-%s", text, (int)(now_ms % 1000), hexadecimal);
}

enum status inbox_begin(const char *directory, const struct record_draft *draft,
                        struct inbox_intent *out, struct failure *failure)
{
    ASSERT(is_for_inbox(draft->event) && draft->length + 2 * ADDED_BYTES <= RECORD_DRAFT_BYTES);
    char path[DIRECTORY_PATH_BYTES];
    out->name[0] = '\0';
    if (sodium_init() < 0) {
        return fail(failure, STATUS_IO, "no random numbers from the operating system");
    }
    enum status status = directory_path(directory, part, NULL, path, failure);
    if (status == STATUS_OK) {
        status = file_make_directory(path, failure);
    }
    if (status == STATUS_OK) {
        struct inbox_intent intent;
        make_name(intent.name);
        status = write_draft(directory, intent.name, draft, failure);
        if (status == STATUS_OK) {
            *out = intent;
        }
    }
    return status;
}

void inbox_finish(const char *directory, const struct inbox_intent *intent, bool is_done,
                  const char *subject)
{
    uint8_t body[RECORD_BODY_BYTES_MAX];
    char path[DIRECTORY_PATH_BYTES];
    struct failure failure = {.text = "the intent is gone"};
    struct record record;
    int64_t age_ms = 0;
    if (intent->name[0] == '\0') {
        return;
    }
    enum status status = file_path(directory, intent->name, path, &failure);
    if (status == STATUS_OK) {
        status = read_record(path, body, &record, &age_ms);
    }
    if (status == STATUS_OK) {
        const struct additions added = {is_done ? "done" : "failed", subject, NULL};
        struct record_draft draft;
        draft_again(&record, &added, &draft);
        status = write_draft(directory, intent->name, &draft, &failure);
    }
    if (status != STATUS_OK) { /* the server records it with outcome unknown */
        log_event(LOG_LEVEL_WARN, "audit", "inbox.unfinished", "name=%s failure=\"%s\"",
                  intent->name, failure.text);
    }
}

/* ---- the server ------------------------------------------------------------------------------ */

struct taken {
    char path[DIRECTORY_PATH_BYTES];
    struct writer_position position;
};

static int is_record(const struct dirent *entry)
{
    const size_t length = strlen(entry->d_name), end = sizeof suffix - 1;
    return length > end && length - end < INBOX_NAME_BYTES
           && strcmp(entry->d_name + length - end, suffix) == 0;
}

static void set_aside(const char *path)
{
    char bad[DIRECTORY_PATH_BYTES + 8];
    snprintf(bad, sizeof bad, "%s.bad", path);
    if (rename(path, bad) != 0) {
        unlink(path);
    }
    log_event(LOG_LEVEL_ERROR, "audit", "inbox.malformed", "file=\"%s\"", bad);
}

/* True: appended, at *out. */
static bool take_file(const char *directory, const char *file, struct writer *writer,
                      struct taken *out)
{
    uint8_t body[RECORD_BODY_BYTES_MAX];
    struct record record;
    int64_t age_ms = 0;
    if (directory_path(directory, part, file, out->path, NULL) != STATUS_OK) {
        return false;
    }
    const enum status status = read_record(out->path, body, &record, &age_ms);
    if (status == STATUS_INVALID) {
        set_aside(out->path);
    }
    if (status != STATUS_OK) {
        return false;
    }
    const bool is_finished = record.fields[RECORD_FIELD_outcome].kind != RECORD_ABSENT;
    if (!is_finished && age_ms < INTENT_MS && age_ms > -INTENT_MS) {
        return false;
    }
    char name[INBOX_NAME_BYTES];
    snprintf(name, sizeof name, "%.*s", (int)(strlen(file) - (sizeof suffix - 1)), file);
    const struct additions added = {is_finished ? NULL : "unknown", NULL, name};
    struct record_draft draft;
    draft_again(&record, &added, &draft);
    return writer_append(writer, &draft, 0, &out->position) == STATUS_OK;
}

/* In the order of their names, that is of time. */
static uint32_t take_files(const char *directory, struct dirent **entries, uint32_t count,
                           struct writer *writer)
{
    struct taken *taken = calloc(count, sizeof *taken);
    uint32_t taken_count = 0;
    for (uint32_t i = 0; taken && i < count; i++) {
        if (take_file(directory, entries[i]->d_name, writer, &taken[taken_count])) {
            taken_count++;
        }
    }
    for (uint32_t i = 0; i < taken_count; i++) {
        if (writer_wait(writer, taken[i].position, KEPT_MS) != STATUS_OK) {
            break;
        }
        if (writer_is_durable(writer, taken[i].position)) {
            unlink(taken[i].path);
        }
    }
    free(taken);
    return taken_count;
}

uint32_t inbox_collect(const char *directory, struct writer *writer)
{
    char path[DIRECTORY_PATH_BYTES];
    struct dirent **entries = NULL;
    struct writer_facts facts;
    writer_read_facts(writer, &facts);
    if (facts.is_failing || directory_path(directory, part, NULL, path, NULL) != STATUS_OK) {
        return 0;
    }
    const int count = scandir(path, &entries, is_record, alphasort);
    uint32_t taken_count = 0;
    if (count > 0) {
        const uint32_t some = count < FILES_MAX ? (uint32_t)count : FILES_MAX;
        taken_count = take_files(directory, entries, some, writer);
    }
    for (int i = 0; i < count; i++) {
        free(entries[i]);
    }
    free(entries);
    return taken_count;
}
