/* verb_digest.c - `ward audit digest`: what the log would hold for a text, so that an officer can
 * ask whether a text he was given is the one that a record is about. */
#include <sodium.h>
#include <stdio.h>

#include "audit/chain/digest.h"
#include "audit/spool/directory.h"
#include "server/commands/audit/audit_verbs.h"
#include "server/commands/audit/whose.h"

enum { BLOCK_BYTES = 65536 };

static const char *tenant;

static const struct option_row rows[] = {
    {.name = "tenant",
     .kind = OPTION_TEXT,
     .out = &tenant,
     .value = WHOSE_VALUE,
     .help = "whose text it is: each tenant has a key of its own",
     .is_required = true},
    STATE_ROW,
};

static enum status print_digest(const uint8_t key[DIGEST_BYTES], struct failure *failure)
{
    static char block[BLOCK_BYTES];
    struct digest_stream stream;
    char digits[2 * DIGEST_BYTES + 1];
    digest_stream_begin(&stream, key);
    for (size_t length; (length = fread(block, 1, sizeof block, stdin)) > 0;) {
        digest_stream_add(&stream, block, length);
    }
    sodium_memzero(block, sizeof block);
    const struct digest digest = digest_stream_end(&stream);
    if (ferror(stdin)) {
        return fail(failure, STATUS_IO, "standard input cannot be read");
    }
    printf("%s\n", sodium_bin2hex(digits, sizeof digits, digest.bytes, DIGEST_BYTES));
    return STATUS_OK;
}

static int run(const char *word)
{
    (void)word;
    struct failure failure = {""};
    struct state state;
    struct whose whose;
    uint8_t root[DIGEST_BYTES], key[DIGEST_BYTES];
    enum status status = audit_verbs_find(&state, &failure);
    if (status == STATUS_OK) {
        status = whose_find(&state, tenant, &whose, &failure);
    }
    if (status == STATUS_OK) {
        status = directory_read_digest_root(state.audit_directory, root, &failure);
    }
    if (status == STATUS_OK) {
        directory_tenant_key(root, whose.tenant, key);
        status = print_digest(key, &failure);
    }
    sodium_memzero(root, sizeof root);
    sodium_memzero(key, sizeof key);
    state_close(&state);
    return status == STATUS_OK ? 0 : options_failed(&failure);
}

const struct verb verb_digest = {
    .name = "digest",
    .usage = "ward audit digest --tenant " WHOSE_VALUE " <TEXT",
    .summary =
        "Prints the tenant's keyed digest of the bytes on stdin, in hexadecimal. A record's\n"
        "prompt_digest is of the request's body as it was received, answer_digest of the\n"
        "answer's text.\n\n"
        "  digest=$(ward audit digest --tenant clinic-a <body.json)\n"
        "  ward audit export --tenant clinic-a --from 2026-11-20 --to 2026-11-21 | grep $digest",
    VERB_ROWS(rows),
    .run = run,
};
