/* Method: the log as a server uses it: opened, recorded to, asked, closed, opened again; digests
 * and checkpoints are checked against the files that an auditor has. Redis: test_shipper.c. */
#include "audit/audit.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "audit/chain/checkpoint.h"
#include "audit/spool/directory.h"
#include "audit/spool/inbox.h"
#include "tests/audit/support_writer.h"
#include "tests/check.h"

enum { TIMEOUT_MS = 60000, HANDLE = 77 };

static char root[SUPPORT_DIRECTORY_BYTES], directory[SUPPORT_DIRECTORY_BYTES + 16];
static struct failure failure;
static atomic_uint wakes;

static void count_wake(void *context, uint64_t handle)
{
    atomic_uint *count = context;
    atomic_fetch_add(count, handle == HANDLE ? 1 : 1000);
}

static struct audit_config make_config(void)
{
    return (struct audit_config){.directory = directory,
                                 .queue_bytes = 1 << 20,
                                 .segment_bytes = 1 << 20,
                                 .retention_days = 2192,
                                 .wake = count_wake,
                                 .wake_context = &wakes};
}

static struct audit *open_audit(void)
{
    const struct audit_config config = make_config();
    struct audit *audit = NULL;
    CHECK(audit_open(&config, &audit, &failure) == STATUS_OK, "%s", failure.text);
    if (!audit) {
        exit(1);
    }
    return audit;
}

static void make_directory(void)
{
    support_directory_make(root);
    snprintf(directory, sizeof directory, "%s/state/audit", root); /* with its parent */
}

static void append_kept(struct audit *audit, enum record_event event)
{
    struct record_draft draft;
    struct audit_position position = {0};
    support_draft(&draft, event, 1, 1);
    CHECK(audit_append(audit, &draft, HANDLE, &position) == STATUS_OK, "taken");
    CHECK(audit_wait(audit, position, TIMEOUT_MS) == STATUS_OK, "kept");
    CHECK(audit_keeping(audit, position) == AUDIT_KEPT, "kept to who asks");
}

static void a_server_records_and_asks(void)
{
    make_directory();
    struct audit *audit = open_audit();
    struct audit_facts facts;
    CHECK(audit_is_available(audit), "available");
    audit_set_retention(audit, (struct tenant_id){1}, 10);
    append_kept(audit, RECORD_EVENT_REQUEST_ACCEPTED);
    append_kept(audit, RECORD_EVENT_REQUEST_COMPLETED);
    audit_read_facts(audit, &facts);
    CHECK(facts.is_available && !facts.has_redis && facts.records >= 2 && facts.groups >= 1
              && facts.sequence >= 2 && facts.redis_trouble[0] == '\0',
          "facts");
    CHECK(audit_keeping(audit, (struct audit_position){1000}) == AUDIT_WAITING, "not yet appended");
    CHECK(audit_close(audit), "all kept");
    CHECK(atomic_load(&wakes) == 2, "woken %u times", atomic_load(&wakes));
    CHECK(audit_close(NULL), "nothing to close");
    audit = open_audit();
    append_kept(audit, RECORD_EVENT_REQUEST_ACCEPTED);
    CHECK(audit_close(audit), "all kept");
    struct support_spool spool;
    support_spool_read(directory, &spool);
    CHECK(spool.problem[0] == '\0', "%s", spool.problem);
    CHECK(support_spool_count(&spool, RECORD_EVENT_REQUEST_ACCEPTED) == 2
              && support_spool_count(&spool, RECORD_EVENT_REQUEST_COMPLETED) == 1,
          "three records");
    support_spool_free(&spool);
    support_directory_remove(root);
}

