/* audit_command.c - `ward audit`: what a privacy officer runs. */
#include <errno.h>
#include <unistd.h>

#include "audit/spool/directory.h"
#include "server/commands/audit/audit_verbs.h"
#include "server/commands/commands.h"

enum status audit_verbs_find(struct state *out, struct failure *failure)
{
    uint8_t key[CHECKPOINT_KEY_BYTES];
    enum status status = state_find(out, failure);
    if (status == STATUS_OK) {
        status = directory_read_public_key(out->audit_directory, key, failure);
    }
    if (status != STATUS_OK && access(out->audit_directory, R_OK | X_OK) != 0 && errno == EACCES) {
        status = fail(failure, status, "%.200s: is closed to this user: run this as the server's",
                      out->audit_directory);
    }
    return status;
}

static const char guide[] =
    "what a privacy officer does (the records lie in audit/ of the server's state directory):\n"
    "  at first    move audit/officer.key to a machine of his own, copy audit/signing.pub there\n"
    "  each hour   ward audit checkpoint, its line appended to a file `kept` on that machine\n"
    "  each month  ward audit verify --officer-key officer.key --public-key signing.pub\n"
    "                --checkpoint kept --redis -c ward.yaml\n"
    "              or on his machine, with audit/segments copied to COPY/audit/segments:\n"
    "                the same, --state-dir COPY instead of --redis\n"
    "  for a clinic that asks\n"
    "              ward audit export --tenant clinic-a --from 2026-11-01 --to 2026-12-01\n"
    "              and with --proof -o FILE; the clinic checks that with signing.pub alone:\n"
    "              ward audit verify --proof FILE --public-key signing.pub\n"
    "  was this asked?\n"
    "              ward audit digest --tenant clinic-a <body.json; look for it in the export\n"
    "  each year   ward audit report --year 2026: referrals, hand-offs, disclosures\n"
    "  how long    ward tenant set clinic-a --retention-days 3650; audit.retention_days for all\n"
    "  over HTTP   ward key create --tenant clinic-a --scope audit:read, or admin,audit:read for\n"
    "              all tenants; GET /admin/v1/audit of the admin listener, 127.0.0.1:9090\n"
    "  broken      change nothing: keep the whole directory, and compare with backup and Redis\n";

int audit_main(int argc, char **argv)
{
    const struct verb verbs[] = {verb_verify, verb_tail,   verb_export,
                                 verb_digest, verb_report, verb_checkpoint};
    return verbs_main(verbs, sizeof verbs / sizeof verbs[0], guide, argc, argv);
}
