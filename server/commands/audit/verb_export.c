/* verb_export.c - `ward audit export`: records for other programs, or a proof for a clinic. That it
 * was done is recorded before the first line leaves. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit/examine/export.h"
#include "audit/examine/proof.h"
#include "audit/spool/inbox.h"
#include "server/commands/audit/audit_verbs.h"
#include "server/commands/audit/whose.h"
#include "server/commands/support/administration.h"

enum { SUBJECT_BYTES = 96, NODE_BYTES = 256 };

static struct {
    const char *tenant, *from, *to, *event, *format, *output;
    bool is_all, is_proof;
    struct query query; /* of these, filled in by check */
    enum export_format format_read;
} given = {.query = {.to_unix_ms = INT64_MAX}};

static const struct option_row rows[] = {
    {.name = "tenant",
     .kind = OPTION_TEXT,
     .out = &given.tenant,
     .value = WHOSE_VALUE,
     .help = "whose records"},
    {.name = "all",
     .kind = OPTION_FLAG,
     .out = &given.is_all,
     .help = "of every tenant, and the server's own"},
    {.name = "from",
     .kind = OPTION_TEXT,
     .out = &given.from,
     .value = "TIME",
     .help = "from this time on: 2026-11-20 or 2026-11-20T10:00:00Z; default all"},
    {.name = "to",
     .kind = OPTION_TEXT,
     .out = &given.to,
     .value = "TIME",
     .help = "before this time; default now"},
    {.name = "event",
     .kind = OPTION_TEXT,
     .out = &given.event,
     .value = "E",
     .help = "only this kind: request.completed, key.created, ..."},
    {.name = "format",
     .kind = OPTION_TEXT,
     .out = &given.format,
     .value = "F",
     .help = "jsonl: the records; fhir: an R4 AuditEvent a line; default jsonl"},
    {.name = "proof",
     .kind = OPTION_FLAG,
     .out = &given.is_proof,
     .help = "a bundle that `verify --proof` checks with the public key alone"},
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_TEXT,
     .out = &given.output,
     .value = "FILE",
     .help = "a new file instead of stdout"},
    STATE_ROW,
};

/* ---- options --------------------------------------------------------------------------------- */

static int check_time(const char *name, const char *text, int64_t *out)
{
    return !text || record_read_time(text, out) == STATUS_OK
               ? OPTIONS_READY
               : options_wrong("--%s %.40s: must be a time in UTC, as 2026-11-20T10:00:00Z", name,
                               text);
}

static int check_filters(void)
{
    struct query *query = &given.query;
    int code = check_time("from", given.from, &query->from_unix_ms);
    code = code == OPTIONS_READY ? check_time("to", given.to, &query->to_unix_ms) : code;
    if (code != OPTIONS_READY) {
        return code;
    }
    if (query->from_unix_ms >= query->to_unix_ms) {
        return options_wrong("--from must be earlier than --to");
    }
    query->has_event = given.event != NULL;
    if (given.event && !record_event_of_text(given.event, &query->event)) {
        return options_wrong("--event %.40s: there is none of that name, as request.completed",
                             given.event);
    }
    return OPTIONS_READY;
}

static int check(void)
{
    if (given.is_all == (given.tenant != NULL)) {
        return options_wrong("audit export: give either --tenant " WHOSE_VALUE " or --all");
    }
    if (given.is_proof && (given.is_all || given.event || given.format)) {
        return options_wrong("--proof: is of one tenant's records of every kind; it goes with "
                             "--tenant, --from and --to");
    }
    const char *format = given.format ? given.format : "jsonl";
    if (strcmp(format, "jsonl") != 0 && strcmp(format, "fhir") != 0) {
        return options_wrong("--format %.40s: must be jsonl or fhir", format);
    }
    given.format_read = strcmp(format, "fhir") == 0 ? EXPORT_FHIR : EXPORT_JSONL;
    return check_filters();
}

/* ---- the record of it ------------------------------------------------------------------------ */

static void write_subject(char out[SUBJECT_BYTES])
{
    char from[RECORD_TIME_BYTES] = "..", to[RECORD_TIME_BYTES] = "..";
    if (given.from) {
        record_write_time(given.query.from_unix_ms, from);
    }
    if (given.to) {
        record_write_time(given.query.to_unix_ms, to);
    }
    snprintf(out, SUBJECT_BYTES, "%s/%s %s%s%s", from, to,
             given.is_proof                     ? "proof"
             : given.format_read == EXPORT_FHIR ? "fhir"
                                                : "jsonl",
             given.event ? " " : "", given.event ? given.event : "");
}