static void digests_are_made_with_the_tenants_key(void)
{
    make_directory();
    struct audit *audit = open_audit();
    struct digest_stream stream;
    uint8_t digest_root[DIGEST_BYTES], key[DIGEST_BYTES];
    CHECK(directory_read_digest_root(directory, digest_root, &failure) == STATUS_OK, "%s",
          failure.text);
    struct digest made[2];
    for (uint32_t i = 0; i < 2; i++) {
        audit_digest_begin(audit, (struct tenant_id){1 + i}, &stream);
        digest_stream_add(&stream, "pain in ", 8);
        digest_stream_add(&stream, "the knee", 8);
        made[i] = digest_stream_end(&stream);
        directory_tenant_key(digest_root, (struct tenant_id){1 + i}, key);
        CHECK(digest_same(made[i], digest_hmac(key, "pain in the knee", 16)), "tenant %u", 1 + i);
    }
    CHECK(!digest_same(made[0], made[1]), "each tenant has its own");
    CHECK(audit_close(audit), "all kept");
    support_directory_remove(root);
}

static void the_last_checkpoint_can_be_copied(void)
{
    make_directory();
    struct audit *audit = open_audit();
    append_kept(audit, RECORD_EVENT_REQUEST_COMPLETED);
    struct audit_facts facts;
    do { /* the first group has one; there is one each second */
        append_kept(audit, RECORD_EVENT_REQUEST_COMPLETED);
        audit_read_facts(audit, &facts);
    } while (facts.groups < 2);
    struct buffer line = {.limit_bytes = 4096};
    uint8_t body[RECORD_BODY_BYTES_MAX], public_key[CHECKPOINT_KEY_BYTES];
    size_t bytes = 0;
    struct checkpoint checkpoint = {.sequence = 0};
    CHECK(audit_checkpoint_line(audit, &line) == STATUS_OK, "there is one");
    CHECK(checkpoint_read_line(line.bytes, line.length, body, &bytes) == STATUS_OK, "a line");
    CHECK(directory_read_public_key(directory, public_key, &failure) == STATUS_OK, "%s",
          failure.text);
    CHECK(checkpoint_check(body, bytes, public_key, &checkpoint, &failure) == STATUS_OK, "%s",
          failure.text);
    CHECK(checkpoint.sequence > 0, "of this chain");
    buffer_destroy(&line);
    CHECK(audit_close(audit), "all kept");
    support_directory_remove(root);
}

static void what_other_processes_leave_is_taken_at_the_next_start(void)
{
    make_directory();
    struct record_draft draft;
    struct inbox_intent intent;
    record_draft_begin(&draft, RECORD_EVENT_TENANT_ADDED, (struct tenant_id){1}, "clinic-a");
    record_draft_text(&draft, RECORD_FIELD_actor, "os:dana");
    CHECK(inbox_begin(directory, &draft, &intent, &failure) == STATUS_OK, "%s", failure.text);
    inbox_finish(directory, &intent, true, "clinic-a");
    struct audit *audit = open_audit();
    struct audit_facts facts;
    do { /* a checkpoint, the record */
        audit_read_facts(audit, &facts);
    } while (facts.sequence < 2);
    CHECK(audit_close(audit), "all kept");
    struct support_spool spool;
    support_spool_read(directory, &spool);
    const struct support_entry *entry = support_spool_find(&spool, RECORD_EVENT_TENANT_ADDED, 0);
    CHECK(entry && strcmp(entry->reason, intent.name) == 0, "it is recorded");
    support_spool_free(&spool);
    support_directory_remove(root);
}

static void what_cannot_be_opened_says_why(void)
{
    make_directory();
    struct audit *audit = open_audit(), *second = NULL;
    struct audit_config config = make_config();
    CHECK(audit_open(&config, &second, &failure) == STATUS_FULL && !second, "two servers");
    CHECK(strstr(failure.text, "audit") != NULL, "%s", failure.text);
    CHECK(audit_close(audit), "all kept");
    config.redis_prefix = "ward:audit";
    config.redis_url = "gopher://localhost";
    CHECK(audit_open(&config, &second, &failure) == STATUS_INVALID && !second, "no Redis URL");
    config.redis_url = "";
    config.queue_bytes = 100;
    CHECK(audit_open(&config, &second, &failure) == STATUS_INVALID && !second, "%s", failure.text);
    support_directory_remove(root);
}

CHECK_MAIN(a_server_records_and_asks, digests_are_made_with_the_tenants_key,
           the_last_checkpoint_can_be_copied, what_other_processes_leave_is_taken_at_the_next_start,
           what_cannot_be_opened_says_why)
