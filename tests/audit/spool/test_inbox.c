/* Method: what a command leaves is collected by a running writer and found in its spool; files that
 * no command would leave are set aside. A crash between append and removal is played by putting the
 * file back. */
#include "audit/spool/inbox.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/audit/support_writer.h"
#include "tests/check.h"

static char root[SUPPORT_DIRECTORY_BYTES];
static char directory[SUPPORT_DIRECTORY_BYTES + 8], inbox[SUPPORT_DIRECTORY_BYTES + 16];
static char control[SUPPORT_DIRECTORY_BYTES + 8];
static struct failure failure;

static struct writer *start(void)
{
    support_directory_make(root);
    snprintf(directory, sizeof directory, "%s/audit", root);
    snprintf(inbox, sizeof inbox, "%s/inbox", directory);
    snprintf(control, sizeof control, "%s/fault", root);
    setenv("FAULT_IO_DIRECTORY", directory, 1);
    setenv("FAULT_IO_CONTROL", control, 1);
    const struct writer_config config = support_writer_config(directory);
    struct writer *writer = NULL;
    CHECK(writer_start(&config, &writer, &failure) == STATUS_OK, "%s", failure.text);
    if (!writer) {
        exit(1);
    }
    return writer;
}

static struct support_spool stop_and_read(struct writer *writer)
{
    struct support_spool spool;
    CHECK(writer_stop(writer), "all kept");
    support_spool_read(directory, &spool);
    CHECK(spool.problem[0] == '\0', "%s", spool.problem);
    return spool;
}

static void finish(struct support_spool *spool)
{
    support_spool_free(spool);
    support_directory_remove(root);
}

static size_t count_files(const char *ending)
{
    size_t count = 0;
    DIR *files = opendir(inbox);
    for (const struct dirent *entry = files ? readdir(files) : NULL; entry;
         entry = readdir(files)) {
        const size_t length = strlen(entry->d_name), end = strlen(ending);
        count += length >= end && strcmp(entry->d_name + length - end, ending) == 0;
    }
    if (files) {
        closedir(files);
    }
    return count;
}

static struct inbox_intent begin(enum record_event event, const char *subject)
{
    struct record_draft draft;
    struct inbox_intent intent;
    const struct record_count changes[] = {{"requests_per_minute", 60}, {"tokens_per_minute", 9}};
    record_draft_begin(&draft, event, (struct tenant_id){3}, "clinic-c");
    record_draft_text(&draft, RECORD_FIELD_actor, "os:dana");
    record_draft_text(&draft, RECORD_FIELD_subject, subject);
    record_draft_counts(&draft, RECORD_FIELD_changes, changes, 2);
    CHECK(inbox_begin(directory, &draft, &intent, &failure) == STATUS_OK, "%s", failure.text);
    return intent;
}

static void path_of(const struct inbox_intent *intent, char out[256])
{
    snprintf(out, 256, "%s/%s.record", inbox, intent->name);
}

/* The file is as old as if its act had begun long ago. */
static void make_old(const struct inbox_intent *intent)
{
    char path[256];
    path_of(intent, path);
    const struct timespec times[2] = {{.tv_sec = time(NULL) - 3600}, {.tv_sec = time(NULL) - 3600}};
    CHECK(utimensat(AT_FDCWD, path, times, 0) == 0, "age");
}

static void finished_acts_are_recorded_once(void)
{
    struct writer *writer = start();
    CHECK(inbox_collect(directory, writer) == 0, "there is no inbox yet");
    const struct inbox_intent added = begin(RECORD_EVENT_TENANT_ADDED, NULL);
    CHECK(inbox_collect(directory, writer) == 0, "not finished");
    inbox_finish(directory, &added, true, "clinic-c");
    const struct inbox_intent created = begin(RECORD_EVENT_KEY_CREATED, "unknown yet");
    inbox_finish(directory, &created, false, NULL);
    CHECK(inbox_collect(directory, writer) == 2, "two");
    CHECK(inbox_collect(directory, writer) == 0, "no more");
    CHECK(count_files(".record") == 0 && count_files(".new") == 0, "nothing is left");
    struct support_spool spool = stop_and_read(writer);
    const struct support_entry *first = support_spool_find(&spool, RECORD_EVENT_TENANT_ADDED, 0);
    const struct support_entry *second = support_spool_find(&spool, RECORD_EVENT_KEY_CREATED, 0);
    CHECK(first && strcmp(first->outcome, "done") == 0 && strcmp(first->subject, "clinic-c") == 0
              && strcmp(first->reason, added.name) == 0 && first->tenant == 3,
          "the first");
    CHECK(second && strcmp(second->outcome, "failed") == 0
              && strcmp(second->subject, "unknown yet") == 0
              && strcmp(second->reason, created.name) == 0,
          "the second");
    CHECK(first && second && first->sequence < second->sequence, "in the order of the acts");
    finish(&spool);
}

