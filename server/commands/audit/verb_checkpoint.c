/* verb_checkpoint.c - `ward audit checkpoint`: the last signed checkpoint as a line to copy to
 * another machine, where whoever rewrites the log cannot reach it. */
#include <stdio.h>
#include <unistd.h>

#include "audit/chain/checkpoint.h"
#include "server/commands/audit/audit_verbs.h"
#include "server/commands/audit/recent.h"

enum { FOLLOW_POLL_US = 200000, LINE_BYTES_MAX = 1 << 14 };

static bool follows;

static const struct option_row rows[] = {
    {.name = "follow",
     .letter = 'f',
     .kind = OPTION_FLAG,
     .out = &follows,
     .help = "go on with new ones until it is stopped"},
    STATE_ROW,
};

static enum status print_line(const struct record *record, struct failure *failure)
{
    struct buffer line = {.limit_bytes = LINE_BYTES_MAX};
    const enum status status = checkpoint_write_line(record->body, record->body_bytes, &line);
    if (status == STATUS_OK) {
        printf("%s\n", line.bytes);
    } else {
        fail(failure, status, "checkpoint: cannot be written as a line");
    }
    buffer_destroy(&line);
    return status;
}

static enum status show(const char *directory, const struct query *query, struct failure *failure)
{
    struct query_cursor *cursor = NULL;
    struct record record;
    uint64_t sequence = 0, count = 0;
    enum status status = query_open(directory, query, &cursor, failure);
    while (status == STATUS_OK) {
        status = query_next(cursor, 0, &record, &sequence, failure);
        if (status == STATUS_OK) {
            status = print_line(&record, failure);
            count++;
        } else if (status == STATUS_NOT_FOUND && follows && fflush(stdout) == 0) {
            usleep(FOLLOW_POLL_US);
            status = STATUS_OK;
        }
    }
    query_close(cursor);
    if (status != STATUS_NOT_FOUND) {
        return status;
    }
    return count > 0
               ? STATUS_OK
               : fail(failure, STATUS_NOT_FOUND,
                      "%s: holds no checkpoint yet; the server makes one each second", directory);
}

static int run(const char *word)
{
    (void)word;
    struct failure failure = {""};
    struct state state;
    struct query query = {.to_unix_ms = INT64_MAX,
                          .has_tenant = true, /* 0: the server's own records */
                          .has_event = true,
                          .event = RECORD_EVENT_CHAIN_CHECKPOINT};
    enum status status = audit_verbs_find(&state, &failure);
    if (status == STATUS_OK) {
        status = recent_find(state.audit_directory, &query, 1, &failure);
    }
    if (status == STATUS_OK) {
        status = show(state.audit_directory, &query, &failure);
    }
    state_close(&state);
    return status == STATUS_OK ? 0 : options_failed(&failure);
}

const struct verb verb_checkpoint = {
    .name = "checkpoint",
    .usage = "ward audit checkpoint [--follow]",
    .summary = "Prints the last signed checkpoint as a line. Kept elsewhere, it proves later that\n"
               "nothing before it was changed: `ward audit verify --checkpoint FILE`.\n\n"
               "  ward audit checkpoint | ssh officer@elsewhere 'cat >>ward-checkpoints'",
    VERB_ROWS(rows),
    .run = run,
};