static enum status begin(const char *directory, const struct whose *whose,
                         struct inbox_intent *intent, struct failure *failure)
{
    struct record_draft draft;
    char actor[ADMINISTRATION_ACTOR_BYTES], subject[SUBJECT_BYTES];
    administration_write_actor(actor);
    write_subject(subject);
    record_draft_begin(&draft, RECORD_EVENT_AUDIT_EXPORTED, whose->tenant, whose->name);
    record_draft_text(&draft, RECORD_FIELD_actor, actor);
    record_draft_text(&draft, RECORD_FIELD_subject, subject);
    const enum status status = inbox_begin(directory, &draft, intent, failure);
    if (status != STATUS_OK) {
        fail_prefix(failure, "the export cannot be recorded");
    }
    return status;
}

/* ---- the verb -------------------------------------------------------------------------------- */

static enum status open_output(FILE **out, struct failure *failure)
{
    *out = stdout;
    if (!given.output) {
        return STATUS_OK;
    }
    const int fd = open(given.output, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    *out = fd >= 0 ? fdopen(fd, "w") : NULL;
    return *out ? STATUS_OK
                : fail(failure, STATUS_IO, "%.200s: cannot be made: %s%s", given.output,
                       strerror(errno), errno == EEXIST ? "; name a new file" : "");
}

/* A part of an export must not be taken for the whole. */
static enum status close_output(FILE *out, enum status status, struct failure *failure)
{
    if (!given.output) {
        return status;
    }
    const bool is_kept = fflush(out) == 0 && fsync(fileno(out)) == 0;
    if (fclose(out) != 0 || !is_kept) {
        status = status == STATUS_OK
                     ? fail(failure, STATUS_IO, "%.200s: cannot be written", given.output)
                     : status;
    }
    if (status != STATUS_OK) {
        unlink(given.output);
    }
    return status;
}

static enum status write_out(const char *directory, FILE *out, struct failure *failure)
{
    char node[NODE_BYTES] = "";
    uint64_t count = 0;
    if (gethostname(node, sizeof node - 1) != 0) {
        memcpy(node, "ward", sizeof "ward");
    }
    const enum status status =
        given.is_proof
            ? proof_write(directory, &given.query, out, &count, failure)
            : export_run(directory, &given.query, given.format_read, node, out, &count, failure);
    if (status == STATUS_OK) {
        fprintf(stderr, "%" PRIu64 " records exported; that is recorded\n", count);
    }
    return status;
}

static enum status export_and_record(const char *directory, const struct whose *whose,
                                     struct failure *failure)
{
    FILE *out = NULL;
    struct inbox_intent intent = {""};
    enum status status = open_output(&out, failure);
    if (status != STATUS_OK) {
        return status;
    }
    status = begin(directory, whose, &intent, failure);
    if (status == STATUS_OK) {
        status = write_out(directory, out, failure);
    }
    status = close_output(out, status, failure);
    if (intent.name[0] != '\0') {
        inbox_finish(directory, &intent, status == STATUS_OK, NULL);
    }
    return status;
}

static int run(const char *word)
{
    (void)word;
    struct failure failure = {""};
    struct state state;
    struct whose whose = {.name = ""}; /* nobody's: all */
    enum status status = audit_verbs_find(&state, &failure);
    if (status == STATUS_OK && given.tenant) {
        status = whose_find(&state, given.tenant, &whose, &failure);
        given.query.has_tenant = true;
        given.query.tenant = whose.tenant;
    }
    if (status == STATUS_OK) {
        status = export_and_record(state.audit_directory, &whose, &failure);
    }
    state_close(&state);
    return status == STATUS_OK ? 0 : options_failed(&failure);
}

const struct verb verb_export = {
    .name = "export",
    .usage = "ward audit export (--tenant " WHOSE_VALUE " | --all) [--from TIME] [--to TIME]"
             " [options]",
    .summary =
        "Writes records for other programs, or a proof of one tenant's records; who exported\n"
        "what is recorded.\n\n"
        "  ward audit export --tenant clinic-a --from 2026-11-01 --to 2026-12-01 -o november\n"
        "  ward audit export --all --event key.created --format fhir\n"
        "  ward audit export --tenant clinic-a --proof -o proof",
    VERB_ROWS(rows),
    .check = check,
    .run = run,
};