/* What was drafted arrives byte for byte, but for what is added. */
static void fields_of_all_kinds_arrive(void)
{
    struct writer *writer = start();
    const struct inbox_intent intent = begin(RECORD_EVENT_TENANT_CHANGED, "clinic-c");
    inbox_finish(directory, &intent, true, NULL);
    struct record_draft want, got;
    const struct record_count changes[] = {{"requests_per_minute", 60}, {"tokens_per_minute", 9}};
    record_draft_begin(&want, RECORD_EVENT_TENANT_CHANGED, (struct tenant_id){3}, "clinic-c");
    record_draft_text(&want, RECORD_FIELD_outcome, "done");
    record_draft_text(&want, RECORD_FIELD_actor, "os:dana");
    record_draft_text(&want, RECORD_FIELD_subject, "clinic-c");
    record_draft_counts(&want, RECORD_FIELD_changes, changes, 2);
    record_draft_text(&want, RECORD_FIELD_reason, intent.name);
    CHECK(inbox_collect(directory, writer) == 1, "one");
    struct support_spool spool = stop_and_read(writer);
    const struct support_entry *entry = support_spool_find(&spool, RECORD_EVENT_TENANT_CHANGED, 0);
    uint8_t body[RECORD_BODY_BYTES_MAX];
    got = want;
    const size_t bytes = record_encode(&got, 1, entry ? entry->time_unix_ms : 0, body);
    uint8_t leaf_bytes[RECORD_BODY_BYTES_MAX + 1] = {0};
    memcpy(leaf_bytes + 1, body, bytes);
    const struct digest leaf = digest_of(leaf_bytes, bytes + 1);
    CHECK(entry && digest_same(entry->leaf, leaf), "the body is the one that was meant");
    finish(&spool);
}

static void an_act_that_never_finished_is_unknown(void)
{
    struct writer *writer = start();
    const struct inbox_intent intent = begin(RECORD_EVENT_KEY_REVOKED, "abc");
    CHECK(inbox_collect(directory, writer) == 0, "it may still finish");
    make_old(&intent);
    CHECK(inbox_collect(directory, writer) == 1, "after its time");
    inbox_finish(directory, &intent, true, NULL); /* too late: told in the log alone */
    CHECK(inbox_collect(directory, writer) == 0, "not twice");
    struct support_spool spool = stop_and_read(writer);
    const struct support_entry *entry = support_spool_find(&spool, RECORD_EVENT_KEY_REVOKED, 0);
    CHECK(entry && strcmp(entry->outcome, "unknown") == 0, "unknown");
    finish(&spool);
}

static void a_crash_repeats_and_the_name_tells(void)
{
    struct writer *writer = start();
    char path[256], kept[300];
    const struct inbox_intent intent = begin(RECORD_EVENT_KEY_ROTATED, "abc");
    inbox_finish(directory, &intent, true, NULL);
    path_of(&intent, path);
    snprintf(kept, sizeof kept, "%s.kept", path);
    CHECK(link(path, kept) == 0, "a second name");
    CHECK(inbox_collect(directory, writer) == 1, "once");
    CHECK(rename(kept, path) == 0, "as if it had not been removed");
    CHECK(inbox_collect(directory, writer) == 1, "again");
    struct support_spool spool = stop_and_read(writer);
    const struct support_entry *first = support_spool_find(&spool, RECORD_EVENT_KEY_ROTATED, 0);
    const struct support_entry *second = support_spool_find(&spool, RECORD_EVENT_KEY_ROTATED, 1);
    CHECK(first && second && strcmp(first->reason, second->reason) == 0, "the same act");
    finish(&spool);
}

static void nothing_is_taken_while_writing_fails(void)
{
    struct writer *writer = start();
    FILE *file = fopen(control, "w");
    CHECK(file && fputs("fdatasync EIO\n", file) >= 0 && fclose(file) == 0, "control file");
    const struct inbox_intent intent = begin(RECORD_EVENT_KEY_ROTATED, "abc");
    inbox_finish(directory, &intent, true, NULL);
    struct record_draft draft;
    struct writer_position position = {0};
    support_draft(&draft, RECORD_EVENT_REQUEST_COMPLETED, 0, 0);
    CHECK(writer_append(writer, &draft, 0, &position) == STATUS_OK, "taken");
    CHECK(writer_wait(writer, position, 60000) == STATUS_UNAVAILABLE, "writing fails");
    CHECK(inbox_collect(directory, writer) == 0 && count_files(".record") == 1, "it stays");
    CHECK(unlink(control) == 0, "mended");
    while (!writer_is_durable(writer, position)) {
        (void)!writer_wait(writer, (struct writer_position){UINT64_MAX}, 5);
    }
    CHECK(inbox_collect(directory, writer) == 1 && count_files(".record") == 0, "now it is taken");
    struct support_spool spool = stop_and_read(writer);
    CHECK(support_spool_count(&spool, RECORD_EVENT_KEY_ROTATED) == 1, "once");
    finish(&spool);
}

/* ---- files that no command leaves -------------------------------------------------------------
 */

static void leave(const char *name, const void *bytes, size_t length)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", inbox, name);
    FILE *file = fopen(path, "wb");
    CHECK(file && fwrite(bytes, 1, length, file) == length && fclose(file) == 0, "%s", name);
}

static size_t encode(enum record_event event, uint32_t tenant, uint8_t out[RECORD_BODY_BYTES_MAX])
{
    struct record_draft draft;
    record_draft_begin(&draft, event, (struct tenant_id){tenant}, "clinic-c");
    record_draft_text(&draft, RECORD_FIELD_outcome, "done");
    record_draft_text(&draft, RECORD_FIELD_actor, "os:dana");
    return record_encode(&draft, 1, 1767225600000, out);
}

/* A record for which there would be no room for what is added. */
static size_t encode_large(uint8_t out[RECORD_BODY_BYTES_MAX])
{
    struct record_draft draft;
    char names[32][32], text[128];
    struct record_count counts[32];
    for (uint64_t i = 0; i < 32; i++) {
        snprintf(names[i], sizeof names[i], "a-name-of-thirty-one-letters-%02u", (unsigned)i);
        counts[i] = (struct record_count){names[i], 1000 + i};
    }
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    record_draft_begin(&draft, RECORD_EVENT_KEY_CREATED, (struct tenant_id){3}, "clinic-c");
    record_draft_text(&draft, RECORD_FIELD_route, text);
    record_draft_text(&draft, RECORD_FIELD_model, text);
    record_draft_text(&draft, RECORD_FIELD_outcome, "done");
    record_draft_counts(&draft, RECORD_FIELD_finish_reasons, counts, 8);
    record_draft_counts(&draft, RECORD_FIELD_policy_decisions, counts, 32);
    record_draft_text(&draft, RECORD_FIELD_actor, text);
    record_draft_counts(&draft, RECORD_FIELD_changes, counts, 16);
    record_draft_text(&draft, RECORD_FIELD_scopes, text);
    return record_encode(&draft, 1, 1767225600000, out);
}

static void other_files_are_set_aside(void)
{
    struct writer *writer = start();
    uint8_t body[RECORD_BODY_BYTES_MAX] = {0};
    char path[256];
    CHECK(mkdir(inbox, 0700) == 0, "inbox");
    leave("a.record", "", 0);
    leave("b.record", "no record", 9);
    leave("c.record", body, sizeof body);
    leave("d.record", body, encode(RECORD_EVENT_REQUEST_COMPLETED, 3, body));
    leave("e.record", body, encode(RECORD_EVENT_SERVER_STOPPED, 3, body));
    leave("f.record", body, encode(RECORD_EVENT_KEY_CREATED, 5000, body));
    leave("g.record", body, encode(RECORD_EVENT_KEY_CREATED, 3, body) - 1);
    snprintf(path, sizeof path, "%s/h.record", inbox);
    CHECK(symlink("/etc/hostname", path) == 0, "a link");
    snprintf(path, sizeof path, "%s/i.record", inbox);
    CHECK(mkfifo(path, 0600) == 0, "a pipe");
    leave("l.record", body, encode_large(body));
    leave("j.other", "left alone", 10);
    const size_t length = encode(RECORD_EVENT_KEY_CREATED, 3, body);
    leave("k.record", body, length);
    CHECK(inbox_collect(directory, writer) == 1, "the one that is a record");
    CHECK(count_files(".bad") == 10 && count_files(".record") == 0 && count_files(".other") == 1,
          "%zu set aside", count_files(".bad"));
    CHECK(inbox_collect(directory, writer) == 0, "not again");
    struct support_spool spool = stop_and_read(writer);
    CHECK(support_spool_count(&spool, RECORD_EVENT_KEY_CREATED) == 1, "one");
    CHECK(support_spool_count(&spool, RECORD_EVENT_REQUEST_COMPLETED) == 0, "none");
    finish(&spool);
}

CHECK_MAIN(finished_acts_are_recorded_once, fields_of_all_kinds_arrive,
           an_act_that_never_finished_is_unknown, a_crash_repeats_and_the_name_tells,
           nothing_is_taken_while_writing_fails, other_files_are_set_aside)
